/* SPDX-License-Identifier: GPL-2.0-only */
/* A comparison of tables of pauses (sweepdiff.h), as text and JSON. */
#ifndef SNAPFLAME_RENDER_SWEEPDIFF_H
#define SNAPFLAME_RENDER_SWEEPDIFF_H

#include <snapflame/render_text.h>
#include <snapflame/sweepdiff.h>

void sf_text_sweepdiff(struct sf_str *out, const struct sf_sweepdiff *d,
		       const struct sf_text_opts *opts);
/* Schema snapflame.diff/1 without verdict and causes, see render_json.h. 0 or -ENOMEM. */
int sf_json_sweepdiff(struct sf_str *out, const struct sf_sweepdiff *d);

#endif
