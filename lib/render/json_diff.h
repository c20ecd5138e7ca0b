/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of the schema snapflame.diff/1 that more than one kind of comparison has; private to render/. */
#ifndef SF_RENDER_JSON_DIFF_H
#define SF_RENDER_JSON_DIFF_H

#include <jansson.h>

#include <snapflame/diff.h>

/* [low, high], or null. */
json_t *sf_json_interval(const struct sf_estimate *e);
/* {shape, direction, p, trend, branches, step_at}; null without a series of BRANCHes. */
json_t *sf_json_growth(const struct sf_growth *g, uint32_t step_at);
/* The list of covariates. */
json_t *sf_json_moved(const struct sf_moved *moved, size_t nr);

#endif
