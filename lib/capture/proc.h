/* SPDX-License-Identifier: GPL-2.0-only */
/* What /proc says of processes and threads. */
#ifndef SF_CAPTURE_PROC_H
#define SF_CAPTURE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <snapflame/marks.h>

/* Ids of the threads of pid, sorted; *tid is malloc'd. Their number, or -errno (-ESRCH). */
int sf_proc_tids(pid_t pid, pid_t **tid);

/* Numbers that are the names in dir ("/proc"), sorted; *out is malloc'd. Their number or -errno. */
int sf_proc_numbers(const char *dir, pid_t **out);

/* What a stat line says. comm is cut as the kernel does, at 15 bytes. */
struct sf_proc_stat {
	char comm[16];
	char state;
	pid_t ppid;
};

/* -EINVAL where text is not such a line. A comm may hold spaces and parentheses. */
int sf_proc_parse_stat(const char *text, struct sf_proc_stat *out);

/* "run_ns delay_ns slices" */
int sf_proc_parse_schedstat(const char *text, uint64_t *run, uint64_t *delay, uint64_t *slices);

/*
 * A line of /proc/TID/syscall: "running", "-1 0xSP 0xPC" or "NR 0xARG … 0xSP 0xPC". Fills all but
 * the state. -EINVAL where it is none of these.
 */
int sf_proc_parse_syscall(const char *text, struct sf_task_raw *out);

/* Read the file at path into buf, terminated: its length, or -errno. */
ssize_t sf_proc_read(const char *path, char *buf, size_t size);
/* Read the kept descriptor fd again from its start. */
ssize_t sf_proc_pread(int fd, char *buf, size_t size);

/* ns of CLOCK_MONOTONIC */
uint64_t sf_now(void);
/* CPU time of a process or, with tid, a thread of ours, ns; 0 where it cannot be had. */
uint64_t sf_process_cpu(pid_t pid);
uint64_t sf_thread_cpu(void); /* of the caller */
uint64_t sf_own_cpu(void);    /* of this process with all threads */

/* Numbers of the CPUs that are online, sorted: at least one, at most max. */
size_t sf_proc_online(unsigned *cpu, size_t max);

/* Is the process there (a zombie is not)? */
bool sf_proc_alive(pid_t pid);

#endif
