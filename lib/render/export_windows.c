/* SPDX-License-Identifier: GPL-2.0-only */
/* One row for each window: how long it was, what the BRANCH said of itself, and its covariates. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/stats.h>

#include "render/export_json.h"
#include "render/export_rows.h"

enum {
	START, REALTIME, PAUSE, API, DARK, SAID, DIFF, BYTES, STATUS, ERROR, MEDIAN, COVARIATES, KERNEL,
	VMM, VERSION, BUILD_ID, FS, DISK, MODEL, LABELS, NR,
};

static const char *const columns[NR] = {
	"start_ns", "start_realtime_ns", "pause_ms", "api_ms", "dark_ms", "said_pause_ms", "diff_ms",
	"diff_physical_bytes", "status", "error", "median_weight", "covariates", "kernel", "vmm",
	"vmm_version", "vmm_build_id", "file_system", "disk", "disk_model", "labels",
};

static void put_span(struct sf_rows *r, const char *column, uint64_t lo, uint64_t hi)
{
	if (hi > lo)
		sf_rows_ms(r, column, hi - lo);
	else
		sf_rows_null(r, column);
}

/* What the BRANCH said; -1 where it said nothing. */
static void put_said(struct sf_rows *r, const char *column, double ms)
{
	sf_rows_number(r, column, ms >= 0 ? ms : NAN);
}

/* {"Dirty_kB":{"begin":120,"end":130},…}, in a tab-separated field, too. */
static void put_covariates(struct sf_rows *r, const struct sf_window *w)
{
	struct sf_str *to = &r->line;

	sf_rows_json(r, columns[COVARIATES]);
	sf_str_addch(to, '{');
	for (size_t i = 0; i < w->nr_covariates; i++) {
		const struct sf_covariate *c = &w->covariate[i];

		if (i)
			sf_str_addch(to, ',');
		sf_add_json_string(to, sf_text(r->e->rec, c->name));
		sf_str_add(to, ":{\"begin\":");
		sf_add_json_number(to, c->has_begin ? c->begin : NAN);
		sf_str_add(to, ",\"end\":");
		sf_add_json_number(to, c->has_end ? c->end : NAN);
		sf_str_addch(to, '}');
	}
	sf_str_addch(to, '}');
}

/* {"rack":"7",…} */
static void put_labels(struct sf_rows *r)
{
	const struct sf_recording *rec = r->e->rec;
	struct sf_str *to = &r->line;

	sf_rows_json(r, columns[LABELS]);
	sf_str_addch(to, '{');
	for (size_t i = 0; i < rec->meta.nr_labels; i++) {
		if (i)
			sf_str_addch(to, ',');
		sf_add_json_string(to, sf_text(rec, rec->meta.label[i].key));
		sf_str_addch(to, ':');
		sf_add_json_string(to, sf_text(rec, rec->meta.label[i].value));
	}
	sf_str_addch(to, '}');
}

/*
 * The snapshot's memory: the largest file that the BRANCH's command or reply names. Where they name
 * none, any of those that the VMM had open, provided that all lie on one disk: one of them may be the
 * guest's. NULL where it cannot be known.
 */
static const struct sf_written_file *memory_file(const struct sf_window *w)
{
	const struct sf_written_file *largest = NULL;
	bool one_disk = true;

	for (size_t i = 0; i < w->nr_files; i++)
		if (w->file[i].named && (!largest || w->file[i].bytes > largest->bytes))
			largest = &w->file[i];
	for (size_t i = 1; i < w->nr_files; i++)
		one_disk &= w->file[i].fs == w->file[0].fs && w->file[i].disk == w->file[0].disk;
	return largest || !one_disk || !w->nr_files ? largest : &w->file[0];
}

/* Of what machine and program the pause was. */
static void put_machine(struct sf_rows *r, const struct sf_window *w)
{
	const struct sf_recording *rec = r->e->rec;
	const struct sf_written_file *f = memory_file(w);

	sf_rows_known(r, columns[KERNEL], sf_text(rec, rec->meta.kernel));
	sf_rows_known(r, columns[VMM], sf_text(rec, rec->meta.comm));
	sf_rows_known(r, columns[VERSION], sf_text(rec, w->vmm_version));
	sf_rows_known(r, columns[BUILD_ID], sf_text(rec, rec->meta.exe_build_id));
	sf_rows_known(r, columns[FS], f ? sf_text(rec, f->fs) : NULL);
	sf_rows_known(r, columns[DISK], f ? sf_text(rec, f->disk) : NULL);
	sf_rows_known(r, columns[MODEL], f ? sf_text(rec, f->disk_model) : NULL);
	put_labels(r);
}

/*
 * What a diff makes of the groups: it compares the median window of each, or the mean of the middle
 * two. Weights sum to 1 in each group; NAN for a window that is in none. -ENOMEM.
 */
static int weigh(const struct sf_export *x, const char *group, double *weight)
{
	double *ms = calloc(x->nr + 1, sizeof(*ms));
	size_t *window = calloc(x->nr + 1, sizeof(*window)), nr = 0, at[2], n;

	for (size_t i = 0; ms && window && i < x->nr; i++) {
		const struct sf_window *w = x->window[i].window;

		if (!x->window[i].group || strcmp(x->window[i].group, group))
			continue;
		ms[nr] = (double)(w->hi - w->lo) / 1e6;
		window[nr++] = i;
		weight[i] = 0;
	}
	n = nr ? sf_median_windows(ms, nr, at) : 0;
	for (size_t k = 0; k < n; k++)
		weight[window[at[k]]] = 1.0 / (double)n;
	n = ms && window;
	free(ms);
	free(window);
	return n ? 0 : -ENOMEM;
}

static void put_window(struct sf_rows *r, const struct sf_export_window *x, double weight)
{
	const struct sf_window *w = x->window;
	uint64_t real = sf_export_realtime(r->e->rec, w->lo);

	sf_rows_window(r, x);
	sf_rows_begin(r);
	sf_rows_int(r, columns[START], (int64_t)w->lo);
	if (real)
		sf_rows_int(r, columns[REALTIME], (int64_t)real);
	else
		sf_rows_null(r, columns[REALTIME]);
	put_span(r, columns[PAUSE], w->lo, w->hi);
	put_span(r, columns[API], w->api_lo, w->api_hi);
	put_span(r, columns[DARK], w->dark_lo, w->dark_hi);
	put_said(r, columns[SAID], w->pause_ms);
	put_said(r, columns[DIFF], w->diff_ms);
	if (w->diff_physical_bytes >= 0)
		sf_rows_int(r, columns[BYTES], w->diff_physical_bytes);
	else
		sf_rows_null(r, columns[BYTES]);
	sf_rows_int(r, columns[STATUS], w->status);
	sf_rows_text(r, columns[ERROR], w->error);
	sf_rows_number(r, columns[MEDIAN], weight);
	put_covariates(r, w);
	put_machine(r, w);
	sf_rows_end(r);
}

int sf_export_windows(struct sf_exporter *e)
{
	double *weight = calloc(e->x->nr + 1, sizeof(*weight));
	struct sf_rows r;
	int ret;

	if (!weight)
		return -ENOMEM;
	for (size_t i = 0; i < e->x->nr; i++)
		weight[i] = NAN;
	sf_rows_init(&r, e, SF_WINDOWS_SCHEMA);
	ret = sf_rows_status(&r) || weigh(e->x, "fast", weight) || weigh(e->x, "slow", weight) ? -ENOMEM : 0;
	if (!ret)
		sf_rows_header(&r, columns, NR);
	for (size_t i = 0; !ret && i < e->x->nr; i++)
		put_window(&r, &e->x->window[i], weight[i]);
	if (!ret)
		ret = sf_rows_status(&r);
	sf_rows_release(&r);
	free(weight);
	return ret;
}
