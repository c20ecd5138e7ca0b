/* SPDX-License-Identifier: GPL-2.0-only */
/* Completion scripts for the shells, from the tables. */
#include <stdio.h>
#include <string.h>

#include "cmd.h"
#include "options.h"

typedef void row_fn(const struct sf_command *cmd, const struct sf_option *o);

static void each_row(const struct sf_command *cmd, row_fn *fn)
{
	for (const struct sf_option *o = cmd->options; o->type != SF_OPTION_END; o++)
		if (o->type != SF_OPTION_HEADING)
			fn(cmd, o);
	for (const struct sf_option *o = sf_common_options; o->type != SF_OPTION_END; o++)
		if (o->type != SF_OPTION_HEADING)
			fn(cmd, o);
}

static void words(const char *const *list, const char *between)
{
	for (size_t i = 0; list && list[i]; i++)
		printf("%s%s", i ? between : "", list[i]);
}

static void command_names(const char *between)
{
	for (size_t i = 0; sf_commands[i]; i++)
		printf("%s%s", i ? between : "", sf_commands[i]->name);
}

/* Text inside single quotes; brackets and colons end a description of zsh. */
static void quoted(const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", stdout);
		else if (strchr("[]:", *text))
			printf("\\%c", *text);
		else
			putchar(*text);
	}
}

static void bash_value(const struct sf_command *cmd, const struct sf_option *o)
{
	if (o->type != SF_OPTION_ENUM && !(o->type == SF_OPTION_LIST && o->choices))
		return;
	printf("    %s,--%s) COMPREPLY=($(compgen -W '", cmd->name, o->name);
	words(o->choices, " ");
	puts("' -- \"$cur\")); return ;;");
}

static void bash_name(const struct sf_command *cmd, const struct sf_option *o)
{
	printf("--%s ", o->name);
}

static void bash(void)
{
	fputs("_snapflame() {\n"
	      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} opts= "
	      "words=\n"
	      "  if [ \"$cur\" = = ]; then cur=\n"
	      "  elif [ \"$prev\" = = ]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
	      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
	      "    COMPREPLY=($(compgen -W '",
	      stdout);
	command_names(" ");
	fputs(" help --help --version' -- \"$cur\")); return\n  fi\n"
	      "  case ${COMP_WORDS[1]},$prev in\n",
	      stdout);
	for (size_t i = 0; sf_commands[i]; i++)
		each_row(sf_commands[i], bash_value);
	fputs("    help,help) COMPREPLY=($(compgen -W '", stdout);
	command_names(" ");
	fputs("' -- \"$cur\")); return ;;\n  esac\n  case ${COMP_WORDS[1]} in\n", stdout);
	for (size_t i = 0; sf_commands[i]; i++) {
		printf("    %s) opts='", sf_commands[i]->name);
		each_row(sf_commands[i], bash_name);
		fputs("' words='", stdout);
		words(sf_commands[i]->words, " ");
		puts("' ;;");
	}
	puts("  esac\n"
	     "  case $cur in\n"
	     "    -*) COMPREPLY=($(compgen -W \"$opts\" -- \"$cur\")) ;;\n"
	     "    *) COMPREPLY=($(compgen -f -W \"$words\" -- \"$cur\")) ;;\n"
	     "  esac\n"
	     "}\n"
	     "complete -o filenames -F _snapflame snapflame");
}

static void zsh_row(const struct sf_command *cmd, const struct sf_option *o)
{
	if (o->letter)
		printf(" \\\n      '(-%c --%s)'{-%c,--%s}'[", o->letter, o->name, o->letter,
		       o->name);
	else
		printf(" \\\n      '--%s%s[", o->name, o->arg ? "=" : "");
	quoted(o->help);
	fputs("]", stdout);
	if (o->arg) {
		putchar(':');
		quoted(o->type == SF_OPTION_ENUM ? o->name : o->arg);
		putchar(':');
		if (o->choices) {
			putchar('(');
			words(o->choices, " ");
			putchar(')');
		} else if (o->type == SF_OPTION_FILE) {
			fputs("_files", stdout);
		}
	}
	putchar('\'');
}

static void zsh(void)
{
	puts("#compdef snapflame\n"
	     "_snapflame() {\n"
	     "  if (( CURRENT == 2 )); then\n"
	     "    local -a cmds=(");
	for (size_t i = 0; sf_commands[i]; i++) {
		printf("      '%s:", sf_commands[i]->name);
		quoted(sf_commands[i]->summary);
		puts("'");
	}
	puts("    )\n"
	     "    _describe command cmds\n"
	     "    return\n"
	     "  fi\n"
	     "  local cmd=$words[2]\n"
	     "  shift words; (( CURRENT-- ))\n"
	     "  case $cmd in");
	for (size_t i = 0; sf_commands[i]; i++) {
		printf("    %s) _arguments -s", sf_commands[i]->name);
		each_row(sf_commands[i], zsh_row);
		puts(sf_commands[i]->operands == SF_OPERANDS_COMMAND
			     ? " \\\n      '*::command:_normal' ;;"
		     : sf_commands[i]->operands == SF_OPERANDS_FILES
			     ? " \\\n      '*:file:_files' ;;"
			     : " ;;");
	}
	puts("  esac\n"
	     "}\n"
	     "# Loaded by its name, as completion of a directory in fpath, or by eval.\n"
	     "if [[ $funcstack[1] = _snapflame ]]; then _snapflame \"$@\"\n"
	     "else compdef _snapflame snapflame; fi");
}

static void fish_row(const struct sf_command *cmd, const struct sf_option *o)
{
	printf("complete -c snapflame -n '__fish_seen_subcommand_from %s' -l %s", cmd->name,
	       o->name);
	if (o->letter)
		printf(" -s %c", o->letter);
	if (o->arg)
		fputs(o->type == SF_OPTION_FILE ? " -r" : " -x", stdout);
	if (o->choices) {
		fputs(" -a '", stdout);
		words(o->choices, " ");
		putchar('\'');
	}
	fputs(" -d '", stdout);
	for (const char *p = o->help; *p; p++)
		if (*p == '\'' || *p == '\\')
			printf("\\%c", *p);
		else
			putchar(*p);
	puts("'");
}

static void fish(void)
{
	for (size_t i = 0; sf_commands[i]; i++) {
		printf("complete -c snapflame -n __fish_use_subcommand -f -a %s -d '%s'\n",
		       sf_commands[i]->name, sf_commands[i]->summary);
		each_row(sf_commands[i], fish_row);
	}
}

bool sf_completion(const char *shell)
{
	static const struct {
		const char *name;
		void (*print)(void);
	} shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

	for (size_t i = 0; i < sizeof(shells) / sizeof(shells[0]); i++)
		if (!strcmp(shell, shells[i].name)) {
			shells[i].print();
			return true;
		}
	return false;
}
