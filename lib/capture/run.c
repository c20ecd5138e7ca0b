/* SPDX-License-Identifier: GPL-2.0-only */
/* Performing the BRANCHes, each in its window. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <snapflame/marks.h>

#include "identity.h"
#include "proc.h"
#include "session.h"
#include "upsets.h"

static json_t *words(char *const *word, size_t nr)
{
	json_t *list = json_array();

	for (size_t i = 0; word && i < nr && word[i]; i++)
		json_array_append_new(list, sf_json_text(word[i], strlen(word[i])));
	return list;
}

/* "key=value" */
static json_t *labels(const char *const *label)
{
	json_t *o = json_object();

	for (; label && *label; label++) {
		const char *eq = strchr(*label, '=');
		char *key = strndup(*label, eq ? (size_t)(eq - *label) : strlen(*label));
		const char *value = eq ? eq + 1 : "";

		if (key)
			json_object_set_new(o, key, sf_json_text(value, strlen(value)));
		free(key);
	}
	return o;
}

/* Which repetition of an experiment this is: the label "trial", else 1. */
static int trial(const struct sf_capture *c)
{
	for (const char *const *l = c->opts.label; l && *l; l++) {
		if (!strncmp(*l, "trial=", 6) && atoi(*l + 6) > 0)
			return atoi(*l + 6);
	}
	return 1;
}

static json_t *missing_json(const struct sf_missing *m)
{
	json_t *list = json_array();

	for (size_t i = 0; i < m->nr; i++)
		json_array_append_new(list, sf_json_text(m->line[i], strlen(m->line[i])));
	return list;
}

/* {"254:0": "vda"}: who reads the recording elsewhere has other devices with these numbers. */
static json_t *devices(void)
{
	json_t *o = json_object();
	FILE *f = fopen("/proc/diskstats", "re");
	unsigned major, minor;
	char name[64], key[32];

	while (f && fscanf(f, "%u %u %63s%*[^\n]", &major, &minor, name) == 3) {
		snprintf(key, sizeof(key), "%u:%u", major, minor);
		json_object_set_new(o, key, sf_json_text(name, strlen(name)));
	}
	if (f)
		fclose(f);
	return o;
}

static void add_identity(const struct sf_capture *c, json_t *o)
{
	struct sf_str vm = SF_STR_INIT;
	uint8_t id[20];
	char path[64], hex[2 * sizeof(id) + 1];
	int n;

	if (c->opts.vm)
		sf_str_add(&vm, c->opts.vm);
	else
		sf_vm_id(c->pid, &vm);
	if (vm.len)
		json_object_set_new(o, "vm", sf_json_text(vm.buf, vm.len));
	sf_str_release(&vm);
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)c->pid);
	n = sf_file_build_id(c->own_target ? sf_driver_cmd_path(c->driver) : path, id);
	for (int i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", id[i]);
	if (n > 0)
		json_object_set_new(o, "exe_build_id", json_string(hex));
}

int sf_session_meta(struct sf_capture *c)
{
	static const char *const graph[] = { "auto", "fp", "dwarf", "none" };
	static const char *const window[] = { "auto", "api", "dark" };
	static const char *const source[] = { "none", "perf", "ftrace" };
	struct utsname u;
	json_t *o;

	uname(&u);
	o = json_pack("{s:i, s:s, s:i, s:o, s:o, s:s, s:i, s:i, s:s, s:s, s:s, s:i, s:s, s:s, s:I}",
		      "version", 1, "tool", "snapflame " SNAPFLAME_VERSION, "pid", (int)c->pid,
		      "comm", sf_json_text(c->comm, strlen(c->comm)), "exe",
		      sf_json_text(c->exe, strlen(c->exe)), "scope",
		      c->scope == SF_SCOPE_SYSTEM ? "system" : "vmm", "hz", (int)c->opts.hz,
		      "poll_hz", (int)(c->poller.started ? c->poll_hz : 0), "call_graph",
		      graph[c->opts.call_graph], "window", window[c->opts.window], "wakings",
		      source[c->waking_source], "cpus", (int)sysconf(_SC_NPROCESSORS_ONLN), "host",
		      u.nodename, "kernel", u.release, "realtime_ns",
		      (json_int_t)c->start_realtime);
	if (!o)
		return -ENOMEM;
	json_object_set_new(o, "recorder_pid", json_integer(getpid()));
	if (c->opts.keep)
		json_object_set_new(o, "keep", json_integer(c->opts.keep));
	if (c->opts.max_cpu)
		json_object_set_new(o, "max_cpu", json_integer(c->opts.max_cpu));
	json_object_set_new(o, "cmd", words(c->opts.argv, (size_t)c->opts.argc));
	json_object_set_new(o, "branch_cmd", words(c->opts.branch_cmd, SIZE_MAX));
	add_identity(c, o);
	json_object_set_new(o, "devices", devices());
	json_object_set_new(o, "labels", labels(c->opts.label));
	json_object_set_new(o, "missing", missing_json(&c->missing));
	return sf_marks_add(&c->marks, "meta", c->start, o);
}

static int add_covariates(struct sf_capture *c, unsigned branch, const char *edge)
{
	uint64_t t = sf_now();
	json_t *files = sf_covariates_files(c->pid, c->opts.branch_cmd, c->reply);
	json_t *o = json_pack("{s:i, s:s, s:o, s:o}", "branch", (int)branch, "edge", edge, "values",
			      sf_covariates(c->pid, c->spooled), "files", files);

	return sf_marks_add(&c->marks, "covariates", t, o);
}

int sf_session_window(struct sf_capture *c, const struct sf_branch *b)
{
	json_t *o = json_pack("{s:i, s:i, s:s, s:I, s:I, s:i, s:s, s:O?}", "branch",
			      (int)b->number, "trial", trial(c), "name", "BRANCH", "begin",
			      (json_int_t)b->begin, "end", (json_int_t)b->end, "status", b->status,
			      "source", c->driver->source, "json", b->json);
	int ret;

	if (o && b->text)
		json_object_set_new(o, "json_text", sf_json_text(b->text, strlen(b->text)));
	if (o && b->error)
		json_object_set_new(o, "error", sf_json_text(b->error, strlen(b->error)));
	if (o && b->extra)
		json_object_update(o, b->extra);
	if (o && c->opts.vm) /* the user knows better than the API */
		json_object_del(o, "vm");
	ret = sf_marks_add(&c->marks, "window", b->end, o);
	if (ret != -E2BIG)
		return ret;
	/* A reply that no mark can hold: the window is what matters. */
	o = json_pack("{s:i, s:i, s:s, s:I, s:I, s:i, s:s, s:n, s:s}", "branch", (int)b->number,
		      "trial", trial(c), "name", "BRANCH", "begin", (json_int_t)b->begin, "end",
		      (json_int_t)b->end, "status", b->status, "source", c->driver->source, "json",
		      "error", "its reply was too long to be kept");
	return sf_marks_add(&c->marks, "window", b->end, o);
}

static void report(struct sf_capture *c, const struct sf_branch *b, uint64_t records, uint64_t lost)
{
	struct sf_branch_info info = {
		.branch = b->number,
		.branches = c->opts.branches,
		.begin = b->begin,
		.end = b->end,
		.pause_ms = -1,
		.records = records,
		.lost = lost,
		.status = b->status,
		.error = b->error,
		.note = b->note,
	};
	const json_t *pause = json_object_get(b->json, "pause_ms");

	if (json_is_number(pause))
		info.pause_ms = json_number_value(pause);
	if (c->opts.progress)
		c->opts.progress(c->opts.arg, &info);
}

static void switch_on(struct sf_capture *c)
{
	char *filter = NULL;

	/* Threads come and go between BRANCHes. */
	if (c->scope == SF_SCOPE_VMM && c->waking_source == SF_WAKINGS_FTRACE)
		filter = sf_session_filter(c, "pid");
	if (filter)
		sf_wakings_filter(&c->wakings, filter);
	free(filter);
	sf_budget_start(&c->budget, sf_now());
	sf_budget_start(&c->poll_budget, sf_now());
	sf_events_enable(&c->events, true);
	sf_wakings_enable(&c->wakings, true);
	sf_poller_set_active(&c->poller, true);
}

static void switch_off(struct sf_capture *c)
{
	sf_poller_set_active(&c->poller, false);
	sf_wakings_enable(&c->wakings, false);
	sf_events_enable(&c->events, false);
}

struct edges {
	struct sf_edge begin, end;
	struct sf_writers before, after;
	struct sf_upsets calm, upset; /* while the events were on */
};

/* From the snapshot before to the snapshot after: the part that the target pays for. */
static int perform(struct sf_capture *c, struct sf_branch *b, struct edges *e, struct sf_error *err)
{
	uint64_t cpu, poll;
	int ret;

	switch_on(c);
	sf_upsets_take(&e->calm, &c->events);
	sf_edge_take(&e->begin, c->pid);
	/* Here, not behind the window: a recorder that is killed in it has this already. */
	ret = sf_edge_marks(&e->begin, &c->kallsyms, b->number, "begin", &c->marks, &c->addresses);
	if (!ret)
		ret = sf_journal_begin(c, b->number, sf_now());
	if (ret)
		sf_debug("capture", "the beginning of BRANCH %u: %s", b->number, strerror(-ret));
	cpu = sf_own_cpu();
	poll = c->poller.cpu_ns;
	ret = c->driver->perform(c->driver, b, err);
	c->recorder_ns += sf_own_cpu() - cpu;
	c->poll_ns += c->poller.cpu_ns - poll;
	c->window_ns += b->end - b->begin;
	sf_edge_take(&e->end, c->pid);
	sf_upsets_take(&e->upset, &c->events);
	switch_off(c);
	return ret;
}

static int keep(struct sf_capture *c, struct sf_branch *b, struct edges *e)
{
	json_t *writers = sf_writers_between(&e->before, &e->after);
	json_t *upsets = sf_upsets_between(&e->calm, &e->upset, &c->events);
	int ret = sf_edge_marks(&e->end, &c->kallsyms, b->number, "end", &c->marks,
				&c->addresses);

	if (upsets)
		sf_branch_set(b, "upsets", upsets);
	if (!ret)
		ret = sf_session_window(c, b);
	if (!ret)
		ret = sf_marks_add(&c->marks, "writers", b->end,
				   json_pack("{s:i, s:s, s:O}", "branch", (int)b->number, "edge",
					     "end", "processes", writers));
	json_decref(writers);
	return ret;
}

/* A VMM that dies in a BRANCH leaves a window that is no pause. */
static void mark_exit(const struct sf_capture *c, struct sf_branch *b)
{
	struct pollfd p = { c->target_fd, POLLIN, 0 };

	if (!c->own_target && poll(&p, 1, 0) > 0)
		sf_branch_fail(b, "process %d exited in it", (int)c->pid);
}

static int record_branch(struct sf_capture *c, struct sf_branch *b, struct sf_error *err)
{
	uint64_t records = c->reader.records, lost = c->reader.lost;
	struct edges e = { 0 };
	int ret = c->driver->begin(c->driver, b, err), kept;

	if (!ret && sf_flight_begin(c, b->number))
		ret = sf_error_set(err, -ENOMEM, "out of memory");
	if (ret)
		return ret;
	sf_writers_take(&e.before);
	add_covariates(c, b->number, "begin");
	ret = perform(c, b, &e, err);
	mark_exit(c, b);
	json_decref(c->reply);
	c->reply = json_incref(b->json);
	sf_writers_take(&e.after);
	add_covariates(c, b->number, "end");
	kept = keep(c, b, &e);
	sf_ring_sync(&c->reader);
	c->stats.branches++;
	if (!kept)
		kept = sf_flight_end(c);
	if (!kept)
		kept = sf_journal_write(c);
	report(c, b, c->reader.records - records, c->reader.lost - lost);
	sf_edge_release(&e.begin);
	sf_edge_release(&e.end);
	sf_writers_release(&e.before);
	sf_writers_release(&e.after);
	sf_upsets_release(&e.calm);
	sf_upsets_release(&e.upset);
	return ret ? ret : kept ? sf_error_set(err, kept, "out of memory") : 0;
}

static int warm_up(struct sf_capture *c, struct sf_branch *b, struct sf_error *err)
{
	int ret = c->driver->begin(c->driver, b, err);

	if (!ret)
		ret = c->driver->perform(c->driver, b, err);
	if (!ret)
		report(c, b, 0, 0);
	return ret;
}

/* -EINTR, -ESRCH, or 0 after that many ns. */
static int rest(struct sf_capture *c, uint64_t ns)
{
	struct pollfd p[2] = { { c->stop_fd, POLLIN, 0 }, { c->target_fd, POLLIN, 0 } };
	uint64_t until = sf_now() + ns, now;

	do {
		now = sf_now();
		if (poll(p, 2, now < until ? (int)((until - now) / 1000000) : 0) < 0 &&
		    errno != EINTR)
			return -errno;
		if (p[0].revents)
			return -EINTR;
		if (p[1].revents)
			return -ESRCH;
	} while (sf_now() < until);
	return 0;
}

/* One BRANCH and what is left to say of it. */
static int one(struct sf_capture *c, unsigned number, bool *failed, struct sf_error *err)
{
	struct sf_branch b = { .number = number };
	int ret = number ? record_branch(c, &b, err) : warm_up(c, &b, err);

	if (!ret && b.error)
		*failed = true;
	if (!ret && b.error && number)
		sf_error_set(err, -ECHILD, "BRANCH %u: %s", number, b.error);
	else if (!ret && b.error)
		sf_error_set(err, -ECHILD, "warm-up: %s", b.error);
	sf_branch_release(&b);
	return ret;
}

/* "2 of 5", or "2" where nobody knows how many there will be. */
static const char *how_many(const struct sf_capture *c, char *buf, size_t size)
{
	if (c->opts.branches == SF_BRANCHES_ANY)
		snprintf(buf, size, "%u", c->stats.branches);
	else
		snprintf(buf, size, "%u of %u", c->stats.branches, c->opts.branches);
	return buf;
}

static int run_all(struct sf_capture *c, bool *failed, struct sf_error *err)
{
	uint64_t total = (uint64_t)c->opts.warmup + c->opts.branches;
	char done[32];
	int ret = 0;

	for (uint64_t i = 0; i < total && !ret; i++) {
		bool last = i + 1 == total;

		ret = one(c, i < c->opts.warmup ? 0 : (unsigned)(i - c->opts.warmup + 1), failed,
			  err);
		/* A flight recorder goes on, and has counted what it lost. */
		if (!ret && !c->opts.keep && (c->spool.refused || c->poll_spool.refused))
			ret = sf_error_set(err, -ENOSPC,
					   "the recording reached its limit of %llu MB after %s "
					   "BRANCHes; raise --max-size",
					   (unsigned long long)(c->spool.max >> 20),
					   how_many(c, done, sizeof(done)));
		if (!ret)
			ret = rest(c, last ? 0 : c->opts.gap);
		/* The command that was recorded has ended: that is how it should be. */
		if (ret == -ESRCH && last && c->own_target)
			ret = 0;
	}
	/* Who performs them says that there will be no more. */
	return ret == -ENODATA ? 0 : ret;
}

int sf_capture_run(struct sf_capture *c, struct sf_error *err)
{
	bool failed = false;
	char done[32];
	int ret;

	c->driver->stop_fd = c->stop_fd;
	c->driver->target_fd = c->own_target ? -1 : c->target_fd;
	ret = run_all(c, &failed, err);
	sf_session_stop(c);
	c->stats.records = c->reader.records;
	c->stats.lost = c->reader.lost;
	c->stats.target_exited = ret == -ESRCH;
	if (ret == -EINTR)
		c->reason = "interrupted";
	else if (ret == -ESRCH)
		c->reason = "target-exited";
	else if (ret || failed)
		c->reason = "error";
	if (ret == -ESRCH)
		return sf_error_set(err, ret, "process %d exited after %s BRANCHes",
				    (int)c->pid, how_many(c, done, sizeof(done)));
	return ret ? ret : failed ? -ECHILD : 0;
}
