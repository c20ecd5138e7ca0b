/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

int sf_spool_open(struct sf_spool *s, const char *name, uint64_t max, atomic_uint_fast64_t *used)
{
	*s = (struct sf_spool){ .fd = memfd_create(name, MFD_CLOEXEC), .max = max, .used = used };
	return s->fd < 0 ? -errno : 0;
}

void sf_spool_close(struct sf_spool *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
}

static int write_all(int fd, struct iovec *iov, int nr)
{
	while (nr) {
		ssize_t n = writev(fd, iov, nr);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		for (; nr && (size_t)n >= iov->iov_len; iov++, nr--)
			n -= (ssize_t)iov->iov_len;
		if (nr) {
			iov->iov_base = (char *)iov->iov_base + n;
			iov->iov_len -= (size_t)n;
		}
	}
	return 0;
}

int sf_spool_add(struct sf_spool *s, uint32_t kind, uint32_t source, const void *data, size_t len,
		 const void *data2, size_t len2)
{
	static const char nul[8];
	struct sf_chunk c = { kind, source, len + len2 };
	size_t pad = (8 - c.size % 8) % 8, total = sizeof(c) + c.size + pad;
	struct iovec iov[] = {
		{ &c, sizeof(c) },
		{ (void *)(uintptr_t)data, len },
		{ (void *)(uintptr_t)data2, len2 },
		{ (void *)(uintptr_t)nul, pad },
	};
	int ret;

	if (atomic_fetch_add(s->used, total) + total > s->max) {
		atomic_fetch_sub(s->used, total);
		s->refused++;
		return -ENOSPC;
	}
	ret = write_all(s->fd, iov, 4);
	if (ret) {
		/* Memory is short: forget the torn chunk. */
		atomic_fetch_sub(s->used, total);
		s->refused++;
		if (ftruncate(s->fd, (off_t)s->size) || lseek(s->fd, (off_t)s->size, SEEK_SET) < 0)
			s->max = 0;
		return ret;
	}
	s->size += total;
	return 0;
}

int sf_spool_map(const struct sf_spool *s, struct sf_spool_map *m)
{
	void *p = NULL;

	*m = (struct sf_spool_map){ .size = s->size, .at = s->first };
	if (!s->size)
		return 0;
	p = mmap(NULL, s->size, PROT_READ, MAP_SHARED, s->fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	m->base = p;
	return 0;
}

void sf_spool_forget(struct sf_spool *s, uint64_t offset)
{
	/* Whole pages go; what is left of one is in nobody's way. */
	if (offset > s->first)
		fallocate(s->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, (off_t)offset);
	atomic_fetch_sub(s->used, offset - s->first);
	s->first = offset;
}

int sf_spool_catch_up(struct sf_spool *s, uint64_t first)
{
	struct sf_spool_map m;
	const uint8_t *data;
	struct stat st;
	int ret;

	if (fstat(s->fd, &st))
		return -errno;
	s->first = first;
	s->size = (uint64_t)st.st_size;
	ret = sf_spool_map(s, &m);
	if (ret)
		return ret;
	while (sf_spool_next(&m, &data))
		;
	s->size = m.at;
	sf_spool_unmap(&m);
	/* What follows the last whole chunk was being written when its writer died. */
	return ftruncate(s->fd, (off_t)s->size) || lseek(s->fd, (off_t)s->size, SEEK_SET) < 0 ? -errno
											      : 0;
}

void sf_spool_unmap(struct sf_spool_map *m)
{
	if (m->base)
		munmap((void *)(uintptr_t)m->base, m->size);
	*m = (struct sf_spool_map){ 0 };
}

const struct sf_chunk *sf_spool_next(struct sf_spool_map *m, const uint8_t **data)
{
	const struct sf_chunk *c;

	if (!m->base || m->at > m->size || m->size - m->at < sizeof(*c))
		return NULL;
	c = (const struct sf_chunk *)(m->base + m->at);
	if (c->size > m->size - m->at - sizeof(*c) ||
	    ((c->size + 7) & ~UINT64_C(7)) > m->size - m->at - sizeof(*c))
		return NULL;
	*data = (const uint8_t *)(c + 1);
	m->at += sizeof(*c) + ((c->size + 7) & ~UINT64_C(7));
	return c;
}
