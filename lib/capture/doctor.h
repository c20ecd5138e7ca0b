/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of the examination; private to capture/. */
#ifndef SF_CAPTURE_DOCTOR_H
#define SF_CAPTURE_DOCTOR_H

#include <snapflame/doctor.h>

#include "tracefs.h"

struct sf_exam {
	struct sf_doctor *d;
	const struct sf_doctor_opts *opts;
	struct sf_tracefs tracefs;
	bool root;   /* with all capabilities that matter, in the initial namespaces */
	bool failed; /* no memory */
};

/* Add a finding; fix may be NULL. Texts are copied, but for the topic. */
void sf_finding(struct sf_exam *e, enum sf_finding_level level, const char *topic, const char *fix,
		const char *fmt, ...) __attribute__((format(printf, 5, 6)));

void sf_exam_rights(struct sf_exam *e);  /* root, paranoid, kptr_restrict, lockdown */
void sf_exam_tracefs(struct sf_exam *e); /* tracefs and its tracepoints */
void sf_exam_events(struct sf_exam *e);  /* do perf's events arrive? */
void sf_exam_machine(struct sf_exam *e); /* clock, CPUs, memory, disk, tools */
void sf_exam_target(struct sf_exam *e);

/* ------------------------------------------------- the positive control of one CPU */

struct sf_probe {
	unsigned cpu;
	bool wide;         /* the events were of the whole CPU, not of ourselves */
	bool sched_tried;  /* there is a tracepoint to try */
	int error_clock, error_switch, error_sched; /* of opening, -errno */
	unsigned expected_samples, samples;
	unsigned sleeps;   /* switch-outs that getrusage(2) counted */
	unsigned outs, ins, sched_switches;
	unsigned lost;
};

/* Events opened as the recorder opens them. ids of tracepoints: 0 where there are none. -errno where
 * not even the CPU could be had. */
int sf_probe_cpu(struct sf_probe *p, unsigned cpu, int sched_switch_id);

/*
 * Do wakings by interrupts arrive through a tracefs instance? On each CPU in cpu[] the caller sleeps
 * some times; seen[] says how many wakings came. Sleeps a CPU, or -errno with the reason in err.
 */
int sf_probe_wakings(const struct sf_tracefs *fs, const unsigned *cpu, size_t nr, unsigned *seen,
		     struct sf_error *err);

#endif
