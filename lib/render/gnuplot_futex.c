/* SPDX-License-Identifier: GPL-2.0-only */
#include "render/gnuplot.h"

int plot_futex(struct plot *p)
{
	return plot_nothing(p, "no futex waits were seen");
}
