/* SPDX-License-Identifier: GPL-2.0-only */
#include "unwound.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/reader.h>
#include <snapflame/symbol.h>
#include <snapflame/unwind.h>
#include <snapflame/writer.h>

enum { FRAMES_MAX = 127 };

struct unwinding {
	struct sf_merge *m;
	uint64_t *offset; /* of each record in the file */
	struct sf_symbols *symbols;
	struct sf_unwind *unwind;
	struct replaced {
		size_t index;
		const struct perf_event_header *rec;
	} *item;
	size_t nr, alloc;
};

static int set_offsets(struct unwinding *u, uint64_t offset)
{
	u->offset = calloc(u->m->nr + 1, sizeof(*u->offset));
	if (!u->offset)
		return -ENOMEM;
	for (size_t i = 0; i < u->m->nr; i++) {
		u->offset[i] = offset;
		offset += u->m->item[i].rec->size;
	}
	return 0;
}

static int by_offset(const void *key, const void *item)
{
	uint64_t a = *(const uint64_t *)key, b = *(const uint64_t *)item;

	return (a > b) - (a < b);
}

bool sf_can_unwind(void)
{
#ifdef HAVE_DW
	return true;
#else
	return false;
#endif
}

/* Is there code at a return address? What frame pointers found elsewhere is chance. */
static bool is_code(struct unwinding *u, uint32_t pid, uint64_t ip)
{
	uint64_t addr;
	uint32_t loc;

	if (!ip || ip >> 47)
		return false;
	loc = sf_symbols_locate(u->symbols, pid, ip, PERF_RECORD_MISC_USER, true);
	return loc && sf_symbols_module(u->symbols, loc, &addr);
}

/*
 * Two halves of one chain: cfi is right and may be cut short, fp reaches the end and may have skipped
 * a caller, or be chance altogether. Callers in both are return addresses. From the first caller
 * that both know on, fp goes on; where they never meet, fp's is the next one only if cfi got no
 * further than the one that fp skips.
 */
static size_t splice(struct unwinding *u, uint32_t pid, uint64_t *cfi, size_t nr_cfi,
		     const uint64_t *fp, size_t nr_fp, size_t max)
{
	size_t n = nr_cfi, from = nr_cfi <= 2 ? 1 : nr_fp;

	if (!nr_cfi && nr_fp) {
		cfi[n++] = fp[0];
		from = 1;
	}
	for (size_t i = 1; i < nr_cfi; i++)
		for (size_t k = 1; k < nr_fp; k++)
			if (cfi[i] == fp[k]) {
				n = i + 1;
				from = k + 1;
				goto append;
			}
append:
	for (; from < nr_fp && n < max && is_code(u, pid, fp[from]); from++)
		cfi[n++] = fp[from];
	return n;
}

/* Kernel part as it is, then the user's: callers as return addresses, as in any callchain. */
static size_t make_chain(struct unwinding *u, const struct sf_record *rec, uint64_t *chain,
			 size_t max)
{
	const struct sf_sample *s = &rec->u.sample;
	uint64_t ip[2 * FRAMES_MAX];
	size_t nr = 0, n, at;

	while (nr < s->nr_chain && nr < max && s->chain[nr] != PERF_CONTEXT_USER) {
		chain[nr] = s->chain[nr];
		nr++;
	}
	at = nr + 1; /* behind PERF_CONTEXT_USER */
	n = sf_unwind_sample(u->unwind, rec->pid, s, ip, FRAMES_MAX);
	for (size_t i = 1; i < n; i++)
		ip[i]++;
	n = splice(u, rec->pid, ip, n, s->chain + at, s->nr_chain > at ? s->nr_chain - at : 0,
		   2 * FRAMES_MAX);
	if (n && nr < max)
		chain[nr++] = PERF_CONTEXT_USER;
	for (size_t i = 0; i < n && nr < max; i++)
		chain[nr++] = ip[i];
	return nr;
}

static int convert(struct unwinding *u, const struct sf_record *rec)
{
	const uint64_t *at = bsearch(&rec->offset, u->offset, u->m->nr, sizeof(*u->offset),
				     by_offset);
	const struct sf_sample *s = &rec->u.sample;
	uint64_t chain[2 * FRAMES_MAX + 8];
	struct sf_build_sample b = {
		.misc = rec->misc, .id = s->id, .ip = s->ip, .time = rec->time,
		.period = s->period, .pid = rec->pid, .tid = rec->tid, .cpu = rec->cpu,
		.chain = chain, .raw = s->raw, .raw_size = s->raw_size,
	};
	const uint64_t type = rec->event->sample_type | PERF_SAMPLE_CALLCHAIN;
	struct sf_str buf = SF_STR_INIT;
	char *copy = NULL;
	int ret;

	if (!at)
		return -EINVAL;
	b.nr_chain = make_chain(u, rec, chain, sizeof(chain) / sizeof(chain[0]));
	ret = sf_build_sample(&buf, type & ~SF_DUMP_TYPE, &b);
	if (!ret && (sf_str_failed(&buf) || !(copy = sf_arena_alloc(&u->m->own, buf.len)) ||
		     SF_GROW(u->item, u->nr + 1, u->alloc)))
		ret = -ENOMEM;
	if (!ret) {
		memcpy(copy, buf.buf, buf.len);
		u->item[u->nr++] = (struct replaced){ (size_t)(at - u->offset), (void *)copy };
	}
	sf_str_release(&buf);
	return ret;
}

static int read_all(struct unwinding *u, const char *recording, struct sf_error *err)
{
	const struct sf_record *rec;
	struct sf_reader *r;
	int ret = sf_reader_open(&r, recording, NULL, err);

	if (ret)
		return ret;
	while ((ret = sf_reader_next(r, &rec, err)) > 0) {
		ret = sf_symbols_feed(u->symbols, rec);
		if (!ret && rec->type == PERF_RECORD_SAMPLE && rec->event &&
		    rec->event->sample_type & SF_DUMP_TYPE)
			ret = convert(u, rec);
		if (ret)
			break;
	}
	/* What could not be delivered has kept its dump. */
	if (!ret && sf_reader_stats(r)->bad)
		ret = -EINVAL;
	sf_reader_free(r);
	return ret;
}

int sf_unwind_records(struct sf_merge *m, const char *recording, uint64_t offset,
		      struct sf_error *err)
{
	struct unwinding u = { .m = m };
	int ret = set_offsets(&u, offset);

	if (!ret)
		ret = sf_symbols_new(&u.symbols, NULL, err);
	if (!ret)
		ret = sf_unwind_new(&u.unwind, u.symbols, NULL, err);
	if (!ret)
		ret = read_all(&u, recording, err);
	for (size_t i = 0; i < u.nr && !ret; i++)
		m->item[u.item[i].index].rec = u.item[i].rec;
	sf_unwind_free(u.unwind);
	sf_symbols_free(u.symbols);
	free(u.item);
	free(u.offset);
	return ret;
}
