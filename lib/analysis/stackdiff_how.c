/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stacks of two sides that were sampled in different ways. Shares of the weight are comparable whatever the
 * rate, the length and the number of CPUs; what changes which functions there are, or who calls
 * whom, is said.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "analysis/stackdiff_internal.h"

static const char *feature(const struct sf_reader *r, enum sf_feature f)
{
	const char *text = sf_reader_feature(r, f);

	return text ? text : "";
}

static const char *arch(const struct sf_reader *r, const struct sf_event *e, char *buf, size_t size)
{
	return feature(r, SF_FEAT_ARCH);
}

static const char *kernel(const struct sf_reader *r, const struct sf_event *e, char *buf, size_t size)
{
	return feature(r, SF_FEAT_OSRELEASE);
}

static const char *cpu(const struct sf_reader *r, const struct sf_event *e, char *buf, size_t size)
{
	return feature(r, SF_FEAT_CPUDESC);
}

static const char *host(const struct sf_reader *r, const struct sf_event *e, char *buf, size_t size)
{
	return feature(r, SF_FEAT_HOSTNAME);
}

static const char *perf(const struct sf_reader *r, const struct sf_event *e, char *buf, size_t size)
{
	return feature(r, SF_FEAT_VERSION);
}

static const char *rate(const struct sf_reader *r, const struct sf_event *e, char *buf, size_t size)
{
	buf[0] = '\0';
	if (e && e->attr.freq && e->attr.sample_freq)
		snprintf(buf, size, "%" PRIu64 " Hz", (uint64_t)e->attr.sample_freq);
	else if (e && e->attr.sample_period)
		snprintf(buf, size, "every %" PRIu64, (uint64_t)e->attr.sample_period);
	return buf;
}

static const char *chains(const struct sf_reader *r, const struct sf_event *e, char *buf, size_t size)
{
	if (!e)
		return "";
	if (e->attr.sample_type & PERF_SAMPLE_STACK_USER)
		return "user stacks (dwarf)";
	if (e->attr.branch_sample_type & PERF_SAMPLE_BRANCH_CALL_STACK)
		return "branch records (lbr)";
	return e->attr.sample_type & PERF_SAMPLE_CALLCHAIN ? "frame pointers" : "none";
}

static const struct how {
	const char *what;
	const char *(*of)(const struct sf_reader *r, const struct sf_event *e, char *buf, size_t size);
	const char *so;
} hows[] = {
	{ "architecture", arch, "the functions of the kernel and of libraries are not the same ones" },
	{ "CPU", cpu, "the same function takes another share for that alone" },
	{ "host", host, "what else ran there differs" },
	{ "kernel", kernel, "its functions may have other names, and other work" },
	{ "perf", perf, "names and call chains may be cut in other ways" },
	{ "samples", rate, "shares compare; they are coarser on one side" },
	{ "call chains", chains, "callers may be missing on one side" },
};

_Static_assert(SF_ARRAY_SIZE(hows) <= SF_STACKDIFF_HOWS, "as many as there is room for");

static const struct sf_event *event_named(const struct sf_reader *r, const char *name)
{
	for (size_t i = 0; name && i < sf_reader_nr_events(r); i++)
		if (!strcmp(sf_reader_event(r, i)->name, name))
			return sf_reader_event(r, i);
	return NULL;
}

static const char *keep(struct sf_stackdiff *d, const char *text)
{
	return sf_arena_strndup(&d->arena, text, strlen(text));
}

int sf_stackdiff_recorded(struct sf_stackdiff *d, enum sf_side side, const struct sf_reader *r,
			  const char *event, const char *path)
{
	const struct sf_event *e = event_named(r, event);
	char buf[128];

	for (size_t i = 0; i < SF_ARRAY_SIZE(hows); i++) {
		struct sf_stackdiff_how *h = &d->build->how[side][i];
		const char *text = hows[i].of(r, e, buf, sizeof(buf));

		if (h->text || !*text)
			continue;
		h->text = keep(d, text);
		h->path = keep(d, path);
		if (!h->text || !h->path)
			return -ENOMEM;
	}
	return 0;
}

int sf_stackdiff_hows(struct sf_stackdiff *d)
{
	for (size_t i = 0; i < SF_ARRAY_SIZE(hows); i++) {
		const struct sf_stackdiff_how *a = &d->build->how[SF_FAST][i], *z = &d->build->how[SF_SLOW][i];

		if (!a->text || !z->text || !strcmp(a->text, z->text))
			continue;
		d->condition[d->nr_conditions] =
			sf_arena_format(&d->arena, "%s: %s in %s, but %s in %s: %s", hows[i].what, a->text,
					a->path, z->text, z->path, hows[i].so);
		if (!d->condition[d->nr_conditions++])
			return -ENOMEM;
	}
	return 0;
}
