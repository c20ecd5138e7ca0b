/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Records of the other byte order. The kernel's record types are rows of fields of fixed sizes,
 * written down here; samples are walked as their event lays them out.
 */
#include <string.h>

#include "perfdata/reader_impl.h"

/* h u16, w u32, q u64, Q as many u64 as there are, b 24 bytes that stay as they are. */
static const char *const fields[] = {
	[PERF_RECORD_MMAP] = "wwqqq",
	[PERF_RECORD_LOST] = "qq",
	[PERF_RECORD_COMM] = "ww",
	[PERF_RECORD_EXIT] = "wwwwq",
	[PERF_RECORD_THROTTLE] = "qqq",
	[PERF_RECORD_UNTHROTTLE] = "qqq",
	[PERF_RECORD_FORK] = "wwwwq",
	[PERF_RECORD_READ] = "wwQ",
	[PERF_RECORD_MMAP2] = "wwqqqwwqqww",
	[PERF_RECORD_AUX] = "qqq",
	[PERF_RECORD_ITRACE_START] = "ww",
	[PERF_RECORD_LOST_SAMPLES] = "q",
	[PERF_RECORD_SWITCH_CPU_WIDE] = "ww",
	[PERF_RECORD_NAMESPACES] = "wwQ",
	[PERF_RECORD_KSYMBOL] = "qwhh",
	[PERF_RECORD_BPF_EVENT] = "hhw",
	[PERF_RECORD_CGROUP] = "q",
	[PERF_RECORD_TEXT_POKE] = "qhh",
	[PERF_RECORD_AUX_OUTPUT_HW_ID] = "q",
	[SF_RECORD_HEADER_BUILD_ID] = "w",
};

static void swap16(uint8_t *p)
{
	uint16_t v = sf_raw16(p, true);

	memcpy(p, &v, sizeof(v));
}

static void swap32(uint8_t *p)
{
	uint32_t v = sf_raw32(p, true);

	memcpy(p, &v, sizeof(v));
}

static void swap64(uint8_t *p)
{
	uint64_t v = sf_raw64(p, true);

	memcpy(p, &v, sizeof(v));
}

static void swap_fields(uint8_t *p, size_t size, const char *f)
{
	for (; *f; f++) {
		size_t n = *f == 'h' ? 2 : *f == 'w' ? 4 : *f == 'b' ? 24 : 8;

		if (size < n)
			return;
		if (*f == 'h')
			swap16(p);
		else if (*f == 'w')
			swap32(p);
		else if (*f != 'b')
			swap64(p);
		p += n;
		size -= n;
		if (*f == 'Q')
			f--;
	}
}

static void swap_trailer(uint8_t *p, uint64_t type)
{
	char f[8] = "";
	size_t n = 0;

	if (type & PERF_SAMPLE_TID) {
		f[n++] = 'w';
		f[n++] = 'w';
	}
	for (size_t i = 0; i < 3; i++) {
		static const uint64_t bit[] = { PERF_SAMPLE_TIME, PERF_SAMPLE_ID,
						PERF_SAMPLE_STREAM_ID };

		if (type & bit[i])
			f[n++] = 'q';
	}
	f[n] = '\0';
	swap_fields(p, 48, f);
	p += 8 * (n - (type & PERF_SAMPLE_TID ? 1 : 0));
	if (type & PERF_SAMPLE_CPU) {
		swap_fields(p, 8, "ww");
		p += 8;
	}
	if (type & PERF_SAMPLE_IDENTIFIER)
		swap64(p);
}

/* A sample is u64s, some of which are two u32, and blocks of bytes. */
struct walk {
	uint8_t *p;
	size_t left; /* u64s */
};

static uint64_t step(struct walk *w, uint64_t nr, bool swap)
{
	uint64_t last = 0;

	for (; nr && w->left; nr--) {
		if (swap)
			swap64(w->p);
		last = sf_raw64(w->p, false);
		w->p += 8;
		w->left--;
	}
	return last;
}

static void step_pair(struct walk *w)
{
	if (!w->left)
		return;
	swap32(w->p);
	swap32(w->p + 4);
	step(w, 1, false);
}

static void swap_read(struct walk *w, uint64_t format)
{
	uint64_t words = 1 + !!(format & PERF_FORMAT_ID) + !!(format & PERF_FORMAT_LOST);
	uint64_t times = !!(format & PERF_FORMAT_TOTAL_TIME_ENABLED) +
			 !!(format & PERF_FORMAT_TOTAL_TIME_RUNNING);
	uint64_t nr = 1;

	if (format & PERF_FORMAT_GROUP)
		nr = step(w, 1, true);
	step(w, times, true);
	step(w, nr < w->left ? nr * words : w->left, true);
}

static void swap_raw(struct walk *w)
{
	uint32_t size;

	if (!w->left)
		return;
	swap32(w->p);
	size = sf_raw32(w->p, false);
	step(w, ((uint64_t)size + 4 + 7) / 8, false);
}

/* The flags of a branch are bit fields, 1-1-1-1-16-4-2-… bits from the first on. */
static uint64_t swap_branch_flags(uint64_t v)
{
	static const uint8_t width[] = { 1, 1, 1, 1, 16, 4, 2, 4, 3 };
	unsigned at = 0;
	uint64_t out = 0;

	for (size_t i = 0; i < sizeof(width); i++) {
		uint64_t field = v >> (64 - at - width[i]) & ((1ULL << width[i]) - 1);

		out |= field << at;
		at += width[i];
	}
	return out;
}

static void swap_branches(struct walk *w, uint64_t branch_type)
{
	uint64_t nr = step(w, 1, true);

	if (branch_type & PERF_SAMPLE_BRANCH_HW_INDEX)
		step(w, 1, true);
	for (uint64_t i = 0; i < nr && w->left >= 3; i++) {
		uint64_t flags;

		step(w, 3, true);
		flags = swap_branch_flags(sf_raw64(w->p - 8, false));
		memcpy(w->p - 8, &flags, 8);
	}
	if (branch_type & SF_BRANCH_COUNTERS)
		step(w, nr, true);
}

static void swap_regs(struct walk *w, uint64_t mask)
{
	if (step(w, 1, true))
		step(w, (uint64_t)__builtin_popcountll(mask), true);
}

static void swap_block(struct walk *w, bool has_dyn_size)
{
	uint64_t size = step(w, 1, true);

	step(w, size / 8 + !!(size % 8), false);
	if (size && has_dyn_size)
		step(w, 1, true);
}

static void swap_sample(uint8_t *p, size_t size, const struct perf_event_attr *a)
{
	struct walk w = { p, size / 8 };
	uint64_t type = a->sample_type;

	step(&w, !!(type & PERF_SAMPLE_IDENTIFIER) + !!(type & PERF_SAMPLE_IP), true);
	if (type & PERF_SAMPLE_TID)
		step_pair(&w);
	step(&w,
	     !!(type & PERF_SAMPLE_TIME) + !!(type & PERF_SAMPLE_ADDR) + !!(type & PERF_SAMPLE_ID) +
		     !!(type & PERF_SAMPLE_STREAM_ID),
	     true);
	if (type & PERF_SAMPLE_CPU)
		step_pair(&w);
	step(&w, !!(type & PERF_SAMPLE_PERIOD), true);
	if (type & PERF_SAMPLE_READ)
		swap_read(&w, a->read_format);
	if (type & PERF_SAMPLE_CALLCHAIN)
		step(&w, step(&w, 1, true), true);
	if (type & PERF_SAMPLE_RAW)
		swap_raw(&w);
	if (type & PERF_SAMPLE_BRANCH_STACK)
		swap_branches(&w, a->branch_sample_type);
	if (type & PERF_SAMPLE_REGS_USER)
		swap_regs(&w, a->sample_regs_user);
	if (type & PERF_SAMPLE_STACK_USER)
		swap_block(&w, true);
	step(&w,
	     !!(type & (PERF_SAMPLE_WEIGHT | PERF_SAMPLE_WEIGHT_STRUCT)) +
		     !!(type & PERF_SAMPLE_DATA_SRC) + !!(type & PERF_SAMPLE_TRANSACTION),
	     true);
	if (type & PERF_SAMPLE_REGS_INTR)
		swap_regs(&w, a->sample_regs_intr);
	step(&w,
	     !!(type & PERF_SAMPLE_PHYS_ADDR) + !!(type & PERF_SAMPLE_CGROUP) +
		     !!(type & PERF_SAMPLE_DATA_PAGE_SIZE) + !!(type & PERF_SAMPLE_CODE_PAGE_SIZE),
	     true);
	if (type & PERF_SAMPLE_AUX)
		swap_block(&w, false);
}

void sf_swap_record(struct sf_reader *r, uint8_t *rec, size_t size, const struct sf_evsel *ev)
{
	uint32_t type;
	uint16_t misc;
	size_t body = size - 8;

	swap32(rec);
	swap16(rec + 4);
	swap16(rec + 6);
	type = sf_raw32(rec, false);
	misc = sf_raw16(rec + 4, false);
	if (type == PERF_RECORD_SAMPLE) {
		if (ev)
			swap_sample(rec + 8, body, &ev->pub.attr);
		return;
	}
	if (type < SF_RECORD_HEADER_ATTR && ev && ev->trailer_size <= body) {
		body -= ev->trailer_size;
		if (ev->trailer_size)
			swap_trailer(rec + 8 + body, ev->pub.sample_type);
	}
	if (type == PERF_RECORD_MMAP2 &&
	    sf_mmap2_has_build_id(&r->evlist, NULL, misc, rec + 8, body))
		swap_fields(rec + 8, body, "wwqqqbww");
	else if (type < SF_ARRAY_SIZE(fields) && fields[type])
		swap_fields(rec + 8, body, fields[type]);
}
