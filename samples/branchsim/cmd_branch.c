/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a fork service does: pause the VM, take a snapshot of it, resume it, and report. The times
 * of pause_ms and diff_ms are the client's; the dark window is what the VMM says afterwards.
 */
#include "client.h"
#include "commands.h"
#include "options.h"
#include "util.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct branch_opts {
	const char *sock, *type, *dir, *snapshot_path, *mem_path;
	double wait_s, gap_s, linger_s;
	unsigned count;
};

struct stamps {
	uint64_t start, paused, created, end;
};

static int set_state(struct client *c, const char *state)
{
	return client_call(c, "PATCH", "/vm", json_pack("{s:s}", "state", state), NULL);
}

/* 0 when the snapshot was taken. The VM is resumed in any case. */
static int pause_create_resume(struct client *c, const struct branch_opts *o, struct stamps *t)
{
	char fault[sizeof(c->fault)] = "";

	t->start = now_ns();
	if (set_state(c, "Paused"))
		return -1;
	t->paused = now_ns();
	if (client_call(c, "PUT", "/snapshot/create",
			json_pack("{s:s, s:s, s:s}", "snapshot_type", o->type, "snapshot_path",
				  o->snapshot_path, "mem_file_path", o->mem_path),
			NULL))
		memcpy(fault, c->fault, sizeof(fault));
	t->created = now_ns();
	if (set_state(c, "Resumed"))
		return -1;
	t->end = now_ns();
	memcpy(c->fault, fault, sizeof(fault));
	return fault[0] ? -1 : 0;
}

/* The VMM's view of the last BRANCH, once its last vCPU is back; NULL from a real Firecracker. */
static json_t *ask_vmm(struct client *c)
{
	for (unsigned try = 0; try < 500; try++) {
		json_t *info, *last;

		if (client_call(c, "GET", "/branchsim", NULL, &info))
			return NULL;
		last = json_incref(json_object_get(info, "last"));
		json_decref(info);
		if (json_is_object(last))
			return last;
		json_decref(last);
		sleep_ns(MS_TO_NS(2));
	}
	return NULL;
}

static json_t *ms(uint64_t from, uint64_t to)
{
	return json_real((double)(to - from) / 1e6);
}

static void report(struct client *c, const struct branch_opts *o, const struct stamps *t)
{
	json_t *line = json_object(), *last = ask_vmm(c);
	struct stat st = { 0 };

	stat(o->mem_path, &st);
	json_object_set_new(line, "pause_ms", ms(t->start, t->end));
	json_object_set_new(line, "diff_ms", ms(t->paused, t->created));
	json_object_set_new(line, "diff_physical_bytes", json_integer((json_int_t)st.st_blocks * 512));
	json_object_set_new(line, "start_ns", json_integer((json_int_t)t->start));
	json_object_set_new(line, "end_ns", json_integer((json_int_t)t->end));
	json_object_set_new(line, "vm_pause_ms", ms(t->start, t->paused));
	json_object_set_new(line, "vm_resume_ms", ms(t->created, t->end));
	if (last)
		json_object_update_missing(line, last);
	json_decref(last);
	json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(10));
	putchar('\n');
	json_decref(line);
}

static int branch_once(struct client *c, const struct branch_opts *o)
{
	struct stamps t;

	if (pause_create_resume(c, o, &t)) {
		warn("%s: %s", o->sock, c->fault);
		return 1;
	}
	sleep_ns((int64_t)(o->linger_s * 1e9));
	report(c, o, &t);
	return fflush(stdout) ? 1 : 0;
}

/* In --dir, else where the VMM says, else (a real Firecracker) in this directory. */
static char *path_in(const struct branch_opts *o, json_t *info, const char *key,
			   const char *file)
{
	const char *dir = o->dir ? o->dir : json_string_value(json_object_get(info, key));
	char *here = dir ? NULL : realpath(".", NULL), *path;

	path = xasprintf("%s/%s", here ? here : dir ? dir : ".", file);
	free(here);
	return path;
}

/* All BRANCHes of the command write the same files, as a fork service that keeps one does. */
static int branch_all(struct client *c, struct branch_opts *o)
{
	char *mem_path, *snapshot_path;
	json_t *info = NULL;
	int status = 0;

	client_call(c, "GET", "/branchsim", NULL, &info);
	mem_path = path_in(o, info, "mem_dir", "mem.diff");
	snapshot_path = path_in(o, info, "state_dir", "vmstate");
	json_decref(info);
	if (!o->mem_path)
		o->mem_path = mem_path;
	if (!o->snapshot_path)
		o->snapshot_path = snapshot_path;
	for (unsigned i = 0; i < o->count && !status; i++) {
		if (i)
			sleep_ns((int64_t)(o->gap_s * 1e9));
		status = branch_once(c, o);
	}
	free(mem_path);
	free(snapshot_path);
	return status;
}

int cmd_branch(int argc, char **argv)
{
	struct branch_opts o = { .type = "Diff", .count = 1, .wait_s = 5, .gap_s = 0.1 };
	const struct option_row rows[] = {
		{ "sock", OPTION_TEXT, &o.sock, "PATH", "the VMM's API (needed)" },
		{ "type", OPTION_TEXT, &o.type, "Diff|Full", "of the snapshot (Diff)" },
		{ "dir", OPTION_TEXT, &o.dir, "DIR", "put both files there (the VMM's directory)" },
		{ "snapshot-path", OPTION_TEXT, &o.snapshot_path, "FILE", "the vmstate file" },
		{ "mem-path", OPTION_TEXT, &o.mem_path, "FILE", "the memory file" },
		{ "count", OPTION_COUNT, &o.count, "N", "so many BRANCHes (1)", 1, 1000000 },
		{ "gap", OPTION_NUMBER, &o.gap_s, "SEC", "between them (0.1)" },
		{ "linger", OPTION_NUMBER, &o.linger_s, "SEC", "report so long after the resume" },
		{ "wait", OPTION_NUMBER, &o.wait_s, "SEC", "wait for the VMM's socket (5)" },
		{ NULL },
	};
	struct client c;
	int status;

	options_parse(argc, argv, "branch --sock PATH [options]", rows);
	if (!o.sock) {
		fprintf(stderr, "branchsim: branch needs --sock PATH; see --help\n");
		return 2;
	}
	if (client_open(&c, o.sock, o.wait_s))
		die("%s: %s", o.sock, c.fault);
	status = branch_all(&c, &o);
	client_close(&c);
	return status;
}
