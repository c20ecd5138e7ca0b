/* SPDX-License-Identifier: GPL-2.0-only */
#include "perfdata/lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/array.h>

#include "perfdata/input.h"

#define CHUNK (256 * 1024)
#define DROP_EVERY (16u << 20)

void sf_lines_init(struct sf_lines *l, struct sf_input *in)
{
	*l = (struct sf_lines){ .in = in, .map = (const char *)sf_input_map(in) };
	if (l->map)
		l->fill = (size_t)sf_input_size(in);
}

void sf_lines_release(struct sf_lines *l)
{
	free(l->buf);
	*l = (struct sf_lines){ 0 };
}

/* More bytes of the stream behind what is in the buffer: their number, 0 at the end, or -errno. */
static int more(struct sf_lines *l)
{
	int n;

	if (l->map)
		return 0;
	if (l->at) {
		memmove(l->buf, l->buf + l->at, l->fill - l->at);
		l->fill -= l->at;
		l->at = 0;
	}
	if (l->fill >= SF_LINE_MAX)
		return -EMSGSIZE;
	if (SF_GROW(l->buf, l->fill + CHUNK, l->alloc))
		return -ENOMEM;
	n = sf_input_read(l->in, l->buf + l->fill, CHUNK);
	if (n > 0)
		l->fill += (size_t)n;
	return n;
}

/* Bytes up to the next LF, or to the end of the input; *end says which. */
static int find_end(struct sf_lines *l, size_t *len, int *end)
{
	size_t seen = 0;

	for (*end = 0;;) {
		const char *text = l->map ? l->map : l->buf;
		const char *nl = NULL;
		int n;

		if (l->fill - l->at > seen)
			nl = memchr(text + l->at + seen, '\n', l->fill - l->at - seen);
		if (nl) {
			*len = (size_t)(nl - text) - l->at;
			return *len > SF_LINE_MAX ? -EMSGSIZE : 0;
		}
		seen = l->fill - l->at;
		n = more(l);
		if (n > 0)
			continue;
		*end = 1;
		*len = l->fill - l->at;
		return *len > SF_LINE_MAX ? -EMSGSIZE : n;
	}
}

static int failed(struct sf_lines *l, int code, const char *path, struct sf_error *err)
{
	if (code == -ENOMEM)
		return sf_error_at(err, code, path, 0, "no memory");
	if (code == -EMSGSIZE)
		return sf_error_at(err, code, path, l->number + 1, "a line longer than %u MiB",
				   SF_LINE_MAX >> 20);
	return sf_error_at(err, code, path, l->number + 1, "%s", sf_input_error(l->in));
}

int sf_lines_next(struct sf_lines *l, const char **line, size_t *len, const char *path,
		  struct sf_error *err)
{
	int end, ret = find_end(l, len, &end);
	const char *p;

	if (ret)
		return failed(l, ret, path, err);
	if (end && !*len)
		return 0;
	p = (l->map ? l->map : l->buf) + l->at;
	l->at += *len + !end;
	if (!l->number++ && *len >= 3 && !memcmp(p, "\xef\xbb\xbf", 3)) {
		p += 3;
		*len -= 3;
	}
	if (*len && p[*len - 1] == '\r')
		--*len;
	if (l->map && l->at - l->dropped > DROP_EVERY) {
		/* The page of this line comes back when it is looked at. */
		sf_input_drop_pages(l->in, l->at);
		l->dropped = l->at;
	}
	*line = p;
	return 1;
}
