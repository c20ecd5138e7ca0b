/* SPDX-License-Identifier: GPL-2.0-only */
/* Is the verdict of `snapflame diff --json` the right one about a cause? */
#include "cause.h"
#include "commands.h"
#include "names.h"
#include "options.h"
#include "util.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

/* "a|b" is either; a frame may carry a version or a suffix of the compiler's. */
static int frame_is(const char *frame, const char *want, size_t len)
{
	while (len) {
		size_t n = 0;

		while (n < len && want[n] != '|')
			n++;
		if (!strncmp(frame, want, n) && (!frame[n] || frame[n] == '.' || frame[n] == '@'))
			return 1;
		n += n < len;
		want += n;
		len -= n;
	}
	return 0;
}

/* All wanted frames appear, in this order, with any between. */
static int frames_match(const json_t *frames, const char *want)
{
	size_t i = 0, nr = json_array_size(frames);

	while (want && *want) {
		size_t len = strcspn(want, " ");

		while (i < nr && !frame_is(json_string_value(json_array_get(frames, i)), want, len))
			i++;
		if (i++ >= nr)
			return 0;
		want += len + (want[len] == ' ');
	}
	return 1;
}

static int owner_matches(const struct answer *a, const json_t *owner)
{
	char buf[COMM_SIZE];
	const char *comm = cause_comm(a, buf);

	if (!comm)
		return 1;
	/* Threads of a helper have names of their own; its process has the one that counts. */
	if (a->role == ROLE_PROCESS)
		return !strcmp(text(owner, "process"), comm) || !strcmp(text(owner, "comm"), comm);
	if (a->role == ROLE_KERNEL)
		return !strncmp(text(owner, "comm"), comm, strlen(comm));
	return !strcmp(text(owner, "comm"), comm);
}

static int matches(const struct answer *a, const json_t *verdict)
{
	return !strcmp(text(verdict, "kind"), a->kind) &&
	       (!strcmp(a->kind, "none") ||
		(owner_matches(a, json_object_get(verdict, "owner")) &&
		 frames_match(json_object_get(verdict, "frames"), a->frames)));
}

static double number(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

static int score(const struct cause *c, const json_t *diff)
{
	const json_t *v = json_object_get(diff, "verdict"), *cov = json_object_get(diff, "coverage");
	const json_t *owner = json_object_get(v, "owner"), *frames = json_object_get(v, "frames");
	const json_t *problem = json_array_get(json_object_get(cov, "problems"), 0);
	char buf[COMM_SIZE], found[64];
	const char *want = cause_comm(&c->answers[0], buf);
	int right = 0;

	for (size_t i = 0; i < CAUSE_ANSWERS && c->answers[i].kind; i++)
		right |= json_is_object(v) && matches(&c->answers[i], v);
	snprintf(found, sizeof(found), "%s", json_is_object(v) ? text(v, "kind") : "no verdict");
	printf("%-5s %-15s %-12s %-15s %-12s %-15s %-24.24s %5.0f %% %6.1f %%\n",
	       right ? "right" : "WRONG", c->name, c->answers[0].kind, want ? want : "-", found,
	       text(owner, "comm")[0] ? text(owner, "comm") : "-",
	       json_string_value(json_array_get(frames, 0)) ? : "-", number(v, "share_pct"),
	       number(cov, "critical_path_pct"));
	if (!right && problem)
		printf("      %s\n", json_string_value(problem));
	return right ? 0 : 1;
}

int cmd_score(int argc, char **argv)
{
	const struct option_row rows[] = { { NULL } };
	const char *name = argc > 1 && argv[1][0] != '-' ? argv[1] : NULL;
	const struct cause *c;
	json_error_t why;
	json_t *diff;
	int ret;

	options_parse(name ? argc - 1 : argc, name ? argv + 1 : argv, "score CAUSE < diff.json", rows);
	c = name ? cause_find(name) : NULL;
	if (!c) {
		fprintf(stderr, "branchsim score: no cause '%s' (branchsim causes lists them)\n",
			name ? name : "");
		return 2;
	}
	diff = json_loadf(stdin, 0, &why);
	if (!diff) {
		fprintf(stderr, "branchsim score: standard input: %s\n", why.text);
		return 2;
	}
	ret = score(c, diff);
	json_decref(diff);
	return fflush(stdout) ? 1 : ret;
}
