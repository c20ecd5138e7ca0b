/* SPDX-License-Identifier: GPL-2.0-only */
/* flame_draw svg|html <FOLDED: the flame graph to standard output, for tests/bench/flame.sh. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/flamegraph.h>

int main(int argc, char **argv)
{
	struct sf_flame_opts o = { .title = "bench" };
	struct sf_str out = SF_STR_INIT;
	struct sf_flame f;
	char *line = NULL;
	size_t size = 0;
	ssize_t n;

	if (argc != 2)
		return 2;
	sf_flame_init(&f);
	while ((n = getline(&line, &size, stdin)) > 0) {
		n -= line[n - 1] == '\n';
		if (sf_flame_add_line(&f, line, (size_t)n))
			return 1;
	}
	free(line);
	if (sf_flame_finish(&f))
		return 1;
	if (!strcmp(argv[1], "html"))
		sf_flame_html(&out, &f, &o);
	else
		sf_flame_svg(&out, &f, &o);
	if (sf_str_failed(&out) || fwrite(out.buf, 1, out.len, stdout) != out.len || fflush(stdout))
		return 1;
	sf_str_release(&out);
	sf_flame_release(&f);
	return 0;
}
