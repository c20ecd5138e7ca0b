/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One sentence for a person, and a line of advice. The words follow the kind; every number in them
 * is one of the cause's own.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "analysis/diff_internal.h"

static const char *owner_name(const struct sf_diff *d, uint32_t owner)
{
	return owner ? sf_diff_text(d, d->profile.owner[owner].label) : "somebody";
}

/* " (leaf)" and " in function", where they are known. */
static void where(struct sf_str *s, const char *leaf, const char *function)
{
	if (leaf)
		sf_str_addf(s, " (%s)", leaf);
	if (function && (!leaf || strcmp(function, leaf)))
		sf_str_addf(s, " in %s", function);
}

/* The frame that says why it waits: of folio_wait_bit and folio_wait_writeback the second. */
static const char *telling_frame(const struct sf_diff *d, const struct sf_cause *c)
{
	const char *best = c->nr_frames ? c->frame[0] : NULL, *name;
	unsigned most = 0, rank;

	if (c->state == SF_STATE_RUNNING)
		return best;
	for (size_t i = 0; (name = sf_cause_frame(d, c->path, true, i)); i++)
		if (sf_mechanism_of_function(name, &rank) != SF_WAIT_UNKNOWN && rank > most) {
			most = rank;
			best = name;
		}
	return best;
}

static const char *activity(const struct sf_cause *c)
{
	switch (c->state) {
	case SF_STATE_RUNNING:
		return "ran";
	case SF_STATE_RUNNABLE:
		return "waited for a CPU";
	default:
		return "slept";
	}
}

static void lock_words(struct sf_str *s, const struct sf_diff *d, const struct sf_cause *c, double ms)
{
	const char *what = c->kind == SF_KIND_MEMORY ? "an address space or a page" : "a lock of the kernel";

	if (c->lock) {
		sf_str_addf(s, "%s waits %.0f ms longer for %s that %s has", owner_name(d, c->waiter), ms,
			    what, owner_name(d, c->owner));
		if (c->nr_frames)
			sf_str_addf(s, ", which %s meanwhile in %s", activity(c), c->frame[0]);
		return;
	}
	sf_str_addf(s, "%s waits %.0f ms longer for %s", owner_name(d, c->owner), ms, what);
	where(s, c->nr_frames ? c->frame[0] : NULL, sf_cause_function(d, c->path));
}

/* "rayon-3 (and 3 threads that do the same)", "cpu-hog (and 2 others)", "main (and 2 others)" */
static const char *doers(struct sf_diff *d, const struct sf_cause *c)
{
	const char *who = owner_name(d, c->owner);
	size_t nr = 0;

	while (sf_cause_other_owner(d, c, nr))
		nr++;
	if (nr && (c->kind == SF_KIND_RUNQUEUE || c->kind == SF_KIND_CPU_QUOTA))
		who = sf_diff_keep(d, "%s (and %zu other%s)", who, nr, nr == 1 ? "" : "s");
	else if (nr)
		who = sf_diff_keep(d, "%s (and %zu thread%s that do%s the same)", who, nr,
				   nr == 1 ? "" : "s", nr == 1 ? "es" : "");
	return who ? who : "somebody";
}

/* Of the parts that are of the cause's own kind, whoever they are of. A queue has no other kinds, and
 * what of it belongs to the work is no longer in it. */
static double own_ms(const struct sf_cause *c)
{
	double ms = 0;

	if (c->kind == SF_KIND_RUNQUEUE)
		return c->delta.value;
	for (size_t i = 0; i < c->nr_parts; i++)
		if (c->part[i].path && c->part[i].kind == c->kind && c->part[i].of != SF_PART_TURNS)
			ms += c->part[i].slow_ms - c->part[i].fast_ms;
	return c->nr_parts ? ms : c->delta.value;
}

/* Where every thread and every waking was recorded, an answer that no thread gave came by an interrupt. */
static bool by_interrupt(const struct sf_diff *d)
{
	const struct sf_recording *rec = d->ref[0].rec;

	return rec->system_scope && rec->has_wakings;
}

static void because(struct sf_str *s, struct sf_diff *d, const struct sf_cause *c)
{
	const char *who = doers(d, c), *leaf = telling_frame(d, c);
	const char *fn = sf_cause_function(d, c->path), *up = NULL;
	double ms = own_ms(c);

	switch (c->kind) {
	case SF_KIND_CPU_USER:
		sf_str_addf(s, "%s runs %.0f ms longer", who, ms);
		if (leaf)
			sf_str_addf(s, " in %s", leaf);
		up = c->nr_frames > 1 ? c->frame[1] : NULL;
		if (up)
			sf_str_addf(s, ", called by %s", up);
		break;
	case SF_KIND_CPU_KERNEL:
		sf_str_addf(s, "%s runs %.0f ms longer in the kernel", who, ms);
		if (sf_cause_frame(d, c->path, true, 0))
			where(s, leaf, fn);
		else if (leaf) /* more than one function of the kernel */
			sf_str_addf(s, ", called by %s", leaf);
		break;
	case SF_KIND_RUNQUEUE:
		sf_str_addf(s, "%s waits %.0f ms longer for a CPU",
			    c->behind ? owner_name(d, c->waiter) : who, ms);
		if (c->behind)
			sf_str_addf(s, " that %s has", who);
		break;
	case SF_KIND_CPU_QUOTA:
		sf_str_addf(s, "%s is held back %.0f ms longer by the CPU quota of ", who, ms);
		up = sf_throttling_cgroup(d, c->owner);
		if (up)
			sf_str_addf(s, "cgroup %s", up);
		else
			sf_str_add(s, "its cgroup");
		break;
	case SF_KIND_LOCK:
		lock_words(s, d, c, ms);
		break;
	case SF_KIND_MEMORY:
		if (c->lock) {
			lock_words(s, d, c, ms);
			break;
		}
		sf_str_addf(s, "%s spends %.0f ms longer on memory", who, ms);
		where(s, leaf, fn);
		break;
	case SF_KIND_IO_DEVICE:
		if (c->owner && d->profile.owner[c->owner].dev)
			sf_str_addf(s, "the device %s takes %.0f ms longer for the requests of %s", who, ms,
				    owner_name(d, c->waiter));
		else
			sf_str_addf(s, "%s waits %.0f ms longer for I/O", who, ms);
		where(s, leaf, fn);
		break;
	case SF_KIND_IO_THROTTLE:
		sf_str_addf(s, "%s waits %.0f ms longer in the throttle of block I/O", who, ms);
		where(s, leaf, fn);
		break;
	case SF_KIND_IO_WRITEBACK:
		sf_str_addf(s, "%s waits %.0f ms longer for dirty pages to be written", who, ms);
		where(s, leaf, fn);
		break;
	case SF_KIND_IO_JOURNAL:
		sf_str_addf(s, "%s waits %.0f ms longer for the file system's journal", who, ms);
		where(s, leaf, fn);
		break;
	case SF_KIND_TIMER:
		sf_str_addf(s, "%s sleeps %.0f ms longer on a timer", who, ms);
		where(s, leaf, fn);
		break;
	case SF_KIND_PEER:
		if (by_interrupt(d)) {
			sf_str_addf(s, "%s waits %.0f ms longer for an answer that an interrupt brings", who, ms);
			where(s, leaf, fn);
			break;
		}
		if (c->waiter && !d->profile.owner[c->owner].target && !d->ref[0].rec->system_scope) {
			sf_str_addf(s, "%s waits %.0f ms longer for %s, which was not recorded",
				    owner_name(d, c->waiter), ms, who);
			where(s, leaf, fn);
			break;
		}
		sf_str_addf(s, "%s waits %.0f ms longer for an answer whose sender was not seen", who, ms);
		where(s, leaf, fn);
		break;
	case SF_KIND_VCPU:
		sf_str_addf(s, "%s takes %.0f ms longer to stop or to resume", who, ms);
		where(s, leaf, NULL);
		break;
	default:
		sf_str_addf(s, "%s waits %.0f ms longer", who, ms);
		where(s, leaf, fn);
		sf_str_add(s, " and nobody was seen to end the wait");
	}
}

struct part_sum {
	double ms, kind[SF_NR_KINDS];
};

static void sum_up(struct part_sum *sum, const struct sf_cause_part *part)
{
	double ms = part->slow_ms - part->fast_ms;

	sum->kind[part->kind] += ms;
	sum->ms += ms;
}

/* " (io-writeback 23, cpu-kernel 9)" */
static void kinds(struct sf_str *s, const struct part_sum *sum)
{
	const char *sep = " (";

	for (int k = 0; k < SF_NR_KINDS; k++) {
		if (fabs(sum->kind[k]) < 0.5)
			continue;
		sf_str_addf(s, "%s%s %.0f", sep, sf_kind_name(k), sum->kind[k]);
		sep = ", ";
	}
	if (*sep == ',')
		sf_str_addch(s, ')');
}

/* Who the cause's owner hands over to and gets back from. */
static void turns(struct sf_str *s, const struct sf_diff *d, const struct sf_cause *c,
		  const struct part_sum *sum)
{
	const struct sf_exchange *x = &d->profile.exchange[c->exchange - 1];

	sf_str_addf(s, ", and %.0f ms more in turns of %s and %s, %.0f instead of %.0f", sum->ms,
		    owner_name(d, x->waiter), owner_name(d, x->server),
		    sf_diff_exchanges(d, c->exchange - 1, SF_SLOW),
		    sf_diff_exchanges(d, c->exchange - 1, SF_FAST));
	kinds(s, sum);
}

/* What belongs to the cause beside its own time. */
static void parts(struct sf_str *s, const struct sf_diff *d, const struct sf_cause *c)
{
	struct part_sum rest = { 0 }, exchanged = { 0 };
	double queue = 0;

	for (size_t i = 1; i < c->nr_parts; i++) {
		if (c->part[i].of == SF_PART_WAITING)
			queue += c->part[i].slow_ms - c->part[i].fast_ms;
		else if (c->part[i].of == SF_PART_TURNS)
			sum_up(&exchanged, &c->part[i]);
		else if (c->part[i].kind != c->kind)
			sum_up(&rest, &c->part[i]);
	}
	if (fabs(queue) >= 0.5)
		sf_str_addf(s, c->state == SF_STATE_BLOCKED ?
				       ", and %.0f ms longer for a CPU after that" :
				       ", and waits %.0f ms longer for a CPU for that", queue);
	if (fabs(rest.ms) >= 0.5) {
		sf_str_addf(s, ", and %.0f ms more in the same function", rest.ms);
		kinds(s, &rest);
	}
	if (c->exchange && fabs(exchanged.ms) >= 0.5)
		turns(s, d, c, &exchanged);
}

/* Whose pages they may be that I/O is waited for. */
static void dirtied(struct sf_str *s, const struct sf_diff *d, const struct sf_cause *c)
{
	const struct sf_dirtier *w = sf_other_dirtier(d);

	/* A throttle is one's own. */
	if (!w || (c->kind != SF_KIND_IO_WRITEBACK && c->kind != SF_KIND_IO_JOURNAL &&
		   c->kind != SF_KIND_IO_DEVICE))
		return;
	sf_str_addf(s, ", while %s (pid %u) writes %.0f MB a pause", w->comm, w->pid, w->bytes / 1e6);
}

/* What is larger than the first cause and was passed over, because it does not last. */
static void noise(struct sf_str *s, const struct sf_diff *d)
{
	for (size_t i = 1; i < d->nr_causes && d->cause[i].path; i++)
		if (d->cause[i].delta.value > d->cause[0].delta.value)
			sf_str_addf(s, " Besides, %s cost %.0f ms more (%s), but %s.",
				    owner_name(d, d->cause[i].owner), d->cause[i].delta.value,
				    sf_kind_name(d->cause[i].kind),
				    d->cause[i].shift ? "as much less elsewhere" : "not steadily");
}

/*
 * Whether it comes back with every BRANCH, or came once: as the first cause says, if it has most of the
 * growth and is the clearer series of the two. Its noise is only its own.
 */
static void over_branches(struct sf_str *s, const struct sf_diff *d, bool pauses)
{
	const struct sf_cause *c = &d->cause[0];
	const struct sf_growth_line *l = d->growth ? sf_growths_pause(d->growth) : NULL;
	const struct sf_growth *g = l ? &l->growth : NULL;
	const char *what = "The growth";

	if (!l || (pauses && !l->grows))
		return;
	if (!pauses ||
	    (c->growth.branches && c->share_pct >= 80 && c->growth.series.p <= g->series.p)) {
		g = &c->growth;
		what = "This";
	}
	if (g->series.direction <= 0)
		return;
	if (g->series.shape == SF_SHAPE_STEP) {
		sf_str_addf(s, " %s came in a step at BRANCH %u, not with every BRANCH.", what,
			    sf_growths_branch(d->growth, g));
		return;
	}
	sf_str_addf(s, " %s came with every BRANCH (%s growth), by %.3g ms each", what,
		    sf_shape_name(g->series.shape), g->trend.slope);
	if (isfinite(g->trend.lo))
		sf_str_addf(s, " (95 %% interval %.3g to %.3g)", g->trend.lo, g->trend.hi);
	sf_str_addch(s, '.');
}

static const char *advice_for(const struct sf_diff *d, const struct sf_cause *c)
{
	static const char *const advice[SF_NR_KINDS] = {
		[SF_KIND_CPU_USER] = "make that function do less inside the pause, or move it before or after it",
		[SF_KIND_CPU_KERNEL] = "fewer or larger system calls inside the pause; perf annotate shows the instructions",
		[SF_KIND_RUNQUEUE] = "give the VMM a CPU of its own (cpuset, sched_setaffinity) or more weight than who is named",
		[SF_KIND_CPU_QUOTA] = "raise cpu.max (v1: cpu.cfs_quota_us) of the VMM's cgroup, or allow bursts (cpu.max.burst)",
		[SF_KIND_LOCK] = "let the holder work outside of the lock during a BRANCH",
		[SF_KIND_IO_DEVICE] = "fewer or larger requests; a snapshot directory on tmpfs would confirm it",
		[SF_KIND_IO_THROTTLE] = "preallocate the memory file (posix_fallocate) or raise the limit; a snapshot directory on tmpfs would confirm it",
		[SF_KIND_IO_WRITEBACK] = "write a new file instead of truncating the old one, or leave a longer gap between BRANCHes; tmpfs would confirm it",
		[SF_KIND_IO_JOURNAL] = "fewer fsyncs in the pause, or a larger journal; a snapshot directory on tmpfs would confirm it",
		[SF_KIND_MEMORY] = "touch or lock the memory before the pause (MAP_POPULATE, mlock), and map and unmap outside of it",
		[SF_KIND_TIMER] = "wait for the event instead of sleeping and trying again",
		[SF_KIND_PEER] = "record with --scope system as root, so that the peer is seen",
		[SF_KIND_VCPU] = "look at what the vCPU does when it is told to stop (exits, device emulation)",
		[SF_KIND_UNKNOWN] = "record with --scope system as root, so that wakings are seen",
	};

	if (c->kind == SF_KIND_PEER && by_interrupt(d))
		return "look at who answers from outside of this machine; waits of 40 ms each are TCP's delayed ACKs, which TCP_NODELAY at the sender ends";
	return advice[c->kind];
}

static int no_growth(const struct diff_build *b)
{
	struct sf_diff *d = b->d;
	const char *range = "";

	d->kind = SF_KIND_NONE;
	if (d->delta.has_interval && d->delta.hi < 0) {
		d->sentence = sf_diff_keep(d, "The pauses fell, from %.1f to %.1f ms (95 %% interval %+.1f to "
					      "%+.1f ms): are fast and slow the other way round?",
					   d->median_ms[SF_FAST], d->median_ms[SF_SLOW], d->delta.lo,
					   d->delta.hi);
		return d->sentence ? 0 : -ENOMEM;
	}
	/* The series decided: an interval between sides that were picked from it says less. */
	if (b->no_growth)
		range = sf_diff_keep(d, ", neither a step nor a trend over %zu BRANCHes",
				     d->nr[SF_FAST] + d->nr[SF_SLOW]);
	else if (sf_medians_apart(b) && sf_too_few_ms(b))
		range = sf_diff_keep(d, " (so few ms are what a scheduler gives and takes; p = %.2g is not sure "
					"enough)", d->series_p);
	else if (d->delta.has_interval)
		range = sf_diff_keep(d, " (difference %+.1f ms, 95 %% interval %+.1f to %+.1f ms)",
				     d->delta.value, d->delta.lo, d->delta.hi);
	d->sentence = sf_diff_keep(d, "The pauses did not grow beyond their noise: %.1f ms and %.1f ms%s.",
				   d->median_ms[SF_FAST], d->median_ms[SF_SLOW], range ? range : "");
	return d->sentence ? 0 : -ENOMEM;
}

int sf_find_verdict(struct diff_build *b)
{
	struct sf_diff *d = b->d;
	struct sf_str s = SF_STR_INIT;
	const struct sf_cause *c = d->nr_causes ? &d->cause[0] : NULL;
	bool pauses;

	d->has_verdict = d->coverage.ok;
	if (!d->has_verdict)
		return 0;
	pauses = sf_pauses_grew(b);
	if (!pauses && !sf_cause_grew(b))
		return no_growth(b);
	if (!c || !c->path || c->delta.value <= 0) {
		d->kind = SF_KIND_UNKNOWN;
		d->sentence = sf_diff_keep(d, "The pauses grew from %.0f to %.0f ms in many small parts: no "
					      "path holds the difference.", d->median_ms[SF_FAST],
					   d->median_ms[SF_SLOW]);
		return d->sentence ? 0 : -ENOMEM;
	}
	d->kind = c->kind;
	d->advice = advice_for(d, c);
	if (pauses)
		sf_str_addf(&s, "The pauses grew from %.0f to %.0f ms because ", d->median_ms[SF_FAST],
			    d->median_ms[SF_SLOW]);
	else
		sf_str_addf(&s, "The pauses, %.0f and %.0f ms, are too noisy to tell their growth (p = %.2g); "
				"that of their first cause is sure (p = %.2g): ", d->median_ms[SF_FAST],
			    d->median_ms[SF_SLOW], d->series_p, c->growth.series.p);
	because(&s, d, c);
	parts(&s, d, c);
	dirtied(&s, d, c);
	sf_str_addf(&s, ": %.0f %% of the %s", c->share_pct, pauses ? "growth" : "difference");
	/* Else its interval has the noise of the run queue; the growth over the BRANCHes has not. */
	if (pauses && c->delta.has_interval)
		sf_str_addf(&s, " (95 %% interval %.0f to %.0f ms)", c->delta.lo, c->delta.hi);
	else if (pauses)
		sf_str_add(&s, " (n = 1: no interval)");
	sf_str_addch(&s, '.');
	noise(&s, d);
	over_branches(&s, d, pauses);
	if (!sf_str_failed(&s))
		d->sentence = sf_diff_keep(d, "%s", s.buf);
	sf_str_release(&s);
	return d->sentence ? 0 : -ENOMEM;
}
