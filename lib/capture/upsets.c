/* SPDX-License-Identifier: GPL-2.0-only */
#include "upsets.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <snapflame/str.h>

#include "mark_list.h"
#include "proc.h"

enum {
	MAX_CPUS = 4096,
	READINGS = 5,
	NEAR_NS = 20000,         /* two clocks read so soon after each other are as one */
	LEAST_JUMP_NS = 1000000, /* of a clock: reading two takes less, but for being preempted */
	LEAST_AWAY_NS = 10000000,
	AWAY_PART = 100, /* and one part in so many: scheduler clocks are not quite the others */
};

static int64_t clock_of(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* a - b, from the closest of some readings. */
static int64_t apart(clockid_t a, clockid_t b)
{
	int64_t least = INT64_MAX, diff = 0;

	for (int i = 0; i < READINGS && least > NEAR_NS; i++) {
		int64_t before = clock_of(b), now = clock_of(a), after = clock_of(b);

		if (after - before < least) {
			least = after - before;
			diff = now - before - least / 2;
		}
	}
	return diff;
}

void sf_upsets_take(struct sf_upsets *u, const struct sf_events *e)
{
	*u = (struct sf_upsets){ .online = calloc(MAX_CPUS, sizeof(*u->online)) };
	if (u->online)
		u->nr_online = sf_proc_online(u->online, MAX_CPUS);
	u->asleep = apart(CLOCK_BOOTTIME, CLOCK_MONOTONIC);
	u->time_set = apart(CLOCK_REALTIME, CLOCK_BOOTTIME);
	u->running = calloc(e->nr_cpus + 1, sizeof(*u->running));
	u->at = sf_now();
	if (u->running && !sf_events_running(e, u->running))
		u->nr_running = e->nr_cpus;
}

void sf_upsets_release(struct sf_upsets *u)
{
	free(u->running);
	free(u->online);
	*u = (struct sf_upsets){ 0 };
}

static void add(json_t **list, const char *kind, const struct sf_str *text)
{
	if (!*list)
		*list = json_array();
	if (!sf_str_failed(text))
		json_array_append_new(*list, json_pack("{s:s, s:s}", "kind", kind, "text", text->buf));
}

/* The kernel takes events off a CPU that goes, and does not put them back. */
static void add_away(json_t **list, const struct sf_upsets *before, const struct sf_upsets *after,
		     const struct sf_events *e)
{
	uint64_t wall = after->at - before->at;

	for (size_t i = 0; i < before->nr_running && i < after->nr_running; i++) {
		uint64_t ran = after->running[i] - before->running[i];
		struct sf_str s = SF_STR_INIT;

		if (ran >= wall || wall - ran < LEAST_AWAY_NS + wall / AWAY_PART)
			continue;
		sf_str_addf(&s, "CPU %u went offline, and what it ran in %.1f of %.1f ms is missing",
			    e->cpu[i], (double)(wall - ran) / 1e6, (double)wall / 1e6);
		add(list, "cpu", &s);
		sf_str_release(&s);
	}
}

static void add_new(json_t **list, const struct sf_upsets *after, const struct sf_events *e)
{
	for (size_t i = 0, k = 0; i < after->nr_online; i++) {
		struct sf_str s = SF_STR_INIT;

		/* Both are sorted. */
		while (k < e->nr_cpus && e->cpu[k] < after->online[i])
			k++;
		if (k < e->nr_cpus && e->cpu[k] == after->online[i])
			continue;
		sf_str_addf(&s, "CPU %u came online, and what it ran is missing",
			    after->online[i]);
		add(list, "cpu", &s);
		sf_str_release(&s);
	}
}

json_t *sf_upsets_between(const struct sf_upsets *before, const struct sf_upsets *after,
			  const struct sf_events *e)
{
	int64_t slept = after->asleep - before->asleep, set = after->time_set - before->time_set;
	struct sf_str s = SF_STR_INIT;
	json_t *list = NULL;

	add_away(&list, before, after, e);
	if (e->cpu)
		add_new(&list, after, e);
	if (slept >= LEAST_JUMP_NS) {
		sf_str_addf(&s, "the machine slept for %.3f s, which the pause does not count",
			    (double)slept / 1e9);
		add(&list, "sleep", &s);
	}
	sf_str_reset(&s);
	if (llabs(set) >= LEAST_JUMP_NS) {
		sf_str_addf(&s, "the time of day was set %s by %.3f s, which moves no time in the recording",
			    set < 0 ? "back" : "forward", (double)llabs(set) / 1e9);
		add(&list, "clock", &s);
	}
	sf_str_release(&s);
	return list;
}
