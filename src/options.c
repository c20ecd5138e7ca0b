/* SPDX-License-Identifier: GPL-2.0-only */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/array.h>
#include <snapflame/str.h>

#include "report.h"

static const char *const colors[] = {"auto", "always", "never", NULL};

/* What the common rows write; sf_ui is made from it when all options are known. */
struct common {
	bool help;
	int quiet, verbose, color;
};

const struct sf_option sf_common_options[] = {
	SF_HEADING("Every command"),
	SF_FLAG('h', "help", struct common, help, "print this text"),
	SF_COUNT('q', "quiet", struct common, quiet, "no warnings"),
	SF_COUNT('v', "verbose", struct common, verbose, "say more; twice: even more"),
	SF_ENUM(0, "color", struct common, color, colors, "colours on a terminal"),
	SF_OPTIONS_END,
};

static bool takes_value(const struct sf_option *o)
{
	return o->type != SF_OPTION_FLAG && o->type != SF_OPTION_COUNT;
}

/* Row number index of the command's table followed by the common one; NULL past the end. */
static const struct sf_option *row(const struct sf_command *cmd, size_t index, bool *common)
{
	size_t n = 0;

	while (cmd->options[n].type != SF_OPTION_END)
		if (n++ == index)
			return &cmd->options[index];
	*common = true;
	for (size_t i = 0; sf_common_options[i].type != SF_OPTION_END; i++)
		if (i == index - n)
			return &sf_common_options[i];
	return NULL;
}

/* The tables in the form of getopt_long: what it returns is the row's number + FIRST. */
#define FIRST 256

struct getopt_tables {
	struct option *longs;
	size_t nr, alloc;
	struct sf_str shorts;
};

static int make_tables(const struct sf_command *cmd, struct getopt_tables *t)
{
	const struct sf_option *o;
	bool common = false;

	sf_str_add(&t->shorts, cmd->operands == SF_OPERANDS_COMMAND ? "+:" : ":");
	for (size_t i = 0; (o = row(cmd, i, &common)); i++) {
		if (o->type == SF_OPTION_HEADING)
			continue;
		if (SF_GROW(t->longs, t->nr + 2, t->alloc))
			return -ENOMEM;
		t->longs[t->nr++] = (struct option){
			.name = o->name,
			.has_arg = takes_value(o) ? required_argument : no_argument,
			.val = (int)i + FIRST,
		};
		if (o->letter) {
			sf_str_addch(&t->shorts, o->letter);
			if (takes_value(o))
				sf_str_addch(&t->shorts, ':');
		}
	}
	if (!t->longs)
		return -ENOMEM;
	t->longs[t->nr] = (struct option){0};
	return sf_str_failed(&t->shorts) ? -ENOMEM : 0;
}

static const struct sf_option *find_row(const struct sf_command *cmd, int c, bool *common)
{
	const struct sf_option *o;

	*common = false;
	if (c >= FIRST)
		return row(cmd, (size_t)c - FIRST, common);
	for (size_t i = 0; (o = row(cmd, i, common)); i++)
		if (o->type != SF_OPTION_HEADING && o->letter == c)
			return o;
	return NULL;
}

static int unknown_long(const struct getopt_tables *t, const char *word)
{
	const char *near = NULL, **names;
	size_t len = strcspn(word, "=");
	char *name = strndup(word, len);

	names = calloc(t->nr + 1, sizeof(*names));
	if (names && name) {
		for (size_t i = 0; i < t->nr; i++)
			names[i] = t->longs[i].name;
		near = sf_nearest(name, names);
	}
	if (near)
		sf_usage("unknown option --%.*s; did you mean --%s?", (int)len, word, near);
	else
		sf_usage("unknown option --%.*s", (int)len, word);
	free(names);
	free(name);
	return -1;
}

/* getopt's ':' (a value is missing) and '?' (unknown, ambiguous, or a value too many). */
static int complain(const struct sf_command *cmd, const struct getopt_tables *t, int c,
		    const char *word)
{
	const struct sf_option *o = NULL;
	bool common;

	if (optopt)
		o = find_row(cmd, optopt, &common);
	if (o && c == ':')
		sf_usage("--%s needs a value", o->name);
	else if (o)
		sf_usage("--%s takes no value", o->name);
	else if (optopt && optopt < FIRST)
		sf_usage("unknown option -%c", optopt);
	else
		unknown_long(t, word + 2);
	return -1;
}

static int parse(const struct sf_command *cmd, const struct getopt_tables *t, void *target,
		 struct common *com, int argc, char **argv)
{
	struct sf_error err;
	int c;

	opterr = 0;
	optind = 0; /* not 1: that would keep the state of an earlier parse */
	while ((c = getopt_long(argc, argv, t->shorts.buf, t->longs, NULL)) != -1) {
		const struct sf_option *o;
		bool common;
		int ret;

		if (c == ':' || c == '?')
			return complain(cmd, t, c, argv[optind - 1]);
		o = find_row(cmd, c, &common);
		ret = sf_option_value(o, optarg, (char *)(common ? (void *)com : target) + o->offset,
				      &err);
		if (ret == -ENOMEM) {
			sf_failf("out of memory");
			return -2;
		}
		if (ret) {
			sf_usage("%s", err.what);
			return -1;
		}
	}
	return optind;
}

int sf_options_parse(const struct sf_command *cmd, void *target, int argc, char **argv)
{
	struct getopt_tables t = {.shorts = SF_STR_INIT};
	struct common com = {0};
	int ret;

	sf_ui.cmd = cmd->name;
	if (make_tables(cmd, &t)) {
		sf_failf("out of memory");
		ret = -2;
	} else {
		ret = parse(cmd, &t, target, &com, argc, argv);
	}
	sf_ui.verbosity = com.verbose - com.quiet;
	sf_ui.color = (enum sf_color)com.color;
	if (ret > 0 && com.help) {
		sf_options_help(cmd, stdout);
		ret = 0;
	}
	if (ret <= 0)
		sf_options_release(cmd, target);
	sf_str_release(&t.shorts);
	free(t.longs);
	return ret;
}

int sf_options_status(int parsed)
{
	return parsed == -1 ? SF_EXIT_USAGE : parsed < 0 ? SF_EXIT_FAILED : SF_EXIT_DONE;
}

void sf_options_release(const struct sf_command *cmd, void *target)
{
	for (const struct sf_option *o = cmd->options; o->type != SF_OPTION_END; o++) {
		void *field = (char *)target + o->offset;

		if (o->type == SF_OPTION_TEXTS) {
			struct sf_texts *t = field;

			free(t->item);
			*t = (struct sf_texts){0};
		} else if (o->type == SF_OPTION_LIST) {
			struct sf_list *l = field;

			free(l->item);
			*l = (struct sf_list){0};
		}
	}
}
