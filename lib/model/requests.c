/* SPDX-License-Identifier: GPL-2.0-only */
/* Requests of block devices: issue and completion matched by (device, sector). */
#define _GNU_SOURCE /* qsort_r */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/loader.h"

enum { RQ_DEV, RQ_SECTOR, RQ_NR_SECTOR, RQ_RWBS };
enum { SECTOR = 512 };

static void completed(struct sf_recording *rec, const struct sf_record *r, uint32_t *open)
{
	if (*open && !rec->request[*open - 1].done) {
		rec->request[*open - 1].done = r->time;
		rec->request[*open - 1].done_cpu = (uint16_t)r->cpu;
	}
	*open = 0;
}

int sf_load_request(struct sf_loader *ld, const struct sf_record *r,
		    const struct sf_event_role *role, bool done)
{
	struct sf_recording *rec = ld->rec;
	const struct sf_sample *s = &r->u.sample;
	uint64_t f[SF_MAX_FIELDS] = { 0 };
	struct sf_request *rq;
	const char *rwbs;
	uint32_t *open;
	size_t len = 0;
	bool kernel;

	for (int k = RQ_DEV; k <= RQ_NR_SECTOR; k++)
		f[k] = (uint64_t)sf_field_int(ld->reader, &role->field[k], s->raw, s->raw_size);
	open = sf_map64_at(&ld->open_rq, sf_hash64(f[RQ_DEV]) ^ f[RQ_SECTOR], NULL);
	if (!open)
		return -ENOMEM;
	rec->has_requests = true;
	if (done) {
		completed(rec, r, open);
		return 0;
	}
	if (SF_GROW(rec->request, rec->nr_requests + 1, rec->request_alloc))
		return -ENOMEM;
	rq = &rec->request[rec->nr_requests];
	*rq = (struct sf_request){
		.issue = r->time,
		.sector = f[RQ_SECTOR],
		.bytes = f[RQ_NR_SECTOR] * SECTOR,
		.dev = (uint32_t)f[RQ_DEV],
		.issuer = sf_load_thread(ld, r->pid, r->tid),
	};
	rwbs = sf_field_str(ld->reader, &role->field[RQ_RWBS], s->raw, s->raw_size, &len);
	rq->write = rwbs && memchr(rwbs, 'W', len);
	rq->flush = rwbs && memchr(rwbs, 'F', len);
	rq->discard = rwbs && memchr(rwbs, 'D', len);
	if (rq->issuer == SF_NO_THREAD || sf_load_stack(ld, r, &rq->issue_stack, &kernel))
		return -ENOMEM;
	*open = (uint32_t)++rec->nr_requests;
	return 0;
}

static int by_done(const void *a, const void *b, void *arg)
{
	const struct sf_recording *rec = arg;
	uint64_t x = rec->request[*(const uint32_t *)a].done;
	uint64_t y = rec->request[*(const uint32_t *)b].done;

	return x < y ? -1 : x > y;
}

int sf_load_finish_requests(struct sf_recording *rec)
{
	if (!rec->nr_requests)
		return 0;
	rec->request_done = calloc(rec->nr_requests, sizeof(*rec->request_done));
	if (!rec->request_done)
		return -ENOMEM;
	for (size_t i = 0; i < rec->nr_requests; i++)
		if (rec->request[i].done)
			rec->request_done[rec->nr_done++] = (uint32_t)i;
	qsort_r(rec->request_done, rec->nr_done, sizeof(*rec->request_done), by_done, rec);
	return 0;
}

/* The kernel traces a device as its dev_t: 12 bits of major, 20 of minor (kdev_t.h). */
enum { MINOR_BITS = 20 };

const char *sf_device_name(const struct sf_recording *rec, uint32_t dev, char *buf, size_t size)
{
	for (size_t i = 0; i < rec->nr_devices; i++)
		if (rec->device[i].dev == dev)
			return sf_text(rec, rec->device[i].name);
	snprintf(buf, size, "%u:%u", dev >> MINOR_BITS, dev & ((1u << MINOR_BITS) - 1));
	return buf;
}
