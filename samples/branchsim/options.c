/* SPDX-License-Identifier: GPL-2.0-only */
#include "options.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void __attribute__((noreturn)) wrong(const char *what, const char *name)
{
	fprintf(stderr, "branchsim: %s%s; see --help\n", what, name);
	exit(2);
}

static void __attribute__((noreturn)) help(const char *usage, const struct option_row *rows)
{
	printf("usage: branchsim %s\n\n", usage);
	for (; rows->name; rows++) {
		char left[64];

		snprintf(left, sizeof(left), "--%s %s", rows->name, rows->arg ? rows->arg : "");
		printf("  %-24s %s\n", left, rows->help);
	}
	exit(0);
}

static const struct option_row *find(const struct option_row *rows, const char *name, size_t len)
{
	for (; rows->name; rows++)
		if (strlen(rows->name) == len && !memcmp(rows->name, name, len))
			return rows;
	return NULL;
}

static void store(const struct option_row *row, const char *text)
{
	char *end;
	double number;

	if (row->type == OPTION_FLAG) {
		*(int *)row->value = 1;
		return;
	}
	if (row->type == OPTION_TEXT) {
		*(const char **)row->value = text;
		return;
	}
	errno = 0;
	number = strtod(text, &end);
	if (end == text || *end || errno || !isfinite(number) || number < 0)
		wrong("not a number: ", text);
	if (row->type == OPTION_NUMBER) {
		*(double *)row->value = number;
		return;
	}
	if (number < row->min || number > row->max || number != (unsigned)number) {
		fprintf(stderr, "branchsim: --%s takes %u to %u\n", row->name, row->min, row->max);
		exit(2);
	}
	*(unsigned *)row->value = (unsigned)number;
}

void options_parse(int argc, char **argv, const char *usage, const struct option_row *rows)
{
	for (int i = 1; i < argc; i++) {
		const char *name = argv[i] + 2, *equals;
		const struct option_row *row;

		if (!strcmp(argv[i], "--help") || !strcmp(argv[i], "-h"))
			help(usage, rows);
		if (strncmp(argv[i], "--", 2))
			wrong("unexpected argument: ", argv[i]);
		equals = strchr(name, '=');
		row = find(rows, name, equals ? (size_t)(equals - name) : strlen(name));
		if (!row || (row->type == OPTION_FLAG && equals))
			wrong("unknown option: ", argv[i]);
		if (row->type == OPTION_FLAG)
			store(row, NULL);
		else if (equals)
			store(row, equals + 1);
		else if (++i < argc)
			store(row, argv[i]);
		else
			wrong("a value is missing after ", argv[i - 1]);
	}
}
