/* SPDX-License-Identifier: GPL-2.0-only */
/* What a perf.data file holds: samples by event, and other records by type. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/tables_internal.h"

enum { EVENT, KIND, COUNT, FIRST, LAST, STACKS, PERIOD, NR };

#define BOTH (SF_COLUMN_TEXT | SF_COLUMN_DATA)

static const struct sf_column columns[NR] = {
	[EVENT] = { "event", "event", BOTH | SF_COLUMN_LEFT | SF_COLUMN_CUT, 0 },
	[KIND] = { "kind", "", BOTH | SF_COLUMN_LEFT, 0 },
	[COUNT] = { "count", "count", BOTH, 0 },
	[FIRST] = { "first_s", "first s", BOTH, 3 },
	[LAST] = { "last_s", "last s", BOTH, 3 },
	[STACKS] = { "with_stack", "with stack", BOTH, 0 },
	[PERIOD] = { "period_sum", "period", SF_COLUMN_DATA, 0 },
};

struct count {
	uint64_t n, first, last, stacks, period;
};

enum { MAX_TYPE = 128, MAX_EVENTS = 65536 };

struct counts {
	struct count *event;
	size_t nr, alloc;
	struct count type[MAX_TYPE];
};

static void count_one(struct count *c, const struct sf_record *r)
{
	c->n++;
	if (!r->has_time || !r->time)
		return;
	if (!c->first || r->time < c->first)
		c->first = r->time;
	if (r->time > c->last)
		c->last = r->time;
}

static int count_record(struct counts *c, const struct sf_record *r)
{
	struct count *e;

	if (r->type != PERF_RECORD_SAMPLE || !r->event || r->event->index >= MAX_EVENTS) {
		if (r->type < MAX_TYPE)
			count_one(&c->type[r->type], r);
		return 0;
	}
	if (SF_GROW(c->event, r->event->index + 1, c->alloc))
		return -ENOMEM;
	while (c->nr <= r->event->index)
		c->event[c->nr++] = (struct count){ 0 };
	e = &c->event[r->event->index];
	count_one(e, r);
	e->stacks += r->u.sample.nr_chain > 0;
	e->period += r->u.sample.period;
	return 0;
}

static const char *type_name(unsigned type)
{
	static const char *const name[] = {
		[PERF_RECORD_MMAP] = "MMAP", [PERF_RECORD_LOST] = "LOST",
		[PERF_RECORD_COMM] = "COMM", [PERF_RECORD_EXIT] = "EXIT",
		[PERF_RECORD_THROTTLE] = "THROTTLE", [PERF_RECORD_UNTHROTTLE] = "UNTHROTTLE",
		[PERF_RECORD_FORK] = "FORK", [PERF_RECORD_READ] = "READ",
		[PERF_RECORD_SAMPLE] = "SAMPLE", [PERF_RECORD_MMAP2] = "MMAP2",
		[PERF_RECORD_AUX] = "AUX", [PERF_RECORD_ITRACE_START] = "ITRACE_START",
		[PERF_RECORD_LOST_SAMPLES] = "LOST_SAMPLES", [PERF_RECORD_SWITCH] = "SWITCH",
		[PERF_RECORD_SWITCH_CPU_WIDE] = "SWITCH_CPU_WIDE",
		[PERF_RECORD_NAMESPACES] = "NAMESPACES", [PERF_RECORD_KSYMBOL] = "KSYMBOL",
		[PERF_RECORD_BPF_EVENT] = "BPF_EVENT", [PERF_RECORD_CGROUP] = "CGROUP",
		[PERF_RECORD_TEXT_POKE] = "TEXT_POKE",
		/* perf's own, from 64 on (tools/lib/perf/include/perf/event.h) */
		[64] = "ATTR", [66] = "TRACING_DATA", [67] = "BUILD_ID", [68] = "FINISHED_ROUND",
		[69] = "ID_INDEX", [70] = "AUXTRACE_INFO", [71] = "AUXTRACE",
		[73] = "THREAD_MAP", [74] = "CPU_MAP", [76] = "STAT", [78] = "EVENT_UPDATE",
		[79] = "TIME_CONV", [80] = "FEATURE", [81] = "COMPRESSED", [82] = "FINISHED_INIT",
	};

	return type < SF_ARRAY_SIZE(name) ? name[type] : NULL;
}

static int add_row(struct table_build *b, const char *name, const char *kind,
		   const struct count *c)
{
	int ret = sf_row(b);

	if (ret)
		return ret;
	sf_set_text(b, EVENT, name);
	sf_set_text(b, KIND, kind);
	sf_set_int(b, COUNT, (int64_t)c->n);
	if (c->last) {
		sf_set_real(b, FIRST, (double)c->first / 1e9);
		sf_set_real(b, LAST, (double)c->last / 1e9);
	}
	if (!strcmp(kind, "sample")) {
		sf_set_int(b, STACKS, (int64_t)c->stacks);
		sf_set_int(b, PERIOD, (int64_t)(c->period & INT64_MAX));
	}
	return 0;
}

static int add_rows(struct table_build *b, const struct sf_reader *r, const struct counts *c)
{
	static const struct count none = { 0 };
	char other[16];
	int ret = 0;

	/* Events without a sample are told too: that they are missing may be the news. */
	for (size_t i = 0; !ret && i < sf_reader_nr_events(r); i++)
		ret = add_row(b, sf_reader_event(r, i)->name, "sample",
			      i < c->nr ? &c->event[i] : &none);
	for (unsigned i = 0; !ret && i < MAX_TYPE; i++) {
		const char *name = type_name(i);

		if (!c->type[i].n)
			continue;
		snprintf(other, sizeof(other), "type %u", i);
		ret = add_row(b, name ? name : other, "record", &c->type[i]);
	}
	return ret;
}

static int add_notes(struct table_build *b, const struct sf_reader *r)
{
	const struct sf_reader_stats *st = sf_reader_stats(r);
	const char *line;
	int ret = 0;

	if (st->unfinished)
		ret = sf_table_note(b, "the recorder never finished this file");
	if (!ret && st->truncated)
		ret = sf_table_note(b, "the file ends in the middle of a record");
	for (size_t i = 0; !ret && (line = sf_reader_problem(r, i)); i++)
		ret = sf_table_note(b, "%s", line);
	return ret;
}

static int read_all(struct table_build *b, struct sf_reader *r, struct counts *c)
{
	const struct sf_record *rec;
	int got, ret = 0;

	while (!ret && (got = sf_reader_next(r, &rec, b->err)) > 0)
		ret = count_record(c, rec);
	if (!ret && got < 0)
		ret = sf_table_note(b, "%s", b->err && b->err->what[0] ? b->err->what
									: "cannot be read to its end");
	return ret;
}

int sf_table_events(struct sf_table **out, const char *path, struct sf_error *err)
{
	struct table_build b = { .err = err };
	struct counts *c = calloc(1, sizeof(*c));
	struct sf_reader *r = NULL;
	int ret = -ENOMEM;

	*out = NULL;
	b.t = calloc(1, sizeof(*b.t));
	if (!c || !b.t)
		goto out;
	b.t->id = SF_TABLE_EVENTS;
	b.t->column = columns;
	b.t->nr_columns = NR;
	ret = sf_reader_open(&r, path, NULL, err);
	if (ret)
		goto out;
	ret = read_all(&b, r, c);
	if (!ret)
		ret = add_rows(&b, r, c);
	if (!ret)
		ret = add_notes(&b, r);
out:
	sf_reader_free(r);
	if (c)
		free(c->event);
	free(c);
	if (ret) {
		sf_table_free(b.t);
		return ret == -ENOMEM ? sf_error_set(err, ret, "out of memory") : ret;
	}
	*out = b.t;
	return 0;
}

const struct table_def sf_def_events = { "events", columns, NR, NULL };
