/* SPDX-License-Identifier: GPL-2.0-only */
#include "http.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* One header line without its line end: those that matter are looked at, the others skipped. */
static int parse_header(const char *line, size_t len, struct http_message *m, const char **why)
{
	const char *colon = memchr(line, ':', len), *value, *end = line + len;
	char *stop;

	if (!colon || colon == line || memchr(line, ' ', (size_t)(colon - line))) {
		*why = "Invalid header";
		return -1;
	}
	for (value = colon + 1; value < end && (*value == ' ' || *value == '\t'); value++)
		;
	if (colon - line == 14 && !strncasecmp(line, "Content-Length", 14)) {
		if (value == end || !isdigit((unsigned char)*value)) {
			*why = "Invalid content length";
			return -1;
		}
		m->body_len = strtoul(value, &stop, 10); /* ends at the line's \r */
		if (stop != end || m->body_len > HTTP_MAX_BODY) {
			*why = stop == end ? "Payload larger than the limit of 51200 bytes"
					   : "Invalid content length";
			return -1;
		}
	} else if (colon - line == 17 && !strncasecmp(line, "Transfer-Encoding", 17)) {
		*why = "Transfer encodings are not supported";
		return -1;
	} else if (colon - line == 10 && !strncasecmp(line, "Connection", 10)) {
		m->close = end - value == 5 && !strncasecmp(value, "close", 5);
	}
	return 0;
}

/* Everything after the first line. */
static long parse_rest(const char *buf, size_t len, const char *line, struct http_message *m,
		       const char **why)
{
	for (;;) {
		const char *end = memmem(line, len - (size_t)(line - buf), "\r\n", 2);
		size_t head;

		if (!end)
			return 0; /* cannot be: the head's end was found */
		if (end == line) {
			head = (size_t)(end + 2 - buf);
			m->body = buf + head;
			return len - head < m->body_len ? 0 : (long)(head + m->body_len);
		}
		if (parse_header(line, (size_t)(end - line), m, why))
			return -1;
		line = end + 2;
	}
}

/* 1: the whole head is there, 0: not yet, -1: it never will be. */
static int head_is_complete(const char *buf, size_t len, const char **why)
{
	if (memmem(buf, len < HTTP_MAX_HEAD ? len : HTTP_MAX_HEAD, "\r\n\r\n", 4))
		return 1;
	if (len < HTTP_MAX_HEAD)
		return 0;
	*why = "The headers are too long";
	return -1;
}

static int copy_word(char *out, size_t size, const char *from, const char *to)
{
	size_t len = (size_t)(to - from);

	if (!len || len >= size || memchr(from, '\0', len))
		return -1;
	memcpy(out, from, len);
	out[len] = '\0';
	return 0;
}

long http_parse_request(const char *buf, size_t len, struct http_message *m, const char **why)
{
	const char *eol, *sp1, *sp2;
	int complete = head_is_complete(buf, len, why);

	memset(m, 0, sizeof(*m));
	if (complete <= 0)
		return complete;
	eol = memmem(buf, len, "\r\n", 2);
	sp1 = memchr(buf, ' ', (size_t)(eol - buf));
	sp2 = sp1 ? memchr(sp1 + 1, ' ', (size_t)(eol - sp1 - 1)) : NULL;
	*why = "Invalid HTTP request line";
	if (!sp2 || copy_word(m->method, sizeof(m->method), buf, sp1) ||
	    copy_word(m->path, sizeof(m->path), sp1 + 1, sp2))
		return -1;
	*why = "Unsupported HTTP version";
	if (eol - sp2 != 9 || (memcmp(sp2, " HTTP/1.1", 9) && memcmp(sp2, " HTTP/1.0", 9)))
		return -1;
	m->close = eol[-1] == '0';
	return parse_rest(buf, len, eol + 2, m, why);
}

long http_parse_reply(const char *buf, size_t len, struct http_message *m, const char **why)
{
	const char *eol;
	int complete = head_is_complete(buf, len, why);

	memset(m, 0, sizeof(*m));
	if (complete <= 0)
		return complete;
	eol = memmem(buf, len, "\r\n", 2);
	*why = "Invalid HTTP status line";
	if (eol - buf < 12 || memcmp(buf, "HTTP/1.", 7) || buf[8] != ' ')
		return -1;
	m->status = (int)strtol(buf + 9, NULL, 10);
	if (m->status < 100 || m->status > 599)
		return -1;
	return parse_rest(buf, len, eol + 2, m, why);
}
