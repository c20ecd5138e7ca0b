/* SPDX-License-Identifier: GPL-2.0-only */
/* Who writes: the process whose dirty pages a snapshot waits for need not be the VMM. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/array.h>

#include "covariates.h"
#include "mark_list.h"
#include "proc.h"

enum { LISTED_MAX = 32 };

static bool read_process(pid_t pid, struct sf_writer_proc *p)
{
	char path[64], buf[512];
	struct sf_proc_stat st;
	const char *w;

	*p = (struct sf_writer_proc){ .pid = pid };
	snprintf(path, sizeof(path), "/proc/%d/io", (int)pid);
	if (sf_proc_read(path, buf, sizeof(buf)) <= 0 || !(w = strstr(buf, "\nwrite_bytes: ")))
		return false;
	if (sscanf(w, "\nwrite_bytes: %" SCNu64 "\ncancelled_write_bytes: %" SCNu64,
		   &p->write_bytes, &p->cancelled_bytes) != 2)
		return false;
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (sf_proc_read(path, buf, sizeof(buf)) > 0 && !sf_proc_parse_stat(buf, &st))
		memcpy(p->comm, st.comm, sizeof(p->comm));
	return true;
}

int sf_writers_take(struct sf_writers *w)
{
	pid_t *pid;
	int nr = sf_proc_numbers("/proc", &pid), ret = 0;

	*w = (struct sf_writers){ 0 };
	for (int i = 0; i < nr && !ret; i++) {
		struct sf_writer_proc p;

		if (!read_process(pid[i], &p) || (!p.write_bytes && !p.cancelled_bytes))
			continue;
		if (SF_GROW(w->item, w->nr + 1, w->alloc))
			ret = -ENOMEM;
		else
			w->item[w->nr++] = p;
	}
	if (nr >= 0)
		free(pid);
	return nr < 0 ? nr : ret;
}

void sf_writers_release(struct sf_writers *w)
{
	free(w->item);
	*w = (struct sf_writers){ 0 };
}

static int by_bytes(const void *a, const void *b)
{
	const struct sf_writer_proc *x = a, *y = b;

	return (x->write_bytes < y->write_bytes) - (x->write_bytes > y->write_bytes);
}

/* Both are in the order of pids. */
static struct sf_writer_proc *differences(const struct sf_writers *before,
					  const struct sf_writers *after, size_t *nr)
{
	struct sf_writer_proc *d = calloc(after->nr + 1, sizeof(*d));
	size_t k = 0;

	*nr = 0;
	for (size_t i = 0; d && i < after->nr; i++) {
		struct sf_writer_proc p = after->item[i];

		while (k < before->nr && before->item[k].pid < p.pid)
			k++;
		if (k < before->nr && before->item[k].pid == p.pid &&
		    before->item[k].write_bytes <= p.write_bytes) {
			p.write_bytes -= before->item[k].write_bytes;
			p.cancelled_bytes -= before->item[k].cancelled_bytes;
		}
		if (p.write_bytes || p.cancelled_bytes)
			d[(*nr)++] = p;
	}
	if (d)
		qsort(d, *nr, sizeof(*d), by_bytes);
	return d;
}

json_t *sf_writers_between(const struct sf_writers *before, const struct sf_writers *after)
{
	json_t *list = json_array();
	size_t nr;
	struct sf_writer_proc *d = differences(before, after, &nr);

	for (size_t i = 0; d && i < nr && i < LISTED_MAX; i++)
		json_array_append_new(list,
				      json_pack("{s:i, s:o, s:I, s:I}", "pid", (int)d[i].pid, "comm",
						sf_json_text(d[i].comm, strlen(d[i].comm)),
						"write_bytes", (json_int_t)d[i].write_bytes,
						"cancelled_bytes", (json_int_t)d[i].cancelled_bytes));
	free(d);
	return list;
}
