/* SPDX-License-Identifier: GPL-2.0-only */
#include "report.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <snapflame/str.h>

#include "cmd.h"
#include "progress.h"

struct sf_ui sf_ui = {.cmd = ""};

/* One write for a line, so that lines of processes that share a terminal do not mix. */
static void line(const char *text)
{
	struct sf_str s = SF_STR_INIT;

	sf_str_add(&s, "snapflame");
	if (sf_ui.cmd[0])
		sf_str_addf(&s, " %s", sf_ui.cmd);
	sf_str_add(&s, ": ");
	sf_str_add_printable(&s, text, strlen(text));
	sf_str_addch(&s, '\n');
	fflush(stdout);
	sf_progress_clear();
	fputs(sf_str_failed(&s) ? "snapflame: out of memory\n" : s.buf, stderr);
	sf_str_release(&s);
}

static void vline(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

static void vline(const char *fmt, va_list ap)
{
	struct sf_str s = SF_STR_INIT;

	sf_str_vaddf(&s, fmt, ap);
	line(s.buf);
	sf_str_release(&s);
}

int sf_fail(const struct sf_error *err)
{
	char buf[sizeof(*err)];

	line(sf_error_text(err, buf, sizeof(buf)));
	return SF_EXIT_FAILED;
}

int sf_failf(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vline(fmt, ap);
	va_end(ap);
	return SF_EXIT_FAILED;
}

int sf_usage(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vline(fmt, ap);
	va_end(ap);
	fprintf(stderr, "try: snapflame %s%s--help\n", sf_ui.cmd, sf_ui.cmd[0] ? " " : "");
	return SF_EXIT_USAGE;
}

void sf_warn(const char *fmt, ...)
{
	va_list ap;

	if (sf_ui.verbosity < 0)
		return;
	va_start(ap, fmt);
	vline(fmt, ap);
	va_end(ap);
}

void sf_note(const char *fmt, ...)
{
	va_list ap;

	if (sf_ui.verbosity < 1)
		return;
	va_start(ap, fmt);
	vline(fmt, ap);
	va_end(ap);
}

bool sf_use_color(FILE *f)
{
	const char *term = getenv("TERM"), *no = getenv("NO_COLOR");

	if (sf_ui.color != SF_COLOR_AUTO)
		return sf_ui.color == SF_COLOR_ALWAYS;
	if ((no && *no) || !term || !strcmp(term, "dumb"))
		return false;
	return isatty(fileno(f));
}

int sf_finish(int status)
{
	int failed, code;

	sf_progress_end();
	errno = 0;
	failed = ferror(stdout);
	if (fflush(stdout))
		failed = 1;
	code = errno;
	if (!failed)
		return status;
	if (code == EPIPE) {
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	/* ferror without an errno: an earlier write failed, and what it said is lost. */
	sf_failf("standard output: %s", code ? strerror(code) : "write error");
	return status == SF_EXIT_USAGE ? status : SF_EXIT_FAILED;
}
