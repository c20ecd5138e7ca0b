/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BRANCHes that nobody announced: in a recording of some seconds, each time in which all vCPUs were
 * out of the guest. A vCPU alone leaves it for many reasons; all at once, and for long, is a pause.
 */
#include <errno.h>
#include <stdlib.h>

#include "model/loader.h"
#include "model/vcpu.h"

enum { DARK_MIN_NS = 1000000 };

struct spans {
	struct sf_vcpu_span *item;
	size_t nr, alloc;
};

static int add(struct spans *s, uint64_t lo, uint64_t hi)
{
	if (SF_GROW(s->item, s->nr + 1, s->alloc))
		return -ENOMEM;
	s->item[s->nr++] = (struct sf_vcpu_span){ lo, hi };
	return 0;
}

static int collect(void *arg, uint64_t lo, uint64_t hi)
{
	return add(arg, lo, hi);
}

/*
 * Both are in order. A time that is in both goes from the earlier begin to the later end: the pause
 * lasts from the first vCPU that stopped to the last one that runs again.
 */
static int join(const struct spans *a, const struct spans *b, struct spans *out)
{
	size_t i = 0, k = 0;
	int ret = 0;

	while (!ret && i < a->nr && k < b->nr) {
		const struct sf_vcpu_span *x = &a->item[i], *y = &b->item[k];
		uint64_t lo = x->lo > y->lo ? x->lo : y->lo;
		uint64_t hi = x->hi < y->hi ? x->hi : y->hi;

		if (hi > lo && hi - lo >= DARK_MIN_NS)
			ret = add(out, x->lo < y->lo ? x->lo : y->lo, x->hi > y->hi ? x->hi : y->hi);
		if (x->hi < y->hi)
			i++;
		else
			k++;
	}
	return ret;
}

static bool is_vcpu(const struct sf_thread *t)
{
	const unsigned both = SF_THREAD_VCPU | SF_THREAD_TARGET;

	return (t->flags & both) == both;
}

/* All times in the window in which every vCPU is out; *vcpus is how many of them there are. */
static int find(struct sf_recording *rec, struct sf_vcpu_memo *memo, const struct sf_window *w,
		struct spans *out, unsigned *vcpus)
{
	int ret = 0;

	*vcpus = 0;
	for (size_t i = 0; !ret && i < rec->nr_threads; i++) {
		struct spans own = { 0 }, both = { 0 };

		if (!is_vcpu(&rec->thread[i]))
			continue;
		/* Without KVM a guest that idles looks like one that is paused. */
		if (!sf_vcpu_uses_kvm(rec, memo, &rec->thread[i])) {
			*vcpus = 0;
			return 0;
		}
		ret = sf_vcpu_pauses(rec, memo, &rec->thread[i], w->api_lo, w->api_hi, DARK_MIN_NS,
				     collect, &own);
		if (!ret && (*vcpus)++)
			ret = join(out, &own, &both);
		else
			both = own, own = (struct spans){ 0 };
		free(own.item);
		free(out->item);
		*out = both;
	}
	return ret;
}

static int make_windows(struct sf_recording *rec, const struct sf_window *whole,
			const struct spans *found)
{
	uint32_t trial = whole->trial, name = whole->name;

	if (SF_GROW(rec->window, rec->nr_windows + found->nr, rec->window_alloc))
		return -ENOMEM;
	for (size_t i = 0; i < found->nr; i++)
		rec->window[rec->nr_windows++] = (struct sf_window){
			.branch = (uint32_t)i + 1, .trial = trial, .name = name,
			.root = SF_NO_THREAD, .unannounced = true, .pause_ms = -1,
			.diff_ms = -1, .diff_physical_bytes = -1,
			.api_lo = found->item[i].lo, .api_hi = found->item[i].hi,
		};
	return 0;
}

/* One at a recording's edge began before it, or ended after it. */
static void drop_cut(const struct sf_window *w, struct spans *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->nr; i++)
		if (s->item[i].lo > w->api_lo && s->item[i].hi < w->api_hi)
			s->item[n++] = s->item[i];
	s->nr = n;
}

int sf_find_unannounced(struct sf_recording *rec, struct sf_vcpu_memo *memo)
{
	struct spans found = { 0 };
	struct sf_window whole;
	unsigned vcpus;
	int ret;

	if (rec->nr_windows != 1 || !rec->window[0].unannounced)
		return 0;
	rec->window[0].unannounced = false;
	ret = find(rec, memo, &rec->window[0], &found, &vcpus);
	drop_cut(&rec->window[0], &found);
	if (!ret && vcpus && !found.nr)
		ret = sf_recording_note(rec, "no BRANCH was found: the vCPUs were never all out of the "
					"guest for 1 ms or more");
	if (!ret && found.nr) {
		whole = rec->window[0];
		rec->nr_windows = 0;
		ret = make_windows(rec, &whole, &found);
		sf_window_release(&whole);
	}
	free(found.item);
	return ret;
}
