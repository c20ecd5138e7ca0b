/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One recording in memory: threads, what the scheduler did with them, stacks, windows.
 *
 *	struct sf_recording *rec;
 *
 *	if (sf_recording_load(&rec, "slow.data", NULL, &err))
 *		…
 *	for (size_t i = 0; i < rec->nr_windows; i++)
 *		… rec->window[i].lo … rec->window[i].hi …
 *	sf_recording_free(rec);
 *
 * Everything that is public here is read-only for callers and lives as long as the recording.
 * Times are ns in the clock of the recording (CLOCK_MONOTONIC for snapflame's own). Reads what
 * `snapflame record` writes (marks.h), and any perf.data with sched_switch or context switch
 * records, which then is one window from its first to its last event.
 *
 * Memory: 24 to 32 bytes for each scheduler event, CPU sample and polled stack.
 */
#ifndef SNAPFLAME_RECORDING_H
#define SNAPFLAME_RECORDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <snapflame/error.h>
#include <snapflame/marks.h>
#include <snapflame/progress.h>
#include <snapflame/reader.h>
#include <snapflame/symbol.h>
#include <snapflame/table.h>

enum { SF_NO_THREAD = UINT32_MAX, SF_NO_STACK = 0 };

/* What the scheduler said of a thread, in order of time. */
enum sf_sched_kind {
	SF_SCHED_IN,   /* starts to run on cpu; other: who ran there before */
	SF_SCHED_OUT,  /* stops to run; state, stack; other: who runs next */
	SF_SCHED_WAKE, /* is woken; other: by whom, state: enum sf_wake_context */
};

/* State of a thread that is switched out (prev_state of sched_switch, named once for all kernels). */
enum sf_task_state {
	SF_TASK_PREEMPTED,     /* still wants the CPU */
	SF_TASK_INTERRUPTIBLE, /* S */
	SF_TASK_UNINTERRUPTIBLE, /* D */
	SF_TASK_STOPPED,       /* T, t */
	SF_TASK_DEAD,          /* X, Z */
	SF_TASK_IDLE,          /* I: a kernel thread that does not count as load */
	SF_TASK_BLOCKED,       /* blocked; the recording does not say how */
};

enum sf_wake_context {
	SF_WAKE_TASK,    /* the waker ran in its own context: it is the cause */
	SF_WAKE_IRQ,     /* a hard interrupt: the interrupted thread is not the cause */
	SF_WAKE_SOFTIRQ, /* a soft interrupt, likewise */
	SF_WAKE_SENDER,  /* a soft interrupt that the waker itself had just raised on this CPU, sending
			    through the loopback device: its message */
};

static inline bool sf_wake_is_task(unsigned context)
{
	return context == SF_WAKE_TASK || context == SF_WAKE_SENDER;
}

struct sf_sched {
	uint64_t time;
	uint32_t other; /* thread index, SF_NO_THREAD unknown */
	uint32_t stack; /* OUT: stack id, SF_NO_STACK unknown */
	uint16_t cpu;
	uint8_t kind;  /* enum sf_sched_kind */
	uint8_t state; /* OUT: enum sf_task_state; WAKE: enum sf_wake_context */
};

struct sf_cpu_sample {
	uint64_t time, period; /* period: ns for cpu-clock, else the event's own unit */
	uint32_t stack;
	uint16_t cpu;
	bool kernel; /* it was in the kernel */
};

struct sf_poll {
	uint64_t time, period; /* ns that the poll stands for */
	uint32_t stack;        /* SF_NO_STACK: none (running or runnable) */
	struct sf_task_raw raw;
};

/* A system call of a thread (record --syscalls). */
struct sf_syscall {
	uint64_t enter, exit; /* 0, UINT64_MAX: outside of the recording */
	int32_t nr;
	int64_t ret;
	uint64_t arg[3];
};

enum sf_thread_flags {
	SF_THREAD_TARGET = 1, /* of the process that was recorded */
	SF_THREAD_VCPU = 2,   /* seen in KVM_RUN, or named as VMMs name vCPU threads */
	SF_THREAD_IDLE = 4,   /* a CPU's idle task */
	SF_THREAD_KERNEL = 8, /* kernel thread: never seen in user space, child of kthreadd */
	SF_THREAD_RECORDER = 16,
};

struct sf_thread {
	uint32_t tid, pid;
	uint32_t comm;         /* string id */
	unsigned flags;        /* enum sf_thread_flags */
	uint64_t start, exit;  /* 0, UINT64_MAX: not seen */
	uint32_t creator;      /* thread that forked it while recording; SF_NO_THREAD */
	struct sf_sched *sched;
	size_t nr_sched, sched_alloc;
	struct sf_cpu_sample *sample;
	size_t nr_samples, sample_alloc;
	struct sf_poll *poll;
	size_t nr_polls, poll_alloc;
	struct sf_syscall *syscall;
	size_t nr_syscalls, syscall_alloc;
	uint64_t *kvm_exit; /* times at which it left KVM_RUN */
	size_t nr_kvm_exits, kvm_exit_alloc;
};

/* Who got a CPU when. */
struct sf_cpu_switch {
	uint64_t time;
	uint32_t thread;
};

struct sf_cpu {
	struct sf_cpu_switch *sw;
	size_t nr, alloc;
};

/* A request of a block device. */
struct sf_request {
	uint64_t issue, done; /* done 0: not seen */
	uint64_t sector, bytes;
	uint32_t dev;         /* major << 20 | minor, as the kernel's dev_t */
	uint32_t issuer;      /* thread index */
	uint32_t issue_stack; /* who handed it to the device; SF_NO_STACK unknown */
	uint16_t done_cpu;
	bool write, flush, discard;
};

/* A thread at an edge of a window, as /proc told. */
struct sf_snap_thread {
	uint32_t tid, comm;
	char state; /* letter of /proc/TID/stat */
	uint64_t run_ns, delay_ns, slices, throttled_ns;
	int32_t syscall; /* -1 none or running, -2 unknown */
	uint64_t arg[6];
	uint32_t stack;
};

struct sf_snapshot {
	uint64_t t0, t1; /* the time it took: 0, 0 where there is none */
	uint64_t cpu_ns; /* process CPU clock */
	struct sf_snap_thread *thread;
	size_t nr, alloc;
};

struct sf_covariate {
	uint32_t name; /* string id */
	double begin, end;
	bool has_begin, has_end;
};

struct sf_written_file {
	uint32_t path;
	uint32_t fs, disk, disk_model; /* string ids: "ext4", "vda"; "" unknown */
	bool named; /* by the BRANCH's command or reply; else the VMM had it open */
	double bytes, allocated_bytes, extents; /* at the window's end; -1 unknown */
};

struct sf_writer_process {
	uint32_t pid, comm;
	uint64_t write_bytes, cancelled_bytes; /* during the window */
};

struct sf_phase {
	uint32_t name;
	uint64_t begin, end;
};

/* What happened to the machine in the window, as the recorder says it. */
enum sf_upset_kind { SF_UPSET_CPU, SF_UPSET_SLEEP, SF_UPSET_CLOCK };

struct sf_upset {
	enum sf_upset_kind kind;
	const char *text;
};

enum sf_window_edge { SF_EDGE_BEGIN, SF_EDGE_END, SF_NR_EDGES };

/* One BRANCH. */
struct sf_window {
	uint32_t branch; /* from 1 */
	uint32_t trial;  /* from 1; the recording's number where several are compared */
	uint32_t name;   /* string id, 0 none */
	uint32_t vm, vmm_version; /* string ids: what the VMM's API said; "" nothing */
	uint64_t lo, hi; /* what is analysed: the dark window where it is known, else the API's */
	uint64_t api_lo, api_hi;
	uint64_t dark_lo, dark_hi; /* 0, 0: not known */
	uint32_t root;   /* thread whose wait the pause is: the last vCPU back in KVM_RUN, else the
			    thread of the target that finished the BRANCH; SF_NO_THREAD: none */
	uint32_t cmd_pid; /* 0 unknown */
	int status;      /* of CMD */
	const char *error; /* what the driver said, NULL */
	bool whole;      /* no marks: the whole recording */
	bool unpaused;   /* the VMM has vCPUs, and none of them stopped in it */
	bool unannounced; /* found in a recording of some time: nobody said that it was a BRANCH */
	double pause_ms, diff_ms;    /* as the BRANCH itself said; -1 unknown */
	int64_t diff_physical_bytes; /* -1 unknown */
	struct sf_snapshot snap[SF_NR_EDGES];
	struct sf_covariate *covariate;
	size_t nr_covariates, covariate_alloc;
	struct sf_written_file *file;
	size_t nr_files, file_alloc;
	struct sf_writer_process *writer;
	size_t nr_writers, writer_alloc;
	struct sf_phase *phase;
	size_t nr_phases, phase_alloc;
	struct sf_upset *upset;
	size_t nr_upsets, upset_alloc;
};

/* What the user called it by (record --label): string ids. */
struct sf_label {
	uint32_t key, value;
};

/* What the recording says of itself (mark "meta" and the file's header). */
struct sf_meta {
	uint32_t pid; /* 0: not snapflame's */
	uint32_t recorder; /* pid; 0 unknown */
	uint32_t vm, exe_build_id; /* string ids, "" unknown */
	struct sf_label *label;
	size_t nr_labels, label_alloc;
	uint32_t comm, exe, scope, wakings, call_graph, host, kernel, tool, arch, cpu,
		cmdline;
	double hz, poll_hz;
	uint32_t cpus;
	uint64_t realtime_ns, at;
	uint64_t recorder_cpu_ns; /* of the end mark */
	bool finished;            /* there is an end mark */
	const char *end_reason;
};

struct sf_stack_node {
	uint32_t parent; /* stack id of the caller's side, 0 at the root */
	uint32_t loc;    /* location of symbol.h */
};

struct sf_lost {
	uint64_t from, time, count; /* from: the last event before the hole; time: when it was told */
};

struct sf_device {
	uint32_t dev, name; /* kernel's dev_t; string id */
};

struct sf_recording {
	const char *path;
	struct sf_meta meta;
	struct sf_strtab str; /* names; text by sf_text() */
	struct sf_thread *thread;
	size_t nr_threads, thread_alloc;
	struct sf_cpu *cpu;
	size_t nr_cpus, cpu_alloc;
	struct sf_request *request; /* by time of issue */
	size_t nr_requests, request_alloc;
	uint32_t *request_done; /* indices into request, by time of completion */
	size_t nr_done;
	struct sf_window *window;
	size_t nr_windows, window_alloc;
	struct sf_device *device;
	size_t nr_devices, device_alloc;
	struct sf_lost *lost;
	size_t nr_lost, lost_alloc;
	uint64_t first, last; /* time of the first and last event that is no mark */
	struct sf_reader_stats stats;
	/* Which evidence the file has at all. */
	bool has_switches, has_switch_stacks, has_wakings, has_samples, has_requests, has_polls,
		has_syscalls;
	bool system_scope;
	struct sf_symbols *symbols;
	/* private */
	struct sf_stack_node *node;
	size_t nr_nodes, node_alloc;
	struct sf_map64 node_of, chain_cache, tid_of;
	struct sf_arena arena;
	struct {
		char **line;
		size_t nr, alloc;
	} problem;
	struct sf_loader *loader;
};

struct sf_recording_opts {
	struct sf_symbols_opts symbols;
	struct sf_progress progress; /* bytes read */
	bool api_windows; /* analyse the API window even where the dark one is known */
};

/* path may be "-": standard input is copied to an unlinked file first. */
int sf_recording_load(struct sf_recording **rec, const char *path,
		      const struct sf_recording_opts *opts, struct sf_error *err);
void sf_recording_free(struct sf_recording *rec);

static inline const char *sf_text(const struct sf_recording *rec, uint32_t id)
{
	return sf_strtab_text(&rec->str, id);
}

/* Index of the thread with that tid now living at time, SF_NO_THREAD where there is none. */
uint32_t sf_recording_thread(const struct sf_recording *rec, uint32_t tid, uint64_t time);

/* Index of the first scheduler event, or CPU sample, of a thread at or after time. */
size_t sf_thread_sched_from(const struct sf_thread *t, uint64_t time);
size_t sf_thread_sample_from(const struct sf_thread *t, uint64_t time);
/* Of the first look at /proc at or after time, of the first system call entered after it. */
size_t sf_thread_poll_from(const struct sf_thread *t, uint64_t time);
size_t sf_thread_syscall_after(const struct sf_thread *t, uint64_t time);

/* Frames of a stack by walking up: id, then sf_stack_parent(id) until 0. Leaf first. */
static inline uint32_t sf_stack_parent(const struct sf_recording *rec, uint32_t id)
{
	return rec->node[id].parent;
}
static inline uint32_t sf_stack_loc(const struct sf_recording *rec, uint32_t id)
{
	return rec->node[id].loc;
}

/*
 * A covariate of a window by its name (recordings number them each in their own way): when the window
 * began, or (during) how much it changed inside. NAN where that was not read, and for the beginning
 * of what only ever counts up: it is larger in every later window, whatever made that slow.
 */
double sf_window_covariate(const struct sf_recording *rec, const struct sf_window *w,
			   const char *name, bool during);
/* Does the kernel count it since boot (disk_vda_writes), rather than have it now (Dirty_kB)? */
bool sf_covariate_counts(const char *name);

/* Lost events whose hole overlaps [lo, hi]. */
uint64_t sf_recording_lost(const struct sf_recording *rec, uint64_t lo, uint64_t hi);

/* Name of a block device ("vda") as the recording has it, else "major:minor"; buf of 32 bytes. */
const char *sf_device_name(const struct sf_recording *rec, uint32_t dev, char *buf, size_t size);

/* What could not be read or is missing, one line each; NULL past the last. */
const char *sf_recording_problem(const struct sf_recording *rec, size_t index);

#endif
