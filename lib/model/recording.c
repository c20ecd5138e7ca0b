/* SPDX-License-Identifier: GPL-2.0-only */
/* Life of a recording, and what is asked of it. */
#include <snapflame/recording.h>
#include <snapflame/str.h>

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "model/loader.h"

enum { MAX_PROBLEMS = 64 };

int sf_recording_note(struct sf_recording *rec, const char *fmt, ...)
{
	struct sf_str s = SF_STR_INIT;
	va_list ap;
	char *line;

	if (rec->problem.nr >= MAX_PROBLEMS)
		return 0;
	va_start(ap, fmt);
	sf_str_vaddf(&s, fmt, ap);
	va_end(ap);
	line = sf_str_detach(&s);
	if (!line || SF_GROW(rec->problem.line, rec->problem.nr + 1, rec->problem.alloc)) {
		free(line);
		return -ENOMEM;
	}
	rec->problem.line[rec->problem.nr++] = line;
	return 0;
}

const char *sf_recording_problem(const struct sf_recording *rec, size_t index)
{
	return index < rec->problem.nr ? rec->problem.line[index] : NULL;
}

uint32_t sf_recording_thread(const struct sf_recording *rec, uint32_t tid, uint64_t time)
{
	uint32_t last = sf_map64_get(&rec->tid_of, tid, SF_NO_THREAD);

	if (last == SF_NO_THREAD || rec->thread[last].start <= time)
		return last;
	/* The number was used before: rare, so a search will do. */
	for (uint32_t i = (uint32_t)rec->nr_threads; i-- > 0;)
		if (rec->thread[i].tid == tid && rec->thread[i].start <= time)
			return i;
	return last;
}

/* First of nr elements of that size whose time, their first member, is time or later. */
static size_t first_from(const void *list, size_t nr, size_t size, uint64_t time)
{
	size_t lo = 0, hi = nr;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (*(const uint64_t *)((const char *)list + mid * size) < time)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

_Static_assert(!offsetof(struct sf_sched, time) && !offsetof(struct sf_cpu_sample, time) &&
		       !offsetof(struct sf_poll, time) && !offsetof(struct sf_syscall, enter),
	       "first_from() takes the first member for the time");

size_t sf_thread_sched_from(const struct sf_thread *t, uint64_t time)
{
	return first_from(t->sched, t->nr_sched, sizeof(*t->sched), time);
}

size_t sf_thread_sample_from(const struct sf_thread *t, uint64_t time)
{
	return first_from(t->sample, t->nr_samples, sizeof(*t->sample), time);
}

size_t sf_thread_poll_from(const struct sf_thread *t, uint64_t time)
{
	return first_from(t->poll, t->nr_polls, sizeof(*t->poll), time);
}

size_t sf_thread_syscall_after(const struct sf_thread *t, uint64_t time)
{
	return time == UINT64_MAX ? t->nr_syscalls
				  : first_from(t->syscall, t->nr_syscalls, sizeof(*t->syscall), time + 1);
}

uint64_t sf_recording_lost(const struct sf_recording *rec, uint64_t lo, uint64_t hi)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < rec->nr_lost; i++)
		if (rec->lost[i].time >= lo && rec->lost[i].from <= hi)
			sum += rec->lost[i].count;
	return sum;
}

void sf_window_release(struct sf_window *w)
{
	for (int e = 0; e < SF_NR_EDGES; e++)
		free(w->snap[e].thread);
	free(w->covariate);
	free(w->file);
	free(w->writer);
	free(w->phase);
	free(w->upset);
}

static void thread_release(struct sf_thread *t)
{
	free(t->sched);
	free(t->sample);
	free(t->poll);
	free(t->syscall);
	free(t->kvm_exit);
}

void sf_recording_free(struct sf_recording *rec)
{
	if (!rec)
		return;
	for (size_t i = 0; i < rec->nr_threads; i++)
		thread_release(&rec->thread[i]);
	for (size_t i = 0; i < rec->nr_cpus; i++)
		free(rec->cpu[i].sw);
	for (size_t i = 0; i < rec->nr_windows; i++)
		sf_window_release(&rec->window[i]);
	for (size_t i = 0; i < rec->problem.nr; i++)
		free(rec->problem.line[i]);
	free(rec->problem.line);
	free(rec->thread);
	free(rec->cpu);
	free(rec->window);
	free(rec->request);
	free(rec->request_done);
	free(rec->lost);
	free(rec->device);
	free(rec->meta.label);
	free(rec->node);
	sf_map64_release(&rec->node_of);
	sf_map64_release(&rec->chain_cache);
	sf_map64_release(&rec->tid_of);
	sf_strtab_release(&rec->str);
	sf_arena_release(&rec->arena);
	sf_symbols_free(rec->symbols);
	free(rec);
}
