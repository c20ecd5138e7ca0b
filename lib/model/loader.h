/* SPDX-License-Identifier: GPL-2.0-only */
/* State while a recording is loaded; private to model/. */
#ifndef SNAPFLAME_MODEL_LOADER_H
#define SNAPFLAME_MODEL_LOADER_H

#include <snapflame/recording.h>
#include <snapflame/unwind.h>

/* What an event of the file means to the model. */
enum sf_role {
	SF_ROLE_OTHER, /* nothing */
	SF_ROLE_CPU,   /* any sampled event: time on a CPU */
	SF_ROLE_SWITCH,
	SF_ROLE_WAKING,
	SF_ROLE_RQ_ISSUE,
	SF_ROLE_RQ_DONE,
	SF_ROLE_SENT,
	SF_ROLE_KVM_EXIT,
	SF_ROLE_SYS_ENTER,
	SF_ROLE_SYS_EXIT,
	SF_ROLE_TASK_STACK,
	SF_ROLE_MARK,
};

enum { SF_MAX_FIELDS = 4 };

struct sf_event_role {
	bool known;
	enum sf_role role;
	struct sf_field flags; /* common_flags */
	struct sf_field field[SF_MAX_FIELDS];
};

/* What a CPU was last heard of. */
struct sf_seen {
	uint64_t time;      /* of its last record */
	uint64_t sent;      /* a thread sent a packet through the loopback device then, */
	uint32_t sent_by;   /* this one */
};

struct sf_loader {
	struct sf_recording *rec;
	struct sf_reader *reader;
	struct sf_unwind *unwind;   /* for samples with a piece of stack; NULL: cannot be unwound */
	struct sf_event_role *role; /* by event index */
	size_t nr_roles, role_alloc;
	struct sf_map64 user_pid;   /* pids that mapped something: not kernel threads */
	struct sf_map64 space_gen;  /* pid -> how often its mappings changed */
	struct sf_map64 open_rq;    /* (dev, sector) -> request index + 1 */
	struct sf_seen *seen;       /* by CPU */
	size_t nr_seen, seen_alloc;
	uint32_t kernel_gen;
	int64_t cpu_event;          /* index of the event whose samples count; -1 none yet */
};

/* Thread that has tid now, made where there is none; pid UINT32_MAX: the caller does not know it.
 * SF_NO_THREAD without memory. */
uint32_t sf_load_thread(struct sf_loader *ld, uint32_t pid, uint32_t tid);
int sf_load_comm(struct sf_loader *ld, const struct sf_record *r);
int sf_load_fork(struct sf_loader *ld, const struct sf_record *r);
int sf_load_exit(struct sf_loader *ld, const struct sf_record *r);

int sf_load_switch(struct sf_loader *ld, const struct sf_record *r);
int sf_load_sched_switch(struct sf_loader *ld, const struct sf_record *r,
			 const struct sf_event_role *role);
int sf_load_waking(struct sf_loader *ld, const struct sf_record *r,
		   const struct sf_event_role *role);
int sf_load_sent(struct sf_loader *ld, const struct sf_record *r, const struct sf_event_role *role);
int sf_load_request(struct sf_loader *ld, const struct sf_record *r,
		    const struct sf_event_role *role, bool done);
int sf_load_finish_requests(struct sf_recording *rec);

/* Stack id of a sample's callchain (or of its ip); *kernel: the leaf is in the kernel. */
int sf_load_stack(struct sf_loader *ld, const struct sf_record *r, uint32_t *stack, bool *kernel);
/* Stack id of kernel addresses, leaf first. */
int sf_load_kernel_stack(struct sf_recording *rec, const uint64_t *ip, size_t nr, uint32_t *stack);

int sf_load_mark(struct sf_loader *ld, const struct sf_record *r);

/* After the last record: which threads are vCPUs, what is each window, who is its root. */
int sf_find_windows(struct sf_recording *rec, bool api_windows);

void sf_window_release(struct sf_window *w);
int sf_recording_note(struct sf_recording *rec, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
