/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The time of a window as a list of pieces, for whoever draws or exports it: what one thread did, or
 * whose time the window is. The pieces of a list are in order of time and cover the window without
 * gaps, so their lengths sum to it.
 *
 *	struct sf_pieces_source src;
 *	struct sf_pieces list = { 0 };
 *
 *	sf_pieces_source_init(&src, rec);
 *	sf_pieces_of_thread(&list, &src, window, thread);
 *	for (size_t i = 0; i < list.nr; i++)
 *		… list.item[i].hi - list.item[i].lo …
 *	sf_pieces_release(&list);
 *	sf_pieces_source_release(&src);
 */
#ifndef SNAPFLAME_PIECES_H
#define SNAPFLAME_PIECES_H

#include <snapflame/profile.h>

struct sf_piece {
	uint64_t lo, hi; /* ns */
	uint32_t thread; /* whose time it is; of a device's: who waits for it */
	uint32_t dev;    /* it is this device's time; 0: the thread's */
	uint32_t stack;  /* trimmed of the scheduler; SF_NO_STACK unknown */
	uint32_t owner;  /* critical path: index into src.profile.owner; else 0 */
	uint8_t state;   /* enum sf_state */
	uint8_t task;    /* enum sf_task_state of a blocked one */
	uint8_t kind;    /* enum sf_kind: why */
	bool sampled;    /* running, and stands for one CPU sample */
};

struct sf_pieces {
	struct sf_piece *item;
	size_t nr, alloc;
};

struct sf_pieces_source {
	const struct sf_recording *rec;
	struct sf_mechanisms mech;
	struct sf_profile profile; /* only its owners and their names */
};

int sf_pieces_source_init(struct sf_pieces_source *src, const struct sf_recording *rec);
void sf_pieces_source_release(struct sf_pieces_source *src);

/* What a thread did. list is zeroed or was filled before. 0 or -ENOMEM. */
int sf_pieces_of_thread(struct sf_pieces *list, struct sf_pieces_source *src,
		       const struct sf_window *window, uint32_t thread);
/* The critical path; empty for a window without a root. */
int sf_pieces_of_path(struct sf_pieces *list, struct sf_pieces_source *src,
		     const struct sf_window *window);
void sf_pieces_release(struct sf_pieces *list);

/* Is it a thread of the target? A recording that knows no target is about everybody in it. */
bool sf_pieces_wants(const struct sf_recording *rec, uint32_t thread);

/*
 * What stands below the stack, where it does not say the state itself: "[runnable]", "[blocked]",
 * "[running]", "[unaccounted]", "[device vda]", in buf; NULL: nothing.
 */
const char *sf_piece_last(const struct sf_recording *rec, const struct sf_piece *s, char *buf,
			 size_t size);

/* "running", "blocked D", … in buf. */
const char *sf_piece_state(const struct sf_piece *s, char *buf, size_t size);

#endif
