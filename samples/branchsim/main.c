/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * branchsim: a stand-in for a VMM whose snapshot pauses get longer for a known reason.
 *
 *   branchsim vmm --sock S --cause NAME   runs it
 *   branchsim branch --sock S             takes one snapshot, prints what it took
 *   branchsim causes [--json]             lists the reasons and the right answer for each
 */
#include "commands.h"
#include "util.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{ "vmm", cmd_vmm, "run a VMM with a cause that makes its pauses longer" },
	{ "branch", cmd_branch, "pause, snapshot and resume it; prints a line of JSON" },
	{ "causes", cmd_causes, "list the causes and what the right answer about each is" },
	{ "score", cmd_score, "is the verdict of diff --json the right one about a cause?" },
};

static int usage(FILE *out, int status)
{
	fprintf(out, "usage: branchsim COMMAND [options]\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].help);
	fprintf(out, "\nEvery command has --help.\n");
	return status;
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return usage(stderr, 2);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help"))
		return usage(stdout, 0);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	fprintf(stderr, "branchsim: no command is called %s\n", argv[1]);
	return usage(stderr, 2);
}
