/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Recordings out of text, for tests of what lies above the reader. A line is an event; times are ms.
 *
 *	thread TID PID COMM [target] [vcpu] [kernel]
 *	T in TID [cpuN]                        it gets a CPU
 *	T out TID STATE [kernel frames…] [| user frames…]     leaf first; STATE: R S D X
 *	T wake TID by TID | sender TID | irq | softirq
 *	T sample TID [kernel frames…] [| user frames…]
 *	T poll TID MS SYSCALL ARG0 ARG1         a look at /proc that stands for so many ms
 *	T call TID EXIT SYSCALL ARG0 ARG1       a system call
 *	rq DEV ISSUE DONE TID [frames…]        a block request
 *	window BRANCH LO HI ROOT
 *	phase BRANCH NAME BEGIN END            a call of a driver
 *	covariate BRANCH NAME BEGIN END
 *	snap BRANCH begin|end T CPU_MS TID STATE RUN_MS
 *	lost T COUNT
 */
#ifndef TESTS_UNIT_SYNTH_H
#define TESTS_UNIT_SYNTH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <snapflame/diff.h>
#include <snapflame/str.h>

enum { SYNTH_PID = 100, SYNTH_NAMES = 512 };

struct synth {
	struct sf_recording *rec;
	char *kernel[SYNTH_NAMES], *user[SYNTH_NAMES];
	size_t nr_kernel, nr_user;
};

static uint64_t synth_ns(const char *ms)
{
	return (uint64_t)(strtod(ms, NULL) * 1e6 + 0.5) + 1000000000ULL;
}

static size_t synth_index(char **list, size_t *nr, const char *name)
{
	for (size_t i = 0; i < *nr; i++)
		if (!strcmp(list[i], name))
			return i;
	assert_true(*nr < SYNTH_NAMES);
	list[*nr] = strdup(name);
	return (*nr)++;
}

static uint32_t synth_push(struct sf_recording *r, uint32_t parent, uint32_t loc)
{
	for (uint32_t i = 1; i < r->nr_nodes; i++)
		if (r->node[i].parent == parent && r->node[i].loc == loc)
			return i;
	assert_int_equal(SF_GROW(r->node, r->nr_nodes + 1, r->node_alloc), 0);
	r->node[r->nr_nodes] = (struct sf_stack_node){ parent, loc };
	return (uint32_t)r->nr_nodes++;
}

/* "a b | c d": a is the leaf, c called b. */
static uint32_t synth_stack(struct synth *s, char *frames)
{
	uint32_t loc[64], id = SF_NO_STACK;
	bool user = false;
	size_t n = 0;

	for (char *f = frames ? strtok(frames, " ") : NULL; f; f = strtok(NULL, " ")) {
		uint64_t addr;

		if (!strcmp(f, "|")) {
			user = true;
			continue;
		}
		if (user)
			addr = 0x400000 + 0x100 * synth_index(s->user, &s->nr_user, f);
		else
			addr = 0xffffffff81000000ULL + 0x100 * synth_index(s->kernel, &s->nr_kernel, f);
		loc[n++] = sf_symbols_locate(s->rec->symbols, SYNTH_PID, addr + 8,
					     user ? PERF_RECORD_MISC_USER : PERF_RECORD_MISC_KERNEL, false);
	}
	while (n-- > 0)
		id = synth_push(s->rec, id, loc[n]);
	return id;
}

static struct sf_thread *synth_thread(struct synth *s, const char *tid, uint32_t *index)
{
	uint32_t i = sf_recording_thread(s->rec, (uint32_t)atoi(tid), UINT64_MAX);

	assert_true(i != SF_NO_THREAD);
	if (index)
		*index = i;
	return &s->rec->thread[i];
}

static void synth_new_thread(struct synth *s, char *line)
{
	struct sf_recording *r = s->rec;
	struct sf_thread t = { .exit = UINT64_MAX, .creator = SF_NO_THREAD };
	uint32_t *at;

	t.tid = (uint32_t)atoi(strtok(line, " "));
	t.pid = (uint32_t)atoi(strtok(NULL, " "));
	t.comm = sf_strtab_id(&r->str, strtok(NULL, " "));
	for (char *w = strtok(NULL, " "); w; w = strtok(NULL, " "))
		t.flags |= !strcmp(w, "target") ? SF_THREAD_TARGET
			   : !strcmp(w, "vcpu") ? SF_THREAD_VCPU
			   : !strcmp(w, "kernel") ? SF_THREAD_KERNEL
			   : !strcmp(w, "idle") ? SF_THREAD_IDLE : 0;
	assert_int_equal(SF_GROW(r->thread, r->nr_threads + 1, r->thread_alloc), 0);
	at = sf_map64_at(&r->tid_of, t.tid, NULL);
	*at = (uint32_t)r->nr_threads;
	r->thread[r->nr_threads++] = t;
}

static void synth_cpu(struct synth *s, unsigned cpu, uint64_t time, uint32_t thread)
{
	struct sf_recording *r = s->rec;
	struct sf_cpu *c;

	while (r->nr_cpus <= cpu) {
		assert_int_equal(SF_GROW(r->cpu, r->nr_cpus + 1, r->cpu_alloc), 0);
		r->cpu[r->nr_cpus++] = (struct sf_cpu){ 0 };
	}
	c = &r->cpu[cpu];
	assert_int_equal(SF_GROW(c->sw, c->nr + 1, c->alloc), 0);
	c->sw[c->nr++] = (struct sf_cpu_switch){ time, thread };
}

static void synth_sched(struct synth *s, uint64_t time, const char *what, char *rest)
{
	struct sf_sched e = { .time = time, .other = SF_NO_THREAD };
	char *tid = strtok(rest, " "), *word = strtok(NULL, " "), *more = strtok(NULL, "");
	uint32_t index;
	struct sf_thread *t = synth_thread(s, tid, &index);

	s->rec->has_switches = true;
	if (!s->rec->first)
		s->rec->first = time;
	if (time > s->rec->last)
		s->rec->last = time;
	if (!strcmp(what, "in")) {
		e.kind = SF_SCHED_IN;
		e.cpu = word ? (uint16_t)atoi(word + 3) : 0;
		synth_cpu(s, e.cpu, time, index);
	} else if (!strcmp(what, "out")) {
		e.kind = SF_SCHED_OUT;
		e.state = *word == 'R' ? SF_TASK_PREEMPTED : *word == 'S' ? SF_TASK_INTERRUPTIBLE
			  : *word == 'D' ? SF_TASK_UNINTERRUPTIBLE : SF_TASK_DEAD;
		e.stack = synth_stack(s, more);
		s->rec->has_switch_stacks |= e.stack != 0;
	} else {
		e.kind = SF_SCHED_WAKE;
		s->rec->has_wakings = true;
		e.state = !strcmp(word, "irq") ? SF_WAKE_IRQ
			  : !strcmp(word, "softirq") ? SF_WAKE_SOFTIRQ
			  : !strcmp(word, "sender") ? SF_WAKE_SENDER : SF_WAKE_TASK;
		if (sf_wake_is_task(e.state))
			synth_thread(s, more, &e.other);
	}
	t = synth_thread(s, tid, NULL);
	assert_int_equal(SF_GROW(t->sched, t->nr_sched + 1, t->sched_alloc), 0);
	t->sched[t->nr_sched++] = e;
}

static void synth_sample(struct synth *s, uint64_t time, char *rest)
{
	char *tid = strtok(rest, " "), *more = strtok(NULL, "");
	struct sf_thread *t = synth_thread(s, tid, NULL);
	struct sf_cpu_sample c = { .time = time, .period = 1000000 };

	c.kernel = more && *more != '|';
	c.stack = synth_stack(s, more);
	s->rec->has_samples = true;
	assert_int_equal(SF_GROW(t->sample, t->nr_samples + 1, t->sample_alloc), 0);
	t->sample[t->nr_samples++] = c;
}

static void synth_poll(struct synth *s, uint64_t time, char *rest)
{
	struct sf_thread *t = synth_thread(s, strtok(rest, " "), NULL);
	struct sf_poll p = { .time = time };

	p.period = synth_ns(strtok(NULL, " ")) - synth_ns("0");
	p.raw.syscall = atoi(strtok(NULL, " "));
	p.raw.arg[0] = strtoull(strtok(NULL, " "), NULL, 0);
	p.raw.arg[1] = strtoull(strtok(NULL, " "), NULL, 0);
	s->rec->has_polls = true;
	assert_int_equal(SF_GROW(t->poll, t->nr_polls + 1, t->poll_alloc), 0);
	t->poll[t->nr_polls++] = p;
}

static void synth_call(struct synth *s, uint64_t time, char *rest)
{
	struct sf_thread *t = synth_thread(s, strtok(rest, " "), NULL);
	struct sf_syscall c = { .enter = time };

	c.exit = synth_ns(strtok(NULL, " "));
	c.nr = atoi(strtok(NULL, " "));
	c.arg[0] = strtoull(strtok(NULL, " "), NULL, 0);
	c.arg[1] = strtoull(strtok(NULL, " "), NULL, 0);
	s->rec->has_syscalls = true;
	assert_int_equal(SF_GROW(t->syscall, t->nr_syscalls + 1, t->syscall_alloc), 0);
	t->syscall[t->nr_syscalls++] = c;
}

static struct sf_window *synth_window(struct synth *s, const char *branch)
{
	for (size_t i = 0; i < s->rec->nr_windows; i++)
		if (s->rec->window[i].branch == (uint32_t)atoi(branch))
			return &s->rec->window[i];
	fail_msg("no window %s", branch);
	return NULL;
}

static void synth_new_window(struct synth *s, char *line)
{
	struct sf_recording *r = s->rec;
	struct sf_window w = { .trial = 1, .pause_ms = -1, .diff_ms = -1, .diff_physical_bytes = -1 };

	w.branch = (uint32_t)atoi(strtok(line, " "));
	w.lo = w.api_lo = synth_ns(strtok(NULL, " "));
	w.hi = w.api_hi = synth_ns(strtok(NULL, " "));
	synth_thread(s, strtok(NULL, " "), &w.root);
	assert_int_equal(SF_GROW(r->window, r->nr_windows + 1, r->window_alloc), 0);
	r->window[r->nr_windows++] = w;
}

static void synth_phase(struct synth *s, char *line)
{
	struct sf_window *w = synth_window(s, strtok(line, " "));
	struct sf_phase p = { .name = sf_strtab_id(&s->rec->str, strtok(NULL, " ")) };

	p.begin = synth_ns(strtok(NULL, " "));
	p.end = synth_ns(strtok(NULL, " "));
	assert_int_equal(SF_GROW(w->phase, w->nr_phases + 1, w->phase_alloc), 0);
	w->phase[w->nr_phases++] = p;
}

static void synth_covariate(struct synth *s, char *line)
{
	struct sf_window *w = synth_window(s, strtok(line, " "));
	struct sf_covariate c = { .has_begin = true, .has_end = true };

	c.name = sf_strtab_id(&s->rec->str, strtok(NULL, " "));
	c.begin = atof(strtok(NULL, " "));
	c.end = atof(strtok(NULL, " "));
	assert_int_equal(SF_GROW(w->covariate, w->nr_covariates + 1, w->covariate_alloc), 0);
	w->covariate[w->nr_covariates++] = c;
}

static void synth_snap(struct synth *s, char *line)
{
	struct sf_window *w = synth_window(s, strtok(line, " "));
	struct sf_snapshot *p = &w->snap[!strcmp(strtok(NULL, " "), "end")];
	struct sf_snap_thread t = { .syscall = -2 };

	p->t0 = synth_ns(strtok(NULL, " "));
	p->t1 = p->t0 + 1;
	p->cpu_ns = (uint64_t)(atof(strtok(NULL, " ")) * 1e6) + 1;
	t.tid = (uint32_t)atoi(strtok(NULL, " "));
	t.state = *strtok(NULL, " ");
	t.run_ns = (uint64_t)(atof(strtok(NULL, " ")) * 1e6);
	assert_int_equal(SF_GROW(p->thread, p->nr + 1, p->alloc), 0);
	p->thread[p->nr++] = t;
}

static void synth_request(struct synth *s, char *line)
{
	struct sf_recording *r = s->rec;
	struct sf_request q = { .write = true, .bytes = 4096 };
	char *more;

	q.dev = (uint32_t)atoi(strtok(line, " "));
	q.issue = synth_ns(strtok(NULL, " "));
	q.done = synth_ns(strtok(NULL, " "));
	synth_thread(s, strtok(NULL, " "), &q.issuer);
	more = strtok(NULL, "");
	q.issue_stack = synth_stack(s, more);
	r->has_requests = true;
	assert_int_equal(SF_GROW(r->request, r->nr_requests + 1, r->request_alloc), 0);
	r->request[r->nr_requests++] = q;
	/* In the order of completion, as the tests give them. */
	r->request_done = realloc(r->request_done, r->nr_requests * sizeof(*r->request_done));
	r->request_done[r->nr_done++] = (uint32_t)r->nr_requests - 1;
}

static void synth_line(struct synth *s, char *line)
{
	char *word = strtok(line, " "), *rest = strtok(NULL, "");

	if (!word || *word == '#')
		return;
	if (!strcmp(word, "thread")) {
		synth_new_thread(s, rest);
	} else if (!strcmp(word, "window")) {
		synth_new_window(s, rest);
	} else if (!strcmp(word, "phase")) {
		synth_phase(s, rest);
	} else if (!strcmp(word, "covariate")) {
		synth_covariate(s, rest);
	} else if (!strcmp(word, "snap")) {
		synth_snap(s, rest);
	} else if (!strcmp(word, "rq")) {
		synth_request(s, rest);
	} else if (!strcmp(word, "lost")) {
		struct sf_recording *r = s->rec;

		assert_int_equal(SF_GROW(r->lost, r->nr_lost + 1, r->lost_alloc), 0);
		r->lost[r->nr_lost].from = r->lost[r->nr_lost].time = synth_ns(strtok(rest, " "));
		r->lost[r->nr_lost++].count = strtoull(strtok(NULL, " "), NULL, 10);
	} else {
		uint64_t time = synth_ns(word);
		char *what = strtok(rest, " ");

		rest = strtok(NULL, "");
		if (!strcmp(what, "sample"))
			synth_sample(s, time, rest);
		else if (!strcmp(what, "poll"))
			synth_poll(s, time, rest);
		else if (!strcmp(what, "call"))
			synth_call(s, time, rest);
		else
			synth_sched(s, time, what, rest);
	}
}

static void synth_map(struct synth *s, uint32_t pid, uint16_t misc, uint64_t addr, uint64_t pgoff,
		      const char *path)
{
	struct sf_record r = { .type = PERF_RECORD_MMAP2, .misc = misc };

	r.u.mmap.pid = pid;
	r.u.mmap.addr = addr;
	r.u.mmap.len = 0x100000;
	r.u.mmap.pgoff = pgoff;
	r.u.mmap.prot = 4;
	r.u.mmap.filename = path;
	assert_int_equal(sf_symbols_feed(s->rec->symbols, &r), 0);
}

static void synth_names(struct synth *s, const char *module, bool kernel, uint64_t base, char **name,
			size_t nr)
{
	struct sf_str o = SF_STR_INIT;

	sf_str_addf(&o, "{\"type\":\"symbols\",\"module\":\"%s\",\"build_id\":\"\",\"kernel\":%s,"
			"\"syms\":[", module, kernel ? "true" : "false");
	for (size_t i = 0; i < nr; i++)
		sf_str_addf(&o, "%s[%lld,256,\"%s\"]", i ? "," : "", (long long)(base + 0x100 * i),
			    name[i]);
	sf_str_add(&o, "]}");
	if (nr)
		assert_int_equal(sf_symbols_import(s->rec->symbols, o.buf, o.len), 0);
	sf_str_release(&o);
}

/* The recording that text describes; the caller frees it by sf_recording_free(). */
static struct sf_recording *synth(const char *text)
{
	struct sf_symbols_opts opts = { .no_local = true };
	struct synth s = { .rec = calloc(1, sizeof(*s.rec)) };
	struct sf_recording *r = s.rec;
	char *copy = strdup(text), *next = copy;

	r->path = "synthetic";
	r->meta.pid = SYNTH_PID;
	r->meta.hz = 1000;
	r->system_scope = true;
	assert_int_equal(sf_symbols_new(&r->symbols, &opts, NULL), 0);
	assert_int_equal(SF_GROW(r->node, 1, r->node_alloc), 0);
	r->node[r->nr_nodes++] = (struct sf_stack_node){ 0, SF_LOC_NONE };
	synth_map(&s, UINT32_MAX, PERF_RECORD_MISC_KERNEL, 0xffffffff81000000ULL, 0xffffffff81000000ULL,
		  "[kernel.kallsyms]_text");
	synth_map(&s, SYNTH_PID, PERF_RECORD_MISC_USER, 0x400000, 0, "/bin/vmm");
	while (next) {
		char *line = next, *end = strchr(line, '\n');

		next = end ? end + 1 : NULL;
		if (end)
			*end = '\0';
		while (*line == ' ' || *line == '\t')
			line++;
		synth_line(&s, line);
	}
	synth_names(&s, "[kernel.kallsyms]", true, 0xffffffff81000000ULL, s.kernel, s.nr_kernel);
	synth_names(&s, "/bin/vmm", false, 0, s.user, s.nr_user);
	while (s.nr_kernel)
		free(s.kernel[--s.nr_kernel]);
	while (s.nr_user)
		free(s.user[--s.nr_user]);
	free(copy);
	return r;
}

#endif
