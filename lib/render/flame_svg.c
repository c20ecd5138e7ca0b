/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A flame graph as SVG. What is written here is what shows where no script runs; flame.js draws the
 * same anew in the width of the window.
 */
#include <stdio.h>
#include <string.h>

#include "render/flame_color.h"
#include "render/flame_file.h"
#include "render/markup.h"

enum { PAD = 10, ROW = 17, LEGEND_ROW = 16, LIST_ROW = 15, LISTED = 6, WIDTH = 1200 };

static const double advance = 6.65, least = 1.0 / 3; /* px of a character; of a box that is drawn */

struct svg {
	struct sf_str *out;
	const struct sf_flame *f;
	double width, scale; /* of the chart, px; px for each unit */
	struct sf_str text;  /* scratch */
	double x, y;         /* of the legend */
};

/* What fits in pixels of the printable text, escaped. Cuts the end: functions begin alike less. */
static void put_clipped(struct svg *s, const char *name, size_t len, double pixels)
{
	size_t room = pixels > 4 ? (size_t)((pixels - 4) / advance) : 0, at = 0, nr = 0, cut = 0;

	sf_str_reset(&s->text);
	sf_str_add_printable(&s->text, name, len < 4096 ? len : 4096);
	while (at < s->text.len && nr <= room) {
		if (nr + 1 == room)
			cut = at;
		at += sf_utf8_len(s->text.buf + at, s->text.len - at);
		nr++;
	}
	if (nr <= room)
		sf_markup_xmln(s->out, s->text.buf, at);
	else
		sf_markup_xmln(s->out, s->text.buf, cut);
	if (nr > room)
		sf_str_add(s->out, "…");
}

void flame_describe(struct sf_str *out, const struct sf_flame *f, const struct sf_flame_node *n)
{
	const char *name;
	size_t len;

	name = sf_flame_name(f, n, &len);
	sf_markup_xmln(out, name, len < 500 ? len : 500);
	sf_str_add(out, len < 500 ? ": " : "…: ");
	if (f->differential) {
		flame_amount(out, f, n->total[SF_FLAME_BEFORE]);
		sf_str_add(out, " → ");
	}
	flame_amount(out, f, n->total[SF_FLAME_AFTER]);
	sf_str_addf(out, " %s", f->unit);
	if (f->differential) {
		sf_str_add(out, ", ");
		flame_signed(out, f, n->total[SF_FLAME_AFTER] - n->total[SF_FLAME_BEFORE]);
	} else if (f->node[0].total[SF_FLAME_AFTER] > 0) {
		sf_str_addf(out, ", %.1f %%",
			    100 * n->total[SF_FLAME_AFTER] / f->node[0].total[SF_FLAME_AFTER]);
	}
}

static void box(struct svg *s, size_t i, enum flame_mode mode, bool icicle)
{
	const struct sf_flame_node *n = &s->f->node[i];
	double x = n->x * s->scale, w = n->width * s->scale;
	unsigned y = (icicle ? n->depth : s->f->max_depth - n->depth) * ROW;
	const char *name;
	size_t len;

	sf_str_add(s->out, "<g class=\"");
	flame_class(s->out, s->f, n, mode);
	sf_str_addf(s->out, "%s\" data-i=\"%zu\"><title>", w >= 3 ? flame_outline(s->f, n) : "", i);
	flame_describe(s->out, s->f, n);
	sf_str_addf(s->out, "</title><rect x=\"%.2f\" y=\"%u\" width=\"%.2f\" height=\"%d\"/>", x, y,
		    w > 2 ? w - 0.6 : w < least ? least : w, ROW - 1);
	if (w > 24) {
		name = sf_flame_name(s->f, n, &len);
		sf_str_addf(s->out, "<text x=\"%.2f\" y=\"%u\">", x + 2, y + 12);
		put_clipped(s, name, len, w);
		sf_str_add(s->out, "</text>");
	}
	sf_str_add(s->out, "</g>\n");
}

static void boxes(struct svg *s, enum flame_mode mode, bool icicle, double top)
{
	const struct sf_flame *f = s->f;

	sf_str_addf(s->out, "<g class=\"boxes\" transform=\"translate(%d %.0f)\">\n", PAD, top);
	for (size_t i = 0; i < f->nr; i++) {
		/* No child is wider than its parent: those of a narrow box are skipped one by one. */
		if (i && f->node[i].width * s->scale < least)
			continue;
		box(s, i, mode, icicle);
	}
	sf_str_add(s->out, "</g>\n");
}

static void put_legend(void *arg, const char *cls, const char *text, size_t len)
{
	struct svg *s = arg;
	struct sf_str name = SF_STR_INIT, cut = SF_STR_INIT;
	double w;

	sf_str_add_printable(&name, text, len);
	sf_markup_cut(&cut, name.buf, 28);
	w = 28 + 6.6 * (double)cut.len;
	if (s->x > 0 && s->x + w > s->width) {
		s->x = 0;
		s->y += LEGEND_ROW;
	}
	sf_str_addf(s->out, "<g class=\"%s\"><rect x=\"%.1f\" y=\"%.0f\" width=\"12\" height=\"12\"/>"
		    "<text class=\"ink\" x=\"%.1f\" y=\"%.0f\">", cls, s->x, s->y, s->x + 16, s->y + 10);
	sf_markup_xml(s->out, cut.buf);
	sf_str_add(s->out, "</text></g>\n");
	s->x += w;
	sf_str_release(&name);
	sf_str_release(&cut);
}

/* Returns the height that it took. */
static double legend(struct svg *s, enum flame_mode mode, double top)
{
	s->x = s->y = 0;
	sf_str_addf(s->out, "<g class=\"legend\" transform=\"translate(%d %.0f)\">\n", PAD, top);
	flame_legend(s->f, mode, put_legend, s);
	sf_str_add(s->out, "</g>\n");
	return s->y + LEGEND_ROW + 6;
}

enum { PATH_ENDS = 3 }; /* frames at the root that are always there: who, why, and where it began */

void flame_path(struct sf_str *out, const struct sf_flame *f, uint32_t i, size_t max)
{
	size_t depth = f->node[i].depth, skip_from = depth, skip_to = depth, len;

	if (depth > max && max > PATH_ENDS + 1) {
		skip_from = max - PATH_ENDS - 1;
		skip_to = depth - PATH_ENDS;
	}
	for (size_t nr = 0; i; i = f->node[i].parent, nr++) {
		const char *name = sf_flame_name(f, &f->node[i], &len);

		if (nr > skip_from && nr < skip_to)
			continue;
		sf_str_add(out, nr ? " < " : "");
		if (nr == skip_from && nr < skip_to)
			sf_str_add(out, "…");
		else
			sf_str_add_printable(out, name, len < 500 ? len : 500);
	}
}

static double list_line(struct svg *s, double y, const char *text)
{
	sf_str_addf(s->out, "<text class=\"ink\" x=\"0\" y=\"%.0f\">", y + 11);
	put_clipped(s, text, strlen(text), s->width);
	sf_str_add(s->out, "</text>\n");
	return y + LIST_ROW;
}

static double list(struct svg *s, enum sf_flame_side side, double y)
{
	uint32_t at[LISTED];
	size_t nr = sf_flame_only(s->f, side, at, LISTED);
	struct sf_str line = SF_STR_INIT;

	for (size_t i = 0; i < nr && i < LISTED; i++) {
		const struct sf_flame_node *n = &s->f->node[at[i]];

		sf_str_reset(&line);
		sf_str_add(&line, side == SF_FLAME_AFTER ? "new       " : "vanished  ");
		flame_signed(&line, s->f, n->total[SF_FLAME_AFTER] - n->total[SF_FLAME_BEFORE]);
		sf_str_addf(&line, " %s  ", s->f->unit);
		flame_path(&line, s->f, sf_flame_deepest(s->f, side, at[i]), 12);
		y = list_line(s, y, line.buf);
	}
	if (nr > LISTED) {
		sf_str_reset(&line);
		sf_str_addf(&line, "%zu more %s stacks", nr - LISTED,
			    side == SF_FLAME_AFTER ? "new" : "vanished");
		y = list_line(s, y, line.buf);
	}
	sf_str_release(&line);
	return y;
}

static size_t rows(size_t nr)
{
	return nr > LISTED ? LISTED + 1 : nr;
}

/* Height of what list() will write. */
static double lists_height(const struct sf_flame *f)
{
	size_t nr = rows(sf_flame_only(f, SF_FLAME_AFTER, NULL, 0)) +
		    rows(sf_flame_only(f, SF_FLAME_BEFORE, NULL, 0));

	return nr ? (double)(nr * LIST_ROW + 14) : PAD;
}

static double headings(struct svg *s, const struct sf_flame_opts *o)
{
	struct sf_str all = SF_STR_INIT;
	double y = PAD;

	if (o->title) {
		sf_str_addf(s->out, "<text class=\"h\" x=\"%d\" y=\"%.0f\">", PAD, y + 13);
		sf_markup_xml(s->out, o->title);
		sf_str_add(s->out, "</text>\n");
		y += 20;
	}
	flame_subtitle(&all, s->f, o->subtitle);
	if (all.len) {
		sf_str_addf(s->out, "<text class=\"ink\" x=\"%d\" y=\"%.0f\">", PAD, y + 11);
		sf_markup_xml(s->out, all.buf);
		sf_str_add(s->out, "</text>\n");
		y += 20;
	}
	sf_str_release(&all);
	return y;
}

static void open_svg(struct svg *s, const struct sf_flame_opts *o, struct sf_str *head, double top,
		     double height, double tail)
{
	double all_w = s->width + 2 * PAD, all_h = height + tail;

	if (!o->fragment)
		sf_str_add(s->out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	sf_str_addf(s->out, "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"snapflame\" role=\"img\" "
		    "width=\"%.0f\" height=\"%.0f\" viewBox=\"0 0 %.0f %.0f\" data-head=\"%.0f\" "
		    "data-tail=\"%.0f\">\n", all_w, all_h, all_w, all_h, top, tail);
	if (!o->fragment) {
		sf_str_add(s->out, "<style><![CDATA[\n");
		sf_str_add(s->out, sf_flame_style());
		sf_str_add(s->out, "]]></style>\n");
	}
	sf_str_addf(s->out, "<rect class=\"bg\" width=\"%.0f\" height=\"%.0f\"/>\n", all_w, all_h);
	sf_str_addn(s->out, head->buf, head->len);
}

static void scripts(struct svg *s, const struct sf_flame_opts *o)
{
	sf_str_add(s->out, "<script type=\"application/json\"><![CDATA[");
	flame_data(s->out, s->f, o->icicle);
	sf_str_add(s->out, "]]></script>\n");
	if (o->fragment)
		return;
	sf_str_add(s->out, "<script><![CDATA[\n");
	sf_str_add(s->out, sf_flame_script());
	sf_str_add(s->out, "]]></script>\n");
}

void sf_flame_svg(struct sf_str *out, const struct sf_flame *f, const struct sf_flame_opts *opts)
{
	static const struct sf_flame_opts none;
	const struct sf_flame_opts *o = opts ? opts : &none;
	enum flame_mode mode = flame_first_mode(f);
	struct sf_str head = SF_STR_INIT;
	struct svg s = { .out = &head, .f = f };
	double tail = o->fragment ? PAD : lists_height(f), top, chart, y;

	sf_str_init(&s.text);
	s.width = (o->width >= 200 ? o->width : WIDTH) - 2 * PAD;
	s.scale = f->node[0].width > 0 ? s.width / f->node[0].width : 0;
	top = headings(&s, o);
	chart = top + legend(&s, mode, top);
	y = chart + (f->max_depth + 1) * ROW;
	s.out = out;
	out->failed |= head.failed;
	open_svg(&s, o, &head, top, y, tail);
	boxes(&s, mode, o->icicle, chart);
	if (!o->fragment) {
		sf_str_addf(out, "<g class=\"lists\" transform=\"translate(%d %.0f)\">\n", PAD, y);
		list(&s, SF_FLAME_BEFORE, list(&s, SF_FLAME_AFTER, 4));
		sf_str_add(out, "</g>\n");
	}
	scripts(&s, o);
	sf_str_add(out, "</svg>\n");
	out->failed |= s.text.failed;
	sf_str_release(&s.text);
	sf_str_release(&head);
}
