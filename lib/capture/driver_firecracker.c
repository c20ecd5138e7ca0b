/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A BRANCH by Firecracker's API: PATCH /vm Paused, PUT /snapshot/create, PATCH /vm Resumed. The API
 * serves one request at a time: a resume that is sent while a snapshot is written waits for it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <snapflame/str.h>

#include "driver.h"
#include "http.h"
#include "janitor.h"
#include "mark_list.h"
#include "proc.h"
#include "vmm_socket.h"

#define PAUSE  "{\"state\": \"Paused\"}"
#define RESUME "{\"state\": \"Resumed\"}"

enum {
	FAULT_MAX = 400, /* of the VMM's words, kept in an error */
	RESUME_TRIES = 5,
	RETRY_US = 50 * 1000,
};
/* What a call under way gets when the user wants to end; a resume waits for what was given up. */
#define GRACE (3 * UINT64_C(1000000000))
#define GRACE_RESUME (1 * UINT64_C(1000000000))

static const struct sf_janitor_step resume_steps[] = {
	{ "PATCH /vm HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
	  "Content-Length: 20\r\n\r\n" RESUME,
	  "HTTP/1.1 2", "HTTP/1.1 4" },
	{ NULL, NULL, NULL },
};

struct fc_driver {
	struct sf_driver base;
	struct sf_janitor janitor;
	char *sock;
	char *body;            /* of the request for a snapshot */
	char *memory, *state;  /* the files, as paths for us */
	json_t *instance;      /* what the API last said of itself */
	uint64_t timeout;
};

/* Their words, made fit for a terminal: {"fault_message": "…"}, or whatever it is. */
static void add_fault(struct sf_str *s, const struct sf_http_reply *r)
{
	json_t *o = json_loadb(r->body, r->len, 0, NULL);
	const json_t *fault = json_object_get(o, "fault_message");
	const char *text = json_is_string(fault) ? json_string_value(fault) : r->body;
	size_t len = json_is_string(fault) ? json_string_length(fault) : r->len;

	while (len && strchr(" \r\n", text[len - 1]))
		len--;
	sf_str_add_printable(s, text, len < FAULT_MAX ? len : FAULT_MAX);
	if (len >= FAULT_MAX)
		sf_str_add(s, "...");
	if (!len)
		sf_str_addf(s, "status %ld", r->status);
	json_decref(o);
}

/* One call that has to give 2xx; its times are in *r. */
static int call(struct fc_driver *f, const char *method, const char *path, const char *body,
		struct sf_http_reply *r, struct sf_error *err)
{
	struct sf_api_wait wait = { f->timeout, body && !strcmp(body, RESUME) ? GRACE_RESUME : GRACE,
				     f->base.stop_fd, f->base.target_fd };
	struct sf_str words = SF_STR_INIT;
	int ret = sf_http_call(f->sock, method, path, body, &wait, r, err);

	if (ret || (r->status >= 200 && r->status < 300))
		return ret;
	add_fault(&words, r);
	sf_error_set(err, -EREMOTEIO, "%s %s: %s%s", method, path, words.buf,
		     strstr(words.buf, "irty page tracking")
			     ? " (--snapshot-type Full needs none)" : "");
	sf_str_release(&words);
	sf_http_release(r);
	return -EREMOTEIO;
}

/* "Running", "Paused", …: 0, or -errno. */
static int get_state(struct fc_driver *f, char *state, size_t size, struct sf_error *err)
{
	struct sf_http_reply r;
	int ret = call(f, "GET", "/", NULL, &r, err);
	json_t *o;

	if (ret)
		return ret;
	o = json_loadb(r.body, r.len, 0, NULL);
	snprintf(state, size, "%s", json_is_string(json_object_get(o, "state"))
					    ? json_string_value(json_object_get(o, "state")) : "");
	json_decref(f->instance);
	f->instance = o;
	sf_http_release(&r);
	return *state ? 0 : sf_error_set(err, -EPROTO, "%s: GET / does not tell the VM's state: this is "
					 "not Firecracker's API", f->sock);
}

static int fc_begin(struct sf_driver *d, struct sf_branch *b, struct sf_error *err)
{
	struct fc_driver *f = (struct fc_driver *)d;
	char state[32];
	int ret;

	if (sf_driver_stopped(d))
		return -EINTR;
	ret = get_state(f, state, sizeof(state), err);
	if (ret && sf_driver_target_gone(&f->base))
		return -ESRCH;
	if (!ret && strcmp(state, "Running")) /* and it would be wrong to resume it then */
		ret = sf_error_set(err, -EBUSY, "the VM is not running: it is %s", state);
	return ret;
}

/* 0 once the VM is known to run. */
static int resume(struct fc_driver *f, struct sf_branch *b, struct sf_error *err)
{
	struct sf_http_reply r;
	char state[32];
	int ret;

	for (int i = 0; i < RESUME_TRIES; i++) {
		if (i)
			usleep(RETRY_US);
		ret = call(f, "PATCH", "/vm", RESUME, &r, err);
		sf_branch_phase(b, "resume", r.begin, r.end);
		b->end = r.end;
		if (!ret)
			sf_http_release(&r);
		else if (ret == -EREMOTEIO && !get_state(f, state, sizeof(state), NULL) &&
			 !strcmp(state, "Running"))
			ret = 0;
		if (ret != -EREMOTEIO)
			break;
	}
	if (!ret)
		sf_janitor_paused(&f->janitor, false);
	return ret;
}

static int snapshot(struct fc_driver *f, struct sf_branch *b, struct sf_error *err)
{
	struct sf_http_reply r;
	int ret = call(f, "PATCH", "/vm", PAUSE, &r, err);

	b->begin = r.begin;
	b->end = r.end; /* also of a VM that is gone then */
	sf_branch_phase(b, "pause", r.begin, r.end);
	if (ret)
		return ret;
	sf_http_release(&r);
	ret = call(f, "PUT", "/snapshot/create", f->body, &r, err);
	sf_branch_phase(b, "create", r.begin, r.end);
	b->end = r.end;
	if (!ret)
		sf_http_release(&r);
	json_object_set_new(b->json, "diff_ms", json_real((double)(r.end - r.begin) / 1e6));
	return ret;
}

/* {"id": "anonymous-instance", "vmm_version": "1.12.0", …}: that id is everybody's. */
static void add_instance(const struct fc_driver *f, struct sf_branch *b)
{
	const json_t *id = json_object_get(f->instance, "id");
	json_t *version = json_object_get(f->instance, "vmm_version");

	if (json_is_string(version))
		sf_branch_set(b, "vmm_version", json_incref(version));
	if (json_is_string(id) && strcmp(json_string_value(id), "anonymous-instance"))
		sf_branch_set(b, "vm", json_string(json_string_value(id)));
}

/* What a fork service would reply. */
static void add_reply(struct fc_driver *f, struct sf_branch *b)
{
	struct stat st;

	if (!stat(f->memory, &st))
		json_object_set_new(b->json, "diff_physical_bytes",
				    json_integer((json_int_t)st.st_blocks * 512));
	json_object_set_new(b->json, "mem_file_path", sf_json_text(f->memory, strlen(f->memory)));
	json_object_set_new(b->json, "snapshot_path", sf_json_text(f->state, strlen(f->state)));
	sf_branch_set(b, "api_begin", json_integer((json_int_t)b->begin));
	sf_branch_set(b, "api_end", json_integer((json_int_t)b->end));
	add_instance(f, b);
}

static int fc_perform(struct sf_driver *d, struct sf_branch *b, struct sf_error *err)
{
	struct fc_driver *f = (struct fc_driver *)d;
	struct sf_error why = SF_ERROR_INIT;
	int ret, resumed;

	b->begin = b->end = sf_now();
	b->json = json_object();
	sf_janitor_paused(&f->janitor, true);
	ret = snapshot(f, b, &why);
	if (ret)
		sf_branch_fail(b, "%s", why.what);
	resumed = ret == -ESRCH ? ret : resume(f, b, &why);
	if (resumed && sf_driver_target_gone(&f->base)) { /* the capture sees it, too */
		sf_janitor_paused(&f->janitor, false);
		return 0;
	}
	if (resumed)
		sf_branch_fail(b, "the VM could not be resumed: %s; process %d goes on trying", why.what,
			       (int)f->janitor.pid);
	if (!ret && !resumed)
		add_reply(f, b);
	if (sf_driver_stopped(d))
		return -EINTR;
	return resumed ? sf_error_set(err, -EBUSY, "BRANCH %u: %s", b->number, b->error) : 0;
}

static void fc_free(struct sf_driver *d)
{
	struct fc_driver *f = (struct fc_driver *)d;

	if (!f)
		return;
	sf_janitor_release(&f->janitor);
	free(f->sock);
	free(f->body);
	free(f->memory);
	free(f->state);
	json_decref(f->instance);
	free(f);
}

static int name_files(struct fc_driver *f, const struct sf_vmm_opts *o, pid_t pid,
		      struct sf_error *err)
{
	char *dir = NULL, *mem = NULL, *state = NULL;
	json_t *body;
	int ret = 0;

	if (o->dir)
		dir = strdup(o->dir);
	else
		ret = sf_vmm_view_dir(f->sock, pid, &dir, err);
	if (ret)
		return ret;
	if (!dir || asprintf(&mem, "%s/snapflame.mem", dir) < 0 ||
	    asprintf(&state, "%s/snapflame.vmstate", dir) < 0) {
		ret = sf_error_set(err, -ENOMEM, "out of memory");
	} else {
		body = json_pack("{s:s, s:s, s:s}", "snapshot_type", o->full ? "Full" : "Diff",
				 "snapshot_path", state, "mem_file_path", mem);
		f->body = body ? json_dumps(body, JSON_COMPACT) : NULL;
		f->memory = sf_vmm_our_path(pid, mem);
		f->state = sf_vmm_our_path(pid, state);
		json_decref(body);
		if (!f->body || !f->memory || !f->state)
			ret = sf_error_set(err, -EINVAL, "%s cannot be the snapshot's directory", dir);
	}
	free(dir);
	free(mem);
	free(state);
	return ret;
}

/* Is it there, is it Firecracker's API, and whose? */
static int look(struct fc_driver *f, pid_t *pid, struct sf_error *err)
{
	int fd = sf_vmm_connect(f->sock, err), ret = 0;
	char state[32];

	if (fd < 0)
		return fd;
	if (!*pid)
		ret = sf_vmm_owner(f->sock, fd, pid, err);
	close(fd);
	return ret ? ret : get_state(f, state, sizeof(state), err);
}

int sf_driver_firecracker(struct sf_driver **out, const struct sf_vmm_opts *opts, pid_t *pid,
			  struct sf_error *err)
{
	struct fc_driver *f = calloc(1, sizeof(*f));
	int ret;

	*out = NULL;
	if (!f)
		return sf_error_set(err, -ENOMEM, "out of memory");
	f->base = (struct sf_driver){ "firecracker", -1, -1, -1, fc_begin, fc_perform, fc_free };
	f->janitor = (struct sf_janitor)SF_JANITOR_INIT;
	f->timeout = opts->timeout ? opts->timeout : SF_VMM_TIMEOUT;
	f->sock = strdup(opts->sock);
	ret = f->sock ? look(f, pid, err) : sf_error_set(err, -ENOMEM, "out of memory");
	if (!ret)
		ret = name_files(f, opts, *pid, err);
	if (!ret) {
		ret = sf_janitor_start(&f->janitor, f->sock, resume_steps);
		if (ret)
			sf_error_set(err, ret, "no child can be started: %s", strerror(-ret));
	}
	if (ret) {
		fc_free(&f->base);
		return ret;
	}
	*out = &f->base;
	return 0;
}
