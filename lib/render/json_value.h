/* SPDX-License-Identifier: GPL-2.0-only */
/* Values of JSON from data that may be anything; private to render/. */
#ifndef SF_RENDER_JSON_VALUE_H
#define SF_RENDER_JSON_VALUE_H

#include <jansson.h>
#include <stdint.h>

#include <snapflame/str.h>

/* A name: bytes that are no UTF-8 become \xNN, which jansson would refuse. NULL is null. */
json_t *sf_json_name(const char *text);
/* A number; null where it is not finite. */
json_t *sf_json_number(double value);
json_t *sf_json_uint(uint64_t value);

/*
 * Append item to *list; takes the reference. Where there is no memory for either, *list becomes NULL, and
 * so does what json_pack() makes of it: there is no list, rather than one that lacks an item.
 */
void sf_json_append(json_t **list, json_t *item);
/* The same for a member of *object. */
void sf_json_set(json_t **object, const char *key, json_t *value);

/* Append o as text and a newline; takes the reference. -ENOMEM where o is NULL. */
int sf_json_print(struct sf_str *out, json_t *o);

#endif
