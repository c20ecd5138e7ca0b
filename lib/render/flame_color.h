/* SPDX-License-Identifier: GPL-2.0-only */
/* What the colours of a flame graph mean; private to render/. flame.css has the colours themselves. */
#ifndef SF_RENDER_FLAME_COLOR_H
#define SF_RENDER_FLAME_COLOR_H

#include <snapflame/flamegraph.h>

enum flame_mode { FLAME_DIFFERENCE, FLAME_KIND, FLAME_OWNER, FLAME_TYPE, FLAME_NR_MODES };

/* As flame.js calls it. */
const char *flame_mode_name(enum flame_mode mode);
/* Has the flame what the mode shows? The first mode that it has is the one to begin with. */
bool flame_has_mode(const struct sf_flame *f, enum flame_mode mode);
enum flame_mode flame_first_mode(const struct sf_flame *f);

/* The CSS class that fills a box: "d-4", "k3", … */
void flame_class(struct sf_str *out, const struct sf_flame *f, const struct sf_flame_node *n,
		 enum flame_mode mode);
/* " new", " gone" or "". */
const char *flame_outline(const struct sf_flame *f, const struct sf_flame_node *n);

/* The legend of a mode: calls put for each entry. */
void flame_legend(const struct sf_flame *f, enum flame_mode mode,
		  void (*put)(void *arg, const char *cls, const char *text, size_t len), void *arg);

/* An amount in the unit of the flame, without the unit's name. */
void flame_amount(struct sf_str *out, const struct sf_flame *f, double v);
void flame_signed(struct sf_str *out, const struct sf_flame *f, double v);

/* Data for flame.js: a JSON object that is safe in <script> and CDATA. */
void flame_data(struct sf_str *out, const struct sf_flame *f, bool icicle);

/* Width as max(before, after), or because the children need more? */
static inline bool flame_moved(const struct sf_flame_node *n)
{
	double own = n->total[0] > n->total[1] ? n->total[0] : n->total[1];

	return n->width > 1.001 * own;
}

#endif
