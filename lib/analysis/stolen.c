/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Time that a hypervisor took from this machine's CPUs. It looks like whatever ran just then: the
 * kernel's clock of a thread's CPU time leaves it out, that of the context switches does not. What was
 * taken from the target's own threads is therefore measured; of the rest only the sum over all CPUs is
 * known (/proc/stat, ticks of 10 ms), and anybody's wait may have had it inside.
 *
 * A verdict holds if it names the same first cause when all of that time is taken from it.
 */
#include <math.h>

#include "analysis/diff_internal.h"

static const double least_stolen_ms = 5; /* more in a slow pause than in a fast one, to be a reason */
static const double tick_ms = 10; /* in which it is counted: what is less may be anything */
static const double harmless_share = 0.1; /* of the first cause: less changes no verdict */

void sf_stolen_add(struct diff_build *b, const struct sf_recording *rec, const struct sf_window *w,
		   double uncharged_ms)
{
	struct stolen *s = &b->stolen[b->side];
	double all = sf_window_covariate(rec, w, "cpu_steal_ms", true);

	s->nr++;
	s->known += all >= 0;
	s->all_ms += all > 0 ? all : 0;
	s->most_ms = fmax(s->most_ms, all);
	s->measured += !isnan(uncharged_ms);
	s->target_ms += uncharged_ms > 0 ? uncharged_ms : 0;
}

double sf_stolen_ms(const struct diff_build *b)
{
	return b->stolen[SF_FAST].all_ms + b->stolen[SF_SLOW].all_ms;
}

/*
 * How much more it took in a slow pause than in a fast one, beyond what a longer pause has to expect:
 * a steady share stretches everything alike.
 */
static double more(const struct diff_build *b, const double sum[SF_NR_SIDES])
{
	const struct sf_diff *d = b->d;
	double pause[SF_NR_SIDES] = { 0 }, ms;

	for (size_t i = 0; i < d->nr[SF_FAST] + d->nr[SF_SLOW]; i++) {
		enum sf_side s = i < d->nr[SF_FAST] ? SF_FAST : SF_SLOW;

		pause[s] += d->pause_ms[i] / (double)d->nr[s];
	}
	ms = sum[SF_SLOW] / (double)d->nr[SF_SLOW] -
	     sum[SF_FAST] / (double)d->nr[SF_FAST] * pause[SF_SLOW] / pause[SF_FAST];
	return ms > 0 ? ms : 0;
}

/* The most of a cause's growth that may be stolen time. */
static double inside(const struct diff_build *b, const struct sf_cause *c)
{
	const struct stolen *f = &b->stolen[SF_FAST], *s = &b->stolen[SF_SLOW];
	double all = more(b, (double[]){ f->all_ms, s->all_ms });
	bool on_cpu = c->kind == SF_KIND_CPU_USER || c->kind == SF_KIND_CPU_KERNEL;

	if (on_cpu && b->d->profile.owner[c->owner].target && f->measured == f->nr &&
	    s->measured == s->nr)
		return fmin(all, more(b, (double[]){ f->target_ms, s->target_ms }));
	return all;
}

/* They grew, but not beyond their noise: that may be the hypervisor's. That few ms are within it is true
 * anyway. */
static int unsure_growth(struct diff_build *b)
{
	struct sf_diff *d = b->d;
	double most = fmax(b->stolen[SF_FAST].most_ms, b->stolen[SF_SLOW].most_ms);

	if (!sf_medians_apart(b) || d->delta.value < tick_ms || most < least_stolen_ms ||
	    most < d->delta.value / 2)
		return 0;
	return sf_diff_problem(d, sf_diff_keep(d, "the pauses grew by %.1f ms, and a hypervisor stole up to "
					       "%.1f ms of CPU time in one of them: record it again when "
					       "the host is less busy", d->delta.value, most));
}

static int ask(struct diff_build *b)
{
	struct sf_diff *d = b->d;
	const struct sf_cause *c = d->nr_causes ? &d->cause[0] : NULL;
	double ms, next = 0;

	if (b->stolen[SF_FAST].known < d->nr[SF_FAST] || b->stolen[SF_SLOW].known < d->nr[SF_SLOW])
		return 0;
	if (!sf_pauses_grew(b) && !sf_cause_grew(b))
		return unsure_growth(b);
	if (!c || !c->path)
		return 0;
	for (size_t i = 1; i < d->nr_causes; i++)
		next = fmax(next, d->cause[i].delta.value);
	ms = inside(b, c);
	if (ms < least_stolen_ms || ms < harmless_share * c->delta.value)
		return 0;
	if (ms < c->delta.value - next)
		return sf_diff_note(d, sf_diff_keep(d, "a hypervisor stole %.1f ms of CPU time more in each of "
						    "the slow pauses: the first cause may be that much "
						    "smaller, and stays the first", ms));
	return sf_diff_problem(d, sf_diff_keep(d, "a hypervisor stole %.1f ms of CPU time more in each of the "
					       "slow pauses, which may be what grew: record it again when "
					       "the host is less busy", ms));
}

int sf_check_stolen(struct diff_build *b)
{
	int ret = ask(b);

	b->d->coverage.ok = !b->d->coverage.nr_problems;
	return ret;
}
