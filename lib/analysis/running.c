/* SPDX-License-Identifier: GPL-2.0-only */
#include "analysis/running.h"

static size_t first_sample(const struct sf_thread *t, uint64_t time)
{
	size_t lo = 0, hi = t->nr_samples;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (t->sample[mid].time < time)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

int sf_running_parts(struct sf_mechanisms *m, const struct sf_thread *t, const struct sf_slice *iv,
		     uint64_t lo, uint64_t hi, int (*part)(void *arg, const struct sf_run_part *p),
		     void *arg)
{
	size_t first = first_sample(t, lo), end = first_sample(t, hi);
	struct sf_run_part p = { .lo = lo, .hi = hi, .source = SF_SOURCE_INFERRED };

	if (first == end) {
		p.stack = sf_mechanism_trim(m, iv->stack);
		p.kernel = sf_mechanism_in_kernel(m, p.stack);
		return part(arg, &p);
	}
	p.source = SF_SOURCE_SAMPLE;
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
