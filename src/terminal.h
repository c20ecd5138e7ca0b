/* SPDX-License-Identifier: GPL-2.0-only */
/* What the output goes to. */
#ifndef SF_TERMINAL_H
#define SF_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

#include <snapflame/render_text.h>

/* Columns of the terminal that f is; 80 where it is none or does not say. */
unsigned sf_terminal_width(FILE *f);

/* The locale asks for something else than UTF-8. Without any locale set UTF-8 is taken. */
bool sf_terminal_ascii(void);

/* Options for text that goes to f. */
struct sf_text_opts sf_terminal_opts(FILE *f);

#endif
