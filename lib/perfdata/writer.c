/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include <snapflame/writer.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <snapflame/array.h>
#include <snapflame/reader.h>

/* "PERFILE2" as a little endian number; on a big endian machine the bytes come out swapped, which
 * is how readers see the byte order. */
#define MAGIC UINT64_C(0x32454c4946524550)

enum { BUFFER_SIZE = 256 * 1024, NR_FEATURES = 256, TMP_DIGITS = 6, TRIES_MAX = 1000 };

struct section {
	uint64_t offset, size;
};

struct file_header {
	uint64_t magic, size, attr_size;
	struct section attrs, data, event_types;
	uint64_t features[NR_FEATURES / 64];
};

struct file_attr {
	struct perf_event_attr attr;
	struct section ids;
};

struct event {
	struct perf_event_attr attr;
	char *name;
	uint64_t *id;
	size_t nr_ids;
};

struct feature {
	unsigned bit;
	struct sf_str data;
};

struct sf_writer {
	int fd;
	bool own_fd, begun, done, keep_old;
	bool unnamed; /* tmp is a name for later: as long as it is written the file has none */
	char *path, *tmp; /* NULL for sf_writer_open_fd() */
	struct {
		struct event *item;
		size_t nr, alloc;
	} events;
	struct {
		struct feature *item;
		size_t nr, alloc;
	} features;
	struct file_header header;
	char *buffer;
	size_t fill;
	int failed; /* negative errno of the first failure */
};

static void fail(struct sf_writer *w, int code)
{
	if (!w->failed)
		w->failed = code;
}

static void flush(struct sf_writer *w)
{
	for (size_t done = 0; done < w->fill && !w->failed;) {
		ssize_t n = write(w->fd, w->buffer + done, w->fill - done);

		if (n > 0)
			done += (size_t)n;
		else if (n < 0 && errno != EINTR)
			fail(w, -errno);
	}
	w->fill = 0;
}

static void put(struct sf_writer *w, const void *data, size_t size)
{
	const char *p = data;

	while (size && !w->failed) {
		size_t n = BUFFER_SIZE - w->fill;

		if (n > size)
			n = size;
		memcpy(w->buffer + w->fill, p, n);
		w->fill += n;
		p += n;
		size -= n;
		if (w->fill == BUFFER_SIZE)
			flush(w);
	}
}

static int writer_new(struct sf_writer **out, struct sf_error *err)
{
	struct sf_writer *w = calloc(1, sizeof(*w));

	*out = NULL;
	if (w)
		w->buffer = malloc(BUFFER_SIZE);
	if (!w || !w->buffer) {
		free(w);
		return sf_error_set(err, -ENOMEM, "out of memory");
	}
	w->fd = -1;
	*out = w;
	return 0;
}

int sf_writer_open_fd(struct sf_writer **out, int fd, struct sf_error *err)
{
	int ret = writer_new(out, err);

	if (!ret)
		(*out)->fd = fd;
	return ret;
}

/* Nothing is left of it where we are killed; not every file system has such files. */
static int open_unnamed(const char *path)
{
	char *copy = strdup(path);
	int fd = -1;

	if (copy && !access("/proc/self/fd", X_OK))
		fd = open(dirname(copy), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	free(copy);
	return fd;
}

/* A link cannot replace a file, so the name is one for renaming. */
static int give_name(struct sf_writer *w)
{
	size_t at = strlen(w->path) + 1;
	char self[32];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", w->fd);
	for (unsigned i = 0; i < TRIES_MAX; i++) {
		snprintf(w->tmp + at, TMP_DIGITS + 1, "%06x", ((unsigned)getpid() + i) & 0xffffff);
		if (!linkat(AT_FDCWD, self, AT_FDCWD, w->tmp, AT_SYMLINK_FOLLOW)) {
			w->unnamed = false;
			return 0;
		}
		if (errno != EEXIST)
			break;
	}
	return -errno;
}

int sf_writer_open(struct sf_writer **out, const char *path, struct sf_error *err)
{
	struct sf_writer *w;
	struct stat st;
	int ret = writer_new(&w, err);

	*out = NULL;
	if (ret)
		return ret;
	if (!lstat(path, &st) && !S_ISREG(st.st_mode)) {
		ret = sf_error_at(err, -EINVAL, path, 0, "is not a regular file");
		goto fail;
	}
	w->path = strdup(path);
	if (!w->path || asprintf(&w->tmp, "%s.XXXXXX", path) < 0) {
		w->tmp = NULL;
		ret = sf_error_set(err, -ENOMEM, "out of memory");
		goto fail;
	}
	/* O_EXCL and mode 0600 are mkostemp's: no link of others is followed, nobody else reads. */
	w->fd = open_unnamed(path);
	w->unnamed = w->fd >= 0;
	if (!w->unnamed)
		w->fd = mkostemp(w->tmp, O_CLOEXEC);
	if (w->fd < 0) {
		ret = sf_error_at(err, -errno, path, 0, "cannot be created: %s", strerror(errno));
		free(w->tmp);
		w->tmp = NULL;
		goto fail;
	}
	w->own_fd = true;
	*out = w;
	return 0;
fail:
	sf_writer_free(w);
	return ret;
}

int sf_writer_add_event(struct sf_writer *w, const struct perf_event_attr *attr, const char *name,
			const uint64_t *id, size_t nr_ids)
{
	struct event *e;

	if (w->begun || nr_ids > UINT32_MAX)
		return -EINVAL;
	if (SF_GROW(w->events.item, w->events.nr + 1, w->events.alloc))
		return -ENOMEM;
	e = &w->events.item[w->events.nr];
	*e = (struct event){ .attr = *attr, .nr_ids = nr_ids };
	e->attr.size = sizeof(e->attr);
	e->name = strdup(name);
	e->id = calloc(nr_ids ? nr_ids : 1, sizeof(*e->id));
	if (!e->name || !e->id) {
		free(e->name);
		free(e->id);
		return -ENOMEM;
	}
	if (nr_ids)
		memcpy(e->id, id, nr_ids * sizeof(*id));
	return (int)w->events.nr++;
}

/* Header (filled in at the end), ids, attrs: the records follow. */
static void begin(struct sf_writer *w)
{
	uint64_t ids_at = sizeof(w->header), at = ids_at;

	w->begun = true;
	put(w, &w->header, sizeof(w->header));
	for (size_t i = 0; i < w->events.nr; i++) {
		put(w, w->events.item[i].id, w->events.item[i].nr_ids * sizeof(uint64_t));
		at += w->events.item[i].nr_ids * sizeof(uint64_t);
	}
	w->header.attrs = (struct section){ at, w->events.nr * sizeof(struct file_attr) };
	for (size_t i = 0; i < w->events.nr; i++) {
		struct file_attr a = { .attr = w->events.item[i].attr };

		a.ids = (struct section){ ids_at, w->events.item[i].nr_ids * sizeof(uint64_t) };
		ids_at += a.ids.size;
		put(w, &a, sizeof(a));
	}
	w->header.data.offset = at + w->header.attrs.size;
}

void sf_writer_put(struct sf_writer *w, const void *records, size_t size)
{
	if (!w->begun)
		begin(w);
	put(w, records, size);
	w->header.data.size += size;
}

uint64_t sf_writer_size(const struct sf_writer *w)
{
	return w->header.data.size;
}

uint64_t sf_writer_offset(const struct sf_writer *w)
{
	return w->header.data.offset;
}

static struct sf_str *feature_slot(struct sf_writer *w, unsigned bit)
{
	size_t i;

	if (bit >= NR_FEATURES) {
		fail(w, -EINVAL);
		return NULL;
	}
	for (i = 0; i < w->features.nr; i++) {
		if (w->features.item[i].bit == bit) {
			sf_str_reset(&w->features.item[i].data);
			return &w->features.item[i].data;
		}
	}
	if (SF_GROW(w->features.item, i + 1, w->features.alloc)) {
		fail(w, -ENOMEM);
		return NULL;
	}
	w->features.item[i].bit = bit;
	sf_str_init(&w->features.item[i].data);
	w->features.nr++;
	return &w->features.item[i].data;
}

void sf_writer_feature(struct sf_writer *w, unsigned bit, const void *data, size_t size)
{
	struct sf_str *s = feature_slot(w, bit);

	if (s)
		sf_str_addn(s, data, size);
}

/* perf's string: length with padding, then the text padded with NULs to 64. */
static void add_text(struct sf_str *s, const char *text)
{
	static const char nul[64];
	size_t size = strlen(text) + 1, pad = (64 - size % 64) % 64;
	uint32_t len = (uint32_t)(size + pad);

	sf_str_addn(s, &len, sizeof(len));
	sf_str_addn(s, text, size);
	sf_str_addn(s, nul, pad);
}

void sf_writer_feature_text(struct sf_writer *w, unsigned bit, const char *text)
{
	struct sf_str *s = feature_slot(w, bit);

	if (s)
		add_text(s, text);
}

void sf_writer_feature_words(struct sf_writer *w, unsigned bit, size_t nr, const char *const *word)
{
	struct sf_str *s = feature_slot(w, bit);
	uint32_t n = (uint32_t)nr;

	if (!s)
		return;
	sf_str_addn(s, &n, sizeof(n));
	for (size_t i = 0; i < nr; i++)
		add_text(s, word[i]);
}

static void event_desc(struct sf_writer *w)
{
	struct sf_str *s = feature_slot(w, SF_FEAT_EVENT_DESC);
	uint32_t head[2] = { (uint32_t)w->events.nr, sizeof(struct perf_event_attr) };

	if (!s)
		return;
	sf_str_addn(s, head, sizeof(head));
	for (size_t i = 0; i < w->events.nr; i++) {
		const struct event *e = &w->events.item[i];
		uint32_t nr_ids = (uint32_t)e->nr_ids;

		sf_str_addn(s, &e->attr, sizeof(e->attr));
		sf_str_addn(s, &nr_ids, sizeof(nr_ids));
		add_text(s, e->name);
		sf_str_addn(s, e->id, e->nr_ids * sizeof(*e->id));
	}
}

static int by_bit(const void *a, const void *b)
{
	const struct feature *x = a, *y = b;

	return (x->bit > y->bit) - (x->bit < y->bit);
}

/* The table of sections right behind the records, in the order of the bits, then their content. */
static void put_features(struct sf_writer *w)
{
	uint64_t at = w->header.data.offset + w->header.data.size +
		      w->features.nr * sizeof(struct section);

	qsort(w->features.item, w->features.nr, sizeof(*w->features.item), by_bit);
	for (size_t i = 0; i < w->features.nr; i++) {
		const struct feature *f = &w->features.item[i];
		struct section s = { at, f->data.len };

		if (sf_str_failed(&f->data))
			fail(w, -ENOMEM);
		w->header.features[f->bit / 64] |= UINT64_C(1) << f->bit % 64;
		put(w, &s, sizeof(s));
		at += s.size;
	}
	for (size_t i = 0; i < w->features.nr; i++)
		put(w, w->features.item[i].data.buf, w->features.item[i].data.len);
}

static void put_header(struct sf_writer *w)
{
	struct file_header h = w->header;
	ssize_t n;

	h.magic = MAGIC;
	h.size = sizeof(h);
	h.attr_size = sizeof(struct file_attr);
	do
		n = pwrite(w->fd, &h, sizeof(h), 0);
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(h))
		fail(w, n < 0 ? -errno : -EIO);
}

void sf_writer_keep_old(struct sf_writer *w)
{
	w->keep_old = true;
}

/* The file as it was, or nothing, is under the old name: never half of it. */
static void move_old(const struct sf_writer *w)
{
	char *old;

	if (asprintf(&old, "%s.old", w->path) < 0)
		return;
	(void)!rename(w->path, old);
	free(old);
}

/* The new name itself has to reach the disk too; file systems without it do not matter here. */
static void sync_directory(const char *path)
{
	char *copy = strdup(path);
	int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	free(copy);
}

int sf_writer_commit(struct sf_writer *w, struct sf_error *err)
{
	const char *name = w->path ? w->path : "recording";
	int ret;

	if (!w->begun)
		begin(w);
	event_desc(w);
	if (!w->failed)
		put_features(w);
	flush(w);
	if (!w->failed)
		put_header(w);
	if (!w->failed && w->path && fsync(w->fd))
		fail(w, -errno);
	if (w->failed)
		return sf_error_at(err, w->failed, name, 0, "cannot be written: %s",
				   strerror(-w->failed));
	if (!w->path)
		return 0;
	ret = w->unnamed ? give_name(w) : 0;
	if (ret)
		return sf_error_at(err, ret, name, 0, "cannot be given its name: %s", strerror(-ret));
	if (w->keep_old)
		move_old(w);
	if (rename(w->tmp, w->path))
		return sf_error_at(err, -errno, name, 0, "cannot be renamed from %s: %s", w->tmp,
				   strerror(errno));
	w->done = true;
	sync_directory(w->path);
	return 0;
}

void sf_writer_free(struct sf_writer *w)
{
	if (!w)
		return;
	if (w->tmp && !w->done && !w->unnamed)
		unlink(w->tmp);
	if (w->own_fd)
		close(w->fd);
	for (size_t i = 0; i < w->events.nr; i++) {
		free(w->events.item[i].name);
		free(w->events.item[i].id);
	}
	for (size_t i = 0; i < w->features.nr; i++)
		sf_str_release(&w->features.item[i].data);
	free(w->events.item);
	free(w->features.item);
	free(w->path);
	free(w->tmp);
	free(w->buffer);
	free(w);
}
