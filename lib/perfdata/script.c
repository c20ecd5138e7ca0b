/* SPDX-License-Identifier: GPL-2.0-only */
#include <snapflame/script.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/array.h>
#include <snapflame/str.h>

#include "perfdata/lines.h"
#include "perfdata/script_header.h"

/* One sample holds no more: a call chain of perf has at most some thousand entries. */
#define MAX_FRAMES (1u << 20)

/*
 * The lines of a sample are copied to text, because the next line may move the buffer they came
 * from, and taken apart when the sample is complete and text no longer moves.
 */
struct sf_script {
	struct sf_lines lines;
	char *path;
	struct sf_str text;      /* the header's line, then those of the frames */
	size_t header_len;
	struct span {
		size_t at, len;  /* in text */
		unsigned number; /* of the line */
	} *span;                 /* of the frames */
	size_t nr_spans, span_alloc;
	bool in_sample;
	unsigned header_line;
	const char *next; /* a header that ended the sample before it; NULL for none */
	size_t next_len;
	struct sf_script_sample sample;
	struct sf_script_frame *frame;
	size_t nr_frames, frame_alloc;
	struct sf_script_stats stats;
};

int sf_script_new(struct sf_script **ret, struct sf_input *in, const char *path,
		  struct sf_error *err)
{
	struct sf_script *s = calloc(1, sizeof(*s));

	*ret = NULL;
	if (!s)
		return sf_error_at(err, -ENOMEM, path, 0, "no memory");
	sf_str_init(&s->text);
	sf_lines_init(&s->lines, in);
	s->path = strdup(path);
	if (!s->path) {
		sf_script_free(s);
		return sf_error_at(err, -ENOMEM, path, 0, "no memory");
	}
	*ret = s;
	return 0;
}

void sf_script_free(struct sf_script *s)
{
	if (!s)
		return;
	sf_lines_release(&s->lines);
	sf_str_release(&s->text);
	free(s->span);
	free(s->frame);
	free(s->path);
	free(s);
}

const struct sf_script_stats *sf_script_stats(const struct sf_script *s)
{
	return &s->stats;
}

static void unrecognized(struct sf_script *s, unsigned line)
{
	if (!s->stats.unrecognized++)
		s->stats.first_unrecognized = line;
}

static void start_sample(struct sf_script *s, const char *line, size_t len)
{
	sf_str_reset(&s->text);
	sf_str_addn(&s->text, line, len);
	s->header_len = len;
	s->header_line = s->lines.number;
	s->nr_spans = 0;
	s->in_sample = true;
}

static int add_frame(struct sf_script *s, const char *line, size_t len)
{
	if (s->nr_spans >= MAX_FRAMES) {
		unrecognized(s, s->lines.number);
		return 0;
	}
	if (SF_GROW(s->span, s->nr_spans + 1, s->span_alloc))
		return -ENOMEM;
	s->span[s->nr_spans++] = (struct span){ s->text.len, len, s->lines.number };
	sf_str_addn(&s->text, line, len);
	return 0;
}

/* Take the lines apart. blank: the stack ended in a blank line, or with the input behind frames. */
static int finish_sample(struct sf_script *s, bool blank)
{
	struct sf_script_sample *out = &s->sample;

	s->in_sample = false;
	if (sf_str_failed(&s->text) || SF_GROW(s->frame, s->nr_spans + 1, s->frame_alloc))
		return -ENOMEM;
	memset(out, 0, sizeof(*out));
	sf_script_header(s->text.buf, s->header_len, false, out);
	out->header = (struct sf_text){ s->text.buf, s->header_len };
	s->nr_frames = 0;
	for (size_t i = 0; i < s->nr_spans; i++) {
		const struct span *at = &s->span[i];

		if (sf_script_frame(s->text.buf + at->at, at->len, &s->frame[s->nr_frames]))
			s->nr_frames++;
		else
			unrecognized(s, at->number);
	}
	if (!s->nr_frames && sf_script_inline_frame(out->text, &s->frame[0])) {
		/* The tracepoint's own text ends where the frame begins. */
		out->text.len = (size_t)(s->frame[0].pc.p - out->text.p);
		s->nr_frames = 1;
	}
	out->frames = s->frame;
	out->nr_frames = s->nr_frames;
	out->bare = !s->nr_frames && !blank;
	out->line = s->header_line;
	s->stats.samples++;
	return 0;
}

enum line_kind { LINE_BLANK, LINE_COMMENT, LINE_HEADER, LINE_FRAME, LINE_OTHER };

/*
 * A header begins in the first column, unless perf pads the name of the thread, which it does for
 * samples without call chain; a frame is indented. "cafe" is a name and an address: what is
 * indented is a frame while a sample is open.
 */
static enum line_kind classify(const struct sf_script *s, const char *line, size_t len)
{
	struct sf_script_sample header;
	struct sf_script_frame frame;
	bool indented = len && (line[0] == ' ' || line[0] == '\t');

	if (!len)
		return LINE_BLANK;
	if (line[0] == '#')
		return LINE_COMMENT;
	if (indented && s->in_sample && sf_script_starts_with_hex(line, len) &&
	    !sf_script_is_header(line, len))
		return LINE_FRAME;
	if (sf_script_header(line, len, indented, &header))
		return LINE_HEADER;
	return s->in_sample && sf_script_frame(line, len, &frame) ? LINE_FRAME : LINE_OTHER;
}

/* One line into the sample: 1 when that completed it. */
static int feed_line(struct sf_script *s, const char *line, size_t len)
{
	int ret;

	switch (classify(s, line, len)) {
	case LINE_HEADER:
		if (!s->in_sample) {
			start_sample(s, line, len);
			return 0;
		}
		s->next = line;
		s->next_len = len;
		ret = finish_sample(s, false);
		return ret ? ret : 1;
	case LINE_FRAME:
		return add_frame(s, line, len);
	case LINE_BLANK:
		if (!s->in_sample)
			return 0;
		ret = finish_sample(s, true);
		return ret ? ret : 1;
	case LINE_OTHER:
		unrecognized(s, s->lines.number);
		return 0;
	case LINE_COMMENT:
		break;
	}
	return 0;
}

/* 1 when a sample is complete, 0 at the end of the input. */
static int read_sample(struct sf_script *s, struct sf_error *err)
{
	const char *line;
	size_t len;
	int ret;

	if (s->next) {
		start_sample(s, s->next, s->next_len);
		s->next = NULL;
	}
	while ((ret = sf_lines_next(&s->lines, &line, &len, s->path, err)) > 0) {
		ret = feed_line(s, line, len);
		if (ret < 0)
			return sf_error_at(err, ret, s->path, s->lines.number, "no memory");
		if (ret)
			return 1;
	}
	if (ret < 0 || !s->in_sample)
		return ret;
	ret = finish_sample(s, false);
	return ret ? sf_error_at(err, ret, s->path, s->lines.number, "no memory") : 1;
}

int sf_script_next(struct sf_script *s, const struct sf_script_sample **sample,
		   struct sf_error *err)
{
	int ret = read_sample(s, err);

	if (ret > 0)
		*sample = &s->sample;
	return ret;
}
