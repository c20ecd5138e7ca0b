/* SPDX-License-Identifier: GPL-2.0-only */
/* A comparison of stacks without windows (stackdiff.h), as text, JSON and folded stacks. */
#ifndef SNAPFLAME_RENDER_STACKDIFF_H
#define SNAPFLAME_RENDER_STACKDIFF_H

#include <snapflame/render_text.h>
#include <snapflame/stackdiff.h>

void sf_text_stackdiff(struct sf_str *out, const struct sf_stackdiff *d,
		       const struct sf_text_opts *opts);
/* Schema snapflame.diff/1 without windows, see render_json.h. 0 or -ENOMEM. */
int sf_json_stackdiff(struct sf_str *out, const struct sf_stackdiff *d);
/* "stack before after", in the weights' own unit. 0 or -ENOMEM. */
int sf_folded_stackdiff(struct sf_str *out, const struct sf_stackdiff *d);

#endif
