/* SPDX-License-Identifier: GPL-2.0-only */
/* Recordings that the command line names, and the BRANCHes of them that --window names. */
#ifndef SF_WINDOWS_H
#define SF_WINDOWS_H

#include <snapflame/diff.h>

#include "options.h"

/* The words that --window takes beside numbers, by enum sf_side. */
extern const char *const sf_window_words[];

#define SF_WINDOWS(s, f)                                                                           \
	SF_LIST(0, "window", s, f, sf_window_words, "LIST",                                        \
		"only these BRANCHes: 1,2,4-6, fast, slow")

struct sf_picked {
	const struct sf_window *window;
	const char *group; /* "fast", "slow"; NULL where the series is not split, or not here */
};

/* Load a recording; say what is wrong with it. NULL when a failure was reported. */
struct sf_recording *sf_load(const char *path, const struct sf_recording_opts *opts);

/*
 * The windows that the list names, all where it is empty; *out is malloc'd. A BRANCH that is not
 * there, and fast or slow where there is no split, is reported; an exit status.
 */
int sf_pick_windows(const struct sf_recording *rec, const struct sf_list *list,
		    struct sf_picked **out, size_t *nr);

#endif
