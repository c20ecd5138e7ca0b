/* SPDX-License-Identifier: GPL-2.0-only */
/* The marks of a recording, collected until it is written; their form is <snapflame/marks.h>. */
#ifndef SF_CAPTURE_MARK_LIST_H
#define SF_CAPTURE_MARK_LIST_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct sf_marks {
	struct sf_mark {
		uint64_t time;
		char *text;
		size_t len;
		unsigned branch; /* that it belongs to; 0: none */
	} *item;
	size_t nr, alloc;
};

/*
 * Add an object of the given type at time; "type" and "t" are set here. Takes obj over in any case.
 * -ENOMEM (also for a NULL obj), -E2BIG where it is longer than a mark may be.
 */
int sf_marks_add(struct sf_marks *m, const char *type, uint64_t time, json_t *obj);
/* Those of a BRANCH. */
void sf_marks_forget(struct sf_marks *m, unsigned branch);
void sf_marks_release(struct sf_marks *m);

/* Bytes that v takes in a mark. */
size_t sf_json_size(const json_t *v);
/* A string with what is not UTF-8 made printable: comms and paths may hold any bytes. */
json_t *sf_json_text(const char *text, size_t len);

#endif
