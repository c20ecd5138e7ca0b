/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is this machine, and this target, ready to be recorded? And what to run where it is not.
 *
 *	struct sf_doctor *d;
 *	struct sf_doctor_opts opts = { .pid = pid };
 *
 *	if (sf_doctor_examine(&d, &opts, &err))
 *		…
 *	for (size_t i = 0; i < d->nr; i++)
 *		… d->finding[i].level, .topic, .text, .fix …
 *	if (!d->works)
 *		…
 *	sf_doctor_free(d);
 *
 * Nothing is taken on trust that can be tried: for each CPU events are opened as the recorder opens
 * them, then the examiner computes and sleeps there, and what it did has to come out of the rings.
 * That takes about 50 ms a CPU. Changes nothing that lasts.
 */
#ifndef SNAPFLAME_DOCTOR_H
#define SNAPFLAME_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <snapflame/array.h>
#include <snapflame/error.h>

enum sf_finding_level {
	SF_FINDING_OK,
	SF_FINDING_WARN, /* something will be missing in a recording */
	SF_FINDING_FAIL, /* a recording would not work, or not carry a verdict */
};

struct sf_finding {
	enum sf_finding_level level;
	const char *topic; /* a word or two: "tracefs" */
	const char *text;  /* one line */
	const char *fix;   /* a command, or what else to do; NULL */
};

struct sf_doctor {
	struct sf_finding *finding;
	size_t nr, alloc;
	bool works; /* no SF_FINDING_FAIL */
	struct sf_arena arena; /* all text */
};

struct sf_doctor_opts {
	pid_t pid;          /* target; 0: the machine only */
	const char *output; /* directory that recordings go to; NULL: "." */
};

/* -ESRCH where there is no such process; -ENOMEM. What is found to be wrong is no error. */
int sf_doctor_examine(struct sf_doctor **d, const struct sf_doctor_opts *opts,
		      struct sf_error *err);
void sf_doctor_free(struct sf_doctor *d);

const char *sf_finding_level_name(enum sf_finding_level level); /* "ok", "warn", "fail" */

#endif
