/* SPDX-License-Identifier: GPL-2.0-only */
/* File → model: each record goes to the part that it concerns. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/loader.h"

static const struct role_row {
	const char *name;
	enum sf_role role;
	const char *field[SF_MAX_FIELDS];
} role_rows[] = {
	{ SF_EVENT_SWITCH, SF_ROLE_SWITCH, { "prev_pid", "prev_state" } },
	{ SF_EVENT_WAKING, SF_ROLE_WAKING, { "pid" } },
	{ "sched:sched_wakeup", SF_ROLE_WAKING, { "pid" } },
	{ "sched:sched_wakeup_new", SF_ROLE_WAKING, { "pid" } },
	{ SF_EVENT_RQ_ISSUE, SF_ROLE_RQ_ISSUE, { "dev", "sector", "nr_sector", "rwbs" } },
	{ SF_EVENT_RQ_DONE, SF_ROLE_RQ_DONE, { "dev", "sector", "nr_sector", "rwbs" } },
	{ SF_EVENT_SENT, SF_ROLE_SENT, { NULL } },
	{ SF_EVENT_KVM_EXIT, SF_ROLE_KVM_EXIT, { NULL } },
	{ SF_EVENT_SYS_ENTER, SF_ROLE_SYS_ENTER, { "id", "args" } },
	{ SF_EVENT_SYS_EXIT, SF_ROLE_SYS_EXIT, { "id", "ret" } },
	{ SF_EVENT_TASK_STACK, SF_ROLE_TASK_STACK, { NULL } },
	{ SF_EVENT_MARK, SF_ROLE_MARK, { NULL } },
};

static enum sf_role sampled_role(const struct perf_event_attr *a)
{
	if (a->type == PERF_TYPE_TRACEPOINT || a->type == PERF_TYPE_BREAKPOINT)
		return SF_ROLE_OTHER;
	if (a->type == PERF_TYPE_SOFTWARE && a->config != PERF_COUNT_SW_CPU_CLOCK &&
	    a->config != PERF_COUNT_SW_TASK_CLOCK)
		return SF_ROLE_OTHER;
	return SF_ROLE_CPU;
}

/* The same waking once more, by the CPU that was told to do it: it names the wrong waker. */
static bool said_by_waking(struct sf_loader *ld, const struct sf_event *ev)
{
	if (strcmp(ev->name, "sched:sched_wakeup"))
		return false;
	for (size_t i = 0; i < sf_reader_nr_events(ld->reader); i++)
		if (!strcmp(sf_reader_event(ld->reader, i)->name, SF_EVENT_WAKING))
			return true;
	return false;
}

static const struct sf_event_role *role_of(struct sf_loader *ld, const struct sf_event *ev)
{
	struct sf_event_role *role;

	if (SF_GROW(ld->role, ev->index + 1, ld->role_alloc))
		return NULL;
	while (ld->nr_roles <= ev->index)
		ld->role[ld->nr_roles++] = (struct sf_event_role){ 0 };
	role = &ld->role[ev->index];
	if (role->known)
		return role;
	role->known = true;
	role->role = sampled_role(&ev->attr);
	for (size_t i = 0; i < SF_ARRAY_SIZE(role_rows); i++) {
		const struct role_row *row = &role_rows[i];

		if (strcmp(row->name, ev->name) || said_by_waking(ld, ev))
			continue;
		role->role = row->role;
		role->flags = sf_reader_field(ld->reader, ev, "common_flags");
		for (int k = 0; k < SF_MAX_FIELDS && row->field[k]; k++)
			role->field[k] = sf_reader_field(ld->reader, ev, row->field[k]);
	}
	return role;
}

/* Several sampled events would count a thread's time several times: the first one counts. */
static int cpu_sample(struct sf_loader *ld, const struct sf_record *r)
{
	struct sf_cpu_sample c = { .time = r->time, .period = r->u.sample.period,
				   .cpu = (uint16_t)r->cpu };
	struct sf_thread *t;
	uint32_t i;

	if (ld->cpu_event < 0)
		ld->cpu_event = r->event->index;
	if (ld->cpu_event != (int64_t)r->event->index || !r->has_tid)
		return 0;
	i = sf_load_thread(ld, r->pid, r->tid);
	if (i == SF_NO_THREAD || sf_load_stack(ld, r, &c.stack, &c.kernel))
		return -ENOMEM;
	ld->rec->has_samples = true;
	t = &ld->rec->thread[i];
	if (t->flags & SF_THREAD_IDLE)
		return 0;
	if (SF_GROW(t->sample, t->nr_samples + 1, t->sample_alloc))
		return -ENOMEM;
	t->sample[t->nr_samples++] = c;
	return 0;
}

static int task_stack(struct sf_loader *ld, const struct sf_record *r)
{
	struct sf_poll p = { .time = r->time, .period = r->u.sample.period };
	uint32_t i = sf_load_thread(ld, r->pid, r->tid);
	struct sf_thread *t;
	bool kernel;

	if (i == SF_NO_THREAD)
		return -ENOMEM;
	if (r->u.sample.nr_chain && sf_load_stack(ld, r, &p.stack, &kernel))
		return -ENOMEM;
	p.raw.syscall = -2;
	if (r->u.sample.raw_size >= sizeof(p.raw) && !sf_reader_swapped(ld->reader))
		memcpy(&p.raw, r->u.sample.raw, sizeof(p.raw));
	ld->rec->has_polls = true;
	t = &ld->rec->thread[i];
	if (SF_GROW(t->poll, t->nr_polls + 1, t->poll_alloc))
		return -ENOMEM;
	t->poll[t->nr_polls++] = p;
	return 0;
}

static int kvm_exit(struct sf_loader *ld, const struct sf_record *r)
{
	uint32_t i = sf_load_thread(ld, r->pid, r->tid);
	struct sf_thread *t;

	if (i == SF_NO_THREAD)
		return -ENOMEM;
	t = &ld->rec->thread[i];
	t->flags |= SF_THREAD_VCPU;
	if (SF_GROW(t->kvm_exit, t->nr_kvm_exits + 1, t->kvm_exit_alloc))
		return -ENOMEM;
	t->kvm_exit[t->nr_kvm_exits++] = r->time;
	return 0;
}

static int system_call(struct sf_loader *ld, const struct sf_record *r,
		       const struct sf_event_role *role, bool enter)
{
	const struct sf_sample *s = &r->u.sample;
	int32_t nr = (int32_t)sf_field_int(ld->reader, &role->field[0], s->raw, s->raw_size);
	uint32_t i = sf_load_thread(ld, r->pid, r->tid);
	struct sf_syscall *c;
	struct sf_thread *t;

	if (i == SF_NO_THREAD)
		return -ENOMEM;
	t = &ld->rec->thread[i];
	c = t->nr_syscalls ? &t->syscall[t->nr_syscalls - 1] : NULL;
	/* The return from a signal handler has lost its number: -1. */
	if (!enter && c && (c->nr == nr || nr == -1) && c->exit == UINT64_MAX) {
		c->exit = r->time;
		c->ret = sf_field_int(ld->reader, &role->field[1], s->raw, s->raw_size);
		return 0;
	}
	if (SF_GROW(t->syscall, t->nr_syscalls + 1, t->syscall_alloc))
		return -ENOMEM;
	c = &t->syscall[t->nr_syscalls++];
	ld->rec->has_syscalls = true;
	*c = (struct sf_syscall){ .nr = nr, .exit = UINT64_MAX };
	if (!enter) {
		c->exit = r->time;
		return 0;
	}
	c->enter = r->time;
	for (unsigned k = 0; k < SF_ARRAY_SIZE(c->arg); k++) {
		struct sf_field one = role->field[1];

		one.offset += 8 * k;
		one.size = 8;
		c->arg[k] = (uint64_t)sf_field_int(ld->reader, &one, s->raw, s->raw_size);
	}
	return 0;
}

static int sample(struct sf_loader *ld, const struct sf_record *r)
{
	const struct sf_event_role *role;

	if (!r->event || !r->has_time)
		return 0;
	role = role_of(ld, r->event);
	if (!role)
		return -ENOMEM;
	switch (role->role) {
	case SF_ROLE_CPU:
		return cpu_sample(ld, r);
	case SF_ROLE_SWITCH:
		return sf_load_sched_switch(ld, r, role);
	case SF_ROLE_WAKING:
		return sf_load_waking(ld, r, role);
	case SF_ROLE_RQ_ISSUE:
		return sf_load_request(ld, r, role, false);
	case SF_ROLE_RQ_DONE:
		return sf_load_request(ld, r, role, true);
	case SF_ROLE_SENT:
		return sf_load_sent(ld, r, role);
	case SF_ROLE_KVM_EXIT:
		return kvm_exit(ld, r);
	case SF_ROLE_SYS_ENTER:
		return system_call(ld, r, role, true);
	case SF_ROLE_SYS_EXIT:
		return system_call(ld, r, role, false);
	case SF_ROLE_TASK_STACK:
		return task_stack(ld, r);
	case SF_ROLE_MARK:
		return sf_load_mark(ld, r);
	case SF_ROLE_OTHER:
		break;
	}
	return 0;
}

/* Chains that were seen before may mean something else now. */
static int mappings_changed(struct sf_loader *ld, uint32_t pid, bool kernel)
{
	uint32_t *gen, *user;

	if (kernel) {
		ld->kernel_gen++;
		return 0;
	}
	gen = sf_map64_at(&ld->space_gen, pid, NULL);
	user = sf_map64_at(&ld->user_pid, pid, NULL);
	if (!gen || !user)
		return -ENOMEM;
	++*gen;
	*user = 1;
	return 0;
}

/* The record comes when there is room again, so behind the hole, which began after the last event
 * that its CPU could tell of. */
static int lost(struct sf_loader *ld, const struct sf_record *r)
{
	struct sf_recording *rec = ld->rec;
	uint64_t time = r->has_time ? r->time : rec->last, from = time;
	uint32_t cpu = r->has_cpu ? r->cpu : UINT32_MAX;

	if (cpu < ld->nr_seen)
		from = ld->seen[cpu].time;
	/* What ftrace lost is known as a sum only. */
	if (r->event && !strcmp(r->event->name, SF_EVENT_WAKING))
		from = 0;
	if (SF_GROW(rec->lost, rec->nr_lost + 1, rec->lost_alloc))
		return -ENOMEM;
	rec->lost[rec->nr_lost++] = (struct sf_lost){ from, time, r->u.lost.lost };
	return 0;
}

static int record(struct sf_loader *ld, const struct sf_record *r)
{
	/* Late in its exit a task has no pid any more, and the kernel says -1: that is nobody. */
	if (r->has_tid && r->tid == UINT32_MAX && r->type == PERF_RECORD_SAMPLE)
		return 0;
	switch (r->type) {
	case PERF_RECORD_SAMPLE:
		return sample(ld, r);
	case PERF_RECORD_SWITCH:
	case PERF_RECORD_SWITCH_CPU_WIDE:
		if (r->type == PERF_RECORD_SWITCH_CPU_WIDE)
			ld->rec->system_scope = true;
		return sf_load_switch(ld, r);
	case PERF_RECORD_MMAP:
	case PERF_RECORD_MMAP2:
		return mappings_changed(ld, r->u.mmap.pid,
					(r->misc & PERF_RECORD_MISC_CPUMODE_MASK) ==
						PERF_RECORD_MISC_KERNEL);
	case PERF_RECORD_KSYMBOL:
		return mappings_changed(ld, 0, true);
	case PERF_RECORD_COMM:
		return sf_load_comm(ld, r);
	case PERF_RECORD_FORK:
		return sf_load_fork(ld, r);
	case PERF_RECORD_EXIT:
		return sf_load_exit(ld, r);
	case PERF_RECORD_LOST:
	case PERF_RECORD_LOST_SAMPLES:
		return lost(ld, r);
	default:
		return 0;
	}
}

/* When a CPU was last heard of. */
static int seen_on(struct sf_loader *ld, const struct sf_record *r)
{
	if (!r->has_cpu || !r->has_time || r->cpu > 65535 || r->type == PERF_RECORD_LOST)
		return 0;
	if (SF_GROW(ld->seen, r->cpu + 1, ld->seen_alloc))
		return -ENOMEM;
	while (ld->nr_seen <= r->cpu)
		ld->seen[ld->nr_seen++] = (struct sf_seen){ 0 };
	ld->seen[r->cpu].time = r->time;
	return 0;
}

static void note_time(struct sf_recording *rec, const struct sf_record *r)
{
	bool counts = r->type == PERF_RECORD_SWITCH || r->type == PERF_RECORD_SWITCH_CPU_WIDE ||
		      (r->type == PERF_RECORD_SAMPLE && r->event &&
		       strncmp(r->event->name, "snapflame:", strlen("snapflame:")));

	if (!counts || !r->has_time || !r->time)
		return;
	if (!rec->first)
		rec->first = r->time;
	if (r->time > rec->last)
		rec->last = r->time;
}

static uint32_t feature(struct sf_loader *ld, enum sf_feature f)
{
	return sf_strtab_id(&ld->rec->str, sf_reader_feature(ld->reader, f));
}

static void origin(struct sf_loader *ld)
{
	struct sf_meta *m = &ld->rec->meta;

	if (!m->kernel)
		m->kernel = feature(ld, SF_FEAT_OSRELEASE);
	if (!m->host)
		m->host = feature(ld, SF_FEAT_HOSTNAME);
	m->arch = feature(ld, SF_FEAT_ARCH);
	m->cpu = feature(ld, SF_FEAT_CPUDESC);
	if (!m->cmdline)
		m->cmdline = feature(ld, SF_FEAT_CMDLINE);
	if (!m->cpus)
		m->cpus = sf_reader_nr_cpus(ld->reader);
	sf_symbols_set_origin(ld->rec->symbols, sf_text(ld->rec, m->kernel),
			      sf_text(ld->rec, m->host), sf_text(ld->rec, m->arch));
}

static void flag_threads(struct sf_loader *ld)
{
	struct sf_recording *rec = ld->rec;

	for (size_t i = 0; i < rec->nr_threads; i++) {
		struct sf_thread *t = &rec->thread[i];

		if (rec->meta.pid && t->pid == rec->meta.pid)
			t->flags |= SF_THREAD_TARGET;
		if (rec->meta.recorder && t->pid == rec->meta.recorder)
			t->flags |= SF_THREAD_RECORDER;
		if (t->tid && t->pid != UINT32_MAX && !sf_map64_get(&ld->user_pid, t->pid, 0))
			t->flags |= SF_THREAD_KERNEL;
	}
}

static void copy_problems(struct sf_loader *ld)
{
	const char *line;

	for (size_t i = 0; (line = sf_reader_problem(ld->reader, i)); i++)
		sf_recording_note(ld->rec, "%s", line);
}

/* perf record --call-graph dwarf leaves the unwinding to the reader. */
static void open_unwind(struct sf_loader *ld)
{
	const char *arch = sf_reader_feature(ld->reader, SF_FEAT_ARCH);
	struct sf_unwind_opts opts = { .arch = arch[0] ? arch : NULL };

	sf_unwind_new(&ld->unwind, ld->rec->symbols, &opts, NULL);
}

static int read_all(struct sf_loader *ld, const struct sf_recording_opts *opts,
		    struct sf_error *err)
{
	const struct sf_reader_stats *st = sf_reader_stats(ld->reader);
	const struct sf_record *r;
	uint64_t n = 0;
	int got, ret;

	origin(ld);
	open_unwind(ld);
	while ((got = sf_reader_next(ld->reader, &r, err)) > 0) {
		ret = sf_symbols_feed(ld->rec->symbols, r);
		if (!ret)
			ret = record(ld, r);
		if (ret)
			return sf_error_at(err, ret, ld->rec->path, 0, "out of memory");
		note_time(ld->rec, r);
		if (seen_on(ld, r))
			return sf_error_at(err, -ENOMEM, ld->rec->path, 0, "out of memory");
		if (opts && opts->progress.tell && !(++n & 0x3fff))
			opts->progress.tell(opts->progress.arg, st->bytes, st->total_bytes);
	}
	origin(ld);
	/* A damaged tail does not make what came before it worthless. */
	if (got < 0 && st->samples)
		sf_recording_note(ld->rec, "%s", err && err->what[0] ? err->what : strerror(-got));
	copy_problems(ld);
	ld->rec->stats = *st;
	return got < 0 && !st->samples ? got : 0;
}

static void loader_release(struct sf_loader *ld)
{
	sf_reader_free(ld->reader);
	sf_unwind_free(ld->unwind);
	free(ld->role);
	free(ld->seen);
	sf_map64_release(&ld->user_pid);
	sf_map64_release(&ld->space_gen);
	sf_map64_release(&ld->open_rq);
}

int sf_recording_load(struct sf_recording **out, const char *path,
		      const struct sf_recording_opts *opts, struct sf_error *err)
{
	struct sf_loader ld = { .cpu_event = -1 };
	struct sf_symbols_opts symbols = { 0 };
	struct sf_recording *rec = calloc(1, sizeof(*rec));
	int ret = -ENOMEM;

	*out = NULL;
	if (!rec)
		return sf_error_at(err, ret, path, 0, "out of memory");
	ld.rec = rec;
	rec->path = sf_arena_strndup(&rec->arena, path, strlen(path));
	if (!rec->path)
		goto out;
	if (opts)
		symbols = opts->symbols;
	/* A call that is a function's last instruction is that function's, not the next one's. */
	symbols.call_sites = true;
	ret = sf_symbols_new(&rec->symbols, &symbols, err);
	if (ret)
		goto out;
	ret = sf_reader_open(&ld.reader, path, NULL, err);
	if (ret)
		goto out;
	ret = read_all(&ld, opts, err);
	if (ret)
		goto out;
	flag_threads(&ld);
	ret = sf_load_finish_requests(rec);
	if (!ret)
		ret = sf_find_windows(rec, opts && opts->api_windows);
	if (ret)
		sf_error_at(err, ret, path, 0, "out of memory");
out:
	loader_release(&ld);
	sf_map64_release(&rec->chain_cache);
	if (ret) {
		sf_recording_free(rec);
		return ret;
	}
	*out = rec;
	return 0;
}
