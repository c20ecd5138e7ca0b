/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/array.h>
#include <snapflame/str.h>

#include "driver.h"

enum { JSON_TEXT_MAX = 16 * 1024 }; /* kept of what is no JSON */

/* The value at "a.b.c" below o, borrowed. */
static json_t *at_path(json_t *o, const char *path, size_t len)
{
	while (o && len) {
		size_t n = 0;
		char key[128];

		while (n < len && path[n] != '.')
			n++;
		if (n >= sizeof(key))
			return NULL;
		memcpy(key, path, n);
		key[n] = '\0';
		o = json_object_get(o, key);
		path += n + (n < len);
		len -= n + (n < len);
	}
	return o;
}

/* "pause_ms=timings.pause,diff_ms=timings.diff" */
static void copy_fields(json_t *o, const char *fields)
{
	while (fields && *fields) {
		size_t len = strcspn(fields, ",");
		const char *eq = memchr(fields, '=', len);

		if (eq) {
			json_t *v = at_path(o, eq + 1, len - (size_t)(eq + 1 - fields));
			char *name = strndup(fields, (size_t)(eq - fields));

			if (v && name)
				json_object_set(o, name, v);
			free(name);
		}
		fields += len + (fields[len] == ',');
	}
}

static json_t *load(const char *text, size_t len)
{
	json_t *o = json_loadb(text, len, JSON_DISABLE_EOF_CHECK, NULL);

	if (o && !json_is_object(o)) {
		json_decref(o);
		o = NULL;
	}
	return o;
}

/* Services print other things before; the last object is the reply. */
json_t *sf_branch_json(const char *text, size_t len, const char *fields)
{
	json_t *o = NULL;

	for (size_t i = 0; i < len; i++) {
		json_t *later;

		if (text[i] != '{' || (i && text[i - 1] != '\n'))
			continue;
		later = load(text + i, len - i);
		if (later) {
			json_decref(o);
			o = later;
		}
	}
	if (o)
		copy_fields(o, fields);
	return o;
}

/* "pause_ms=a.b" of fields, whose value is no number; false: all are. */
static bool field_without(const json_t *o, const char *fields, char *note, size_t size)
{
	while (fields && *fields) {
		int len = (int)strcspn(fields, ","), name = (int)strcspn(fields, "=,");
		char key[64];

		snprintf(key, sizeof(key), "%.*s", name, fields);
		if (name < len && !json_is_number(json_object_get(o, key))) {
			snprintf(note, size, "its JSON has no number at %.*s", len - name - 1,
				 fields + name + 1);
			return true;
		}
		fields += len + (fields[len] == ',');
	}
	return false;
}

/* The names that are looked for anyway may be missing, and not be something else. */
static bool no_number(const json_t *o, char *note, size_t size)
{
	static const char *const known[] = { "pause_ms", "diff_ms", "diff_physical_bytes" };

	for (size_t i = 0; i < SF_ARRAY_SIZE(known); i++) {
		const json_t *v = json_object_get(o, known[i]);

		if (v && !json_is_null(v) && !(json_is_number(v) && json_number_value(v) >= 0)) {
			snprintf(note, size, "%s in its JSON is no number that it can be", known[i]);
			return true;
		}
	}
	return false;
}

static bool begins_as_json(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (text[i] == '{' && (!i || text[i - 1] == '\n'))
			return true;
	return false;
}

void sf_branch_take_reply(struct sf_branch *b, const char *text, size_t len, const char *fields)
{
	char note[256] = "";

	b->json = sf_branch_json(text, len, fields);
	if (!b->json && len)
		b->text = strndup(text, len < JSON_TEXT_MAX ? len : JSON_TEXT_MAX);
	if (!b->json && begins_as_json(text, len))
		snprintf(note, sizeof(note), "what it printed begins as JSON and cannot be read as such");
	else if (!b->json && fields)
		snprintf(note, sizeof(note), "it printed no JSON object");
	else if (b->json && !field_without(b->json, fields, note, sizeof(note)))
		no_number(b->json, note, sizeof(note));
	if (*note)
		b->note = strdup(note);
}

void sf_branch_release(struct sf_branch *b)
{
	json_decref(b->json);
	json_decref(b->extra);
	free(b->text);
	free(b->note);
	free(b->error);
	*b = (struct sf_branch){ 0 };
}
