/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A diff on one screen: proof, verdict, ranked differences, who merely waited, what else moved.
 *
 *	proof    2 + 3 windows; 9 threads and 41 others; critical path 99.8 % attributed; …
 *	verdict  The pauses grew from 276 to 1389 ms because …
 *
 *	    Δ ms   share    fast → slow    owner               state
 *	 +1071.2  96.2 %     3.1 → 1074.3  firecracker (main)  blocked  io-throttle
 *	         wbt_wait < rq_qos_wait < … < write < snapshot_memory_to_file < create_snapshot
 */
#include <stdio.h>

#include <snapflame/render_text.h>

#include "render/layout.h"
#include "render/text_diff.h"

enum { LABEL = 9, MIN_WIDTH = 72, WIDE = 140 };

static void label(struct sf_diff_view *v, const char *text, enum sf_style style)
{
	sf_style(v->out, v->color, style);
	sf_put_left(v->out, text, LABEL);
	sf_style(v->out, v->color, SF_PLAIN);
}

void sf_view_section(struct sf_diff_view *v, const char *head, enum sf_style style,
		     const char *text)
{
	struct sf_str safe = SF_STR_INIT;

	sf_put_name(&safe, text);
	label(v, head, style);
	sf_put_wrapped(v->out, safe.buf, LABEL, LABEL, v->width);
	sf_str_addch(v->out, '\n');
	v->out->failed |= safe.failed;
	sf_str_release(&safe);
}

/* ------------------------------------------------------------- proof, verdict */

enum { MAX_PROBLEMS = 4 }; /* one screen: many BRANCHes have many, of one kind mostly */

static void problems(struct sf_diff_view *v)
{
	const struct sf_coverage *c = &v->d->coverage;
	size_t n = c->nr_problems > MAX_PROBLEMS + 1 ? MAX_PROBLEMS : c->nr_problems;
	char more[64];

	for (size_t i = 0; i < n; i++)
		sf_view_section(v, "", SF_PLAIN, c->problem[i]);
	snprintf(more, sizeof(more), "(and %zu more; --json has them all)", c->nr_problems - n);
	if (n < c->nr_problems)
		sf_view_section(v, "", SF_PLAIN, more);
}

/* The proof as parts in the order they are read. */
struct proof_part {
	char full[96], brief[96]; /* brief where one line is wanted */
	unsigned drop;            /* turn to go where there is no room for all of them; 0: never */
};

enum { MAX_PARTS = 9, ONE_LINE = 100 };

static struct proof_part *proof_part(struct proof_part *part, size_t *nr, unsigned drop)
{
	part[*nr].drop = drop;
	return &part[(*nr)++];
}

#define FULL(p, ...) snprintf((p)->full, sizeof((p)->full), __VA_ARGS__)
#define BRIEF(p, ...) snprintf((p)->brief, sizeof((p)->brief), __VA_ARGS__)

/* What is zero goes first, what says that something is missing stays. */
static size_t proof_parts(struct proof_part *part, const struct sf_diff *d)
{
	const struct sf_coverage *c = &d->coverage;
	struct proof_part *p;
	size_t nr = 0;

	p = proof_part(part, &nr, 0);
	FULL(p, "%zu + %zu windows", d->nr[SF_FAST], d->nr[SF_SLOW]);
	p = proof_part(part, &nr, 2);
	FULL(p, "%zu threads and %zu others", c->threads, c->others);
	p = proof_part(part, &nr, 0);
	FULL(p, "critical path %.1f %% attributed, %.1f %% with a stack", c->critical_path_pct,
	     c->stack_pct);
	p = proof_part(part, &nr, c->lost ? 0 : 1);
	FULL(p, "%llu lost", (unsigned long long)c->lost);
	if (c->schedstat_error_pct >= 0) {
		p = proof_part(part, &nr, 5);
		FULL(p, "CPU time off by %.1f %%", c->schedstat_error_pct);
	}
	if (c->sampler_pct >= 0) {
		p = proof_part(part, &nr, 6);
		FULL(p, "sampler saw %.0f %% of what it should", c->sampler_pct);
		BRIEF(p, "sampler %.0f %%", c->sampler_pct);
	}
	if (c->missing_wakers_pct >= 0.05) {
		p = proof_part(part, &nr, 0);
		FULL(p, "waker not seen for %.1f %%", c->missing_wakers_pct);
	}
	if (c->overhead_ms >= 0.05) {
		p = proof_part(part, &nr, 3);
		FULL(p, "recorder %.1f ms", c->overhead_ms);
	}
	if (c->stolen_ms >= 0.05) {
		p = proof_part(part, &nr, 4);
		FULL(p, "hypervisor took %.1f ms", c->stolen_ms);
	}
	return nr;
}

#undef FULL
#undef BRIEF

/* The parts that are still there after so many turns. */
static void join_proof(struct sf_str *s, const struct proof_part *part, size_t nr, bool brief,
		       unsigned turns)
{
	sf_str_reset(s);
	for (size_t i = 0; i < nr; i++) {
		if (part[i].drop && part[i].drop <= turns)
			continue;
		sf_str_add(s, s->len ? "; " : "");
		sf_str_add(s, brief && *part[i].brief ? part[i].brief : part[i].full);
	}
}

/* One line where the terminal is wide enough for one to say it; a proof that fails is shown whole. */
static void proof(struct sf_diff_view *v)
{
	enum { LAST_TURN = 6 };
	const struct sf_coverage *c = &v->d->coverage;
	struct proof_part part[MAX_PARTS] = { 0 };
	size_t nr = proof_parts(part, v->d), room = v->width - LABEL;
	struct sf_str s = SF_STR_INIT, text = SF_STR_INIT;

	join_proof(&s, part, nr, false, 0);
	for (unsigned turns = 0; c->ok && v->width >= ONE_LINE && s.len > room && turns <= LAST_TURN;
	     turns++)
		join_proof(&s, part, nr, true, turns);
	sf_str_addf(&text, "%s%s", c->ok ? "" : "FAILS: ", s.buf);
	sf_view_section(v, "proof", c->ok ? SF_GREEN : SF_RED, text.buf);
	v->out->failed |= s.failed || text.failed;
	sf_str_release(&text);
	sf_str_release(&s);
	problems(v);
}

enum { MAX_PAUSES = 8 };

static void side(struct sf_str *s, const struct sf_diff *d, size_t first, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (n > MAX_PAUSES && i == MAX_PAUSES / 2) {
			sf_str_add(s, " …");
			i = n - MAX_PAUSES / 2;
		}
		sf_str_addf(s, d->pause_ms[first + i] < 10 ? " %.1f" : " %.0f",
			    d->pause_ms[first + i]);
	}
}

static void pauses(struct sf_diff_view *v)
{
	const struct sf_diff *d = v->d;
	struct sf_str s = SF_STR_INIT;

	sf_str_add(&s, "fast");
	side(&s, d, 0, d->nr[SF_FAST]);
	sf_str_add(&s, ", slow");
	side(&s, d, d->nr[SF_FAST], d->nr[SF_SLOW]);
	sf_str_add(&s, " ms");
	if (d->split_text)
		sf_str_addf(&s, "; %s", d->split_text);
	sf_view_section(v, "pauses", SF_PLAIN, s.buf);
	v->out->failed |= s.failed;
	sf_str_release(&s);
}

static void verdict(struct sf_diff_view *v)
{
	const struct sf_diff *d = v->d;

	if (d->has_verdict && d->sentence)
		sf_view_section(v, "verdict", SF_BOLD, d->sentence);
	else
		sf_view_section(v, "verdict", SF_YELLOW,
				d->coverage.ok ? "none" : "none: the proof fails. What was seen:");
	if (!d->trend && (d->nr[SF_FAST] == 1 || d->nr[SF_SLOW] == 1))
		sf_view_section(v, "", SF_PLAIN,
				"n = 1: no interval. Record more BRANCHes of each (--branches).");
}

/* -------------------------------------------------------------------- together */

static void notes(struct sf_diff_view *v)
{
	const struct sf_coverage *c = &v->d->coverage;

	if (v->d->advice)
		sf_view_section(v, "try", SF_PLAIN, v->d->advice);
	for (size_t i = 0; i < c->nr_notes; i++)
		sf_view_section(v, i ? "" : "note", SF_PLAIN, c->note[i]);
	if (v->d->method)
		sf_view_section(v, "method", SF_PLAIN, v->d->method);
}

void sf_text_diff(struct sf_str *out, const struct sf_diff *d, const struct sf_text_opts *opts)
{
	struct sf_str tail = SF_STR_INIT;
	struct sf_diff_view v = { .d = d, .color = opts->color };
	size_t from = out->len, lines = opts->lines ? opts->lines : SF_TEXT_LINES, used;

	v.width = opts->width ? opts->width : SF_TEXT_WIDTH;
	v.width = v.width > MIN_WIDTH ? v.width : MIN_WIDTH;
	v.wide = v.width >= WIDE;
	v.out = &tail;
	sf_view_shifts(&v);
	sf_view_growth(&v);
	sf_view_waiting(&v);
	sf_view_moved(&v);
	notes(&v);
	v.out = out;
	proof(&v);
	pauses(&v);
	verdict(&v);
	used = sf_lines(out->buf + from) + sf_lines(tail.buf) + 4;
	if (d->nr_causes)
		sf_str_addch(out, '\n');
	sf_view_causes(&v, lines > used + 6 ? lines - used : 6);
	if (tail.len && d->nr_causes)
		sf_str_addch(out, '\n');
	sf_str_addn(out, tail.buf, tail.len);
	out->failed |= tail.failed;
	sf_str_release(&tail);
	if (opts->ascii)
		sf_to_ascii(out, from);
}
