/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * 17 08 44 "tracing", version "0.5" or "0.6", u8 big endian, u8 bytes in a long, u32 page size,
 * "header_page" and "header_event" each with u64 size and text; u32 number of formats of ftrace,
 * each u64 size and text; u32 number of systems, each its name, u32 formats, each u64 size and
 * text. What follows (kallsyms, printk formats, names of threads) is not needed.
 */
#include "perfdata/tracing.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_TRACEEVENT
#include <event-parse.h>
#endif

#include <snapflame/table.h>

#include "perfdata/raw.h"

#define MAX_FORMATS 16384 /* a kernel has some 2500 */

struct format {
	const char *system;
	const char *text, *name;
	size_t size, name_len;
#ifdef HAVE_TRACEEVENT
	struct tep_event *event;
	bool parsed;
#endif
};

struct sf_tracing {
	uint8_t *data;
	bool big_endian;
	uint8_t long_size;
	uint32_t page_size;
	struct format *format;
	size_t nr, alloc;
	struct sf_map64 by_id;
#ifdef HAVE_TRACEEVENT
	struct tep_handle *tep;
#endif
};

static const char magic[] = "\x17\x08\x44tracing";

bool sf_tracing_looks_like(const uint8_t *p, size_t size)
{
	return size >= sizeof(magic) - 1 && !memcmp(p, magic, sizeof(magic) - 1);
}

static const char *take_text(struct sf_cursor *c)
{
	const char *p = (const char *)c->p;
	const void *nul = c->short_ ? NULL : memchr(p, 0, (size_t)(c->end - c->p));

	if (!nul) {
		c->short_ = true;
		return "";
	}
	c->p = (const uint8_t *)nul + 1;
	return p;
}

/* "name: sched_switch\nID: 316\nformat:…"; false where one of them is missing. */
static bool parse_head(struct format *f, uint64_t *id)
{
	const char *p = f->text, *end = p + f->size;
	bool has_id = false;

	while (p < end && !(has_id && f->name)) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t len = (size_t)((nl ? nl : end) - p);

		if (len > 6 && !memcmp(p, "name: ", 6)) {
			f->name = p + 6;
			f->name_len = len - 6;
		} else if (len > 4 && len < 16 && !memcmp(p, "ID: ", 4)) {
			*id = 0;
			for (size_t i = 4; i < len && p[i] >= '0' && p[i] <= '9'; i++)
				*id = *id * 10 + (uint64_t)(p[i] - '0');
			has_id = true;
		}
		p += len + 1;
	}
	return has_id && f->name;
}

static int read_format(struct sf_tracing *t, struct sf_cursor *c, const char *system)
{
	uint64_t size = sf_cursor_u64(c), id;
	struct format f = { .system = system };
	uint32_t *slot;

	f.text = (const char *)sf_cursor_take(c, size);
	f.size = (size_t)size;
	if (!f.text || !parse_head(&f, &id) || t->nr >= MAX_FORMATS)
		return 0;
	if (SF_GROW(t->format, t->nr + 1, t->alloc))
		return -ENOMEM;
	slot = sf_map64_at(&t->by_id, id, NULL);
	if (!slot)
		return -ENOMEM;
	*slot = (uint32_t)t->nr;
	t->format[t->nr++] = f;
	return 0;
}

static int read_systems(struct sf_tracing *t, struct sf_cursor *c)
{
	uint32_t nr = sf_cursor_u32(c);
	int err = 0;

	for (uint32_t i = 0; i < nr && !c->short_ && !err; i++) {
		const char *system = take_text(c);
		uint32_t events = sf_cursor_u32(c);

		for (uint32_t k = 0; k < events && !c->short_ && !err; k++)
			err = read_format(t, c, system);
	}
	return err;
}

static void skip_sized(struct sf_cursor *c)
{
	sf_cursor_take(c, sf_cursor_u64(c));
}

static int parse(struct sf_tracing *t, struct sf_cursor *c)
{
	const uint8_t *p;
	uint32_t nr;

	sf_cursor_take(c, sizeof(magic) - 1);
	take_text(c); /* version */
	p = sf_cursor_take(c, 2);
	if (!p || p[0] > 1 || (p[1] != 4 && p[1] != 8))
		return -EINVAL;
	t->big_endian = p[0];
	t->long_size = p[1];
	c->swapped = t->big_endian != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
	t->page_size = sf_cursor_u32(c);
	for (int i = 0; i < 2; i++) {
		take_text(c);
		skip_sized(c);
	}
	nr = sf_cursor_u32(c);
	for (uint32_t i = 0; i < nr && !c->short_; i++)
		skip_sized(c);
	return read_systems(t, c);
}

int sf_tracing_new(struct sf_tracing **ret, const uint8_t *p, size_t size)
{
	struct sf_tracing *t;
	struct sf_cursor c;
	int err;

	*ret = NULL;
	if (!sf_tracing_looks_like(p, size) || size > SF_MAX_TRACING)
		return -EINVAL;
	t = calloc(1, sizeof(*t));
	if (t)
		t->data = malloc(size);
	if (!t || !t->data) {
		free(t);
		return -ENOMEM;
	}
	memcpy(t->data, p, size);
	c = (struct sf_cursor){ t->data, t->data + size, false, false };
	err = parse(t, &c);
	if (err)
		sf_tracing_free(t);
	else
		*ret = t;
	return err;
}

static struct format *find(const struct sf_tracing *t, uint64_t id)
{
	uint32_t i = t ? sf_map64_get(&t->by_id, id, UINT32_MAX) : UINT32_MAX;

	return i == UINT32_MAX ? NULL : &t->format[i];
}

bool sf_tracing_name(const struct sf_tracing *t, uint64_t id, struct sf_str *name)
{
	const struct format *f = find(t, id);

	if (!f)
		return false;
	sf_str_add(name, f->system);
	sf_str_addch(name, ':');
	sf_str_addn(name, f->name, f->name_len);
	return true;
}

#ifdef HAVE_TRACEEVENT
static void set_up(struct sf_tracing *t)
{
	t->tep = tep_alloc();
	if (!t->tep)
		return;
	tep_set_loglevel(TEP_LOG_NONE); /* a library does not print */
	tep_set_file_bigendian(t->tep, t->big_endian ? TEP_BIG_ENDIAN : TEP_LITTLE_ENDIAN);
	tep_set_long_size(t->tep, t->long_size);
	tep_set_page_size(t->tep, (int)t->page_size);
}

void *sf_tracing_format(struct sf_tracing *t, uint64_t id)
{
	struct format *f = find(t, id);
	struct sf_str text = SF_STR_INIT;

	if (!f || f->parsed || id > INT_MAX)
		return f ? f->event : NULL;
	f->parsed = true;
	if (!t->tep)
		set_up(t);
	if (t->tep && sf_format_rewrite(f->text, f->size, id, &text) &&
	    !tep_parse_event(t->tep, text.buf, text.len, "snapflame"))
		f->event = tep_find_event(t->tep, (int)id);
	sf_str_release(&text);
	return f->event;
}

struct sf_field sf_tracing_field(void *format, const char *name)
{
	struct tep_format_field *f = format ? tep_find_any_field(format, name) : NULL;
	struct sf_field out = { 0 };

	if (!f || f->offset < 0 || f->size <= 0)
		return out;
	out.offset = (uint32_t)f->offset;
	out.size = (uint32_t)f->size;
	out.is_signed = f->flags & TEP_FIELD_IS_SIGNED;
	out.is_string = f->flags & TEP_FIELD_IS_STRING;
	out.is_dynamic = f->flags & (TEP_FIELD_IS_DYNAMIC | TEP_FIELD_IS_RELATIVE);
	out.is_relative = f->flags & TEP_FIELD_IS_RELATIVE;
	return out;
}
#else
void *sf_tracing_format(struct sf_tracing *t, uint64_t id)
{
	return NULL;
}

struct sf_field sf_tracing_field(void *format, const char *name)
{
	return (struct sf_field){ 0 };
}
#endif

void sf_tracing_free(struct sf_tracing *t)
{
	if (!t)
		return;
#ifdef HAVE_TRACEEVENT
	if (t->tep)
		tep_free(t->tep);
#endif
	sf_map64_release(&t->by_id);
	free(t->format);
	free(t->data);
	free(t);
}
