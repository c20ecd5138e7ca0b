/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * damage IN OUT WHAT…: a recording of snapflame to which something has happened:
 *
 *	without EVENT     its samples are not there ("switches": the records of context switches)
 *	lost BRANCH       the middle third of a window, with a record that says so
 *	gone BRANCH       the same without a word
 *	back MS           in the middle of the recording the clock is put back
 *	skew CPU MS       one CPU's clock is behind the others'
 *	shift MS          all happened so much later than the windows
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
#include <snapflame/recording.h>
#include <snapflame/writer.h>

struct head {
	uint64_t magic, size, attr_size, attrs[2], data[2], event_types[2], features[4];
};

struct damage {
	const char *what;
	uint64_t mark_id, drop_id;      /* events */
	uint64_t lo, hi;                /* what is lost, or from when the clock is wrong */
	int64_t by;                     /* ns that it is */
	long cpu;                       /* of this CPU; -1: of all */
	bool said;
	uint64_t dropped;
};

static int die(const char *what)
{
	fprintf(stderr, "damage: %s\n", what);
	exit(1);
}

static bool is_sample(const struct perf_event_header *h)
{
	return h->type == PERF_RECORD_SAMPLE;
}

/* A sample begins with IDENTIFIER, IP, TID, TIME, CPU; other records end with TID, TIME, CPU, IDENTIFIER. */
static char *time_of(struct perf_event_header *h)
{
	return is_sample(h) ? (char *)(h + 1) + 24 : (char *)h + h->size - SF_STAMP_TIME_FROM_END;
}

static uint64_t id_of(const struct perf_event_header *h)
{
	uint64_t id;

	memcpy(&id, is_sample(h) ? (const char *)(h + 1) : (const char *)h + h->size - 8, sizeof(id));
	return id;
}

static uint64_t get_time(struct perf_event_header *h)
{
	uint64_t t;

	memcpy(&t, time_of(h), sizeof(t));
	return t;
}

static bool dropped(struct damage *d, struct perf_event_header *h)
{
	uint64_t t = get_time(h);

	if (!strcmp(d->what, "without"))
		return d->drop_id ? is_sample(h) && id_of(h) == d->drop_id
				  : h->type == PERF_RECORD_SWITCH || h->type == PERF_RECORD_SWITCH_CPU_WIDE;
	return (!strcmp(d->what, "lost") || !strcmp(d->what, "gone")) && t >= d->lo && t < d->hi;
}

static void change_time(struct damage *d, struct perf_event_header *h)
{
	uint64_t t = get_time(h);
	uint32_t cpu;

	memcpy(&cpu, time_of(h) + 8, sizeof(cpu));
	if (!d->by || t < d->lo || (d->cpu >= 0 && cpu != (uint32_t)d->cpu))
		return;
	t += (uint64_t)d->by;
	memcpy(time_of(h), &t, sizeof(t));
}

/* "so many records are lost", with the stamp of the first of them. */
static size_t say_lost(char *out, struct perf_event_header *like, uint64_t nr)
{
	struct {
		struct perf_event_header h;
		uint64_t id, lost;
		struct sf_stamp stamp;
	} r = { { PERF_RECORD_LOST, 0, sizeof(r) }, id_of(like), nr, { 0 } };

	memcpy(&r.stamp.pid, time_of(like) - 8, 8 + 8 + 4);
	r.stamp.id = r.id;
	memcpy(out, &r, sizeof(r));
	return sizeof(r);
}

/* The kernel's records, damaged; ours (types from 64 on) and marks as they are. */
static size_t damage_data(struct damage *d, char *data, size_t size, char *out)
{
	size_t n = 0;

	for (size_t at = 0; at < size;) {
		struct perf_event_header *h = (void *)(data + at);

		at += h->size;
		if (h->type < 64 && (!is_sample(h) || id_of(h) != d->mark_id || d->drop_id == d->mark_id)) {
			if (dropped(d, h)) {
				d->dropped++;
				if (!strcmp(d->what, "lost") && !d->said)
					n += say_lost(out + n, h, 1000);
				d->said = true;
				continue;
			}
			change_time(d, h);
		}
		memcpy(out + n, h, h->size);
		n += h->size;
	}
	return n;
}

static void window_middle(struct damage *d, const struct sf_recording *rec, long branch)
{
	for (size_t i = 0; i < rec->nr_windows; i++) {
		const struct sf_window *w = &rec->window[i];

		if (w->branch != branch)
			continue;
		d->lo = w->lo + (w->hi - w->lo) / 3;
		d->hi = w->hi - (w->hi - w->lo) / 3;
	}
	if (!d->hi)
		die("no such BRANCH");
}

static void understand(struct damage *d, const char *file, char **argv)
{
	struct sf_error err = SF_ERROR_INIT;
	struct sf_recording *rec;
	struct sf_reader *r;

	d->what = argv[0];
	if (sf_recording_load(&rec, file, NULL, &err) || sf_reader_open(&r, file, NULL, &err))
		die(err.what);
	for (size_t i = 0; i < sf_reader_nr_events(r); i++) {
		const struct sf_event *e = sf_reader_event(r, i);

		if (!strcmp(e->name, SF_EVENT_MARK))
			d->mark_id = e->id[0];
		if (!strcmp(e->name, argv[1]))
			d->drop_id = e->id[0];
	}
	if (!strcmp(d->what, "without") && !d->drop_id && strcmp(argv[1], "switches"))
		die("no such event");
	if (!strcmp(d->what, "lost") || !strcmp(d->what, "gone"))
		window_middle(d, rec, atol(argv[1]));
	if (!strcmp(d->what, "back")) {
		d->lo = rec->window[rec->nr_windows / 2].lo;
		d->by = -atol(argv[1]) * 1000000;
	} else if (!strcmp(d->what, "shift")) {
		d->by = atol(argv[1]) * 1000000;
	} else if (!strcmp(d->what, "skew") && argv[2]) {
		d->cpu = atol(argv[1]);
		d->by = -atol(argv[2]) * 1000000;
	}
	sf_reader_free(r);
	sf_recording_free(rec);
}

/* What follows the data: a table of (offset, size) for each feature, then the features. */
static void move_features(char *tail, const struct head *h, uint64_t by)
{
	size_t nr = 0;

	for (int i = 0; i < 4; i++)
		nr += (size_t)__builtin_popcountll(h->features[i]);
	for (size_t i = 0; i < nr; i++) {
		uint64_t o;

		memcpy(&o, tail + i * 16, sizeof(o));
		o += by;
		memcpy(tail + i * 16, &o, sizeof(o));
	}
}

static void put(int fd, const void *p, size_t n)
{
	if (write(fd, p, n) != (ssize_t)n)
		die("cannot write");
}

int main(int argc, char **argv)
{
	struct damage d = { .cpu = -1 };
	char *text, *out, *tail;
	struct head head;
	uint64_t end, size;
	struct stat st;
	int in, fd;

	if (argc < 5)
		die("usage: damage IN OUT WHAT…");
	understand(&d, argv[1], argv + 3);
	in = open(argv[1], O_RDONLY | O_CLOEXEC);
	fd = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (in < 0 || fd < 0 || fstat(in, &st))
		die(strerror(errno));
	text = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, in, 0);
	if (text == MAP_FAILED)
		die("cannot read");
	memcpy(&head, text, sizeof(head));
	end = head.data[0] + head.data[1];
	out = malloc(head.data[1] + 128);
	if (!out)
		die("no memory");
	size = damage_data(&d, text + head.data[0], head.data[1], out);
	tail = text + end;
	move_features(tail, &head, size - head.data[1]);
	head.data[1] = size;
	memcpy(text, &head, sizeof(head));
	put(fd, text, head.data[0]);
	put(fd, out, size);
	put(fd, tail, (size_t)st.st_size - end);
	printf("%llu\n", (unsigned long long)d.dropped);
	free(out);
	return close(fd) ? 1 : 0;
}
