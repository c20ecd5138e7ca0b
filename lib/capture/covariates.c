/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "covariates.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <snapflame/str.h>

#include "cgroup.h"
#include "mark_list.h"
#include "proc.h"
#include "throttled.h"
#include "tracefs.h"

static void set(json_t *o, const char *name, uint64_t value)
{
	json_object_set_new(o, name, json_integer((json_int_t)value));
}

/* The number behind "key" at the start of a line. */
static bool find_number(const char *text, const char *key, uint64_t *value)
{
	size_t n = strlen(key);

	for (const char *p = text; *p; p += strcspn(p, "\n"), p += *p == '\n') {
		if (!strncmp(p, key, n) && (p[n] == ' ' || p[n] == ':')) {
			*value = strtoull(p + n + 1, NULL, 10);
			return true;
		}
	}
	return false;
}

struct pick {
	const char *key, *name;
};

static void pick_numbers(json_t *o, const char *file, const struct pick *pick, size_t nr)
{
	struct sf_str text = SF_STR_INIT;
	uint64_t v;

	if (!sf_read_at(AT_FDCWD, file, &text)) {
		for (size_t i = 0; i < nr; i++) {
			if (find_number(text.buf, pick[i].key, &v))
				set(o, pick[i].name, v);
		}
	}
	sf_str_release(&text);
}

static void add_memory(json_t *o)
{
	static const struct pick meminfo[] = {
		{ "MemFree", "MemFree_kB" },   { "MemAvailable", "MemAvailable_kB" },
		{ "Cached", "Cached_kB" },     { "Dirty", "Dirty_kB" },
		{ "Writeback", "Writeback_kB" }, { "AnonPages", "AnonPages_kB" },
		{ "Shmem", "Shmem_kB" },
	};
	static const struct pick vmstat[] = {
		{ "nr_dirty_threshold", "dirty_threshold_pages" },
		{ "nr_dirtied", "dirtied_pages" },
		{ "nr_written", "written_pages" },
		{ "pgmajfault", "major_faults" },
		{ "pgscan_direct", "direct_reclaim_scanned_pages" },
		{ "pgsteal_direct", "direct_reclaimed_pages" },
		{ "pgscan_kswapd", "kswapd_scanned_pages" },
		{ "compact_stall", "compaction_stalls" },
		{ "pswpout", "swapped_out_pages" },
		{ "workingset_refault_file", "file_refault_pages" },
	};

	pick_numbers(o, "/proc/meminfo", meminfo, sizeof(meminfo) / sizeof(meminfo[0]));
	pick_numbers(o, "/proc/vmstat", vmstat, sizeof(vmstat) / sizeof(vmstat[0]));
}

/* "some avg10=0.00 … total=123" */
static void add_pressure(json_t *o)
{
	static const char *const what[] = { "cpu", "io", "memory" };
	static const char *const kind[] = { "some", "full" };
	char path[64], name[64], buf[512];

	for (size_t i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "/proc/pressure/%s", what[i]);
		if (sf_proc_read(path, buf, sizeof(buf)) <= 0)
			continue;
		for (size_t k = 0; k < 2; k++) {
			const char *p = strstr(buf, kind[k]);

			p = p ? strstr(p, "total=") : NULL;
			snprintf(name, sizeof(name), "psi_%s_%s_us", what[i], kind[k]);
			if (p)
				set(o, name, strtoull(p + 6, NULL, 10));
		}
	}
}

static bool is_partition(const char *disk)
{
	char path[128];

	snprintf(path, sizeof(path), "/sys/class/block/%s/partition", disk);
	return !access(path, F_OK);
}

static void add_disk(json_t *o, const char *disk, const uint64_t v[11])
{
	static const struct {
		unsigned at;
		const char *name;
	} field[] = {
		{ 0, "reads" }, { 3, "read_ms" }, { 4, "writes" }, { 6, "written_sectors" },
		{ 7, "write_ms" }, { 8, "in_flight" }, { 9, "busy_ms" },
	};
	char name[128], path[128], buf[32];

	for (size_t i = 0; i < sizeof(field) / sizeof(field[0]); i++) {
		snprintf(name, sizeof(name), "disk_%s_%s", disk, field[i].name);
		set(o, name, v[field[i].at]);
	}
	snprintf(path, sizeof(path), "/sys/block/%s/queue/wbt_lat_usec", disk);
	if (sf_proc_read(path, buf, sizeof(buf)) > 0) {
		snprintf(name, sizeof(name), "disk_%s_wbt_lat_us", disk);
		set(o, name, strtoull(buf, NULL, 10));
	}
}

static void add_disks(json_t *o)
{
	FILE *f = fopen("/proc/diskstats", "re");
	char line[512], disk[64];
	uint64_t v[11];

	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line,
			   "%*u %*u %63s %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
			   " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64,
			   disk, &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7], &v[8],
			   &v[9], &v[10]) != 12)
			continue;
		if ((v[0] || v[4]) && !is_partition(disk))
			add_disk(o, disk, v);
	}
	if (f)
		fclose(f);
}

static void add_sysfs_dirs(json_t *o, const char *dir, const char *file, const char *prefix,
			   const char *unit)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char path[PATH_MAX], name[320], buf[64];

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s/%s", dir, e->d_name, file);
		if (sf_proc_read(path, buf, sizeof(buf)) <= 0)
			continue;
		snprintf(name, sizeof(name), "%s_%s_%s", prefix, e->d_name, unit);
		set(o, name, strtoull(buf, NULL, 10));
	}
	if (d)
		closedir(d);
}

/* Each group's own, so that what is out of quota can be named. */
static void add_throttled(void *o, const char *cgroup, int64_t ns)
{
	struct sf_str name = SF_STR_INIT;

	sf_str_addf(&name, "cgroup_%s_throttled_us", cgroup);
	if (!sf_str_failed(&name))
		set(o, name.buf, (uint64_t)ns / 1000);
	sf_str_release(&name);
}

static void add_quotas(json_t *o, pid_t pid)
{
	int64_t target = sf_throttled_of(pid, pid, add_throttled, o);
	int64_t machine = sf_throttled_machine();

	if (target >= 0)
		set(o, "cgroup_throttled_us", (uint64_t)target / 1000);
	if (machine >= 0)
		set(o, "machine_throttled_us", (uint64_t)machine / 1000);
}

static void add_cgroup(json_t *o, pid_t pid)
{
	static const struct pick memory[] = {
		{ "file_dirty", "cgroup_file_dirty_bytes" },
		{ "file_writeback", "cgroup_file_writeback_bytes" },
		{ "dirty", "cgroup_file_dirty_bytes" },
		{ "writeback", "cgroup_file_writeback_bytes" },
	};
	struct sf_str path = SF_STR_INIT;

	if (!sf_cgroup_path(pid, pid, "memory", &path, NULL)) {
		sf_str_add(&path, "/memory.stat");
		pick_numbers(o, path.buf, memory, 4);
	}
	sf_str_release(&path);
}

static void add_process(json_t *o, pid_t pid)
{
	static const struct pick status[] = {
		{ "VmRSS", "target_rss_kB" },
		{ "VmSwap", "target_swap_kB" },
		{ "Threads", "target_threads" },
	};
	char path[64], buf[4096];
	const char *p;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	pick_numbers(o, path, status, 3);
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (sf_proc_read(path, buf, sizeof(buf)) > 0 && (p = strrchr(buf, ')'))) {
		uint64_t minflt, majflt;

		if (sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %" SCNu64 " %*u %" SCNu64, &minflt,
			   &majflt) == 2) {
			set(o, "target_minor_faults", minflt);
			set(o, "target_major_faults", majflt);
		}
	}
}

/* "cpu  user nice system idle iowait irq softirq steal …" in ticks. */
static void add_cpu(json_t *o)
{
	long tick = sysconf(_SC_CLK_TCK);
	uint64_t v[8];
	char buf[256];

	if (tick <= 0 || sf_proc_read("/proc/stat", buf, sizeof(buf)) <= 0 ||
	    sscanf(buf,
		   "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
		   " %" SCNu64 " %" SCNu64,
		   &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]) != 8)
		return;
	set(o, "cpu_idle_ms", (v[3] + v[4]) * 1000 / (uint64_t)tick);
	set(o, "cpu_steal_ms", v[7] * 1000 / (uint64_t)tick);
	if (sf_proc_read("/proc/loadavg", buf, sizeof(buf)) > 0)
		json_object_set_new(o, "load_1min", json_real(strtod(buf, NULL)));
}

void sf_covariates_without(json_t *o, uint64_t own)
{
	static const struct {
		const char *name;
		int sign; /* of what our memory has added to it */
	} of[] = {
		{ "Shmem_kB", 1 }, { "Cached_kB", 1 }, { "MemFree_kB", -1 }, { "MemAvailable_kB", -1 },
	};

	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		json_t *v = json_object_get(o, of[i].name);
		json_int_t kb = json_integer_value(v) - of[i].sign * (json_int_t)(own / 1024);

		if (v)
			json_integer_set(v, kb > 0 ? kb : 0);
	}
}

json_t *sf_covariates(pid_t pid, uint64_t own)
{
	json_t *o = json_object();

	if (!o)
		return NULL;
	add_memory(o);
	add_pressure(o);
	add_disks(o);
	add_sysfs_dirs(o, "/sys/fs/ext4", "delayed_allocation_blocks", "ext4", "delalloc_blocks");
	add_quotas(o, pid);
	add_cgroup(o, pid);
	add_process(o, pid);
	add_cpu(o);
	sf_covariates_without(o, own);
	return o;
}
