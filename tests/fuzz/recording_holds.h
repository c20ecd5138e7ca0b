/* SPDX-License-Identifier: GPL-2.0-only */
/* What must be true of any recording that could be loaded, and of all that can be made of it. */
#ifndef TESTS_FUZZ_RECORDING_HOLDS_H
#define TESTS_FUZZ_RECORDING_HOLDS_H

#include <snapflame/critpath.h>
#include <snapflame/diff.h>
#include <snapflame/export.h>
#include <snapflame/flamegraph.h>
#include <snapflame/fold_view.h>
#include <snapflame/render_folded.h>
#include <snapflame/render_json.h>
#include <snapflame/render_table.h>

#include "output_holds.h"

enum { MOST_THREADS = 64, MOST_WINDOWS = 8 };

static inline void check_tables(const struct sf_recording *rec)
{
	for (int id = 0; id < SF_NR_TABLES; id++) {
		struct sf_str out = SF_STR_INIT;
		struct sf_error err = SF_ERROR_INIT;
		struct sf_table *t;

		if (sf_table_make(&t, rec, (enum sf_table_id)id, NULL, &err)) {
			MUST(err.what[0]);
			continue;
		}
		sf_text_table(&out, t, &(struct sf_text_opts){ 0 });
		check_text(&out);
		sf_str_reset(&out);
		MUST(!sf_csv_table(&out, t));
		check_cells(out.buf, out.len, ',');
		sf_str_reset(&out);
		MUST(!sf_json_table(&out, t));
		check_json(out.buf, out.len, false);
		sf_str_release(&out);
		sf_table_free(t);
	}
}

/* Every ns of a thread has one state, every ns of a window one owner. */
static inline void check_partition(const struct sf_recording *rec, const struct sf_window *w)
{
	struct sf_mechanisms m;
	struct sf_critpath cp = { 0 };
	struct sf_timelines ts;

	if (w->hi <= w->lo)
		return;
	MUST(!sf_mechanisms_init(&m, rec) && !sf_timelines_init(&ts, rec, w, w->lo, w->hi));
	for (uint32_t i = 0; i < rec->nr_threads && i < MOST_THREADS; i++) {
		const struct sf_timeline *t = sf_timelines_get(&ts, i);
		uint64_t sum = 0, at = w->lo;

		MUST(t);
		for (size_t k = 0; k < t->nr; k++) {
			MUST(t->iv[k].lo == at && t->iv[k].hi > at);
			at = t->iv[k].hi;
		}
		MUST(at == w->hi);
		for (int s = 0; s < SF_NR_STATES; s++)
			sum += t->total[s];
		MUST(sum == w->hi - w->lo);
	}
	if (w->root != SF_NO_THREAD) {
		uint64_t at = w->lo;

		MUST(!sf_critpath_walk(&cp, &ts, &m, w->root));
		for (size_t i = 0; i < cp.nr; i++) {
			MUST(cp.seg[i].lo == at && cp.seg[i].hi > at);
			at = cp.seg[i].hi;
		}
		MUST(at == w->hi);
	}
	sf_critpath_release(&cp);
	sf_timelines_release(&ts);
	sf_mechanisms_release(&m);
}

static inline int check_view_line(void *arg, const char *line, size_t len, uint64_t weight)
{
	check_terminal(line, len, "");
	return 0;
}

static inline void check_views(const struct sf_recording *rec)
{
	struct sf_window_ref ref[MOST_WINDOWS];
	size_t nr = 0;

	for (; nr < rec->nr_windows && nr < MOST_WINDOWS; nr++)
		ref[nr] = (struct sf_window_ref){ rec, &rec->window[nr] };
	for (int v = SF_VIEW_WALL; v <= SF_VIEW_CRITICAL; v++) {
		struct sf_view_opts opts = { .view = (enum sf_view)v, .tid = v & 1 };
		struct sf_fold *f;

		MUST(!sf_fold_new(&f, NULL, NULL));
		if (!sf_fold_windows(f, ref, nr, &opts, NULL))
			MUST(!sf_fold_each(f, check_view_line, NULL));
		sf_fold_free(f);
	}
}

static inline void check_exports(const struct sf_recording *rec)
{
	struct sf_export_window window[MOST_WINDOWS];
	struct sf_export x = { .rec = rec, .window = window };

	for (; x.nr < rec->nr_windows && x.nr < MOST_WINDOWS; x.nr++)
		window[x.nr] = (struct sf_export_window){ &rec->window[x.nr], x.nr ? "slow" : "fast" };
	for (int f = SF_EXPORT_PPROF; f <= SF_EXPORT_WINDOWS; f++) {
		bool rows = f == SF_EXPORT_ROWS || f == SF_EXPORT_WINDOWS;
		struct sf_error err = SF_ERROR_INIT;
		char *buf = NULL;
		size_t len = 0;
		FILE *file;

		for (int tsv = 0; tsv <= rows; tsv++) {
			x.tsv = tsv;
			file = open_memstream(&buf, &len);
			MUST(file);
			if (sf_export((enum sf_export_format)f, &x, file, &err)) {
				MUST(err.what[0]);
				fclose(file);
			} else {
				MUST(!fclose(file));
				if (tsv)
					check_cells(buf, len, '\t');
				else if (f != SF_EXPORT_PPROF)
					check_json(buf, len, rows);
			}
			free(buf);
			buf = NULL;
		}
	}
}

static inline void check_flame(const struct sf_diff *d)
{
	struct sf_str out = SF_STR_INIT;
	struct sf_flame f;

	sf_flame_init(&f);
	MUST(!sf_flame_from_diff(&f, d) && !sf_flame_finish(&f));
	sf_flame_svg(&out, &f, NULL);
	check_terminal(out.buf, out.len, "\n\t");
	sf_str_reset(&out);
	sf_flame_html(&out, &f, NULL);
	check_terminal(out.buf, out.len, "\n\t");
	sf_flame_release(&f);
	sf_str_release(&out);
}

static inline void check_diff(const struct sf_recording *rec)
{
	struct sf_window_ref *refs = calloc(rec->nr_windows + 1, sizeof(*refs));
	struct sf_error err = SF_ERROR_INIT;
	struct sf_str out = SF_STR_INIT;
	struct sf_diff_input in = { 0 };
	struct sf_diff *d;
	char text[256];
	int ret;

	MUST(refs);
	ret = sf_diff_split(rec, NULL, 0, NULL, 0, 0, refs, &in, text, sizeof(text), &err);
	if (ret && rec->nr_windows > 1) {
		ret = sf_diff_split(rec, &rec->window[0].branch, 1, &rec->window[1].branch, 1, 0, refs,
				    &in, text, sizeof(text), &err);
	}
	if (!ret && !sf_diff_make(&d, &in, NULL, &err)) {
		MUST(!d->has_verdict || d->sentence);
		MUST(d->has_verdict || d->coverage.nr_problems);
		sf_text_diff(&out, d, &(struct sf_text_opts){ 0 });
		check_text(&out);
		sf_str_reset(&out);
		MUST(!sf_json_diff(&out, d));
		check_json(out.buf, out.len, false);
		sf_str_reset(&out);
		MUST(!sf_folded_diff(&out, d));
		check_text(&out);
		check_flame(d);
		sf_diff_free(d);
	} else {
		MUST(err.what[0]);
	}
	sf_str_release(&out);
	free(refs);
}

static inline void check_recording(const struct sf_recording *rec)
{
	check_tables(rec);
	for (size_t i = 0; i < rec->nr_windows && i < MOST_WINDOWS; i++)
		check_partition(rec, &rec->window[i]);
	check_views(rec);
	check_exports(rec);
	check_diff(rec);
}

/* Load what the descriptor holds, with names from nowhere else, and check it. */
static inline void check_recording_fd(int fd)
{
	struct sf_recording_opts opts = { .symbols = { .no_local = true } };
	struct sf_error err = SF_ERROR_INIT;
	struct sf_recording *rec;
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (sf_recording_load(&rec, path, &opts, &err)) {
		MUST(!rec && err.what[0]);
		return;
	}
	check_recording(rec);
	sf_recording_free(rec);
}

#endif
