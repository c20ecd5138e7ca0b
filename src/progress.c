/* SPDX-License-Identifier: GPL-2.0-only */
#include "progress.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <snapflame/error.h>
#include <snapflame/str.h>

#include "report.h"
#include "terminal.h"

static const double FIRST = 0.5, NEXT = 0.2; /* seconds */

static struct {
	char what[160];
	enum sf_progress_unit unit;
	double begun, shown;
	bool on, visible;
} line;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Asked once: names are told of one by one. */
static bool wanted(void)
{
	static int answer = -1;
	const char *term = getenv("TERM");

	if (answer < 0)
		answer = sf_ui.verbosity >= 0 && isatty(STDERR_FILENO) &&
			 !(term && !strcmp(term, "dumb"));
	return answer;
}

void sf_progress_begin(enum sf_progress_unit unit, const char *fmt, ...)
{
	va_list ap;

	sf_progress_end();
	line.on = wanted();
	if (!line.on)
		return;
	va_start(ap, fmt);
	vsnprintf(line.what, sizeof(line.what), fmt, ap);
	va_end(ap);
	line.unit = unit;
	line.begun = now();
	/* For the tests: what takes no time is shown too. */
	line.shown = sf_debug_on("progress") ? 0 : line.begun + FIRST - NEXT;
}

static void show(uint64_t done, uint64_t total)
{
	struct sf_str s = SF_STR_INIT, text = SF_STR_INIT;
	double t;

	t = now();
	if (t < line.shown + NEXT)
		return;
	line.shown = t;
	sf_str_add(&text, "\r");
	sf_str_add_printable(&text, line.what, strlen(line.what));
	sf_str_add(&s, ": ");
	sf_progress_text(&s, line.unit, done, total, t - line.begun);
	sf_str_add(&text, s.buf);
	if (!sf_str_failed(&s) && !sf_str_failed(&text) && text.len <= sf_terminal_width(stderr)) {
		fprintf(stderr, "%s\033[K", text.buf);
		fflush(stderr);
		line.visible = true;
	}
	sf_str_release(&s);
	sf_str_release(&text);
}

static void tell_bytes(void *arg, uint64_t done, uint64_t total)
{
	if (line.on && line.unit == SF_PROGRESS_BYTES)
		show(done, total);
}

static void tell_names(void *arg, uint64_t done, uint64_t total)
{
	if (wanted() && (!line.on || line.unit != SF_PROGRESS_ADDRESSES))
		sf_progress_begin(SF_PROGRESS_ADDRESSES, "naming");
	if (line.on)
		show(done, total);
}

const struct sf_progress sf_progress_line = { .tell = tell_bytes };
const struct sf_progress sf_progress_names = { .tell = tell_names };

/* ------------------------------------------------- time that passes by itself */

static struct {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t stop;
	bool runs, stopped;
	uint64_t seconds;
} timer = { .lock = PTHREAD_MUTEX_INITIALIZER, .stop = PTHREAD_COND_INITIALIZER };

static void *tick(void *arg)
{
	struct timespec t;

	pthread_mutex_lock(&timer.lock);
	while (!timer.stopped) {
		clock_gettime(CLOCK_REALTIME, &t);
		t.tv_sec++;
		pthread_cond_timedwait(&timer.stop, &timer.lock, &t);
		if (!timer.stopped)
			show((uint64_t)(now() - line.begun + 0.5), timer.seconds);
	}
	pthread_mutex_unlock(&timer.lock);
	return NULL;
}

void sf_progress_timer(const char *what, uint64_t seconds)
{
	sf_progress_begin(SF_PROGRESS_SECONDS, "%s", what);
	if (!line.on)
		return;
	timer.stopped = false;
	timer.seconds = seconds;
	timer.runs = !pthread_create(&timer.thread, NULL, tick, NULL);
}

static void stop_timer(void)
{
	if (!timer.runs)
		return;
	pthread_mutex_lock(&timer.lock);
	timer.stopped = true;
	pthread_cond_signal(&timer.stop);
	pthread_mutex_unlock(&timer.lock);
	pthread_join(timer.thread, NULL);
	timer.runs = false;
}

void sf_progress_clear(void)
{
	if (line.visible)
		fputs("\r\033[K", stderr);
	line.visible = false;
}

void sf_progress_end(void)
{
	stop_timer();
	sf_progress_clear();
	line.on = false;
}
