/* SPDX-License-Identifier: GPL-2.0-only */
/* The files that stand beside the report. */
#define _GNU_SOURCE /* O_CLOEXEC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <snapflame/render_folded.h>

#include "render/program.h"
#include "render/report.h"

enum { TIMEOUT_MS = 60000 };

static int write_str(struct report *r, const char *name, struct sf_str *s, struct sf_error *err)
{
	if (s->failed)
		return sf_error_set(err, -ENOMEM, "out of memory");
	return sf_outdir_write(&r->dir, name, s->buf, s->len, err);
}

/* ------------------------------------------------------------------- flame graphs */

static int write_flame(struct report *r, const struct report_flame *f, struct sf_error *err)
{
	struct sf_flame_opts o = { .title = f->title, .subtitle = r->in->source };
	struct sf_str s = SF_STR_INIT;
	char name[64];
	int ret;

	snprintf(name, sizeof(name), "%s.svg", f->name);
	sf_flame_svg(&s, f->flame, &o);
	ret = write_str(r, name, &s, err);
	sf_str_reset(&s);
	if (!ret) {
		snprintf(name, sizeof(name), "%s.html", f->name);
		sf_flame_html(&s, f->flame, &o);
		ret = write_str(r, name, &s, err);
	}
	sf_str_release(&s);
	return ret;
}

/* Stacks of a flame graph as folded lines: whole numbers, thousandths of ms and of %. */
static void fold(struct sf_str *out, const struct sf_flame *f)
{
	double scale = strcmp(f->unit, "ms") && strcmp(f->unit, "%") ? 1 : 1000;
	uint32_t up[SF_FLAME_DEPTH + 1];

	for (uint32_t i = 1; i < f->nr; i++) {
		const struct sf_flame_node *n = &f->node[i];
		size_t depth = 0;

		if (n->self[SF_FLAME_BEFORE] * scale < 0.5 && n->self[SF_FLAME_AFTER] * scale < 0.5)
			continue;
		for (uint32_t k = i; k; k = f->node[k].parent)
			up[depth++] = k;
		while (depth-- > 0) {
			sf_folded_name(out, sf_strtab_text(&f->str, f->node[up[depth]].label));
			sf_str_addch(out, depth ? ';' : ' ');
		}
		if (f->differential)
			sf_str_addf(out, "%.0f ", n->self[SF_FLAME_BEFORE] * scale);
		sf_str_addf(out, "%.0f\n", n->self[SF_FLAME_AFTER] * scale);
	}
}

static int write_folded(struct report *r, struct sf_str *lines, struct sf_error *err)
{
	int ret = 0;

	if (r->diff)
		ret = sf_folded_diff(lines, r->diff);
	else
		fold(lines, r->flame[0].flame);
	if (ret)
		return sf_error_set(err, ret, "out of memory");
	if (!lines->len)
		return 0;
	r->folded = r->flame[0].flame->differential ? "diff.folded" : "stacks.folded";
	return write_str(r, r->folded, lines, err);
}

/* ------------------------------------------------------------------- flamegraph.pl */

/* The script's path, looked for as contrib/flamegraph/draw.sh does; false: it is not here. */
static bool find_pl(char *buf, size_t size)
{
	static const char debian[] = "/usr/share/perl5/Devel/NYTProf/flamegraph.pl";
	const char *dir = getenv("FLAMEGRAPH_DIR"), *p = getenv("PATH");

	/* A relative path would be looked up in the directory of results. */
	snprintf(buf, size, "%s/flamegraph.pl", dir ? dir : "");
	if (dir && *dir == '/' && !access(buf, R_OK))
		return true;
	for (; p && *p; p += *p == ':') {
		size_t n = strcspn(p, ":");

		snprintf(buf, size, "%.*s/flamegraph.pl", (int)n, p);
		if (*p == '/' && !access(buf, R_OK))
			return true;
		p += n;
	}
	snprintf(buf, size, "%s", debian);
	return !access(buf, R_OK);
}

/*
 * The version of 2015 puts names into JavaScript and does not expect a backslash before a quote:
 * what it reads here has neither. Ends of frames and lines are as they were.
 */
static void make_harmless(struct sf_str *lines)
{
	for (size_t i = 0; i < lines->len; i++) {
		if (lines->buf[i] == '\'')
			lines->buf[i] = '"';
		else if (lines->buf[i] == '\\')
			lines->buf[i] = '/';
	}
}

static int run_pl(struct report *r, const char *script, struct sf_error *err)
{
	static const char out[] = "flamegraph-pl.svg", in[] = ".stacks";
	const char *unit = r->flame[0].flame->unit;
	const char *count = !strcmp(unit, "ms") ? "us" : !strcmp(unit, "%") ? "1/1000 %" : "samples";
	const char *argv[] = { "perl", script, "--title", r->flame[0].title, "--countname",
			       count, in, NULL };
	struct sf_str said = SF_STR_INIT;
	int fd = openat(r->dir.stage_fd, out, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666), ret;

	if (fd < 0)
		return sf_error_at(err, -errno, r->dir.path, 0, "%s: %s", out, strerror(errno));
	ret = sf_program_run(argv, r->dir.stage_fd, fd, TIMEOUT_MS, &said);
	close(fd);
	if (ret)
		sf_str_addf(r->notes, "no flamegraph-pl.svg: %s: %s\n", script,
			    ret < 0 ? strerror(-ret) : "it failed");
	sf_str_release(&said);
	if (ret)
		return 0;
	ret = sf_outdir_keep(&r->dir, out);
	r->pl = !ret;
	return ret == -ENOMEM ? sf_error_set(err, ret, "out of memory") : 0;
}

static int flamegraph_pl(struct report *r, struct sf_str *lines, struct sf_error *err)
{
	char script[4096];
	int ret;

	if (!find_pl(script, sizeof(script))) {
		sf_str_add(r->notes, "no flamegraph-pl.svg: flamegraph.pl is not installed "
				     "(Debian: libdevel-nytprof-perl)\n");
		return 0;
	}
	make_harmless(lines);
	ret = sf_outdir_scratch(&r->dir, ".stacks", lines->buf, lines->len, err);
	return ret ? ret : run_pl(r, script, err);
}

/* ---------------------------------------------------------------- table of pauses */

static void csv_row(struct sf_str *out, unsigned trial, unsigned branch, double pause_ms, double diff_ms,
		    double bytes)
{
	sf_str_addf(out, "%u,%u,%.15g,", trial, branch, pause_ms);
	if (diff_ms >= 0)
		sf_str_addf(out, "%.15g", diff_ms);
	sf_str_addch(out, ',');
	if (bytes >= 0)
		sf_str_addf(out, "%.0f", bytes);
	sf_str_addch(out, '\n');
}

/* Each recording is a trial of its own, behind those of the ones before. */
static void csv_windows(struct sf_str *out, const struct report *r)
{
	const struct sf_recording *rec = NULL;
	unsigned before = 0, last = 0;

	for (size_t i = 0; i < r->nr; i++) {
		const struct sf_window *w = r->window[i].window;

		if (r->window[i].rec != rec)
			before = last;
		rec = r->window[i].rec;
		last = before + w->trial > last ? before + w->trial : last;
		csv_row(out, before + w->trial, w->branch, (double)(w->hi - w->lo) / 1e6, w->diff_ms,
			(double)w->diff_physical_bytes);
	}
}

/* What sweep.h reads. */
static int write_csv(struct report *r, struct sf_error *err)
{
	const struct sf_sweep *s = r->in->sweep;
	struct sf_str out = SF_STR_INIT;
	int ret = 0;

	sf_str_add(&out, "trial,branch_idx,pause_ms,diff_ms,diff_physical_bytes\n");
	for (size_t i = 0; s && i < s->nr; i++)
		csv_row(&out, s->row[i].trial, s->row[i].branch, s->row[i].pause_ms, s->row[i].diff_ms,
			s->row[i].bytes);
	csv_windows(&out, r);
	if (s || r->nr)
		ret = write_str(r, "sweep.csv", &out, err);
	sf_str_release(&out);
	return ret;
}

/* -------------------------------------------------------------------------- all */

static int figures(struct report *r, struct sf_error *err)
{
	struct sf_figures_input in = {
		.window = r->window, .nr = r->nr, .profile = r->profile, .diff = r->diff,
		.sweep = r->in->sweep,
	};
	int ret = sf_figures_make(&r->figures, &r->dir, &in, r->in->formats, err);

	if (r->figures.no_gnuplot)
		sf_str_add(r->notes, "no figures: gnuplot is not installed (Debian: gnuplot-nox); "
				     "their .gp and .tsv are there\n");
	for (size_t i = 0; !ret && !r->figures.no_gnuplot && i < SF_NR_FIGURES; i++) {
		const struct sf_figure *f = &r->figures.figure[i];

		if (f->has_data && f->why[0])
			sf_str_addf(r->notes, "%s: %s\n", f->name, f->why);
	}
	return ret;
}

int report_files(struct report *r, struct sf_error *err)
{
	struct sf_str lines = SF_STR_INIT;
	int ret = 0;

	for (size_t i = 0; !ret && i < REPORT_FLAMES; i++)
		if (r->flame[i].name)
			ret = write_flame(r, &r->flame[i], err);
	if (!ret && r->flame[0].name)
		ret = write_folded(r, &lines, err);
	if (!ret && r->folded)
		ret = flamegraph_pl(r, &lines, err);
	sf_str_release(&lines);
	if (!ret && !r->in->flame)
		ret = write_csv(r, err);
	if (!ret && !r->in->flame)
		ret = figures(r, err);
	return ret;
}

int sf_report_write(const char *dir, const struct sf_report_input *in, struct sf_str *notes,
		    struct sf_error *err)
{
	struct report r = { .in = in, .diff = in->diff, .notes = notes, .dir = { .fd = -1 } };
	struct sf_str text = SF_STR_INIT;
	int ret = sf_outdir_open(&r.dir, dir, err);

	if (!ret)
		ret = report_gather(&r, err);
	if (!ret)
		ret = report_files(&r, err);
	if (!ret) {
		report_md(&text, &r);
		ret = write_str(&r, "report.md", &text, err);
		sf_str_reset(&text);
	}
	if (!ret) {
		report_html(&text, &r);
		ret = write_str(&r, "report.html", &text, err);
	}
	if (!ret)
		ret = sf_outdir_commit(&r.dir, err);
	sf_str_release(&text);
	report_release(&r);
	return ret;
}
