/* SPDX-License-Identifier: GPL-2.0-only */
/* What stands around the verdict: who merely waited, and what else of the machine moved. */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/render_text.h>

#include "render/quantity.h"
#include "render/text_diff.h"

/* --------------------------------------------------------------------- waiting */

/* "rayon-0", "rayon-1", "rayon-2" are one name with a number at its end. */
static size_t stem(const char *comm, unsigned long *number)
{
	size_t len = strlen(comm), n = len;

	while (n && isdigit((unsigned char)comm[n - 1]))
		n--;
	if (n == len || !n || len - n > 6 || (comm[n] == '0' && n + 1 < len))
		return 0;
	*number = strtoul(comm + n, NULL, 10);
	return n;
}

static int by_comm(const void *a, const void *b)
{
	const char *x = *(const char *const *)a, *y = *(const char *const *)b;
	unsigned long i = 0, k = 0;
	size_t n = stem(x, &i), m = stem(y, &k);

	if (n && n == m && !strncmp(x, y, n))
		return i < k ? -1 : i > k;
	return strcmp(x, y);
}

/* How many names from at on are first, first + 1, … */
static size_t run_of(const char **comm, size_t nr, size_t at)
{
	unsigned long first = 0, number = 0;
	size_t n = stem(comm[at], &first), i;

	for (i = at + 1; n && i < nr; i++)
		if (stem(comm[i], &number) != n || strncmp(comm[i], comm[at], n) ||
		    number != first + (i - at))
			break;
	return i - at;
}

static size_t same_of(const char **comm, size_t nr, size_t at)
{
	size_t i = at + 1;

	while (i < nr && !strcmp(comm[i], comm[at]))
		i++;
	return i - at;
}

enum { MAX_NAMES = 8 };

static void put_names(struct sf_str *s, const char **comm, size_t nr)
{
	size_t shown = 0;

	qsort(comm, nr, sizeof(*comm), by_comm);
	for (size_t i = 0; i < nr; shown++) {
		size_t run = run_of(comm, nr, i), same = same_of(comm, nr, i);
		unsigned long last = 0;

		if (shown == MAX_NAMES) {
			sf_str_addf(s, " and %zu more", nr - i);
			return;
		}
		sf_str_addf(s, "%s%s", shown ? ", " : "", comm[i]);
		if (run > 2 && stem(comm[i + run - 1], &last))
			sf_str_addf(s, "…%lu", last);
		else if (same > 1)
			sf_str_addf(s, " (%zu×)", same);
		i += run > 2 ? run : same;
	}
}

static bool same_target(const struct sf_passive *a, const struct sf_passive *b)
{
	if (a->idle || b->idle || !a->for_comm || !b->for_comm)
		return (a->idle || !a->for_comm) == (b->idle || !b->for_comm);
	return a->for_tid == b->for_tid && !strcmp(a->for_comm, b->for_comm);
}

/* One group: those who wait for the same owner; done[] are those of earlier groups. */
static void put_group(struct sf_str *s, const struct sf_diff *d, size_t first, bool *done,
		      const char **comm)
{
	const struct sf_passive *p = &d->passive[first];
	size_t n = 0;

	for (size_t i = first; i < d->nr_passive; i++) {
		if (done[i] || !same_target(p, &d->passive[i]))
			continue;
		done[i] = true;
		comm[n++] = d->passive[i].comm ? d->passive[i].comm : "?";
	}
	sf_str_add(s, s->len ? "; " : "");
	put_names(s, comm, n);
	if (p->idle || !p->for_comm)
		sf_str_add(s, " idle");
	else
		sf_str_addf(s, " for %s", p->for_comm);
}

void sf_view_waiting(struct sf_diff_view *v)
{
	const struct sf_diff *d = v->d;
	const char **comm = calloc(d->nr_passive + 1, sizeof(*comm));
	bool *done = calloc(d->nr_passive + 1, sizeof(*done));
	struct sf_str s = SF_STR_INIT;

	if (!comm || !done)
		v->out->failed = true;
	/* First those who wait for somebody, then the idle ones. */
	for (int idle = 0; comm && done && idle < 2; idle++)
		for (size_t i = 0; i < d->nr_passive; i++)
			if (!done[i] && (d->passive[i].idle || !d->passive[i].for_comm) == idle)
				put_group(&s, d, i, done, comm);
	if (s.len) {
		sf_str_add(&s, ": not causes");
		sf_view_section(v, "waiting", SF_PLAIN, s.buf);
	}
	v->out->failed |= s.failed;
	sf_str_release(&s);
	free(comm);
	free(done);
}

/* ----------------------------------------------------------------------- moved */

void sf_put_moved(struct sf_str *s, const struct sf_moved *m)
{
	struct sf_quantity q = sf_quantity_of(m->name, fmax(fabs(m->fast), fabs(m->slow)));

	sf_str_addn(s, m->name, q.stem);
	sf_str_addch(s, ' ');
	sf_quantity_number(s, &q, m->fast);
	sf_str_add(s, " → ");
	sf_quantity_put(s, &q, m->slow);
}

enum { MAX_MOVED = 5 };

static void put_all_moved(struct sf_str *s, const struct sf_diff *d, bool during)
{
	size_t n = 0;

	for (size_t i = 0; i < d->nr_moved && n < MAX_MOVED; i++) {
		const struct sf_moved *m = &d->moved[i];

		if (m->during != during || !isfinite(m->fast) || !isfinite(m->slow))
			continue;
		if (n++)
			sf_str_add(s, ", ");
		else if (s->len)
			sf_str_add(s, "; ");
		sf_put_moved(s, m);
	}
	if (n)
		sf_str_add(s, during ? " during the pause" : " when the pause began");
}

void sf_view_moved(struct sf_diff_view *v)
{
	struct sf_str s = SF_STR_INIT;

	put_all_moved(&s, v->d, false);
	put_all_moved(&s, v->d, true);
	if (s.len)
		sf_view_section(v, "moved", SF_PLAIN, s.buf);
	v->out->failed |= s.failed;
	sf_str_release(&s);
}
