/* SPDX-License-Identifier: GPL-2.0-only */
#include "render/export_pprof.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAPPING_ID = 1, MAPPING_START, MAPPING_LIMIT, MAPPING_OFFSET, MAPPING_FILE, MAPPING_BUILD_ID,
       MAPPING_HAS_FUNCTIONS, MAPPING_HAS_FILES, MAPPING_HAS_LINES, MAPPING_HAS_INLINES };
enum { LOCATION_ID = 1, LOCATION_MAPPING, LOCATION_ADDRESS, LOCATION_LINE };
enum { LINE_FUNCTION = 1, LINE_LINE };
enum { FUNCTION_ID = 1, FUNCTION_NAME, FUNCTION_SYSTEM_NAME, FUNCTION_FILE };
enum { PAGE = 4096 };

/* Each process has its modules; the same file is one mapping all the same. */
static bool same_file(const struct sf_module *a, const struct sf_module *b)
{
	return a == b || (a->path && b->path && !strcmp(a->path, b->path) &&
			  a->build_id_size == b->build_id_size &&
			  (!a->build_id_size || !memcmp(a->build_id, b->build_id, a->build_id_size)));
}

static struct pprof_mapping *mapping_of(struct pprof_tables *t, uint32_t loc, uint64_t *addr)
{
	const struct sf_module *m = sf_symbols_module(t->symbols, loc, addr);

	for (size_t i = 0; m && i < t->nr_mappings; i++)
		if (same_file(t->mapping[i].module, m))
			return &t->mapping[i];
	return NULL;
}

/* Of all locations, used or not: exports of different windows then agree, and can be compared. */
static int find_mappings(struct pprof_tables *t)
{
	for (uint32_t loc = 1; loc <= t->nr_locs; loc++) {
		uint64_t addr;
		const struct sf_module *m = sf_symbols_module(t->symbols, loc, &addr);
		struct pprof_mapping *map = m ? mapping_of(t, loc, &addr) : NULL;

		if (!m)
			continue;
		if (!map) {
			if (SF_GROW(t->mapping, t->nr_mappings + 1, t->mapping_alloc))
				return -ENOMEM;
			map = &t->mapping[t->nr_mappings++];
			*map = (struct pprof_mapping){ .module = m };
		}
		if (addr > map->limit)
			map->limit = addr;
	}
	return 0;
}

int sf_pprof_tables_init(struct pprof_tables *t, const struct sf_recording *rec)
{
	memset(t, 0, sizeof(*t));
	t->symbols = rec->symbols;
	t->nr_locs = sf_symbols_nr_locations(rec->symbols);
	t->loc_id = calloc(t->nr_locs + 1, sizeof(*t->loc_id));
	return t->loc_id ? find_mappings(t) : -ENOMEM;
}

void sf_pprof_tables_release(struct pprof_tables *t)
{
	sf_strtab_release(&t->str);
	sf_map64_release(&t->made_up);
	sf_map64_release(&t->function);
	free(t->loc_id);
	free(t->loc);
	free(t->last);
	free(t->mapping);
	memset(t, 0, sizeof(*t));
}

uint64_t sf_pprof_string(struct pprof_tables *t, const char *text)
{
	struct sf_str s = SF_STR_INIT;
	uint32_t id = 0;

	if (!text || !*text)
		return 0;
	sf_str_add_printable(&s, text, strlen(text));
	if (!sf_str_failed(&s))
		id = sf_strtab_id(&t->str, s.buf);
	sf_str_release(&s);
	return id;
}

static uint64_t append(struct pprof_tables *t, uint32_t loc, uint32_t last)
{
	if (SF_GROW(t->loc, t->nr + 1, t->loc_alloc) || SF_GROW(t->last, t->nr + 1, t->last_alloc))
		return 0;
	t->loc[t->nr] = loc;
	t->last[t->nr] = last;
	return ++t->nr;
}

uint64_t sf_pprof_location(struct pprof_tables *t, uint32_t loc)
{
	if (loc > t->nr_locs)
		return 0;
	if (!t->loc_id[loc])
		t->loc_id[loc] = append(t, loc, 0);
	return t->loc_id[loc];
}

uint64_t sf_pprof_made_up(struct pprof_tables *t, const char *name)
{
	uint32_t str = (uint32_t)sf_pprof_string(t, name);
	uint32_t *at = str ? sf_map64_at(&t->made_up, str, NULL) : NULL;

	if (!at)
		return 0;
	if (!*at)
		*at = (uint32_t)append(t, 0, str);
	return *at;
}

/* ------------------------------------------------------------------------ writing */

static uint64_t function(struct pprof_tables *t, struct sf_pb_file *p, uint64_t name, uint64_t file)
{
	struct sf_str m = SF_STR_INIT;
	uint32_t *at = name ? sf_map64_at(&t->function, name << 32 | file, NULL) : NULL;

	if (!at)
		return 0;
	if (!*at) {
		*at = (uint32_t)++t->nr_functions;
		sf_pb_uint(&m, FUNCTION_ID, *at);
		sf_pb_uint(&m, FUNCTION_NAME, name);
		sf_pb_uint(&m, FUNCTION_SYSTEM_NAME, name);
		sf_pb_uint(&m, FUNCTION_FILE, file);
		sf_pb_put(p, PPROF_FUNCTION, m.buf, m.len);
		if (sf_str_failed(&m))
			*at = 0;
		sf_str_release(&m);
	}
	return *at;
}

static int line(struct pprof_tables *t, struct sf_pb_file *p, struct sf_str *m, uint64_t name,
		uint64_t file, unsigned number)
{
	uint64_t id = function(t, p, name, file);
	struct sf_str l = SF_STR_INIT;

	sf_pb_uint(&l, LINE_FUNCTION, id);
	sf_pb_uint(&l, LINE_LINE, number);
	sf_pb_bytes(m, LOCATION_LINE, l.buf, l.len);
	m->failed |= l.failed;
	sf_str_release(&l);
	return id ? 0 : -ENOMEM;
}

static uint64_t frame_name(struct pprof_tables *t, const struct sf_frame *f)
{
	struct sf_str s = SF_STR_INIT;
	uint64_t id;

	if (f->name[0])
		return sf_pprof_string(t, f->name);
	if (!f->dso_short || !f->dso_short[0])
		return sf_pprof_string(t, "[unknown]");
	sf_str_addf(&s, "[%s]", f->dso_short);
	id = sf_str_failed(&s) ? 0 : sf_pprof_string(t, s.buf);
	sf_str_release(&s);
	return id;
}

/* Inlined calls are lines of one location, innermost first: the order of sf_symbols_frames(). */
static int location(struct pprof_tables *t, struct sf_pb_file *p, struct sf_str *m, size_t i)
{
	const struct sf_frame *f;
	struct pprof_mapping *map;
	uint64_t addr;
	size_t nr;
	int ret = 0;

	sf_pb_uint(m, LOCATION_ID, i + 1);
	if (!t->loc[i])
		return line(t, p, m, t->last[i], 0, 0);
	nr = sf_symbols_frames(t->symbols, t->loc[i], &f);
	map = mapping_of(t, t->loc[i], &addr);
	if (map) {
		map->used = true;
		sf_pb_uint(m, LOCATION_MAPPING, (uint64_t)(map - t->mapping) + 1);
		sf_pb_uint(m, LOCATION_ADDRESS, addr);
	} else {
		sf_pb_uint(m, LOCATION_ADDRESS, f->addr);
	}
	for (size_t k = 0; !ret && k < nr; k++)
		ret = line(t, p, m, frame_name(t, &f[k]), sf_pprof_string(t, f[k].file), f[k].line);
	return ret;
}

/* Addresses are those in the file, so that a mapping begins at 0, wherever it was in memory. */
static void write_mapping(struct pprof_tables *t, struct sf_pb_file *p, size_t i)
{
	const struct pprof_mapping *map = &t->mapping[i];
	const struct sf_module *mod = map->module;
	struct sf_str m = SF_STR_INIT, id = SF_STR_INIT;

	for (size_t k = 0; mod->build_id && k < mod->build_id_size; k++)
		sf_str_addf(&id, "%02x", mod->build_id[k]);
	sf_pb_uint(&m, MAPPING_ID, i + 1);
	sf_pb_uint(&m, MAPPING_LIMIT, map->limit < UINT64_MAX - PAGE ? (map->limit | (PAGE - 1)) + 1
								    : UINT64_MAX);
	sf_pb_uint(&m, MAPPING_FILE, sf_pprof_string(t, mod->path));
	sf_pb_uint(&m, MAPPING_BUILD_ID, sf_pprof_string(t, id.buf));
	/* Named here: pprof shall not look for symbols of its own. */
	sf_pb_uint(&m, MAPPING_HAS_FUNCTIONS, 1);
	sf_pb_uint(&m, MAPPING_HAS_FILES, 1);
	sf_pb_uint(&m, MAPPING_HAS_LINES, 1);
	sf_pb_uint(&m, MAPPING_HAS_INLINES, 1);
	sf_pb_put(p, PPROF_MAPPING, m.buf, m.len);
	sf_str_release(&m);
	sf_str_release(&id);
}

static bool is_exe(const struct pprof_mapping *m, const char *exe)
{
	return m->module->path && !strcmp(m->module->path, exe);
}

int sf_pprof_tables_write(struct pprof_tables *t, struct sf_pb_file *p, const char *exe)
{
	struct sf_str m = SF_STR_INIT;
	int ret = 0;

	for (size_t i = 0; !ret && i < t->nr; i++) {
		sf_str_reset(&m);
		ret = location(t, p, &m, i);
		sf_pb_put(p, PPROF_LOCATION, m.buf, m.len);
	}
	if (sf_str_failed(&m))
		ret = -ENOMEM;
	sf_str_release(&m);
	/* pprof takes the first mapping for the program. */
	for (int others = 0; others < 2; others++)
		for (size_t i = 0; i < t->nr_mappings; i++)
			if (t->mapping[i].used && others != is_exe(&t->mapping[i], exe))
				write_mapping(t, p, i);
	sf_pb_put(p, PPROF_STRING_TABLE, "", 0);
	for (uint32_t i = 1; i <= t->str.nr; i++)
		sf_pb_put(p, PPROF_STRING_TABLE, sf_strtab_text(&t->str, i), sf_strtab_len(&t->str, i));
	return ret;
}
