/* SPDX-License-Identifier: GPL-2.0-only */
/* Records that perf itself writes and that change what the reader knows. */
#include <errno.h>
#include <string.h>

#include "perfdata/reader_impl.h"

static void too_much(struct sf_reader *r, int err, uint64_t offset)
{
	sf_reader_complain(r, offset, "%s",
			   err == -ENOMEM ? "no memory" : "too many events or ids");
}

/* HEADER_ATTR: an attr, and ids up to the end of the record. */
static void header_attr(struct sf_reader *r, const uint8_t *p, size_t size, uint64_t offset)
{
	struct perf_event_attr attr;
	uint32_t n = sf_attr_decode(&attr, p, size, r->swapped);
	int err;

	if (!n) {
		r->stats.bad++;
		sf_reader_complain(r, offset, "an event description that is too short");
		return;
	}
	err = sf_evlist_add(&r->evlist, &attr);
	for (; !err && n + 8 <= size; n += 8)
		err = sf_evlist_add_id(&r->evlist, r->evlist.ev[r->evlist.nr - 1],
				       sf_raw64(p + n, r->swapped));
	if (!err)
		err = sf_evlist_finish(&r->evlist);
	if (err)
		too_much(r, err, offset);
	sf_user_name_tracepoints(r);
}

void sf_reader_name(struct sf_reader *r, struct sf_evsel *ev, const char *name, size_t len)
{
	if (sf_evsel_set_name(ev, name, len) == -ENOMEM)
		sf_reader_give_up(r, -ENOMEM, 0, "no memory for the names of events");
}

/* EVENT_UPDATE: u64 what (2: name), u64 id, text. */
static void event_update(struct sf_reader *r, const uint8_t *p, size_t size)
{
	struct sf_evsel *ev;

	if (size < 16 || sf_raw64(p, r->swapped) != 2)
		return;
	ev = sf_evlist_find(&r->evlist, sf_raw64(p + 8, r->swapped));
	if (ev)
		sf_reader_name(r, ev, (const char *)p + 16,
			       strnlen((const char *)p + 16, size - 16));
}

/* EVENT_TYPE, of perf before 3.11: u64 config of a tracepoint, char name[64]. */
static void event_type(struct sf_reader *r, const uint8_t *p, size_t size)
{
	uint64_t config;

	if (size < 8)
		return;
	config = sf_raw64(p, r->swapped);
	for (size_t i = 0; i < r->evlist.nr; i++) {
		struct sf_evsel *ev = r->evlist.ev[i];

		if (ev->pub.attr.type == PERF_TYPE_TRACEPOINT && ev->pub.attr.config == config)
			sf_reader_name(r, ev, (const char *)p + 8,
				       strnlen((const char *)p + 8, size - 8));
	}
}

void sf_user_record(struct sf_reader *r, uint32_t type, const uint8_t *rec, size_t size,
		    uint64_t offset)
{
	const uint8_t *p = rec + 8;

	size -= 8;
	switch (type) {
	case SF_RECORD_HEADER_ATTR:
		header_attr(r, p, size, offset);
		break;
	case SF_RECORD_HEADER_EVENT_TYPE:
		event_type(r, p, size);
		break;
	case SF_RECORD_EVENT_UPDATE:
		event_update(r, p, size);
		break;
	case SF_RECORD_HEADER_FEATURE:
		if (size >= 8)
			sf_feature_parse(r, (unsigned)sf_raw64(p, r->swapped), p + 8, size - 8);
		break;
	default:
		break;
	}
}

/* Tracepoints that nobody named yet, by what tracefs calls them. */
void sf_user_name_tracepoints(struct sf_reader *r)
{
	for (size_t i = 0; r->tracing && i < r->evlist.nr; i++) {
		struct sf_evsel *ev = r->evlist.ev[i];
		struct sf_str name = SF_STR_INIT;

		if (ev->pub.attr.type != PERF_TYPE_TRACEPOINT || ev->named)
			continue;
		if (sf_tracing_name(r->tracing, ev->pub.attr.config, &name) && !name.failed)
			sf_reader_name(r, ev, name.buf, name.len);
		sf_str_release(&name);
	}
}

void sf_user_tracing(struct sf_reader *r, const uint8_t *p, size_t size, uint64_t offset)
{
	int err;

	if (r->tracing)
		return;
	err = sf_tracing_new(&r->tracing, p, size);
	if (err)
		sf_reader_complain(r, offset, "the tracing data cannot be read: %s",
				   strerror(-err));
	sf_user_name_tracepoints(r);
}
