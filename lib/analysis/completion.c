/* SPDX-License-Identifier: GPL-2.0-only */
#include "analysis/completion.h"

/*
 * When the I/O was over that ended a wait. Not always is the sleeper woken by the interrupt itself: a
 * kernel worker may have had to finish the I/O first, and that one was woken by the interrupt.
 */
enum { MAX_WORKERS = 4 };

static uint64_t io_over(struct sf_timelines *ts, const struct sf_slice *iv)
{
	uint64_t time = iv->hi;

	for (int i = 0; i < MAX_WORKERS && iv && iv->woken && iv->wake == SF_WAKE_TASK; i++) {
		const struct sf_timeline *t;

		if (iv->waker == SF_NO_THREAD || !(ts->rec->thread[iv->waker].flags & SF_THREAD_KERNEL))
			break;
		t = sf_timelines_get(ts, iv->waker);
		/* Back over its run to the sleep before. */
		for (iv = t ? sf_timeline_at(t, time - 1) : NULL;
		     iv && iv->state != SF_STATE_BLOCKED && iv > t->iv;)
			iv--;
		if (!iv || iv->state != SF_STATE_BLOCKED || !iv->woken)
			break;
		time = iv->hi;
	}
	return time;
}

/* Which request's completion let go: the last one before that moment that may have. */
struct wanted {
	uint64_t since, over; /* completed in between, */
	uint64_t within;      /* and not longer than this before over */
	bool write;           /* pages under writeback */
	uint32_t pid;         /* only this process's own; 0: anybody's */
};

enum { COMPLETION_NS = 2000000, ASYNC_NS = 200000 };

static const struct sf_request *completion(const struct sf_recording *rec, const struct wanted *want)
{
	size_t a = 0, b = rec->nr_done;

	while (a < b) {
		size_t mid = a + (b - a) / 2;

		if (rec->request[rec->request_done[mid]].done <= want->over)
			a = mid + 1;
		else
			b = mid;
	}
	while (a-- > 0) {
		const struct sf_request *rq = &rec->request[rec->request_done[a]];

		if (want->over - rq->done > want->within || rq->done < want->since)
			break;
		if (want->pid && (rq->issuer == SF_NO_THREAD ||
				  rec->thread[rq->issuer].pid != want->pid))
			continue;
		if (!rq->discard && (!want->write || rq->write))
			return rq;
	}
	return NULL;
}

const struct sf_request *sf_completed_for_io(struct sf_timelines *ts, const struct sf_slice *iv,
					     bool write)
{
	struct wanted want = {
		.since = iv->lo, .over = io_over(ts, iv), .within = COMPLETION_NS, .write = write,
	};

	return completion(ts->rec, &want);
}

const struct sf_request *sf_completed_for_event(struct sf_timelines *ts, uint32_t thread,
						const struct sf_slice *iv)
{
	struct wanted want = {
		.since = iv->lo, .over = iv->hi, .within = ASYNC_NS, .pid = ts->rec->thread[thread].pid,
	};

	if (!iv->woken || sf_wake_is_task(iv->wake))
		return NULL;
	return completion(ts->rec, &want);
}
