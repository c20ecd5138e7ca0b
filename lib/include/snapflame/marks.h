/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a snapflame recording holds beside perf's own records: the contract between the recorder and
 * everything that reads. A recording is a plain PERFILE2 perf.data with CLOCK_MONOTONIC time stamps;
 * what perf has no record for is stored as samples of two named software events.
 *
 * Events, by name (a reader looks them up by name, never by position):
 *
 *   cpu-clock                 CPU samples; callchain; period in ns
 *   sched:sched_switch        switch-out with prev_state and callchain (RAW)
 *   dummy:HG                  SWITCH or SWITCH_CPU_WIDE, MMAP2, COMM, FORK, EXIT records
 *   sched:sched_waking        who woke whom (RAW), written with the waker as pid/tid; from perf, or
 *                             from a tracefs instance (meta.wakings says which)
 *   block:block_rq_issue, block:block_rq_complete   requests of block devices (RAW)
 *   net:net_dev_xmit       packets sent through the loopback device (RAW)
 *   kvm:kvm_userspace_exit    a vCPU left KVM_RUN (RAW), of the target's threads
 *   raw_syscalls:sys_enter, raw_syscalls:sys_exit   with --syscalls
 *   snapflame:task-stack      polled /proc/TID/stack; period = ns it stands for; RAW: struct
 *                             sf_task_raw
 *   snapflame:mark            RAW: one JSON object, under 64 KiB, padded with NULs
 *
 * Marks: every object has "type" and "t" (CLOCK_MONOTONIC, ns). A reader ignores types and fields it
 * does not know. Times in ns, sizes in bytes unless the name says otherwise.
 *
 *   meta      first mark: "version" (1), "tool", "pid", "comm", "exe", "scope" ("system", "vmm"),
 *             "recorder_pid", "hz", "poll_hz", "call_graph", "window" ("auto", "api", "dark"),
 *             "wakings" ("ftrace", "perf", "none"), "cpus", "host", "kernel", "realtime_ns" (at t),
 *             "cmd" [words of snapflame], "branch_cmd" [words], "vm" (the VM's name, where it was
 *             given one), "exe_build_id" (hex), "devices" {"254:0": "vda"} (names of block devices
 *             by number), "labels" {}, "missing" [text: what could not be recorded and why],
 *             optionally "keep" (of a flight recorder: at most so many of the last BRANCHes are in
 *             the file), "max_cpu" (what the recorder's threads were allowed, in percent of one CPU)
 *   window    one for each BRANCH, written at its end: "branch" (from 1), "trial", "name", "begin",
 *             "end" (the API window as the recorder saw it), "status" (CMD's exit status, 0 good),
 *             "cmd_pid" (CMD's process), "source" ("cmd", "firecracker", "qmp", "control"), "json" (what the BRANCH itself said,
 *             an object or null), "json_text" (as printed, when it was not JSON), optionally
 *             "api_begin", "api_end" (of the calls inside, where a driver made them), "phases"
 *             [{"name","begin","end"}], "dark_begin", "dark_end" (where the VMM itself said so),
 *             "vm", "vmm_version" (as its API calls them), "error" (text)
 *   threads   snapshot of the target's threads at an edge of a window: "branch", "edge" ("begin",
 *             "end"), "t0", "t1" (the time the snapshot took), "cpu_ns" (the process CPU clock),
 *             "part", "parts", "threads" [{"tid","comm","state" (one letter of /proc/TID/stat),
 *             "run_ns","delay_ns","slices" (schedstat), "syscall" (line of /proc/TID/syscall, or
 *             absent), "stack" [kernel addresses, leaf first], "cgroup_throttled_ns"}]
 *   covariates  "branch", "edge", "values" {name: number}: names as in the verdict's covariates
 *             (Dirty_kB, Writeback_kB, psi_io_some_us, …), "files" [{"path","bytes",
 *             "allocated_bytes","extents","fs","disk","disk_model",
 *             "named" (true: the command or the reply names it; else the VMM had it open)}]
 *   writers   "branch", "edge" ("end"): who wrote during the window: "processes" [{"pid","comm",
 *             "write_bytes","cancelled_bytes"}]
 *   symbols   names of addresses: see symbol.h
 *   end       last mark: "reason" ("done", "interrupted", "target-exited", "error", "killed": the
 *             recorder was, and a child of it saved what there was), "lost",
 *             "recorder_cpu_ns", "poll_cpu_ns", "bytes", "ring_overruns", "ftrace_lost"
 */
#ifndef SNAPFLAME_MARKS_H
#define SNAPFLAME_MARKS_H

#include <stdint.h>

#define SF_EVENT_CPU_CLOCK  "cpu-clock"
#define SF_EVENT_SWITCH     "sched:sched_switch"
#define SF_EVENT_WAKING     "sched:sched_waking"
#define SF_EVENT_SIDEBAND   "dummy:HG"
#define SF_EVENT_RQ_ISSUE   "block:block_rq_issue"
#define SF_EVENT_RQ_DONE    "block:block_rq_complete"
#define SF_EVENT_SENT       "net:net_dev_xmit"
#define SF_EVENT_KVM_EXIT   "kvm:kvm_userspace_exit"
#define SF_EVENT_SYS_ENTER  "raw_syscalls:sys_enter"
#define SF_EVENT_SYS_EXIT   "raw_syscalls:sys_exit"
#define SF_EVENT_TASK_STACK "snapflame:task-stack"
#define SF_EVENT_MARK       "snapflame:mark"

/* A mark, with its sample around it, has to fit a perf record (16-bit size). */
enum { SF_MARK_MAX = 60 * 1024 };

/* RAW of snapflame:task-stack, in the recording's byte order. */
struct sf_task_raw {
	int32_t syscall; /* number; -1: not in one, or running; -2: not known */
	char state;      /* of /proc/TID/stat: R S D T …, 0 unknown */
	uint8_t reserved[3];
	uint64_t arg[6]; /* of the system call: for a futex [0] is the address, [1] the operation */
	uint64_t sp, pc; /* user */
};

#endif
