/* SPDX-License-Identifier: GPL-2.0-only */
/* --help of a command, from its table. */
#include <string.h>

#include <snapflame/str.h>

#include "options.h"

enum { WIDTH = 80, TEXT_COLUMN = 26 };

const char *sf_option_arg(const struct sf_option *o, char *buf, size_t size)
{
	size_t used = 0;

	if (o->type != SF_OPTION_ENUM)
		return o->arg;
	buf[0] = '\0';
	for (size_t i = 0; o->choices[i] && used < size; i++) {
		int n = snprintf(buf + used, size - used, "%s%s", i ? "|" : "", o->choices[i]);

		used += n > 0 ? (size_t)n : 0;
	}
	return buf;
}

/* Words of text from the column at on, wrapped at WIDTH; lines start at column. */
static void wrap(FILE *f, const char *text, int at, int column)
{
	while (*text) {
		int n = (int)strcspn(text, " ");

		if (at > column && at + 1 + n > WIDTH) {
			fprintf(f, "\n%*s", column, "");
			at = column;
		} else if (at > column) {
			fputc(' ', f);
			at++;
		}
		fprintf(f, "%.*s", n, text);
		at += n;
		text += n;
		text += strspn(text, " ");
	}
	fputc('\n', f);
}

static void print_row(FILE *f, const struct sf_option *o)
{
	char left[512], buf[256];
	const char *arg = sf_option_arg(o, buf, sizeof(buf));
	int n;

	if (o->letter)
		n = snprintf(left, sizeof(left), "  -%c, --%s", o->letter, o->name);
	else
		n = snprintf(left, sizeof(left), "      --%s", o->name);
	if (arg)
		n += snprintf(left + n, sizeof(left) - (size_t)n, " %s", arg);
	fputs(left, f);
	if (n + 2 > TEXT_COLUMN)
		fprintf(f, "\n%*s", TEXT_COLUMN, "");
	else
		fprintf(f, "%*s", TEXT_COLUMN - n, "");
	wrap(f, o->help, TEXT_COLUMN, TEXT_COLUMN);
}

static void print_rows(FILE *f, const struct sf_option *o)
{
	if (o->type != SF_OPTION_HEADING && o->type != SF_OPTION_END)
		fputs("\nOptions\n", f);
	for (; o->type != SF_OPTION_END; o++) {
		if (o->type == SF_OPTION_HEADING)
			fprintf(f, "\n%s\n", o->name);
		else
			print_row(f, o);
	}
}

void sf_options_help(const struct sf_command *cmd, FILE *f)
{
	const char *usage = cmd->usage, *lead = "usage:";

	while (*usage) {
		int n = (int)strcspn(usage, "\n");

		fprintf(f, "%s snapflame %s %.*s\n", lead, cmd->name, n, usage);
		usage += n;
		usage += *usage == '\n';
		lead = "      ";
	}
	fputc('\n', f);
	wrap(f, cmd->about, 0, 0);
	print_rows(f, cmd->options);
	print_rows(f, sf_common_options);
}
