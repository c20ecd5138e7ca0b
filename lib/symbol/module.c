/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/module.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/inlines.h"

void sf_build_id_set(struct sf_build_id *id, const uint8_t *data, size_t size)
{
	memset(id, 0, sizeof(*id));
	if (!data || size > SF_BUILD_ID_MAX)
		return;
	/* perf before 5.12 pads shorter ids to 20 bytes. They come in words. */
	while (size >= 4 && !data[size - 1] && !data[size - 2] && !data[size - 3] &&
	       !data[size - 4])
		size -= 4;
	memcpy(id->data, data, size);
	id->size = (uint8_t)size;
}

bool sf_build_id_equal(const struct sf_build_id *a, const struct sf_build_id *b)
{
	return a->size == b->size && !memcmp(a->data, b->data, a->size);
}

void sf_build_id_hex(const struct sf_build_id *id, char hex[2 * SF_BUILD_ID_MAX + 1])
{
	for (size_t i = 0; i < id->size; i++)
		snprintf(hex + 2 * i, 3, "%02x", id->data[i]);
	hex[2 * id->size] = '\0';
}

const char *sf_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static bool is_kernel_image(const char *name)
{
	static const char *const names[] = {
		"[kernel.kallsyms]", "[guest.kernel.kallsyms", "[vdso]", "[vdso32]", "[vdsox32]",
		"[vsyscall]"};

	for (size_t i = 0; i < SF_ARRAY_SIZE(names); i++)
		if (!strncmp(name, names[i], strlen(names[i])))
			return true;
	return false;
}

bool sf_kmod_name(const char *path, char *name, size_t size)
{
	const char *base = sf_base_name(path), *ko;
	int n;

	if (base[0] == '[') {
		if (is_kernel_image(base))
			return false;
		n = snprintf(name, size, "%s", base);
	} else {
		ko = strstr(base, ".ko");
		if (!ko || ko == base || (ko[3] && ko[3] != '.'))
			return false;
		n = snprintf(name, size, "[%.*s]", (int)(ko - base), base);
		/* The kernel knows snd-hda-intel.ko as snd_hda_intel. */
		for (char *p = name; *p; p++)
			if (*p == '-')
				*p = '_';
	}
	return n > 0 && (size_t)n < size;
}

static uint64_t hash_key(const struct sf_module_key *k)
{
	uint64_t h = sf_hash_bytes(k->path, strlen(k->path));

	h = sf_hash64(h ^ ((uint64_t)k->kind << 1 | k->guest));
	return sf_hash64(h ^ sf_hash_bytes(k->build_id.data, k->build_id.size) ^ k->base);
}

/* Two files of one name differ by build-id; only without one the inode has to tell. */
static bool same_file(const struct sf_mod *mod, const struct sf_module_key *k)
{
	if (k->build_id.size || !k->ino || !mod->ino)
		return true;
	return mod->ino == k->ino && mod->maj == k->maj && mod->min == k->min &&
	       mod->ino_generation == k->ino_generation;
}

static bool same(const struct sf_mod *mod, const struct sf_module_key *k)
{
	return mod->kind == k->kind && mod->guest == k->guest && mod->base == k->base &&
	       !strcmp(mod->file, k->path) &&
	       (k->build_id.size ? sf_build_id_equal(&mod->build_id, &k->build_id)
				 : mod->header_id || !mod->build_id.size) &&
	       same_file(mod, k);
}

/* NULL without memory. */
static const char *keep(struct sf_modules *m, const char *text)
{
	uint32_t id = sf_strtab_id(&m->strings, text);

	return id || !*text ? sf_strtab_text(&m->strings, id) : NULL;
}

/* perf prints "[ext4]", unless the recording's table of build-ids names the file. */
static const char *shown_path(struct sf_modules *m, const struct sf_module_key *k)
{
	char name[256];
	uint32_t path;

	if (k->kind == SF_MODULE_KERNEL && !k->guest && m->kernel_name)
		return m->kernel_name;
	if (k->kind != SF_MODULE_KMOD || !sf_kmod_name(k->path, name, sizeof(name)))
		return keep(m, k->path);
	path = sf_map64_get(&m->kmod_path, sf_strtab_id(&m->strings, name), 0);
	return path ? sf_strtab_text(&m->strings, path) : keep(m, name);
}

static void adopt_build_id(struct sf_mod *mod, const struct sf_build_id *id, bool from_table)
{
	mod->build_id = *id;
	mod->header_id = from_table;
	mod->pub.build_id = id->size ? mod->build_id.data : NULL;
	mod->pub.build_id_size = id->size;
}

static const struct sf_build_id *table_id(struct sf_modules *m, const char *path)
{
	uint32_t i = path ? sf_map64_get(&m->header_ids, sf_strtab_id(&m->strings, path), 0) : 0;

	return i ? &m->ids[i - 1] : NULL;
}

static void find_build_id(struct sf_modules *m, struct sf_mod *mod, const struct sf_module_key *k)
{
	const struct sf_build_id *id = k->build_id.size ? NULL : table_id(m, k->path);

	if (!id && !k->build_id.size && k->kind == SF_MODULE_KERNEL && !k->guest)
		id = table_id(m, m->kernel_name);
	adopt_build_id(mod, id ? id : &k->build_id, id);
}

static struct sf_mod *new_module(struct sf_modules *m, const struct sf_module_key *k)
{
	struct sf_mod *mod = calloc(1, sizeof(*mod));

	if (!mod)
		return NULL;
	mod->kind = k->kind;
	mod->guest = k->guest;
	mod->file = keep(m, k->path);
	mod->pub.path = shown_path(m, k);
	if (!mod->file || !mod->pub.path) {
		free(mod);
		return NULL;
	}
	mod->pub.short_name = sf_base_name(mod->pub.path);
	mod->pub.kernel = k->kind == SF_MODULE_KERNEL || k->kind == SF_MODULE_KMOD ||
			  k->kind == SF_MODULE_KSYM;
	mod->maj = k->maj;
	mod->min = k->min;
	mod->ino = k->ino;
	mod->ino_generation = k->ino_generation;
	mod->base = k->base;
	mod->len = k->len;
	mod->pid = k->pid;
	find_build_id(m, mod, k);
	return mod;
}

uint32_t sf_modules_get(struct sf_modules *m, const struct sf_module_key *k)
{
	uint32_t *first, id;
	struct sf_mod *mod;

	first = sf_map64_at(&m->by_key, hash_key(k), NULL);
	if (!first)
		return 0;
	for (id = *first; id; id = m->next[id - 1]) {
		mod = m->mod[id - 1];
		if (same(mod, k)) {
			mod->pid = k->pid ? k->pid : mod->pid;
			return id;
		}
	}
	if (m->nr >= UINT32_MAX - 1 || SF_GROW(m->mod, m->nr + 1, m->alloc) ||
	    SF_GROW(m->next, m->nr + 1, m->next_alloc))
		return 0;
	mod = new_module(m, k);
	if (!mod)
		return 0;
	m->next[m->nr] = *first;
	m->mod[m->nr++] = mod;
	*first = (uint32_t)m->nr;
	return *first;
}

struct sf_mod *sf_modules_at(const struct sf_modules *m, uint32_t id)
{
	return id && id <= m->nr ? m->mod[id - 1] : NULL;
}

int sf_modules_header_id(struct sf_modules *m, const char *path, const struct sf_build_id *id,
			 bool kernel)
{
	uint32_t str = sf_strtab_id(&m->strings, path), *slot;
	char name[256];

	if (!str || SF_GROW(m->ids, m->nr_ids + 1, m->ids_alloc))
		return -ENOMEM;
	m->ids[m->nr_ids++] = *id;
	slot = sf_map64_at(&m->header_ids, str, NULL);
	if (!slot)
		return -ENOMEM;
	*slot = (uint32_t)m->nr_ids;
	/* In a pipe the table comes last: when everything is mapped already. */
	for (size_t i = 0; i < m->nr; i++)
		if (!m->mod[i]->build_id.size && !strcmp(m->mod[i]->file, path))
			adopt_build_id(m->mod[i], id, true);
	if (!kernel)
		return 0;
	if (!sf_kmod_name(path, name, sizeof(name))) {
		if (!m->kernel_name)
			m->kernel_name = sf_strtab_text(&m->strings, str);
		return 0;
	}
	slot = sf_map64_at(&m->kmod_path, sf_strtab_id(&m->strings, name), NULL);
	if (!slot)
		return -ENOMEM;
	*slot = str;
	return 0;
}

static struct sf_import *find_import(struct sf_modules *m, const char *path,
				     const struct sf_build_id *id)
{
	for (size_t i = 0; i < m->nr_imports; i++) {
		struct sf_import *im = m->import[i];

		if (!strcmp(im->path, path) && (!id->size || sf_build_id_equal(&im->build_id, id)))
			return im;
	}
	return NULL;
}

struct sf_import *sf_modules_import(struct sf_modules *m, const char *path,
				    const struct sf_build_id *id)
{
	struct sf_import *im = find_import(m, path, id);

	if (im && sf_build_id_equal(&im->build_id, id))
		return im;
	if (SF_GROW(m->import, m->nr_imports + 1, m->imports_alloc))
		return NULL;
	im = calloc(1, sizeof(*im));
	if (!im)
		return NULL;
	im->path = keep(m, path);
	if (!im->path) {
		free(im);
		return NULL;
	}
	im->build_id = *id;
	m->import[m->nr_imports++] = im;
	return im;
}

struct sf_import *sf_modules_imported(struct sf_modules *m, struct sf_mod *mod)
{
	struct sf_import *im = find_import(m, mod->file, &mod->build_id);
	static const struct sf_build_id none;

	if (!im && mod->build_id.size) {
		im = find_import(m, mod->file, &none);
		if (im && im->build_id.size)
			im = NULL;
	}
	if (!im)
		return NULL;
	if (!mod->build_id.size && im->build_id.size)
		adopt_build_id(mod, &im->build_id, true);
	if (!im->settled)
		sf_symtab_settle(&im->syms, SF_SYMTAB_PLAIN);
	im->settled = true;
	return im;
}

void sf_modules_release(struct sf_modules *m)
{
	for (size_t i = 0; i < m->nr; i++) {
		struct sf_mod *mod = m->mod[i];

		sf_inlines_free(mod->inlines);
		sf_symtab_release(&mod->syms);
		free(mod);
	}
	for (size_t i = 0; i < m->nr_imports; i++) {
		sf_symtab_release(&m->import[i]->syms);
		free(m->import[i]);
	}
	free(m->import);
	free(m->mod);
	free(m->next);
	free(m->ids);
	sf_map64_release(&m->by_key);
	sf_map64_release(&m->header_ids);
	sf_map64_release(&m->kmod_path);
	sf_strtab_release(&m->strings);
	memset(m, 0, sizeof(*m));
}
