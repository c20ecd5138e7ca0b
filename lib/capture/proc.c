/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "proc.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <snapflame/array.h>
#include <snapflame/capture.h>

static int by_number(const void *a, const void *b)
{
	const pid_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int sf_proc_numbers(const char *dir, pid_t **out)
{
	DIR *d = opendir(dir);
	size_t nr = 0, alloc = 0;
	struct dirent *e;

	*out = NULL;
	if (!d)
		return -errno;
	while ((e = readdir(d))) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		if (SF_GROW(*out, nr + 1, alloc)) {
			free(*out);
			*out = NULL;
			closedir(d);
			return -ENOMEM;
		}
		(*out)[nr++] = (pid_t)atoi(e->d_name);
	}
	closedir(d);
	if (nr)
		qsort(*out, nr, sizeof(**out), by_number);
	return (int)nr;
}

int sf_proc_tids(pid_t pid, pid_t **tid)
{
	char path[32];
	int nr;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	nr = sf_proc_numbers(path, tid);
	if (nr == -ENOENT || !nr) {
		free(*tid);
		*tid = NULL;
		return -ESRCH;
	}
	return nr;
}

int sf_proc_parse_stat(const char *text, struct sf_proc_stat *out)
{
	const char *open = strchr(text, '('), *close = strrchr(text, ')');
	size_t len;
	int ppid;

	if (!open || !close || close < open ||
	    sscanf(close + 1, " %c %d", &out->state, &ppid) != 2)
		return -EINVAL;
	out->ppid = ppid;
	len = (size_t)(close - open - 1);
	if (len >= sizeof(out->comm))
		len = sizeof(out->comm) - 1;
	memcpy(out->comm, open + 1, len);
	out->comm[len] = '\0';
	return 0;
}

int sf_proc_parse_schedstat(const char *text, uint64_t *run, uint64_t *delay, uint64_t *slices)
{
	int n = sscanf(text, "%" SCNu64 " %" SCNu64 " %" SCNu64, run, delay, slices);

	return n == 3 ? 0 : -EINVAL;
}

int sf_proc_parse_syscall(const char *text, struct sf_task_raw *out)
{
	int nr;

	*out = (struct sf_task_raw){ .syscall = -1 };
	if (!strncmp(text, "running", 7))
		return 0;
	if (sscanf(text, "-1 0x%" SCNx64 " 0x%" SCNx64, &out->sp, &out->pc) == 2)
		return 0;
	if (sscanf(text,
		   "%d 0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64
		   " 0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64,
		   &nr, &out->arg[0], &out->arg[1], &out->arg[2], &out->arg[3], &out->arg[4],
		   &out->arg[5], &out->sp, &out->pc) != 9 ||
	    nr < 0) {
		*out = (struct sf_task_raw){ .syscall = -2 };
		return -EINVAL;
	}
	out->syscall = nr;
	return 0;
}

ssize_t sf_proc_pread(int fd, char *buf, size_t size)
{
	ssize_t n;

	do
		n = pread(fd, buf, size - 1, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		buf[0] = '\0';
		return -errno;
	}
	buf[n] = '\0';
	return n;
}

ssize_t sf_proc_read(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	buf[0] = '\0';
	if (fd < 0)
		return -errno;
	n = sf_proc_pread(fd, buf, size);
	close(fd);
	return n;
}

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec t;

	if (clock_gettime(clock, &t))
		return 0;
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

uint64_t sf_now(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t sf_process_cpu(pid_t pid)
{
	clockid_t clock;

	return clock_getcpuclockid(pid, &clock) ? 0 : clock_ns(clock);
}

uint64_t sf_thread_cpu(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t sf_own_cpu(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

bool sf_proc_alive(pid_t pid)
{
	struct sf_proc_stat st;
	char path[32], buf[512];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	return sf_proc_read(path, buf, sizeof(buf)) > 0 && !sf_proc_parse_stat(buf, &st) &&
	       st.state != 'Z' && st.state != 'X';
}

int sf_find_comm(const char *name, pid_t *pid, size_t max)
{
	pid_t *all;
	int nr = sf_proc_numbers("/proc", &all), found = 0;

	for (int i = 0; i < nr; i++) {
		struct sf_proc_stat st;
		char path[32], buf[512];

		snprintf(path, sizeof(path), "/proc/%d/stat", (int)all[i]);
		if (sf_proc_read(path, buf, sizeof(buf)) <= 0 || sf_proc_parse_stat(buf, &st) ||
		    strncmp(st.comm, name, sizeof(st.comm) - 1) || st.state == 'Z')
			continue;
		if ((size_t)found < max)
			pid[found] = all[i];
		found++;
	}
	if (nr >= 0)
		free(all);
	return nr < 0 ? nr : found;
}

/* "0-3,5" */
size_t sf_proc_online(unsigned *cpu, size_t max)
{
	char buf[4096], *p = buf;
	size_t n = 0;

	if (sf_proc_read("/sys/devices/system/cpu/online", buf, sizeof(buf)) <= 0) {
		cpu[0] = 0;
		return 1;
	}
	while (*p >= '0' && *p <= '9') {
		unsigned long first = strtoul(p, &p, 10), last = first;

		if (*p == '-')
			last = strtoul(p + 1, &p, 10);
		for (; first <= last && n < max; first++)
			cpu[n++] = (unsigned)first;
		p += *p == ',';
	}
	return n;
}
