/* SPDX-License-Identifier: GPL-2.0-only */
/* The two sides of a diff, from the command line's words to windows of recordings. */
#ifndef SF_DIFF_SIDES_H
#define SF_DIFF_SIDES_H

#include <snapflame/diff.h>
#include <snapflame/filetype.h>

#include "options.h"

/* The options of the commands that compare; a table has their rows by SF_SIDES_OPTIONS(). */
struct sf_sides_opts {
	struct sf_texts fast, slow; /* lists of BRANCH numbers, or files */
	unsigned warmup;
	bool api;
	const char *symfs;
};

#define SF_SIDES_OPTIONS(s, f)                                                                     \
	SF_TEXTS(0, "fast", s, f.fast, "LIST|FILE...",                                             \
		 "the fast side: BRANCH numbers (1,2 or 1-3) of RUN, or files"),                   \
	SF_TEXTS(0, "slow", s, f.slow, "LIST|FILE...", "the slow side"),                           \
	SF_UINT(0, "warmup", s, f.warmup, "N", "leave out the first N BRANCHes (0)"),              \
	SF_FLAG(0, "api", s, f.api, "the API's windows, also where the dark ones are known"),      \
	SF_FILE(0, "symfs", s, f.symfs, "DIR", "look for binaries under DIR")

struct sf_sides {
	struct sf_diff_input in;
	struct sf_recording **rec;
	size_t nr, alloc;
	struct sf_window_ref *ref[SF_NR_SIDES]; /* ref[SF_FAST] alone where one recording is split */
	char split[256];
	/* Some file has stacks but no windows: all are to be compared by their stacks. */
	bool stacks;
	/* Of files that are tables of pauses: all are, or none. path[SF_FAST] alone: one, to be split. */
	size_t nr_tables;
	struct sf_numbers {
		uint32_t *item;
		size_t nr, alloc;
	} number[SF_NR_SIDES]; /* what --fast and --slow name; none: the split is to be found */
	const char *const *path[SF_NR_SIDES];
	size_t nr_paths[SF_NR_SIDES];
	/* Text from pipes, which can be opened once only: opened to see what it is, not read yet. */
	struct sf_kept_input {
		const char *path;
		struct sf_input *in;
	} *kept;
	size_t nr_kept, kept_alloc;
};

/*
 * sf_options_parse() for such a command, with one thing more: "--fast a.data b.data" is taken as
 * "--fast a.data --fast b.data", unless its first word is a list of BRANCH numbers: then what follows
 * is the recording. *words is malloc'd and holds argv's words; *nr is how many there are. Returns what
 * sf_options_parse() does, -1 also without memory.
 */
int sf_sides_parse(const struct sf_command *cmd, void *target, int argc, char **argv, char ***words,
		   int *nr);

/*
 * Load the recordings and pick their windows; file are the operands, s is all zero but for inputs that
 * were kept. With whole_is_fine one recording
 * that cannot be split is no failure: in.nr are 0 then, and split says why. What went wrong is
 * reported; an exit status.
 */
int sf_sides_load(struct sf_sides *s, const struct sf_sides_opts *o, char **file, size_t nr_files,
		  bool whole_is_fine);
void sf_sides_release(struct sf_sides *s);

/* Take in over, if path is a pipe; else free it. An exit status. */
int sf_sides_keep(struct sf_sides *s, const char *path, struct sf_input *in);
/* Open a file of text, or have the one that was kept. As sf_input_open(). */
int sf_sides_open(struct sf_sides *s, const char *path, struct sf_input **in, struct sf_error *err);

/* The BRANCH numbers of --fast and --slow, with all as those that the file has; an exit status. */
int sf_sides_numbers(struct sf_sides *s, const struct sf_sides_opts *o, const struct sf_numbers *all);

#endif
