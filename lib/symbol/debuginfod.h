/* SPDX-License-Identifier: GPL-2.0-only */
/* Files by build-id from the servers in $DEBUGINFOD_URLS, through elfutils' library when there is
 * one. */
#ifndef SNAPFLAME_SYMBOL_DEBUGINFOD_H
#define SNAPFLAME_SYMBOL_DEBUGINFOD_H

#include <stdbool.h>
#include <stddef.h>

#include "symbol/module.h"

enum sf_debuginfod_what { SF_DEBUGINFOD_EXECUTABLE, SF_DEBUGINFOD_DEBUGINFO };

/* Path of the file in the local cache, fetched if need be; false where no server has it. */
bool sf_debuginfod_find(const struct sf_build_id *id, enum sf_debuginfod_what what, char *path,
			size_t size);

#endif
