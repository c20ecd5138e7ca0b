/* SPDX-License-Identifier: GPL-2.0-only */
/* Symbols that JIT compilers write down: /tmp/perf-PID.map and jitdump files. */
#ifndef SNAPFLAME_SYMBOL_JIT_H
#define SNAPFLAME_SYMBOL_JIT_H

#include <stddef.h>

#include "symbol/symbols.h"

/* Lines of a perf-PID.map: start and size in hexadecimal, and a name. text is borrowed by t. */
int sf_jit_parse_map(char *text, size_t len, struct sf_symtab *t);

/* The code of a jitdump file; -EINVAL for what is none. data is borrowed by t. */
int sf_jit_parse_dump(const char *data, size_t len, struct sf_symtab *t);

/* Is this the name of a jitdump file (jit-PID.dump)? */
bool sf_jit_is_dump(const char *path);

/* The symbols of executable anonymous memory. */
int sf_jit_load(struct sf_symbols *s, struct sf_mod *mod);

#endif
