/* SPDX-License-Identifier: GPL-2.0-only */
#include "names.h"

#include <stdio.h>

struct names names = {
	.main_thread = "firecracker",
	.api = "fc_api",
	.vcpu = "fc_vcpu",
	.prefix = "",
};

void names_other(char out[COMM_SIZE], const char *name)
{
	snprintf(out, COMM_SIZE, "%s%s", names.prefix, name);
}
