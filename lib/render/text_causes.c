/* SPDX-License-Identifier: GPL-2.0-only */
/* The ranked causes of a diff as a table: each where, and through whom, below its numbers. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/array.h>
#include <snapflame/render_text.h>

#include "render/text_diff.h"

/* Columns of the longest state with two behind it, and of the longest kind. */
enum { STATE = 10, KIND = 12 };

struct row {
	const struct sf_cause *cause; /* NULL: all that have no row of their own */
	double delta, share, fast, slow;
	size_t count;
	struct sf_str owner;
	char delta_text[24], share_text[16], fast_text[24], slow_text[24];
};

struct widths {
	size_t delta, share, fast, slow, owner;
	size_t why;    /* longest kind that is shown */
	double most;   /* largest difference, ms */
};

static void put_owner(struct sf_str *out, const struct sf_diff *d, uint32_t owner)
{
	const struct sf_owner *o;
	const char *text;

	if (!owner || owner >= d->profile.nr_owners) {
		sf_str_add(out, "(not listed)");
		return;
	}
	o = &d->profile.owner[owner];
	text = sf_strtab_text(&d->profile.str, o->label);
	if (*text)
		sf_put_name(out, text);
	else
		sf_str_addf(out, "thread %u", o->tid);
}

/* Threads of a pool that do the same. */
static size_t nr_others(const struct sf_diff *d, const struct sf_cause *c)
{
	size_t nr = 0;

	while (sf_cause_other_owner(d, c, nr))
		nr++;
	return nr;
}

static void finish_row(struct row *r)
{
	snprintf(r->delta_text, sizeof(r->delta_text), "%+.1f", r->delta);
	if (isfinite(r->share))
		snprintf(r->share_text, sizeof(r->share_text), "%.1f %%",
			 fabs(r->share) < 0.05 ? 0 : r->share);
	snprintf(r->fast_text, sizeof(r->fast_text), "%.1f", r->fast);
	snprintf(r->slow_text, sizeof(r->slow_text), "%.1f", r->slow);
}

static void cause_row(struct row *r, const struct sf_diff *d, const struct sf_cause *c)
{
	*r = (struct row){ .cause = c, .delta = c->delta.value, .share = c->share_pct,
			   .fast = c->fast_ms, .slow = c->slow_ms };
	sf_str_init(&r->owner);
	put_owner(&r->owner, d, c->owner);
	if (nr_others(d, c))
		sf_str_addf(&r->owner, " +%zu", nr_others(d, c));
	finish_row(r);
}

static void add_rest(struct row *rest, const struct sf_cause *c)
{
	rest->delta += c->delta.value;
	rest->share += isfinite(c->share_pct) ? c->share_pct : 0;
	rest->fast += c->fast_ms;
	rest->slow += c->slow_ms;
	rest->count++;
}

static void measure(struct widths *w, const struct row *row, size_t nr, unsigned width)
{
	size_t used, most;

	*w = (struct widths){ .delta = 8, .share = 7, .fast = 4, .slow = 4, .owner = 5 };
	for (size_t i = 0; i < nr; i++) {
		const struct row *r = &row[i];
		size_t owner = sf_columns(r->owner.buf, r->owner.len);

#define WIDEST(field, n) (field = (n) > field ? (n) : field)
		WIDEST(w->delta, strlen(r->delta_text));
		WIDEST(w->share, strlen(r->share_text));
		WIDEST(w->fast, strlen(r->fast_text));
		WIDEST(w->slow, strlen(r->slow_text));
		WIDEST(w->owner, owner);
		if (r->cause && r->cause->owner)
			WIDEST(w->why, strlen(sf_kind_name(r->cause->kind)));
		w->most = fmax(w->most, fabs(r->delta));
#undef WIDEST
	}
	used = w->delta + 1 + w->share + 2 + w->fast + 3 + w->slow + 2 + 2 + STATE + KIND;
	most = width > used + 8 ? width - used : 8;
	most = most < 32 ? most : 32;
	w->owner = w->owner < most ? w->owner : most;
}

static size_t columns_before_where(const struct widths *w)
{
	return w->delta + 1 + w->share + 2 + w->fast + 3 + w->slow + 2 + w->owner + 2 + STATE +
	       KIND + 2;
}

enum { BAR = 24, LEAST_BAR = 4 };

/* The size of the difference, in the room behind the kind: full for growth, pale for what shrank. */
static void put_bar(struct sf_diff_view *v, const struct widths *w, const struct row *r)
{
	static const char *const eighth[] = { "", "▏", "▎", "▍", "▌", "▋", "▊", "▉" };
	size_t before = columns_before_where(w) - KIND - 2 + w->why + 1;
	size_t room = v->width > before ? v->width - before : 0, eighths;

	if (room < LEAST_BAR || !(w->most > 0))
		return;
	room = room < BAR ? room : BAR;
	eighths = (size_t)(fabs(r->delta) / w->most * (double)room * 8 + 0.5);
	if (!eighths)
		return;
	sf_put_spaces(v->out, w->why - strlen(sf_kind_name(r->cause->kind)) + 1);
	sf_style(v->out, v->color, !r->cause->significant ? SF_DIM : r->delta > 0 ? SF_RED : SF_GREEN);
	for (size_t i = 0; i < eighths / 8; i++)
		sf_str_add(v->out, r->delta > 0 ? "█" : "▒");
	if (r->delta > 0)
		sf_str_add(v->out, eighth[eighths % 8]);
	else if (eighths < 8)
		sf_str_add(v->out, "▒");
	sf_style(v->out, v->color, SF_PLAIN);
}

static void heading(struct sf_diff_view *v, const struct widths *w)
{
	sf_style(v->out, v->color, SF_DIM);
	sf_put_right(v->out, "Δ ms", w->delta);
	sf_str_addch(v->out, ' ');
	sf_put_right(v->out, "share", w->share);
	sf_put_spaces(v->out, 2);
	sf_put_right(v->out, "fast", w->fast);
	sf_str_add(v->out, " → ");
	sf_put_left(v->out, "slow", w->slow + 2);
	sf_put_left(v->out, "owner", w->owner + 2);
	sf_put_left(v->out, "state", STATE);
	sf_str_add(v->out, v->wide ? "why           where" : "why, where");
	sf_style(v->out, v->color, SF_PLAIN);
	sf_str_addch(v->out, '\n');
}

static void print_numbers(struct sf_diff_view *v, const struct widths *w, const struct row *r)
{
	bool sure = r->cause && r->cause->significant;

	sf_style(v->out, v->color && sure, r->delta > 0 ? SF_RED : SF_GREEN);
	sf_put_right(v->out, r->delta_text, w->delta);
	sf_style(v->out, v->color && sure, SF_PLAIN);
	sf_str_addch(v->out, ' ');
	sf_put_right(v->out, r->share_text, w->share);
	sf_put_spaces(v->out, 2);
	sf_put_right(v->out, r->fast_text, w->fast);
	sf_str_add(v->out, " → ");
	sf_put_right(v->out, r->slow_text, w->slow);
	sf_put_spaces(v->out, 2);
}

static void where(struct sf_diff_view *v, const struct sf_cause *c, size_t indent)
{
	sf_text_frames(v->out, c->frame, c->nr_frames, v->width - indent);
	sf_str_addch(v->out, '\n');
}

enum { WHERE_INDENT = 9 };

/* The first cause, which the verdict is about, has two lines for it. */
static void where_first(struct sf_diff_view *v, const struct sf_cause *c)
{
	struct sf_str s = SF_STR_INIT;
	size_t room = v->width - WHERE_INDENT;

	/* Less than twice the room: lines are broken between frames. */
	sf_text_frames(&s, c->frame, c->nr_frames, room + room * 3 / 4);
	sf_put_spaces(v->out, WHERE_INDENT);
	sf_put_wrapped(v->out, s.buf, WHERE_INDENT, WHERE_INDENT, v->width);
	sf_str_addch(v->out, '\n');
	v->out->failed |= s.failed;
	sf_str_release(&s);
}

/* In the run queue the stack is that of who waits: it goes with the waiter's name. */
static bool has_where(const struct sf_diff_view *v, const struct sf_cause *c)
{
	return c->owner && c->nr_frames && (c == v->d->cause || c->kind != SF_KIND_RUNQUEUE || !c->waiter);
}

static void print_cause(struct sf_diff_view *v, const struct widths *w, const struct row *r)
{
	const struct sf_cause *c = r->cause;
	const char *kind = sf_kind_name(c->kind);

	print_numbers(v, w, r);
	if (!c->owner) { /* what is left over has neither state nor kind */
		sf_str_addf(v->out, "%s\n", r->owner.buf);
		return;
	}
	sf_style(v->out, v->color, SF_BOLD);
	sf_put_left(v->out, r->owner.buf, w->owner);
	sf_style(v->out, v->color, SF_PLAIN);
	sf_put_spaces(v->out, 2);
	sf_put_left(v->out, sf_state_name(c->state), STATE);
	if (v->wide && has_where(v, c)) {
		sf_put_left(v->out, kind, KIND + 2);
		where(v, c, columns_before_where(w));
	} else {
		sf_str_add(v->out, kind);
		put_bar(v, w, r);
		sf_str_addch(v->out, '\n');
		if (has_where(v, c) && c == v->d->cause)
			where_first(v, c);
		else if (has_where(v, c)) {
			sf_put_spaces(v->out, WHERE_INDENT);
			where(v, c, WHERE_INDENT);
		}
	}
}

enum { MAX_WAITS = 64 };

/* "leaf < … < root", as one text, in what room is left. */
static void put_stack_text(struct sf_str *out, const char *text, size_t width)
{
	const char *frame[MAX_WAITS];
	char *copy = strdup(text), *rest = copy, *next;
	size_t n = 0;

	while (rest && n < MAX_WAITS) {
		next = strstr(rest, " < ");
		if (next) {
			*next = '\0';
			next += strlen(" < ");
		}
		frame[n++] = rest;
		rest = next;
	}
	sf_text_frames(out, frame, n, width);
	free(copy);
}

/* Where the waiter waits, in room columns, if that was not printed. */
static void put_wait(struct sf_str *s, const struct sf_diff_view *v, const struct sf_cause *c,
		     size_t room)
{
	bool queue = c->kind == SF_KIND_RUNQUEUE;
	size_t used = sf_columns(s->buf, s->len) + strlen(" waits for it in ");

	if (queue && !has_where(v, c) && c->nr_frames && room > used + 16) {
		sf_str_add(s, " waits for it in ");
		sf_text_frames(s, c->frame, c->nr_frames, room - used);
	} else if (!queue && c->waits_in && *c->waits_in && room > used + 16) {
		sf_str_add(s, " waits in ");
		put_stack_text(s, c->waits_in, room - used + strlen("for it "));
	} else {
		sf_str_add(s, " waits for it");
	}
}

/* Who waited for it, who was in its way, who did the work: one line, where there is any of it. */
static void print_links(struct sf_diff_view *v, const struct sf_cause *c)
{
	const struct sf_diff *d = v->d;
	struct sf_str s = SF_STR_INIT;
	size_t room = v->width - WHERE_INDENT;

	if (c->behind && c->behind != c->owner) {
		sf_str_add(&s, "behind ");
		put_owner(&s, d, c->behind);
	}
	if (c->served_by) {
		sf_str_addf(&s, "%sserved by ", s.len ? "; " : "");
		put_owner(&s, d, c->served_by);
	}
	if (c->waiter) {
		sf_str_add(&s, s.len ? "; " : "");
		put_owner(&s, d, c->waiter);
		put_wait(&s, v, c, room);
	}
	if (s.len) {
		sf_put_spaces(v->out, WHERE_INDENT);
		sf_style(v->out, v->color, SF_DIM);
		sf_put_cut(v->out, s.buf, room);
		sf_style(v->out, v->color, SF_PLAIN);
		sf_str_addch(v->out, '\n');
	}
	v->out->failed |= s.failed;
	sf_str_release(&s);
}

static void print_rest(struct sf_diff_view *v, const struct widths *w, const struct row *r)
{
	print_numbers(v, w, r);
	sf_str_addf(v->out, "(%zu more)\n", r->count);
}

static size_t lines_of(const struct sf_diff_view *v, const struct sf_cause *c)
{
	bool links = (c->behind && c->behind != c->owner) || c->waiter || c->served_by;

	return 1 + (has_where(v, c) && !v->wide) * (c == v->d->cause ? 2 : 1) + links;
}

static int by_size(const void *a, const void *b)
{
	double x = fabs((*(const struct sf_cause *const *)a)->delta.value);
	double y = fabs((*(const struct sf_cause *const *)b)->delta.value);

	return x > y ? -1 : x < y;
}

/* The largest changes that the lines have room for; they are printed in the order of the ranking. */
static size_t select_causes(const struct sf_diff_view *v, const struct sf_cause **pick,
			    size_t lines)
{
	const struct sf_diff *d = v->d;
	size_t n;

	for (n = 0; n < d->nr_causes; n++)
		pick[n] = &d->cause[n];
	qsort(pick, n, sizeof(*pick), by_size);
	for (n = 0; n < d->nr_causes; n++) {
		size_t need = lines_of(v, pick[n]);

		if (need > lines || (n && fabs(pick[n]->delta.value) < 0.05) ||
		    (n >= 3 && fabs(pick[n]->share_pct) < 1))
			break;
		lines -= need;
	}
	/* "1 more" would take the line that the one itself needs. */
	if (n + 1 == d->nr_causes && lines_of(v, pick[n]) == 1)
		n++;
	return n;
}

static int by_rank(const void *a, const void *b)
{
	const struct sf_cause *x = *(const struct sf_cause *const *)a;
	const struct sf_cause *y = *(const struct sf_cause *const *)b;

	return x < y ? -1 : x > y;
}

static void print_table(struct sf_diff_view *v, const struct sf_cause **pick, struct row *row,
			size_t lines)
{
	const struct sf_diff *d = v->d;
	size_t n = select_causes(v, pick, lines), rows = n;
	struct widths w;

	row[n] = (struct row){ 0 };
	sf_str_init(&row[n].owner);
	for (size_t i = n; i < d->nr_causes; i++)
		add_rest(&row[n], pick[i]);
	finish_row(&row[n]);
	rows += row[n].count > 0;
	qsort(pick, n, sizeof(*pick), by_rank);
	for (size_t i = 0; i < n; i++)
		cause_row(&row[i], d, pick[i]);
	measure(&w, row, rows, v->width);
	heading(v, &w);
	for (size_t i = 0; i < n; i++) {
		print_cause(v, &w, &row[i]);
		print_links(v, row[i].cause);
		v->out->failed |= row[i].owner.failed;
		sf_str_release(&row[i].owner);
	}
	if (row[n].count)
		print_rest(v, &w, &row[n]);
	v->out->failed |= row[n].owner.failed;
	sf_str_release(&row[n].owner);
}

void sf_view_causes(struct sf_diff_view *v, size_t lines)
{
	size_t n = v->d->nr_causes;
	const struct sf_cause **pick = calloc(n + 1, sizeof(*pick));
	struct row *row = calloc(n + 1, sizeof(*row));

	if (!pick || !row)
		v->out->failed = true;
	else if (n)
		print_table(v, pick, row, lines);
	free(pick);
	free(row);
}
