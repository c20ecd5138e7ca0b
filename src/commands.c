/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>

#include "cmd.h"

const struct sf_command *const sf_commands[] = {
	&cmd_fold,
	&cmd_diff,
	&cmd_report,
	&cmd_show,
	&cmd_export,
	&cmd_doctor,
	&cmd_record,
	NULL,
};

const struct sf_command *sf_command_find(const char *name)
{
	for (size_t i = 0; sf_commands[i]; i++)
		if (!strcmp(sf_commands[i]->name, name))
			return sf_commands[i];
	return NULL;
}

enum { LONGEST = 32 };

/* Edits that make b of a: insert, delete, replace, swap neighbours. */
static size_t distance(const char *a, const char *b)
{
	size_t m = strlen(a), n = strlen(b), d[LONGEST + 1][LONGEST + 1];

	if (m > LONGEST || n > LONGEST)
		return LONGEST;
	for (size_t i = 0; i <= m; i++)
		d[i][0] = i;
	for (size_t j = 0; j <= n; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= m; i++)
		for (size_t j = 1; j <= n; j++) {
			size_t best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

			if (d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
			    d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	return d[m][n];
}

const char *sf_nearest(const char *name, const char *const *names)
{
	size_t best = strlen(name) > 4 ? 3 : 2; /* one short of this many edits is near */
	const char *near = NULL;

	if (strlen(name) < 2)
		return NULL;
	for (size_t i = 0; names[i]; i++) {
		size_t d = distance(name, names[i]);

		if (d < best) {
			best = d;
			near = names[i];
		}
	}
	return near;
}
