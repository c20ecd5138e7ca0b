/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Marks, names and events as text, made into a recording that is right as a file. One a line:
 *
 *	{…}                   a mark
 *	+US                   the time goes on
 *	in TID, out TID, off TID       a thread gets a CPU, gives it up, is preempted
 *	sample TID ADDR…      a CPU sample, leaf first, hexadecimal
 *	poll TID MS SYSCALL STATE ADDR…
 *	comm TID TEXT, exit TID, lost COUNT
 *	map TID TEXT          code of that file at 400000
 */
#ifndef TESTS_FUZZ_TEXT_RECORDING_H
#define TESTS_FUZZ_TEXT_RECORDING_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/array.h>
#include <snapflame/marks.h>
#include <snapflame/writer.h>

#include "output_holds.h"

enum { ID_CLOCK = 1, ID_SIDEBAND, ID_TASK_STACK, ID_MARK, MOST_FRAMES = 32, PID = 100 };

#define BASE (SF_STAMP_SAMPLE_TYPE | PERF_SAMPLE_IP)

static const struct {
	const char *name;
	uint64_t config, type;
} events[] = {
	{ SF_EVENT_CPU_CLOCK, PERF_COUNT_SW_CPU_CLOCK, BASE | PERF_SAMPLE_PERIOD | PERF_SAMPLE_CALLCHAIN },
	{ SF_EVENT_SIDEBAND, PERF_COUNT_SW_DUMMY, BASE },
	{ SF_EVENT_TASK_STACK, PERF_COUNT_SW_DUMMY,
	  BASE | PERF_SAMPLE_PERIOD | PERF_SAMPLE_CALLCHAIN | PERF_SAMPLE_RAW },
	{ SF_EVENT_MARK, PERF_COUNT_SW_BPF_OUTPUT, BASE | PERF_SAMPLE_RAW },
};

static inline void add_events(struct sf_writer *w)
{
	for (size_t i = 0; i < SF_ARRAY_SIZE(events); i++) {
		struct perf_event_attr a = {
			.size = sizeof(a), .type = PERF_TYPE_SOFTWARE, .config = events[i].config,
			.sample_type = events[i].type, .sample_id_all = 1, .use_clockid = 1, .clockid = 1,
			.mmap2 = 1, .comm = 1, .task = 1, .context_switch = i + 1 == ID_SIDEBAND,
		};
		uint64_t id = i + 1;

		MUST(sf_writer_add_event(w, &a, events[i].name, &id, 1) == (int)i);
	}
}

static inline struct sf_stamp stamp_of(uint32_t tid, uint64_t time)
{
	return (struct sf_stamp){ .pid = PID, .tid = tid, .time = time, .cpu = tid % 4,
				  .id = ID_SIDEBAND };
}

static inline void add_switch(struct sf_str *out, uint32_t tid, uint64_t time, uint16_t misc)
{
	struct sf_stamp stamp = stamp_of(tid, time);
	struct perf_event_header h = {
		.type = PERF_RECORD_SWITCH, .misc = misc, .size = sizeof(h) + sizeof(stamp),
	};

	sf_str_addn(out, &h, sizeof(h));
	sf_str_addn(out, &stamp, sizeof(stamp));
}

static inline void add_sample(struct sf_str *out, struct sf_build_sample *s, char *addrs)
{
	uint64_t chain[MOST_FRAMES + 1], addr;
	char *end;

	for (chain[0] = PERF_CONTEXT_USER; addrs && *addrs && s->nr_chain < MOST_FRAMES; addrs = end) {
		addr = strtoull(addrs, &end, 16);
		if (end == addrs)
			break;
		if (!s->nr_chain && addr >> 63)
			chain[0] = PERF_CONTEXT_KERNEL;
		chain[++s->nr_chain] = addr;
	}
	s->ip = s->nr_chain ? chain[1] : 0;
	s->misc = s->nr_chain && chain[1] >> 63 ? PERF_RECORD_MISC_KERNEL : PERF_RECORD_MISC_USER;
	s->chain = chain;
	s->nr_chain += s->nr_chain > 0;
	s->pid = PID;
	s->cpu = s->tid % 4;
	sf_build_sample(out, events[s->id - 1].type, s);
}

static inline void add_mark(struct sf_str *out, const char *text, uint64_t time)
{
	struct sf_build_sample s = { .id = ID_MARK, .time = time, .raw = text, .tid = 1 };

	s.raw_size = strlen(text) + 1;
	if (s.raw_size < SF_MARK_MAX)
		add_sample(out, &s, NULL);
}

static inline void add_poll(struct sf_str *out, uint32_t tid, uint64_t time, char *words)
{
	struct sf_task_raw raw = { 0 };
	struct sf_build_sample s = { .id = ID_TASK_STACK, .time = time, .tid = tid, .raw = &raw,
				     .raw_size = sizeof(raw) };

	s.period = strtoull(words, &words, 10) * 1000000;
	raw.syscall = (int32_t)strtol(words, &words, 10);
	raw.state = words[0] && words[1] ? words[1] : 'S';
	add_sample(out, &s, *words ? words + (words[1] ? 2 : 1) : words);
}

static inline void add_line(struct sf_str *out, char *line, uint64_t *time)
{
	char *word = line, *rest = line + strcspn(line, " ");
	struct sf_stamp stamp;
	uint32_t tid;

	if (*line == '{') {
		add_mark(out, line, *time);
		return;
	}
	if (*line == '+') {
		*time += strtoull(line + 1, NULL, 10) * 1000;
		return;
	}
	if (*rest)
		*rest++ = '\0';
	tid = (uint32_t)strtoul(rest, &rest, 10);
	rest += *rest == ' ';
	stamp = stamp_of(tid, *time);
	if (!strcmp(word, "in"))
		add_switch(out, tid, *time, 0);
	else if (!strcmp(word, "out"))
		add_switch(out, tid, *time, PERF_RECORD_MISC_SWITCH_OUT);
	else if (!strcmp(word, "off"))
		add_switch(out, tid, *time,
			   PERF_RECORD_MISC_SWITCH_OUT | PERF_RECORD_MISC_SWITCH_OUT_PREEMPT);
	else if (!strcmp(word, "sample"))
		add_sample(out, &(struct sf_build_sample){ .id = ID_CLOCK, .time = *time, .tid = tid,
							   .period = 1000000 }, rest);
	else if (!strcmp(word, "poll"))
		add_poll(out, tid, *time, rest);
	else if (!strcmp(word, "comm"))
		sf_build_comm(out, &stamp, PID, tid, rest);
	else if (!strcmp(word, "exit"))
		sf_build_task(out, &stamp, PERF_RECORD_EXIT, PID, PID, tid, tid);
	else if (!strcmp(word, "lost"))
		sf_build_lost(out, &stamp, ID_CLOCK, tid);
	else if (!strcmp(word, "map"))
		sf_build_mmap(out, &stamp, PERF_RECORD_MISC_USER,
			      &(struct sf_build_mmap){ .pid = PID, .tid = tid, .addr = 0x400000,
						       .len = 0x100000, .prot = 5, .filename = rest });
}

/* Write the recording that text (terminated, cut up meanwhile) describes into the empty file fd. */
static inline void write_recording(char *text, int fd)
{
	struct sf_str records = SF_STR_INIT;
	uint64_t time = 1000000000;
	struct sf_writer *w;
	char *save = NULL;

	MUST(!sf_writer_open_fd(&w, fd, NULL));
	add_events(w);
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		add_line(&records, l, &time);
	MUST(!sf_str_failed(&records));
	sf_writer_put(w, records.buf, records.len);
	MUST(!sf_writer_commit(w, NULL));
	sf_writer_free(w);
	sf_str_release(&records);
}

#endif
