/* SPDX-License-Identifier: GPL-2.0-only */
#include "report_dir.h"

#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "report.h"

static void say(char *notes)
{
	for (char *line = notes, *end; *line; line = end) {
		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = '\0';
		sf_warn("%s", line);
	}
}

/* "snapflame" and the words as they were given; argv[0] is the command's name. */
static char **words_of(int argc, char **argv)
{
	char **words = calloc((size_t)argc + 1, sizeof(*words));
	static char name[] = "snapflame";

	if (!words)
		return NULL;
	words[0] = name;
	memcpy(words + 1, argv, (size_t)argc * sizeof(*words));
	return words;
}

int sf_report_to(const char *dir, struct sf_report_input *in, int argc, char **argv)
{
	struct sf_error err = SF_ERROR_INIT;
	struct sf_str notes = SF_STR_INIT;
	char **words = words_of(argc, argv);
	int ret;

	if (!words)
		return sf_failf("out of memory");
	in->command = words;
	in->nr_words = (size_t)argc + 1;
	ret = sf_report_write(dir, in, &notes, &err);
	if (ret)
		sf_fail(&err);
	else
		say(notes.buf);
	if (!ret)
		sf_note("%s/report.html", dir);
	sf_str_release(&notes);
	free(words);
	return ret ? SF_EXIT_FAILED : SF_EXIT_DONE;
}
