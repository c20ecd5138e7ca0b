/* SPDX-License-Identifier: GPL-2.0-only */
#include <snapflame/progress.h>

#include <math.h>

#include <snapflame/str.h>

/* A few digits: "3.2", "42", "1200". */
static void amount(struct sf_str *s, double v)
{
	sf_str_addf(s, v < 9.95 ? "%.1f" : "%.0f", v);
}

static void left(struct sf_str *s, double seconds)
{
	double n = ceil(seconds);

	if (n >= 120)
		sf_str_addf(s, ", %.0f min left", ceil(n / 60));
	else
		sf_str_addf(s, ", %.0f s left", n);
}

void sf_progress_text(struct sf_str *s, enum sf_progress_unit unit, uint64_t done, uint64_t total,
		      double seconds)
{
	static const char *const name[] = {
		[SF_PROGRESS_BYTES] = "MB", [SF_PROGRESS_ADDRESSES] = "addresses", [SF_PROGRESS_SECONDS] = "s",
	};
	double scale = unit == SF_PROGRESS_BYTES ? 1e6 : 1, rate = 0;

	if (total && done > total)
		done = total;
	if (seconds > 0)
		rate = (double)done / seconds;
	if (total)
		sf_str_addf(s, "%.0f %% (", 100 * (double)done / (double)total);
	if (unit == SF_PROGRESS_BYTES)
		amount(s, (double)done / scale);
	else
		sf_str_addf(s, "%llu", (unsigned long long)done);
	if (total && unit == SF_PROGRESS_BYTES) {
		sf_str_add(s, " of ");
		amount(s, (double)total / scale);
	} else if (total) {
		sf_str_addf(s, " of %llu", (unsigned long long)total);
	}
	sf_str_addf(s, " %s%s", name[unit], total ? ")" : "");
	if (rate > 0 && unit != SF_PROGRESS_SECONDS) {
		sf_str_add(s, ", ");
		amount(s, rate / scale);
		sf_str_add(s, unit == SF_PROGRESS_BYTES ? " MB/s" : " a second");
	}
	if (rate > 0 && total > done)
		left(s, (double)(total - done) / rate);
}
