/* SPDX-License-Identifier: GPL-2.0-only */
#include "terminal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "report.h"

unsigned sf_terminal_width(FILE *f)
{
	struct winsize w;

	if (isatty(fileno(f)) && !ioctl(fileno(f), TIOCGWINSZ, &w) && w.ws_col)
		return w.ws_col;
	return SF_TEXT_WIDTH;
}

/*
 * nl_langinfo() would say ASCII where nothing is set, and most terminals of machines without a
 * locale show UTF-8 all the same; who sets LC_ALL=C means it.
 */
bool sf_terminal_ascii(void)
{
	static const char *const name[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < sizeof(name) / sizeof(name[0]); i++) {
		const char *v = getenv(name[i]), *dot;

		if (!v || !*v)
			continue;
		dot = strrchr(v, '.');
		return !dot || (strncasecmp(dot, ".utf-8", 6) && strncasecmp(dot, ".utf8", 5));
	}
	return false;
}

struct sf_text_opts sf_terminal_opts(FILE *f)
{
	return (struct sf_text_opts){
		.width = sf_terminal_width(f),
		.color = sf_use_color(f),
		.ascii = sf_terminal_ascii(),
	};
}
