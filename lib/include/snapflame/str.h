/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A growing string. buf is always terminated and never NULL after sf_str_init or SF_STR_INIT.
 *
 * Appending cannot be checked at every call without drowning the caller, so a failed allocation is
 * remembered: further appends do nothing, and sf_str_failed() tells at the end.
 */
#ifndef SNAPFLAME_STR_H
#define SNAPFLAME_STR_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sf_str {
	char *buf;
	size_t len;   /* bytes before the terminator */
	size_t alloc; /* 0 while buf points at the shared empty string */
	bool failed;
};

extern char sf_str_empty[];
#define SF_STR_INIT { .buf = sf_str_empty }

void sf_str_init(struct sf_str *s);
void sf_str_release(struct sf_str *s);
void sf_str_reset(struct sf_str *s); /* length 0, memory kept */

void sf_str_add(struct sf_str *s, const char *text);
void sf_str_addn(struct sf_str *s, const void *data, size_t len);
void sf_str_addch(struct sf_str *s, char c);
void sf_str_addf(struct sf_str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A text of its own in an arena; NULL without memory. */
struct sf_arena;
char *sf_arena_format(struct sf_arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
char *sf_arena_vformat(struct sf_arena *a, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));
void sf_str_vaddf(struct sf_str *s, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

static inline bool sf_str_failed(const struct sf_str *s)
{
	return s->failed;
}

/* Hand the buffer to the caller, who frees it; NULL when an append had failed. s is empty again. */
char *sf_str_detach(struct sf_str *s);

/*
 * Append text for a reader's eyes: control characters, invalid UTF-8, terminal escapes and what turns
 * the order of writing become \xNN, so that a symbol's or a thread's name can do nothing to a terminal
 * or to the words around it.
 */
void sf_str_add_printable(struct sf_str *s, const char *text, size_t len);
/* Append JSON text (valid UTF-8) in which the same characters, but for line ends and tabs, become
 * \uNNNN: it says the same to a program. */
void sf_str_add_inert_json(struct sf_str *s, const char *json, size_t len);

/* Length in bytes of the valid UTF-8 sequence at p (1…4), 0 where it is none. */
size_t sf_utf8_len(const char *p, size_t left);
/*
 * Bytes of the character at p, 1 where it is none (left is at least 1). *inert is false for what
 * must not be shown as it is: no UTF-8, C0 and C1 controls, line separators, bidirectional marks.
 */
size_t sf_char_len(const char *p, size_t left, bool *inert);
/* Its code, where n is what sf_utf8_len() said. */
uint32_t sf_char_code(const char *p, size_t n);

#endif
