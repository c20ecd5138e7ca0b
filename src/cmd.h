/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The commands. Each is one file, src/cmd_<name>.c, that defines one struct sf_command; a new one
 * needs a declaration here and a line in commands.c.
 *
 * run() gets argv with the command's name as argv[0], calls sf_options_parse() first, and returns
 * an exit status; main() flushes standard output and reports what went wrong with it.
 */
#ifndef SF_CMD_H
#define SF_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include "confine.h"

struct sf_option;

enum sf_exit {
	SF_EXIT_DONE = 0,
	SF_EXIT_FAILED = 1,
	SF_EXIT_USAGE = 2,
	SF_EXIT_GATE = 3, /* a gate that the user set (--fail-over) was exceeded */
};

/* What follows the options: decides what the shells complete. */
enum sf_operands {
	SF_OPERANDS_FILES,
	SF_OPERANDS_NONE,
	SF_OPERANDS_COMMAND, /* a command with its own options: parsing stops at it */
};

struct sf_command {
	const char *name;
	const char *summary; /* one line for the list of commands, without full stop */
	const char *usage;   /* behind the name: "[options] [FILE...]"; further lines: other forms */
	const char *about;   /* a paragraph under the usage */
	const struct sf_option *options; /* ends with a row without name, type SF_OPTION_END */
	enum sf_operands operands;
	enum sf_confined confined;
	const char *const *words; /* NULL-ended operands that are fixed words, for completion */
	int (*run)(const struct sf_command *cmd, int argc, char **argv);
};

/* All commands, NULL-ended, in the order of --help. */
extern const struct sf_command *const sf_commands[];

extern const struct sf_command cmd_diff;
extern const struct sf_command cmd_doctor;
extern const struct sf_command cmd_export;
extern const struct sf_command cmd_fold;
extern const struct sf_command cmd_record;
extern const struct sf_command cmd_report;
extern const struct sf_command cmd_show;

const struct sf_command *sf_command_find(const char *name);

/* The name out of the NULL-ended list that name is probably meant to be; NULL for none. */
const char *sf_nearest(const char *name, const char *const *names);

/* Completion script of a shell (bash, zsh, fish) on standard output; false for an unknown shell. */
bool sf_completion(const char *shell);

#endif
