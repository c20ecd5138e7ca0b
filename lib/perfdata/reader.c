/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <snapflame/str.h>

#include "perfdata/reader_impl.h"

#define SCRATCH_SIZE 65536

static void add_problem(struct sf_reader *r, uint64_t offset, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

static void add_problem(struct sf_reader *r, uint64_t offset, const char *fmt, va_list ap)
{
	struct sf_str s = SF_STR_INIT;

	if (r->nr_problems == SF_MAX_PROBLEMS)
		return;
	sf_str_addf(&s, "offset %#" PRIx64 ": ", offset);
	sf_str_vaddf(&s, fmt, ap);
	r->problem[r->nr_problems] = sf_str_detach(&s);
	r->nr_problems += r->problem[r->nr_problems] != NULL;
}

void sf_reader_complain(struct sf_reader *r, uint64_t offset, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	add_problem(r, offset, fmt, ap);
	va_end(ap);
}

int sf_reader_give_up(struct sf_reader *r, int code, uint64_t offset, const char *fmt, ...)
{
	struct sf_str s = SF_STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	add_problem(r, offset, fmt, ap);
	va_end(ap);
	if (r->fatal)
		return code;
	va_start(ap, fmt);
	sf_str_vaddf(&s, fmt, ap);
	va_end(ap);
	r->fatal = code;
	sf_error_at(&r->fatal_err, code, r->path, 0, "offset %#" PRIx64 ": %s", offset, s.buf);
	sf_str_release(&s);
	return code;
}

int sf_reader_add_stream(struct sf_reader *r, struct sf_input *in, uint64_t start, uint64_t end)
{
	struct sf_stream *s;

	if (SF_GROW(r->stream, r->nr_streams + 1, r->stream_alloc)) {
		sf_input_free(in);
		return -ENOMEM;
	}
	if (sf_stream_new(&s, r, in, start, end))
		return -ENOMEM;
	r->stream[r->nr_streams++] = s;
	return 0;
}

static int open_main_input(struct sf_reader *r, struct sf_input *in, const char *path,
			   struct sf_error *err)
{
	uint64_t end;
	int ret;

	r->stats.total_bytes = sf_input_size(in);
	ret = sf_header_read(r, in, err);
	if (ret) {
		sf_input_free(in);
		return ret;
	}
	end = r->header.data.offset + r->header.data.size;
	ret = sf_reader_add_stream(r, in, r->header.data.offset, end);
	if (ret)
		return sf_error_at(err, ret, path, 0, "no memory");
	if (r->header.pipe)
		return 0;
	ret = sf_attr_read(r, err);
	if (!ret && sf_evlist_finish(&r->evlist))
		ret = sf_error_at(err, -ENOMEM, path, 0, "no memory");
	if (!ret && (sf_input_map(in) || r->tail.data))
		sf_feature_read_all(r);
	return ret;
}

int sf_reader_open_main(struct sf_reader *r, const char *path, struct sf_error *err)
{
	struct sf_input *in;
	int ret = sf_input_open(&in, path, err);

	return ret ? ret : open_main_input(r, in, path, err);
}

static int open_all(struct sf_reader *r, const char *path, struct sf_error *err)
{
	struct stat st;

	if (strcmp(path, "-") && !stat(path, &st) && S_ISDIR(st.st_mode))
		return sf_reader_open_directory(r, path, err);
	return sf_reader_open_main(r, path, err);
}

static struct sf_reader *new_reader(const char *path, const struct sf_reader_opts *opts,
				    struct sf_error *err)
{
	struct sf_reader *r = calloc(1, sizeof(*r));

	if (r) {
		sf_evlist_init(&r->evlist);
		r->unordered = opts && opts->unordered;
		r->path = strdup(strcmp(path, "-") ? path : "standard input");
		r->scratch = malloc(SCRATCH_SIZE);
	}
	if (r && r->path && r->scratch)
		return r;
	sf_error_at(err, -ENOMEM, path, 0, "no memory");
	sf_reader_free(r);
	return NULL;
}

static int opened(struct sf_reader **ret, struct sf_reader *r, int e)
{
	if (e)
		sf_reader_free(r);
	*ret = e ? NULL : r;
	return e;
}

int sf_reader_open(struct sf_reader **ret, const char *path, const struct sf_reader_opts *opts,
		   struct sf_error *err)
{
	struct sf_reader *r = new_reader(path, opts, err);

	return opened(ret, r, r ? open_all(r, path, err) : -ENOMEM);
}

int sf_reader_open_input(struct sf_reader **ret, struct sf_input *in, const char *path,
			 const struct sf_reader_opts *opts, struct sf_error *err)
{
	struct sf_reader *r = new_reader(path, opts, err);

	if (!r)
		sf_input_free(in);
	return opened(ret, r, r ? open_main_input(r, in, path, err) : -ENOMEM);
}

void sf_reader_free(struct sf_reader *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->nr_streams; i++)
		sf_stream_free(r->stream[i]);
	free(r->stream);
	free(r->front);
	sf_chunks_release(&r->chunks);
	sf_evlist_release(&r->evlist);
	sf_features_release(&r->features);
	sf_tracing_free(r->tracing);
	for (size_t i = 0; i < r->nr_problems; i++)
		free(r->problem[i]);
	sf_map64_release(&r->read_slot);
	free(r->read_value);
	free(r->head.own);
	free(r->tail.own);
	free(r->scratch);
	free(r->path);
	free(r);
}
