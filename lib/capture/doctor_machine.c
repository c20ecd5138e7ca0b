/* SPDX-License-Identifier: GPL-2.0-only */
/* Clock, CPUs, memory, disk, and the programs that draw. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <snapflame/str.h>

#include "doctor.h"
#include "proc.h"

static void build(struct sf_exam *e)
{
#ifndef HAVE_PERF
	sf_finding(e, SF_FINDING_FAIL, "build", "apt-get install linux-source-6.1 && make",
		   "built without libperf: record is left out");
#endif
#ifndef HAVE_TRACEEVENT
	sf_finding(e, SF_FINDING_FAIL, "build", "apt-get install libtraceevent-dev && make",
		   "built without libtraceevent: tracepoints cannot be read");
#endif
#ifndef HAVE_DW
	sf_finding(e, SF_FINDING_WARN, "build", "apt-get install libdw-dev && make",
		   "built without libdw: no --call-graph dwarf, no separate debug files");
#endif
}

static void clocks(struct sf_exam *e)
{
	char name[64];
	ssize_t n = sf_proc_read("/sys/devices/system/clocksource/clocksource0/current_clocksource",
				 name, sizeof(name));

	if (n <= 0)
		return;
	name[strcspn(name, "\n")] = '\0';
	if (!strcmp(name, "hpet") || !strcmp(name, "acpi_pm") || !strcmp(name, "jiffies") ||
	    !strcmp(name, "refined-jiffies") || !strcmp(name, "pit"))
		sf_finding(e, SF_FINDING_WARN, "clock",
			   "echo tsc >/sys/devices/system/clocksource/clocksource0/current_clocksource",
			   "%s is slow to read: the recorder will disturb the VMM more", name);
	else
		sf_finding(e, SF_FINDING_OK, "clock", NULL, "CLOCK_MONOTONIC by %s", name);
}

static void cpus(struct sf_exam *e)
{
	long nr = sysconf(_SC_NPROCESSORS_ONLN);

	if (!access("/sys/bus/event_source/devices/cpu_core", F_OK) &&
	    !access("/sys/bus/event_source/devices/cpu_atom", F_OK))
		sf_finding(e, SF_FINDING_OK, "CPUs", NULL,
			   "%ld, hybrid: cpu-clock samples all of them; a hardware event of perf record "
			   "samples one kind only", nr);
	else
		sf_finding(e, SF_FINDING_OK, "CPUs", NULL, "%ld, of one kind", nr);
}

static void limits(struct sf_exam *e)
{
	long nr = sysconf(_SC_NPROCESSORS_ONLN), want = nr <= 16 ? 4096 : nr <= 64 ? 2048 : 1024;
	char buf[64], fix[96];
	struct rlimit r;
	long kb;

	if (sf_proc_read("/proc/sys/kernel/perf_event_mlock_kb", buf, sizeof(buf)) > 0) {
		kb = strtol(buf, NULL, 10);
		snprintf(fix, sizeof(fix), "sysctl kernel.perf_event_mlock_kb=%ld", want + 4);
		if (!e->root && kb < want)
			sf_finding(e, SF_FINDING_WARN, "rings", fix,
				   "perf_event_mlock_kb is %ld: the rings will be smaller than %ld kB a "
				   "CPU, and may lose events", kb, want);
		else
			sf_finding(e, SF_FINDING_OK, "rings", NULL, "%ld kB a CPU", want);
	}
	if (!getrlimit(RLIMIT_NOFILE, &r) && r.rlim_max < (rlim_t)nr * 64)
		sf_finding(e, SF_FINDING_WARN, "files", "ulimit -Hn 65536",
			   "%llu open files: too few for a descriptor per event, CPU and thread",
			   (unsigned long long)r.rlim_max);
}

static void memory(struct sf_exam *e)
{
	struct sysinfo si;
	double mb;

	if (sysinfo(&si))
		return;
	mb = ((double)si.freeram + (double)si.bufferram) * si.mem_unit / 4 / 1048576;
	if (mb < 64)
		sf_finding(e, SF_FINDING_WARN, "memory", "free some, or record with --max-size",
			   "a recording is kept in memory while it is made, and may take %.0f MB only",
			   mb);
	else
		sf_finding(e, SF_FINDING_OK, "memory", NULL,
			   "a recording is kept in memory while it is made: up to %.0f MB", mb);
}

enum { DISK_MIN = 16, DISK_WANTED = 256 }; /* MB: below, a recording will hardly fit; may not fit */

static void disk(struct sf_exam *e)
{
	const char *dir = e->opts->output ? e->opts->output : ".";
	struct statvfs s;
	struct stat st;
	double mb;

	if (stat(dir, &st) || statvfs(dir, &s)) {
		sf_finding(e, SF_FINDING_FAIL, "disk", "mkdir -p that directory, or choose another",
			   "%s: %s", dir, strerror(errno));
		return;
	}
	if (!S_ISDIR(st.st_mode)) {
		sf_finding(e, SF_FINDING_FAIL, "disk", "choose another directory", "%s is no directory",
			   dir);
		return;
	}
	mb = (double)s.f_bavail * (double)s.f_frsize / 1048576;
	if (access(dir, W_OK | X_OK))
		sf_finding(e, SF_FINDING_FAIL, "disk", "record -o to another directory",
			   "%s cannot be written: %s", dir, strerror(errno));
	else if (mb < DISK_WANTED)
		sf_finding(e, mb < DISK_MIN ? SF_FINDING_FAIL : SF_FINDING_WARN, "disk",
			   "record -o to another directory", "%s has room for %.0f MB", dir, mb);
	else
		sf_finding(e, SF_FINDING_OK, "disk", NULL, "%s has room for %.0f MB", dir, mb);
}

static void kernel(struct sf_exam *e)
{
	char buf[256];

	if (sf_proc_read("/proc/self/schedstat", buf, sizeof(buf)) <= 0 || !strncmp(buf, "0 0 ", 4))
		sf_finding(e, SF_FINDING_WARN, "schedstat", "boot a kernel with CONFIG_SCHED_INFO",
			   "CPU times cannot be checked against the kernel's");
	if (sf_proc_read("/proc/self/syscall", buf, sizeof(buf)) <= 0)
		sf_finding(e, SF_FINDING_WARN, "syscall", "boot a kernel with CONFIG_HAVE_ARCH_TRACEHOOK",
			   "/proc/PID/syscall is missing: futexes have no addresses");
}

/* ---------------------------------------------------------------------------- programs */

static bool in_path(const char *name)
{
	const char *path = getenv("PATH");
	struct sf_str s = SF_STR_INIT;
	bool found = false;

	while (path && *path && !found) {
		size_t n = strcspn(path, ":");

		sf_str_reset(&s);
		sf_str_addn(&s, path, n);
		sf_str_addf(&s, "/%s", name);
		found = n && !access(s.buf, X_OK);
		path += n + (path[n] == ':');
	}
	sf_str_release(&s);
	return found;
}

static void programs(struct sf_exam *e)
{
	/* Where Debian's libdevel-nytprof-perl has it. */
	static const char nytprof[] = "/usr/share/perl5/Devel/NYTProf/flamegraph.pl";

	if (in_path("gnuplot"))
		sf_finding(e, SF_FINDING_OK, "gnuplot", NULL, "draws the charts of a report");
	else
		sf_finding(e, SF_FINDING_WARN, "gnuplot", "apt-get install gnuplot-nox",
			   "not installed: reports will lack their charts");
	if (in_path("flamegraph.pl") || in_path("flamegraph"))
		sf_finding(e, SF_FINDING_OK, "flamegraph.pl", NULL, "found; snapflame draws its own");
	else if (!access(nytprof, R_OK))
		sf_finding(e, SF_FINDING_OK, "flamegraph.pl", NULL, "%s, of 2015", nytprof);
	else
		sf_finding(e, SF_FINDING_OK, "flamegraph.pl", NULL,
			   "not installed, and not needed: snapflame draws its own flame graphs");
}

void sf_exam_machine(struct sf_exam *e)
{
	build(e);
	clocks(e);
	cpus(e);
	kernel(e);
	limits(e);
	memory(e);
	disk(e);
	programs(e);
}
