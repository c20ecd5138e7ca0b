/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two sides that were recorded in different ways. What is divided by itself needs nothing: pauses are
 * ms a BRANCH, and times come from context switches, whatever the rate of the samples. What changes
 * the meaning of a pause or of an owner makes the difference an artefact: there is no verdict then.
 * Everything else may be the cause that is looked for, and is said.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analysis/diff_internal.h"

struct condition {
	const char *what;
	/* Text of a recording in buf (or elsewhere); "" unknown: nothing is said then. */
	const char *(*of)(const struct sf_recording *rec, char *buf, size_t size);
	bool refuse;
	const char *so; /* what it means, what to do */
};

static const char *wakings(const struct sf_recording *rec, char *buf, size_t size)
{
	return rec->meta.pid ? rec->has_wakings ? "seen" : "not seen" : "";
}

static const char *scope(const struct sf_recording *rec, char *buf, size_t size)
{
	return rec->meta.pid ? rec->system_scope ? "the whole machine" : "the VMM only" : "";
}

static const char *arch(const struct sf_recording *rec, char *buf, size_t size)
{
	return sf_text(rec, rec->meta.arch);
}

static const char *cpu(const struct sf_recording *rec, char *buf, size_t size)
{
	return sf_text(rec, rec->meta.cpu);
}

/* "" where it is not known */
static const char *number(double v, const char *unit, char *buf, size_t size)
{
	buf[0] = '\0';
	if (v > 0)
		snprintf(buf, size, "%g%s", v, unit);
	return buf;
}

static const char *cpus(const struct sf_recording *rec, char *buf, size_t size)
{
	return number(rec->meta.cpus, "", buf, size);
}

static const char *vcpus(const struct sf_recording *rec, char *buf, size_t size)
{
	unsigned n = 0;

	for (size_t i = 0; i < rec->nr_threads; i++)
		n += (rec->thread[i].flags & SF_THREAD_VCPU) && (rec->thread[i].flags & SF_THREAD_TARGET);
	return number(n, "", buf, size);
}

static const char *host(const struct sf_recording *rec, char *buf, size_t size)
{
	return sf_text(rec, rec->meta.host);
}

static const char *kernel(const struct sf_recording *rec, char *buf, size_t size)
{
	return sf_text(rec, rec->meta.kernel);
}

static const char *exe(const struct sf_recording *rec, char *buf, size_t size)
{
	return sf_text(rec, rec->meta.exe);
}

static const char *build(const struct sf_recording *rec, char *buf, size_t size)
{
	snprintf(buf, size, "%.12s", sf_text(rec, rec->meta.exe_build_id));
	return buf;
}

static const char *rate(const struct sf_recording *rec, char *buf, size_t size)
{
	return number(rec->meta.hz, " Hz", buf, size);
}

static const char *chains(const struct sf_recording *rec, char *buf, size_t size)
{
	return sf_text(rec, rec->meta.call_graph);
}

static const struct condition conditions[] = {
	{ "who wakes whom", wakings, true,
	  "the same wait has an owner on one side only; record both the same way, as root" },
	{ "what was recorded", scope, true,
	  "owners outside of the VMM are known on one side only; record both with one --scope" },
	{ "architecture", arch, true, "the functions of the kernel are not the same ones" },
	{ "CPU", cpu, false, "computing takes another time for that alone" },
	{ "CPUs", cpus, false, "waiting for one differs for that alone" },
	{ "vCPUs", vcpus, false, "stopping and resuming them differs for that alone" },
	{ "host", host, false, "disks and neighbours may differ" },
	{ "kernel", kernel, false, "functions may have other names, and other work" },
	{ "program", exe, false, "functions may have other names, and other work" },
	{ "build", build, false,
	  "functions that were split, cloned or renamed by the compiler are matched by their names" },
	{ "samples at", rate, false,
	  "times are by context switches and compare; which function had them is coarser on one side" },
	{ "call chains", chains, false, "callers may be missing on one side" },
};

static const struct sf_recording *other_than(const struct sf_diff *d, const struct condition *c,
					     const char *text)
{
	for (size_t i = 0; i < d->nr[SF_SLOW]; i++) {
		const struct sf_recording *rec = d->ref[d->nr[SF_FAST] + i].rec;
		char buf[128];
		const char *slow = c->of(rec, buf, sizeof(buf));

		if (*slow && strcmp(slow, text))
			return rec;
	}
	return NULL;
}

/* Once for each condition: the first two recordings that differ. */
static int check(struct sf_diff *d, const struct condition *c)
{
	const struct sf_recording *last = NULL;

	for (size_t i = 0; i < d->nr[SF_FAST]; i++) {
		const struct sf_recording *rec = d->ref[i].rec, *other;
		char a[128], z[128];
		const char *fast;

		if (rec == last)
			continue;
		last = rec;
		fast = c->of(rec, a, sizeof(a));
		other = *fast ? other_than(d, c, fast) : NULL;
		if (!other)
			continue;
		return (c->refuse ? sf_diff_problem : sf_diff_note)(
			d, sf_diff_keep(d, "%s differ: %s in %s, %s in %s: %s", c->what, fast, rec->path,
					c->of(other, z, sizeof(z)), other->path, c->so));
	}
	return 0;
}

enum what { DARK, API, WHOLE, NR_WHATS };

static enum what what_of(const struct sf_window *w)
{
	if (w->whole)
		return WHOLE;
	return w->dark_hi > w->dark_lo && w->lo == w->dark_lo && w->hi == w->dark_hi ? DARK : API;
}

/* All of a side are one thing, and the other side's are all another. */
static int check_pauses(struct sf_diff *d)
{
	size_t nr[SF_NR_SIDES][NR_WHATS] = { 0 };

	for (size_t i = 0; i < d->nr[SF_FAST] + d->nr[SF_SLOW]; i++)
		nr[i >= d->nr[SF_FAST]][what_of(d->ref[i].window)]++;
	for (int s = 0; s < SF_NR_SIDES; s++)
		if (nr[s][DARK] && nr[s][DARK] == d->nr[s] && nr[!s][API] && nr[!s][API] == d->nr[!s])
			return sf_diff_problem(d, sf_diff_keep(
				d, "pauses are the dark windows on the %s side and the API's on the "
				   "other, where no vCPU was seen to stop: compare with --api",
				s == SF_FAST ? "fast" : "slow"));
	if (nr[SF_FAST][WHOLE] && nr[SF_SLOW][WHOLE])
		return sf_diff_note(d, sf_diff_keep(d, "without BRANCHes the lengths of the recordings "
						       "are compared"));
	return 0;
}

/* The length of a recording that has no BRANCHes says nothing beside a BRANCH's. */
static int check_marks(struct sf_diff *d)
{
	const struct sf_recording *whole = NULL, *marked = NULL;

	for (size_t i = 0; i < d->nr[SF_FAST] + d->nr[SF_SLOW]; i++)
		*(d->ref[i].rec->meta.pid ? &marked : &whole) = d->ref[i].rec;
	if (!whole || !marked)
		return 0;
	return sf_diff_problem(d, sf_diff_keep(d, "%s has no BRANCHes to compare with those of %s "
						  "(record it with snapflame record)", whole->path,
					       marked->path));
}

/* A snapshot that failed, or was broken off, has a pause, but not that of a snapshot. */
static int check_failed(struct sf_diff *d)
{
	const struct sf_window_ref *first = NULL;
	size_t nr = 0;

	for (size_t i = 0; i < d->nr[SF_FAST] + d->nr[SF_SLOW]; i++) {
		if (!d->ref[i].window->error)
			continue;
		first = first ? first : &d->ref[i];
		nr++;
	}
	if (!nr)
		return 0;
	return sf_diff_note(d, sf_diff_keep(d, "%zu of the BRANCHes failed and %s compared as the others are; "
					       "leave such out with --fast and --slow. BRANCH %u of %s: %s",
					    nr, nr == 1 ? "is" : "are", first->window->branch,
					    first->rec->path, first->window->error));
}

int sf_check_conditions(struct sf_diff *d)
{
	int ret = check_marks(d);

	if (!ret)
		ret = check_pauses(d);
	if (!ret)
		ret = check_failed(d);
	for (size_t i = 0; !ret && i < SF_ARRAY_SIZE(conditions); i++)
		ret = check(d, &conditions[i]);
	return ret;
}
