/* SPDX-License-Identifier: GPL-2.0-only */
#include <snapflame/critpath.h>
#include <snapflame/needed.h>

#include <errno.h>

static int keep(struct sf_map64 *tids, const struct sf_recording *rec, uint32_t thread)
{
	uint32_t *v;

	if (thread == SF_NO_THREAD)
		return 0;
	v = sf_map64_at(tids, rec->thread[thread].tid, NULL);
	if (!v)
		return -ENOMEM;
	*v = 1;
	return 0;
}

static int window(struct sf_map64 *tids, struct sf_mechanisms *m, const struct sf_recording *rec,
		  const struct sf_window *w)
{
	struct sf_critpath cp = { 0 };
	struct sf_timelines ts;
	int ret = sf_timelines_init(&ts, rec, w, w->lo, w->hi);

	if (!ret)
		ret = sf_critpath_walk(&cp, &ts, m, w->root);
	for (size_t i = 0; !ret && i < cp.nr; i++) {
		ret = keep(tids, rec, cp.seg[i].thread);
		if (!ret)
			ret = keep(tids, rec, cp.seg[i].behind);
	}
	for (size_t i = 0; !ret && i < cp.nr_waiters; i++)
		ret = keep(tids, rec, cp.waiter[i].thread);
	/* The stack of who handed a request to the device tells what held it back. */
	for (size_t i = 0; !ret && i < rec->nr_requests; i++)
		if (rec->request[i].issue <= w->hi && rec->request[i].done >= w->lo)
			ret = keep(tids, rec, rec->request[i].issuer);
	sf_critpath_release(&cp);
	sf_timelines_release(&ts);
	return ret;
}

int sf_needed_tids(const char *recording, struct sf_map64 *tids, struct sf_error *err)
{
	struct sf_recording *rec;
	struct sf_mechanisms m;
	bool any = false;
	int ret = sf_recording_load(&rec, recording, NULL, err);

	if (ret)
		return ret;
	ret = sf_mechanisms_init(&m, rec);
	for (size_t i = 0; !ret && i < rec->nr_windows; i++) {
		if (rec->window[i].root == SF_NO_THREAD)
			continue;
		any = true;
		ret = window(tids, &m, rec, &rec->window[i]);
	}
	sf_mechanisms_release(&m);
	sf_recording_free(rec);
	if (ret)
		return sf_error_set(err, ret, "out of memory");
	return any ? 0 : 1;
}
