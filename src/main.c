/* SPDX-License-Identifier: GPL-2.0-only */
/* Finds the command and leaves the rest to it. */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/array.h>

#include "cmd.h"
#include "options.h"
#include "report.h"

static int help(FILE *f)
{
	fputs("usage: snapflame COMMAND [options]\n\n"
	      "Explains where the time of a VM snapshot pause went.\n\n",
	      f);
	for (size_t i = 0; sf_commands[i]; i++)
		fprintf(f, "  %-10s%s\n", sf_commands[i]->name, sf_commands[i]->summary);
	fputs("\nsnapflame COMMAND --help says more; so do the man pages, from snapflame(1) on.\n",
	      f);
	return SF_EXIT_DONE;
}

static int unknown(const char *name)
{
	const char *names[64] = {0};
	const char *near;

	for (size_t i = 0; i < SF_ARRAY_SIZE(names) - 1 && sf_commands[i]; i++)
		names[i] = sf_commands[i]->name;
	near = sf_nearest(name, names);
	if (near)
		return sf_usage("unknown command '%s'; did you mean '%s'?", name, near);
	return sf_usage("unknown command '%s'", name);
}

static int help_on(const char *name)
{
	const struct sf_command *cmd = sf_command_find(name);

	if (!cmd)
		return unknown(name);
	sf_options_help(cmd, stdout);
	return SF_EXIT_DONE;
}

static int completion(const char *shell)
{
	if (shell && sf_completion(shell))
		return SF_EXIT_DONE;
	return sf_usage("--completion needs bash, zsh or fish");
}

static int version(void)
{
	puts("snapflame " SNAPFLAME_VERSION);
	return SF_EXIT_DONE;
}

static int dispatch(int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : NULL;
	const struct sf_command *cmd;

	if (!word) {
		help(stderr);
		return SF_EXIT_USAGE;
	}
	if (!strcmp(word, "--help") || !strcmp(word, "-h") || (!strcmp(word, "help") && argc == 2))
		return help(stdout);
	if (!strcmp(word, "help"))
		return help_on(argv[2]);
	if (!strcmp(word, "--version") || !strcmp(word, "version"))
		return version();
	if (!strcmp(word, "--completion"))
		return completion(argc > 2 ? argv[2] : NULL);
	if (word[0] == '-')
		return sf_usage("unknown option %s", word);
	cmd = sf_command_find(word);
	if (!cmd)
		return unknown(word);
	sf_confine(cmd->confined, argv);
	return cmd->run(cmd, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "");
	return sf_finish(dispatch(argc, argv));
}
