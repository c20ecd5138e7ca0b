/* SPDX-License-Identifier: GPL-2.0-only */
#include <snapflame/render_doctor.h>

#include <string.h>

#include "render/json_value.h"
#include "render/layout.h"

enum { LEVEL = 6, TOPIC = 15 };

static void line(struct sf_str *out, const char *text, unsigned width)
{
	struct sf_str s = SF_STR_INIT;

	sf_put_name(&s, text);
	sf_put_wrapped(out, s.buf, LEVEL + TOPIC, LEVEL + TOPIC, width);
	sf_str_addch(out, '\n');
	sf_str_release(&s);
}

void sf_text_doctor(struct sf_str *out, const struct sf_doctor *d, const struct sf_text_opts *opts)
{
	static const enum sf_style style[] = { SF_GREEN, SF_YELLOW, SF_RED };
	unsigned width = opts->width ? opts->width : SF_TEXT_WIDTH;
	size_t from = out->len;

	for (size_t i = 0; i < d->nr; i++) {
		const struct sf_finding *f = &d->finding[i];

		sf_style(out, opts->color, style[f->level]);
		sf_put_left(out, sf_finding_level_name(f->level), LEVEL);
		sf_style(out, opts->color, SF_PLAIN);
		sf_put_left(out, f->topic, TOPIC);
		line(out, f->text, width);
		if (f->fix) {
			sf_put_spaces(out, LEVEL);
			sf_put_left(out, "  to fix it:", TOPIC);
			line(out, f->fix, width);
		}
	}
	if (opts->ascii)
		sf_to_ascii(out, from);
}

int sf_json_doctor(struct sf_str *out, const struct sf_doctor *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->nr; i++) {
		const struct sf_finding *f = &d->finding[i];

		sf_json_append(&list, json_pack("{s:s, s:s, s:o, s:o}", "level",
						      sf_finding_level_name(f->level), "topic",
						      f->topic, "text", sf_json_name(f->text), "fix",
						      sf_json_name(f->fix)));
	}
	return sf_json_print(out, list);
}
