/* SPDX-License-Identifier: GPL-2.0-only */
/* What the machine was like when a window began, and what changed in it. */
#include <math.h>
#include <string.h>

#include <snapflame/array.h>
#include <snapflame/recording.h>

bool sf_covariate_counts(const char *name)
{
	static const char *const ending[] = {
		"_some_us",	 "_full_us",	  "throttled_us",    "_reads",	      "_writes",
		"_read_ms",	 "_write_ms",	  "_busy_ms",	     "_idle_ms",      "_steal_ms",
		"_sectors",	 "_faults",	  "_stalls",	     "dirtied_pages", "written_pages",
		"scanned_pages", "claimed_pages", "swapped_out_pages", "refault_pages",
	};
	size_t n = strlen(name);

	for (size_t i = 0; i < SF_ARRAY_SIZE(ending); i++) {
		size_t k = strlen(ending[i]);

		if (n >= k && !strcmp(name + n - k, ending[i]))
			return true;
	}
	return false;
}

double sf_window_covariate(const struct sf_recording *rec, const struct sf_window *w,
			   const char *name, bool during)
{
	for (size_t i = 0; i < w->nr_covariates; i++) {
		const struct sf_covariate *c = &w->covariate[i];

		if (strcmp(sf_text(rec, c->name), name) || !c->has_begin)
			continue;
		if (!during)
			return sf_covariate_counts(name) ? NAN : c->begin;
		return c->has_end ? c->end - c->begin : NAN;
	}
	return NAN;
}
