/* SPDX-License-Identifier: GPL-2.0-only */
#include "mark_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/array.h>
#include <snapflame/marks.h>
#include <snapflame/str.h>

int sf_marks_add(struct sf_marks *m, const char *type, uint64_t time, json_t *obj)
{
	char *text = NULL;
	size_t len;
	int ret = -ENOMEM;

	if (!obj || json_object_set_new(obj, "type", json_string(type)) ||
	    json_object_set_new(obj, "t", json_integer((json_int_t)time)))
		goto out;
	text = json_dumps(obj, JSON_COMPACT | JSON_REAL_PRECISION(12));
	if (!text || SF_GROW(m->item, m->nr + 1, m->alloc))
		goto out;
	len = strlen(text);
	ret = -E2BIG;
	if (len >= SF_MARK_MAX)
		goto out;
	m->item[m->nr++] = (struct sf_mark){
		.time = time,
		.text = text,
		.len = len,
		.branch = (unsigned)json_integer_value(json_object_get(obj, "branch")),
	};
	text = NULL;
	ret = 0;
out:
	free(text);
	json_decref(obj);
	return ret;
}

void sf_marks_forget(struct sf_marks *m, unsigned branch)
{
	size_t kept = 0;

	for (size_t i = 0; i < m->nr; i++) {
		if (m->item[i].branch == branch)
			free(m->item[i].text);
		else
			m->item[kept++] = m->item[i];
	}
	m->nr = kept;
}

void sf_marks_release(struct sf_marks *m)
{
	for (size_t i = 0; i < m->nr; i++)
		free(m->item[i].text);
	free(m->item);
	*m = (struct sf_marks){ 0 };
}

size_t sf_json_size(const json_t *v)
{
	return json_dumpb(v, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY);
}

json_t *sf_json_text(const char *text, size_t len)
{
	json_t *v = json_stringn(text, len);
	struct sf_str s = SF_STR_INIT;

	if (v)
		return v;
	sf_str_add_printable(&s, text, len);
	v = json_string(s.buf);
	sf_str_release(&s);
	return v;
}
