/* SPDX-License-Identifier: GPL-2.0-only */
#include "analysis/running.h"

/* A run this short is seldom hit by a sample, and others like it are. */
enum { SHORT_NS = 2000000, NEARBY_NS = 100000000, NEARBY_SAMPLES = 64 };

/* Length of the run in which the thread was sampled at time. */
static uint64_t run_length(const struct sf_thread *t, uint64_t time)
{
	size_t lo = sf_thread_sched_from(t, time + 1);
	uint64_t in = 0;

	for (size_t i = lo; i-- > 0;)
		if (t->sched[i].kind == SF_SCHED_IN) {
			in = t->sched[i].time;
			break;
		}
	for (; lo < t->nr_sched; lo++)
		if (t->sched[lo].kind == SF_SCHED_OUT)
			return t->sched[lo].time - in;
	return UINT64_MAX;
}

/*
 * The sample nearest in time that hit another short run of the thread. A thread that does the same in
 * small portions shows by its samples what it does; its switch-outs only show how it stops.
 */
static const struct sf_cpu_sample *nearby(const struct sf_thread *t, size_t at, uint64_t time)
{
	const struct sf_cpu_sample *best = NULL;
	uint64_t nearest = NEARBY_NS;

	/* at is the first sample after time: from there on, both ways, the first one that fits is the
	 * nearest. */
	for (size_t i = at; i-- > 0 && at - i <= NEARBY_SAMPLES && time - t->sample[i].time < nearest;)
		if (run_length(t, t->sample[i].time) < SHORT_NS) {
			nearest = time - t->sample[i].time;
			best = &t->sample[i];
			break;
		}
	for (size_t i = at; i < t->nr_samples && i - at < NEARBY_SAMPLES &&
			    t->sample[i].time - time < nearest; i++)
		if (run_length(t, t->sample[i].time) < SHORT_NS)
			return &t->sample[i];
	return best;
}

static int unsampled(struct sf_mechanisms *m, const struct sf_thread *t, const struct sf_slice *iv,
		     size_t at, struct sf_run_part p, int (*part)(void *arg, const struct sf_run_part *p),
		     void *arg)
{
	const struct sf_cpu_sample *c =
		p.hi - p.lo < SHORT_NS ? nearby(t, at, p.lo + (p.hi - p.lo) / 2) : NULL;

	p.source = SF_SOURCE_INFERRED;
	p.stack = sf_mechanism_trim(m, c ? c->stack : iv->stack);
	p.kernel = sf_mechanism_in_kernel(m, p.stack) && (!c || c->kernel);
	return part(arg, &p);
}

int sf_running_parts(struct sf_mechanisms *m, const struct sf_thread *t, const struct sf_slice *iv,
		     uint64_t lo, uint64_t hi, int (*part)(void *arg, const struct sf_run_part *p),
		     void *arg)
{
	size_t first = sf_thread_sample_from(t, lo), end = sf_thread_sample_from(t, hi);
	struct sf_run_part p = { .lo = lo, .hi = hi, .source = SF_SOURCE_SAMPLE };

	if (first == end)
		return unsampled(m, t, iv, first, p, part, arg);
	for (size_t i = end; i-- > first;) {
		const struct sf_cpu_sample *c = &t->sample[i];
		int ret;

		p.lo = i == first ? lo : c->time - (c->time - t->sample[i - 1].time) / 2;
		p.stack = sf_mechanism_trim(m, c->stack);
		p.kernel = c->kernel && sf_mechanism_in_kernel(m, p.stack);
		ret = part(arg, &p);
		if (ret)
			return ret;
		p.hi = p.lo;
	}
	return 0;
}
