/* SPDX-License-Identifier: GPL-2.0-only */
#include <snapflame/filetype.h>

#include <stdbool.h>
#include <string.h>

#include <snapflame/folded.h>
#include <snapflame/script.h>

#include "perfdata/input.h"

#define PEEK (64 * 1024) /* bytes of text to look at */

static bool is_perf_data(const char *text, size_t len)
{
	static const char magic[][9] = { "PERFILE2", "PERFFILE", "2ELIFREP", "ELIFFREP" };

	for (size_t i = 0; i < sizeof(magic) / sizeof(magic[0]); i++)
		if (len >= 8 && !memcmp(text, magic[i], 8))
			return true;
	return false;
}

/* What one line can only be; SF_FILETYPE_UNKNOWN where it says nothing. */
static enum sf_filetype kind_of_line(const char *line, size_t len)
{
	struct sf_folded_line folded;
	bool rounded;

	if (sf_script_is_header(line, len))
		return SF_FILETYPE_SCRIPT;
	if (sf_folded_parse(line, len, &folded, &rounded))
		return SF_FILETYPE_FOLDED;
	/* perf script without time stamps: "node 31912 cpu-clock: " */
	if (line[len - 1] == ':' || (len > 1 && !memcmp(line + len - 2, ": ", 2)))
		return SF_FILETYPE_SCRIPT;
	/* One column may stand alone: it has no comma. */
	if (memchr(line, ',', len) || (len == strlen("pause_ms") && !memcmp(line, "pause_ms", len)))
		return SF_FILETYPE_CSV;
	return SF_FILETYPE_UNKNOWN;
}

enum sf_filetype sf_filetype_of(const char *text, size_t len, int whole)
{
	bool seen = false, comments;

	if (is_perf_data(text, len))
		return SF_FILETYPE_PERF_DATA;
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) {
		text += 3;
		len -= 3;
	}
	if (memchr(text, '\0', len))
		return SF_FILETYPE_UNKNOWN;
	comments = len && text[0] == '#';
	while (len) {
		const char *nl = memchr(text, '\n', len);
		size_t line = nl ? (size_t)(nl - text) : len, step = line + (nl != NULL);
		enum sf_filetype kind;

		if (!nl && !whole)
			break;
		if (line && text[line - 1] == '\r')
			line--;
		if (line && text[0] != '#') {
			kind = kind_of_line(text, line);
			if (kind != SF_FILETYPE_UNKNOWN)
				return kind;
			seen = true;
		}
		text += step;
		len -= step;
	}
	if (whole && !seen)
		return SF_FILETYPE_EMPTY;
	/* The header that perf script prints can be longer than what there is to look at. */
	return comments && !seen ? SF_FILETYPE_SCRIPT : SF_FILETYPE_UNKNOWN;
}

enum sf_filetype sf_input_type(struct sf_input *in)
{
	const uint8_t *p;
	size_t n;
	bool whole;

	/* Eight bytes first: perf in a pipe may be long in coming with more. */
	if (sf_input_peek(in, 8, &p, &n, &whole))
		return SF_FILETYPE_UNKNOWN;
	if (is_perf_data((const char *)p, n))
		return SF_FILETYPE_PERF_DATA;
	if (sf_input_peek(in, PEEK, &p, &n, &whole))
		return SF_FILETYPE_UNKNOWN;
	return sf_filetype_of((const char *)p, n, whole);
}

const char *sf_filetype_name(enum sf_filetype kind)
{
	static const char *const names[] = {
		[SF_FILETYPE_UNKNOWN] = "nothing that is known here",
		[SF_FILETYPE_EMPTY] = "empty",
		[SF_FILETYPE_PERF_DATA] = "a perf.data file",
		[SF_FILETYPE_SCRIPT] = "text of perf script",
		[SF_FILETYPE_FOLDED] = "folded stacks",
		[SF_FILETYPE_CSV] = "a CSV table",
	};

	return names[kind];
}
