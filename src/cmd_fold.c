/* SPDX-License-Identifier: GPL-2.0-only */
#include "cmd.h"
#include "options.h"
#include "report.h"

struct fold_opts {
	bool pid;
};

static const struct sf_option options[] = {
	SF_FLAG(0, "pid", struct fold_opts, pid, "name the process: comm-PID"),
	SF_OPTIONS_END,
};

static int run(const struct sf_command *cmd, int argc, char **argv)
{
	struct fold_opts o = { 0 };
	int first = sf_options_parse(cmd, &o, argc, argv);

	if (first <= 0)
		return sf_options_status(first);
	sf_options_release(cmd, &o);
	return sf_failf("not there yet");
}

const struct sf_command cmd_fold = {
	.name = "fold",
	.summary = "folded stacks, for flamegraph.pl",
	.usage = "[options] [FILE...]",
	.about = "Writes one line for each stack, with its weight, to standard output.",
	.options = options,
	.run = run,
};
