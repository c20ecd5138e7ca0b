/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An opened input and what it holds. Commands that take several kinds of files open them here, ask
 * for the kind, and hand the input to the reader of that kind; so standard input works as any file.
 *
 *	struct sf_input *in;
 *
 *	if (sf_input_open(&in, path, &err))
 *		…
 *	switch (sf_input_type(in)) {
 *	case SF_FILETYPE_PERF_DATA:
 *		sf_reader_open_input(&reader, in, path, NULL, &err);  (the reader owns in now)
 *	case SF_FILETYPE_SCRIPT:
 *		sf_script_new(&script, in, path, &err);
 *
 * gzip and zstd around all of it are taken off.
 */
#ifndef SNAPFLAME_FILETYPE_H
#define SNAPFLAME_FILETYPE_H

#include <stddef.h>

#include <snapflame/error.h>
#include <snapflame/progress.h>

enum sf_filetype {
	SF_FILETYPE_UNKNOWN,
	SF_FILETYPE_EMPTY,
	SF_FILETYPE_PERF_DATA, /* also a directory */
	SF_FILETYPE_SCRIPT,    /* text of perf script */
	SF_FILETYPE_FOLDED,
	SF_FILETYPE_CSV,
};

struct sf_input;

int sf_input_open(struct sf_input **in, const char *path, struct sf_error *err); /* "-": stdin */
void sf_input_free(struct sf_input *in);

/* Tell p (copied) how many bytes were read, of how many. */
void sf_input_progress(struct sf_input *in, const struct sf_progress *p);

/* Looks at the first lines, without taking them from the input. */
enum sf_filetype sf_input_type(struct sf_input *in);
/* The same for bytes in memory: the start of a file; whole says that it is all of it. */
enum sf_filetype sf_filetype_of(const char *text, size_t len, int whole);
const char *sf_filetype_name(enum sf_filetype kind); /* "a perf.data file", "folded stacks", … */

#endif
