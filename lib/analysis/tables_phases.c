/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the pause of each BRANCH consists of, and what took most of each phase. The rows of a BRANCH
 * sum to its window.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/phases.h>
#include <snapflame/profile.h>

#include "analysis/profile_internal.h"
#include "analysis/tables_internal.h"

enum { BRANCH, TRIAL, PHASE, MS, PCT, OWNER, OWNER_MS, KIND, FRAME, NR };

#define BOTH (SF_COLUMN_TEXT | SF_COLUMN_DATA)

static const struct sf_column columns[NR] = {
	[BRANCH] = { "branch", "BRANCH", BOTH, 0 },
	[TRIAL] = { "trial", "trial", SF_COLUMN_DATA, 0 },
	[PHASE] = { "phase", "phase", BOTH | SF_COLUMN_LEFT, 0 },
	[MS] = { "ms", "ms", BOTH, 1 },
	[PCT] = { "pct", "%", BOTH, 1 },
	[OWNER] = { "owner", "mostly", BOTH | SF_COLUMN_LEFT | SF_COLUMN_CUT, 0 },
	[OWNER_MS] = { "owner_ms", "of it", BOTH | SF_COLUMN_SPARE, 1 },
	[KIND] = { "kind", "kind", BOTH | SF_COLUMN_LEFT, 0 },
	[FRAME] = { "frame", "in", BOTH | SF_COLUMN_LEFT | SF_COLUMN_CUT, 0 },
};

/* One phase of a window, or what an owner did in it at one place. */
struct part {
	uint64_t ns;
	uint32_t segment; /* the first of its segments */
	uint8_t phase, kind;
	uint32_t owner, frame; /* of profile; string id */
};

struct parts {
	struct part *item;
	size_t nr, alloc;
	struct sf_map64 at;
};

struct build {
	struct table_build *b;
	struct sf_profile profile; /* only its owners and their names */
	struct sf_critpath path;
	struct sf_phase_spans spans;
	struct parts parts;
	uint64_t phase_ns[SF_NR_PHASES];
};

static int add_part(struct build *p, const struct sf_phase_span *span)
{
	const struct sf_segment *s = &p->path.seg[span->segment];
	struct part one = {
		.segment = span->segment, .phase = span->phase, .kind = (uint8_t)s->kind,
		.owner = sf_profile_owner(&p->profile, p->b->rec, s->thread, s->dev),
		.frame = sf_strtab_id(&p->b->names, s->dev ? "" : sf_leaf_name(p->b, s->stack)),
	};
	uint64_t key = sf_hash64((uint64_t)one.owner << 32 | one.frame) ^
		       (uint64_t)(one.phase << 8 | one.kind);
	uint32_t *at = sf_map64_at(&p->parts.at, key, NULL);

	if (!one.owner || !at || (!*at && SF_GROW(p->parts.item, p->parts.nr + 1, p->parts.alloc)))
		return -ENOMEM;
	if (!*at) {
		p->parts.item[p->parts.nr] = one;
		*at = (uint32_t)++p->parts.nr;
	}
	p->parts.item[*at - 1].ns += span->hi - span->lo;
	p->phase_ns[span->phase] += span->hi - span->lo;
	return 0;
}

static int add_row(struct build *p, const struct sf_window *w, enum sf_phase_kind phase)
{
	const struct part *most = NULL;
	int ret = sf_row(p->b);

	if (ret)
		return ret;
	for (size_t i = 0; i < p->parts.nr; i++) {
		const struct part *q = &p->parts.item[i];

		if (q->phase == phase && (!most || q->ns > most->ns))
			most = q;
	}
	sf_set_int(p->b, BRANCH, w->branch);
	sf_set_int(p->b, TRIAL, w->trial);
	sf_set_text(p->b, PHASE, sf_phase_name(phase));
	sf_set_ms(p->b, MS, p->phase_ns[phase]);
	sf_set_real(p->b, PCT, 100 * (double)p->phase_ns[phase] / (double)(w->hi - w->lo));
	sf_set_text(p->b, OWNER, sf_strtab_text(&p->profile.str, p->profile.owner[most->owner].label));
	sf_set_ms(p->b, OWNER_MS, most->ns);
	sf_set_text(p->b, KIND, sf_kind_name(most->kind));
	sf_set_text(p->b, FRAME, sf_strtab_text(&p->b->names, most->frame));
	return 0;
}

static int add_window(struct build *p, const struct sf_window *w)
{
	struct sf_timelines ts;
	int ret;

	if (w->root == SF_NO_THREAD || w->hi <= w->lo)
		return 0;
	ret = sf_timelines_init(&ts, p->b->rec, w, w->lo, w->hi);
	if (!ret)
		ret = sf_critpath_walk(&p->path, &ts, &p->b->mech, w->root);
	if (!ret)
		ret = sf_phases_of(&p->spans, p->b->rec, w, &p->path);
	sf_timelines_release(&ts);
	sf_map64_release(&p->parts.at);
	p->parts.nr = 0;
	memset(p->phase_ns, 0, sizeof(p->phase_ns));
	for (size_t i = 0; !ret && i < p->spans.nr; i++)
		ret = add_part(p, &p->spans.item[i]);
	for (int k = SF_PHASE_STOP; !ret && k < SF_NR_PHASES; k++)
		if (p->phase_ns[k])
			ret = add_row(p, w, k);
	if (!ret && p->phase_ns[SF_PHASE_OTHER])
		ret = add_row(p, w, SF_PHASE_OTHER);
	return ret;
}

static int fill(struct table_build *b)
{
	struct build p = { .b = b };
	int ret = 0;

	for (size_t i = 0; !ret && i < b->nr_windows; i++)
		ret = add_window(&p, b->window[i]);
	sf_profile_release(&p.profile);
	sf_critpath_release(&p.path);
	sf_phase_spans_release(&p.spans);
	sf_map64_release(&p.parts.at);
	free(p.parts.item);
	if (!ret && !b->rec->has_syscalls)
		ret = sf_table_note(b, "borders by stacks: as exact as %.0f CPU samples a second are "
				    "dense; record --syscalls has each call", b->rec->meta.hz);
	return ret;
}

const struct table_def sf_def_phases = { "phases", columns, NR, fill };
