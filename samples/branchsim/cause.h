/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A cause: why the pauses of this VMM get longer, and what the right answer about it is.
 *
 * A new cause is one file cause_<name>.c with a struct cause and CAUSE(). Its work in BRANCH k is
 * vmm_work(vmm, k): base + grow * (k - 1) in the cause's unit.
 */
#ifndef BRANCHSIM_CAUSE_H
#define BRANCHSIM_CAUSE_H

#include <stddef.h>

struct vmm;

/* Who must be blamed. The threads' names depend on the options, so the role comes with them. */
enum role {
	ROLE_NOBODY,
	ROLE_MAIN,
	ROLE_VCPU,
	ROLE_THREAD, /* another thread of the VMM, named in comm */
	ROLE_PROCESS, /* a helper process, named in comm */
	ROLE_KERNEL, /* a kernel thread or a device; comm is a prefix of its name, or NULL */
};

/* An answer that is right. Unused members are NULL: they are not part of what is asked. */
struct answer {
	const char *kind;   /* a kind of the verdict: "cpu-user", "lock", … */
	enum role role;
	const char *comm;
	const char *frames; /* leaf first, separated by spaces; must appear in this order, with any
			       frames between; "a|b" is either */
};

/* Which snapshot files go to a tmpfs although the cause is about storage. */
enum in_memory { NO_FILES, STATE_FILE, ALL_FILES };

#define CAUSE_ANSWERS 6

struct cause {
	const char *name;
	const char *summary;
	const char *unit;      /* of base and grow: "ms", "fsyncs", "MB"; NULL: no work of its own */
	double base, grow;
	const char *storage;   /* setup of samples/storage.sh that it needs, NULL for tmpfs */
	const char *needs;     /* words: root kvm cgroup-cpu …; NULL for nothing */
	double max_gap;        /* seconds between BRANCHes for it to show; 0: any */
	int steady;            /* a control: its pauses must not grow */
	struct answer answers[CAUSE_ANSWERS]; /* the best first */

	/* How the memory file is written. */
	double dirty_mb;       /* working set of the guest; 0: 4 MB */
	unsigned chunk_kb;     /* only every other chunk of this size is dirty; 0: dense */
	int no_fsync;
	enum in_memory in_memory;

	/* NULL when it can run here, else why not, in text that lives on. */
	const char *(*probe)(struct vmm *vmm);
	/* Before there are threads: start helpers here. */
	void (*setup)(struct vmm *vmm);
	/* In main after setup and after each BRANCH k: the world changes before the next one. */
	void (*between)(struct vmm *vmm, unsigned k);
	/* In main, inside save_device_state of BRANCH k. */
	void (*run)(struct vmm *vmm, unsigned k);
	/* In the vCPU's thread: after it left KVM_RUN, before it says so; and after it said that it
	   resumes, before it enters KVM_RUN again. */
	void (*vcpu_stop)(struct vmm *vmm, unsigned vcpu, unsigned k);
	void (*vcpu_start)(struct vmm *vmm, unsigned vcpu, unsigned k);
	void (*teardown)(struct vmm *vmm);

	struct cause *next;
};

/* Name of the answer's thread or process under the options about names, in buf or not; NULL: any. */
const char *cause_comm(const struct answer *a, char buf[16]);

void cause_register(struct cause *c);

/* All causes in the order of their names. */
struct cause *cause_first(void);
struct cause *cause_find(const char *name);

#define CAUSE(c)                                                                                   \
	__attribute__((constructor)) static void register_##c(void)                                \
	{                                                                                          \
		cause_register(&(c));                                                              \
	}

#endif
