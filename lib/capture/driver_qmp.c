/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A BRANCH by QMP: stop, migrate into a file, cont. The file is opened here, and the only descriptor
 * of it is handed to QEMU: it is QEMU that closes it, and pays for that.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <snapflame/str.h>

#include "driver.h"
#include "janitor.h"
#include "mark_list.h"
#include "proc.h"
#include "qmp.h"
#include "vmm_socket.h"

#define NAME   "snapflame" /* of the descriptor in QEMU */
#define SECOND UINT64_C(1000000000)

enum {
	CONT_TRIES = 50,
	RETRY_US = 50 * 1000,
};
#define POLL_MIN (1 * UINT64_C(1000000))
#define POLL_MAX (20 * UINT64_C(1000000))
#define GRACE    (3 * SECOND) /* for what is under way when the user wants to end */

static const struct sf_janitor_step resume_steps[] = {
	{ "", "\"QMP\"", NULL },
	{ "{\"execute\": \"qmp_capabilities\"}\n", "\"return\"", "\"error\"" },
	{ "{\"execute\": \"migrate_cancel\"}\n", "\"return\"", "\"error\"" },
	{ "{\"execute\": \"cont\"}\n", "\"return\"", "\"error\"" },
	{ "{\"execute\": \"query-status\"}\n", "\"running\": true", "\"running\": false" },
	{ NULL, NULL, NULL },
};

struct qmp_driver {
	struct sf_driver base;
	struct sf_qmp qmp;
	struct sf_janitor janitor;
	char *sock, *file;
	uint64_t timeout;
};

static struct sf_api_wait wait_of(const struct qmp_driver *q)
{
	return (struct sf_api_wait){ q->timeout, GRACE, q->base.stop_fd, q->base.target_fd };
}

static int call(struct qmp_driver *q, const char *command, json_t *arguments, int pass, json_t **ret,
		struct sf_error *err)
{
	struct sf_api_wait wait = wait_of(q);

	return sf_qmp_call(&q->qmp, command, arguments, pass, &wait, ret, err);
}

/* "status" of what a query returns. */
static int query(struct qmp_driver *q, const char *command, char *status, size_t size, json_t **all,
		 struct sf_error *err)
{
	json_t *o;
	const char *text;
	int ret = call(q, command, NULL, -1, &o, err);

	if (ret)
		return ret;
	text = json_string_value(json_object_get(o, "status"));
	snprintf(status, size, "%s", text ? text : "none");
	if (all)
		*all = json_incref(o);
	json_decref(o);
	return 0;
}

static int qmp_begin(struct sf_driver *d, struct sf_branch *b, struct sf_error *err)
{
	struct qmp_driver *q = (struct qmp_driver *)d;
	char status[32];
	int ret;

	if (sf_driver_stopped(d))
		return -EINTR;
	ret = query(q, "query-status", status, sizeof(status), NULL, err);
	if (ret && sf_driver_target_gone(&q->base))
		return -ESRCH;
	if (!ret && strcmp(status, "running")) /* and it would be wrong to let it run then */
		ret = sf_error_set(err, -EBUSY, "the VM is not running: it is %s", status);
	return ret;
}

/*
 * The memory of the VM goes to it, and the directory may be writable to others: nothing of theirs is
 * truncated, by no link of either kind.
 */
static int open_file(const char *path, struct sf_error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW | O_NONBLOCK, 0600);
	struct stat st;

	if (fd < 0 && errno == ELOOP)
		return sf_error_set(err, -ELOOP, "%s is a symbolic link, and is not followed", path);
	if (fd < 0)
		return sf_error_set(err, -errno, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_nlink != 1) {
		close(fd);
		return sf_error_set(err, -EEXIST, "%s is there and is no file of its own: not "
				    "overwritten", path);
	}
	/* An empty file is left alone: ext4 writes out at close() whatever was truncated. */
	if ((st.st_size || st.st_blocks) && ftruncate(fd, 0)) {
		sf_error_set(err, -errno, "%s: %s", path, strerror(errno));
		close(fd);
		return -EIO;
	}
	return fd;
}

/* Before the VM is stopped: truncating the last BRANCH's file may take long. */
static int hand_over_file(struct qmp_driver *q, struct sf_error *err)
{
	int fd = open_file(q->file, err), ret;

	if (fd < 0)
		return fd;
	ret = call(q, "getfd", json_pack("{s:s}", "fdname", NAME), fd, NULL, err);
	close(fd);
	return ret;
}

/* Often at first; later more seldom, as every question costs QEMU's main thread. */
static uint64_t poll_gap(uint64_t since)
{
	uint64_t gap = (sf_now() - since) / 16;

	return gap < POLL_MIN ? POLL_MIN : gap > POLL_MAX ? POLL_MAX : gap;
}

static void rest(const struct qmp_driver *q, uint64_t ns)
{
	struct pollfd p = { q->base.target_fd, POLLIN, 0 };
	const struct timespec t = { 0, (long)ns };

	ppoll(&p, 1, &t, NULL);
}

static int migration_failed(const json_t *info, const char *status, struct sf_error *err)
{
	const json_t *desc = json_object_get(info, "error-desc");
	struct sf_str words = SF_STR_INIT;

	sf_str_add_printable(&words, json_is_string(desc) ? json_string_value(desc) : status,
			     json_is_string(desc) ? json_string_length(desc) : strlen(status));
	sf_error_set(err, -EREMOTEIO, "migrate: %.400s%s", words.buf,
		     json_is_string(desc) ? "" : "; QEMU's standard error may say why");
	sf_str_release(&words);
	return -EREMOTEIO;
}

/* Until the migration is over, as *info says. */
static int wait_migration(struct qmp_driver *q, json_t **info, struct sf_error *err)
{
	struct sf_api_wait wait = wait_of(q);
	uint64_t begin = sf_now();
	struct sf_api_clock clock;
	char status[32];
	int ret;

	*info = NULL;
	sf_api_clock_start(&clock, &wait);
	for (;;) {
		json_decref(*info);
		*info = NULL;
		ret = query(q, "query-migrate", status, sizeof(status), info, err);
		if (ret || !strcmp(status, "completed"))
			return ret;
		if (!strcmp(status, "failed") || !strcmp(status, "cancelled"))
			return migration_failed(*info, status, err);
		ret = sf_api_clock_look(&clock, sf_driver_stopped(&q->base), false);
		if (ret)
			return sf_api_fail(ret, &wait, "migrate", err);
		rest(q, poll_gap(begin));
	}
}

static void add_statistics(struct sf_branch *b, const json_t *info)
{
	json_t *ms = json_object_get(info, "total-time");
	json_t *bytes = json_object_get(json_object_get(info, "ram"), "transferred");

	if (ms)
		json_object_set(b->json, "qemu_total_ms", ms);
	if (bytes)
		json_object_set(b->json, "qemu_transferred_bytes", bytes);
}

static int snapshot(struct qmp_driver *q, struct sf_branch *b, struct sf_error *err)
{
	uint64_t t = sf_now();
	json_t *info = NULL;
	int ret = call(q, "stop", NULL, -1, NULL, err);

	b->end = sf_now();
	sf_branch_phase(b, "stop", t, b->end);
	if (ret)
		return ret;
	t = b->end;
	ret = call(q, "migrate", json_pack("{s:s}", "uri", "fd:" NAME), -1, NULL, err);
	if (!ret)
		ret = wait_migration(q, &info, err);
	if (!ret)
		add_statistics(b, info);
	json_decref(info);
	b->end = sf_now();
	sf_branch_phase(b, "migrate", t, b->end);
	json_object_set_new(b->json, "diff_ms", json_real((double)(b->end - t) / 1e6));
	return ret;
}

/* What was given up has to come to its end before the VM may run. */
static void cancel(struct qmp_driver *q)
{
	uint64_t begin = sf_now();
	char status[32];

	call(q, "migrate_cancel", NULL, -1, NULL, NULL);
	while (sf_now() - begin < GRACE &&
	       !query(q, "query-migrate", status, sizeof(status), NULL, NULL) &&
	       (!strcmp(status, "cancelling") || !strcmp(status, "active") ||
		!strcmp(status, "setup") || !strcmp(status, "device")))
		rest(q, POLL_MAX);
}

/* 0 once QEMU has let the VM go. Right after a migration it refuses for a moment. */
static int resume(struct qmp_driver *q, struct sf_branch *b, struct sf_error *err)
{
	uint64_t begin = sf_now();
	int ret = 0;

	for (int i = 0; i < CONT_TRIES; i++) {
		if (i)
			rest(q, RETRY_US * UINT64_C(1000));
		ret = call(q, "cont", NULL, -1, NULL, err);
		if (ret != -EREMOTEIO)
			break;
	}
	b->end = sf_now();
	sf_branch_phase(b, "cont", begin, b->end);
	if (!ret)
		sf_janitor_paused(&q->janitor, false);
	return ret;
}

static void add_times(struct qmp_driver *q, struct sf_branch *b)
{
	struct stat st;

	sf_branch_set(b, "api_begin", json_integer((json_int_t)b->begin));
	if (*q->qmp.version)
		sf_branch_set(b, "vmm_version", sf_json_text(q->qmp.version, strlen(q->qmp.version)));
	sf_branch_set(b, "api_end", json_integer((json_int_t)b->end));
	if (q->qmp.stop >= b->begin && q->qmp.resume > q->qmp.stop) {
		sf_branch_set(b, "dark_begin", json_integer((json_int_t)q->qmp.stop));
		sf_branch_set(b, "dark_end", json_integer((json_int_t)q->qmp.resume));
	}
	if (!stat(q->file, &st))
		json_object_set_new(b->json, "diff_physical_bytes",
				    json_integer((json_int_t)st.st_blocks * 512));
	json_object_set_new(b->json, "mem_file_path", sf_json_text(q->file, strlen(q->file)));
}

/* Stop, snapshot, and let it run again in any case. */
static int stop_and_go(struct qmp_driver *q, struct sf_branch *b, struct sf_error *err)
{
	struct sf_error why = SF_ERROR_INIT;
	int ret, resumed;

	b->begin = b->end = sf_now();
	sf_qmp_begin(&q->qmp);
	sf_janitor_paused(&q->janitor, true);
	ret = snapshot(q, b, &why);
	if (ret) {
		sf_branch_fail(b, "%s", why.what);
		if (ret != -ECONNRESET && ret != -ESRCH)
			cancel(q);
	}
	resumed = resume(q, b, &why);
	if (resumed && sf_driver_target_gone(&q->base)) { /* the capture sees it, too */
		sf_janitor_paused(&q->janitor, false);
		return 0;
	}
	if (resumed) {
		/* It serves one client at a time. */
		sf_qmp_close(&q->qmp);
		sf_branch_fail(b, "the VM could not be resumed: %s; process %d goes on trying", why.what,
			       (int)q->janitor.pid);
		return sf_error_set(err, -EBUSY, "BRANCH %u: %s", b->number, b->error);
	}
	if (!ret)
		add_times(q, b);
	return 0;
}

static int qmp_perform(struct sf_driver *d, struct sf_branch *b, struct sf_error *err)
{
	struct qmp_driver *q = (struct qmp_driver *)d;
	struct sf_error why = SF_ERROR_INIT;
	int ret;

	b->begin = b->end = sf_now();
	b->json = json_object();
	ret = hand_over_file(q, &why);
	if (ret) {
		b->end = sf_now();
		sf_branch_fail(b, "%s", why.what);
		ret = 0;
	} else {
		ret = stop_and_go(q, b, err);
	}
	return ret ? ret : sf_driver_stopped(d) ? -EINTR : 0;
}

static void qmp_free(struct sf_driver *d)
{
	struct qmp_driver *q = (struct qmp_driver *)d;

	if (!q)
		return;
	sf_qmp_close(&q->qmp);
	sf_janitor_release(&q->janitor);
	free(q->sock);
	free(q->file);
	free(q);
}

/* The file is ours to open, so the directory is as we see it. */
static int name_file(struct qmp_driver *q, const struct sf_vmm_opts *o, struct sf_error *err)
{
	const char *slash = strrchr(o->sock, '/');
	int len = slash ? (int)(slash - o->sock) : 1;
	char *dir = o->dir ? strdup(o->dir) : NULL, *full;

	if (!o->dir && asprintf(&dir, "%.*s", slash && !len ? 1 : len, slash ? o->sock : ".") < 0)
		dir = NULL;
	full = dir ? realpath(dir, NULL) : NULL;
	if (!full) {
		sf_error_set(err, -errno, "%s: %s", dir ? dir : o->sock, strerror(errno));
		free(dir);
		return -ENOENT;
	}
	free(dir);
	if (asprintf(&q->file, "%s/snapflame.mem", full) < 0)
		q->file = NULL;
	free(full);
	return q->file ? 0 : sf_error_set(err, -ENOMEM, "out of memory");
}

static int connect_to(struct qmp_driver *q, pid_t *pid, struct sf_error *err)
{
	struct sf_api_wait wait = wait_of(q);
	struct sf_error why = SF_ERROR_INIT;
	int fd, ret;

	fd = sf_vmm_connect(q->sock, err);
	if (fd < 0)
		return fd;
	ret = *pid ? 0 : sf_vmm_owner(q->sock, fd, pid, err);
	if (ret) {
		close(fd);
		return ret;
	}
	ret = sf_qmp_open(&q->qmp, fd, &wait, &why);
	return ret ? sf_error_set(err, ret, "%s: %s", q->sock, why.what) : 0;
}

int sf_driver_qmp(struct sf_driver **out, const struct sf_vmm_opts *opts, pid_t *pid,
		  struct sf_error *err)
{
	struct qmp_driver *q = calloc(1, sizeof(*q));
	int ret;

	*out = NULL;
	if (!q)
		return sf_error_set(err, -ENOMEM, "out of memory");
	q->base = (struct sf_driver){ "qmp", -1, -1, -1, qmp_begin, qmp_perform, qmp_free };
	q->qmp.fd = -1;
	q->janitor = (struct sf_janitor)SF_JANITOR_INIT;
	q->timeout = opts->timeout ? opts->timeout : SF_VMM_TIMEOUT;
	q->sock = strdup(opts->sock);
	ret = q->sock ? name_file(q, opts, err) : sf_error_set(err, -ENOMEM, "out of memory");
	if (!ret)
		ret = connect_to(q, pid, err);
	if (!ret) {
		ret = sf_janitor_start(&q->janitor, q->sock, resume_steps);
		if (ret)
			sf_error_set(err, ret, "no child can be started: %s", strerror(-ret));
	}
	if (ret) {
		qmp_free(&q->base);
		return ret;
	}
	*out = &q->base;
	return 0;
}
