/* SPDX-License-Identifier: GPL-2.0-only */
#include <snapflame/same_name.h>

#include <string.h>

#include <snapflame/array.h>

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "::h" and 16 hexadecimal digits. */
enum { RUST_HASH = 19 };

static size_t without_rust_hash(const char *name, size_t len)
{
	const char *h = name + len - RUST_HASH;

	if (len <= RUST_HASH || memcmp(h, "::h", 3))
		return len;
	for (const char *c = h + 3; c < name + len; c++)
		if (!is_digit(*c) && !(*c >= 'a' && *c <= 'f'))
			return len;
	return len - RUST_HASH;
}

struct suffix {
	const char *text;
	bool numbered, piece;
};

/* Of GCC and LLVM. A number follows those that are numbered; .cold has one or not. */
static const struct suffix suffixes[] = {
	{ ".part", true, true },       { ".cold", false, true },      { ".isra", true, false },
	{ ".constprop", true, false }, { ".lto_priv", true, false },  { ".localalias", false, false },
	{ ".llvm", true, false },      { ".ipa-ra", false, false },   { ".specialized", true, false },
};

/* The suffix that the name ends in, without its number; NULL for none. */
static const struct suffix *suffix_of(const char *name, size_t len, size_t *base)
{
	size_t end = len;

	while (end && is_digit(name[end - 1]))
		end--;
	if (end < len && end && name[end - 1] == '.')
		end--;
	else
		end = len;
	for (size_t i = 0; i < SF_ARRAY_SIZE(suffixes); i++) {
		const struct suffix *s = &suffixes[i];
		size_t n = strlen(s->text);

		if (end <= n || memcmp(name + end - n, s->text, n) || (s->numbered && end == len))
			continue;
		*base = end - n;
		return s;
	}
	return NULL;
}

/* "foo(int) [clone .part.0]", as demanglers write it. */
static size_t without_clone(const char *name, size_t len, bool *piece)
{
	static const char mark[] = " [clone ";
	const size_t n = sizeof(mark) - 1;
	size_t base, at = len;

	while (at > n && memcmp(name + at - n, mark, n))
		at--;
	if (at <= n || !len || name[len - 1] != ']')
		return len;
	/* The blank before the dot stands for the name. */
	for (size_t end = len - 1; end > at;) {
		const struct suffix *s = suffix_of(name + at - 1, end - at + 1, &base);

		if (!s)
			return len;
		if (piece)
			*piece |= s->piece;
		end = at - 1 + base;
	}
	return at - n;
}

size_t sf_function_name(const char *name, size_t len, bool *piece)
{
	const struct suffix *s;
	size_t base;

	if (piece)
		*piece = false;
	while ((base = without_clone(name, len, piece)) != len)
		len = base;
	/* Several may follow each other: foo.isra.0.cold */
	while ((s = suffix_of(name, len, &base))) {
		if (piece)
			*piece |= s->piece;
		len = base;
	}
	return without_rust_hash(name, len);
}
