/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "journal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <snapflame/array.h>

#include "session.h"

enum {
	J_START = SF_CHUNK_JOURNAL, /* of a generation; at the beginning of a page */
	J_PAD,
	J_SIDEBAND,
	J_KEPT, /* records of what the flight recorder forgot */
	J_BUILD_IDS,
	J_MARK, /* its time, then the text */
	J_ADDRESSES,
	J_STATE,
	J_BEGIN,
	J_COMMIT, /* the generation is whole */
};

/* Numbers that the end mark and the spools need; all BRANCHes so far are over. */
struct state {
	uint64_t first, poll_first;
	uint64_t window_ns, recorder_ns, poll_ns;
	uint64_t refused, poll_refused, reader_refused, waking_refused;
	uint64_t branches;
};

struct begin {
	uint64_t time, branch;
};

int sf_journal_open(struct sf_journal *j)
{
	j->marks = j->addresses = 0;
	return sf_spool_open(&j->spool, "snapflame-journal", UINT64_MAX / 2, &j->used);
}

void sf_journal_close(struct sf_journal *j)
{
	sf_spool_close(&j->spool);
}

static int add(struct sf_journal *j, uint32_t kind, const void *data, size_t len)
{
	return sf_spool_add(&j->spool, kind, 0, data, len, NULL, 0);
}

static int add_marks(struct sf_capture *c)
{
	struct sf_journal *j = &c->journal;
	int ret = 0;

	for (; j->marks < c->marks.nr && !ret; j->marks++) {
		const struct sf_mark *m = &c->marks.item[j->marks];

		ret = sf_spool_add(&j->spool, J_MARK, 0, &m->time, sizeof(m->time), m->text, m->len);
	}
	if (!ret && j->addresses < c->addresses.nr)
		ret = add(j, J_ADDRESSES, c->addresses.item + j->addresses,
			  (c->addresses.nr - j->addresses) * sizeof(*c->addresses.item));
	j->addresses = c->addresses.nr;
	return ret;
}

static int add_state(struct sf_capture *c)
{
	const struct state s = {
		.first = c->spool.first,
		.poll_first = c->poll_spool.first,
		.window_ns = c->window_ns,
		.recorder_ns = c->recorder_ns,
		.poll_ns = c->poll_ns,
		.refused = c->spool.refused,
		.poll_refused = c->poll_spool.refused,
		.reader_refused = c->reader.refused,
		.waking_refused = c->wakings.refused,
		.branches = c->stats.branches,
	};

	return add(&c->journal, J_STATE, &s, sizeof(s));
}

int sf_journal_write(struct sf_capture *c)
{
	int ret;

	if (c->journal.spool.fd < 0)
		return 0;
	ret = add_marks(c);
	return ret ? ret : add_state(c);
}

/* So that a generation begins a page: what is before it can be given back, and is not read. */
static int fill_page(struct sf_journal *j)
{
	const uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	uint64_t left = (page - j->spool.size % page) % page;
	uint8_t *nul;
	int ret;

	if (!left)
		return 0;
	if (left < sizeof(struct sf_chunk))
		left += page;
	nul = calloc(1, left);
	if (!nul)
		return -ENOMEM;
	ret = add(j, J_PAD, nul, left - sizeof(struct sf_chunk));
	free(nul);
	return ret;
}

static int add_kept(struct sf_capture *c)
{
	struct sf_str s = SF_STR_INIT;
	int ret;

	sf_flight_kept(&c->flight, &s);
	ret = sf_str_failed(&s) ? -ENOMEM : add(&c->journal, J_KEPT, s.buf, s.len);
	sf_str_release(&s);
	return ret;
}

int sf_journal_rewrite(struct sf_capture *c)
{
	struct sf_journal *j = &c->journal;
	uint64_t start;
	int ret;

	if (j->spool.fd < 0)
		return 0;
	ret = fill_page(j);
	start = j->spool.size;
	j->marks = j->addresses = 0;
	if (!ret)
		ret = add(j, J_START, NULL, 0);
	if (!ret)
		ret = add(j, J_SIDEBAND, c->sideband.records.buf, c->sideband.records.len);
	if (!ret)
		ret = add(j, J_BUILD_IDS, c->sideband.build_ids.buf, c->sideband.build_ids.len);
	if (!ret)
		ret = add_kept(c);
	if (!ret)
		ret = sf_journal_write(c);
	if (!ret)
		ret = add(j, J_COMMIT, NULL, 0);
	if (!ret)
		sf_spool_forget(&j->spool, start);
	return ret;
}

int sf_journal_begin(struct sf_capture *c, unsigned branch, uint64_t time)
{
	const struct begin b = { time, branch };
	int ret;

	if (c->journal.spool.fd < 0)
		return 0;
	ret = sf_journal_write(c);
	return ret ? ret : add(&c->journal, J_BEGIN, &b, sizeof(b));
}

static int read_mark(struct sf_capture *c, const uint8_t *data, size_t size)
{
	struct sf_marks *m = &c->marks;
	struct sf_mark mark = { 0 };

	if (size < sizeof(mark.time))
		return 0;
	memcpy(&mark.time, data, sizeof(mark.time));
	mark.len = size - sizeof(mark.time);
	mark.text = strndup((const char *)data + sizeof(mark.time), mark.len);
	if (!mark.text || SF_GROW(m->item, m->nr + 1, m->alloc)) {
		free(mark.text);
		return -ENOMEM;
	}
	m->item[m->nr++] = mark;
	return 0;
}

static int read_addresses(struct sf_capture *c, const uint8_t *data, size_t size)
{
	struct sf_addresses *a = &c->addresses;

	if (SF_GROW(a->item, a->nr + size / sizeof(*a->item), a->alloc))
		return -ENOMEM;
	memcpy(a->item + a->nr, data, size);
	a->nr += size / sizeof(*a->item);
	return 0;
}

static void read_state(struct sf_capture *c, const uint8_t *data)
{
	struct state s;

	memcpy(&s, data, sizeof(s));
	c->spool.first = s.first;
	c->poll_spool.first = s.poll_first;
	c->window_ns = s.window_ns;
	c->recorder_ns = s.recorder_ns;
	c->poll_ns = s.poll_ns;
	c->spool.refused = s.refused;
	c->poll_spool.refused = s.poll_refused;
	c->reader.refused = s.reader_refused;
	c->wakings.refused = s.waking_refused;
	c->stats.branches = (unsigned)s.branches;
}

static int read_chunk(struct sf_capture *c, const struct sf_chunk *chunk, const uint8_t *data,
		      struct begin *b)
{
	switch (chunk->kind) {
	case J_SIDEBAND:
		sf_str_addn(&c->sideband.records, data, chunk->size);
		return sf_str_failed(&c->sideband.records) ? -ENOMEM : 0;
	case J_KEPT:
		sf_str_addn(&c->flight.read, data, chunk->size);
		return sf_str_failed(&c->flight.read) ? -ENOMEM : 0;
	case J_BUILD_IDS:
		sf_str_addn(&c->sideband.build_ids, data, chunk->size);
		return sf_str_failed(&c->sideband.build_ids) ? -ENOMEM : 0;
	case J_MARK:
		return read_mark(c, data, chunk->size);
	case J_ADDRESSES:
		return read_addresses(c, data, chunk->size);
	case J_STATE:
		*b = (struct begin){ 0 };
		read_state(c, data);
		return 0;
	case J_BEGIN:
		memcpy(b, data, sizeof(*b));
		return 0;
	default:
		return 0;
	}
}

/* Where the last whole generation starts; the size of the journal where there is none. */
static uint64_t last_generation(struct sf_spool_map m)
{
	uint64_t start = m.size, found = m.size, at = m.at;
	const struct sf_chunk *chunk;
	const uint8_t *data;

	for (; (chunk = sf_spool_next(&m, &data)); at = m.at) {
		if (chunk->kind == J_START)
			start = at;
		else if (chunk->kind == J_COMMIT)
			found = start;
	}
	return found;
}

int sf_journal_read(struct sf_capture *c, unsigned *branch, uint64_t *time)
{
	struct sf_spool *s = &c->journal.spool;
	off_t first = lseek(s->fd, 0, SEEK_DATA);
	const struct sf_chunk *chunk;
	struct begin b = { 0 };
	struct sf_spool_map m;
	const uint8_t *data;
	int ret;

	if (first < 0)
		return -ENODATA;
	ret = sf_spool_catch_up(s, (uint64_t)first);
	if (!ret)
		ret = sf_spool_map(s, &m);
	if (ret)
		return ret;
	m.at = last_generation(m);
	if (m.at == m.size)
		ret = -ENODATA;
	while (!ret && (chunk = sf_spool_next(&m, &data)))
		ret = read_chunk(c, chunk, data, &b);
	sf_spool_unmap(&m);
	*branch = (unsigned)b.branch;
	*time = b.time;
	return ret;
}
