/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts that the SVG and the HTML of a flame graph have in common; private to render/. */
#ifndef SF_RENDER_FLAME_FILE_H
#define SF_RENDER_FLAME_FILE_H

#include <snapflame/flamegraph.h>

/* What is written under the title: the caller's words, the windows, what was cut. Not escaped. */
void flame_subtitle(struct sf_str *out, const struct sf_flame *f, const char *text);

/* Name and amounts of a box, escaped. */
void flame_describe(struct sf_str *out, const struct sf_flame *f, const struct sf_flame_node *n);

/* "leaf < … < root" in at most max parts, printable but not escaped. */
void flame_path(struct sf_str *out, const struct sf_flame *f, uint32_t i, size_t max);

/* <meta> that lets nothing run but the script of flame.js, and nothing be fetched. */
void flame_policy(struct sf_str *out);

/* Lists of new and of vanished stacks as HTML; nothing where there are none. */
void flame_lists(struct sf_str *out, const struct sf_flame *f);

#endif
