/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>

int main(void)
{
	puts("snapflame " SNAPFLAME_VERSION);
	return 0;
}
