/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VMM as a whole. Main owns everything here; fc_api hands it one action at a time and waits
 * for the answer, a vCPU thread touches only its own struct vcpu.
 */
#ifndef BRANCHSIM_VMM_H
#define BRANCHSIM_VMM_H

#include "cause.h"
#include "chan.h"
#include "guest.h"
#include "names.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>

#define MAX_VCPUS  8
#define MAX_PHASES 8

struct vmm_opts {
	const char *sock, *dir, *log, *cause;
	unsigned mem_mb, vcpus, step;
	double base, grow; /* below 0: the cause's */
	int no_kvm, prealloc, no_fsync, daemon;
};

enum vcpu_command { VCPU_PAUSE = 1, VCPU_SAVE, VCPU_RESUME };

struct vcpu {
	struct vmm *vmm;
	struct guest_vcpu guest;
	char name[COMM_SIZE];
	pid_t tid;
	pthread_t thread;
	struct chan command, reply;
	uint64_t exit_ns;    /* when it came out of KVM_RUN, whatever for */
	uint64_t left_ns;    /* when it did so to pause */
	uint64_t entered_ns; /* when it went back after that; 0 while paused */
	size_t state_len;
	char state[16384];
};

struct phase {
	const char *name;
	uint64_t start_ns, end_ns;
};

/* What is known about the BRANCH under way or the last one. */
struct branch {
	unsigned k; /* 0: none yet */
	uint64_t pause_ns, paused_ns, resume_ns, resumed_ns; /* as main sees them */
	struct phase phases[MAX_PHASES];
	unsigned nphases;
	uint64_t pages, runs;
	int logged;
};

enum action_kind {
	ACTION_PAUSE,
	ACTION_RESUME,
	ACTION_CREATE,
	ACTION_INFO,     /* GET / */
	ACTION_STATE,    /* GET /vm */
	ACTION_MACHINE,  /* GET /machine-config */
	ACTION_BRANCHES, /* GET /branchsim: not Firecracker's */
};

struct action {
	enum action_kind kind;
	int full; /* snapshot_type */
	char snapshot_path[512], mem_path[512];
	/* the answer */
	json_t *body;    /* NULL: 204 */
	char fault[1024]; /* "": it worked */
};

struct vmm {
	pid_t pid;
	struct vmm_opts opts;
	struct cause *cause;
	int prepared; /* the cause's setup began: its teardown is due */
	struct guest guest;
	struct vcpu vcpus[MAX_VCPUS];
	unsigned nvcpus;
	int paused;
	struct branch branch;
	FILE *log;
	char *own_dir; /* a tmpfs directory made by us, to be removed; NULL: not needed */
	const char *state_dir, *mem_dir; /* of the vmstate file and of the memory file */

	int wake_fd; /* eventfd: an action waits */
	struct action *action;
	struct chan answered;

	int listen_fd;
	pthread_t api_thread;
};

/* The cause's work in BRANCH k, in its unit. */
double vmm_work(const struct vmm *vmm, unsigned k);

/* vcpu.c */
void vcpus_start(struct vmm *vmm);
void vcpus_command(struct vmm *vmm, enum vcpu_command command);
int vcpus_running(struct vmm *vmm);

/* snapshot.c: 0, or -1 with the action's fault filled in. */
int create_snapshot(struct vmm *vmm, struct action *a);

/* phases: begin_phase() ends the one before it; NULL ends only. */
void begin_phase(struct vmm *vmm, const char *name);

/* api.c */
void api_start(struct vmm *vmm);

/* distract.c: threads that have nothing to do with any pause. */
void distractors_start(void);

/* vmm_log.c: the BRANCH as JSON; NULL while a vCPU is still out. */
json_t *branch_json(struct vmm *vmm);
void branch_log(struct vmm *vmm);

/* vmm.c: create the VM, serve until SIGTERM or SIGINT, clean up. */
int vmm_run(const struct vmm_opts *opts);

#endif
