/* SPDX-License-Identifier: GPL-2.0-only */
/* The two sides of a diff, from the command line's words to windows of recordings. */
#ifndef SF_DIFF_SIDES_H
#define SF_DIFF_SIDES_H

#include <snapflame/diff.h>

#include "options.h"

struct sf_sides_opts {
	const struct sf_texts *fast, *slow; /* lists of BRANCH numbers, or files */
	char **file;                        /* operands */
	size_t nr_files;
	unsigned warmup;
	/* One recording that cannot be split is no failure: in.nr are 0 then, and split says why. */
	bool whole_is_fine;
	struct sf_recording_opts load;
};

struct sf_sides {
	struct sf_diff_input in;
	struct sf_recording **rec;
	size_t nr, alloc;
	struct sf_window_ref *ref[SF_NR_SIDES]; /* ref[SF_FAST] alone where one recording is split */
	char split[256];
	/* Some file has stacks but no windows: all are to be compared by their stacks. */
	bool stacks;
	const char *const *path[SF_NR_SIDES];
	size_t nr_paths[SF_NR_SIDES];
};

/*
 * "--fast a.data b.data" becomes "--fast a.data --fast b.data", unless its first word is a list of
 * BRANCH numbers: then what follows is the recording. *out is malloc'd, the words are argv's.
 */
int sf_sides_words(int argc, char **argv, int *nr, char ***out);

/* Load the recordings and pick their windows. What went wrong is reported; an exit status. */
int sf_sides_load(struct sf_sides *s, const struct sf_sides_opts *o);
void sf_sides_release(struct sf_sides *s);

#endif
