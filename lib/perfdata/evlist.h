/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The events of a recording, which one a record belongs to, and where its time and id are.
 */
#ifndef PERFDATA_EVLIST_H
#define PERFDATA_EVLIST_H

#include <snapflame/reader.h>
#include <snapflame/table.h>

#include "perfdata/raw.h"

/* struct sf_event is what callers see; the rest is derived from its attr. */
struct sf_evsel {
	struct sf_event pub;
	uint64_t *ids;
	size_t nr_ids, id_alloc;
	char *name;
	bool named;	   /* by the recording, not made from the attr */
	char *old_name[4]; /* earlier names, which a caller may still hold */
	unsigned nr_old;
	int8_t sample_time;  /* u64s from the start of a sample's body; -1: none */
	int8_t trailer_time; /* u64s back from the end of another record */
	int8_t trailer_id;
	uint8_t trailer_size; /* bytes */
};

struct sf_evlist {
	struct sf_evsel **ev;
	size_t nr, alloc;
	struct sf_map64 by_id; /* id times salt -> index */
	uint64_t salt;	       /* odd, of this process: nobody can make up ids that collide */
	/*
	 * As perf has it, the place of the id is the same for all events (else nobody could tell
	 * them apart); same_time: that of the time is, too, so that the id need not be looked at.
	 */
	int8_t sample_id, trailer_id; /* u64s from the start, or back from the end; -1: none */
	bool sample_id_all, same_time, any_build_id;
	size_t finished; /* events that sf_evlist_finish() has seen */
	uint64_t last_id;
	struct sf_evsel *last;
};

/* Most real recordings have some thousand ids; this is where a made-up one stops. */
#define SF_MAX_EVENTS 65536
#define SF_MAX_IDS    (1u << 20)

void sf_evlist_init(struct sf_evlist *l);
/* Adds an event without ids; 0, -ENOMEM or -E2BIG. */
int sf_evlist_add(struct sf_evlist *l, const struct perf_event_attr *attr);
int sf_evlist_add_id(struct sf_evlist *l, struct sf_evsel *ev, uint64_t id);
/* After the last attr: compose names of events that have none, find the places. */
int sf_evlist_finish(struct sf_evlist *l);
int sf_evsel_set_name(struct sf_evsel *ev, const char *name, size_t len);
struct sf_evsel *sf_evlist_find(const struct sf_evlist *l, uint64_t id); /* NULL: unknown */
void sf_evlist_release(struct sf_evlist *l);

/* "cycles:u", "L1-dcache-load-misses", "sched:sched_switch" …: as perf composes it. malloc'ed. */
char *sf_evname_compose(const struct perf_event_attr *attr);

/*
 * The event of a record as it is in the file; NULL where the id is unknown. A zero id is of records
 * that perf made up: the first event.
 */
struct sf_evsel *sf_evlist_of(struct sf_evlist *l, const uint8_t *rec, size_t size, uint32_t type,
			      bool swapped);

#define SF_NO_TIME    UINT64_MAX
#define SF_BAD_RECORD (UINT64_MAX - 1)

/*
 * The time a record is ordered by; SF_NO_TIME where it has none, SF_BAD_RECORD where the record is
 * too short or of an unknown event.
 */
static inline uint64_t sf_evlist_time(struct sf_evlist *l, const uint8_t *rec, size_t size,
				      uint32_t type, bool swapped)
{
	const struct sf_evsel *ev =
		l->same_time ? l->ev[0] : sf_evlist_of(l, rec, size, type, swapped);
	size_t at;
	uint64_t time;

	if (!ev)
		return l->nr ? SF_BAD_RECORD : SF_NO_TIME;
	if (type == PERF_RECORD_SAMPLE) {
		if (ev->sample_time < 0)
			return SF_NO_TIME;
		at = 8 + 8 * (size_t)ev->sample_time;
		if (at + 8 > size)
			return SF_BAD_RECORD;
	} else {
		if (ev->trailer_time < 0)
			return SF_NO_TIME;
		at = 8 * (size_t)ev->trailer_time;
		if (at + 8 > size)
			return SF_BAD_RECORD;
		at = size - at;
	}
	time = sf_raw64(rec + at, swapped);
	return time && time < SF_BAD_RECORD ? time : SF_NO_TIME;
}

#endif
