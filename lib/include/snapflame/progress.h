/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How far something is that may take long. What reads or names takes a struct sf_progress and calls
 * it now and then, often enough for a line that a person watches:
 *
 *	struct sf_progress p = { .tell = show, .arg = &line };
 *
 *	sf_input_progress(input, &p);     bytes as they are stored, compressed or not
 */
#ifndef SNAPFLAME_PROGRESS_H
#define SNAPFLAME_PROGRESS_H

#include <stdint.h>

struct sf_str;

struct sf_progress {
	void (*tell)(void *arg, uint64_t done, uint64_t total); /* total 0: nobody knows */
	void *arg;
};

enum sf_progress_unit { SF_PROGRESS_BYTES, SF_PROGRESS_ADDRESSES, SF_PROGRESS_SECONDS };

/* "12 % (42 of 352 MB), 21 MB/s, 15 s left"; without a total "42 MB, 21 MB/s". Appended to s. */
void sf_progress_text(struct sf_str *s, enum sf_progress_unit unit, uint64_t done, uint64_t total,
		      double seconds);

#endif
