/* SPDX-License-Identifier: GPL-2.0-only */
/* snapflame:mark objects (marks.h) into the model. Unknown types and fields are passed over. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/loader.h"

static uint64_t get_u64(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	if (json_is_integer(v) && json_integer_value(v) > 0)
		return (uint64_t)json_integer_value(v);
	if (json_is_real(v) && json_real_value(v) > 0 && json_real_value(v) < 1.8e19)
		return (uint64_t)json_real_value(v);
	return 0;
}

static double get_num(const json_t *o, const char *key, double def)
{
	const json_t *v = json_object_get(o, key);

	return json_is_number(v) ? json_number_value(v) : def;
}

static const char *get_text(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return json_is_string(v) ? json_string_value(v) : "";
}

static uint32_t get_id(struct sf_recording *rec, const json_t *o, const char *key)
{
	return sf_strtab_id(&rec->str, get_text(o, key));
}

/* The window a mark is about, made at its first mark; NULL without memory. */
static struct sf_window *window_of(struct sf_recording *rec, const json_t *o)
{
	uint32_t branch = (uint32_t)get_u64(o, "branch");
	struct sf_window *w;

	for (size_t i = rec->nr_windows; i-- > 0;)
		if (rec->window[i].branch == branch)
			return &rec->window[i];
	if (SF_GROW(rec->window, rec->nr_windows + 1, rec->window_alloc))
		return NULL;
	w = &rec->window[rec->nr_windows++];
	*w = (struct sf_window){
		.branch = branch, .trial = 1, .root = SF_NO_THREAD,
		.pause_ms = -1, .diff_ms = -1, .diff_physical_bytes = -1,
	};
	return w;
}

static int read_devices(struct sf_recording *rec, json_t *o)
{
	const char *number;
	json_t *name;

	json_object_foreach(o, number, name) {
		unsigned major, minor;

		if (!json_is_string(name) || sscanf(number, "%u:%u", &major, &minor) != 2)
			continue;
		if (SF_GROW(rec->device, rec->nr_devices + 1, rec->device_alloc))
			return -ENOMEM;
		rec->device[rec->nr_devices++] = (struct sf_device){
			major << 20 | minor, sf_strtab_id(&rec->str, json_string_value(name)),
		};
	}
	return 0;
}

static int read_labels(struct sf_recording *rec, json_t *o)
{
	struct sf_meta *m = &rec->meta;
	const char *key;
	json_t *value;

	m->nr_labels = 0;
	json_object_foreach(o, key, value) {
		if (!json_is_string(value))
			continue;
		if (SF_GROW(m->label, m->nr_labels + 1, m->label_alloc))
			return -ENOMEM;
		m->label[m->nr_labels++] = (struct sf_label){
			sf_strtab_id(&rec->str, key),
			sf_strtab_id(&rec->str, json_string_value(value)),
		};
	}
	return 0;
}

static int mark_meta(struct sf_recording *rec, const json_t *o)
{
	struct sf_meta *m = &rec->meta;
	const json_t *missing = json_object_get(o, "missing"), *line;
	size_t i;

	m->pid = (uint32_t)get_u64(o, "pid");
	m->comm = get_id(rec, o, "comm");
	m->exe = get_id(rec, o, "exe");
	m->scope = get_id(rec, o, "scope");
	m->wakings = get_id(rec, o, "wakings");
	m->call_graph = get_id(rec, o, "call_graph");
	m->host = get_id(rec, o, "host");
	m->vm = get_id(rec, o, "vm");
	m->exe_build_id = get_id(rec, o, "exe_build_id");
	m->kernel = get_id(rec, o, "kernel");
	m->tool = get_id(rec, o, "tool");
	m->hz = get_num(o, "hz", 0);
	m->poll_hz = get_num(o, "poll_hz", 0);
	m->cpus = (uint32_t)get_u64(o, "cpus");
	m->recorder = (uint32_t)get_u64(o, "recorder_pid");
	m->realtime_ns = get_u64(o, "realtime_ns");
	m->at = get_u64(o, "t");
	json_array_foreach(missing, i, line)
		if (json_is_string(line) &&
		    sf_recording_note(rec, "not recorded: %s", json_string_value(line)))
			return -ENOMEM;
	return read_labels(rec, json_object_get(o, "labels")) ||
		       read_devices(rec, json_object_get(o, "devices"))
		       ? -ENOMEM : 0;
}

static int read_phases(struct sf_recording *rec, struct sf_window *w, const json_t *list)
{
	const json_t *p;
	size_t i;

	json_array_foreach(list, i, p) {
		if (SF_GROW(w->phase, w->nr_phases + 1, w->phase_alloc))
			return -ENOMEM;
		w->phase[w->nr_phases++] = (struct sf_phase){
			get_id(rec, p, "name"), get_u64(p, "begin"), get_u64(p, "end"),
		};
	}
	return 0;
}

/* Kinds that came later are as bad as a CPU that went. */
static int read_upsets(struct sf_recording *rec, struct sf_window *w, const json_t *list)
{
	const json_t *u;
	size_t i;

	json_array_foreach(list, i, u) {
		const char *kind = get_text(u, "kind"), *text = get_text(u, "text");

		if (SF_GROW(w->upset, w->nr_upsets + 1, w->upset_alloc))
			return -ENOMEM;
		w->upset[w->nr_upsets++] = (struct sf_upset){
			!strcmp(kind, "sleep")	 ? SF_UPSET_SLEEP
			: !strcmp(kind, "clock") ? SF_UPSET_CLOCK
						 : SF_UPSET_CPU,
			sf_arena_strndup(&rec->arena, text, strlen(text)),
		};
	}
	return 0;
}

static int mark_window(struct sf_recording *rec, const json_t *o)
{
	struct sf_window *w = window_of(rec, o);
	const json_t *own = json_object_get(o, "json");
	const char *error = get_text(o, "error");
	double bytes;

	if (!w)
		return -ENOMEM;
	if (get_u64(o, "trial"))
		w->trial = (uint32_t)get_u64(o, "trial");
	w->name = get_id(rec, o, "name");
	w->vm = get_id(rec, o, "vm");
	w->vmm_version = get_id(rec, o, "vmm_version");
	w->api_lo = get_u64(o, "api_begin") ? get_u64(o, "api_begin") : get_u64(o, "begin");
	w->api_hi = get_u64(o, "api_end") ? get_u64(o, "api_end") : get_u64(o, "end");
	w->dark_lo = get_u64(o, "dark_begin");
	w->dark_hi = get_u64(o, "dark_end");
	w->cmd_pid = (uint32_t)get_u64(o, "cmd_pid");
	w->status = (int)get_num(o, "status", 0);
	w->unannounced = !strcmp(get_text(o, "source"), "duration");
	if (*error)
		w->error = sf_arena_strndup(&rec->arena, error, strlen(error));
	w->pause_ms = get_num(own, "pause_ms", -1);
	w->diff_ms = get_num(own, "diff_ms", -1);
	bytes = get_num(own, "diff_physical_bytes", -1);
	/* Any number may stand there. */
	w->diff_physical_bytes = bytes >= 0 && bytes < 0x1p63 ? (int64_t)bytes : -1;
	return read_phases(rec, w, json_object_get(o, "phases")) ||
			       read_upsets(rec, w, json_object_get(o, "upsets"))
		       ? -ENOMEM : 0;
}

enum { MAX_SNAP_STACK = 128, SYSCALL_ARGS = 6 };

/* "202 0x7f… 0x189 …" of /proc/TID/syscall; "running"; "-1 SP PC". */
static void read_syscall(struct sf_snap_thread *t, const char *line)
{
	long nr;
	int used;

	t->syscall = *line ? -1 : -2;
	if (sscanf(line, "%ld%n", &nr, &used) != 1)
		return;
	t->syscall = (int32_t)nr;
	line += used;
	for (int k = 0; nr >= 0 && k < SYSCALL_ARGS; k++) {
		unsigned long long v;

		if (sscanf(line, " %llx%n", &v, &used) != 1)
			return;
		t->arg[k] = v;
		line += used;
	}
}

static int snap_thread(struct sf_recording *rec, struct sf_snapshot *s, const json_t *o)
{
	const json_t *stack = json_object_get(o, "stack"), *v;
	uint64_t ip[MAX_SNAP_STACK];
	struct sf_snap_thread t = {
		.tid = (uint32_t)get_u64(o, "tid"),
		.comm = get_id(rec, o, "comm"),
		.state = get_text(o, "state")[0],
		.run_ns = get_u64(o, "run_ns"),
		.delay_ns = get_u64(o, "delay_ns"),
		.slices = get_u64(o, "slices"),
		.throttled_ns = get_u64(o, "cgroup_throttled_ns"),
	};
	size_t i, n = 0;

	read_syscall(&t, get_text(o, "syscall"));
	json_array_foreach(stack, i, v) {
		/* Kernel addresses have the top bit set: JSON holds them as negative integers. */
		if (json_is_integer(v) && n < MAX_SNAP_STACK)
			ip[n++] = (uint64_t)json_integer_value(v);
		else if (json_is_string(v) && n < MAX_SNAP_STACK)
			ip[n++] = strtoull(json_string_value(v), NULL, 16);
	}
	if (n && sf_load_kernel_stack(rec, ip, n, &t.stack))
		return -ENOMEM;
	if (SF_GROW(s->thread, s->nr + 1, s->alloc))
		return -ENOMEM;
	s->thread[s->nr++] = t;
	return 0;
}

static enum sf_window_edge edge_of(const json_t *o)
{
	return strcmp(get_text(o, "edge"), "end") ? SF_EDGE_BEGIN : SF_EDGE_END;
}

static int mark_threads(struct sf_recording *rec, const json_t *o)
{
	struct sf_window *w = window_of(rec, o);
	struct sf_snapshot *s;
	const json_t *t;
	size_t i;

	if (!w)
		return -ENOMEM;
	s = &w->snap[edge_of(o)];
	s->t0 = get_u64(o, "t0");
	s->t1 = get_u64(o, "t1");
	s->cpu_ns = get_u64(o, "cpu_ns");
	json_array_foreach(json_object_get(o, "threads"), i, t)
		if (snap_thread(rec, s, t))
			return -ENOMEM;
	return 0;
}

static struct sf_covariate *covariate(struct sf_recording *rec, struct sf_window *w,
				      const char *name)
{
	uint32_t id = sf_strtab_id(&rec->str, name);

	for (size_t i = 0; i < w->nr_covariates; i++)
		if (w->covariate[i].name == id)
			return &w->covariate[i];
	if (SF_GROW(w->covariate, w->nr_covariates + 1, w->covariate_alloc))
		return NULL;
	w->covariate[w->nr_covariates] = (struct sf_covariate){ .name = id };
	return &w->covariate[w->nr_covariates++];
}

static int read_files(struct sf_recording *rec, struct sf_window *w, const json_t *list)
{
	const json_t *f;
	size_t i;

	w->nr_files = 0;
	json_array_foreach(list, i, f) {
		if (SF_GROW(w->file, w->nr_files + 1, w->file_alloc))
			return -ENOMEM;
		w->file[w->nr_files++] = (struct sf_written_file){
			get_id(rec, f, "path"), get_id(rec, f, "fs"), get_id(rec, f, "disk"),
			get_id(rec, f, "disk_model"), json_is_true(json_object_get(f, "named")),
			get_num(f, "bytes", -1),
			get_num(f, "allocated_bytes", -1), get_num(f, "extents", -1),
		};
	}
	return 0;
}

static int mark_covariates(struct sf_recording *rec, const json_t *o)
{
	struct sf_window *w = window_of(rec, o);
	bool end = edge_of(o) == SF_EDGE_END;
	const char *name;
	json_t *v;

	if (!w)
		return -ENOMEM;
	json_object_foreach(json_object_get(o, "values"), name, v) {
		struct sf_covariate *c = json_is_number(v) ? covariate(rec, w, name) : NULL;

		if (!json_is_number(v))
			continue;
		if (!c)
			return -ENOMEM;
		*(end ? &c->end : &c->begin) = json_number_value(v);
		*(end ? &c->has_end : &c->has_begin) = true;
	}
	return read_files(rec, w, json_object_get(o, "files"));
}

static int mark_writers(struct sf_recording *rec, const json_t *o)
{
	struct sf_window *w = window_of(rec, o);
	const json_t *p;
	size_t i;

	if (!w)
		return -ENOMEM;
	json_array_foreach(json_object_get(o, "processes"), i, p) {
		if (SF_GROW(w->writer, w->nr_writers + 1, w->writer_alloc))
			return -ENOMEM;
		w->writer[w->nr_writers++] = (struct sf_writer_process){
			(uint32_t)get_u64(p, "pid"), get_id(rec, p, "comm"),
			get_u64(p, "write_bytes"), get_u64(p, "cancelled_bytes"),
		};
	}
	return 0;
}

static int mark_end(struct sf_recording *rec, const json_t *o)
{
	const char *reason = get_text(o, "reason");

	if (!strcmp(reason, "killed") &&
	    sf_recording_note(rec, "the recorder was killed: the recording ends there"))
		return -ENOMEM;
	rec->meta.finished = true;
	rec->meta.end_reason = sf_arena_strndup(&rec->arena, reason, strlen(reason));
	rec->meta.recorder_cpu_ns = get_u64(o, "recorder_cpu_ns") + get_u64(o, "poll_cpu_ns");
	return rec->meta.end_reason ? 0 : -ENOMEM;
}

static const struct {
	const char *type;
	int (*read)(struct sf_recording *rec, const json_t *o);
} marks[] = {
	{ "meta", mark_meta },         { "window", mark_window },
	{ "threads", mark_threads },   { "covariates", mark_covariates },
	{ "writers", mark_writers },   { "end", mark_end },
};

static int import_symbols(struct sf_recording *rec, const struct sf_record *r, const char *text,
			  size_t len)
{
	int ret = sf_symbols_import(rec->symbols, text, len);

	if (ret != -EINVAL)
		return ret;
	return sf_recording_note(rec, "the names at offset %llu cannot be read: skipped",
				 (unsigned long long)r->offset);
}

int sf_load_mark(struct sf_loader *ld, const struct sf_record *r)
{
	struct sf_recording *rec = ld->rec;
	const char *text = (const char *)r->u.sample.raw;
	size_t len = text ? strnlen(text, r->u.sample.raw_size) : 0;
	json_error_t why;
	json_t *o = len ? json_loadb(text, len, JSON_ALLOW_NUL, &why) : NULL;
	const char *type;
	int ret = 0;

	/* jansson does not say so, but says nothing else either. */
	if (len && !o && !why.text[0])
		return -ENOMEM;
	if (!json_is_object(o)) {
		json_decref(o);
		return sf_recording_note(rec, "a mark at offset %llu is no JSON object: skipped",
					 (unsigned long long)r->offset);
	}
	type = get_text(o, "type");
	if (!strcmp(type, "symbols"))
		ret = import_symbols(rec, r, text, len);
	for (size_t i = 0; i < SF_ARRAY_SIZE(marks); i++)
		if (!strcmp(type, marks[i].type))
			ret = marks[i].read(rec, o);
	json_decref(o);
	return ret;
}
