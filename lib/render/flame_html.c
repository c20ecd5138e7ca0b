/* SPDX-License-Identifier: GPL-2.0-only */
/* A flame graph as a page with a canvas: for trees that are too large for elements. */
#include <string.h>

#include <snapflame/sha256.h>

#include "render/flame_color.h"
#include "render/flame_file.h"
#include "render/markup.h"

enum { LISTED = 100 };

static void windows(struct sf_str *out, const struct sf_flame *f)
{
	if (!f->n[SF_FLAME_AFTER])
		return;
	if (f->differential)
		sf_str_addf(out, "ms per pause, medians of %u fast and %u slow windows",
			    f->n[SF_FLAME_BEFORE], f->n[SF_FLAME_AFTER]);
	else if (f->mean)
		sf_str_addf(out, "ms per pause, mean of %u windows", f->n[SF_FLAME_AFTER]);
	else
		sf_str_add(out, "ms of one pause");
}

void flame_subtitle(struct sf_str *out, const struct sf_flame *f, const char *text)
{
	static const char *const sep = "; ";
	size_t at = out->len;

	if (text)
		sf_str_add(out, text);
	if (out->len > at && f->n[SF_FLAME_AFTER])
		sf_str_add(out, sep);
	windows(out, f);
	if (f->cut)
		sf_str_addf(out, "%s%llu stacks cut at %d frames", out->len > at ? sep : "",
			    (unsigned long long)f->cut, SF_FLAME_DEPTH);
	if (f->negative)
		sf_str_addf(out, "%s%llu negative values taken as 0", out->len > at ? sep : "",
			    (unsigned long long)f->negative);
}

static void one_list(struct sf_str *out, const struct sf_flame *f, enum sf_flame_side side)
{
	uint32_t at[LISTED];
	size_t nr = sf_flame_only(f, side, at, LISTED);
	struct sf_str path = SF_STR_INIT;

	if (!nr)
		return;
	sf_str_addf(out, "<section><h4>%zu %s stack%s</h4><ol>\n", nr,
		    side == SF_FLAME_AFTER ? "new" : "vanished", nr == 1 ? "" : "s");
	for (size_t i = 0; i < nr && i < LISTED; i++) {
		const struct sf_flame_node *n = &f->node[at[i]];

		sf_str_reset(&path);
		flame_path(&path, f, sf_flame_deepest(f, side, at[i]), 14);
		sf_str_addf(out, "<li data-i=\"%u\">", at[i]);
		flame_signed(out, f, n->total[SF_FLAME_AFTER] - n->total[SF_FLAME_BEFORE]);
		sf_str_addf(out, " %s ", f->unit);
		sf_markup_xmln(out, path.buf, path.len);
		sf_str_add(out, "</li>\n");
	}
	sf_str_add(out, "</ol>");
	if (nr > LISTED)
		sf_str_addf(out, "<p>%zu more</p>", nr - LISTED);
	sf_str_add(out, "</section>\n");
	out->failed |= path.failed;
	sf_str_release(&path);
}

void flame_lists(struct sf_str *out, const struct sf_flame *f)
{
	if (!f->differential)
		return;
	sf_str_add(out, "<div class=\"snapflame-lists\">\n");
	one_list(out, f, SF_FLAME_AFTER);
	one_list(out, f, SF_FLAME_BEFORE);
	sf_str_add(out, "</div>\n");
}

void flame_policy(struct sf_str *out)
{
	char hash[SF_SHA256_TEXT];

	sf_sha256_base64(sf_flame_script(), strlen(sf_flame_script()), hash);
	sf_str_addf(out, "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		    "style-src 'unsafe-inline'; script-src 'sha256-%s'\">\n", hash);
}

static void open_page(struct sf_str *out, const char *title)
{
	sf_str_add(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
		   "<meta name=\"viewport\" content=\"width=device-width\">\n"
		   "<meta name=\"color-scheme\" content=\"light dark\">\n");
	flame_policy(out);
	sf_str_add(out, "<title>");
	sf_markup_xml(out, title ? title : "flame graph");
	sf_str_add(out, "</title>\n<style>\nbody { margin: 10px; font: 12px/1.4 system-ui, sans-serif; }\n"
		   "h1 { font-size: 15px; margin: 0; }\np { margin: 2px 0 6px; }\n"
		   ".bg { fill: #fff; }\n"
		   "@media (prefers-color-scheme: dark) { body { background: #16181d; color: #ddd; } }\n");
	sf_str_add(out, sf_flame_style());
	sf_str_add(out, "</style>\n");
}

void sf_flame_html(struct sf_str *out, const struct sf_flame *f, const struct sf_flame_opts *opts)
{
	static const struct sf_flame_opts none;
	const struct sf_flame_opts *o = opts ? opts : &none;
	struct sf_str sub = SF_STR_INIT;

	if (!o->fragment)
		open_page(out, o->title);
	sf_str_add(out, "<div>\n");
	if (o->title) {
		sf_str_add(out, "<h1>");
		sf_markup_xml(out, o->title);
		sf_str_add(out, "</h1>\n");
	}
	flame_subtitle(&sub, f, o->subtitle);
	sf_str_add(out, "<p>");
	sf_markup_xml(out, sub.buf);
	sf_str_add(out, "</p>\n<div class=\"snapflame\"><div class=\"snapflame-ui\"></div>"
		   "<svg class=\"legend\"></svg><div class=\"space\"><canvas></canvas></div>\n"
		   "<script type=\"application/json\">");
	flame_data(out, f, o->icicle);
	sf_str_add(out, "</script></div>\n");
	flame_lists(out, f);
	sf_str_add(out, "</div>\n");
	if (!o->fragment) {
		sf_str_add(out, "<script>");
		sf_str_add(out, sf_flame_script());
		sf_str_add(out, "</script>\n</html>\n");
	}
	out->failed |= sub.failed;
	sf_str_release(&sub);
}
