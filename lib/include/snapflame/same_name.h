/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When two builds have one function under two names.
 *
 * Compilers split and clone functions, and say so behind the name: foo.part.0, foo.isra.0,
 * foo.constprop.1, foo.cold, foo.lto_priv.0, foo.llvm.1234; rustc's old names end in a hash that
 * changes with every build: core::fmt::write::h0123456789abcdef. Which pieces there are is the
 * compiler's choice of the day: who compares two builds asks for the function.
 */
#ifndef SNAPFLAME_SAME_NAME_H
#define SNAPFLAME_SAME_NAME_H

#include <stdbool.h>
#include <stddef.h>

/*
 * How much of a name (len bytes) is the function's: the rest says which piece or build of it. len
 * where there is nothing behind it. piece (NULL allowed): the rest says that this is a part of the
 * function (.part, .cold), which the function itself may have called.
 */
size_t sf_function_name(const char *name, size_t len, bool *piece);

#endif
