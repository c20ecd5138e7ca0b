/* SPDX-License-Identifier: GPL-2.0-only */
/* Fast and slow windows of one recording. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/diff_internal.h"
#include "analysis/split.h"

static const struct sf_window *window_of(const struct sf_recording *rec, uint32_t branch)
{
	for (size_t i = 0; i < rec->nr_windows; i++)
		if (rec->window[i].branch == branch)
			return &rec->window[i];
	return NULL;
}

static int take(const struct sf_recording *rec, const uint32_t *list, size_t nr, enum sf_side side,
		struct sf_window_ref **at, struct sf_diff_input *out, struct sf_error *err)
{
	out->ref[side] = *at;
	out->nr[side] = nr;
	for (size_t i = 0; i < nr; i++) {
		const struct sf_window *w = window_of(rec, list[i]);

		if (!w)
			return sf_error_at(err, -EINVAL, rec->path, 0,
					   "no BRANCH %u here (it has %zu; snapflame show FILE branches "
					   "lists them)", list[i], rec->nr_windows);
		*(*at)++ = (struct sf_window_ref){ rec, w };
	}
	return 0;
}

/* "1-2", "3", "4-10" */
static void range(char *buf, size_t size, const uint32_t end[2])
{
	if (end[0] == end[1])
		snprintf(buf, size, "%u", end[0]);
	else
		snprintf(buf, size, "%u-%u", end[0], end[1]);
}

void sf_split_words(char *text, size_t size, const struct sf_series *s,
		    uint32_t end[SF_NR_SIDES][2])
{
	char a[32], z[32];

	range(a, sizeof(a), end[SF_FAST]);
	range(z, sizeof(z), end[SF_SLOW]);
	switch (s->shape) {
	case SF_SHAPE_FLAT:
		snprintf(text, size, "BRANCH %s against %s: the series does not grow (p = %.2f)", a, z,
			 s->p);
		break;
	case SF_SHAPE_STEP:
		snprintf(text, size, "BRANCH %s against %s: a step at BRANCH %u (p = %.2g)", a, z,
			 end[SF_SLOW][0], s->p);
		break;
	default:
		snprintf(text, size, "BRANCH %s against %s: %s growth, %.3g ms a BRANCH (p = %.2g)", a, z,
			 sf_shape_name(s->shape), s->slope, s->p);
	}
}

/* First and last BRANCH of either side. */
static void ends(uint32_t end[SF_NR_SIDES][2], const struct sf_diff_input *in)
{
	for (int s = 0; s < SF_NR_SIDES; s++) {
		end[s][0] = in->ref[s][0].window->branch;
		end[s][1] = in->ref[s][in->nr[s] - 1].window->branch;
	}
}

static int found(const struct sf_recording *rec, size_t skip, struct sf_window_ref *refs,
		 struct sf_diff_input *out, char *text, size_t size, struct sf_error *err)
{
	size_t n = rec->nr_windows > skip ? rec->nr_windows - skip : 0;
	uint32_t end[SF_NR_SIDES][2];
	struct sf_series s;
	double *ms;
	int ret;

	if (n < 3)
		return sf_error_at(err, -EINVAL, rec->path, 0,
				   "%zu BRANCH%s: a split is found from 3 on; record more with "
				   "--branches 5, give --fast and --slow, or compare two recordings", n,
				   n == 1 ? "" : "es");
	ms = calloc(n, sizeof(*ms));
	if (!ms)
		return sf_error_at(err, -ENOMEM, rec->path, 0, "out of memory");
	for (size_t i = 0; i < n; i++) {
		const struct sf_window *w = &rec->window[skip + i];

		refs[i] = (struct sf_window_ref){ rec, w };
		ms[i] = (double)(w->hi - w->lo) / 1e6;
	}
	ret = sf_series_describe(ms, n, NULL, &s);
	free(ms);
	if (ret)
		return sf_error_at(err, ret, rec->path, 0, "the pauses cannot be described");
	out->split_found = true;
	out->no_growth = s.shape == SF_SHAPE_FLAT;
	out->trend = s.by_time && !out->no_growth;
	out->series_p = s.p;
	out->ref[SF_FAST] = refs + s.fast.first;
	out->nr[SF_FAST] = s.fast.n;
	out->ref[SF_SLOW] = refs + s.slow.first;
	out->nr[SF_SLOW] = s.slow.n;
	ends(end, out);
	sf_split_words(text, size, &s, end);
	return 0;
}

int sf_diff_split(const struct sf_recording *rec, const uint32_t *fast, size_t nr_fast,
		  const uint32_t *slow, size_t nr_slow, size_t skip, struct sf_window_ref *refs,
		  struct sf_diff_input *out, char *text, size_t text_size, struct sf_error *err)
{
	uint32_t end[SF_NR_SIDES][2];
	char a[32], z[32];
	int ret;

	memset(out, 0, sizeof(*out));
	out->split_text = text;
	if (!nr_fast && !nr_slow)
		return found(rec, skip, refs, out, text, text_size, err);
	if (!nr_fast || !nr_slow)
		return sf_error_at(err, -EINVAL, rec->path, 0, "--fast and --slow go together");
	if (nr_fast + nr_slow > rec->nr_windows)
		return sf_error_at(err, -EINVAL, rec->path, 0,
				   "%zu BRANCHes are named and %zu are there; none can be on both sides",
				   nr_fast + nr_slow, rec->nr_windows);
	ret = take(rec, fast, nr_fast, SF_FAST, &refs, out, err);
	if (!ret)
		ret = take(rec, slow, nr_slow, SF_SLOW, &refs, out, err);
	if (ret)
		return ret;
	ends(end, out);
	range(a, sizeof(a), end[SF_FAST]);
	range(z, sizeof(z), end[SF_SLOW]);
	snprintf(text, text_size, "BRANCH %s against %s, as given", a, z);
	return 0;
}
