/* SPDX-License-Identifier: GPL-2.0-only */
/* Taking apart single lines of perf script text; script.c makes samples of them. */
#ifndef PERFDATA_SCRIPT_HEADER_H
#define PERFDATA_SCRIPT_HEADER_H

#include <snapflame/script.h>

/*
 * The header of a sample into everything but the frames of s. With strict a time stamp must be
 * there; without, "comm pid " at the start of a line is enough, as for stackcollapse-perf.pl.
 */
bool sf_script_header(const char *line, size_t len, bool strict, struct sf_script_sample *s);

/* A line of a call chain: "  pc symbol+0xoff (dso)". */
bool sf_script_frame(const char *line, size_t len, struct sf_script_frame *f);

/*
 * The one frame of a sample without call chain, which perf prints on the header's line, behind what
 * a tracepoint has to say.
 */
bool sf_script_inline_frame(struct sf_text text, struct sf_script_frame *f);

/* Whether the first word of a line can be an address. */
bool sf_script_starts_with_hex(const char *line, size_t len);

#endif
