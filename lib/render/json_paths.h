/* SPDX-License-Identifier: GPL-2.0-only */
/* The paths of a diff as JSON; render_json.h lists the fields. */
#ifndef SF_RENDER_JSON_PATHS_H
#define SF_RENDER_JSON_PATHS_H

#include <jansson.h>

#include <snapflame/diff.h>

/* NULL without memory. */
json_t *sf_json_diff_paths(const struct sf_diff *d);

#endif
