/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reading the text that perf script prints, sample by sample:
 *
 *	java 24636/25607 [000] 4794564.109216:     250000 cycles:u:
 *		    7f2c1 __write_nocancel+0x7 (/lib/x86_64-linux-gnu/libpthread-2.19.so)
 *		    …
 *	(blank line)
 *
 * in all shapes that perf has given it: with and without pid, CPU, time, period; tracepoints with
 * their text; samples without call chain, which take one line; comments. Names of threads may hold
 * spaces and digits: the pid is looked for before the time stamp. Lines that are nothing of all
 * that are counted and skipped.
 */
#ifndef SNAPFLAME_SCRIPT_H
#define SNAPFLAME_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <snapflame/error.h>
#include <snapflame/filetype.h>

/* A piece of text, not terminated. */
struct sf_text {
	const char *p;
	size_t len;
};

struct sf_script_frame {
	struct sf_text pc;     /* as printed: hexadecimal without 0x */
	struct sf_text symbol; /* without +0x offset; "[unknown]" as perf prints it */
	struct sf_text dso;    /* what is in parentheses at the end */
	uint64_t ip;           /* pc as a number, 0 where it is none */
	uint64_t offset;       /* in the symbol */
};

struct sf_script_sample {
	struct sf_text header; /* the whole line */
	struct sf_text comm, event, text; /* text: what a tracepoint prints behind its name */
	bool has_pid, has_cpu, has_time, has_period;
	int64_t pid, tid; /* perf prints -1 where it does not know */
	uint32_t cpu;
	uint64_t time; /* ns */
	uint64_t period;
	const struct sf_script_frame *frames; /* leaf first */
	size_t nr_frames;
	bool bare;     /* a header alone: no frames, nor the blank line that ends a stack */
	unsigned line; /* of the header */
};

struct sf_script_stats {
	uint64_t samples;
	uint64_t unrecognized;   /* lines */
	unsigned first_unrecognized;
};

struct sf_script;

/* in is borrowed; path is for messages. *s is NULL on failure. */
int sf_script_new(struct sf_script **s, struct sf_input *in, const char *path,
		  struct sf_error *err);
void sf_script_free(struct sf_script *s);
/* 1 and a sample, valid until the next call; 0 at the end; negative errno. */
int sf_script_next(struct sf_script *s, const struct sf_script_sample **sample,
		   struct sf_error *err);
const struct sf_script_stats *sf_script_stats(const struct sf_script *s);

/* Whether a line is the header of a sample beyond doubt: it has a pid and a time stamp. */
bool sf_script_is_header(const char *line, size_t len);

#endif
