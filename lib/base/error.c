/* SPDX-License-Identifier: GPL-2.0-only */
#include <snapflame/error.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int vset(struct sf_error *err, int code, const char *file, unsigned line, const char *fmt,
		va_list ap) __attribute__((format(printf, 5, 0)));

static int vset(struct sf_error *err, int code, const char *file, unsigned line, const char *fmt,
		va_list ap)
{
	if (!err)
		return code;
	err->code = code;
	err->line = line;
	snprintf(err->file, sizeof(err->file), "%s", file ? file : "");
	vsnprintf(err->what, sizeof(err->what), fmt, ap);
	return code;
}

int sf_error_set(struct sf_error *err, int code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vset(err, code, NULL, 0, fmt, ap);
	va_end(ap);
	return code;
}

int sf_error_at(struct sf_error *err, int code, const char *file, unsigned line, const char *fmt,
		...)
{
	va_list ap;

	va_start(ap, fmt);
	vset(err, code, file, line, fmt, ap);
	va_end(ap);
	return code;
}

const char *sf_error_text(const struct sf_error *err, char *buf, unsigned long size)
{
	if (err->file[0] && err->line)
		snprintf(buf, size, "%s:%u: %s", err->file, err->line, err->what);
	else if (err->file[0])
		snprintf(buf, size, "%s: %s", err->file, err->what);
	else
		snprintf(buf, size, "%s", err->what[0] ? err->what : strerror(-err->code));
	return buf;
}

int sf_debug_on(const char *module)
{
	const char *list = getenv("SNAPFLAME_DEBUG");
	size_t len = strlen(module);

	while (list && *list) {
		size_t n = strcspn(list, ",");

		if ((n == len && !strncmp(list, module, n)) || (n == 3 && !strncmp(list, "all", 3)))
			return 1;
		list += n + (list[n] == ',');
	}
	return 0;
}

void sf_debug(const char *module, const char *fmt, ...)
{
	va_list ap;

	if (!sf_debug_on(module))
		return;
	flockfile(stderr);
	fprintf(stderr, "%s: ", module);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	funlockfile(stderr);
}
