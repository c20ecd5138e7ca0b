/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * rows FILE WINDOWS [gzip|zstd]: how fast the rows of a recording are made and written, and what memory
 * that takes: its windows again and again, WINDOWS in all, to nowhere. Prints rows, s of CPU, the peak of
 * the memory in kB and how much more that is than with each window once.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <snapflame/export.h>

static double cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static long peak(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

/* Counts lines, and passes them on. */
struct counter {
	unsigned long rows;
	FILE *to;
};

static ssize_t count(void *arg, const char *data, size_t size)
{
	struct counter *c = arg;

	for (const char *p = data, *end = data + size; (p = memchr(p, '\n', (size_t)(end - p))); p++)
		c->rows++;
	return (ssize_t)fwrite(data, 1, size, c->to);
}

static enum sf_packing packing_of(const char *name)
{
	return !name ? SF_PACKING_NONE : !strcmp(name, "gzip") ? SF_PACKING_GZIP : SF_PACKING_ZSTD;
}

int main(int argc, char **argv)
{
	struct sf_recording_opts load = { .progress = NULL };
	struct sf_error err = SF_ERROR_INIT;
	struct sf_export_window *list;
	struct counter counter = { 0 };
	struct sf_packed packed;
	struct sf_recording *rec;
	struct sf_export x;
	size_t nr;
	double t;
	long kb;
	FILE *f, *nowhere;

	if (argc < 3 || sf_recording_load(&rec, argv[1], &load, &err) || !rec->nr_windows)
		return 1;
	nr = strtoul(argv[2], NULL, 10);
	list = calloc(nr, sizeof(*list));
	f = fopencookie(&counter, "w", (cookie_io_functions_t){ .write = count });
	nowhere = fopen("/dev/null", "w");
	if (!list || !f || !nowhere || sf_packed_open(&packed, nowhere, packing_of(argv[3]), &err))
		return 1;
	counter.to = packed.file;
	setvbuf(f, NULL, _IOFBF, 1 << 16);
	for (size_t i = 0; i < nr; i++)
		list[i].window = &rec->window[i % rec->nr_windows];
	x = (struct sf_export){ .rec = rec, .window = list, .nr = rec->nr_windows };
	if (sf_export(SF_EXPORT_ROWS, &x, f, &err)) /* names are looked up once */
		return 1;
	fflush(f);
	counter.rows = 0;
	x.nr = nr;
	kb = peak();
	t = cpu();
	if (sf_export(SF_EXPORT_ROWS, &x, f, &err) || fclose(f) || sf_packed_close(&packed) ||
	    fclose(nowhere))
		return 1;
	printf("%lu %.3f %ld %ld\n", counter.rows, cpu() - t, peak(), peak() - kb);
	return 0;
}
