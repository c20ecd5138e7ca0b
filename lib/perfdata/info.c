/* SPDX-License-Identifier: GPL-2.0-only */
/* What a reader knows beside the records. */
#include "perfdata/reader_impl.h"

const char *sf_reader_path(const struct sf_reader *r)
{
	return r->path;
}

size_t sf_reader_nr_events(const struct sf_reader *r)
{
	return r->evlist.nr;
}

const struct sf_event *sf_reader_event(const struct sf_reader *r, size_t index)
{
	return index < r->evlist.nr ? &r->evlist.ev[index]->pub : NULL;
}

const struct sf_reader_stats *sf_reader_stats(const struct sf_reader *r)
{
	return &r->stats;
}

const char *sf_reader_problem(const struct sf_reader *r, size_t index)
{
	return index < r->nr_problems ? r->problem[index] : NULL;
}

bool sf_reader_swapped(const struct sf_reader *r)
{
	return r->swapped;
}

const char *sf_reader_feature(const struct sf_reader *r, enum sf_feature feature)
{
	const char *text = (unsigned)feature < SF_FEATURE_TEXTS ? r->features.text[feature] : NULL;

	return text ? text : "";
}

uint32_t sf_reader_nr_cpus(const struct sf_reader *r)
{
	return r->features.nr_cpus;
}

bool sf_reader_clock(const struct sf_reader *r, int *clockid, uint64_t *clock_ns,
		     uint64_t *realtime_ns)
{
	const struct sf_features *f = &r->features;

	*clockid = f->clockid;
	*clock_ns = f->clock_ns;
	*realtime_ns = f->realtime_ns;
	return f->has_clock;
}
