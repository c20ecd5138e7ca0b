/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tables of one thread of a Firefox profile: columns side by side, rows known by their index. Names
 * are indices into one array for the whole profile. Private to render/.
 */
#ifndef SF_RENDER_EXPORT_FIREFOX_H
#define SF_RENDER_EXPORT_FIREFOX_H

#include "render/export_impl.h"

/* In the order of meta.categories. */
enum firefox_category { FX_OTHER, FX_USER, FX_KERNEL, FX_RUNNABLE, FX_BLOCKED, FX_PATH, FX_NR };

struct firefox_thread {
	/* stacks: a tree of frames; a frame is a function here, as there is no address to show */
	struct {
		uint32_t prefix, frame; /* prefix: index + 1, 0 none */
	} *stack;
	size_t nr_stacks, stack_alloc;
	struct sf_map64 stack_of;
	struct {
		uint32_t id;      /* of sf_export_frames */
	} *frame;
	size_t nr_frames, frame_alloc;
	struct sf_map64 frame_of;
	struct firefox_sample {
		uint64_t lo, ns;
		uint32_t stack;   /* index + 1, 0: none */
		uint32_t owner;   /* of the critical path: string id */
		uint8_t state, task, kind;
		bool running;
	} *sample;
	size_t nr_samples, sample_alloc;
};

void sf_firefox_thread_release(struct firefox_thread *t);
/* 0 or -ENOMEM. */
int sf_firefox_add(struct firefox_thread *t, struct sf_exporter *e, const struct sf_piece *s,
		   uint32_t owner);

/* The tables as members of a JSON object, without braces; the strings are those of e->frames. */
void sf_firefox_put_tables(const struct firefox_thread *t, struct sf_exporter *e);
uint8_t sf_firefox_category(const struct firefox_sample *s);

#endif
