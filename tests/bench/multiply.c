/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * multiply IN OUT EVENTS: a recording of snapflame with as many records as asked for: the original,
 * followed by copies of its records that happen later. The windows stay where they are.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <snapflame/marks.h>
#include <snapflame/reader.h>
#include <snapflame/writer.h>

static int die(const char *what)
{
	fprintf(stderr, "multiply: %s\n", what);
	return 1;
}

/* Where the time of a record is, from its start; 0: it has none, or must not be copied. */
static size_t time_at(const struct perf_event_header *h, uint64_t mark_id)
{
	uint64_t id;

	memcpy(&id, h + 1, sizeof(id));
	if (h->type == PERF_RECORD_SAMPLE)
		return id == mark_id ? 0 : sizeof(*h) + 24; /* IDENTIFIER, IP, TID, TIME */
	if (h->type == PERF_RECORD_SWITCH || h->type == PERF_RECORD_SWITCH_CPU_WIDE)
		return h->size - SF_STAMP_TIME_FROM_END;
	return 0;
}

int main(int argc, char **argv)
{
	struct sf_error err = SF_ERROR_INIT;
	uint64_t span = 0, first = 0, mark_id = 0, offset, size, copied = 0, want;
	struct { uint64_t magic, size, attr_size, attrs[2], data[2]; } head;
	const struct sf_record *rec;
	struct sf_reader *r;
	char *text, *buf;
	struct stat st;
	int fd, out;

	if (argc != 4)
		return die("usage: multiply IN OUT EVENTS");
	want = strtoull(argv[3], NULL, 10);
	if (sf_reader_open(&r, argv[1], NULL, &err))
		return die(err.what);
	for (size_t i = 0; i < sf_reader_nr_events(r); i++)
		if (!strcmp(sf_reader_event(r, i)->name, SF_EVENT_MARK))
			mark_id = sf_reader_event(r, i)->id[0];
	while (sf_reader_next(r, &rec, &err) > 0)
		if (rec->has_time && rec->time) {
			first = first ? first : rec->time;
			span = rec->time - first;
		}
	sf_reader_free(r);
	fd = open(argv[1], O_RDONLY);
	out = open(argv[2], O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || out < 0 || fstat(fd, &st))
		return die(strerror(errno));
	text = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	memcpy(&head, text, sizeof(head));
	offset = head.data[0];
	size = head.data[1];
	buf = malloc(size);
	if (text == MAP_FAILED || !buf || write(out, text, offset + size) != (ssize_t)(offset + size))
		return die("cannot write");
	for (uint64_t k = 1; copied < want; k++) {
		size_t n = 0;

		for (uint64_t at = 0; at < size;) {
			const struct perf_event_header *h = (void *)(text + offset + at);
			size_t where = time_at(h, mark_id);
			uint64_t time;

			if (where) {
				memcpy(buf + n, h, h->size);
				memcpy(&time, buf + n + where, sizeof(time));
				time += k * (span + 1000);
				memcpy(buf + n + where, &time, sizeof(time));
				n += h->size;
				copied++;
			}
			at += h->size;
		}
		if (write(out, buf, n) != (ssize_t)n)
			return die("cannot write");
		head.data[1] += n;
	}
	/* The features behind the data move with it: their table follows the data. */
	lseek(out, 0, SEEK_SET);
	if (write(out, &head, sizeof(head)) != sizeof(head))
		return die("cannot write");
	{
		/* One (offset, size) for each feature bit, then the sections. */
		uint64_t bits[4], end = head.data[0] + head.data[1], shift = end - (offset + size);
		const char *tail = text + offset + size;
		size_t nr = 0, len = (size_t)st.st_size - offset - size;
		char *copy = malloc(len);

		memcpy(bits, text + 72, sizeof(bits));
		for (int i = 0; i < 4; i++)
			nr += (size_t)__builtin_popcountll(bits[i]);
		memcpy(copy, tail, len);
		for (size_t i = 0; i < nr; i++) {
			uint64_t o;

			memcpy(&o, copy + i * 16, 8);
			o += shift;
			memcpy(copy + i * 16, &o, 8);
		}
		if (pwrite(out, copy, len, (off_t)end) != (ssize_t)len)
			return die("cannot write");
		free(copy);
	}
	printf("%llu\n", (unsigned long long)copied);
	return 0;
}
