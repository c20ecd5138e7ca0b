/* SPDX-License-Identifier: GPL-2.0-only */
#include "windows.h"

#include <stdlib.h>

#include "progress.h"
#include "report.h"

const char *const sf_window_words[] = { [SF_FAST] = "fast", [SF_SLOW] = "slow", NULL };

struct sf_recording *sf_load(const char *path, const struct sf_recording_opts *opts)
{
	struct sf_recording_opts o = { 0 };
	struct sf_error err = SF_ERROR_INIT;
	struct sf_recording *rec;
	const char *line;

	if (opts)
		o = *opts;
	o.progress = sf_progress_line;
	o.symbols.progress = sf_progress_names;
	sf_progress_begin(SF_PROGRESS_BYTES, "reading %s", path);
	if (sf_recording_load(&rec, path, &o, &err)) {
		sf_fail(&err);
		return NULL;
	}
	sf_progress_end();
	if (rec->stats.truncated || rec->stats.unfinished)
		sf_warn("%s: is cut off: what came last is missing, BRANCHes and names with it", path);
	for (size_t i = 0; (line = sf_recording_problem(rec, i)); i++)
		sf_note("%s: %s", path, line);
	return rec;
}

static bool in_range(const struct sf_list_item *it, const struct sf_window *w)
{
	return it->word < 0 && w->branch >= it->first && w->branch <= it->last;
}

static int check_branches(const struct sf_recording *rec, const struct sf_list *list)
{
	for (size_t k = 0; k < list->nr; k++) {
		const struct sf_list_item *it = &list->item[k];
		bool any = it->word >= 0;

		for (size_t i = 0; i < rec->nr_windows; i++)
			any |= in_range(it, &rec->window[i]);
		if (!any)
			return sf_failf("%s: no BRANCH %llu here (it has %zu; snapflame show FILE "
					"branches lists them)", rec->path,
					(unsigned long long)it->first, rec->nr_windows);
	}
	return 0;
}

static bool has_words(const struct sf_list *list)
{
	for (size_t i = 0; i < list->nr; i++)
		if (list->item[i].word >= 0)
			return true;
	return false;
}

static const char *group_of(const struct sf_diff_input *in, const struct sf_window *w)
{
	for (int side = SF_FAST; side < SF_NR_SIDES; side++)
		for (size_t i = 0; i < in->nr[side]; i++)
			if (in->ref[side][i].window == w)
				return sf_window_words[side];
	return NULL;
}

static bool wants(const struct sf_list *list, const struct sf_picked *w)
{
	for (size_t i = 0; i < list->nr; i++) {
		const struct sf_list_item *it = &list->item[i];

		if (it->word < 0 ? in_range(it, w->window) : w->group == sf_window_words[it->word])
			return true;
	}
	return !list->nr;
}

/* A recording without a split is fine as long as nobody asks for a side of it. */
static int split(const struct sf_recording *rec, const struct sf_list *list,
		 struct sf_window_ref *refs, struct sf_diff_input *in)
{
	struct sf_error err = SF_ERROR_INIT;
	char text[256];

	if (!sf_diff_split(rec, NULL, 0, NULL, 0, 0, refs, in, text, sizeof(text), &err))
		return 0;
	*in = (struct sf_diff_input){ 0 };
	return has_words(list) ? sf_fail(&err) : 0;
}

int sf_pick_windows(const struct sf_recording *rec, const struct sf_list *list,
		    struct sf_picked **out, size_t *nr)
{
	struct sf_window_ref *refs = calloc(rec->nr_windows + 1, sizeof(*refs));
	struct sf_picked *picked = calloc(rec->nr_windows + 1, sizeof(*picked));
	struct sf_diff_input in = { 0 };
	int status = refs && picked ? check_branches(rec, list) : sf_failf("out of memory");

	*out = NULL;
	*nr = 0;
	if (!status)
		status = split(rec, list, refs, &in);
	for (size_t i = 0; !status && i < rec->nr_windows; i++) {
		const struct sf_window *w = &rec->window[i];

		picked[*nr] = (struct sf_picked){ w, group_of(&in, w) };
		*nr += wants(list, &picked[*nr]);
	}
	free(refs);
	if (status)
		free(picked);
	else
		*out = picked;
	return status;
}
