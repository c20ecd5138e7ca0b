/* SPDX-License-Identifier: GPL-2.0-only */
/* Covariates of windows, by name: recordings number them each in their own way. */
#ifndef SNAPFLAME_ANALYSIS_COVARIATE_H
#define SNAPFLAME_ANALYSIS_COVARIATE_H

#include <snapflame/recording.h>

/* When the window began, or (during) how much it changed inside; NAN where it was not read. */
double sf_covariate_value(const struct sf_recording *rec, const struct sf_window *w, const char *name,
			  bool during);

#endif
