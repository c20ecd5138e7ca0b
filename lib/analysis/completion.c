/* SPDX-License-Identifier: GPL-2.0-only */
#include "analysis/completion.h"

#include <string.h>

/* The sleep of t before time, by its events: the one that ended it; NULL: nobody was seen to. */
static const struct sf_sched *woken_before(const struct sf_thread *t, uint64_t time)
{
	size_t i = sf_thread_sched_from(t, time);

	while (i > 0 && (t->sched[i - 1].kind != SF_SCHED_OUT || t->sched[i - 1].state == SF_TASK_PREEMPTED))
		i--;
	return i > 0 && i < t->nr_sched && t->sched[i].kind == SF_SCHED_WAKE ? &t->sched[i] : NULL;
}

/*
 * When the I/O was over that ended a wait. Not always is the sleeper woken by the interrupt itself: a
 * kernel worker may have had to finish the I/O first, and that one was woken by the interrupt. Such a
 * worker may have thousands of switches in a window: a timeline of it would be most of the work here.
 */
enum { MAX_WORKERS = 4 };

static uint64_t io_over(const struct sf_timelines *ts, const struct sf_slice *iv)
{
	uint64_t time = iv->hi;
	uint32_t waker = iv->waker;
	bool by_task = iv->woken && iv->wake == SF_WAKE_TASK;

	for (int i = 0; i < MAX_WORKERS && by_task && waker != SF_NO_THREAD; i++) {
		const struct sf_thread *t = &ts->rec->thread[waker];
		const struct sf_sched *e = t->flags & SF_THREAD_KERNEL ? woken_before(t, time) : NULL;

		if (!e || e->time <= ts->lo)
			break;
		time = e->time;
		waker = e->other;
		by_task = e->state == SF_WAKE_TASK;
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

/* The kernel's thread that polls an io_uring hands on what is done: it is no more than the messenger. */
static bool polls_for(const struct sf_recording *rec, uint32_t waker)
{
	return waker != SF_NO_THREAD &&
	       !strncmp(sf_text(rec, rec->thread[waker].comm), "iou-sqp-", 8);
}

const struct sf_request *sf_completed_for_event(struct sf_timelines *ts, uint32_t thread,
						const struct sf_slice *iv)
{
	struct wanted want = {
		.since = iv->lo, .over = iv->hi, .within = ASYNC_NS, .pid = ts->rec->thread[thread].pid,
	};

	if (!iv->woken || (sf_wake_is_task(iv->wake) && !polls_for(ts->rec, iv->waker)))
		return NULL;
	return completion(ts->rec, &want);
}
