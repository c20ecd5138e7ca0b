/* SPDX-License-Identifier: GPL-2.0-only */
/* Figures as files, and gnuplot run on them. */
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "render/gnuplot.h"
#include "render/layout.h"
#include "render/markup.h"
#include "render/outdir.h"
#include "render/program.h"

enum { TIMEOUT_MS = 30000 };

const char *const plot_palette[PLOT_SERIES] = {
	"#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#222255", "#bbbbbb",
};

static const struct {
	enum sf_figure_format format;
	const char *name, *terminal; /* the file's ending, gnuplot's name for it */
} format_of[] = {
	{ SF_FORMAT_SVG, "svg", "svg" },
	{ SF_FORMAT_PNG, "png", "pngcairo" },
	{ SF_FORMAT_PDF, "pdf", "pdfcairo" },
};

enum { NR_FORMATS = SF_ARRAY_SIZE(format_of) };

static const struct {
	const char *name, *title;
	plot_fn make;
} all[SF_NR_FIGURES] = {
	[SF_FIGURE_PAUSES] = { "pauses", "Pauses", plot_pauses },
	[SF_FIGURE_BUDGET] = { "budget", "Where the pauses went", plot_budget },
	[SF_FIGURE_CAUSES] = { "causes", "Differences", plot_causes },
	[SF_FIGURE_GROWTH] = { "growth", "Paths from BRANCH to BRANCH", plot_growth },
	[SF_FIGURE_TIMELINE] = { "timeline", "Threads in one pause", plot_timeline },
	[SF_FIGURE_KERNEL] = { "kernel", "Blocked in the kernel", plot_kernel },
	[SF_FIGURE_FUTEX] = { "futex", "Waiting on futexes", plot_futex },
	[SF_FIGURE_COVARIATES] = { "covariates", "What moved with the pauses", plot_covariates },
};

unsigned sf_figure_formats(const char *list)
{
	unsigned formats = 0;

	while (*list) {
		size_t n = strcspn(list, ","), i;

		for (i = 0; i < NR_FORMATS; i++)
			if (strlen(format_of[i].name) == n && !memcmp(format_of[i].name, list, n))
				break;
		if (i == NR_FORMATS)
			return 0;
		formats |= format_of[i].format;
		list += n;
		if (*list && !*++list)
			return 0;
	}
	return formats;
}

int plot_nothing(struct plot *p, const char *why)
{
	snprintf(p->figure->why, sizeof(p->figure->why), "%s", why);
	return 0;
}

void plot_caption(struct plot *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->figure->caption, sizeof(p->figure->caption), fmt, ap);
	va_end(ap);
}

void plot_number(struct plot *p, double v)
{
	if (isfinite(v))
		sf_markup_number(&p->tsv, v, 7);
	else
		sf_str_add(&p->tsv, "NaN");
}

static void cut_part(struct plot *p, const char *text, size_t columns)
{
	struct sf_str s = SF_STR_INIT;

	sf_markup_cut(&s, text, columns);
	sf_markup_tsv_part(&p->tsv, s.buf);
	p->tsv.failed |= s.failed;
	sf_str_release(&s);
}

void plot_text(struct plot *p, const char *text, size_t columns)
{
	sf_str_addch(&p->tsv, '"');
	cut_part(p, text, columns);
	sf_str_addch(&p->tsv, '"');
}

void plot_head(struct plot *p, const char *text, size_t columns, size_t *longest)
{
	size_t n = sf_columns(text, strlen(text));

	n = n < columns ? n : columns;
	*longest = n > *longest ? n : *longest;
	plot_text(p, text, columns);
}

void plot_label(struct plot *p, const char *first, const char *second, size_t columns,
		size_t *longest)
{
	size_t n = sf_columns(first, strlen(first)), m = sf_columns(second, strlen(second));

	n = n > m ? n : m;
	n = n < columns ? n : columns;
	*longest = n > *longest ? n : *longest;
	sf_str_addch(&p->tsv, '"');
	cut_part(p, first, columns);
	/* gnuplot takes this for a line break; a backslash of a name is two. */
	sf_str_add(&p->tsv, *second ? "\\n" : "");
	cut_part(p, second, columns);
	sf_str_addch(&p->tsv, '"');
}

void plot_tab(struct plot *p)
{
	sf_str_addch(&p->tsv, '\t');
}

void plot_row(struct plot *p)
{
	sf_str_addch(&p->tsv, '\n');
}

void plot_block(struct plot *p)
{
	sf_str_add(&p->tsv, "\n\n");
}

/* ------------------------------------------------------------------------- writing */

/* The same picture in each: twice the pixels in a PNG, a hundredth of them in inches in a PDF. */
static void terminal(struct sf_str *gp, const struct plot *p, enum sf_figure_format format)
{
	unsigned w = PLOT_WIDTH, h = p->height;

	if (format == SF_FORMAT_SVG)
		sf_str_addf(gp, "size %u,%u noenhanced font \"sans-serif,12\" background \"#ffffff\" "
			    "name \"%s\"", w, h, p->figure->name);
	else if (format == SF_FORMAT_PNG)
		sf_str_addf(gp, "size %u,%u noenhanced font \"sans,12\" fontscale 1.5 linewidth 2 "
			    "pointscale 3", 2 * w, 2 * h);
	else
		sf_str_addf(gp, "size %.2f,%.2f noenhanced font \"sans,12\" fontscale 0.52", w / 100.0,
			    h / 100.0);
}

static void script(struct sf_str *gp, const struct plot *p, unsigned formats)
{
	const char *name = p->figure->name;
	bool first = true;

	sf_str_addf(gp, "# %s, by snapflame %s. The numbers are in %s.tsv; names stand there only.\n"
		    "# Change what you like, then: gnuplot %s.gp\n", p->figure->title,
		    SNAPFLAME_VERSION, name, name);
	sf_str_add(gp, "formats = \"");
	for (size_t i = 0; i < NR_FORMATS; i++) {
		if (!(formats & format_of[i].format))
			continue;
		sf_str_addf(gp, "%s%s", first ? "" : " ", format_of[i].name);
		first = false;
	}
	sf_str_add(gp, "\"\n\nset encoding utf8\nset datafile separator tab\n"
		   "set border 3 lc rgb \"#666666\"\nset tics nomirror out textcolor rgb \"#000000\"\n"
		   "set grid ytics lc rgb \"#dddddd\" lw 0.5 lt 1\nset style fill solid 1 noborder\n"
		   "set key noenhanced\nset format \"%g\"\n");
	sf_str_addn(gp, p->setup.buf, p->setup.len);
	sf_str_add(gp, "\ndo for [f in formats] {\n");
	for (size_t i = 0; i < NR_FORMATS; i++) {
		sf_str_addf(gp, "  if (f eq \"%s\") { set terminal %s ", format_of[i].name,
			    format_of[i].terminal);
		terminal(gp, p, format_of[i].format);
		sf_str_add(gp, " }\n");
	}
	sf_str_addf(gp, "  set output \"%s.\".f\n", name);
	sf_str_addn(gp, p->plot.buf, p->plot.len);
	sf_str_add(gp, "}\nset output\n");
	gp->failed |= p->setup.failed | p->plot.failed;
}

static int write_files(struct plot *p, struct sf_outdir *dir, unsigned formats, struct sf_error *err)
{
	struct sf_str gp = SF_STR_INIT;
	char file[64];
	int ret;

	script(&gp, p, formats);
	if (gp.failed || p->tsv.failed) {
		ret = sf_error_set(err, -ENOMEM, "out of memory");
		goto out;
	}
	snprintf(file, sizeof(file), "%s.tsv", p->figure->name);
	ret = sf_outdir_write(dir, file, p->tsv.buf, p->tsv.len, err);
	if (ret)
		goto out;
	snprintf(file, sizeof(file), "%s.gp", p->figure->name);
	ret = sf_outdir_write(dir, file, gp.buf, gp.len, err);
	p->figure->has_data = !ret;
out:
	sf_str_release(&gp);
	return ret;
}

/* ------------------------------------------------------------------------- running */

/* The formats of which this gnuplot has the terminal; 0: there is no gnuplot. */
static unsigned supported(const struct sf_outdir *dir)
{
	static const char *const argv[] = { "gnuplot", "-d", "-e", "print GPVAL_TERMINALS", NULL };
	struct sf_str said = SF_STR_INIT;
	unsigned formats = 0;

	if (!sf_program_run(argv, dir->stage_fd, -1, TIMEOUT_MS, &said))
		for (size_t i = 0; i < NR_FORMATS; i++)
			if (strstr(said.buf, format_of[i].terminal))
				formats |= format_of[i].format;
	sf_str_release(&said);
	return formats;
}

/* The first line that is more than a caret under a command. */
static void first_words(char *buf, size_t size, const char *said)
{
	const char *p = said, *nl;

	for (; *p; p = *nl ? nl + 1 : nl) {
		nl = p + strcspn(p, "\n");
		if (strspn(p, " \t^") < (size_t)(nl - p) && (!strncmp(p, "\"", 1) || strstr(p, "rror")))
			break;
	}
	snprintf(buf, size, "gnuplot: %.*s", (int)strcspn(p, "\n"), p);
}

static int run(struct plot *p, struct sf_outdir *dir)
{
	struct sf_figure *fig = p->figure;
	struct sf_str said = SF_STR_INIT;
	char file[64];
	const char *argv[] = { "gnuplot", "-d", file, NULL };
	int ret;

	snprintf(file, sizeof(file), "%s.gp", fig->name);
	ret = sf_program_run(argv, dir->stage_fd, -1, TIMEOUT_MS, &said);
	if (ret == -ETIMEDOUT)
		snprintf(fig->why, sizeof(fig->why), "gnuplot took more than %d s", TIMEOUT_MS / 1000);
	else if (ret < 0)
		snprintf(fig->why, sizeof(fig->why), "gnuplot: %s", strerror(-ret));
	else if (ret)
		first_words(fig->why, sizeof(fig->why), said.buf);
	sf_str_release(&said);
	if (ret)
		return 0;
	for (size_t i = 0; i < NR_FORMATS; i++) {
		snprintf(file, sizeof(file), "%s.%s", fig->name, format_of[i].name);
		ret = sf_outdir_keep(dir, file);
		if (ret == -ENOMEM)
			return ret;
		if (!ret)
			fig->formats |= format_of[i].format;
	}
	return 0;
}

static int make_one(struct plot *p, struct sf_outdir *dir, plot_fn make, unsigned wanted,
		    unsigned have, struct sf_error *err)
{
	int ret = make(p);

	if (ret < 0)
		return sf_error_set(err, ret, "out of memory");
	if (!ret)
		return 0;
	ret = write_files(p, dir, have ? wanted & have : wanted, err);
	if (ret)
		return ret;
	if (!have)
		return plot_nothing(p, "gnuplot is not installed (Debian: gnuplot-nox)");
	if (wanted & ~have)
		plot_nothing(p, "this gnuplot does not have all of the formats");
	return (wanted & have) && run(p, dir) ? sf_error_set(err, -ENOMEM, "out of memory") : 0;
}

int sf_figures_make(struct sf_figures *out, struct sf_outdir *dir, const struct sf_figures_input *in,
		    unsigned formats, struct sf_error *err)
{
	unsigned have = supported(dir);
	int ret = 0;

	memset(out, 0, sizeof(*out));
	out->no_gnuplot = !have;
	for (size_t i = 0; !ret && i < SF_NR_FIGURES; i++) {
		struct plot p = { .figure = &out->figure[i], .height = 380, .in = in };

		p.figure->name = all[i].name;
		p.figure->title = all[i].title;
		sf_str_init(&p.tsv);
		sf_str_init(&p.setup);
		sf_str_init(&p.plot);
		ret = make_one(&p, dir, all[i].make, formats ? formats : SF_FORMAT_SVG, have, err);
		sf_str_release(&p.tsv);
		sf_str_release(&p.setup);
		sf_str_release(&p.plot);
	}
	return ret;
}
