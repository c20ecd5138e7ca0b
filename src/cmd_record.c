/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <snapflame/array.h>
#include <snapflame/capture.h>
#include <snapflame/str.h>
#include <snapflame/needed.h>

#include "cmd.h"
#include "options.h"
#include "progress.h"
#include "report.h"

enum { MATCHES_MAX = 8 };

static const char *const scopes[] = { "auto", "system", "vmm", NULL };
static const char *const graphs[] = { "auto", "fp", "dwarf", "none", NULL };
static const char *const types[] = { "Diff", "Full", NULL };
static const char *const windows[] = { "auto", "api", "dark", NULL };

#define UNTIL_CTRL_C UINT64_MAX
#define POLL_DEFAULT UINT_MAX
#define NOT_GIVEN UINT_MAX

enum { POLL_MAX = 10000 };

struct record_opts {
	const char *pid, *comm, *output, *json_fields, *vm;
	const char *firecracker, *qmp, *control, *snapshot_dir;
	unsigned branches, warmup, hz, poll, keep, max_cpu;
	uint64_t gap, duration, max_size, timeout;
	int call_graph, scope, window, snapshot_type;
	bool syscalls;
	struct sf_texts labels;
};

static const struct sf_option options[] = {
	SF_HEADING("What is recorded"),
	SF_TEXT('p', "pid", struct record_opts, pid, "PID", "the VMM's process"),
	SF_TEXT(0, "comm", struct record_opts, comm, "NAME", "the one process of that name"),
	SF_FILE('o', "output", struct record_opts, output, "FILE", "write to FILE (snapflame.data)"),
	SF_ENUM(0, "scope", struct record_opts, scope, scopes,
		"all CPUs, or the VMM's threads only (auto: system where allowed)"),
	SF_ENUM(0, "call-graph", struct record_opts, call_graph, graphs,
		"user stacks by frame pointers, by DWARF, or none (auto: DWARF where the VMM has "
		"no frame pointers)"),
	SF_UINT('F', "freq", struct record_opts, hz, "HZ", "CPU samples a second (997)"),
	SF_UINT(0, "poll", struct record_opts, poll, "HZ",
		"looks at /proc/PID/task a second (50); 0: none"),
	SF_FLAG(0, "syscalls", struct record_opts, syscalls, "system calls too: slows the VMM"),
	SF_SIZE(0, "max-size", struct record_opts, max_size, "SIZE",
		"memory for the recording (a quarter of what is free)"),
	SF_UINT(0, "keep", struct record_opts, keep, "N",
		"the last N BRANCHes only, fewer where --max-size has no room for them"),
	SF_UINT(0, "max-cpu", struct record_opts, max_cpu, "PCT",
		"CPU that recording may take in a BRANCH, in % of one"),
	SF_HEADING("The BRANCHes"),
	SF_FILE(0, "firecracker", struct record_opts, firecracker, "SOCK",
		"take snapshots by the API of Firecracker that listens there"),
	SF_FILE(0, "qmp", struct record_opts, qmp, "SOCK", "or by the QMP of QEMU"),
	SF_FILE(0, "snapshot-dir", struct record_opts, snapshot_dir, "DIR",
		"where their files go (where SOCK is)"),
	SF_ENUM(0, "snapshot-type", struct record_opts, snapshot_type, types,
		"what changed since the last one, or everything"),
	SF_FILE(0, "control", struct record_opts, control, "FIFO[,ACK]|unix:SOCK",
		"take none: somebody tells there when they begin and end"),
	SF_TIME(0, "timeout", struct record_opts, timeout, "SEC", "give up a call of an API (120)"),
	SF_UINT(0, "branches", struct record_opts, branches, "N", "so many BRANCHes (1)"),
	SF_TIME(0, "gap", struct record_opts, gap, "SEC", "wait between BRANCHes (1)"),
	SF_UINT(0, "warmup", struct record_opts, warmup, "N", "BRANCHes that are not recorded (0)"),
	SF_ENUM(0, "window", struct record_opts, window, windows,
		"what counts: the API's reply time, or the vCPUs' stop"),
	SF_TIME(0, "duration", struct record_opts, duration, "SEC",
		"without COMMAND: one window of SEC (until Ctrl-C)"),
	SF_TEXT(0, "json-fields", struct record_opts, json_fields, "NAME=PATH,...",
		"where COMMAND's JSON has pause_ms, diff_ms, ..."),
	SF_TEXTS(0, "label", struct record_opts, labels, "KEY=VALUE", "kept in the recording"),
	SF_TEXT(0, "vm", struct record_opts, vm, "NAME",
		"the VM's name in the recording (what the VMM was started with)"),
	SF_OPTIONS_END,
};

static struct sf_capture *running; /* for the signal handler */

static void on_signal(int sig)
{
	if (running)
		sf_capture_stop(running);
}

static void catch_signals(struct sf_capture *c)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESTART };

	running = c;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	/* Nobody reads what COMMAND prints any more: no reason to lose the recording. */
	signal(SIGPIPE, SIG_IGN);
}

static const char *count(uint64_t n, char *buf, size_t size)
{
	if (n < 10000)
		snprintf(buf, size, "%llu", (unsigned long long)n);
	else if (n < 10000000)
		snprintf(buf, size, "%llu k", (unsigned long long)n / 1000);
	else
		snprintf(buf, size, "%llu M", (unsigned long long)n / 1000000);
	return buf;
}

/* As the BRANCHes until now went on, so will the others. */
static void time_left(const struct sf_branch_info *b)
{
	static uint64_t first;
	double each, left;

	if (b->branch == 1)
		first = b->begin;
	if (!first || b->branches == SF_BRANCHES_ANY || b->branch >= b->branches)
		return;
	each = b->branch > 1 ? (double)(b->begin - first) / 1e9 / (b->branch - 1) :
			       (double)(b->end - b->begin) / 1e9;
	left = each * (b->branches - b->branch);
	if (left >= 120)
		fprintf(stderr, "; %.0f min left", left / 60);
	else if (left >= 1)
		fprintf(stderr, "; %.0f s left", left);
}

/* "BRANCH 2 of 5: pause 63.0 ms (API 64.1 ms), 18 k events (280 k/s), 0 lost; 4 s left" */
static void progress(void *arg, const struct sf_branch_info *b)
{
	double api = (double)(b->end - b->begin) / 1e6;
	char events[32], rate[32], lost[32];

	sf_progress_end();
	if (sf_ui.verbosity < 0)
		return;
	if (b->branch && b->branches == SF_BRANCHES_ANY)
		fprintf(stderr, "BRANCH %u: ", b->branch);
	else if (b->branch)
		fprintf(stderr, "BRANCH %u of %u: ", b->branch, b->branches);
	else
		fprintf(stderr, "warm-up: ");
	if (b->pause_ms >= 0)
		fprintf(stderr, "pause %.1f ms (API %.1f ms)", b->pause_ms, api);
	else
		fprintf(stderr, "%.1f ms", api);
	if (b->branch)
		fprintf(stderr, ", %s events (%s/s), %s lost", count(b->records, events, sizeof(events)),
			count(api > 0 ? (uint64_t)((double)b->records * 1e3 / api) : 0, rate, sizeof(rate)),
			count(b->lost, lost, sizeof(lost)));
	if (b->error)
		fprintf(stderr, ", failed: %s", b->error);
	if (b->note)
		fprintf(stderr, ", but %s", b->note);
	if (b->branch)
		time_left(b);
	fputc('\n', stderr);
}

static int parse_pid(const char *text, pid_t *pid)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end || n <= 0 || n > 4194304) {
		sf_usage("-p needs a process id, not '%s'", text);
		return -1;
	}
	*pid = (pid_t)n;
	return 0;
}

static int find_comm(const char *name, pid_t *pid)
{
	struct sf_str list = SF_STR_INIT;
	pid_t match[MATCHES_MAX];
	int nr = sf_find_comm(name, match, MATCHES_MAX);

	if (nr == 1) {
		*pid = match[0];
		return 0;
	}
	if (nr <= 0)
		return sf_failf("no process is called %s", name);
	sf_str_addf(&list, "%d", (int)match[0]);
	for (int i = 1; i < nr && i < MATCHES_MAX; i++)
		sf_str_addf(&list, ", %d", (int)match[i]);
	sf_failf("%d processes are called %s (%s%s); choose one with -p", nr, name, list.buf,
		 nr > MATCHES_MAX ? ", ..." : "");
	sf_str_release(&list);
	return -1;
}

/* Options of who performs the BRANCHes. An exit status, or -1 to go on. */
static int check_driver(const struct record_opts *o, char *const *cmd)
{
	const char *api = o->firecracker ? "--firecracker" : o->qmp ? "--qmp" : NULL;

	if (!!o->firecracker + !!o->qmp + !!o->control > 1)
		return sf_usage("--firecracker, --qmp and --control exclude each other");
	if (!api && (o->snapshot_dir || o->snapshot_type || o->timeout))
		return sf_usage("--snapshot-dir, --snapshot-type and --timeout are for --firecracker "
				"and --qmp");
	api = o->control ? "--control" : api;
	if (!api)
		return -1;
	if (o->control && !o->pid && !o->comm)
		return sf_usage("--control needs the VMM with -p PID or --comm NAME");
	if (cmd)
		return sf_usage("%s performs the BRANCHes: no COMMAND beside it", api);
	if (o->duration != UNTIL_CTRL_C)
		return sf_usage("%s and --duration exclude each other", api);
	return -1;
}

/* A name that nobody looks for would be an option that silently does nothing. */
static bool fields_are_known(const char *fields)
{
	static const char *const known[] = { "pause_ms", "diff_ms", "diff_physical_bytes" };

	for (bool more = true; more; fields++) {
		size_t name = strcspn(fields, "=,"), i = 0;

		while (i < SF_ARRAY_SIZE(known) &&
		       (strlen(known[i]) != name || memcmp(fields, known[i], name)))
			i++;
		if (i == SF_ARRAY_SIZE(known) || fields[name] != '=')
			return false;
		fields += strcspn(fields, ",");
		more = *fields;
	}
	return true;
}

/* An exit status, or -1 to go on. */
static int check(const struct record_opts *o, char *const *cmd)
{
	bool performed = cmd || o->firecracker || o->qmp || o->control;

	if (!o->branches)
		return sf_usage("--branches needs at least 1");
	if (!o->hz)
		return sf_usage("-F needs at least 1");
	if (o->poll != POLL_DEFAULT && o->poll > POLL_MAX)
		return sf_usage("--poll takes at most %d", POLL_MAX);
	if (!o->max_size)
		return sf_usage("--max-size needs more than 0; without it, it is a quarter of what is "
				"free");
	if (!o->keep)
		return sf_usage("--keep needs at least 1");
	if (!o->max_cpu)
		return sf_usage("--max-cpu needs at least 1");
	if (o->keep != NOT_GIVEN && !performed)
		return sf_usage("--keep is for BRANCHes that are performed or told of, not for one "
				"window");
	if (o->pid && o->comm)
		return sf_usage("-p and --comm exclude each other");
	if (check_driver(o, cmd) >= 0)
		return SF_EXIT_USAGE;
	if (!o->pid && !o->comm && !performed)
		return sf_usage("what is to be recorded? give -p PID, --comm NAME or a COMMAND");
	if (!o->pid && !o->comm && cmd && (o->branches > 1 || o->warmup))
		return sf_usage("COMMAND is recorded itself, which can be done once: for several "
				"BRANCHes give the VMM with -p PID");
	if (!performed && (o->branches > 1 || o->warmup))
		return sf_usage("several BRANCHes need a COMMAND that performs them, --firecracker, "
				"--qmp or --control");
	if (cmd && o->duration != UNTIL_CTRL_C)
		return sf_usage("--duration is for a recording without COMMAND");
	if (!o->duration)
		return sf_usage("--duration needs more than 0; without it recording ends by Ctrl-C");
	if (o->json_fields && !cmd && !o->control)
		return sf_usage("--json-fields is for what COMMAND prints, or --control is told");
	if (o->json_fields && !fields_are_known(o->json_fields))
		return sf_usage("--json-fields needs NAME=PATH,... with NAME pause_ms, diff_ms or "
				"diff_physical_bytes, not '%s'", o->json_fields);
	if (o->vm && !*o->vm)
		return sf_usage("--vm needs a name");
	for (size_t i = 0; i < o->labels.nr; i++) {
		if (!strchr(o->labels.item[i], '=') || o->labels.item[i][0] == '=')
			return sf_usage("--label needs KEY=VALUE, not '%s'", o->labels.item[i]);
	}
	return -1;
}

/* Stacks of other processes are kept where the critical path goes through them. */
static int needed(void *arg, const char *recording, struct sf_map64 *tids, struct sf_error *err)
{
	return sf_needed_tids(recording, tids, err);
}

static const struct sf_save_opts save_opts = { .select = needed };

/* The recording has been paid for: where FILE cannot be written, keep it in memory's file system. */
static int save_elsewhere(struct sf_capture *c)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");
	struct sf_error err = SF_ERROR_INIT;
	char path[4096];

	snprintf(path, sizeof(path), "%s/snapflame.data.%d", "/dev/shm", (int)getpid());
	if (access("/dev/shm", W_OK) && dir)
		snprintf(path, sizeof(path), "%s/snapflame.data.%d", dir, (int)getpid());
	if (sf_capture_save(c, path, &save_opts, &err))
		return sf_fail(&err);
	return sf_failf("the recording was kept as %s", path);
}

static int save(struct sf_capture *c, const char *path)
{
	struct sf_capture_stats st;
	struct sf_error err = SF_ERROR_INIT;
	char events[32], lost[32];

	if (sf_capture_save(c, path, &save_opts, &err)) {
		sf_fail(&err);
		return save_elsewhere(c);
	}
	sf_capture_stats(c, &st);
	if (sf_ui.verbosity >= 0)
		fprintf(stderr, "%s: %.1f MB, %s events, %s lost; recorder used %.1f %% of a CPU\n",
			path, (double)st.bytes / 1e6, count(st.records, events, sizeof(events)),
			count(st.lost, lost, sizeof(lost)), st.recorder_cpu_pct);
	if (st.forgotten && sf_ui.verbosity >= 0)
		fprintf(stderr, "the last %u of %u BRANCHes are in it\n",
			st.branches - st.forgotten, st.branches);
	sf_note("of which the poller %.2f %%", st.poll_cpu_pct);
	return SF_EXIT_DONE;
}

/* In a child that outlives us when we are killed. */
static void rescue(void *arg, struct sf_capture *c)
{
	const char *path = arg;

	sf_warn("killed; saving what was recorded");
	save(c, path);
}

static int record(const struct sf_capture_opts *co, const char *path)
{
	struct sf_error err = SF_ERROR_INIT;
	struct sf_capture_stats st;
	struct sf_capture *c;
	int ret, status, saved;

	if (sf_capture_check_output(path, &err) || sf_capture_open(&c, co, &err))
		return sf_fail(&err);
	for (size_t i = 0; sf_capture_missing(c, i); i++)
		sf_warn("not recorded: %s", sf_capture_missing(c, i));
	catch_signals(c);
	if (!co->branch_cmd && !co->firecracker && !co->qmp && !co->control)
		sf_progress_timer("recording", co->duration / 1000000000);
	ret = sf_capture_run(c, &err);
	sf_progress_end();
	sf_capture_stats(c, &st);
	if (ret == -EINTR && sf_ui.verbosity >= 0 && co->branches == SF_BRANCHES_ANY)
		fprintf(stderr, "interrupted: %u BRANCHes recorded\n", st.branches);
	else if (ret == -EINTR && sf_ui.verbosity >= 0)
		fprintf(stderr, "interrupted: %u of %u BRANCHes recorded\n", st.branches,
			co->branches);
	status = ret && ret != -EINTR ? sf_fail(&err) : SF_EXIT_DONE;
	saved = save(c, path);
	running = NULL;
	sf_capture_free(c);
	return status ? status : saved;
}

static int run(const struct sf_command *cmd, int argc, char **argv)
{
	struct record_opts o = {
		.output = "snapflame.data", .branches = SF_BRANCHES_ANY, .gap = 1000000000, .hz = 997,
		.poll = POLL_DEFAULT, .keep = NOT_GIVEN, .max_cpu = NOT_GIVEN, .max_size = UINT64_MAX,
		.duration = UNTIL_CTRL_C,
	};
	struct sf_capture_opts co = { .out_fd = STDOUT_FILENO, .argc = argc, .argv = argv };
	int first = sf_options_parse(cmd, &o, argc, argv), status;
	const char **labels = NULL;

	if (first <= 0)
		return sf_options_status(first);
	if (o.branches == SF_BRANCHES_ANY && !o.control)
		o.branches = 1;
	co.branch_cmd = first < argc ? argv + first : NULL;
	status = check(&o, co.branch_cmd);
	if (status < 0 && o.pid && parse_pid(o.pid, &co.pid))
		status = SF_EXIT_USAGE;
	if (status < 0 && o.comm && find_comm(o.comm, &co.pid))
		status = SF_EXIT_FAILED;
	labels = calloc(o.labels.nr + 1, sizeof(*labels));
	if (status < 0 && !labels)
		status = sf_failf("out of memory");
	if (status < 0) {
		if (o.labels.nr)
			memcpy(labels, o.labels.item, o.labels.nr * sizeof(*labels));
		co.scope = (enum sf_scope)o.scope;
		co.call_graph = (enum sf_call_graph)o.call_graph;
		co.window = (enum sf_window_kind)o.window;
		co.hz = o.hz;
		co.poll_hz = o.poll == POLL_DEFAULT ? 0 : o.poll ? o.poll : SF_POLL_NONE;
		co.keep = o.keep == NOT_GIVEN ? 0 : o.keep;
		co.max_cpu = o.max_cpu == NOT_GIVEN ? 0 : o.max_cpu;
		co.syscalls = o.syscalls;
		co.branches = o.branches;
		co.warmup = o.warmup;
		co.gap = o.gap;
		co.duration = o.duration == UNTIL_CTRL_C ? 0 : o.duration;
		co.max_size = o.max_size == UINT64_MAX ? 0 : o.max_size;
		co.firecracker = o.firecracker;
		co.qmp = o.qmp;
		co.control = o.control;
		co.snapshot_dir = o.snapshot_dir;
		co.snapshot_full = o.snapshot_type == 1;
		co.timeout = o.timeout;
		co.json_fields = o.json_fields;
		co.label = labels;
		co.vm = o.vm;
		co.progress = progress;
		co.orphaned = rescue;
		co.arg = (void *)(uintptr_t)o.output;
		status = record(&co, o.output);
	}
	free(labels);
	sf_options_release(cmd, &o);
	return status;
}

const struct sf_command cmd_record = {
	.name = "record",
	.summary = "record the BRANCHes of a running VMM",
	.usage = "[options] -p PID [--] COMMAND [ARG...]\n[options] [--] COMMAND [ARG...]\n"
		 "[options] --firecracker SOCK | --qmp SOCK\n[options] -p PID --control FIFO\n[options] -p PID --duration SEC",
	.about = "Performs COMMAND, which takes one snapshot of the VM (a BRANCH), and records what the "
		 "VMM and all it waits for do meanwhile. Without -p COMMAND itself is recorded. The file is "
		 "a plain perf.data.",
	.options = options,
	.operands = SF_OPERANDS_COMMAND,
	.run = run,
};
