/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "push.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <snapflame/array.h>
#include <snapflame/export.h>
#include <snapflame/push.h>
#include <snapflame/str.h>

#include "cmd.h"
#include "report.h"
#include "windows.h"

/* Where state that outlives a command belongs. */
static void default_spool(struct sf_str *out)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (state && *state == '/')
		sf_str_addf(out, "%s/snapflame/push", state);
	else if (!geteuid() || !home || *home != '/')
		sf_str_add(out, "/var/spool/snapflame");
	else
		sf_str_addf(out, "%s/.local/state/snapflame/push", home);
}

/* ----------------------------------------------------------------- headers */

static int add_line(struct sf_texts *list, const char *line, size_t len)
{
	char *copy = strndup(line, len);

	if (!copy || SF_GROW(list->item, list->nr + 2, list->alloc)) {
		free(copy);
		return sf_failf("out of memory");
	}
	list->item[list->nr++] = copy;
	list->item[list->nr] = NULL;
	return 0;
}

/* A secret in a file is not in the list of processes. */
static int add_file(struct sf_texts *list, const char *path)
{
	FILE *f = fopen(path, "re");
	char line[4096];
	int status = f ? 0 : sf_failf("%s: %s", path, strerror(errno));

	while (!status && fgets(line, sizeof(line), f)) {
		size_t len = strcspn(line, "\r\n");

		if (len)
			status = add_line(list, line, len);
	}
	if (f)
		fclose(f);
	return status;
}

static int headers_of(const struct sf_push_settings *o, struct sf_texts *list)
{
	int status = 0;

	for (size_t i = 0; !status && i < o->headers.nr; i++) {
		const char *h = o->headers.item[i];

		if (*h == '@')
			status = add_file(list, h + 1);
		else if (strchr(h, ':') && !strpbrk(h, "\r\n"))
			status = add_line(list, h, strlen(h));
		else
			status = sf_usage("--push-header needs 'Name: value' or @FILE, not '%s'", h);
	}
	return status;
}

static void headers_release(struct sf_texts *list)
{
	for (size_t i = 0; i < list->nr; i++)
		free((char *)(uintptr_t)list->item[i]);
	free(list->item);
}

/* ---------------------------------------------------------------- profiles */

static int pprof_of(const struct sf_recording *rec, const struct sf_picked *w, char **pprof, size_t *len)
{
	struct sf_export_window one = { w->window, w->group };
	struct sf_export x = { .rec = rec, .window = &one, .nr = 1 };
	FILE *f = open_memstream(pprof, len);
	struct sf_error err = SF_ERROR_INIT;
	int ret = f ? sf_export(SF_EXPORT_PPROF, &x, f, &err) : -ENOMEM;

	if (f && fclose(f) && !ret)
		ret = -ENOMEM;
	if (!ret)
		return 0;
	return f ? sf_fail(&err) : sf_failf("out of memory");
}

enum { OWN_LABELS = 3 };

/* Few values each: a server makes a series of each combination. What changes with every BRANCH is in
 * the samples' labels. */
static size_t labels_of(const struct sf_recording *rec, const struct sf_window *w,
			struct sf_push_label *list)
{
	const struct sf_meta *m = &rec->meta;
	const char *vm = *sf_text(rec, w->vm) ? sf_text(rec, w->vm) : sf_text(rec, m->vm);
	const struct sf_push_label own[OWN_LABELS] = {
		{ "host", sf_text(rec, m->host) },
		{ "vm", vm },
		{ "kernel", sf_text(rec, m->kernel) },
	};
	size_t nr = 0;

	for (size_t i = 0; i < OWN_LABELS; i++)
		if (*own[i].value)
			list[nr++] = own[i];
	for (size_t i = 0; i < m->nr_labels; i++)
		list[nr++] = (struct sf_push_label){ sf_text(rec, m->label[i].key),
						     sf_text(rec, m->label[i].value) };
	return nr;
}

static int push_window(struct sf_push *push, const struct sf_recording *rec,
		       const struct sf_picked *picked, struct sf_push_label *labels)
{
	const struct sf_window *w = picked->window;
	const char *app = sf_text(rec, rec->meta.comm);
	struct sf_push_profile p = {
		.app = *app ? app : "snapflame",
		.label = labels,
		.nr_labels = labels_of(rec, w, labels),
		.begin = rec->meta.realtime_ns + (w->lo - rec->meta.at),
		.end = rec->meta.realtime_ns + (w->hi - rec->meta.at),
	};
	struct sf_error err = SF_ERROR_INIT;
	char *pprof = NULL;
	int status = pprof_of(rec, picked, &pprof, &p.len);

	p.pprof = pprof;
	if (!status && sf_push_add(push, &p, &err))
		status = sf_fail(&err);
	free(pprof);
	return status;
}

static int push_recording(struct sf_push *push, const struct sf_recording *rec,
			  const struct sf_list *windows)
{
	struct sf_push_label *labels = calloc(rec->meta.nr_labels + OWN_LABELS, sizeof(*labels));
	struct sf_picked *picked = NULL;
	size_t nr = 0;
	int status = labels ? 0 : sf_failf("out of memory");

	if (!status && !rec->meta.realtime_ns)
		status = sf_failf("%s: it does not say when it was made, which a server needs to know "
				  "(snapflame record does)", rec->path);
	if (!status)
		status = sf_pick_windows(rec, windows, &picked, &nr);
	if (!status && !nr)
		status = sf_failf("%s: no window to push (snapflame show %s branches lists them)",
				  rec->path, rec->path);
	for (size_t i = 0; !status && i < nr; i++)
		status = push_window(push, rec, &picked[i], labels);
	free(picked);
	free(labels);
	return status;
}

static int push_files(struct sf_push *push, const struct sf_recording_opts *load,
		      const struct sf_list *windows, char **paths, int nr)
{
	int status = 0;

	for (int i = 0; !status && i < nr; i++) {
		struct sf_recording *rec = sf_load(paths[i], load);

		status = rec ? push_recording(push, rec, windows) : SF_EXIT_FAILED;
		sf_recording_free(rec);
	}
	return status;
}

static int send_all(struct sf_push *push, const char *spool)
{
	struct sf_error err = SF_ERROR_INIT;
	struct sf_push_stats st;
	int ret = sf_push_send(push, &st, &err);

	if (sf_ui.verbosity >= 0 && (st.sent || !ret))
		fprintf(stderr, "%zu profiles sent, in %zu tries\n", st.sent, st.tries);
	if (ret == -EAGAIN)
		return sf_failf("%s%s%zu profiles wait in %s: the next --push sends them, too",
				err.what, *err.what ? "; " : "", st.waiting, spool);
	return ret ? sf_fail(&err) : SF_EXIT_DONE;
}

int sf_push_recordings(const struct sf_push_settings *o, const struct sf_recording_opts *load,
		       const struct sf_list *windows, char **paths, int nr)
{
	struct sf_push_opts opts = { .url = o->url, .timeout = o->timeout, .retry = o->retry };
	struct sf_error err = SF_ERROR_INIT;
	struct sf_str spool = SF_STR_INIT;
	struct sf_texts headers = { 0 };
	struct sf_push *push = NULL;
	int status = headers_of(o, &headers), sent;

	if (o->spool)
		sf_str_add(&spool, o->spool);
	else
		default_spool(&spool);
	opts.spool = spool.buf;
	opts.header = headers.item;
	if (!status && sf_push_open(&push, &opts, &err))
		status = err.code == -EINVAL ? sf_usage("%s", err.what) : sf_fail(&err);
	if (!status) {
		/* What could be kept is sent although the next recording is bad. */
		status = push_files(push, load, windows, paths, nr);
		sent = send_all(push, spool.buf);
		status = status ? status : sent;
	}
	sf_push_free(push);
	headers_release(&headers);
	sf_str_release(&spool);
	return status;
}
