/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Recordings made here and now by the real perf: as many records of each type as perf report
 * --stats counts, and the same samples in the same order as perf script prints.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <snapflame/array.h>
#include <snapflame/reader.h>

static char dir[] = "/tmp/snapflame-unit.XXXXXX";

/* Some CPU time, some processes. */
#define LOAD "-- sh -c 'i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done; /bin/true; /bin/true'"

static bool sh(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static bool sh(const char *fmt, ...)
{
	char cmd[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof(cmd), fmt, ap);
	va_end(ap);
	return system(cmd) == 0;
}

static const char *const type_names[] = {
	[PERF_RECORD_MMAP] = "MMAP",
	[PERF_RECORD_LOST] = "LOST",
	[PERF_RECORD_COMM] = "COMM",
	[PERF_RECORD_EXIT] = "EXIT",
	[PERF_RECORD_THROTTLE] = "THROTTLE",
	[PERF_RECORD_UNTHROTTLE] = "UNTHROTTLE",
	[PERF_RECORD_FORK] = "FORK",
	[PERF_RECORD_SAMPLE] = "SAMPLE",
	[PERF_RECORD_MMAP2] = "MMAP2",
	[PERF_RECORD_SWITCH] = "SWITCH",
	[PERF_RECORD_SWITCH_CPU_WIDE] = "SWITCH_CPU_WIDE",
	[PERF_RECORD_NAMESPACES] = "NAMESPACES",
	[PERF_RECORD_KSYMBOL] = "KSYMBOL",
	[PERF_RECORD_BPF_EVENT] = "BPF_EVENT",
	[SF_RECORD_FINISHED_ROUND] = "FINISHED_ROUND",
	[SF_RECORD_COMPRESSED] = "COMPRESSED",
	[SF_RECORD_HEADER_ATTR] = "ATTR",
	[SF_RECORD_EVENT_UPDATE] = "EVENT_UPDATE",
	[SF_RECORD_HEADER_FEATURE] = "FEATURE",
	[SF_RECORD_HEADER_TRACING_DATA] = "TRACING_DATA",
};

/* perf 6.1 loses its way in a pipe's recording that it does not read from a pipe. */
static void perf_command(char *cmd, size_t size, const char *what, const char *path)
{
	snprintf(cmd, size,
		 strstr(path, "pipe") ? "cat %2$s | perf %1$s -i - 2>/dev/null"
				      : "perf %1$s -i %2$s 2>/dev/null",
		 what, path);
}

/* "            COMM events:          2  (10.5%)" under "Aggregated stats:" */
static bool expected_counts(const char *path, uint64_t want[128])
{
	char cmd[512], line[512], name[64];
	bool aggregated = false;
	uint64_t n;
	FILE *f;

	perf_command(cmd, sizeof(cmd), "report --stats", path);
	memset(want, 0, 128 * sizeof(*want));
	f = popen(cmd, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (strstr(line, "stats:"))
			aggregated = strstr(line, "Aggregated") != NULL;
		if (!aggregated || sscanf(line, " %63s events: %" SCNu64, name, &n) != 2)
			continue;
		for (size_t i = 0; i < SF_ARRAY_SIZE(type_names); i++)
			if (type_names[i] && !strcmp(type_names[i], name))
				want[i] = n;
	}
	return pclose(f) == 0 && want[PERF_RECORD_COMM];
}

struct line {
	uint64_t time, period;
	uint32_t tid;
};

/* "  4242  2707.153938419:     250000 cpu-clock:ppp: " */
static int expected_samples(const char *path, struct line **lines, size_t *count)
{
	char cmd[512], buf[1024];
	size_t nr = 0, alloc = 0;
	FILE *f;

	perf_command(cmd, sizeof(cmd), "script --ns -F tid,time,period,event", path);
	f = popen(cmd, "r");
	assert_non_null(f);
	*lines = NULL;
	while (fgets(buf, sizeof(buf), f)) {
		uint64_t s, ns;
		struct line l;

		if (sscanf(buf, " %" SCNu32 " %" SCNu64 ".%" SCNu64 ": %" SCNu64, &l.tid, &s, &ns,
			   &l.period) != 4)
			continue;
		l.time = s * 1000000000 + ns;
		assert_int_equal(SF_GROW(*lines, nr + 1, alloc), 0);
		(*lines)[nr++] = l;
	}
	*count = nr;
	return pclose(f);
}

static void compare(const char *path, bool sequence, bool groups)
{
	uint64_t want[128], got[128] = { 0 }, last = UINT64_MAX, last_time = 0;
	const struct sf_record *rec;
	struct line *lines;
	struct sf_reader *r;
	size_t nr, n = 0;
	bool pipe_mode = strstr(path, "pipe"), counted = expected_counts(path, want);

	/* perf report 6.1 cannot read all that perf record writes to a pipe; perf script can. */
	if (expected_samples(path, &lines, &nr) || (!counted && !pipe_mode)) {
		free(lines);
		print_message("perf itself cannot read %s\n", path);
		skip();
	}
	assert_int_equal(sf_reader_open(&r, path, NULL, NULL), 0);
	while (sf_reader_next(r, &rec, NULL) == 1) {
		assert_true(rec->type < 128);
		/* A sample of a group comes once for each event; in files of threads offsets repeat. */
		got[rec->type] += rec->type != PERF_RECORD_SAMPLE || rec->offset != last ||
				  rec->time != last_time;
		if (rec->type != PERF_RECORD_SAMPLE)
			continue;
		last = rec->offset;
		last_time = rec->time;
		if (!sequence)
			continue;
		assert_true(n < nr);
		if (rec->time != lines[n].time || rec->tid != lines[n].tid ||
		    rec->u.sample.period != lines[n].period)
			fail_msg("%s: sample %zu differs", path, n);
		n++;
	}
	for (size_t i = 0; i < SF_ARRAY_SIZE(type_names); i++)
		if (counted && type_names[i] && got[i] != want[i])
			fail_msg("%s: %" PRIu64 " records %s, perf counts %" PRIu64, path, got[i],
				 type_names[i], want[i]);
	assert_true(!sequence || (n == nr && n));
	assert_true(!groups || nr > want[PERF_RECORD_SAMPLE]);
	assert_int_equal(got[SF_RECORD_HEADER_ATTR] > 0, pipe_mode);
	assert_int_equal(sf_reader_stats(r)->bad, 0);
	assert_null(sf_reader_problem(r, 0));
	sf_reader_free(r);
	free(lines);
}

/*
 * A recording with these options, or a skipped test where perf cannot make it here. While somebody
 * else records with build ids, perf takes inodes for them and smashes its stack (see
 * sf_mmap2_has_build_id); hence no build ids here, and so many ways to skip.
 */
static const char *record(const char *name, const char *options)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (strstr(name, "pipe")
		    ? !sh("perf record -q -B %s -o - " LOAD " >%s 2>%s/err", options, path, dir)
		    : !sh("perf record -q -B %s -o %s " LOAD " >%s/err 2>&1", options, path, dir)) {
		print_message("perf record %s does not work here\n", options);
		sh("sed s/^/#/ %s/err", dir);
		skip();
	}
	return path;
}

static void frame_pointers(void **state)
{
	compare(record("fp", "-e cpu-clock -g"), true, false);
}

static void dwarf(void **state)
{
	compare(record("dwarf", "-e cpu-clock --call-graph dwarf"), true, false);
}

static void compressed(void **state)
{
#ifndef HAVE_ZSTD
	skip();
#endif
	compare(record("z", "-z -e cpu-clock -g"), true, false);
	compare(record("zpipe", "-z -e cpu-clock -g"), true, false);
}

static void piped(void **state)
{
	compare(record("pipe", "-e cpu-clock -g"), true, false);
}

static void switches(void **state)
{
	compare(record("switch", "--switch-events -e cpu-clock"), true, false);
}

static void tracepoints(void **state)
{
	const char *path = record("tp", "-e cpu-clock -e sched:sched_switch");
	struct sf_reader *r;

	compare(path, true, false);
	assert_int_equal(sf_reader_open(&r, path, NULL, NULL), 0);
	assert_string_equal(sf_reader_event(r, 0)->name, "cpu-clock");
	assert_string_equal(sf_reader_event(r, 1)->name, "sched:sched_switch");
	assert_true(sf_reader_nr_cpus(r) > 0);
	assert_non_null(strstr(sf_reader_feature(r, SF_FEAT_CMDLINE), " record "));
	sf_reader_free(r);
	compare(record("tppipe", "-e cpu-clock -e sched:sched_switch"), true, false);
}

static void groups(void **state)
{
	compare(record("group", "-e '{cpu-clock,page-faults,context-switches}:S'"), true, true);
}

static void whole_system(void **state)
{
	compare(record("all", "-a -F 500 -e cpu-clock --switch-events"), false, false);
}

static void threads(void **state)
{
	compare(record("threads", "-a --threads -F 500 -e cpu-clock"), false, false);
}

static void build_id_maps(void **state)
{
	compare(record("buildid", "--buildid-mmap -e cpu-clock --namespaces"), true, false);
}

static int set_up(void **state)
{
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	return sh("rm -rf %s", dir) ? 0 : -1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frame_pointers), cmocka_unit_test(dwarf),
		cmocka_unit_test(compressed),	  cmocka_unit_test(piped),
		cmocka_unit_test(switches),	  cmocka_unit_test(tracepoints),
		cmocka_unit_test(groups),	  cmocka_unit_test(whole_system),
		cmocka_unit_test(threads),	  cmocka_unit_test(build_id_maps),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
