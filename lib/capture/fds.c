/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "fds.h"

#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <snapflame/array.h>

enum { WITHOUT_RANGES = 65536 }; /* as far as we look on kernels before 5.9 */

bool sf_fds_add(struct sf_fds *f, int fd)
{
	if (fd < 0)
		return true;
	if (SF_GROW(f->item, f->nr + 1, f->alloc))
		return false;
	f->item[f->nr++] = fd;
	return true;
}

static void close_range_of(unsigned first, unsigned last)
{
	if (first > last)
		return;
#ifdef SYS_close_range
	if (!syscall(SYS_close_range, first, last, 0))
		return;
#endif
	for (unsigned fd = first; fd <= last && fd < WITHOUT_RANGES; fd++)
		close((int)fd);
}

static int by_number(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

void sf_fds_close_others(struct sf_fds *f)
{
	unsigned next = 0;

	if (f->nr)
		qsort(f->item, f->nr, sizeof(*f->item), by_number);
	for (size_t i = 0; i < f->nr; i++) {
		unsigned fd = (unsigned)f->item[i];

		if (fd > next)
			close_range_of(next, fd - 1);
		next = fd + 1;
	}
	close_range_of(next, ~0U);
}
