/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef SF_CAPTURE_FRAME_POINTERS_H
#define SF_CAPTURE_FRAME_POINTERS_H

#include <stdbool.h>

/*
 * Does the code of the ELF file at path keep frame pointers? Told by its looks: functions that do
 * begin in the same few bytes. True where that cannot be told.
 */
bool sf_has_frame_pointers(const char *path);

#endif
