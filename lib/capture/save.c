/* SPDX-License-Identifier: GPL-2.0-only */
/* From the spools to a perf.data file: everything in order of time. */
#define _GNU_SOURCE
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <snapflame/array.h>
#include <snapflame/marks.h>
#include <snapflame/reader.h>
#include <snapflame/table.h>
#include <snapflame/writer.h>

#include "merge.h"
#include "proc.h"
#include "session.h"

enum { FRAMES_MAX = 128, SAMPLE_TIME = 21 /* HEADER_SAMPLE_TIME */ };

#define TASK_STACK_TYPE                                                                            \
	(SF_STAMP_SAMPLE_TYPE | PERF_SAMPLE_IP | PERF_SAMPLE_PERIOD | PERF_SAMPLE_CALLCHAIN |      \
	 PERF_SAMPLE_RAW)
#define MARK_TYPE   (SF_STAMP_SAMPLE_TYPE | PERF_SAMPLE_IP | PERF_SAMPLE_RAW)
#define WAKING_TYPE MARK_TYPE

struct save {
	struct sf_capture *c;
	struct sf_merge merge;
	struct sf_spool_map map, poll_map;
	struct sf_map64 pids;     /* tid -> pid, as far as the records tell */
	struct sf_map64 born;     /* pids whose mappings the records tell themselves */
	struct sf_map64 sampled;  /* pids with samples */
	struct sf_sideband foreign;
	uint64_t bad, torn; /* records that make no sense; sub-buffers with events missing */
	uint32_t cpu; /* of the sub-buffer being decoded */
};

static int note(struct sf_map64 *m, uint64_t key, uint32_t value)
{
	uint32_t *v = sf_map64_at(m, key, NULL);

	if (!v)
		return -ENOMEM;
	*v = value;
	return 0;
}

/* Who is who, and whose mappings are missing. */
static int learn(struct save *s, const struct perf_event_header *h)
{
	const uint32_t *u = (const uint32_t *)(h + 1);

	if (h->type == PERF_RECORD_SAMPLE && h->size >= sizeof(*h) + 24) {
		/* IDENTIFIER, IP, pid and tid */
		if (note(&s->pids, u[5], u[4]))
			return -ENOMEM;
		return u[4] != UINT32_MAX && u[4] ? note(&s->sampled, u[4], 1) : 0;
	}
	if (h->type == PERF_RECORD_COMM && h->size >= sizeof(*h) + 8) {
		if (h->misc & PERF_RECORD_MISC_COMM_EXEC && note(&s->born, u[0], 1))
			return -ENOMEM;
		return note(&s->pids, u[1], u[0]);
	}
	if (h->type == PERF_RECORD_FORK && h->size >= sizeof(*h) + 16) {
		if (u[0] != u[1] && note(&s->born, u[0], 1))
			return -ENOMEM;
		return note(&s->pids, u[2], u[0]);
	}
	return 0;
}

static int add_perf_chunk(struct save *s, const uint8_t *data, uint64_t size)
{
	uint64_t last = s->c->start;

	for (uint64_t at = 0; at < size;) {
		const struct perf_event_header *h = (const void *)(data + at);
		uint64_t time;
		int ret;

		if (size - at < sizeof(*h) || h->size < sizeof(*h) || h->size % 8 ||
		    h->size > size - at) {
			s->bad++;
			return 0;
		}
		time = sf_record_time(h);
		if (time)
			last = time;
		ret = learn(s, h);
		if (!ret)
			ret = sf_merge_add(&s->merge, time ? time : last, h);
		if (ret)
			return ret;
		at += h->size;
	}
	return 0;
}

static uint32_t pid_of(const struct save *s, uint32_t tid)
{
	return sf_map64_get(&s->pids, tid, tid);
}

/* A trace entry becomes a sample as perf would have written it. */
static int add_waking(void *arg, uint64_t time, const void *entry, size_t size)
{
	struct save *s = arg;
	struct sf_str buf = SF_STR_INIT;
	struct sf_build_sample b = {
		.misc = PERF_RECORD_MISC_KERNEL,
		.id = SF_OWN_ID(SF_ID_WAKING),
		.time = time,
		.cpu = s->cpu,
		.raw = entry,
		.raw_size = size,
	};
	int32_t tid;
	int ret;

	if (size < 8) {
		s->bad++;
		return 0;
	}
	memcpy(&tid, (const char *)entry + 4, sizeof(tid)); /* common_pid */
	b.tid = (uint32_t)tid;
	b.pid = pid_of(s, b.tid);
	ret = sf_build_sample(&buf, WAKING_TYPE, &b);
	if (!ret)
		ret = sf_merge_add_copy(&s->merge, time, &buf);
	sf_str_release(&buf);
	return ret;
}

static int add_rings(struct save *s)
{
	const struct sf_chunk *chunk;
	const uint8_t *data;
	int ret = sf_spool_map(&s->c->spool, &s->map);

	while (!ret && (chunk = sf_spool_next(&s->map, &data))) {
		if (chunk->kind == SF_CHUNK_PERF)
			ret = add_perf_chunk(s, data, chunk->size);
	}
	/* Wakings afterwards: their processes are known then. */
	s->map.at = 0;
	while (!ret && (chunk = sf_spool_next(&s->map, &data))) {
		if (chunk->kind != SF_CHUNK_FTRACE)
			continue;
		s->cpu = chunk->source;
		ret = sf_wakings_decode(data, chunk->size, add_waking, s);
		if (ret == -EINVAL) {
			s->torn++;
			ret = 0;
		}
	}
	return ret;
}

/* What is known of a polled thread: texts that a record does not repeat. */
struct polled {
	uint64_t chain[FRAMES_MAX + 1];
	size_t nr;
	struct sf_task_raw raw;
};

static void parse_polled(const struct save *s, struct polled *p, const struct sf_poll_rec *rec,
			 const char *syscall, const char *stack)
{
	char line[256];
	size_t n = rec->syscall_len < sizeof(line) ? rec->syscall_len : sizeof(line) - 1;

	memcpy(line, syscall, n);
	line[n] = '\0';
	if (sf_proc_parse_syscall(line, &p->raw))
		p->raw.syscall = -2;
	p->chain[0] = PERF_CONTEXT_KERNEL;
	p->nr = sf_kallsyms_stack(&s->c->kallsyms, stack, rec->stack_len, p->chain + 1, FRAMES_MAX);
}

static int add_poll(struct save *s, const struct sf_poll_rec *rec, struct polled *p)
{
	struct sf_str buf = SF_STR_INIT;
	struct sf_build_sample b = {
		.misc = PERF_RECORD_MISC_KERNEL,
		.id = SF_OWN_ID(SF_ID_TASK_STACK),
		.ip = p->nr ? p->chain[1] : 0,
		.time = rec->time,
		.period = rec->period,
		.pid = (uint32_t)s->c->pid,
		.tid = rec->tid,
		.chain = p->chain,
		.nr_chain = p->nr ? p->nr + 1 : 0,
		.raw = &p->raw,
		.raw_size = sizeof(p->raw),
	};
	int ret;

	p->raw.state = rec->state;
	ret = sf_build_sample(&buf, TASK_STACK_TYPE, &b);
	if (!ret)
		ret = sf_merge_add_copy(&s->merge, rec->time, &buf);
	sf_str_release(&buf);
	return ret;
}

struct polled_list {
	struct polled *item;
	size_t nr, alloc;
	struct sf_map64 by_tid; /* index + 1 */
};

static int add_poll_record(struct save *s, struct polled_list *l, const struct sf_poll_rec *rec,
			   const char *syscall, const char *stack)
{
	uint32_t *at = sf_map64_at(&l->by_tid, rec->tid, NULL);

	if (!at || SF_GROW(l->item, l->nr + 1, l->alloc))
		return -ENOMEM;
	if (!*at) {
		l->item[l->nr] = (struct polled){ 0 };
		*at = (uint32_t)++l->nr;
	}
	if (!rec->again)
		parse_polled(s, &l->item[*at - 1], rec, syscall, stack);
	return add_poll(s, rec, &l->item[*at - 1]);
}

static int add_polls(struct save *s)
{
	struct polled_list l = { 0 };
	const struct sf_chunk *chunk;
	const uint8_t *data;
	int ret = sf_spool_map(&s->c->poll_spool, &s->poll_map);

	while (!ret && (chunk = sf_spool_next(&s->poll_map, &data))) {
		const struct sf_poll_rec *rec;
		const char *syscall, *stack;
		uint64_t at = 0;

		while (!ret && (rec = sf_poll_next(data, chunk->size, &at, &syscall, &stack)))
			ret = add_poll_record(s, &l, rec, syscall, stack);
	}
	free(l.item);
	sf_map64_release(&l.by_tid);
	return ret;
}

static int add_mark(struct save *s, const struct sf_mark *m)
{
	struct sf_str buf = SF_STR_INIT;
	struct sf_build_sample b = {
		.misc = PERF_RECORD_MISC_USER,
		.id = SF_OWN_ID(SF_ID_MARK),
		.time = m->time,
		.pid = (uint32_t)s->c->pid,
		.tid = (uint32_t)s->c->pid,
		.raw = m->text,
		.raw_size = m->len + 1,
	};
	int ret = sf_build_sample(&buf, MARK_TYPE, &b);

	if (!ret)
		ret = sf_merge_add_copy(&s->merge, m->time, &buf);
	sf_str_release(&buf);
	return ret;
}

static int add_marks(struct save *s)
{
	int ret = 0;

	for (size_t i = 0; i < s->c->marks.nr && !ret; i++)
		ret = add_mark(s, &s->c->marks.item[i]);
	return ret;
}

/* Wakings that ftrace lost, as perf says it of its own. */
static int add_lost(struct save *s, uint64_t time)
{
	struct sf_stamp stamp = { .time = time, .id = SF_OWN_ID(SF_ID_WAKING) };
	struct sf_str buf = SF_STR_INIT;
	int ret = 0;

	if (!s->c->waking_lost)
		return 0;
	sf_build_lost(&buf, &stamp, stamp.id, s->c->waking_lost);
	ret = sf_merge_add_copy(&s->merge, time, &buf);
	sf_str_release(&buf);
	return ret;
}

/* Mappings of the other processes that have samples, and whose exec was not recorded. */
static int add_foreign(struct save *s)
{
	int ret = 0;

	sf_sideband_init(&s->foreign, s->c->start, SF_OWN_ID(SF_ID_MARK));
	for (size_t i = 0; i < s->sampled.size && !ret; i++) {
		const struct sf_map64_slot *slot = &s->sampled.slot[i];

		if (!slot->used || slot->key == (uint64_t)s->c->pid ||
		    sf_map64_get(&s->born, slot->key, 0))
			continue;
		/* One that has exited or is not ours to see has no names: not a failure. */
		if (sf_sideband_maps(&s->foreign, (pid_t)slot->key) == -ENOMEM)
			ret = -ENOMEM;
	}
	if (!ret)
		ret = sf_merge_add_copy(&s->merge, s->c->start, &s->foreign.records);
	return ret;
}

static int add_end(struct save *s)
{
	struct sf_capture *c = s->c;
	struct sf_mark m = { .time = sf_now() };
	struct sf_marks list = { 0 };
	uint64_t lost = c->stats.lost + c->waking_lost;
	int ret;

	ret = sf_marks_add(&list, "end", m.time,
			   json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "reason", c->reason,
				     "lost", (json_int_t)lost, "recorder_cpu_ns",
				     (json_int_t)c->recorder_ns, "poll_cpu_ns",
				     (json_int_t)c->poll_ns, "bytes",
				     (json_int_t)(c->spool.size + c->poll_spool.size),
				     "ring_overruns", (json_int_t)c->stats.lost, "ftrace_lost",
				     (json_int_t)c->waking_lost, "dropped_chunks",
				     (json_int_t)(c->spool.refused + c->poll_spool.refused)));
	if (!ret)
		ret = add_mark(s, &list.item[0]);
	if (!ret)
		ret = add_lost(s, m.time);
	sf_marks_release(&list);
	return ret;
}

static int collect(struct save *s)
{
	int ret = sf_merge_add_copy(&s->merge, s->c->start, &s->c->sideband.records);

	if (!ret)
		ret = add_rings(s);
	if (!ret)
		ret = add_foreign(s);
	if (!ret)
		ret = add_polls(s);
	if (!ret)
		ret = add_marks(s);
	if (!ret)
		ret = add_end(s);
	if (!ret)
		sf_merge_sort(&s->merge);
	return ret;
}

static int add_own_event(struct sf_writer *w, const char *name, uint32_t type, uint64_t config,
			 uint64_t sample_type, uint64_t id)
{
	struct perf_event_attr a = {
		.size = sizeof(a),
		.type = type,
		.config = config,
		.sample_period = 1,
		.sample_type = sample_type,
		.read_format = PERF_FORMAT_ID,
		.disabled = 1,
		.sample_id_all = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
	};
	int ret = sf_writer_add_event(w, &a, name, &id, 1);

	return ret < 0 ? ret : 0;
}

static int add_events(struct sf_capture *c, struct sf_writer *w)
{
	int ret = 0, tp = sf_tracefs_id(&c->tracefs, SF_EVENT_WAKING);

	for (int i = 0; i < SF_EV_NR && ret >= 0; i++) {
		const struct sf_perf_event *ev = &c->events.event[i];

		if (ev->nr)
			ret = sf_writer_add_event(w, &ev->attr, ev->name, ev->id, ev->nr);
	}
	if (ret >= 0 && c->waking_source == SF_WAKINGS_FTRACE)
		ret = add_own_event(w, SF_EVENT_WAKING, PERF_TYPE_TRACEPOINT, (uint64_t)tp,
				    WAKING_TYPE, SF_OWN_ID(SF_ID_WAKING));
	if (ret >= 0)
		ret = add_own_event(w, SF_EVENT_TASK_STACK, PERF_TYPE_SOFTWARE,
				    PERF_COUNT_SW_DUMMY, TASK_STACK_TYPE,
				    SF_OWN_ID(SF_ID_TASK_STACK));
	if (ret >= 0)
		ret = add_own_event(w, SF_EVENT_MARK, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_BPF_OUTPUT,
				    MARK_TYPE, SF_OWN_ID(SF_ID_MARK));
	return ret < 0 ? ret : 0;
}

static void add_tracing_data(struct sf_capture *c, struct sf_writer *w)
{
	const char *name[SF_EV_NR];
	struct sf_str data = SF_STR_INIT;
	size_t nr = 0;

	for (int i = 0; i < SF_EV_NR; i++) {
		const struct sf_perf_event *ev = &c->events.event[i];

		if (ev->nr && ev->attr.type == PERF_TYPE_TRACEPOINT)
			name[nr++] = ev->name;
		else if (i == SF_EV_WAKING && c->waking_source == SF_WAKINGS_FTRACE)
			name[nr++] = SF_EVENT_WAKING;
	}
	if (nr && !sf_tracefs_data(&c->tracefs, name, nr, &data))
		sf_writer_feature(w, SF_FEAT_TRACING_DATA, data.buf, data.len);
	sf_str_release(&data);
}

static void add_machine(struct sf_capture *c, struct sf_writer *w)
{
	uint32_t cpus[2] = { (uint32_t)sysconf(_SC_NPROCESSORS_CONF),
			     (uint32_t)sysconf(_SC_NPROCESSORS_ONLN) };
	struct utsname u;

	uname(&u);
	sf_writer_feature_text(w, SF_FEAT_HOSTNAME, u.nodename);
	sf_writer_feature_text(w, SF_FEAT_OSRELEASE, u.release);
	sf_writer_feature_text(w, SF_FEAT_VERSION, "snapflame " SNAPFLAME_VERSION);
	sf_writer_feature_text(w, SF_FEAT_ARCH, u.machine);
	sf_writer_feature(w, SF_FEAT_NRCPUS, cpus, sizeof(cpus));
	if (c->opts.argc > 0)
		sf_writer_feature_words(w, SF_FEAT_CMDLINE, (size_t)c->opts.argc,
					(const char *const *)c->opts.argv);
}

static void add_times(struct save *s, struct sf_writer *w)
{
	const struct sf_capture *c = s->c;
	const uint64_t resolution = 1; /* ns: what the CLOCKID feature holds */
	uint64_t range[2] = { 0, 0 };
	struct {
		uint32_t version, clockid;
		uint64_t wall, clock;
	} data = { 1, CLOCK_MONOTONIC, c->start_realtime, c->start };

	if (s->merge.nr) {
		range[0] = s->merge.item[0].time;
		range[1] = s->merge.item[s->merge.nr - 1].time;
	}
	sf_writer_feature(w, SAMPLE_TIME, range, sizeof(range));
	sf_writer_feature(w, SF_FEAT_CLOCKID, &resolution, sizeof(resolution));
	sf_writer_feature(w, SF_FEAT_CLOCK_DATA, &data, sizeof(data));
}

static void add_features(struct save *s, struct sf_writer *w)
{
	struct sf_str ids = SF_STR_INIT;

	add_machine(s->c, w);
	add_times(s, w);
	add_tracing_data(s->c, w);
	sf_str_addn(&ids, s->c->sideband.build_ids.buf, s->c->sideband.build_ids.len);
	sf_str_addn(&ids, s->foreign.build_ids.buf, s->foreign.build_ids.len);
	if (ids.len && !sf_str_failed(&ids))
		sf_writer_feature(w, SF_FEAT_BUILD_ID, ids.buf, ids.len);
	sf_str_release(&ids);
}

static int write_all(struct save *s, const char *path, struct sf_error *err)
{
	struct sf_writer *w;
	int ret = sf_writer_open(&w, path, err);

	if (ret)
		return ret;
	sf_writer_keep_old(w);
	ret = add_events(s->c, w);
	if (ret) {
		sf_error_set(err, ret, "out of memory");
	} else {
		for (size_t i = 0; i < s->merge.nr; i++)
			sf_writer_put(w, s->merge.item[i].rec, s->merge.item[i].rec->size);
		add_features(s, w);
		ret = sf_writer_commit(w, err);
	}
	if (!ret) {
		s->c->stats.bytes = sf_writer_size(w);
		s->c->stats.records = s->merge.nr;
	}
	sf_writer_free(w);
	return ret;
}

int sf_capture_save(struct sf_capture *c, const char *path, struct sf_error *err)
{
	struct save s = { .c = c };
	int ret;

	sf_session_stop(c);
	ret = collect(&s);
	if (ret)
		sf_error_set(err, ret, "the recording cannot be put together: %s", strerror(-ret));
	else
		ret = write_all(&s, path, err);
	sf_spool_unmap(&s.map);
	sf_spool_unmap(&s.poll_map);
	sf_merge_release(&s.merge);
	sf_map64_release(&s.pids);
	sf_map64_release(&s.born);
	sf_map64_release(&s.sampled);
	sf_sideband_release(&s.foreign);
	return ret;
}

int sf_capture_check_output(const char *path, struct sf_error *err)
{
	char *copy = strdup(path), *dir;
	struct stat st;
	int ret = 0;

	if (!copy)
		return sf_error_set(err, -ENOMEM, "out of memory");
	dir = dirname(copy);
	if (!lstat(path, &st) && !S_ISREG(st.st_mode))
		ret = sf_error_at(err, -EINVAL, path, 0, "is not a regular file");
	else if (stat(dir, &st))
		ret = sf_error_at(err, -errno, path, 0, "the directory %s: %s", dir,
				  strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		ret = sf_error_at(err, -ENOTDIR, path, 0, "%s is not a directory", dir);
	else if (access(dir, W_OK | X_OK))
		ret = sf_error_at(err, -errno, path, 0, "the directory %s: %s", dir,
				  strerror(errno));
	free(copy);
	return ret;
}
