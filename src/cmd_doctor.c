/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <snapflame/capture.h>
#include <snapflame/doctor.h>
#include <snapflame/render_doctor.h>

#include "cmd.h"
#include "options.h"
#include "report.h"
#include "terminal.h"

struct doctor_opts {
	const char *pid, *comm, *output;
	bool json;
};

static const struct sf_option options[] = {
	SF_TEXT('p', "pid", struct doctor_opts, pid, "PID", "the VMM's process, too"),
	SF_TEXT(0, "comm", struct doctor_opts, comm, "NAME", "the one process of that name"),
	SF_FILE('o', "output", struct doctor_opts, output, "DIR", "recordings are written to DIR (.)"),
	SF_FLAG(0, "json", struct doctor_opts, json, "as a JSON array"),
	SF_OPTIONS_END,
};

static int parse_pid(const char *text, pid_t *pid)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (end == text || *end || n <= 0 || n > 4194304)
		return sf_usage("-p needs a process id, not '%s'", text);
	*pid = (pid_t)n;
	return 0;
}

static int find_pid(const struct doctor_opts *o, pid_t *pid)
{
	pid_t found[2];
	int n;

	*pid = 0;
	if (o->pid && o->comm)
		return sf_usage("--pid and --comm exclude each other");
	if (o->pid)
		return parse_pid(o->pid, pid);
	if (!o->comm)
		return 0;
	n = sf_find_comm(o->comm, found, 2);
	if (n <= 0)
		return sf_failf("there is no process named %s", o->comm);
	if (n > 1)
		return sf_failf("%d processes are named %s; give -p", n, o->comm);
	*pid = found[0];
	return 0;
}

static int print(const struct sf_doctor *d, bool json)
{
	struct sf_text_opts text = sf_terminal_opts(stdout);
	struct sf_str out = SF_STR_INIT;
	int ret = 0;

	if (json)
		ret = sf_json_doctor(&out, d);
	else
		sf_text_doctor(&out, d, &text);
	if (ret || sf_str_failed(&out))
		ret = sf_failf("out of memory");
	else
		fputs(out.buf, stdout);
	sf_str_release(&out);
	return ret;
}

static int examine(const struct doctor_opts *o)
{
	struct sf_doctor_opts opts = { .output = o->output };
	struct sf_error err = SF_ERROR_INIT;
	struct sf_doctor *d;
	int status = find_pid(o, &opts.pid);

	if (status)
		return status;
	if (sf_doctor_examine(&d, &opts, &err))
		return sf_fail(&err);
	status = print(d, o->json);
	if (!status && !d->works)
		status = SF_EXIT_FAILED;
	sf_doctor_free(d);
	return status;
}

static int run(const struct sf_command *cmd, int argc, char **argv)
{
	struct doctor_opts o = { 0 };
	int first = sf_options_parse(cmd, &o, argc, argv), status;

	if (first <= 0)
		status = sf_options_status(first);
	else if (first < argc)
		status = sf_usage("'%s' is one word too many", argv[first]);
	else
		status = examine(&o);
	sf_options_release(cmd, &o);
	return status;
}

const struct sf_command cmd_doctor = {
	.name = "doctor",
	.summary = "is this machine, and this VMM, ready to be recorded?",
	.usage = "[options] [-p PID]",
	.about = "Tries what a recording needs, CPU by CPU, and says what to run where it does not "
		 "work. Exit status 1: a recording would not work.",
	.options = options,
	.operands = SF_OPERANDS_NONE,
	.run = run,
};
