/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the time of windows went, as a tree of paths with one column for each window.
 *
 * The levels of a path, from the root: owner (thread, or device), kind (why), then frames from the
 * outermost caller to the leaf. Through a kernel lock the frames of who waits for it come first, then
 * the marker "--", then those of its holder. Windows of several recordings share the tree: paths are
 * equal when their names are.
 */
#ifndef SNAPFLAME_PROFILE_H
#define SNAPFLAME_PROFILE_H

#include <snapflame/critpath.h>

enum sf_path_level { SF_PATH_ROOT, SF_PATH_OWNER, SF_PATH_KIND, SF_PATH_FRAME, SF_PATH_MARKER };

struct sf_path {
	uint32_t parent; /* index; 0 is the root */
	uint32_t label;  /* string id: owner, kind, or frame */
	uint32_t owner;  /* index into owner; 0 at the root */
	uint8_t level;   /* enum sf_path_level */
	uint8_t kind;    /* enum sf_kind, from SF_PATH_KIND on */
	uint8_t flags;   /* SF_FRAME_* of a frame */
	uint8_t state;   /* enum sf_state, from SF_PATH_KIND on */
	uint8_t task;    /* enum sf_task_state of a blocked one */
};

/* An owner. Threads of different processes are one owner when process and thread have equal names:
 * that is what fast and slow have in common. */
struct sf_owner {
	uint32_t label;         /* "firecracker (main)", "snap-helper", "vda" */
	uint32_t comm, process; /* string ids; process "" for devices and kernel threads */
	uint32_t tid, pid;      /* of the last window it was seen in; 0 for devices */
	uint32_t dev;           /* 0: a thread */
	bool target, kernel, vcpu;
};

/* What an owner has to do with the time of another one. */
enum sf_relation {
	SF_WAITS,  /* it waited for the path's owner */
	SF_HAS_CPU, /* runqueue: it had the CPU */
	SF_SERVES, /* I/O: the device or worker that did what the path's owner waits for */
	SF_TAKES_TURNS, /* time in an exchange; path is any, owner an index into exchange */
	SF_NR_RELATIONS,
};

/* Who waited for whom, who had the CPU: ms by window, for one owner and kind. */
struct sf_link {
	uint32_t path;  /* the SF_PATH_KIND node it is about */
	uint32_t owner; /* index into owner */
	uint8_t relation; /* enum sf_relation */
	uint32_t stack; /* string id: where the waiter waits, leaf < … < root; 0 */
	/* SF_WAITS for a CPU after a wake-up: the SF_PATH_KIND node of what it slept for; 0 */
	uint32_t after;
	double ms;      /* summed over windows */
	double *column; /* ms by window; those past nr are 0 */
	double *times;  /* and how often, where after is set */
	size_t nr, alloc, times_alloc;
};

/* One owner that waits for another again and again, with little of its own in between. */
struct sf_exchange {
	uint32_t waiter, server; /* indices into owner */
	double *column; /* how often, by window; those past nr are 0 */
	size_t nr, alloc;
};

struct sf_profile {
	struct sf_strtab str;
	struct sf_path *path; /* children come after their parents; 0 is the root */
	size_t nr_paths, path_alloc;
	struct sf_owner *owner; /* from 1 */
	size_t nr_owners, owner_alloc;
	size_t nr_columns;
	/* ms by path and column; index path * nr_columns + column */
	double *self, *total;
	size_t self_alloc, total_alloc;
	struct sf_link *link;
	size_t nr_links, link_alloc;
	struct sf_exchange *exchange;
	size_t nr_exchanges, exchange_alloc;
	/* private */
	struct sf_map64 child, owner_of, link_of;
	double **column;
	size_t column_alloc;
	size_t *column_paths;
	size_t column_paths_alloc;
};

/*
 * Where to get frame names of a recording as string ids of the profile: made once for each
 * recording, used for all its windows.
 */
struct sf_namer {
	struct sf_profile *profile;
	const struct sf_recording *rec;
	bool functions; /* pieces and clones of a function have its name (same_name.h) */
	uint32_t *first; /* by location: index + 1 into name */
	size_t nr;
	uint32_t *name; /* groups of names and flags, outermost first, each group ends with 0 */
	uint8_t *flags;
	size_t nr_names, name_alloc, flags_alloc;
	/* private: segments whose path is known, texts of stacks that are known */
	struct sf_map64 known, text_of;
	struct sf_known_segment *segment;
	size_t nr_segments, segment_alloc;
};

int sf_namer_init(struct sf_namer *n, struct sf_profile *p, const struct sf_recording *rec);
void sf_namer_release(struct sf_namer *n);

/*
 * The path of one segment of cp, made where there is none: owner, kind, frames. Each is looked for
 * once; equal segments of later windows cost no more than a look. 0 or -ENOMEM.
 */
int sf_profile_path(struct sf_profile *p, struct sf_namer *n, const struct sf_critpath *cp,
		    const struct sf_segment *s, uint32_t *path);
/* The path of p that has the names of from's path; 0 where there is none. */
uint32_t sf_profile_find(const struct sf_profile *p, const struct sf_profile *from, uint32_t path);

/* Append a column with the critical path's segments, ms. */
int sf_profile_add(struct sf_profile *p, struct sf_namer *n, const struct sf_critpath *cp);
/* Walk a window of n's recording, and append its column: empty where the window has no root. */
int sf_profile_add_window(struct sf_profile *p, struct sf_namer *n, struct sf_mechanisms *m,
			  const struct sf_window *w);
/* After the last column: fill self and total. */
int sf_profile_finish(struct sf_profile *p);
void sf_profile_release(struct sf_profile *p);

static inline double sf_profile_self(const struct sf_profile *p, size_t path, size_t column)
{
	return p->self[path * p->nr_columns + column];
}
static inline double sf_profile_total(const struct sf_profile *p, size_t path, size_t column)
{
	return p->total[path * p->nr_columns + column];
}

#endif
