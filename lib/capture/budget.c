/* SPDX-License-Identifier: GPL-2.0-only */
#include "budget.h"

void sf_budget_start(struct sf_budget *b, uint64_t now)
{
	b->since = now;
	b->used = 0;
}

uint64_t sf_budget_take(struct sf_budget *b, uint64_t cpu, uint64_t now)
{
	uint64_t used = atomic_fetch_add(&b->used, cpu) + cpu, since = b->since;
	uint64_t passed = now > since ? now - since : 0, fair;

	if (!b->pct)
		return 0;
	fair = used / b->pct * 100;
	return fair > passed ? fair - passed : 0;
}
