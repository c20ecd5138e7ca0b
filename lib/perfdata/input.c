/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE /* O_TMPFILE */
#include "perfdata/input.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <snapflame/array.h>

#include "perfdata/unpack.h"

#define RAW_SIZE (256 * 1024) /* read ahead of a stream */

struct sf_input {
	int fd;
	bool own_fd, regular;
	off_t start; /* where the recording begins in fd */
	uint64_t size;
	uint8_t *map;
	enum sf_packing packing;
	struct sf_unpack *unpack;
	uint8_t *raw; /* bytes as they were read from fd */
	size_t raw_at, raw_fill;
	bool raw_end;
	uint8_t *head; /* bytes that were looked at, and not taken yet */
	size_t head_at, head_fill, head_alloc;
	bool head_end;
	uint64_t taken; /* bytes of fd that a stream was made of */
	struct sf_progress progress;
	int stored_error; /* what the stream ended with that was put into a temporary file */
	const char *error;
};

static void tell(struct sf_input *in, uint64_t done)
{
	if (in->progress.tell)
		in->progress.tell(in->progress.arg, done, in->size);
}

void sf_input_progress(struct sf_input *in, const struct sf_progress *p)
{
	in->progress = *p;
}

/* Reads until the buffer has bytes or the file ends. */
static int refill(struct sf_input *in)
{
	ssize_t n;

	if (in->raw_at < in->raw_fill || in->raw_end)
		return 0;
	do
		n = read(in->fd, in->raw, RAW_SIZE);
	while (n < 0 && errno == EINTR);
	if (n < 0) {
		in->error = "cannot be read";
		return -errno;
	}
	in->raw_at = 0;
	in->raw_fill = (size_t)n;
	in->raw_end = n == 0;
	in->taken += (uint64_t)n;
	tell(in, in->taken);
	return 0;
}

/* The first bytes tell whether the stream is compressed; they stay in raw. */
static int detect_packing(struct sf_input *in)
{
	int err = 0;

	while (in->raw_fill < 8 && !in->raw_end && !err) {
		ssize_t n = read(in->fd, in->raw + in->raw_fill, RAW_SIZE - in->raw_fill);

		if (n > 0)
			in->raw_fill += (size_t)n;
		else if (!n)
			in->raw_end = true;
		else if (errno != EINTR)
			err = -errno;
	}
	in->packing = sf_packing_of(in->raw, in->raw_fill);
	return err;
}

static int start_unpack(struct sf_input *in)
{
	sf_unpack_free(in->unpack);
	in->unpack = NULL;
	return in->packing ? sf_unpack_new(&in->unpack, in->packing) : 0;
}

static int map_file(struct sf_input *in)
{
	void *p = mmap(NULL, (size_t)in->size, PROT_READ, MAP_PRIVATE, in->fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	madvise(p, (size_t)in->size, MADV_SEQUENTIAL);
	in->map = p;
	return 0;
}

static int open_fd(struct sf_input *in, const char *path, struct sf_error *err)
{
	struct stat st;

	if (!strcmp(path, "-")) {
		in->fd = STDIN_FILENO;
	} else {
		in->fd = open(path, O_RDONLY | O_CLOEXEC);
		in->own_fd = true;
	}
	if (in->fd < 0 || fstat(in->fd, &st))
		return sf_error_at(err, -errno, path, 0, "cannot be opened: %s", strerror(errno));
	if (S_ISDIR(st.st_mode))
		return sf_error_at(err, -EISDIR, path, 0, "is a directory");
	in->regular = S_ISREG(st.st_mode);
	in->start = in->regular ? lseek(in->fd, 0, SEEK_CUR) : 0;
	if (in->regular && in->start >= 0 && st.st_size > in->start)
		in->size = (uint64_t)(st.st_size - in->start);
	return 0;
}

static int prepare(struct sf_input *in, const char *path, struct sf_error *err)
{
	int ret = open_fd(in, path, err);

	if (ret)
		return ret;
	in->raw = malloc(RAW_SIZE);
	if (!in->raw)
		return sf_error_at(err, -ENOMEM, path, 0, "no memory");
	ret = detect_packing(in);
	if (ret)
		return sf_error_at(err, ret, path, 0, "cannot be read: %s", strerror(-ret));
	ret = start_unpack(in);
	if (ret == -ENOTSUP)
		return sf_error_at(err, ret, path, 0,
				   "is compressed with %s, which this snapflame was built without",
				   in->packing == SF_PACKING_GZIP ? "gzip" : "zstd");
	if (ret)
		return sf_error_at(err, ret, path, 0, "no memory");
	/* A file that cannot be mapped (a strange file system) is read as a stream. */
	if (in->regular && !in->packing && in->size && in->start == 0)
		map_file(in);
	return 0;
}

int sf_input_open(struct sf_input **ret, const char *path, struct sf_error *err)
{
	struct sf_input *in = calloc(1, sizeof(*in));
	int e;

	*ret = NULL;
	if (!in)
		return sf_error_at(err, -ENOMEM, path, 0, "no memory");
	in->fd = -1;
	e = prepare(in, path, err);
	if (e)
		sf_input_free(in);
	else
		*ret = in;
	return e;
}

void sf_input_free(struct sf_input *in)
{
	if (!in)
		return;
	if (in->map)
		munmap(in->map, (size_t)in->size);
	if (in->own_fd && in->fd >= 0)
		close(in->fd);
	sf_unpack_free(in->unpack);
	free(in->raw);
	free(in->head);
	free(in);
}

const uint8_t *sf_input_map(const struct sf_input *in)
{
	return in->map;
}

uint64_t sf_input_size(const struct sf_input *in)
{
	return in->size;
}

void sf_input_drop_pages(struct sf_input *in, uint64_t end)
{
	if (in->map && end)
		madvise(in->map, (size_t)end, MADV_DONTNEED);
	tell(in, end);
}

static int read_plain(struct sf_input *in, uint8_t *buf, size_t size)
{
	size_t n = in->raw_fill - in->raw_at;

	if (n > size)
		n = size;
	memcpy(buf, in->raw + in->raw_at, n);
	in->raw_at += n;
	return (int)n;
}

static int read_packed(struct sf_input *in, uint8_t *buf, size_t size)
{
	struct sf_unpack_io io = { in->raw + in->raw_at, in->raw_fill - in->raw_at, buf, size };
	int err = sf_unpack_step(in->unpack, &io);

	if (!err && io.in_size && io.in == in->raw + in->raw_at && io.out_size == size)
		err = -EBADMSG;
	in->raw_at = in->raw_fill - io.in_size;
	if (err)
		in->error = "is damaged inside its compression";
	return err ? err : (int)(size - io.out_size);
}

static int read_stream(struct sf_input *in, void *buf, size_t size)
{
	if (size > INT_MAX)
		size = INT_MAX;
	while (size) {
		int err = refill(in), n;

		if (err)
			return err;
		n = in->unpack ? read_packed(in, buf, size) : read_plain(in, buf, size);
		if (n)
			return n;
		if (!in->raw_end || in->raw_at < in->raw_fill)
			continue;
		if (!in->unpack || sf_unpack_complete(in->unpack))
			return in->stored_error;
		in->error = "ends in the middle of its compression";
		return -ENODATA;
	}
	return 0;
}

int sf_input_read(struct sf_input *in, void *buf, size_t size)
{
	size_t n = in->head_fill - in->head_at;

	if (!n)
		return in->head_end ? 0 : read_stream(in, buf, size);
	if (n > size)
		n = size;
	memcpy(buf, in->head + in->head_at, n);
	in->head_at += n;
	return (int)n;
}

int sf_input_peek(struct sf_input *in, size_t want, const uint8_t **p, size_t *nr, bool *whole)
{
	if (in->map) {
		*p = in->map;
		*nr = want < in->size ? want : (size_t)in->size;
		*whole = want >= in->size;
		return 0;
	}
	if (SF_GROW(in->head, in->head_at + want, in->head_alloc))
		return -ENOMEM;
	while (in->head_fill - in->head_at < want && !in->head_end) {
		int n = read_stream(in, in->head + in->head_fill,
				    in->head_at + want - in->head_fill);

		if (n < 0)
			return n;
		in->head_fill += (size_t)n;
		in->head_end = !n;
	}
	*p = in->head + in->head_at;
	*nr = in->head_fill - in->head_at;
	*whole = in->head_end;
	return 0;
}

bool sf_input_can_rewind(const struct sf_input *in)
{
	return in->regular;
}

int sf_input_rewind(struct sf_input *in)
{
	if (lseek(in->fd, in->start, SEEK_SET) < 0)
		return -errno;
	in->raw_at = in->raw_fill = 0;
	in->raw_end = false;
	in->taken = 0;
	in->head_at = in->head_fill = 0;
	in->head_end = false;
	return start_unpack(in);
}

static int temporary_file(void)
{
	const char *dir = getenv("TMPDIR");
	int fd = -1;

	if (dir && dir[0])
		fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (fd < 0)
		fd = open("/var/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	return fd;
}

static int write_all(int fd, const void *buf, size_t size)
{
	const uint8_t *p = buf;

	while (size) {
		ssize_t n = write(fd, p, size);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			p += n;
			size -= (size_t)n;
		}
	}
	return 0;
}

static int store(struct sf_input *in, int fd, const void *taken, size_t size)
{
	uint8_t *buf = malloc(RAW_SIZE);
	int n = buf ? write_all(fd, taken, size) : -ENOMEM;

	while (!n && (n = sf_input_read(in, buf, RAW_SIZE)) > 0)
		n = write_all(fd, buf, (size_t)n);
	free(buf);
	return n;
}

int sf_input_store(struct sf_input *in, const void *taken, size_t size)
{
	int fd = temporary_file(), err;

	if (fd < 0)
		return 0;
	in->error = NULL;
	err = store(in, fd, taken, size);
	/* Of what is damaged the sound part is of use, and the damage is met again behind it. */
	if (err && !in->error) {
		in->error = "does not fit into a temporary file";
		close(fd);
		return err;
	}
	if (in->own_fd)
		close(in->fd);
	in->fd = fd;
	in->own_fd = in->regular = true;
	in->stored_error = err;
	in->start = 0;
	in->packing = SF_PACKING_NONE;
	return 0;
}

const char *sf_input_error(const struct sf_input *in)
{
	return in->error ? in->error : "cannot be read";
}
