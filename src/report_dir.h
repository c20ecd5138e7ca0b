/* SPDX-License-Identifier: GPL-2.0-only */
/* A directory with a report, for the commands that write one. */
#ifndef SF_REPORT_DIR_H
#define SF_REPORT_DIR_H

#include <snapflame/report.h>

#include "diff_sides.h"

/*
 * Write the report in to dir; say what was left out, and with -v where it is. words: the command
 * line. An exit status.
 */
int sf_report_to(const char *dir, struct sf_report_input *in, int argc, char **argv);

#endif
