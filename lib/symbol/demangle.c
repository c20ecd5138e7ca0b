/* SPDX-License-Identifier: GPL-2.0-only */
#include <snapflame/symbol.h>

#include <stdlib.h>
#include <string.h>

#ifdef HAVE_IBERTY
#include <libiberty/demangle.h>
#endif

/* Longer ones exist only in files that mean harm: the time it takes grows faster than the name. */
#define MAX_MANGLED 16384

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* camlStdlib__List__map_45 is Stdlib.List.map_45; $3a is the character with this code. */
static char *demangle_ocaml(const char *name)
{
	const char *p = name + strlen("caml");
	char *plain = malloc(strlen(name) + 1), *out = plain;

	while (plain && *p) {
		if (p[0] == '_' && p[1] == '_') {
			*out++ = '.';
			p += 2;
		} else if (p[0] == '$' && hex_digit(p[1]) >= 0 && hex_digit(p[2]) >= 0) {
			*out++ = (char)(hex_digit(p[1]) << 4 | hex_digit(p[2]));
			p += 3;
		} else {
			*out++ = *p++;
		}
	}
	if (plain)
		*out = '\0';
	return plain;
}

char *sf_demangle(const char *name)
{
	if (!strncmp(name, "caml", 4) && name[4] >= 'A' && name[4] <= 'Z')
		return demangle_ocaml(name);
#ifdef HAVE_IBERTY
	/* Every scheme known here begins with one of these: _Z, __Z, _R, and _GLOBAL_ of old g++.
	 */
	if (name[0] == '_' && strnlen(name, MAX_MANGLED) < MAX_MANGLED)
		return cplus_demangle(name, DMGL_NO_OPTS);
#endif
	return NULL;
}
