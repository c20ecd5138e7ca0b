/* SPDX-License-Identifier: GPL-2.0-only */
/* What a report is about: all windows, their critical paths, and the trees of these. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "render/report.h"

static int list_windows(struct report *r)
{
	const struct sf_report_input *in = r->in;
	size_t n = 0;

	for (size_t i = 0; i < in->nr_recs; i++)
		n += in->rec[i]->nr_windows;
	r->window = calloc(n ? n : 1, sizeof(*r->window));
	if (!r->window)
		return -ENOMEM;
	for (size_t i = 0; i < in->nr_recs; i++)
		for (size_t k = 0; k < in->rec[i]->nr_windows; k++)
			r->window[r->nr++] = (struct sf_window_ref){ in->rec[i], &in->rec[i]->window[k] };
	return 0;
}

/* A diff of all windows in this order has their profile already. */
static bool same_windows(const struct report *r)
{
	const struct sf_diff *d = r->diff;

	if (!d || d->nr[SF_FAST] + d->nr[SF_SLOW] != r->nr)
		return false;
	for (size_t i = 0; i < r->nr; i++)
		if (d->ref[i].window != r->window[i].window)
			return false;
	return true;
}

static int add_recording(struct report *r, const struct sf_recording *rec)
{
	struct sf_mechanisms mech = { 0 };
	struct sf_namer namer = { 0 };
	int ret = sf_mechanisms_init(&mech, rec);

	if (!ret)
		ret = sf_namer_init(&namer, &r->own_profile, rec);
	namer.functions = r->diff != NULL; /* as the diff's own profile has them */
	for (size_t i = 0; !ret && i < r->nr; i++)
		if (r->window[i].rec == rec)
			ret = sf_profile_add_window(&r->own_profile, &namer, &mech,
						    r->window[i].window);
	sf_namer_release(&namer);
	sf_mechanisms_release(&mech);
	return ret;
}

static int profile(struct report *r)
{
	int ret = 0;

	if (!r->nr)
		return 0;
	if (same_windows(r)) {
		r->profile = &r->diff->profile;
		return 0;
	}
	for (size_t i = 0; !ret && i < r->in->nr_recs; i++)
		ret = add_recording(r, r->in->rec[i]);
	if (!ret)
		ret = sf_profile_finish(&r->own_profile);
	r->profile = &r->own_profile;
	return ret;
}

/* ------------------------------------------------------------------- flame graphs */

static int finish(struct report_flame *f, const char *name, const char *title, int ret)
{
	f->name = name;
	f->title = title;
	f->flame = &f->own;
	return ret ? ret : sf_flame_finish(&f->own);
}

static int compared(struct report *r)
{
	const struct sf_diff *d = r->diff;
	struct report_flame *f = r->flame;
	int ret;

	for (size_t i = 0; i < REPORT_FLAMES; i++)
		sf_flame_init(&f[i].own);
	ret = finish(&f[0], "flame-diff", "Slow against fast pauses",
		     sf_flame_from_diff(&f[0].own, d));
	if (!ret)
		ret = finish(&f[1], "flame-fast", "Critical path of the fast pauses",
			     sf_flame_from_columns(&f[1].own, &d->profile, 0, d->nr[SF_FAST]));
	if (!ret)
		ret = finish(&f[2], "flame-slow", "Critical path of the slow pauses",
			     sf_flame_from_columns(&f[2].own, &d->profile, d->nr[SF_FAST],
						   d->nr[SF_SLOW]));
	return ret;
}

static int flames(struct report *r)
{
	struct report_flame *f = r->flame;

	if (r->in->flame) {
		f->name = r->in->flame->differential ? "flame-diff" : "flame";
		f->title = "Flame graph";
		f->flame = r->in->flame;
		return 0;
	}
	if (r->diff)
		return compared(r);
	if (!r->profile)
		return 0;
	sf_flame_init(&f->own);
	return finish(f, "flame", "Critical path of the pauses",
		      sf_flame_from_profile(&f->own, r->profile));
}

int report_gather(struct report *r, struct sf_error *err)
{
	int ret = list_windows(r);

	if (!ret)
		ret = profile(r);
	if (!ret)
		ret = flames(r);
	return ret ? sf_error_set(err, ret, "out of memory") : 0;
}

void report_release(struct report *r)
{
	for (size_t i = 0; i < REPORT_FLAMES; i++)
		if (r->flame[i].flame == &r->flame[i].own || r->flame[i].own.node)
			sf_flame_release(&r->flame[i].own);
	sf_profile_release(&r->own_profile);
	free(r->window);
	sf_outdir_release(&r->dir);
}
