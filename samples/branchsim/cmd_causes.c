/* SPDX-License-Identifier: GPL-2.0-only */
/* The ground truth: each cause, and what the right answer about it is. */
#include "cause.h"
#include "commands.h"
#include "names.h"
#include "options.h"
#include "util.h"
#include "vmm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const roles[] = {
	[ROLE_NOBODY] = "nobody", [ROLE_MAIN] = "main",       [ROLE_VCPU] = "vcpu",
	[ROLE_THREAD] = "thread", [ROLE_PROCESS] = "process", [ROLE_KERNEL] = "kernel",
};

/* The name under which the role runs, given the options about names. NULL: any. */
const char *cause_comm(const struct answer *a, char buf[COMM_SIZE])
{
	switch (a->role) {
	case ROLE_MAIN:
		return names.main_thread;
	case ROLE_VCPU:
		snprintf(buf, COMM_SIZE, "%s %s", names.vcpu, a->comm);
		return buf;
	case ROLE_THREAD:
	case ROLE_PROCESS:
		names_other(buf, a->comm);
		return buf;
	default:
		return a->comm;
	}
}

static json_t *words(const char *text)
{
	json_t *list = json_array();

	while (text && *text) {
		size_t len = strcspn(text, " ");

		json_array_append_new(list, json_stringn(text, len));
		text += len + (text[len] == ' ');
	}
	return list;
}

static json_t *answer_json(const struct answer *a)
{
	char buf[COMM_SIZE];

	return json_pack("{s:s, s:s, s:s?, s:o}", "kind", a->kind, "role", roles[a->role], "comm",
			 cause_comm(a, buf), "frames", words(a->frames));
}

static json_t *cause_json(const struct cause *c, const char *why)
{
	json_t *answers = json_array();

	for (size_t i = 0; i < CAUSE_ANSWERS && c->answers[i].kind; i++)
		json_array_append_new(answers, answer_json(&c->answers[i]));
	return json_pack("{s:s, s:s, s:s?, s:f, s:f, s:s?, s:o, s:o, s:b, s:b, s:s?, s:o}", "name",
			 c->name, "summary", c->summary, "unit", c->unit, "base", c->base, "grow",
			 c->grow, "storage", c->storage, "needs", words(c->needs), "max_gap",
			 c->max_gap > 0 ? json_real(c->max_gap) : json_null(), "grows",
			 !c->steady, "available", !why, "reason", why, "answers", answers);
}

static void print_cause(const struct cause *c, const char *why)
{
	const struct answer *a = &c->answers[0];
	char buf[COMM_SIZE];
	const char *comm = cause_comm(a, buf);

	printf("%-16s %-13s %-16s %-34s %s%s%s\n", c->name, a->kind, comm ? comm : "-",
	       a->frames ? a->frames : "-", c->summary, why ? "; not here: " : "", why ? why : "");
}

int cmd_causes(int argc, char **argv)
{
	struct vmm vmm = { .opts = { .base = -1, .grow = -1 } };
	json_t *all = json_array();
	int json = 0, storage = 0;
	const struct option_row rows[] = {
		{ "json", OPTION_FLAG, &json, NULL, "as an array of objects" },
		{ "storage", OPTION_FLAG, &storage, NULL, "a name and the storage it needs a line" },
		{ "dir", OPTION_TEXT, &vmm.opts.dir, "DIR", "where snapshots would go" },
		{ "comm-main", OPTION_TEXT, &names.main_thread, "NAME", "as given to vmm" },
		{ "comm-api", OPTION_TEXT, &names.api, "NAME", "as given to vmm" },
		{ "comm-vcpu", OPTION_TEXT, &names.vcpu, "NAME", "as given to vmm" },
		{ "threads-prefix", OPTION_TEXT, &names.prefix, "TEXT", "as given to vmm" },
		{ NULL },
	};

	options_parse(argc, argv, "causes [--json | --storage]", rows);
	for (struct cause *c = cause_first(); c; c = c->next) {
		const char *why = c->probe ? c->probe(&vmm) : NULL;

		if (json)
			json_array_append_new(all, cause_json(c, why));
		else if (storage)
			printf("%s %s\n", c->name, c->storage ? c->storage : "-");
		else
			print_cause(c, why);
	}
	if (json) {
		json_dumpf(all, stdout, JSON_INDENT(2));
		putchar('\n');
	}
	json_decref(all);
	return fflush(stdout) ? 1 : 0;
}
