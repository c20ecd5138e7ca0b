/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A recording that is a directory, of perf record --threads: "data" has the header and what one
 * thread recorded, "data.0", "data.1" … have nothing but records.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/str.h>

#include "perfdata/reader_impl.h"

static int by_number(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

/* The numbers N of the files data.N, ascending. */
static int list_numbers(const char *path, unsigned **number, size_t *nr)
{
	size_t alloc = 0;
	DIR *d = opendir(path);
	struct dirent *e;

	*number = NULL;
	*nr = 0;
	if (!d)
		return -errno;
	while ((e = readdir(d))) {
		char *end;
		unsigned long n;

		if (strncmp(e->d_name, "data.", 5) || !isdigit((unsigned char)e->d_name[5]))
			continue;
		n = strtoul(e->d_name + 5, &end, 10);
		if (*end || n > 1u << 20 || *nr >= SF_MAX_STREAMS)
			continue;
		if (SF_GROW(*number, *nr + 1, alloc)) {
			closedir(d);
			return -ENOMEM;
		}
		(*number)[(*nr)++] = (unsigned)n;
	}
	closedir(d);
	if (*nr)
		qsort(*number, *nr, sizeof(**number), by_number);
	return 0;
}

static int add_file(struct sf_reader *r, const char *path, struct sf_error *err)
{
	struct sf_input *in;
	int ret = sf_input_open(&in, path, err);

	if (ret)
		return ret;
	r->stats.total_bytes += sf_input_size(in);
	ret = sf_reader_add_stream(r, in, 0, sf_input_map(in) ? sf_input_size(in) : UINT64_MAX);
	return ret ? sf_error_at(err, ret, path, 0, "no memory") : 0;
}

static int add_files(struct sf_reader *r, const char *path, const unsigned *number, size_t nr,
		     struct sf_error *err)
{
	int ret = 0;

	for (size_t i = 0; i < nr && !ret; i++) {
		struct sf_str name = SF_STR_INIT;

		sf_str_addf(&name, "%s/data.%u", path, number[i]);
		ret = name.failed ? -ENOMEM : add_file(r, name.buf, err);
		sf_str_release(&name);
	}
	return ret;
}

int sf_reader_open_directory(struct sf_reader *r, const char *path, struct sf_error *err)
{
	struct sf_str name = SF_STR_INIT;
	unsigned *number;
	size_t nr;
	int ret = list_numbers(path, &number, &nr);

	if (ret) {
		free(number);
		return sf_error_at(err, ret, path, 0, "%s", strerror(-ret));
	}
	sf_str_addf(&name, "%s/data", path);
	ret = name.failed ? -ENOMEM : sf_reader_open_main(r, name.buf, err);
	sf_str_release(&name);
	if (!ret)
		ret = add_files(r, path, number, nr, err);
	free(number);
	if (ret)
		return ret;
	r->front = calloc(r->nr_streams, sizeof(*r->front));
	if (!r->front)
		return sf_error_at(err, -ENOMEM, path, 0, "no memory");
	for (size_t i = 0; i < r->nr_streams; i++)
		sf_stream_share(r->stream[i], r->nr_streams);
	return 0;
}
