/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Names inside the recording: what record finds on the machine where it runs, so that the recording
 * can be read where the binaries are not.
 *
 *	{"type":"symbols","module":"/usr/bin/vmm","build_id":"93ac…","kernel":false,
 *	 "syms":[[4096,120,"main"],[4224,88,"create_snapshot"]]}
 *
 * Addresses are those of sf_symbols_module(), as signed 64-bit integers. A module can be spread
 *over several objects.
 */
#include "symbol/symbols.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/str.h>

/* A mark must stay under SF_MARK_MAX with what the recorder adds around it. */
#define MAX_OBJECT (56 * 1024)
#define MAX_NAME   (16 * 1024)

struct entry {
	uint32_t module;
	uint64_t start, end;
	const char *name; /* NULL: only says that the module was looked at */
};

struct entries {
	struct entry *item;
	size_t nr, alloc;
};

static int add_entry(struct sf_symbols *s, struct entries *list, uint32_t id, uint64_t addr)
{
	struct sf_mod *mod = sf_modules_at(&s->modules, id);
	struct entry e = {.module = id};

	e.name = sf_symbols_find(s, mod, addr, &e.start, &e.end);
	if (SF_GROW(list->item, list->nr + 1, list->alloc))
		return -ENOMEM;
	list->item[list->nr++] = e;
	return 0;
}

static bool is_stored(const struct sf_mod *mod)
{
	/* The recording itself names the others. */
	return mod && !mod->guest && mod->kind != SF_MODULE_KSYM && mod->kind != SF_MODULE_DATA;
}

/* A reader may look at a return address itself, or at the call before it: keep both names. */
static int collect(struct sf_symbols *s, struct entries *list)
{
	int ret = 0;

	for (size_t i = 0; i < s->locs.nr && !ret; i++) {
		struct sf_location *loc = &s->locs.loc[i];
		uint32_t module = loc->module;

		if (!module && loc->flags == SF_FRAME_KERNEL && sf_symbols_kernel(s))
			module = s->kernel_module;
		if (!is_stored(sf_modules_at(&s->modules, module)))
			continue;
		ret = add_entry(s, list, module, loc->addr);
		if (!ret)
			ret = add_entry(s, list, module, loc->back ? loc->addr + 1 : loc->addr - 1);
	}
	return ret;
}

static int by_place(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->module != y->module)
		return x->module < y->module ? -1 : 1;
	if (!x->name != !y->name)
		return !x->name ? -1 : 1;
	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	/* The later of two that begin together is found first, and only the shorter leaves any of the
	 * other to be found. */
	return x->end > y->end ? -1 : x->end < y->end;
}

static int add_json(struct sf_str *out, const char *name)
{
	json_t *text = json_string(name);
	struct sf_str plain = SF_STR_INIT;
	char *quoted;

	/* Not UTF-8: no compiler writes such names, but a file can hold them. */
	if (!text) {
		sf_str_add_printable(&plain, name, strlen(name));
		text = json_string(plain.buf);
		sf_str_release(&plain);
	}
	quoted = text ? json_dumps(text, JSON_ENCODE_ANY) : NULL;
	json_decref(text);
	if (!quoted)
		return -ENOMEM;
	sf_str_add(out, quoted);
	free(quoted);
	return 0;
}

static int begin_object(struct sf_symbols *s, struct sf_str *out, const struct sf_mod *mod)
{
	char hex[2 * SF_BUILD_ID_MAX + 1];
	const struct sf_build_id *id = &mod->build_id;
	int ret;

	if (!id->size)
		id = mod->kind == SF_MODULE_KERNEL ? &s->kernel_id : &mod->file_id;
	sf_build_id_hex(id, hex);
	sf_str_reset(out);
	sf_str_add(out, "{\"type\":\"symbols\",\"module\":");
	ret = add_json(out, mod->file);
	sf_str_addf(out, ",\"build_id\":\"%s\",\"kernel\":%s,\"syms\":[", hex,
		    mod->pub.kernel ? "true" : "false");
	return ret;
}

static int end_object(struct sf_str *out, int (*emit)(void *, const char *, size_t), void *arg)
{
	sf_str_add(out, "]}");
	return sf_str_failed(out) ? -ENOMEM : emit(arg, out->buf, out->len);
}

static int add_sym(struct sf_str *out, const struct entry *e, bool first)
{
	char name[MAX_NAME];
	size_t len = strnlen(e->name, sizeof(name) - 1);

	/* Where a name this long is cut does not matter, but half a character would. */
	while (len && e->name[len] && ((unsigned char)e->name[len] & 0xc0) == 0x80)
		len--;
	memcpy(name, e->name, len);
	name[len] = '\0';
	/* JSON's integers are signed here: the kernel's addresses are negative. */
	sf_str_addf(out, "%s[%lld,%lld,", first ? "" : ",", (long long)e->start,
		    (long long)(e->end - e->start));
	if (add_json(out, name))
		return -ENOMEM;
	sf_str_addch(out, ']');
	return 0;
}

/* One module's entries, from *i on, into as many objects as it takes. */
static int emit_module(struct sf_symbols *s, const struct entries *list, size_t *i,
		       int (*emit)(void *, const char *, size_t), void *arg)
{
	const uint32_t id = list->item[*i].module;
	const struct sf_mod *mod = sf_modules_at(&s->modules, id);
	struct sf_str out = SF_STR_INIT, sym = SF_STR_INIT;
	bool first = true;
	int ret = begin_object(s, &out, mod);

	for (; !ret && *i < list->nr && list->item[*i].module == id; ++*i) {
		const struct entry *e = &list->item[*i];

		if (!e->name || (!first && !by_place(e - 1, e)))
			continue;
		sf_str_reset(&sym);
		ret = add_sym(&sym, e, first);
		if (!ret && !first && out.len + sym.len > MAX_OBJECT) {
			ret = end_object(&out, emit, arg);
			if (!ret)
				ret = begin_object(s, &out, mod);
			sf_str_reset(&sym);
			if (!ret)
				ret = add_sym(&sym, e, true);
		}
		sf_str_addn(&out, sym.buf, sym.len);
		first = false;
	}
	if (!ret)
		ret = end_object(&out, emit, arg);
	sf_str_release(&out);
	sf_str_release(&sym);
	return ret;
}

int sf_symbols_export(struct sf_symbols *s, int (*emit)(void *arg, const char *json, size_t len),
		      void *arg)
{
	struct entries list = {0};
	size_t i = 0;
	int ret;

	ret = collect(s, &list);
	if (list.nr)
		qsort(list.item, list.nr, sizeof(*list.item), by_place);
	while (!ret && i < list.nr)
		ret = emit_module(s, &list, &i, emit, arg);
	free(list.item);
	return ret;
}

static bool parse_build_id(const char *hex, struct sf_build_id *id)
{
	uint8_t data[SF_BUILD_ID_MAX];
	size_t len = strlen(hex);

	if (len % 2 || len / 2 > sizeof(data) || strspn(hex, "0123456789abcdef") != len)
		return false;
	for (size_t i = 0; i < len / 2; i++) {
		char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};

		data[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	sf_build_id_set(id, data, len / 2);
	return true;
}

static int import_sym(struct sf_import *im, json_t *sym)
{
	json_t *start = json_array_get(sym, 0), *len = json_array_get(sym, 1);
	const char *name = json_string_value(json_array_get(sym, 2));
	char *copy;

	if (!json_is_integer(start) || !json_is_integer(len) || !name)
		return 0;
	copy = sf_arena_strndup(&im->syms.names, name, strlen(name));
	if (!copy)
		return -ENOMEM;
	return sf_symtab_add(&im->syms, (uint64_t)json_integer_value(start),
			     (uint64_t)json_integer_value(len), 0, copy);
}

static int import_object(struct sf_symbols *s, json_t *root)
{
	const char *type = json_string_value(json_object_get(root, "type"));
	const char *path = json_string_value(json_object_get(root, "module"));
	const char *hex = json_string_value(json_object_get(root, "build_id"));
	struct sf_import *im;
	struct sf_build_id id = {0};
	json_t *sym;
	size_t i;
	int ret = 0;

	if (!type || strcmp(type, "symbols"))
		return 0;
	if (!path || (hex && !parse_build_id(hex, &id)))
		return -EINVAL;
	im = sf_modules_import(&s->modules, path, &id);
	if (!im)
		return -ENOMEM;
	json_array_foreach(json_object_get(root, "syms"), i, sym)
	{
		ret = import_sym(im, sym);
		if (ret)
			break;
	}
	im->settled = false;
	return ret;
}

int sf_symbols_import(struct sf_symbols *s, const char *json, size_t len)
{
	json_error_t why;
	json_t *root = json_loadb(json, len, 0, &why);
	int ret;

	if (!root)
		return why.text[0] ? -EINVAL : -ENOMEM; /* jansson does not name this one */
	ret = import_object(s, root);
	sf_symbols_forget_now(s);
	json_decref(root);
	return ret;
}
