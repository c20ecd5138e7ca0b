/* SPDX-License-Identifier: GPL-2.0-only */
/* Do the events arrive that a recording is made of? Tried on each CPU. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/marks.h>
#include <snapflame/str.h>

#include "doctor.h"
#include "proc.h"

enum { MAX_CPUS = 1024 };

/* CPUs with a complaint, as "0, 3, 5", and the worst of them. */
struct complaint {
	struct sf_str cpus;
	unsigned nr, seen, expected;
};

static void complain(struct complaint *c, unsigned cpu, unsigned seen, unsigned expected)
{
	sf_str_addf(&c->cpus, "%s%u", c->nr ? ", " : "", cpu);
	if (!c->nr || seen * c->expected < c->seen * expected) {
		c->seen = seen;
		c->expected = expected;
	}
	c->nr++;
}

struct results {
	struct complaint clock, sw, sched, wakings;
	unsigned nr, skipped, samples, switches;
	int error_clock, error_switch, error_sched;
	bool wide, sched_tried;
};

static void judge(struct results *r, const struct sf_probe *p)
{
	r->nr++;
	r->samples += p->samples;
	r->switches += p->ins + p->outs;
	r->wide |= p->wide;
	r->sched_tried |= p->sched_tried;
	r->error_clock = p->error_clock ? p->error_clock : r->error_clock;
	r->error_switch = p->error_switch ? p->error_switch : r->error_switch;
	r->error_sched = p->error_sched ? p->error_sched : r->error_sched;
	/* Half is the limit below which a diff gives no verdict. */
	if (!p->error_clock && p->samples * 2 < p->expected_samples)
		complain(&r->clock, p->cpu, p->samples, p->expected_samples);
	if (!p->error_switch && (p->outs * 10 < p->sleeps * 9 || p->ins * 10 < p->sleeps * 9))
		complain(&r->sw, p->cpu, p->outs < p->ins ? p->outs : p->ins, p->sleeps);
	if (p->sched_tried && !p->error_sched && p->sched_switches * 10 < p->sleeps * 9)
		complain(&r->sched, p->cpu, p->sched_switches, p->sleeps);
}

static void report_errors(struct sf_exam *e, const struct results *r)
{
	static const char fix[] = "run snapflame as root, or: sysctl kernel.perf_event_paranoid=-1";

	if (r->error_clock)
		sf_finding(e, SF_FINDING_FAIL, "cpu-clock", fix, "cannot be opened: %s",
			   strerror(-r->error_clock));
	if (r->error_switch)
		sf_finding(e, SF_FINDING_FAIL, "switches", fix, "cannot be opened: %s",
			   strerror(-r->error_switch));
	if (r->error_sched)
		sf_finding(e, SF_FINDING_FAIL, "sched_switch", fix, "cannot be opened: %s",
			   strerror(-r->error_sched));
	if (r->nr && !r->wide)
		sf_finding(e, SF_FINDING_WARN, "all CPUs", fix,
			   "not permitted: owners outside of the VMM will not be seen (--scope vmm)");
}

static void report_losses(struct sf_exam *e, const struct results *r)
{
	if (r->clock.nr)
		sf_finding(e, SF_FINDING_FAIL, "cpu-clock",
			   "pin the VMM to other CPUs (taskset -p), or tell whoever runs this machine",
			   "CPU %s: %u of %u samples arrived: no timer interrupts in a busy CPU",
			   r->clock.cpus.buf, r->clock.seen, r->clock.expected);
	if (r->sw.nr)
		sf_finding(e, SF_FINDING_FAIL, "switches", "boot another kernel, and report this one",
			   "CPU %s: %u of %u context switches arrived", r->sw.cpus.buf, r->sw.seen,
			   r->sw.expected);
	if (r->sched.nr)
		sf_finding(e, SF_FINDING_WARN, "sched_switch", NULL,
			   "CPU %s: %u of %u arrived: sleeps will lack their stacks", r->sched.cpus.buf,
			   r->sched.seen, r->sched.expected);
	if (r->skipped)
		sf_finding(e, SF_FINDING_WARN, "CPUs", "run it without taskset or cpuset",
			   "%u of %u CPUs could not be tried", r->skipped, r->skipped + r->nr);
	if (r->nr && !r->clock.nr && !r->sw.nr && !r->sched.nr && !r->error_clock &&
	    !r->error_switch && !r->error_sched)
		sf_finding(e, SF_FINDING_OK, "events", NULL,
			   "tried on %u CPU%s: %s arrive", r->nr, r->nr == 1 ? "" : "s",
			   r->sched_tried ? "samples, switches and sched_switch"
					  : "samples and switches");
}

static void wakings(struct sf_exam *e, const unsigned *cpu, size_t nr)
{
	unsigned *seen = calloc(nr, sizeof(*seen));
	struct complaint c = { .cpus = SF_STR_INIT };
	struct sf_error why = SF_ERROR_INIT;
	int sleeps;

	if (!seen) {
		e->failed = true;
		return;
	}
	sleeps = sf_probe_wakings(&e->tracefs, cpu, nr, seen, &why);
	for (size_t i = 0; i < nr && sleeps > 0; i++)
		if (seen[i] * 10 < (unsigned)sleeps * 9)
			complain(&c, cpu[i], seen[i], (unsigned)sleeps);
	if (sleeps < 0)
		sf_finding(e, SF_FINDING_WARN, "wakings", e->root ? NULL : "run snapflame as root (sudo)",
			   "not through tracefs (%s); perf's own may miss those by interrupts", why.what);
	else if (c.nr)
		sf_finding(e, SF_FINDING_WARN, "wakings", NULL,
			   "CPU %s: %u of %u arrived: some waits will end at nobody", c.cpus.buf, c.seen,
			   c.expected);
	else
		sf_finding(e, SF_FINDING_OK, "wakings", NULL, "tried on %zu CPU%s: all arrive", nr,
			   nr == 1 ? "" : "s");
	sf_str_release(&c.cpus);
	free(seen);
}

void sf_exam_events(struct sf_exam *e)
{
	struct results r = { .clock.cpus = SF_STR_INIT, .sw.cpus = SF_STR_INIT,
			     .sched.cpus = SF_STR_INIT };
	int id = e->tracefs.dir >= 0 ? sf_tracefs_id(&e->tracefs, SF_EVENT_SWITCH) : 0;
	unsigned cpu[MAX_CPUS];
	size_t n = sf_proc_online(cpu, MAX_CPUS);
	int ret = 0;

	for (size_t i = 0; i < n; i++) {
		struct sf_probe p;

		ret = sf_probe_cpu(&p, cpu[i], id > 0 ? id : 0);
		if (ret == -EINVAL) /* not ours: a cpuset */
			r.skipped++;
		else if (ret && p.error_switch)
			judge(&r, &p);
		else if (!ret)
			judge(&r, &p);
	}
	if (!r.nr && !r.skipped)
		sf_finding(e, SF_FINDING_FAIL, "events", "run snapflame as root (sudo)",
			   "perf events cannot be tried: %s", strerror(-ret));
	report_errors(e, &r);
	report_losses(e, &r);
	sf_str_release(&r.clock.cpus);
	sf_str_release(&r.sw.cpus);
	sf_str_release(&r.sched.cpus);
	if (e->tracefs.dir >= 0)
		wakings(e, cpu, n);
}
