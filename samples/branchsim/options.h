/* SPDX-License-Identifier: GPL-2.0-only */
/* Command lines: a table per command gives parsing and --help. */
#ifndef BRANCHSIM_OPTIONS_H
#define BRANCHSIM_OPTIONS_H

#include <stddef.h>

enum option_type {
	OPTION_FLAG,   /* int *: set to 1 */
	OPTION_TEXT,   /* const char ** */
	OPTION_COUNT,  /* unsigned *, between min and max */
	OPTION_NUMBER, /* double *, 0 or more */
};

struct option_row {
	const char *name; /* without the dashes */
	enum option_type type;
	void *value;
	const char *arg; /* its name in --help; NULL for a flag */
	const char *help;
	unsigned min, max; /* of a count */
};

/*
 * Parse argv[1…]. Prints and exits: with 0 after --help, with 2 on a wrong line. The table ends
 * with a row without a name. Nothing but options is allowed.
 */
void options_parse(int argc, char **argv, const char *usage, const struct option_row *rows);

#endif
