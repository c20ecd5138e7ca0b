/* SPDX-License-Identifier: GPL-2.0-only */
/* JSON written as it comes, for files that are larger than memory should be; private to render/. */
#ifndef SF_RENDER_EXPORT_JSON_H
#define SF_RENDER_EXPORT_JSON_H

#include <stdint.h>
#include <stdio.h>

#include <snapflame/str.h>

/* A string in quotes. The same text as sf_json_name() makes of it. */
void sf_put_string(FILE *f, const char *text);
/* ns as a number of ms or µs, exact to the ns. */
void sf_put_ms(FILE *f, uint64_t ns);
void sf_put_us(FILE *f, uint64_t ns);
/* A double; null where it is not finite. */
void sf_put_number(FILE *f, double v);
/* The same, to the end of a string. */
void sf_add_json_string(struct sf_str *to, const char *text);
void sf_add_json_number(struct sf_str *to, double v);

#endif
