/* SPDX-License-Identifier: GPL-2.0-only */
/* A diff as JSON; render_json.h lists the fields. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <snapflame/render_json.h>

#include "render/json_diff.h"
#include "render/json_paths.h"
#include "render/json_value.h"

json_t *sf_json_interval(const struct sf_estimate *e)
{
	if (!e->has_interval)
		return json_null();
	return json_pack("[o, o]", sf_json_number(e->lo), sf_json_number(e->hi));
}

static json_t *device(uint32_t dev)
{
	char text[32];

	if (!dev)
		return json_null();
	snprintf(text, sizeof(text), "%u:%u", dev >> 20, dev & 0xfffff);
	return json_string(text);
}

static json_t *owner(const struct sf_diff *d, uint32_t index)
{
	const struct sf_owner *o;

	if (!index || index >= d->profile.nr_owners)
		return json_null();
	o = &d->profile.owner[index];
	return json_pack("{s:o, s:I, s:I, s:o, s:o, s:o, s:b, s:b}", "comm",
			 sf_json_name(sf_strtab_text(&d->profile.str, o->comm)), "tid", (json_int_t)o->tid, "pid",
			 (json_int_t)o->pid, "process", sf_json_name(sf_strtab_text(&d->profile.str, o->process)),
			 "label", sf_json_name(sf_strtab_text(&d->profile.str, o->label)), "device", device(o->dev),
			 "kernel", o->kernel, "vcpu", o->vcpu);
}

static json_t *names(const char *const *name, size_t nr)
{
	json_t *list = json_array();

	for (size_t i = 0; i < nr; i++)
		sf_json_append(&list, sf_json_name(name[i]));
	return list;
}

/* "leaf < … < root" */
static json_t *stack_text(const char *text)
{
	json_t *list = json_array();
	struct sf_str one = SF_STR_INIT;

	while (text && *text) {
		const char *end = strstr(text, " < ");
		size_t n = end ? (size_t)(end - text) : strlen(text);

		sf_str_reset(&one);
		sf_str_addn(&one, text, n);
		sf_json_append(&list, sf_json_name(one.buf));
		text += n + (end ? strlen(" < ") : 0);
	}
	sf_str_release(&one);
	return list;
}

/* What a cause is made of: its own kind first, then what belongs to it, and why. Turns in the run queue
 * are the owner's. */
static json_t *parts(const struct sf_diff *d, const struct sf_cause *c)
{
	static const char *const of[] = {
		[SF_PART_OWN] = "own", [SF_PART_CALL] = "function", [SF_PART_POOL] = "pool",
		[SF_PART_QUEUE] = "queue", [SF_PART_TURNS] = "turns", [SF_PART_WAITING] = "waiting",
	};
	json_t *list = json_array();

	for (size_t i = 0; i < c->nr_parts; i++) {
		const struct sf_cause_part *p = &c->part[i];
		uint32_t who = p->path ? d->profile.path[p->path].owner : c->owner;

		sf_json_append(&list, json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "kind", sf_kind_name(p->kind),
					"of", of[p->of], "owner", owner(d, who), "delta_ms",
					sf_json_number(p->slow_ms - p->fast_ms), "fast_ms",
					sf_json_number(p->fast_ms), "slow_ms",
					sf_json_number(p->slow_ms)));
	}
	return list;
}

/* How often two threads took turns; null where that is not what the cause is about. */
static json_t *exchange(const struct sf_diff *d, const struct sf_cause *c)
{
	const struct sf_exchange *x;

	if (!c->exchange)
		return json_null();
	x = &d->profile.exchange[c->exchange - 1];
	return json_pack("{s:o, s:o, s:o, s:o}", "waiter", owner(d, x->waiter), "server",
			 owner(d, x->server), "fast",
			 sf_json_number(sf_diff_exchanges(d, c->exchange - 1, SF_FAST)), "slow",
			 sf_json_number(sf_diff_exchanges(d, c->exchange - 1, SF_SLOW)));
}

/* Who else does it. */
static json_t *others(const struct sf_diff *d, const struct sf_cause *c)
{
	json_t *list = json_array();
	uint32_t who;

	for (size_t i = 0; (who = sf_cause_other_owner(d, c, i)); i++)
		sf_json_append(&list, owner(d, who));
	return list;
}

static json_t *slope(const struct sf_trend *t)
{
	struct sf_estimate e = { .lo = t->lo, .hi = t->hi, .has_interval = isfinite(t->lo) };

	return json_pack("{s:o, s:o, s:o}", "ms_per_branch", sf_json_number(t->slope), "ci95",
			 sf_json_interval(&e), "p", sf_json_number(t->kendall.p));
}

json_t *sf_json_growth(const struct sf_growth *g, uint32_t step_at)
{
	const struct sf_series *s = &g->series;
	bool step = s->shape == SF_SHAPE_STEP;

	if (!g->branches)
		return json_null();
	return json_pack("{s:s, s:i, s:o, s:o, s:I, s:o}", "shape", sf_shape_name(s->shape),
			 "direction", s->direction, "p", sf_json_number(s->p), "trend",
			 slope(&g->trend), "branches", (json_int_t)g->branches, "step_at",
			 step ? json_integer(step_at) : json_null());
}

/* Null where there is no series of BRANCHes. */
static json_t *growth(const struct sf_diff *d, const struct sf_growth *g)
{
	return d->growth ? sf_json_growth(g, sf_growths_branch(d->growth, g)) : json_null();
}

static json_t *cause(const struct sf_diff *d, const struct sf_cause *c)
{
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:o, "
			 "s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o}",
			 "kind", sf_kind_name(c->kind), "state", sf_state_name(c->state),
			 "delta_ms", sf_json_number(c->delta.value), "frame_ms",
			 sf_json_number(c->frame_ms), "share_pct",
			 sf_json_number(c->share_pct), "ci95_ms", sf_json_interval(&c->delta), "fast_ms",
			 sf_json_number(c->fast_ms), "slow_ms", sf_json_number(c->slow_ms), "p",
			 sf_json_number(c->p), "significant", c->significant, "owner",
			 owner(d, c->owner), "frames",
			 names((const char *const *)c->frame, c->nr_frames), "behind",
			 owner(d, c->behind), "waiter", owner(d, c->waiter), "waits_in",
			 stack_text(c->waits_in), "served_by", owner(d, c->served_by), "parts",
			 parts(d, c), "others", others(d, c), "q", sf_json_number(c->q), "shift",
			 c->shift, "growth", growth(d, &c->growth), "exchange", exchange(d, c));
}

/* There is a verdict, and it is that nothing grew. */
static json_t *no_growth(const struct sf_diff *d)
{
	return json_pack("{s:s, s:n, s:o, s:n, s:n, s:o, s:o, s:o, s:n, s:b, s:n, s:[], s:n, s:n, "
			 "s:[], s:n, s:[], s:[], s:n, s:b, s:n, s:n}",
			 "kind", sf_kind_name(SF_KIND_NONE), "state", "delta_ms",
			 sf_json_number(d->delta.value), "frame_ms", "share_pct", "ci95_ms",
			 sf_json_interval(&d->delta), "fast_ms", sf_json_number(d->median_ms[SF_FAST]),
			 "slow_ms", sf_json_number(d->median_ms[SF_SLOW]), "p", "significant", 0,
			 "owner", "frames", "behind", "waiter", "waits_in", "served_by",
			 "parts", "others", "q", "shift", 0, "growth", "exchange");
}

static json_t *verdict(const struct sf_diff *d)
{
	json_t *v;

	if (!d->has_verdict)
		return json_null();
	if (d->kind == SF_KIND_NONE || !d->nr_causes)
		v = no_growth(d);
	else
		v = cause(d, &d->cause[0]);
	if (v)
		sf_json_set(&v, "sentence", sf_json_name(d->sentence));
	return v;
}

static json_t *causes(const struct sf_diff *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->nr_causes; i++)
		sf_json_append(&list, cause(d, &d->cause[i]));
	return list;
}

static json_t *ms(uint64_t lo, uint64_t hi)
{
	return hi > lo ? json_real((double)(hi - lo) / 1e6) : json_null();
}

static json_t *window(const struct sf_diff *d, size_t column)
{
	const struct sf_window *w = d->ref[column].window;
	const struct sf_recording *rec = d->ref[column].rec;

	return json_pack("{s:I, s:I, s:o, s:o, s:o, s:o}", "branch", (json_int_t)w->branch, "trial",
			 (json_int_t)w->trial, "pause_ms", sf_json_number(d->pause_ms[column]),
			 "api_ms", ms(w->api_lo, w->api_hi), "dark_ms", ms(w->dark_lo, w->dark_hi),
			 "file", sf_json_name(rec ? rec->path : NULL));
}

static json_t *side(const struct sf_diff *d, enum sf_side s)
{
	size_t first = s == SF_SLOW ? d->nr[SF_FAST] : 0;
	json_t *windows = json_array();

	for (size_t i = 0; i < d->nr[s]; i++)
		sf_json_append(&windows, window(d, first + i));
	return json_pack("{s:o, s:{s:o}, s:I}", "windows", windows, "pause_ms", "median",
			 sf_json_number(d->median_ms[s]), "n", (json_int_t)d->nr[s]);
}

/* -1 stands for what could not be known. */
static json_t *known(double v)
{
	return v < 0 ? json_null() : sf_json_number(v);
}

static json_t *coverage(const struct sf_coverage *c)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b, s:o, s:o}",
			 "critical_path_pct", sf_json_number(c->critical_path_pct), "stack_pct",
			 sf_json_number(c->stack_pct), "lost", sf_json_uint(c->lost),
			 "schedstat_error_pct", known(c->schedstat_error_pct), "sampler_pct",
			 known(c->sampler_pct), "missing_wakers_pct",
			 sf_json_number(c->missing_wakers_pct), "overhead_ms",
			 sf_json_number(c->overhead_ms), "stolen_ms",
			 sf_json_number(c->stolen_ms), "threads", sf_json_uint(c->threads),
			 "others", sf_json_uint(c->others), "ok", c->ok, "problems",
			 names((const char *const *)c->problem, c->nr_problems), "notes",
			 names((const char *const *)c->note, c->nr_notes));
}

static json_t *passive(const struct sf_diff *d)
{
	json_t *list = json_array();

	for (size_t i = 0; i < d->nr_passive; i++) {
		const struct sf_passive *p = &d->passive[i];
		json_t *whom = json_null();

		if (p->for_comm)
			whom = json_pack("{s:o, s:I}", "comm", sf_json_name(p->for_comm), "tid",
					 (json_int_t)p->for_tid);
		sf_json_append(&list, json_pack("{s:o, s:I, s:I, s:o, s:b, s:o}", "comm",
						      sf_json_name(p->comm), "tid",
						      (json_int_t)p->tid, "pid", (json_int_t)p->pid,
						      "ms", sf_json_number(p->ms), "idle", p->idle,
						      "waits_for", whom));
	}
	return list;
}

json_t *sf_json_moved(const struct sf_moved *moved, size_t nr)
{
	json_t *list = json_array();

	for (size_t i = 0; i < nr; i++) {
		const struct sf_moved *m = &moved[i];

		sf_json_append(&list, json_pack("{s:o, s:o, s:o, s:b, s:o, s:o, s:i}",
						      "name",
						      sf_json_name(m->name), "fast",
						      sf_json_number(m->fast), "slow",
						      sf_json_number(m->slow), "during", m->during,
						      "score", sf_json_number(m->score), "p",
						      sf_json_number(m->p), "separates",
						      m->separates));
	}
	return list;
}

/* What is at a path of the profile, leaf to root. */
static json_t *frames_of(const struct sf_diff *d, uint32_t path)
{
	const struct sf_profile *p = &d->profile;
	json_t *list = json_array();

	for (uint32_t i = path; p->path[i].level >= SF_PATH_FRAME; i = p->path[i].parent)
		sf_json_append(&list, sf_json_name(sf_diff_text(d, p->path[i].label)));
	return list;
}

static json_t *swapped(const struct sf_diff *d, const struct sf_shift *x, uint32_t path,
		       const double *ms)
{
	json_t *name = path == x->path ? json_null()
				       : sf_json_name(sf_diff_text(d, d->profile.path[path].label));

	return json_pack("{s:o, s:o, s:o}", "name", name, "fast_ms", sf_json_number(ms[SF_FAST]),
			 "slow_ms", sf_json_number(ms[SF_SLOW]));
}

static json_t *shifts(const struct sf_diff *d)
{
	static const char *const kind[] = {
		[SF_SHIFT_MOVED] = "moved", [SF_SHIFT_RENAMED] = "renamed",
		[SF_SHIFT_INLINED] = "inlined", [SF_SHIFT_SPLIT] = "split",
	};
	json_t *list = json_array();

	for (size_t i = 0; i < d->nr_shifts; i++) {
		const struct sf_shift *x = &d->shift[i];

		sf_json_append(&list, json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "kind", kind[x->kind],
					"owner", owner(d, d->profile.path[x->path].owner), "frames",
					frames_of(d, x->path), "ms", sf_json_number(x->ms), "fast_ms",
					sf_json_number(x->path_ms[SF_FAST]), "slow_ms",
					sf_json_number(x->path_ms[SF_SLOW]), "from",
					swapped(d, x, x->from, x->from_ms), "to",
					swapped(d, x, x->to, x->to_ms)));
	}
	return list;
}

int sf_json_diff(struct sf_str *out, const struct sf_diff *d)
{
	bool grows = d->has_verdict && d->kind != SF_KIND_NONE;
	json_t *top = json_pack("{s:s, s:o, s:o, s:{s:o, s:o, s:b, s:b, s:o}, s:o, s:o, s:o, s:o, s:o, "
				"s:o, s:o}",
				"schema", "snapflame.diff/1", "fast", side(d, SF_FAST), "slow",
				side(d, SF_SLOW), "delta_ms", "median", sf_json_number(d->delta.value),
				"ci95", sf_json_interval(&d->delta), "grows", grows, "trend", d->trend,
				"series_p", sf_json_number(d->series_p), "coverage",
				coverage(&d->coverage), "verdict", verdict(d), "causes", causes(d),
				"passive", passive(d), "covariates", sf_json_moved(d->moved, d->nr_moved), "advice",
				sf_json_name(d->advice), "split", sf_json_name(d->split_text));
	struct sf_growth none = { 0 };

	sf_json_set(&top, "shifts", shifts(d));
	sf_json_set(&top, "growth",
		    growth(d, d->growth ? &sf_growths_pause(d->growth)->growth : &none));
	sf_json_set(&top, "paths", sf_json_diff_paths(d));
	sf_json_set(&top, "method", sf_json_name(d->method));
	return sf_json_print(out, top);
}
