/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Every recording of the shared fixtures, against what perf made of it: expected/samples.tsv has
 * samples and sums of periods, expected/files.tsv the records of each type.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <snapflame/array.h>
#include <snapflame/reader.h>

#define MAX_EVENTS 64

/* perf refuses this file: 45 samples by a walk over its records with a few lines of Python. */
#define SIMPLEPERF_TRACEPOINT "simpleperf.perf_with_tracepoint_event.data"

struct result {
	int open, end; /* what opening and the last sf_reader_next() returned */
	struct {
		char name[512];
		uint64_t samples, periods;
	} event[MAX_EVENTS];
	size_t nr_events;
	uint64_t type[256], others, on_disk; /* on_disk: samples, a group counted once */
	struct sf_reader_stats stats;
};

static char *fixtures(const char *name, char *buf, size_t size)
{
	const char *shared = getenv("SHARED");

	snprintf(buf, size, "%s/fixtures/%s", shared ? shared : "../shared", name);
	return buf;
}

/* Files whose records are inside COMPRESSED ones are out of reach without libzstd. */
static bool readable(const char *file)
{
#ifdef HAVE_ZSTD
	return true;
#else
	return !strstr(file, "zstd") && !strstr(file, "compressed");
#endif
}

static FILE *open_table(const char *name)
{
	char path[4096], line[8192];
	FILE *f = fopen(fixtures(name, path, sizeof(path)), "r");

	if (!f) {
		print_message("no fixtures here\n");
		skip();
	}
	assert_non_null(fgets(line, sizeof(line), f)); /* the head of the table */
	return f;
}

static void check_pointers(const struct sf_record *rec)
{
	const struct sf_sample *s = &rec->u.sample;
	const uint8_t *end = rec->body + rec->body_size;

	if (rec->type != PERF_RECORD_SAMPLE)
		return;
	assert_non_null(rec->event);
	assert_true(!s->nr_chain || (const uint8_t *)(s->chain + s->nr_chain) <= end);
	assert_true(!s->raw || s->raw + s->raw_size <= end);
	assert_true(!s->nr_branch || (const uint8_t *)(s->branch + s->nr_branch) <= end);
	assert_true(!s->user_stack || s->user_stack + s->user_stack_size <= end);
}

static void read_file(const char *name, struct result *res)
{
	char path[4096], base[256];
	const struct sf_record *rec;
	struct sf_error err = SF_ERROR_INIT;
	struct sf_reader *r;
	uint64_t last = UINT64_MAX;

	snprintf(base, sizeof(base), "perfdata/%s", name);
	memset(res, 0, sizeof(*res));
	res->open = sf_reader_open(&r, fixtures(base, path, sizeof(path)), NULL, &err);
	if (res->open) {
		assert_null(r);
		assert_true(err.what[0]);
		return;
	}
	while ((res->end = sf_reader_next(r, &rec, &err)) > 0) {
		check_pointers(rec);
		if (rec->type < SF_ARRAY_SIZE(res->type))
			res->type[rec->type]++;
		else
			res->others++;
		if (rec->type != PERF_RECORD_SAMPLE)
			continue;
		assert_true(rec->event->index < MAX_EVENTS);
		res->event[rec->event->index].samples++;
		res->event[rec->event->index].periods += rec->u.sample.period;
		res->on_disk += rec->offset != last;
		last = rec->offset;
	}
	res->nr_events = sf_reader_nr_events(r);
	for (size_t i = 0; i < res->nr_events && i < MAX_EVENTS; i++)
		snprintf(res->event[i].name, sizeof(res->event[i].name), "%s",
			 sf_reader_event(r, i)->name);
	res->stats = *sf_reader_stats(r);
	if (res->end)
		assert_true(err.what[0]);
	sf_reader_free(r);
}

static const char *column(char **line)
{
	char *p = strsep(line, "\t\n");

	return p ? p : "";
}

/* file, event, samples, sum of periods (empty: perf does not print it), oracle */
static void samples_and_periods(void **state)
{
	FILE *f = open_table("expected/samples.tsv");
	char line[8192];
	unsigned checked = 0;

	while (fgets(line, sizeof(line), f)) {
		char *p = line;
		const char *file = column(&p), *event = column(&p), *samples = column(&p),
			   *periods = column(&p);
		struct result *res = malloc(sizeof(*res));
		size_t i;

		assert_non_null(res);
		if (!strcmp(file, SIMPLEPERF_TRACEPOINT) || !readable(file)) {
			free(res);
			continue;
		}
		read_file(file, res);
		for (i = 0; i < res->nr_events; i++)
			if (!strcmp(res->event[i].name, event))
				break;
		if (strcmp(event, "-") && i == res->nr_events)
			fail_msg("%s: no event %s", file, event);
		if (strcmp(event, "-") &&
		    (res->event[i].samples != strtoull(samples, NULL, 10) ||
		     (*periods && res->event[i].periods != strtoull(periods, NULL, 10))))
			fail_msg("%s %s: %" PRIu64 " samples %" PRIu64 ", expected %s %s", file,
				 event, res->event[i].samples, res->event[i].periods, samples,
				 periods);
		if (!strcmp(event, "-"))
			assert_int_equal(res->type[PERF_RECORD_SAMPLE], 0);
		checked++;
		free(res);
	}
	fclose(f);
	assert_true(checked >= 54);
}

static const struct {
	const char *name;
	unsigned type;
} type_names[] = {
	{ "MMAP", 1 },		{ "LOST", 2 },
	{ "COMM", 3 },		{ "EXIT", 4 },
	{ "THROTTLE", 5 },	{ "UNTHROTTLE", 6 },
	{ "FORK", 7 },		{ "SAMPLE", 9 },
	{ "MMAP2", 10 },	{ "AUX", 11 },
	{ "ITRACE_START", 12 }, { "LOST_SAMPLES", 13 },
	{ "SWITCH", 14 },	{ "SWITCH_CPU_WIDE", 15 },
	{ "NAMESPACES", 16 },	{ "KSYMBOL", 17 },
	{ "BPF_EVENT", 18 },	{ "CGROUP", 19 },
	{ "H_ATTR", 64 },	{ "H_EVTYPE", 65 },
	{ "H_TRACING", 66 },	{ "H_BUILDID", 67 },
	{ "FIN_ROUND", 68 },	{ "ID_INDEX", 69 },
	{ "AUXT_INFO", 70 },	{ "AUXTRACE", 71 },
	{ "THREAD_MAP", 73 },	{ "CPU_MAP", 74 },
	{ "EV_UPDATE", 78 },	{ "TIME_CONV", 79 },
	{ "H_FEATURE", 80 },	{ "COMPRESSED", 81 },
	{ "FIN_INIT", 82 },	{ "COMPRESSED2", 83 },
	{ "32775", 256 },
};

/* "COMM=2 EXIT=1 …": exactly these, but for build ids, which in a file are no records. */
static void check_types(const char *file, struct result *res, char *list)
{
	bool damaged = strstr(list, "ZEROSIZE");
	char *word;

	res->type[PERF_RECORD_SAMPLE] = res->on_disk;
	while ((word = strsep(&list, " "))) {
		char *n = strchr(word, '=');
		size_t i;

		if (!n || !strncmp(word, "ZEROSIZE", 8))
			continue;
		*n++ = '\0';
		for (i = 0; i < SF_ARRAY_SIZE(type_names); i++)
			if (!strcmp(word, type_names[i].name))
				break;
		if (i == SF_ARRAY_SIZE(type_names))
			fail_msg("%s: unknown name %s", file, word);
		if ((type_names[i].type == 256 ? res->others : res->type[type_names[i].type]) !=
		    strtoull(n, NULL, 10))
			fail_msg("%s: %" PRIu64 " records %s, expected %s", file,
				 type_names[i].type == 256 ? res->others
							   : res->type[type_names[i].type],
				 word, n);
		if (type_names[i].type < 256)
			res->type[type_names[i].type] = 0;
	}
	res->type[SF_RECORD_HEADER_BUILD_ID] = 0;
	for (unsigned i = 0; i < 256; i++)
		if (res->type[i])
			fail_msg("%s: %" PRIu64 " records of type %u too many", file, res->type[i],
				 i);
	assert_int_equal(res->end < 0, damaged);
}

static void record_counts(void **state)
{
	FILE *f = open_table("expected/files.tsv");
	char line[16384];
	unsigned checked = 0;

	while (fgets(line, sizeof(line), f)) {
		char *p = line;
		const char *file = column(&p), *col = "";
		struct result *res;

		for (int i = 1; i < 15; i++)
			col = column(&p);
		if (!*col || !strcmp(file, SIMPLEPERF_TRACEPOINT) || !readable(file))
			continue;
		res = malloc(sizeof(*res));
		assert_non_null(res);
		read_file(file, res);
		assert_int_equal(res->open, 0);
		check_types(file, res, (char *)col);
		assert_int_equal(res->stats.out_of_order, 0);
		checked++;
		free(res);
	}
	fclose(f);
	assert_int_equal(checked, readable("zstd") ? 40 : 36);
}

static void tracing_data_inside_record(void **state)
{
	struct result *res = malloc(sizeof(*res));

	fclose(open_table("expected/files.tsv"));
	assert_non_null(res);
	read_file(SIMPLEPERF_TRACEPOINT, res);
	assert_int_equal(res->open, 0);
	assert_int_equal(res->end, 0);
	assert_string_equal(res->event[0].name, "sched:sched_switch");
	assert_string_equal(res->event[1].name, "cycles:HG");
	assert_int_equal(res->event[0].samples + res->event[1].samples, 45);
	assert_int_equal(res->type[PERF_RECORD_MMAP], 37);
	free(res);
}

static void unfinished(void **state)
{
	struct result *res = malloc(sizeof(*res));

	fclose(open_table("expected/files.tsv"));
	assert_non_null(res);
	read_file("kitscript.perf.data", res);
	assert_int_equal(res->open, 0);
	assert_true(res->stats.unfinished);
	assert_int_equal(res->type[PERF_RECORD_MMAP2], 19);
	free(res);
}

/* Fuzzers' files: an error, or the rest with something counted; never a record too many. */
static void fuzzed(void **state)
{
	static const char *const names[] = {
		"quipper.clusterfuzz-22942208",	    "quipper.poc-145fc46ec928e50d7116",
		"quipper.poc-1d0e6544b4addbadb2ff", "quipper.poc-2c02c3aa9fb2a613b650",
		"quipper.poc-3be2b745d86f9b6e8491", "quipper.poc-4a52fdd4e9d5adcda853",
		"quipper.poc-62e91c55617092aa8237", "quipper.poc-6811aac63baf66b46afe",
		"quipper.poc-7bef7f895afc2ab06ed3", "quipper.poc-95cc7524c6b55c7d2636",
		"quipper.poc-ba8a4480ea231128f3d5", "quipper.poc-c895bf2ccfcc61dda638",
		"quipper.poc-d8b5768bcbbc2fbe0b58", "quipper.poc-eebb35632622f4e6e07b",
	};
	struct result *res = malloc(sizeof(*res));

	fclose(open_table("expected/files.tsv"));
	assert_non_null(res);
	for (size_t i = 0; i < SF_ARRAY_SIZE(names); i++) {
		read_file(names[i], res);
		if (!res->open && !res->end && !res->stats.truncated && !res->stats.bad)
			fail_msg("%s: read as if nothing were wrong", names[i]);
		assert_true(res->stats.records < 16);
	}
	free(res);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(samples_and_periods),
		cmocka_unit_test(record_counts),
		cmocka_unit_test(tracing_data_inside_record),
		cmocka_unit_test(unfinished),
		cmocka_unit_test(fuzzed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
