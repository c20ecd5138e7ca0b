/* SPDX-License-Identifier: GPL-2.0-only */
/* Under valgrind time and memory are not the program's own, and vfork() is fork(). */
#ifndef SF_TEST_VALGRIND_H
#define SF_TEST_VALGRIND_H

#include <stdbool.h>
#include <stdlib.h>

/* As tests/faults/valgrind.sh says. */
static inline bool under_valgrind(void)
{
	return getenv("UNDER_VALGRIND") != NULL;
}

#endif
