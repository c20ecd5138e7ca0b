/* SPDX-License-Identifier: GPL-2.0-only */
/* Writing the file: events, features, and the records, with names for their addresses. */
#define _GNU_SOURCE
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <snapflame/marks.h>
#include <snapflame/reader.h>
#include <snapflame/symbol.h>

#include "compose.h"
#include "proc.h"
#include "unwound.h"

enum { SAMPLE_TIME = 21 /* HEADER_SAMPLE_TIME of perf */ };

struct save {
	struct sf_capture *c;
	const struct sf_save_opts *opts;
	struct sf_compose all;
	struct sf_map64 types;    /* event id -> index of the event, 1… */
	struct sf_map64 selected; /* tids whose samples keep their stacks */
	bool filter;              /* selected is in force */
	struct sf_str stripped;
	bool unwound;             /* stack dumps have become callchains */
	uint64_t offset;          /* of the first record in the file in memory */
};

static int add_own_event(struct sf_writer *w, const char *name, uint32_t type, uint64_t config,
			 uint64_t sample_type, uint64_t id)
{
	struct perf_event_attr a = {
		.size = sizeof(a),
		.type = type,
		.config = config,
		.sample_period = 1,
		.sample_type = sample_type,
		.read_format = SF_READ_FORMAT,
		.disabled = 1,
		.sample_id_all = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
	};
	int ret = sf_writer_add_event(w, &a, name, &id, 1);

	return ret < 0 ? ret : 0;
}

/* A tracepoint that ftrace recorded, written as perf's. */
static int add_traced_event(struct sf_capture *c, struct sf_writer *w, const char *name,
			    uint64_t id)
{
	return add_own_event(w, name, PERF_TYPE_TRACEPOINT,
			     (uint64_t)sf_tracefs_id(&c->tracefs, name), SF_WAKING_TYPE, id);
}

static int add_events(struct save *s, struct sf_writer *w)
{
	struct sf_capture *c = s->c;
	int ret = 0;

	for (int i = 0; i < SF_EV_NR && ret >= 0; i++) {
		const struct sf_perf_event *ev = &c->events.event[i];
		struct perf_event_attr a = ev->attr;

		if (s->unwound && a.sample_type & SF_DUMP_TYPE) {
			a.sample_type &= ~SF_DUMP_TYPE;
			a.sample_regs_user = a.sample_stack_user = a.exclude_callchain_user = 0;
		}
		if (ev->nr)
			ret = sf_writer_add_event(w, &a, ev->name, ev->id, ev->nr);
	}
	if (ret >= 0 && c->waking_source == SF_WAKINGS_FTRACE)
		ret = add_traced_event(c, w, SF_EVENT_WAKING, SF_OWN_ID(SF_ID_WAKING));
	if (ret >= 0 && c->requests)
		ret = add_traced_event(c, w, SF_EVENT_RQ_DONE, SF_OWN_ID(SF_ID_RQ_DONE));
	if (ret >= 0 && c->sent)
		ret = add_traced_event(c, w, SF_EVENT_SENT, SF_OWN_ID(SF_ID_SENT));
	if (ret >= 0)
		ret = add_own_event(w, SF_EVENT_TASK_STACK, PERF_TYPE_SOFTWARE,
				    PERF_COUNT_SW_DUMMY, SF_TASK_STACK_TYPE,
				    SF_OWN_ID(SF_ID_TASK_STACK));
	if (ret >= 0)
		ret = add_own_event(w, SF_EVENT_MARK, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_BPF_OUTPUT,
				    SF_MARK_TYPE, SF_OWN_ID(SF_ID_MARK));
	return ret < 0 ? ret : 0;
}

static void add_tracing_data(struct sf_capture *c, struct sf_writer *w)
{
	const char *name[SF_EV_NR + 1];
	struct sf_str data = SF_STR_INIT;
	size_t nr = 0;

	for (int i = 0; i < SF_EV_NR; i++) {
		const struct sf_perf_event *ev = &c->events.event[i];

		if (ev->nr && ev->attr.type == PERF_TYPE_TRACEPOINT)
			name[nr++] = ev->name;
		else if (i == SF_EV_WAKING && c->waking_source == SF_WAKINGS_FTRACE)
			name[nr++] = SF_EVENT_WAKING;
		else if (i == SF_EV_RQ_DONE && c->requests)
			name[nr++] = SF_EVENT_RQ_DONE;
	}
	if (c->sent)
		name[nr++] = SF_EVENT_SENT;
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

static void add_times(struct sf_compose *s, struct sf_writer *w)
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

static void add_features(struct sf_compose *s, struct sf_writer *w)
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


/* The sample_type of a sample whose stack is not wanted, else 0. */
static uint64_t unwanted_stack(const struct save *s, const struct perf_event_header *h)
{
	const uint64_t *u = (const uint64_t *)(h + 1);
	uint32_t index, tid;

	if (!s->filter || h->type != PERF_RECORD_SAMPLE || h->size < sizeof(*h) + 24)
		return 0;
	index = sf_map64_get(&s->types, u[0], 0);
	tid = (uint32_t)(u[2] >> 32);
	if (!index || sf_map64_get(&s->selected, tid, 0))
		return 0;
	return s->c->events.event[index - 1].attr.sample_type & ~(s->unwound ? SF_DUMP_TYPE : 0);
}

static void put_records(struct save *s, struct sf_writer *w)
{
	const struct sf_merge *m = &s->all.merge;

	for (size_t i = 0; i < m->nr; i++) {
		const struct perf_event_header *rec = m->item[i].rec;
		uint64_t type = unwanted_stack(s, rec);

		sf_str_reset(&s->stripped);
		if (type && !sf_build_stripped(&s->stripped, type, rec) &&
		    !sf_str_failed(&s->stripped))
			rec = (const void *)s->stripped.buf;
		sf_writer_put(w, rec, rec->size);
	}
}

static int write_all(struct save *s, struct sf_writer *w, struct sf_error *err)
{
	int ret = add_events(s, w);

	if (ret)
		return sf_error_set(err, ret, "out of memory");
	put_records(s, w);
	add_features(&s->all, w);
	return sf_writer_commit(w, err);
}

/* Into memory, where it can be read as any other recording: path is a name for it. */
static int write_memory(struct save *s, int *fd, char *path, size_t size, struct sf_error *err)
{
	struct sf_writer *w = NULL;
	int ret;

	*fd = memfd_create("snapflame-recording", MFD_CLOEXEC);
	if (*fd < 0)
		return sf_error_set(err, -errno, "no memory file: %s", strerror(errno));
	snprintf(path, size, "/proc/self/fd/%d", *fd);
	ret = sf_writer_open_fd(&w, *fd, err);
	if (!ret)
		ret = write_all(s, w, err);
	if (!ret)
		s->offset = sf_writer_offset(w);
	sf_writer_free(w);
	return ret;
}

/* The dumps stay where there is no unwinder: perf has its own. */
static void unwind(struct save *s)
{
	struct sf_error err = SF_ERROR_INIT;
	char path[64];
	int fd;

	if (s->c->opts.call_graph == SF_CALL_GRAPH_NONE || !sf_can_unwind())
		return;
	if (!write_memory(s, &fd, path, sizeof(path), &err))
		s->unwound = !sf_unwind_records(&s->all.merge, path, s->offset, &err);
	if (!s->unwound)
		sf_debug("capture", "stack dumps are kept: %s", err.what);
	if (fd >= 0)
		close(fd);
}

static int learn_ids(struct save *s)
{
	for (int i = 0; i < SF_EV_NR; i++) {
		const struct sf_perf_event *ev = &s->c->events.event[i];

		for (size_t k = 0; k < ev->nr; k++) {
			uint32_t *v = sf_map64_at(&s->types, ev->id[k], NULL);

			if (!v)
				return -ENOMEM;
			*v = (uint32_t)i + 1;
		}
	}
	return 0;
}

/* The target's threads, as the records know them. */
static int select_target(struct save *s)
{
	const struct sf_map64 *pids = &s->all.pids;

	for (size_t i = 0; i < pids->size; i++) {
		uint32_t *v;

		if (!pids->slot[i].used || pids->slot[i].value != (uint32_t)s->c->pid)
			continue;
		v = sf_map64_at(&s->selected, pids->slot[i].key, NULL);
		if (!v)
			return -ENOMEM;
		*v = 1;
	}
	return 0;
}

/* Ask whose stacks are worth their bytes. Without an answer all are kept. */
static int choose(struct save *s, struct sf_error *err)
{
	char path[64];
	int fd, ret;

	if (!s->opts || !s->opts->select)
		return 0;
	ret = write_memory(s, &fd, path, sizeof(path), err);
	if (!ret)
		ret = s->opts->select(s->opts->arg, path, &s->selected, err);
	if (fd >= 0)
		close(fd);
	if (ret)
		return ret < 0 ? ret : 0;
	if (select_target(s) || learn_ids(s))
		return sf_error_set(err, -ENOMEM, "out of memory");
	s->filter = true;
	return 0;
}

static void locate(struct sf_symbols *sym, const struct sf_record *rec)
{
	unsigned mode = rec->misc & PERF_RECORD_MISC_CPUMODE_MASK;
	const struct sf_sample *x = &rec->u.sample;

	/* An ip of 0 is no place: our own samples have none. */
	if (x->has & PERF_SAMPLE_IP && x->ip)
		sf_symbols_locate(sym, rec->pid, x->ip, mode, false);
	for (uint64_t i = 0, leaf = 1; i < x->nr_chain; i++) {
		uint64_t ip = x->chain[i];

		if (ip >= PERF_CONTEXT_MAX) {
			mode = ip == PERF_CONTEXT_KERNEL ? PERF_RECORD_MISC_KERNEL
			       : ip == PERF_CONTEXT_USER ? PERF_RECORD_MISC_USER
							 : mode;
			leaf = 1;
			continue;
		}
		sf_symbols_locate(sym, rec->pid, ip, mode, !leaf);
		leaf = 0;
	}
}

struct add_symbols {
	struct save *s;
	uint64_t time;
};

static int add_symbols(void *arg, const char *json, size_t len)
{
	struct add_symbols *a = arg;
	struct sf_mark m = { .time = a->time, .text = (char *)(uintptr_t)json, .len = len };

	return sf_compose_mark(&a->s->all, &m);
}

static int name_records(struct save *s, const char *path, struct sf_symbols *sym)
{
	const struct sf_record *rec;
	struct sf_reader *r;
	int ret = sf_reader_open(&r, path, NULL, NULL);

	if (ret)
		return ret;
	sf_symbols_set_origin(sym, sf_reader_feature(r, SF_FEAT_OSRELEASE),
			      sf_reader_feature(r, SF_FEAT_HOSTNAME),
			      sf_reader_feature(r, SF_FEAT_ARCH));
	while ((ret = sf_reader_next(r, &rec, NULL)) > 0) {
		ret = sf_symbols_feed(sym, rec);
		if (ret)
			break;
		if (rec->type == PERF_RECORD_SAMPLE)
			locate(sym, rec);
	}
	sf_reader_free(r);
	return ret;
}

/*
 * Names for all addresses, so that the recording can be read where the binaries are not. Without
 * them it is still a recording: no failure here is one of saving.
 */
static void add_names(struct save *s)
{
	const struct sf_addresses *seen = &s->c->addresses;
	struct add_symbols a = { s, sf_now() };
	struct sf_symbols *sym = NULL;
	char path[64];
	int fd;

	if (s->opts && s->opts->no_symbols)
		return;
	if (!write_memory(s, &fd, path, sizeof(path), NULL) &&
	    !sf_symbols_new(&sym, NULL, NULL) && !name_records(s, path, sym)) {
		for (size_t i = 0; i < seen->nr; i++)
			sf_symbols_locate(sym, (uint32_t)s->c->pid, seen->item[i],
					  PERF_RECORD_MISC_KERNEL, true);
		sf_symbols_export(sym, add_symbols, &a);
	}
	sf_merge_sort(&s->all.merge);
	sf_symbols_free(sym);
	if (fd >= 0)
		close(fd);
}

static int write_file(struct save *s, const char *path, struct sf_error *err)
{
	struct sf_writer *w;
	int ret = sf_writer_open(&w, path, err);

	if (ret)
		return ret;
	sf_writer_keep_old(w);
	ret = write_all(s, w, err);
	if (!ret) {
		s->c->stats.bytes = sf_writer_size(w);
		s->c->stats.records = s->all.merge.nr;
	}
	sf_writer_free(w);
	return ret;
}

int sf_capture_save(struct sf_capture *c, const char *path, const struct sf_save_opts *opts,
		    struct sf_error *err)
{
	struct save s = { .c = c, .opts = opts };
	int ret;

	sf_session_stop(c);
	sf_str_init(&s.stripped);
	ret = sf_compose(&s.all, c);
	if (ret)
		sf_error_set(err, ret, "the recording cannot be put together: %s", strerror(-ret));
	if (!ret) {
		unwind(&s);
		ret = choose(&s, err);
	}
	if (!ret) {
		add_names(&s);
		ret = write_file(&s, path, err);
	}
	if (!ret)
		sf_keeper_end(&c->keeper);
	sf_compose_release(&s.all);
	sf_map64_release(&s.types);
	sf_map64_release(&s.selected);
	sf_str_release(&s.stripped);
	return ret;
}

int sf_capture_check_output(const char *path, struct sf_error *err)
{
	char *copy, *dir;
	struct stat st;
	int ret = 0;

	if (!*path)
		return sf_error_set(err, -ENOENT, "the name of the recording is empty");
	copy = strdup(path);
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
