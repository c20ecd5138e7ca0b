/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Perfetto and chrome://tracing: the "Trace Event Format" in JSON. A process and its threads are
 * tracks; states are complete events (ph X) with the stack as an argument; a waking is a flow from
 * the waker's slice (s) to the woken one's (f, bp e: the slice around it). What is about windows and
 * not about threads is a process of its own, pid 0 in the file. ts and dur are µs.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include <snapflame/str.h>

#include "render/export_impl.h"
#include "render/export_json.h"

enum { SNAPFLAME_PID = 0, TRACK_PATH = 1, TRACK_WINDOWS, TRACK_PHASES, TRACK_MARKS };

static const char *const track_names[] = {
	[TRACK_PATH] = "critical path",
	[TRACK_WINDOWS] = "BRANCHes",
	[TRACK_PHASES] = "phases",
	[TRACK_MARKS] = "marks",
};

struct perfetto {
	struct sf_exporter *e;
	FILE *file;
	uint8_t *shown; /* by thread: it has a track */
	uint64_t flows;
	bool any;
};

static void begin(struct perfetto *p, char ph, uint32_t pid, uint32_t tid, const char *name)
{
	fprintf(p->file, "%s{\"ph\":\"%c\",\"pid\":%u,\"tid\":%u,\"name\":", p->any ? ",\n" : "\n", ph,
		pid, tid);
	p->any = true;
	sf_put_string(p->file, name);
}

static void put_instant_time(struct perfetto *p, uint64_t time)
{
	fputs(",\"ts\":", p->file);
	sf_put_us(p->file, time);
}

static void put_time(struct perfetto *p, uint64_t lo, uint64_t hi)
{
	put_instant_time(p, lo);
	fputs(",\"dur\":", p->file);
	sf_put_us(p->file, hi > lo ? hi - lo : 0);
}

static void put_meta(struct perfetto *p, const char *what, uint32_t pid, uint32_t tid,
		     const char *name)
{
	begin(p, 'M', pid, tid, what);
	fputs(",\"args\":{\"name\":", p->file);
	sf_put_string(p->file, name);
	fputs("}}", p->file);
}

static uint32_t pid_of(const struct sf_thread *t)
{
	return t->pid == UINT32_MAX ? t->tid : t->pid;
}

/* ------------------------------------------------------------------------ slices */

/* "leaf < … < root" */
static int put_stack(struct perfetto *p, const struct sf_piece *s)
{
	const uint32_t *id;
	size_t nr;
	struct sf_str text = SF_STR_INIT;

	if (sf_export_stack(&p->e->frames, s, &id, &nr))
		return -ENOMEM;
	for (size_t i = nr; i-- > 0;)
		sf_str_addf(&text, "%s%s", text.len ? " < " : "",
			    sf_export_frame_name(&p->e->frames, id[i]));
	sf_put_string(p->file, text.buf);
	nr = sf_str_failed(&text);
	sf_str_release(&text);
	return nr ? -ENOMEM : 0;
}

static int put_args(struct perfetto *p, const struct sf_piece *s)
{
	char state[32];
	int ret;

	fputs(",\"args\":{\"state\":", p->file);
	sf_put_string(p->file, sf_piece_state(s, state, sizeof(state)));
	fprintf(p->file, ",\"kind\":\"%s\",\"stack\":", sf_kind_name(s->kind));
	ret = put_stack(p, s);
	fputs("}}", p->file);
	return ret;
}

static int put_slices(struct perfetto *p, uint32_t thread)
{
	const struct sf_thread *t = &p->e->rec->thread[thread];
	char state[32];
	int ret = 0;

	for (size_t i = 0; !ret && i < p->e->pieces.nr; i++) {
		const struct sf_piece *s = &p->e->pieces.item[i];

		if (s->state == SF_STATE_ABSENT || s->lo == s->hi)
			continue;
		begin(p, 'X', pid_of(t), t->tid, sf_piece_state(s, state, sizeof(state)));
		put_time(p, s->lo, s->hi);
		fputs(",\"cat\":\"state\"", p->file);
		ret = put_args(p, s);
	}
	return ret;
}

static int put_path(struct perfetto *p)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < p->e->pieces.nr; i++) {
		const struct sf_piece *s = &p->e->pieces.item[i];

		if (s->lo == s->hi)
			continue;
		begin(p, 'X', SNAPFLAME_PID, TRACK_PATH, sf_export_owner(p->e, s));
		put_time(p, s->lo, s->hi);
		fputs(",\"cat\":\"critical\"", p->file);
		ret = put_args(p, s);
	}
	return ret;
}

/* ------------------------------------------------------------------------- flows */

static void put_flow(struct perfetto *p, char ph, uint32_t thread, uint64_t time)
{
	const struct sf_thread *t = &p->e->rec->thread[thread];

	begin(p, ph, pid_of(t), t->tid, "wake");
	put_instant_time(p, time);
	fprintf(p->file, ",\"cat\":\"wake\",\"id\":%" PRIu64 "%s}", p->flows,
		ph == 'f' ? ",\"bp\":\"e\"" : "");
}

/* Who has exited may still wake its parent: there is no slice then that a flow could come from. */
static bool has_slice(const struct perfetto *p, uint32_t thread, uint64_t time)
{
	const struct sf_thread *t = &p->e->rec->thread[thread];

	return p->shown[thread] && time >= t->start && time < t->exit;
}

/* Only by threads in their own context: who was interrupted has woken nobody. */
static void put_wakings(struct perfetto *p, const struct sf_window *w, uint32_t thread)
{
	const struct sf_thread *t = &p->e->rec->thread[thread];

	for (size_t i = 0; i < t->nr_sched; i++) {
		const struct sf_sched *s = &t->sched[i];

		if (s->kind != SF_SCHED_WAKE || !sf_wake_is_task(s->state) || s->time < w->lo ||
		    s->time >= w->hi || s->other == SF_NO_THREAD ||
		    !has_slice(p, s->other, s->time) || !has_slice(p, thread, s->time))
			continue;
		p->flows++;
		put_flow(p, 's', s->other, s->time);
		put_flow(p, 'f', thread, s->time);
	}
}

/* ----------------------------------------------------------------------- windows */

static void put_number_arg(struct perfetto *p, const char *name, double v, bool *first)
{
	if (!(v >= 0))
		return;
	fprintf(p->file, "%s\"%s\":", *first ? "" : ",", name);
	sf_put_number(p->file, v);
	*first = false;
}

static void put_instant(struct perfetto *p, const char *name, uint64_t time)
{
	if (!time)
		return;
	begin(p, 'i', SNAPFLAME_PID, TRACK_MARKS, name);
	put_instant_time(p, time);
	fputs(",\"s\":\"g\",\"cat\":\"mark\"}", p->file);
}

static void put_branch(struct perfetto *p, const struct sf_export_window *x)
{
	const struct sf_window *w = x->window;
	bool first = true;
	char name[64];

	begin(p, 'X', SNAPFLAME_PID, TRACK_WINDOWS,
	      sf_export_window_name(p->e, x, name, sizeof(name)));
	put_time(p, w->lo, w->hi);
	fputs(",\"cat\":\"window\",\"args\":{", p->file);
	put_number_arg(p, "said_pause_ms", w->pause_ms, &first);
	put_number_arg(p, "diff_ms", w->diff_ms, &first);
	put_number_arg(p, "diff_physical_bytes", (double)w->diff_physical_bytes, &first);
	fputs("}}", p->file);
	put_instant(p, "request", w->api_lo);
	put_instant(p, "reply", w->api_hi);
	put_instant(p, "guest stops", w->dark_lo);
	put_instant(p, "guest runs", w->dark_hi);
	for (size_t i = 0; i < w->nr_phases; i++) {
		begin(p, 'X', SNAPFLAME_PID, TRACK_PHASES, sf_text(p->e->rec, w->phase[i].name));
		put_time(p, w->phase[i].begin, w->phase[i].end);
		fputs(",\"cat\":\"phase\"}", p->file);
	}
}

/* Who has a track: the target, and whoever owns a part of a critical path. */
static int find_shown(struct perfetto *p)
{
	int ret = 0;

	for (uint32_t i = 0; i < p->e->rec->nr_threads; i++)
		p->shown[i] = sf_pieces_wants(p->e->rec, i);
	for (size_t w = 0; !ret && w < p->e->x->nr; w++) {
		ret = sf_pieces_of_path(&p->e->pieces, &p->e->src, p->e->x->window[w].window);
		for (size_t i = 0; i < p->e->pieces.nr; i++)
			p->shown[p->e->pieces.item[i].thread] = 1;
	}
	return ret;
}

static void put_names(struct perfetto *p)
{
	const struct sf_recording *rec = p->e->rec;

	put_meta(p, "process_name", SNAPFLAME_PID, 0, "snapflame");
	for (uint32_t i = TRACK_PATH; i <= TRACK_MARKS; i++)
		put_meta(p, "thread_name", SNAPFLAME_PID, i, track_names[i]);
	for (uint32_t i = 0; i < rec->nr_threads; i++) {
		const struct sf_thread *t = &rec->thread[i];

		if (!p->shown[i])
			continue;
		put_meta(p, "thread_name", pid_of(t), t->tid, sf_text(rec, t->comm));
		if (pid_of(t) == t->tid)
			put_meta(p, "process_name", t->tid, t->tid, sf_text(rec, t->comm));
	}
}

static int put_window(struct perfetto *p, const struct sf_export_window *x)
{
	struct sf_exporter *e = p->e;
	int ret = sf_pieces_of_path(&e->pieces, &e->src, x->window);

	put_branch(p, x);
	if (!ret)
		ret = put_path(p);
	for (uint32_t i = 0; !ret && i < e->rec->nr_threads; i++) {
		if (!p->shown[i])
			continue;
		ret = sf_pieces_of_thread(&e->pieces, &e->src, x->window, i);
		if (!ret)
			ret = put_slices(p, i);
		put_wakings(p, x->window, i);
	}
	return ret;
}

int sf_export_perfetto(struct sf_exporter *e)
{
	struct perfetto p = { .e = e, .file = e->file };
	int ret;

	p.shown = calloc(e->rec->nr_threads + 1, sizeof(*p.shown));
	ret = p.shown ? find_shown(&p) : -ENOMEM;
	fputs("{\"displayTimeUnit\":\"ms\",\"otherData\":{\"exporter\":\"snapflame " SNAPFLAME_VERSION
	      "\"},\"traceEvents\":[", p.file);
	if (!ret)
		put_names(&p);
	for (size_t i = 0; !ret && i < e->x->nr; i++)
		ret = put_window(&p, &e->x->window[i]);
	fputs("]}\n", p.file);
	free(p.shown);
	return ret;
}
