/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Flame graphs: a tree of stacks, as an SVG or HTML file that needs nothing else.
 *
 *	struct sf_flame f;
 *	struct sf_str out = SF_STR_INIT;
 *
 *	sf_flame_init(&f);
 *	if (sf_flame_from_diff(&f, diff) || sf_flame_finish(&f))
 *		… no memory
 *	sf_flame_svg(&out, &f, NULL);
 *	sf_flame_release(&f);
 *
 * A differential one has two values for each stack. A box is as wide as the larger of its two
 * inclusive values, or as its children together where these need more (time that moved from one
 * child to another is there twice). Its colour is the difference of its inclusive values, grey
 * where the difference is not significant. Stacks that are new or have vanished are drawn as all
 * others, outlined, and listed.
 *
 * Names are data: they are shown whatever they hold, and never run.
 */
#ifndef SNAPFLAME_FLAMEGRAPH_H
#define SNAPFLAME_FLAMEGRAPH_H

#include <snapflame/error.h>
#include <snapflame/str.h>
#include <snapflame/table.h>

struct sf_profile;
struct sf_diff;

enum {
	SF_FLAME_DEPTH = 1000,  /* frames below the root; what is deeper is counted where it is cut */
	SF_FLAME_LABEL = 65535, /* bytes of a name; the rest is cut */
	SF_FLAME_OWNERS = 8,    /* that have a colour of their own */
};

enum sf_flame_side { SF_FLAME_BEFORE, SF_FLAME_AFTER };

enum sf_flame_flags {
	SF_FLAME_KERNEL = 1,
	SF_FLAME_INLINED = 2,
	SF_FLAME_JIT = 4,
	SF_FLAME_WAKER = 8, /* of the waker's stack, or between two stacks */
};

/* What the time of a box was: the colours of a flame graph whose stacks say it. */
enum sf_flame_group {
	SF_FLAME_OTHER,  /* not known */
	SF_FLAME_USER,   /* on a CPU, in user mode */
	SF_FLAME_SYSTEM, /* on a CPU, in the kernel */
	SF_FLAME_QUEUE,  /* ready, waits for a CPU */
	SF_FLAME_IO,     /* storage: device, throttle, writeback, journal */
	SF_FLAME_LOCK,
	SF_FLAME_MEMORY, /* faults, reclaim */
	SF_FLAME_WAIT,   /* a timer, a reply, a vCPU */
	SF_FLAME_NR_GROUPS,
};

enum sf_flame_sign { SF_FLAME_SIGN_UNKNOWN, SF_FLAME_SIGNIFICANT, SF_FLAME_INSIGNIFICANT };

struct sf_flame_node {
	uint32_t parent;  /* 0: the root; that one's is 0 too */
	uint32_t label;   /* string id, with the suffix that marks its flags (_[k] …) */
	double self[2];   /* by enum sf_flame_side; without differential the first is 0 */
	double total[2];  /* inclusive; filled by sf_flame_finish() */
	double lo, hi;    /* 95 % interval of the inclusive difference; NAN where there is none */
	double x, width;  /* in the flame's unit; filled by sf_flame_finish() */
	uint16_t seen[2]; /* windows of each side that have it */
	uint16_t depth;
	uint8_t flags;    /* enum sf_flame_flags */
	uint8_t group;    /* enum sf_flame_group; children inherit it */
	uint8_t owner;    /* 1 … SF_FLAME_OWNERS: rank of the branch at depth 1 by width; 0 others */
	uint8_t sign;     /* enum sf_flame_sign */
};

struct sf_flame {
	struct sf_strtab str;
	struct sf_flame_node *node; /* after sf_flame_finish(): depth first, siblings by name */
	size_t nr, alloc;
	const char *unit;   /* "ms", "samples", …: borrowed */
	bool differential, groups; /* groups: some box has one */
	bool mean;          /* values are means of n windows, not of the median ones */
	unsigned n[2];      /* windows of each side; 0: not of windows */
	uint64_t cut;       /* stacks that were deeper than SF_FLAME_DEPTH */
	uint64_t negative;  /* values below 0 that were taken as 0 */
	unsigned max_depth;
	double scale;       /* largest difference: what the colours are relative to */
	/* private */
	struct sf_map64 child;
	bool finished;
};

void sf_flame_init(struct sf_flame *f);
void sf_flame_release(struct sf_flame *f);

/* The child of that name, made where it is not there. UINT32_MAX without memory. */
uint32_t sf_flame_child(struct sf_flame *f, uint32_t parent, const char *name, size_t len,
			unsigned flags);
/*
 * Add a stack "root;…;leaf" with its values. Suffixes _[k] _[i] _[j] _[w] set flags. 0 or -ENOMEM.
 */
int sf_flame_add(struct sf_flame *f, const char *stack, size_t len, double before, double after);
/*
 * Add a line of a folded file, with one value or two. -EINVAL: it is none, and nothing was added;
 * a line with two values makes the flame differential.
 */
int sf_flame_add_line(struct sf_flame *f, const char *line, size_t len);

/* The tree of a profile: mean of its columns (one column: that one). 0 or -ENOMEM. */
int sf_flame_from_profile(struct sf_flame *f, const struct sf_profile *p);
/* The columns first … first + n - 1 of it, weighted equally. */
int sf_flame_from_columns(struct sf_flame *f, const struct sf_profile *p, size_t first, size_t n);
/* Both sides of a diff: its median windows, with intervals and significance for every box. */
int sf_flame_from_diff(struct sf_flame *f, const struct sf_diff *d);

/* Sort, sum up and lay out; before anything is drawn, and last. 0 or -ENOMEM. */
int sf_flame_finish(struct sf_flame *f);

/* The name as it is shown: without the suffix. *len may be NULL. */
const char *sf_flame_name(const struct sf_flame *f, const struct sf_flame_node *n, size_t *len);

/* Topmost boxes that one side does not have at all, largest first. Returns how many; at[] takes max. */
size_t sf_flame_only(const struct sf_flame *f, enum sf_flame_side side, uint32_t *at, size_t max);

/* From at towards the leaves as long as one child has most (80 %) of what at has on that side. */
uint32_t sf_flame_deepest(const struct sf_flame *f, enum sf_flame_side side, uint32_t at);

/* Class of a difference's colour, -4 … 4; SF_FLAME_GREY where it is not significant. */
enum { SF_FLAME_GREY = 5 };
int sf_flame_step(const struct sf_flame *f, const struct sf_flame_node *n);

struct sf_flame_opts {
	const char *title, *subtitle; /* NULL: none */
	unsigned width; /* of the SVG, in pixels; 0: 1200 */
	bool icicle;    /* the root on top */
	bool fragment;  /* to be put into a page that has sf_flame_style() and sf_flame_script() */
};

/*
 * Append the file; sf_str_failed(out) tells of a lack of memory. The SVG shows all boxes of at least
 * a third of a pixel where no script runs, and every box where it does. The HTML draws on a canvas
 * and takes larger trees.
 */
void sf_flame_svg(struct sf_str *out, const struct sf_flame *f, const struct sf_flame_opts *opts);
void sf_flame_html(struct sf_str *out, const struct sf_flame *f, const struct sf_flame_opts *opts);

/* What a page needs once for the fragments in it: content of <style> and of <script>. */
const char *sf_flame_style(void);
const char *sf_flame_script(void);

#endif
