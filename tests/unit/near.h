/* SPDX-License-Identifier: GPL-2.0-only */
/* cmocka 1.1.5 compares floats only. Include after <cmocka.h>. */
#ifndef UNIT_NEAR_H
#define UNIT_NEAR_H

#include <math.h>

#define assert_near(a, b, eps)                                                             \
	do {                                                                               \
		double near_a = (a), near_b = (b);                                         \
		if (!(fabs(near_a - near_b) <= (eps))) {                                   \
			print_error("%s = %.17g, not %.17g\n", #a, near_a, near_b);        \
			fail();                                                            \
		}                                                                          \
	} while (0)

#endif
