/* SPDX-License-Identifier: GPL-2.0-only */
#include "cause.h"

static struct cause cause = {
	.name = "none",
	.summary = "control: nothing grows",
	.steady = 1,
	.answers = { { "none", ROLE_NOBODY, NULL, NULL } },
};
CAUSE(cause)
