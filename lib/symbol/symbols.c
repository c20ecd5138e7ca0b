/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "symbol/symbols.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PROBLEMS 64

static const char *keep(struct sf_symbols *s, const char *text)
{
	return text ? sf_strtab_text(&s->strings, sf_strtab_id(&s->strings, text)) : NULL;
}

int sf_symbols_new(struct sf_symbols **out, const struct sf_symbols_opts *opts,
		   struct sf_error *err)
{
	struct sf_symbols *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (s)
		s->cache = calloc((size_t)1 << SF_LOC_CACHE_BITS, sizeof(*s->cache));
	if (!s || !s->cache) {
		sf_symbols_free(s);
		return sf_error_set(err, -ENOMEM, "no memory for symbols");
	}
	if (opts) {
		s->opts = *opts;
		s->opts.symfs = keep(s, opts->symfs && opts->symfs[0] ? opts->symfs : NULL);
		s->opts.kallsyms = keep(s, opts->kallsyms);
		s->opts.buildid_dir = keep(s, opts->buildid_dir);
		/* Behind a call another line begins, and often what was inlined ends. */
		s->opts.call_sites |= opts->inlines || opts->lines;
	}
	*out = s;
	return 0;
}

void sf_symbols_free(struct sf_symbols *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->nr_problems; i++)
		free(s->problem[i]);
	free(s->problem);
	free(s->cache);
	free(s->now);
	sf_arena_release(&s->frames);
	sf_locations_release(&s->locs);
	sf_modules_release(&s->modules);
	sf_spaces_release(&s->spaces);
	sf_kernel_release(&s->kernel);
	sf_map64_release(&s->jitdumps);
	sf_strtab_release(&s->strings);
	free(s);
}

void sf_symbols_set_origin(struct sf_symbols *s, const char *release, const char *hostname,
			   const char *arch)
{
	s->release = keep(s, release && release[0] ? release : NULL);
	s->hostname = keep(s, hostname && hostname[0] ? hostname : NULL);
	s->arch = keep(s, arch && arch[0] ? arch : NULL);
	sf_symbols_forget_now(s);
	/* What could not be decided before can be now. */
	if (s->kernel_state == SF_KERNEL_NAMELESS)
		s->kernel_state = SF_KERNEL_UNTRIED;
}

void sf_symbols_note(struct sf_symbols *s, const char *fmt, ...)
{
	char *text;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	for (size_t i = 0; i < s->nr_problems; i++) {
		if (!strcmp(s->problem[i], text)) {
			free(text);
			return;
		}
	}
	if (s->nr_problems >= MAX_PROBLEMS ||
	    SF_GROW(s->problem, s->nr_problems + 1, s->problems_alloc)) {
		free(text);
		return;
	}
	sf_debug("symbol", "%s", text);
	s->problem[s->nr_problems++] = text;
}

const char *sf_symbols_problem(const struct sf_symbols *s, size_t index)
{
	return index < s->nr_problems ? s->problem[index] : NULL;
}

struct sf_mod *sf_symbols_kernel(struct sf_symbols *s)
{
	struct sf_module_key key = {.kind = SF_MODULE_KERNEL, .path = "[kernel.kallsyms]"};

	if (!s->kernel_module)
		s->kernel_module = sf_modules_get(&s->modules, &key);
	return sf_modules_at(&s->modules, s->kernel_module);
}

/* The state of things that ip is to be looked up in; NULL: nothing is mapped there. */
static const struct sf_maps *maps_of(struct sf_symbols *s, uint32_t pid, unsigned mode)
{
	switch (mode) {
	case PERF_RECORD_MISC_USER:
		return sf_spaces_maps(&s->spaces, pid);
	case PERF_RECORD_MISC_KERNEL:
		return s->spaces.kernel[0];
	case PERF_RECORD_MISC_GUEST_KERNEL:
		return s->spaces.kernel[1];
	}
	return NULL;
}

static unsigned flags_of(unsigned mode)
{
	switch (mode) {
	case PERF_RECORD_MISC_KERNEL:
		return SF_FRAME_KERNEL;
	case PERF_RECORD_MISC_GUEST_KERNEL:
		return SF_FRAME_KERNEL | SF_FRAME_GUEST;
	case PERF_RECORD_MISC_GUEST_USER:
		return SF_FRAME_GUEST;
	}
	return 0;
}

static const struct sf_mapping *find_mapping(struct sf_symbols *s, uint32_t pid, uint64_t ip,
					     unsigned mode)
{
	const struct sf_maps *maps = maps_of(s, pid, mode);
	const struct sf_mapping *m = maps ? sf_maps_find(maps, ip) : NULL;

	if (mode != PERF_RECORD_MISC_USER)
		return m;
	if (!m)
		return sf_spaces_before(&s->spaces, pid, ip);
	sf_spaces_runs(&s->spaces, pid);
	return m;
}

static struct sf_location place(const struct sf_mapping *m, uint64_t ip, unsigned mode, bool back)
{
	struct sf_location loc = {
		.addr = ip - back,
		.ip = ip,
		.flags = (uint16_t)flags_of(mode),
		.back = back,
	};

	if (m) {
		loc.module = m->module;
		if (!m->identity)
			loc.addr += m->pgoff - m->start;
	}
	return loc;
}

static uint32_t look_up(struct sf_symbols *s, uint32_t pid, uint64_t ip, unsigned mode, bool back)
{
	struct sf_location loc = place(find_mapping(s, pid, ip - back, mode), ip, mode, back);

	return sf_location_id(&s->locs, &loc);
}

uint32_t sf_symbols_locate(struct sf_symbols *s, uint32_t pid, uint64_t ip, unsigned mode,
			   bool caller)
{
	const struct sf_maps *maps;
	struct sf_loc_cached *c;
	bool back = caller && s->opts.call_sites && ip;
	uint32_t tag;

	mode &= PERF_RECORD_MISC_CPUMODE_MASK;
	maps = maps_of(s, pid, mode);
	if (!maps)
		return look_up(s, pid, ip, mode, back);
	tag = maps->gen << 1 | back;
	c = &s->cache[((ip ^ (uint64_t)tag << 32) * 0x9e3779b97f4a7c15ULL) >>
		      (64 - SF_LOC_CACHE_BITS)];
	if (c->ip != ip || c->tag != tag || !c->loc) {
		c->loc = look_up(s, pid, ip, mode, back);
		c->ip = ip;
		c->tag = tag;
	}
	return c->loc;
}

void sf_symbols_forget_now(struct sf_symbols *s)
{
	free(s->now);
	s->now = NULL;
}

/* The frame of loc, and around loc->addr the addresses of its module that have the same. */
static void name_now(struct sf_symbols *s, const struct sf_location *loc, struct sf_frame *frame,
		     uint64_t *start, uint64_t *end)
{
	uint64_t block = loc->addr >> SF_NOW_BLOCK_BITS;
	struct sf_now_cached *c;

	if (!s->now)
		s->now = calloc((size_t)1 << SF_NOW_CACHE_BITS, sizeof(*s->now));
	if (!s->now) {
		sf_symbols_name_outer(s, loc, frame, start, end);
		return;
	}
	c = &s->now[(block ^ (uint64_t)loc->module << 40) * 0x9e3779b97f4a7c15ULL >>
		    (64 - SF_NOW_CACHE_BITS)];
	if (!c->used || c->block != block || c->module != loc->module || c->flags != loc->flags ||
	    loc->addr < c->start || loc->addr >= c->end) {
		sf_symbols_name_outer(s, loc, &c->frame, &c->start, &c->end);
		c->block = block;
		c->module = loc->module;
		c->flags = loc->flags;
		c->used = 1;
	}
	*frame = c->frame;
	frame->addr = loc->ip;
	*start = c->start;
	*end = c->end;
}

void sf_symbols_frame_now(struct sf_symbols *s, uint32_t pid, uint64_t ip, unsigned mode,
			  bool caller, struct sf_frame *frame, uint64_t *start, uint64_t *end)
{
	bool back = caller && s->opts.call_sites && ip;
	const struct sf_mapping *m;
	struct sf_location loc;

	mode &= PERF_RECORD_MISC_CPUMODE_MASK;
	m = find_mapping(s, pid, ip - back, mode);
	loc = place(m, ip, mode, back);
	/* Where frame pointers are missing chains are full of numbers that are no addresses. */
	if (!m && mode == PERF_RECORD_MISC_USER) {
		*frame = (struct sf_frame){
			.name = "", .dso = "", .dso_short = "", .addr = ip, .flags = SF_FRAME_UNKNOWN};
		*start = ip;
		*end = ip + 1;
		return;
	}
	name_now(s, &loc, frame, start, end);
	/* From addresses of the module to those of the mapping, as far as it goes. */
	*start += ip - loc.addr;
	*end += ip - loc.addr;
	if (m && *start < m->start + back)
		*start = m->start + back;
	if (m && *end > m->end)
		*end = m->end;
	if (*start > ip || *end <= ip) { /* wrapped around, or outside: what is hostile */
		*start = ip;
		*end = ip + 1;
	}
}

bool sf_symbols_has_inlines(const struct sf_symbols *s)
{
	return s->opts.inlines;
}

static int name_first(struct sf_symbols *s, struct sf_location *loc)
{
	s->named++;
	if (s->opts.progress.tell)
		s->opts.progress.tell(s->opts.progress.arg, s->named, s->locs.nr);
	if (!sf_symbols_name(s, loc))
		return 0;
	s->no_memory = true;
	return -ENOMEM;
}

bool sf_symbols_no_memory(const struct sf_symbols *s)
{
	return s && s->no_memory;
}

size_t sf_symbols_frames(struct sf_symbols *s, uint32_t id, const struct sf_frame **frames)
{
	static const struct sf_frame unknown = {
		.name = "", .dso = "", .dso_short = "", .flags = SF_FRAME_UNKNOWN};
	struct sf_location *loc = sf_location_at(&s->locs, id);

	*frames = &unknown;
	if (!loc || (!loc->nr_frames && name_first(s, loc)))
		return 1;
	*frames = loc->frames;
	return loc->nr_frames;
}

const struct sf_module *sf_symbols_module(struct sf_symbols *s, uint32_t id, uint64_t *addr)
{
	const struct sf_location *loc = sf_location_at(&s->locs, id);
	const struct sf_mod *mod = loc ? sf_modules_at(&s->modules, loc->module) : NULL;

	if (addr)
		*addr = loc ? loc->addr : 0;
	return mod ? &mod->pub : NULL;
}

size_t sf_symbols_nr_locations(const struct sf_symbols *s)
{
	return s->locs.nr;
}
