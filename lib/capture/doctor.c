/* SPDX-License-Identifier: GPL-2.0-only */
#include "doctor.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/str.h>

#include "proc.h"

const char *sf_finding_level_name(enum sf_finding_level level)
{
	static const char *const name[] = { "ok", "warn", "fail" };

	return name[level];
}

static const char *keep(struct sf_exam *e, const char *text)
{
	const char *copy = text ? sf_arena_strndup(&e->d->arena, text, strlen(text)) : NULL;

	e->failed |= text && !copy;
	return copy;
}

void sf_finding(struct sf_exam *e, enum sf_finding_level level, const char *topic, const char *fix,
		const char *fmt, ...)
{
	struct sf_str s = SF_STR_INIT;
	va_list ap;

	va_start(ap, fmt);
	sf_str_vaddf(&s, fmt, ap);
	va_end(ap);
	if (SF_GROW(e->d->finding, e->d->nr + 1, e->d->alloc)) {
		e->failed = true;
	} else {
		e->d->finding[e->d->nr++] = (struct sf_finding){
			.level = level, .topic = topic, .text = keep(e, s.buf), .fix = keep(e, fix),
		};
		if (level == SF_FINDING_FAIL)
			e->d->works = false;
	}
	sf_str_release(&s);
}

int sf_doctor_examine(struct sf_doctor **out, const struct sf_doctor_opts *opts,
		      struct sf_error *err)
{
	struct sf_exam e = { .opts = opts, .tracefs.dir = -1 };

	*out = NULL;
	if (opts->pid && !sf_proc_alive(opts->pid))
		return sf_error_set(err, -ESRCH, "there is no process %d", (int)opts->pid);
	e.d = calloc(1, sizeof(*e.d));
	if (!e.d)
		return sf_error_set(err, -ENOMEM, "out of memory");
	e.d->works = true;
	sf_exam_rights(&e);
	sf_exam_tracefs(&e);
	sf_exam_events(&e);
	sf_exam_machine(&e);
	if (opts->pid)
		sf_exam_target(&e);
	sf_tracefs_close(&e.tracefs);
	if (e.failed) {
		sf_doctor_free(e.d);
		return sf_error_set(err, -ENOMEM, "out of memory");
	}
	*out = e.d;
	return 0;
}

void sf_doctor_free(struct sf_doctor *d)
{
	if (!d)
		return;
	free(d->finding);
	sf_arena_release(&d->arena);
	free(d);
}
