/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Firefox Profiler: its "processed profile format", version 57 (docs-developer/ and
 * CHANGELOG-formats.md in github.com/firefox-devtools/profiler), which later ones upgrade from. A
 * sample is a stretch of time with its length in ms as the weight; the states are markers, too, so
 * that the marker chart is a timeline. The first thread is the critical path, with the windows and
 * their phases as markers. Times are ms since the first window began.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "render/export_firefox.h"
#include "render/export_json.h"

enum { MARKER_INTERVAL = 1, FORMAT_VERSION = 57, GECKO_VERSION = 31 };

struct firefox {
	struct sf_exporter *e;
	FILE *file;
	uint64_t lo, hi; /* of all windows */
	uint32_t state_name[SF_NR_STATES], branch_name, phase_name; /* string ids */
	bool any;        /* thread */
};

static const char *const category[FX_NR][2] = {
	[FX_OTHER] = { "Other", "grey" },     [FX_USER] = { "User", "yellow" },
	[FX_KERNEL] = { "Kernel", "orange" }, [FX_RUNNABLE] = { "Runnable", "red" },
	[FX_BLOCKED] = { "Blocked", "blue" }, [FX_PATH] = { "Critical path", "purple" },
};

/* Names of markers are strings of the profile. */
static uint32_t string_id(struct firefox *x, const char *text)
{
	return sf_strtab_id(&x->e->frames.str, *text ? text : "?");
}

static int make_names(struct firefox *x)
{
	bool ok = true;

	for (int i = 0; i < SF_NR_STATES; i++) {
		x->state_name[i] = string_id(x, sf_state_name(i));
		ok &= x->state_name[i] != 0;
	}
	x->branch_name = string_id(x, "BRANCH");
	x->phase_name = string_id(x, "phase");
	return ok && x->branch_name && x->phase_name ? 0 : -ENOMEM;
}

/* -------------------------------------------------------------------------- meta */

static void put_schema(FILE *f, const char *name, const char *label, const char *fields)
{
	fprintf(f, "{\"name\":\"%s\",\"display\":[\"marker-chart\",\"marker-table\","
		   "\"timeline-overview\"],\"chartLabel\":\"%s\",\"tooltipLabel\":\"%s\","
		   "\"tableLabel\":\"%s\",\"fields\":[%s]}", name, label, label, label, fields);
}

static void put_meta(const struct firefox *x)
{
	const struct sf_recording *rec = x->e->rec;
	FILE *f = x->file;

	fprintf(f, "\"meta\":{\"version\":%d,\"preprocessedProfileVersion\":%d,\"processType\":0,"
		   "\"stackwalk\":1,\"debug\":false,\"interval\":1,\"symbolicated\":true,"
		   "\"startTime\":", GECKO_VERSION, FORMAT_VERSION);
	sf_put_ms(f, sf_export_realtime(rec, x->lo));
	fputs(",\"product\":", f);
	sf_put_string(f, rec->meta.pid ? sf_text(rec, rec->meta.comm) : rec->path);
	fputs(",\"importedFrom\":\"snapflame " SNAPFLAME_VERSION
	      "\",\"platform\":\"Linux\",\"oscpu\":", f);
	sf_put_string(f, sf_text(rec, rec->meta.arch));
	fputs(",\"sampleUnits\":{\"time\":\"ms\",\"eventDelay\":\"ms\",\"threadCPUDelta\":\"ns\"}"
	      ",\"categories\":[", f);
	for (int i = 0; i < FX_NR; i++)
		fprintf(f, "%s{\"name\":\"%s\",\"color\":\"%s\",\"subcategories\":[\"Other\"]}",
			i ? "," : "", category[i][0], category[i][1]);
	fputs("],\"markerSchema\":[", f);
	put_schema(f, "state", "{marker.data.state} {marker.data.kind}",
		   "{\"key\":\"state\",\"label\":\"State\",\"format\":\"string\"},"
		   "{\"key\":\"kind\",\"label\":\"Kind\",\"format\":\"string\"},"
		   "{\"key\":\"owner\",\"label\":\"Owner\",\"format\":\"string\"}");
	putc(',', f);
	put_schema(f, "window", "{marker.data.name}",
		   "{\"key\":\"name\",\"label\":\"Name\",\"format\":\"string\"}");
	fputs("]}", f);
}

/* ----------------------------------------------------------------------- markers */

struct marker {
	uint64_t lo, hi;
	uint32_t name, category;
	const struct firefox_sample *state; /* else: a window or a phase called text */
	char text[128];
};

struct markers {
	struct marker *item;
	size_t nr, alloc;
};

static int add_marker(struct markers *m, struct marker one)
{
	if (SF_GROW(m->item, m->nr + 1, m->alloc))
		return -ENOMEM;
	m->item[m->nr++] = one;
	return 0;
}

static int add_windows(struct firefox *x, struct markers *m)
{
	int ret = 0;

	for (size_t i = 0; i < x->e->x->nr; i++) {
		const struct sf_window *w = x->e->x->window[i].window;
		struct marker one = { .lo = w->lo, .hi = w->hi, .name = x->branch_name,
				      .category = FX_PATH };

		sf_export_window_name(x->e, &x->e->x->window[i], one.text, sizeof(one.text));
		ret = ret ? ret : add_marker(m, one);
		for (size_t k = 0; !ret && k < w->nr_phases; k++) {
			one.lo = w->phase[k].begin;
			one.hi = w->phase[k].end;
			one.name = x->phase_name;
			snprintf(one.text, sizeof(one.text), "%s",
				 sf_text(x->e->rec, w->phase[k].name));
			if (one.lo >= x->lo && one.hi >= one.lo)
				ret = add_marker(m, one);
		}
	}
	return ret;
}

/* Equal neighbours are one: samples split what a thread ran, states do not. */
static int add_states(struct firefox *x, struct markers *m, const struct firefox_thread *t)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < t->nr_samples; i++) {
		const struct firefox_sample *s = &t->sample[i];
		struct marker *last = m->nr ? &m->item[m->nr - 1] : NULL;

		if (s->state == SF_STATE_ABSENT)
			continue;
		if (last && last->state && last->hi == s->lo + x->lo &&
		    last->state->state == s->state && last->state->task == s->task && last->state->kind == s->kind &&
		    last->state->owner == s->owner)
			last->hi += s->ns;
		else
			ret = add_marker(m, (struct marker){
				.lo = s->lo + x->lo, .hi = s->lo + x->lo + s->ns,
				.name = s->owner ? s->owner : x->state_name[s->state],
				.category = sf_firefox_category(s), .state = s });
	}
	return ret;
}

static void put_data(struct firefox *x, const struct marker *m)
{
	struct sf_piece s = { 0 };
	char buf[32];

	if (!m->state) {
		fputs("{\"type\":\"window\",\"name\":", x->file);
		sf_put_string(x->file, m->text);
		putc('}', x->file);
		return;
	}
	s.state = m->state->state;
	s.task = m->state->task;
	fputs("{\"type\":\"state\",\"state\":", x->file);
	sf_put_string(x->file, sf_piece_state(&s, buf, sizeof(buf)));
	fprintf(x->file, ",\"kind\":\"%s\"", sf_kind_name(m->state->kind));
	if (m->state->owner) {
		fputs(",\"owner\":", x->file);
		sf_put_string(x->file, sf_strtab_text(&x->e->frames.str, m->state->owner));
	}
	putc('}', x->file);
}

static void put_markers(struct firefox *x, const struct markers *m)
{
	FILE *f = x->file;

	fprintf(f, ",\"markers\":{\"length\":%zu,\"data\":[", m->nr);
	for (size_t i = 0; i < m->nr; i++) {
		fputs(i ? "," : "", f);
		put_data(x, &m->item[i]);
	}
	fputs("],\"name\":[", f);
	for (size_t i = 0; i < m->nr; i++)
		fprintf(f, i ? ",%u" : "%u", m->item[i].name - 1);
	fputs("],\"startTime\":[", f);
	for (size_t i = 0; i < m->nr; i++) {
		fputs(i ? "," : "", f);
		sf_put_ms(f, m->item[i].lo - x->lo);
	}
	fputs("],\"endTime\":[", f);
	for (size_t i = 0; i < m->nr; i++) {
		fputs(i ? "," : "", f);
		sf_put_ms(f, m->item[i].hi - x->lo);
	}
	fputs("],\"phase\":[", f);
	for (size_t i = 0; i < m->nr; i++)
		fprintf(f, i ? ",%d" : "%d", MARKER_INTERVAL);
	fputs("],\"category\":[", f);
	for (size_t i = 0; i < m->nr; i++)
		fprintf(f, i ? ",%u" : "%u", m->item[i].category);
	fputs("]}", f);
}

/* ----------------------------------------------------------------------- threads */

static void put_head(struct firefox *x, const char *name, const char *process, uint32_t pid,
		     uint32_t tid, bool main)
{
	FILE *f = x->file;

	fprintf(f, "%s{\"processType\":\"default\",\"processStartupTime\":0,"
		   "\"processShutdownTime\":null,"
		   "\"registerTime\":0,\"unregisterTime\":null,\"pausedRanges\":[],"
		   "\"showMarkersInTimeline\":true,\"pid\":\"%u\",\"tid\":%u,"
		   "\"isMainThread\":%s,\"name\":",
		x->any ? ",\n" : "\n", pid, tid, main ? "true" : "false");
	x->any = true;
	sf_put_string(f, name);
	fputs(",\"processName\":", f);
	sf_put_string(f, process);
	putc(',', f);
}

static int add_pieces(struct firefox *x, struct firefox_thread *t, bool path, bool *there)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < x->e->pieces.nr; i++) {
		struct sf_piece s = x->e->pieces.item[i];
		uint32_t owner = path ? string_id(x, sf_export_owner(x->e, &s)) : 0;

		if (s.state == SF_STATE_ABSENT)
			continue;
		*there = true;
		s.lo -= x->lo;
		s.hi -= x->lo;
		ret = path && !owner ? -ENOMEM : sf_firefox_add(t, x->e, &s, owner);
	}
	return ret;
}

/* thread SF_NO_THREAD: the critical path. */
static int put_thread(struct firefox *x, uint32_t thread)
{
	struct sf_exporter *e = x->e;
	const struct sf_thread *th = thread == SF_NO_THREAD ? NULL : &e->rec->thread[thread];
	struct firefox_thread t = { 0 };
	struct markers m = { 0 };
	bool there = !th;
	int ret = 0;

	for (size_t i = 0; !ret && i < e->x->nr; i++) {
		const struct sf_window *w = e->x->window[i].window;

		ret = th ? sf_pieces_of_thread(&e->pieces, &e->src, w, thread)
			 : sf_pieces_of_path(&e->pieces, &e->src, w);
		if (!ret)
			ret = add_pieces(x, &t, !th, &there);
	}
	if (!ret)
		ret = add_states(x, &m, &t);
	if (!ret && !th)
		ret = add_windows(x, &m);
	if (!ret && there) {
		if (th)
			put_head(x, sf_text(e->rec, th->comm), sf_text(e->rec, e->rec->meta.comm),
				 th->pid == UINT32_MAX ? th->tid : th->pid, th->tid,
				 th->tid == th->pid);
		else
			put_head(x, "critical path", "snapflame", 0, 0, true);
		sf_firefox_put_tables(&t, e);
		put_markers(x, &m);
		putc('}', x->file);
	}
	free(m.item);
	sf_firefox_thread_release(&t);
	return ret;
}

int sf_export_firefox(struct sf_exporter *e)
{
	struct firefox x = { .e = e, .file = e->file, .lo = UINT64_MAX };
	int ret = make_names(&x);

	for (size_t i = 0; i < e->x->nr; i++)
		if (e->x->window[i].window->lo < x.lo)
			x.lo = e->x->window[i].window->lo;
	putc('{', x.file);
	put_meta(&x);
	fputs(",\"libs\":[],\"threads\":[", x.file);
	if (!ret)
		ret = put_thread(&x, SF_NO_THREAD);
	for (uint32_t i = 0; !ret && i < e->rec->nr_threads; i++)
		if (sf_pieces_wants(e->rec, i))
			ret = put_thread(&x, i);
	fputs("],\"shared\":{\"stringArray\":[", x.file);
	for (uint32_t i = 1; i <= e->frames.str.nr; i++) {
		fputs(i > 1 ? ",\n" : "\n", x.file);
		sf_put_string(x.file, sf_strtab_text(&e->frames.str, i));
	}
	fputs("]}}\n", x.file);
	return ret;
}
