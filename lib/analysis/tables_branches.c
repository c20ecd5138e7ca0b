/* SPDX-License-Identifier: GPL-2.0-only */
/* How long each BRANCH was. */
#include <math.h>

#include "analysis/tables_internal.h"

enum { BRANCH, TRIAL, START, API, DARK, PAUSE, DIFF, BYTES, SAID, ROOT, STATUS, NR };

static const struct sf_column columns[NR] = {
	[BRANCH] = { "branch", "BRANCH", SF_COLUMN_TEXT | SF_COLUMN_DATA, 0 },
	[TRIAL] = { "trial", "trial", SF_COLUMN_DATA, 0 },
	[START] = { "start_ns", "start", SF_COLUMN_DATA, 0 },
	[API] = { "api_ms", "API ms", SF_COLUMN_TEXT | SF_COLUMN_DATA, 1 },
	[DARK] = { "dark_ms", "dark ms", SF_COLUMN_TEXT | SF_COLUMN_DATA, 1 },
	[PAUSE] = { "pause_ms", "pause ms", SF_COLUMN_TEXT | SF_COLUMN_DATA, 1 },
	[DIFF] = { "diff_ms", "diff ms", SF_COLUMN_TEXT | SF_COLUMN_DATA, 1 },
	[BYTES] = { "diff_physical_bytes", "written bytes", SF_COLUMN_TEXT | SF_COLUMN_DATA, 0 },
	[SAID] = { "said_pause_ms", "said ms", SF_COLUMN_TEXT, 1 },
	[ROOT] = { "root", "ends with", SF_COLUMN_TEXT | SF_COLUMN_LEFT | SF_COLUMN_CUT, 0 },
	[STATUS] = { "error", "", SF_COLUMN_TEXT | SF_COLUMN_DATA | SF_COLUMN_LEFT | SF_COLUMN_CUT, 0 },
};

static bool is_dark(const struct sf_window *w)
{
	return w->dark_hi > w->dark_lo;
}

/* The pause is the dark window where it is known, else the API's, whichever is analysed. */
static void set_times(struct table_build *b, const struct sf_window *w, size_t api, size_t dark,
		      size_t pause)
{
	if (w->api_hi > w->api_lo && !w->whole)
		sf_set_ms(b, api, w->api_hi - w->api_lo);
	if (is_dark(w))
		sf_set_ms(b, dark, w->dark_hi - w->dark_lo);
	sf_set_ms(b, pause, is_dark(w) ? w->dark_hi - w->dark_lo : w->api_hi - w->api_lo);
}

static void set_said(struct table_build *b, const struct sf_window *w, size_t diff, size_t bytes)
{
	if (w->diff_ms >= 0)
		sf_set_real(b, diff, w->diff_ms);
	if (w->diff_physical_bytes >= 0)
		sf_set_int(b, bytes, w->diff_physical_bytes);
}

/*
 * What the BRANCH says of itself against what was measured. Its pause cannot be shorter than the vCPUs
 * stood still, nor anything longer than the whole took; 1 ms or 1 % are its clock's.
 */
static int check_said(struct table_build *b, const struct sf_window *w)
{
	double api = (double)(w->api_hi - w->api_lo) / 1e6;
	double dark = (double)(w->dark_hi - w->dark_lo) / 1e6, slack = api > 100 ? api / 100 : 1;
	int ret = 0;

	if (w->whole || w->unannounced || w->api_hi <= w->api_lo)
		return 0;
	if (w->pause_ms >= 0 && is_dark(w) && w->pause_ms < dark - slack)
		ret = sf_table_note(b, "BRANCH %u says that it paused for %.1f ms; the vCPUs stood still "
				    "for %.1f ms", w->branch, w->pause_ms, dark);
	else if (w->pause_ms > api + slack)
		ret = sf_table_note(b, "BRANCH %u says that it paused for %.1f ms; all of it took %.1f ms",
				    w->branch, w->pause_ms, api);
	if (!ret && w->diff_ms > api + slack)
		ret = sf_table_note(b, "BRANCH %u says that its snapshot took %.1f ms; all of it took "
				    "%.1f ms", w->branch, w->diff_ms, api);
	return ret;
}

/*
 * Bytes that are said to have been written have to be in the files that the BRANCH names, if it names
 * any that are there: a file that was there before may hold more, none can hold less. 64 KiB or 1 % are
 * the file system's.
 */
static int check_bytes(struct table_build *b, const struct sf_window *w)
{
	double held = 0, said = (double)w->diff_physical_bytes;
	bool named = false;

	for (size_t i = 0; i < w->nr_files; i++) {
		const struct sf_written_file *f = &w->file[i];

		if (!f->named || f->allocated_bytes < 0)
			continue;
		named = true;
		held += f->allocated_bytes;
	}
	if (!named || said <= held + fmax(held / 100, 65536))
		return 0;
	return sf_table_note(b, "BRANCH %u says that it wrote %.1f MB; the files that it names hold %.1f MB",
			     w->branch, said / 1e6, held / 1e6);
}

static int fill_branches(struct table_build *b)
{
	for (size_t i = 0; i < b->nr_windows; i++) {
		const struct sf_window *w = b->window[i];
		int ret = sf_row(b);

		if (ret)
			return ret;
		sf_set_int(b, BRANCH, w->branch);
		sf_set_int(b, TRIAL, w->trial);
		sf_set_int(b, START, (int64_t)w->lo);
		set_times(b, w, API, DARK, PAUSE);
		set_said(b, w, DIFF, BYTES);
		if (w->pause_ms >= 0)
			sf_set_real(b, SAID, w->pause_ms);
		if (w->root != SF_NO_THREAD)
			sf_set_text(b, ROOT, sf_thread_name(b, w->root));
		if (w->error)
			sf_set_text(b, STATUS, w->error);
		else if (w->status)
			sf_set_textf(b, STATUS, "status %d", w->status);
		else if (w->unpaused)
			sf_set_text(b, STATUS, "no vCPU stopped in it");
		ret = check_said(b, w);
		if (!ret)
			ret = check_bytes(b, w);
		if (ret)
			return ret;
	}
	return 0;
}

const struct table_def sf_def_branches = { "branches", columns, NR, fill_branches };

enum { SWEEP_TRIAL, SWEEP_BRANCH, SWEEP_PAUSE, SWEEP_DIFF, SWEEP_BYTES, SWEEP_NR };

static const struct sf_column sweep_columns[SWEEP_NR] = {
	[SWEEP_TRIAL] = { "trial", "trial", SF_COLUMN_TEXT | SF_COLUMN_DATA, 0 },
	[SWEEP_BRANCH] = { "branch_idx", "BRANCH", SF_COLUMN_TEXT | SF_COLUMN_DATA, 0 },
	[SWEEP_PAUSE] = { "pause_ms", "pause ms", SF_COLUMN_TEXT | SF_COLUMN_DATA, 1 },
	[SWEEP_DIFF] = { "diff_ms", "diff ms", SF_COLUMN_TEXT | SF_COLUMN_DATA, 1 },
	[SWEEP_BYTES] = { "diff_physical_bytes", "bytes", SF_COLUMN_TEXT | SF_COLUMN_DATA, 0 },
};

static int fill_sweep(struct table_build *b)
{
	for (size_t i = 0; i < b->nr_windows; i++) {
		const struct sf_window *w = b->window[i];
		int ret = sf_row(b);

		if (ret)
			return ret;
		sf_set_int(b, SWEEP_TRIAL, w->trial);
		sf_set_int(b, SWEEP_BRANCH, w->branch);
		sf_set_ms(b, SWEEP_PAUSE,
			  is_dark(w) ? w->dark_hi - w->dark_lo : w->api_hi - w->api_lo);
		set_said(b, w, SWEEP_DIFF, SWEEP_BYTES);
	}
	return 0;
}

const struct table_def sf_def_sweep = { "sweep", sweep_columns, SWEEP_NR, fill_sweep };
