/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A stack on one line. Which frames tell most: the leaf and what is near it, what the program called
 * the system with, and the outermost of the program's own functions; through a lock, both sides of
 * the marker. Frames are taken in the order of their distance to one of these until the line is
 * full.
 */
#include <stdlib.h>
#include <string.h>

#include <snapflame/array.h>
#include <snapflame/render_text.h>

#include "render/layout.h"

#define MARKER    "--"
#define SEPARATOR " < "

enum { GAP_COLUMNS = 4, NOISE = 1000, MAX_FRAMES = 1024, MIN_WIDTH = 12 };

struct frame {
	struct sf_str text; /* printable, no wider than a frame may be */
	size_t columns, index;
	unsigned cost; /* the less, the sooner it is shown */
	bool noise, entry, kept;
};

static bool matches(const char *name, const char *pattern)
{
	size_t n = strlen(pattern);

	if (pattern[n - 1] == '*')
		return !strncmp(name, pattern, n - 1);
	return !strcmp(name, pattern);
}

static bool any(const char *name, const char *const *list, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (matches(name, list[i]))
			return true;
	return false;
}

static bool is_entry(const char *name)
{
	static const char *const list[] = {
		"entry_SYSCALL_64*", "do_syscall_64", "x64_sys_call", "__x64_sys_*", "__se_sys_*",
		"__do_sys_*", "el0_svc*", "el0t_64_sync*", "invoke_syscall*", "do_el0_svc",
		"entry_SYSCALL_compat*", "do_int80_syscall*",
	};

	return any(name, list, SF_ARRAY_SIZE(list));
}

/* What is the same in every stack, whatever happened. */
static bool is_noise(const char *name)
{
	static const char *const list[] = {
		"_start", "__libc_start_main*", "__libc_start_call_main", "main", "start_thread",
		"clone", "clone3", "__clone", "__clone3", "__GI___clone*", "thread_start",
		"ret_from_fork*", "kthread", "[*", "std::rt::*", "core::ops::function::*",
		"std::sys::backtrace::*", "std::sys_common::backtrace::*", "std::panicking::try*",
		"std::panic::*", "std::sys::pal::*", "std::sys::thread::*", "std::thread::Builder::*",
		"<alloc::boxed::Box<*", "schedule", "__schedule", "asm_sysvec_*", "sysvec_*",
		"asm_exc_*", "exc_page_fault",
	};

	return any(name, list, SF_ARRAY_SIZE(list));
}

static void take_in(struct frame *f, const char *const *name, size_t nr, size_t width)
{
	size_t most = width >= 48 ? width / 2 : width > 24 + GAP_COLUMNS ? 24 : width - GAP_COLUMNS;

	for (size_t i = 0; i < nr; i++) {
		struct sf_str printable = SF_STR_INIT;

		sf_str_init(&f[i].text);
		sf_str_add_printable(&printable, name[i], strlen(name[i]));
		sf_put_cut(&f[i].text, printable.len ? printable.buf : "?", most);
		f[i].text.failed |= printable.failed;
		sf_str_release(&printable);
		f[i].columns = sf_columns(f[i].text.buf, f[i].text.len);
		f[i].index = i;
		f[i].entry = is_entry(name[i]);
		f[i].noise = f[i].entry || is_noise(name[i]);
		f[i].cost = NOISE;
	}
}

/* Frames are the less interesting the farther from this one, which itself costs least; callees
 * leafward times as much as callers. */
static void anchor(struct frame *f, size_t nr, size_t at, unsigned least, unsigned leafward)
{
	for (size_t i = 0; i < nr; i++) {
		unsigned far = least + (unsigned)(i > at ? i - at : (at - i) * leafward);

		if (!f[i].noise && far < f[i].cost)
			f[i].cost = far;
	}
}

static void find_anchors(struct frame *f, size_t nr)
{
	size_t last = 0;
	bool entry = false;

	for (size_t i = 0; i < nr; i++)
		if (!f[i].noise) {
			anchor(f, nr, i, 0, 1);
			break;
		}
	for (size_t i = 0; i < nr; i++) {
		if (!f[i].noise)
			last = i;
		if (!strcmp(f[i].text.buf, MARKER)) {
			f[i].noise = true; /* else it would be an anchor's neighbour */
			f[i].cost = 1;
			anchor(f, nr, i + 1, 1, 1);
		}
		/* Behind the entry comes the C library's wrapper, and then who called it. */
		if (i && f[i].entry && !f[i - 1].entry)
			anchor(f, nr, i - 1, 3, 1);
		if (f[i].entry && i + 2 < nr && !f[i + 1].entry)
			anchor(f, nr, i + 2, 1, 3);
		entry |= f[i].entry;
	}
	/* Who calls the system says more than the program's main loop. */
	anchor(f, nr, last, entry ? 5 : 2, 1);
	f[0].cost = 0;
}

static size_t columns_of(const struct frame *f, size_t nr)
{
	size_t sum = 0, end = nr;
	bool gap = false, first = true;

	/* Thread starts that are left out at the end need no "…". */
	while (end && !f[end - 1].kept && f[end - 1].noise)
		end--;
	for (size_t i = 0; i < end; i++) {
		if (!f[i].kept) {
			sum += gap ? 0 : 1 + (first ? 0 : strlen(SEPARATOR));
			gap = true;
		} else {
			sum += f[i].columns + (first ? 0 : strlen(SEPARATOR));
			gap = false;
		}
		first = false;
	}
	return sum;
}

static void print(struct sf_str *out, const struct frame *f, size_t nr)
{
	size_t end = nr;
	bool gap = false, first = true;

	while (end && !f[end - 1].kept && f[end - 1].noise)
		end--;
	for (size_t i = 0; i < end; i++) {
		if (!f[i].kept && gap)
			continue;
		gap = !f[i].kept;
		sf_str_add(out, first ? "" : SEPARATOR);
		sf_str_add(out, gap ? "…" : f[i].text.buf);
		first = false;
	}
}

static int by_cost(const void *a, const void *b)
{
	const struct frame *x = *(const struct frame *const *)a, *y = *(const struct frame *const *)b;

	if (x->cost != y->cost)
		return x->cost < y->cost ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

static void choose(struct frame *f, struct frame **order, size_t nr, size_t width)
{
	for (size_t i = 0; i < nr; i++)
		order[i] = &f[i];
	qsort(order, nr, sizeof(*order), by_cost);
	order[0]->kept = true;
	for (size_t i = 1; i < nr; i++) {
		order[i]->kept = true;
		if (columns_of(f, nr) <= width)
			continue;
		order[i]->kept = false;
		/* A short one may still fit where a long one did not, but not by far. */
		if (columns_of(f, nr) + GAP_COLUMNS + 8 > width)
			break;
	}
}

void sf_text_frames(struct sf_str *out, const char *const *frame, size_t nr, size_t width)
{
	struct frame *f, **order;

	if (!nr)
		return;
	nr = nr < MAX_FRAMES ? nr : MAX_FRAMES;
	width = width < MIN_WIDTH ? MIN_WIDTH : width;
	f = calloc(nr, sizeof(*f));
	order = calloc(nr, sizeof(*order));
	if (f && order) {
		take_in(f, frame, nr, width);
		find_anchors(f, nr);
		choose(f, order, nr, width);
		print(out, f, nr);
	} else {
		out->failed = true;
	}
	for (size_t i = 0; f && i < nr; i++) {
		out->failed |= f[i].text.failed;
		sf_str_release(&f[i].text);
	}
	free(f);
	free(order);
}
