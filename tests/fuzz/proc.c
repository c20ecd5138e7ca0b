/* SPDX-License-Identifier: GPL-2.0-only */
/* Any text as the small files of /proc: stat (whose name a thread gives itself), schedstat, syscall. */
#include <stdint.h>

#include "capture/proc.h"
#include "output_holds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	uint64_t run, delay, slices;
	struct sf_proc_stat st;
	struct sf_task_raw raw;

	MUST(text);
	memcpy(text, data, size);
	text[size] = '\0';
	if (!sf_proc_parse_stat(text, &st))
		MUST(strlen(st.comm) < sizeof(st.comm) && st.state);
	sf_proc_parse_schedstat(text, &run, &delay, &slices);
	if (sf_proc_parse_syscall(text, &raw))
		MUST(raw.syscall == -2);
	else
		MUST(raw.syscall >= -1);
	free(text);
	return 0;
}
