/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Options of a command: one table that yields the parsing, --help and the shells' completion.
 *
 *	struct fold_opts {
 *		bool kernel;
 *		const char *event;
 *		int view;
 *		struct sf_list windows;
 *	};
 *
 *	static const struct sf_option options[] = {
 *		SF_HEADING("What is counted"),
 *		SF_FLAG('k', "kernel", struct fold_opts, kernel, "mark kernel frames with _[k]"),
 *		SF_TEXT(0, "event", struct fold_opts, event, "NAME", "fold this event"),
 *		SF_ENUM(0, "view", struct fold_opts, view, views, "what a width means"),
 *		SF_LIST(0, "window", struct fold_opts, windows, words, "1,2,4-6", "these BRANCHes"),
 *		SF_OPTIONS_END,
 *	};
 *
 * A macro compiles only if the field has the type that the option yields. -h, -q, -v and --color
 * are added to every table. Texts point into argv and are not freed.
 */
#ifndef SF_OPTIONS_H
#define SF_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <snapflame/error.h>

#include "cmd.h"

enum sf_option_type {
	SF_OPTION_END,
	SF_OPTION_HEADING,
	SF_OPTION_FLAG,    /* bool */
	SF_OPTION_TEXT,    /* const char * */
	SF_OPTION_TEXTS,   /* struct sf_texts: may be given several times */
	SF_OPTION_FILE,    /* const char *, completed as a file name */
	SF_OPTION_UINT,    /* unsigned int: decimal */
	SF_OPTION_SIZE,    /* uint64_t bytes: 64k, 1.5G (powers of 1024) */
	SF_OPTION_TIME,    /* uint64_t ns: seconds, or 20ms, 5us, 3m */
	SF_OPTION_SPAN,    /* struct sf_time_span: A,B in seconds; either may be left out */
	SF_OPTION_PERCENT, /* double: 20 or 20% */
	SF_OPTION_ENUM,    /* int: index into choices */
	SF_OPTION_LIST,    /* struct sf_list: 1,2,4-6 and the words in choices */
	SF_OPTION_COUNT,   /* int: how often it was given */
};

struct sf_texts {
	const char **item;
	size_t nr, alloc;
};

struct sf_time_span {
	uint64_t begin, end; /* ns; end is UINT64_MAX where it was left out */
	bool set;
};

struct sf_list {
	struct sf_list_item {
		uint64_t first, last; /* last is UINT64_MAX for "4-" */
		int word;             /* index into choices, or -1: numbers */
	} *item;
	size_t nr, alloc;
};

struct sf_option {
	enum sf_option_type type;
	char letter;      /* 0 for none */
	const char *name; /* long name; of a heading: its text */
	const char *arg;  /* what --help calls the value, NULL for a flag */
	const char *const *choices; /* NULL-ended */
	const char *help;
	size_t offset; /* of the field in the command's struct */
};

/* Offset of the field, provided that it has the type. */
#define SF_FIELD(s, field, type)                                                                   \
	(offsetof(s, field) +                                                                      \
	 0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((s *)0)->field), type) ? 1 : -1]))

#define SF_HEADING(text) { .type = SF_OPTION_HEADING, .name = text }
#define SF_OPTIONS_END { .type = SF_OPTION_END }
#define SF_ROW(t, letter_, name_, s, f, ctype, arg_, choices_, help_)                              \
	{ .type = t, .letter = letter_, .name = name_, .arg = arg_, .choices = choices_,           \
	  .help = help_, .offset = SF_FIELD(s, f, ctype) }
#define SF_FLAG(l, name, s, f, help) SF_ROW(SF_OPTION_FLAG, l, name, s, f, bool, NULL, NULL, help)
#define SF_TEXT(l, name, s, f, arg, help)                                                          \
	SF_ROW(SF_OPTION_TEXT, l, name, s, f, const char *, arg, NULL, help)
#define SF_TEXTS(l, name, s, f, arg, help)                                                         \
	SF_ROW(SF_OPTION_TEXTS, l, name, s, f, struct sf_texts, arg, NULL, help)
#define SF_FILE(l, name, s, f, arg, help)                                                          \
	SF_ROW(SF_OPTION_FILE, l, name, s, f, const char *, arg, NULL, help)
#define SF_UINT(l, name, s, f, arg, help)                                                          \
	SF_ROW(SF_OPTION_UINT, l, name, s, f, unsigned int, arg, NULL, help)
#define SF_SIZE(l, name, s, f, arg, help)                                                          \
	SF_ROW(SF_OPTION_SIZE, l, name, s, f, uint64_t, arg, NULL, help)
#define SF_TIME(l, name, s, f, arg, help)                                                          \
	SF_ROW(SF_OPTION_TIME, l, name, s, f, uint64_t, arg, NULL, help)
#define SF_SPAN(l, name, s, f, arg, help)                                                          \
	SF_ROW(SF_OPTION_SPAN, l, name, s, f, struct sf_time_span, arg, NULL, help)
#define SF_PERCENT(l, name, s, f, arg, help)                                                       \
	SF_ROW(SF_OPTION_PERCENT, l, name, s, f, double, arg, NULL, help)
#define SF_ENUM(l, name, s, f, choices, help)                                                      \
	SF_ROW(SF_OPTION_ENUM, l, name, s, f, int, "", choices, help)
#define SF_LIST(l, name, s, f, choices, arg, help)                                                 \
	SF_ROW(SF_OPTION_LIST, l, name, s, f, struct sf_list, arg, choices, help)
#define SF_COUNT(l, name, s, f, help) SF_ROW(SF_OPTION_COUNT, l, name, s, f, int, NULL, NULL, help)

/*
 * Parse argv (argv[0] is the command's name) into target, which the caller has filled with the
 * defaults. Operands are moved behind the options, but for SF_OPERANDS_COMMAND, where parsing stops
 * at the first one. Returns the index of the first operand (1…argc); 0 when --help was printed;
 * -1 when wrong usage was reported, -2 when memory was lacking. sf_options_status() makes an exit
 * status of all but the first.
 */
int sf_options_parse(const struct sf_command *cmd, void *target, int argc, char **argv);
int sf_options_status(int parsed);
/* Free the lists in target. */
void sf_options_release(const struct sf_command *cmd, void *target);

void sf_options_help(const struct sf_command *cmd, FILE *f);
/* Rows added to every command's table; ends with SF_OPTION_END. Their target is sf_ui. */
extern const struct sf_option sf_common_options[];

/* Parse text as the value of o into field; 0, or -EINVAL with what a right value looks like. */
int sf_option_value(const struct sf_option *o, const char *text, void *field, struct sf_error *err);

/* The name of the value for --help: its arg, or the choices joined by '|', in buf. */
const char *sf_option_arg(const struct sf_option *o, char *buf, size_t size);

#endif
