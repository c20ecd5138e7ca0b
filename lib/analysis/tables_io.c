/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests of block devices, by BRANCH: those that were issued or done in its window. */
#include <errno.h>
#include <stdlib.h>

#include <snapflame/profile.h>
#include <snapflame/stats.h>

#include "analysis/tables_internal.h"

enum { BRANCH, DEVICE, OPERATION, REQUESTS, BYTES, MB, MEDIAN, P99, MAX, BUSY, ISSUER, NR };

#define BOTH (SF_COLUMN_TEXT | SF_COLUMN_DATA)

static const struct sf_column columns[NR] = {
	[BRANCH] = { "branch", "BRANCH", BOTH, 0 },
	[DEVICE] = { "device", "device", BOTH | SF_COLUMN_LEFT, 0 },
	[OPERATION] = { "operation", "", BOTH | SF_COLUMN_LEFT, 0 },
	[REQUESTS] = { "requests", "requests", BOTH, 0 },
	[BYTES] = { "bytes", "bytes", SF_COLUMN_DATA, 0 },
	[MB] = { "mb", "MB", SF_COLUMN_TEXT, 2 },
	[MEDIAN] = { "latency_median_ms", "median", BOTH, 2 },
	[P99] = { "latency_p99_ms", "p99", BOTH, 2 },
	[MAX] = { "latency_max_ms", "max ms", BOTH, 2 },
	[BUSY] = { "busy_ms", "busy ms", BOTH, 1 },
	[ISSUER] = { "issuer", "mostly by", BOTH | SF_COLUMN_LEFT | SF_COLUMN_CUT, 0 },
};

enum operation { READ, WRITE, FLUSH };

struct io_row {
	const struct sf_window *window;
	uint32_t dev;
	uint8_t op;
	const struct sf_request **rq;
	size_t nr, alloc;
	size_t unfinished;
};

struct io_rows {
	struct io_row *item;
	size_t nr, alloc;
};

static struct io_row *row_of(struct io_rows *rows, const struct sf_window *w,
			     const struct sf_request *rq)
{
	uint8_t op = rq->flush && !rq->bytes ? FLUSH : rq->write ? WRITE : READ;

	for (size_t i = rows->nr; i-- > 0 && rows->item[i].window == w;)
		if (rows->item[i].dev == rq->dev && rows->item[i].op == op)
			return &rows->item[i];
	if (SF_GROW(rows->item, rows->nr + 1, rows->alloc))
		return NULL;
	rows->item[rows->nr] = (struct io_row){ .window = w, .dev = rq->dev, .op = op };
	return &rows->item[rows->nr++];
}

static int add_window(struct table_build *b, struct io_rows *rows, const struct sf_window *w)
{
	for (size_t i = 0; i < b->rec->nr_requests; i++) {
		const struct sf_request *rq = &b->rec->request[i];
		struct io_row *r;

		if (rq->issue >= w->hi || (rq->done && rq->done < w->lo) ||
		    (!rq->done && rq->issue < w->lo))
			continue;
		r = row_of(rows, w, rq);
		if (!r || SF_GROW(r->rq, r->nr + 1, r->alloc))
			return -ENOMEM;
		r->rq[r->nr++] = rq;
		r->unfinished += !rq->done;
	}
	return 0;
}

/* Time in which at least one of the requests was there; they are in order of their issue. */
static uint64_t busy(const struct io_row *r)
{
	uint64_t sum = 0, until = r->window->lo;

	for (size_t i = 0; i < r->nr; i++) {
		uint64_t lo = r->rq[i]->issue, hi = r->rq[i]->done;

		hi = hi && hi < r->window->hi ? hi : r->window->hi;
		lo = lo > until ? lo : until;
		if (hi > lo) {
			sum += hi - lo;
			until = hi;
		}
	}
	return sum;
}

/* Who issued most of the bytes. */
static uint32_t issuer(const struct io_row *r)
{
	struct sf_map64 count = { 0 };
	uint32_t best = SF_NO_THREAD, most = 0;

	for (size_t i = 0; i < r->nr; i++) {
		uint32_t *n = sf_map64_at(&count, r->rq[i]->issuer, NULL);

		if (!n)
			break;
		*n += (uint32_t)(r->rq[i]->bytes / 512) + 1;
		if (*n > most) {
			most = *n;
			best = r->rq[i]->issuer;
		}
	}
	sf_map64_release(&count);
	return best;
}

static int set_latency(struct table_build *b, const struct io_row *r)
{
	double *ms = calloc(r->nr, sizeof(*ms));
	size_t n = 0;

	if (!ms)
		return -ENOMEM;
	for (size_t i = 0; i < r->nr; i++)
		if (r->rq[i]->done)
			ms[n++] = (double)(r->rq[i]->done - r->rq[i]->issue) / 1e6;
	if (n) {
		sf_set_real(b, MEDIAN, sf_median(ms, n));
		sf_set_real(b, P99, sf_quantile(ms, n, 0.99));
		sf_set_real(b, MAX, sf_quantile(ms, n, 1));
	}
	free(ms);
	return 0;
}

static int add_row(struct table_build *b, const struct io_row *r)
{
	static const char *const operation[] = { "read", "write", "flush" };
	uint64_t bytes = 0;
	uint32_t who = issuer(r);
	char dev[32];
	int ret = sf_row(b);

	if (ret)
		return ret;
	for (size_t i = 0; i < r->nr; i++)
		bytes += r->rq[i]->bytes;
	sf_set_int(b, BRANCH, r->window->branch);
	sf_set_text(b, DEVICE, sf_device_name(b->rec, r->dev, dev, sizeof(dev)));
	sf_set_text(b, OPERATION, operation[r->op]);
	sf_set_int(b, REQUESTS, (int64_t)r->nr);
	sf_set_int(b, BYTES, (int64_t)bytes);
	sf_set_real(b, MB, (double)bytes / 1048576);
	sf_set_ms(b, BUSY, busy(r));
	if (who != SF_NO_THREAD)
		sf_set_text(b, ISSUER, sf_thread_name(b, who));
	return set_latency(b, r);
}

static int fill(struct table_build *b)
{
	struct io_rows rows = { 0 };
	size_t unfinished = 0;
	int ret = 0;

	for (size_t i = 0; !ret && i < b->nr_windows; i++)
		ret = add_window(b, &rows, b->window[i]);
	for (size_t i = 0; i < rows.nr; i++) {
		if (!ret)
			ret = add_row(b, &rows.item[i]);
		unfinished += rows.item[i].unfinished;
		free(rows.item[i].rq);
	}
	free(rows.item);
	if (!ret && !b->rec->has_requests)
		ret = sf_table_note(b, "the recording has no block requests: none were issued, or "
				    "block:block_rq_issue could not be recorded (needs root)");
	if (!ret && unfinished)
		ret = sf_table_note(b, "%zu requests were not seen to end", unfinished);
	return ret;
}

const struct table_def sf_def_io = { "io", columns, NR, fill };
