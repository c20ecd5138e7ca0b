/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE /* memrchr */
#include "perfdata/script_header.h"

#include <string.h>

/* perf prints for the C locale; isspace and its like would ask the user's at every character. */
static bool space(char c)
{
	return c == ' ' || c == '\t';
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

static int hex_value(char c)
{
	if (digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

static const char *skip_space(const char *p, const char *end)
{
	while (p < end && space(*p))
		p++;
	return p;
}

static const char *skip_word(const char *p, const char *end)
{
	while (p < end && !space(*p))
		p++;
	return p;
}

static bool take_number(const char **p, const char *end, uint64_t *v)
{
	const char *start = *p;

	for (*v = 0; *p < end && digit(**p) && *v < UINT64_MAX / 10 - 1; ++*p)
		*v = *v * 10 + (uint64_t)(**p - '0');
	return *p > start && (*p == end || !digit(**p));
}

static bool take_id(const char **p, const char *end, int64_t *id)
{
	uint64_t v;

	if (end - *p >= 2 && !memcmp(*p, "-1", 2) && (*p + 2 == end || !digit((*p)[2]))) {
		*p += 2;
		*id = -1;
		return true;
	}
	if (!take_number(p, end, &v) || v > INT64_MAX)
		return false;
	*id = (int64_t)v;
	return true;
}

/* "24636/25607", or one number: the thread's. The word must end there. */
static bool take_ids(const char **p, const char *end, struct sf_script_sample *s)
{
	if (!take_id(p, end, &s->tid))
		return false;
	s->has_pid = *p < end && **p == '/';
	if (s->has_pid) {
		++*p;
		s->pid = s->tid;
		if (!take_id(p, end, &s->tid))
			return false;
	}
	return *p < end && space(**p);
}

/* "[003]" */
static bool take_cpu(const char **p, const char *end, struct sf_script_sample *s)
{
	const char *q = *p;
	uint64_t v;

	s->has_cpu = false;
	if (q == end || *q++ != '[' || !take_number(&q, end, &v) || q == end || *q++ != ']')
		return false;
	s->has_cpu = true;
	s->cpu = (uint32_t)v;
	*p = skip_space(q, end);
	return true;
}

/* "4794564.109216:" to ns. */
static bool take_time(const char **p, const char *end, struct sf_script_sample *s)
{
	uint64_t sec, unit = 1000000000, ns = 0;
	const char *q = *p;

	s->has_time = false;
	if (!take_number(&q, end, &sec) || q == end || *q++ != '.' || q == end || !digit(*q))
		return false;
	for (; q < end && digit(*q); q++)
		ns += (uint64_t)(*q - '0') * (unit /= 10);
	if (q == end || *q != ':' || sec > UINT64_MAX / 1000000000 - 1)
		return false;
	s->has_time = true;
	s->time = sec * 1000000000 + ns;
	*p = q + 1;
	return true;
}

/* "   250000 cycles:u: text": the event is the first word that ends in a colon. */
static void take_event(const char *p, const char *end, struct sf_script_sample *s)
{
	const char *word;

	s->has_period = false;
	s->event = s->text = (struct sf_text){ end, 0 };
	p = skip_space(p, end);
	word = p;
	if (take_number(&p, end, &s->period) && p < end && space(*p))
		s->has_period = true;
	else
		p = word;
	for (p = skip_space(p, end); p < end; p = skip_space(p, end)) {
		word = p;
		p = skip_word(p, end);
		if (p - word < 2 || p[-1] != ':')
			continue;
		s->event = (struct sf_text){ word, (size_t)(p - word) - 1 };
		p = skip_space(p, end);
		while (end > p && space(end[-1]))
			end--;
		s->text = (struct sf_text){ p, (size_t)(end - p) };
		return;
	}
}

static void set_comm(struct sf_script_sample *s, const char *start, const char *end)
{
	while (end > start && space(end[-1]))
		end--;
	s->comm = (struct sf_text){ start, (size_t)(end - start) };
}

bool sf_script_header(const char *line, size_t len, bool strict, struct sf_script_sample *s)
{
	const char *end = line + len, *start = skip_space(line, end), *weak = NULL, *p = start;
	struct sf_script_sample first;

	/* A name may hold words that look like a pid: the one before the time stamp is it. */
	while (p < end) {
		const char *word = p;

		if (take_ids(&p, end, s)) {
			p = skip_space(p, end);
			take_cpu(&p, end, s);
			if (!weak && word > start) {
				first = *s;
				set_comm(&first, start, word);
				weak = p;
			}
			if (take_time(&p, end, s)) {
				set_comm(s, start, word);
				take_event(p, end, s);
				return true;
			}
		}
		p = skip_space(skip_word(word, end), end);
	}
	if (strict || !weak || start != line)
		return false;
	*s = first;
	s->has_time = false;
	take_event(weak, end, s);
	return true;
}

bool sf_script_is_header(const char *line, size_t len)
{
	struct sf_script_sample s;

	return sf_script_header(line, len, true, &s);
}

bool sf_script_starts_with_hex(const char *line, size_t len)
{
	const char *end = line + len, *p = skip_space(line, end), *start = p;

	while (p < end && p - start <= 16 && hex_value(*p) >= 0)
		p++;
	return p > start && p - start <= 16 && p < end && space(*p);
}

static bool word_char(char c)
{
	return digit(c) || c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Cut "+0x1c" off the symbol. */
static void cut_offset(struct sf_script_frame *f)
{
	size_t i = f->symbol.len;
	uint64_t v = 0;
	int shift = 0;

	for (; i && hex_value(f->symbol.p[i - 1]) >= 0; i--, shift += 4)
		if (shift < 64)
			v |= (uint64_t)hex_value(f->symbol.p[i - 1]) << shift;
	if (i == f->symbol.len || i < 3 || memcmp(f->symbol.p + i - 3, "+0x", 3))
		return;
	f->offset = v;
	f->symbol.len = i - 3;
}

static const char *last(const char *start, const char *end, char c)
{
	return memrchr(start, c, (size_t)(end - start));
}

/*
 * The '(' that opens the dso: the last one behind a space. What perf adds to the path of a file that
 * is gone, "/usr/bin/vmm (deleted)", is part of the path.
 */
static const char *dso_start(const char *start, const char *end)
{
	static const char gone[] = " (deleted)";
	const char *p = end;

	if ((size_t)(end - start) > strlen(gone) && !memcmp(end - strlen(gone), gone, strlen(gone)))
		p = end - strlen(gone);
	while ((p = last(start, p, '(')) && (p == start || p[-1] != ' '))
		;
	return p;
}

static void parse_pc(struct sf_script_frame *f)
{
	f->ip = 0;
	for (size_t i = 0; i < f->pc.len; i++) {
		int v = hex_value(f->pc.p[i]);

		if (v < 0 || i >= 16) {
			f->ip = 0;
			return;
		}
		f->ip = f->ip << 4 | (uint64_t)v;
	}
}

bool sf_script_frame(const char *line, size_t len, struct sf_script_frame *f)
{
	const char *end = line + len, *p = skip_space(line, end), *close, *open;

	f->pc.p = p;
	while (p < end && word_char(*p))
		p++;
	f->pc.len = (size_t)(p - f->pc.p);
	close = last(p, end, ')');
	if (!f->pc.len || !close || !(open = dso_start(p, close)))
		return false;
	p = skip_space(p, open);
	f->symbol = (struct sf_text){ p, p < open ? (size_t)(open - p) - 1 : 0 };
	f->dso = (struct sf_text){ open + 1, (size_t)(close - open) - 1 };
	f->offset = 0;
	cut_offset(f);
	if (!f->symbol.len)
		f->symbol = (struct sf_text){ "[unknown]", strlen("[unknown]") };
	parse_pc(f);
	return true;
}

bool sf_script_inline_frame(struct sf_text text, struct sf_script_frame *f)
{
	const char *p = text.p, *end = p + text.len, *at = NULL;

	if (!text.len || end[-1] != ')')
		return false;
	if (sf_script_starts_with_hex(p, text.len) && sf_script_frame(p, text.len, f))
		return true;
	/* Behind a tracepoint's text: the last word that can only be an address. */
	for (; p < end; p = skip_space(skip_word(p, end), end)) {
		const char *stop = skip_word(p, end);

		if (stop - p >= 8 && sf_script_starts_with_hex(p, (size_t)(end - p)))
			at = p;
	}
	return at && sf_script_frame(at, (size_t)(end - at), f);
}
