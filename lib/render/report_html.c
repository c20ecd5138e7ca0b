/* SPDX-License-Identifier: GPL-2.0-only */
/* report.html: the page as a whole. */
#define _GNU_SOURCE /* O_NOFOLLOW */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "render/flame_file.h"
#include "render/markup.h"
#include "render/report.h"

static const char page_style[] =
#include "render/report.css.inc"
	;

enum { MAX_INLINE = 4 << 20 };

/* ------------------------------------------------------------------------- figures */

static bool read_file(struct sf_str *s, int dirfd, const char *name)
{
	int fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char buf[16384];
	ssize_t n = -1;

	if (fd < 0)
		return false;
	while (s->len < MAX_INLINE && (n = read(fd, buf, sizeof(buf))) > 0)
		sf_str_addn(s, buf, (size_t)n);
	close(fd);
	return n == 0 && !s->failed;
}

/*
 * gnuplot's marks have the same ids in every figure, and a page must not have an id twice: put the
 * figure's name in front of them.
 */
static void put_own_ids(struct sf_str *out, const char *svg, size_t len, const char *name)
{
	static const char *const mark[] = { "='gp", "='#gp", "=\"gnuplot_" };

	for (size_t i = 0; i < len;) {
		size_t k, n = 0;

		for (k = 0; k < SF_ARRAY_SIZE(mark) && svg[i] == '='; k++) {
			n = strlen(mark[k]);
			if (n <= len - i && !memcmp(svg + i, mark[k], n))
				break;
		}
		if (svg[i] != '=' || k == SF_ARRAY_SIZE(mark)) {
			sf_str_addch(out, svg[i++]);
			continue;
		}
		sf_str_addn(out, mark[k], k == 1 ? 3 : 2);
		sf_str_addf(out, "%s-", name);
		i += k == 1 ? 3 : 2;
	}
}

static void figure(struct sf_str *out, const struct report *r, const struct sf_figure *f)
{
	struct sf_str svg = SF_STR_INIT;
	char name[64];
	const char *start;

	if (!(f->formats & SF_FORMAT_SVG))
		return;
	snprintf(name, sizeof(name), "%s.svg", f->name);
	start = read_file(&svg, r->dir.stage_fd, name) ? strstr(svg.buf, "<svg") : NULL;
	if (start) {
		sf_str_addf(out, "<figure id=\"%s\"><h3>%s</h3>\n", f->name, f->title);
		put_own_ids(out, start, svg.len - (size_t)(start - svg.buf), f->name);
		sf_str_add(out, "<figcaption>");
		sf_markup_xml(out, f->caption);
		sf_str_addf(out, " <a href=\"%s.tsv\">Numbers</a>, <a href=\"%s.gp\">gnuplot</a>"
			    "</figcaption></figure>\n", f->name, f->name);
	}
	sf_str_release(&svg);
}

static void missing_figures(struct sf_str *out, const struct report *r)
{
	if (r->figures.no_gnuplot) {
		sf_str_add(out, "<p class=\"small\">The figures were not drawn: gnuplot is not installed "
				"(Debian: gnuplot-nox). Their numbers and scripts are beside this page.</p>\n");
		return;
	}
	for (size_t i = 0; r->nr && i < SF_NR_FIGURES; i++) {
		const struct sf_figure *f = &r->figures.figure[i];

		if (!f->name || f->formats || !f->why[0])
			continue;
		sf_str_addf(out, "<p class=\"small\">%s: not drawn, ", f->title);
		sf_markup_xml(out, f->why);
		sf_str_add(out, ".</p>\n");
	}
}

static void figures(struct sf_str *out, const struct report *r)
{
	if (!r->figures.figure[0].name)
		return;
	sf_str_add(out, "<section><h2>Figures</h2>\n<div class=\"plots\">\n");
	for (size_t i = 0; i < SF_NR_FIGURES; i++)
		figure(out, r, &r->figures.figure[i]);
	sf_str_add(out, "</div>\n");
	missing_figures(out, r);
	sf_str_add(out, "</section>\n");
}

/* -------------------------------------------------------------------- flame graphs */

static void flame(struct sf_str *out, const struct report *r)
{
	const struct report_flame *f = &r->flame[0];
	struct sf_flame_opts o = { .fragment = true, .icicle = true, .width = 1180 };

	if (!f->name)
		return;
	sf_str_addf(out, "<section id=\"flame\"><h2>%s</h2>\n<div>\n", f->title);
	sf_flame_svg(out, f->flame, &o);
	flame_lists(out, f->flame);
	sf_str_add(out, "</div>\n<p class=\"small\">As files of their own:");
	for (size_t i = 0; i < REPORT_FLAMES && r->flame[i].name; i++)
		sf_str_addf(out, " <a href=\"%s.svg\">%s.svg</a>, <a href=\"%s.html\">.html</a>;",
			    r->flame[i].name, r->flame[i].name, r->flame[i].name);
	if (r->folded)
		sf_str_addf(out, " <a href=\"%s\">%s</a> for other tools", r->folded, r->folded);
	if (r->pl)
		sf_str_add(out, "; <a href=\"flamegraph-pl.svg\">flamegraph-pl.svg</a>, what flamegraph.pl "
				"makes of it");
	sf_str_add(out, ".</p>\n</section>\n");
}

/* ---------------------------------------------------------------------------- page */

static void head(struct sf_str *out, const struct report *r)
{
	sf_str_add(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		   "<meta name=\"viewport\" content=\"width=device-width\">\n");
	flame_policy(out);
	sf_str_addf(out, "<title>%s</title>\n<style>\n", report_title(r));
	sf_str_add(out, sf_flame_style());
	sf_str_add(out, page_style);
	sf_str_add(out, "</style>\n</head>\n<body>\n");
	sf_str_addf(out, "<h1>%s</h1>\n<p class=\"small\">", report_title(r));
	for (size_t i = 0; i < r->in->nr_recs; i++) {
		sf_str_add(out, i ? ", " : "");
		sf_markup_xml(out, r->in->rec[i]->path);
	}
	if (r->in->source)
		sf_markup_xml(out, r->in->source);
	sf_str_add(out, "</p>\n");
}

void report_html(struct sf_str *out, const struct report *r)
{
	head(out, r);
	report_answer(out, r);
	if (r->diff)
		report_causes(out, r->diff);
	flame(out, r);
	figures(out, r);
	if (r->diff)
		report_around(out, r->diff);
	report_tables(out, r);
	report_environment(out, r);
	sf_str_add(out, "<script>");
	sf_str_add(out, sf_flame_script());
	sf_str_add(out, "</script>\n</body>\n</html>\n");
}
