/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Any text as folded stacks of a flame graph: the sums are kept, and whatever the names are, the files
 * are text of characters that XML allows, with the elements that were meant to be there.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/flamegraph.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count(const struct sf_str *s, const char *word)
{
	size_t n = 0;

	for (const char *p = s->buf; (p = strstr(p, word)); p += strlen(word))
		n++;
	return n;
}

static void check_text(const struct sf_str *s)
{
	if (strlen(s->buf) != s->len)
		abort();
	for (size_t i = 0, n; i < s->len; i += n) {
		const unsigned char *p = (const unsigned char *)s->buf + i;

		n = sf_utf8_len(s->buf + i, s->len - i);
		if (!n || *p == 0x7f || (*p < 0x20 && *p != '\n' && *p != '\t'))
			abort();
		if (n == 3 && p[0] == 0xef && p[1] == 0xbf && p[2] >= 0xbe)
			abort();
	}
}

static void check_files(const struct sf_flame *f)
{
	struct sf_str svg = SF_STR_INIT, html = SF_STR_INIT;

	sf_flame_svg(&svg, f, NULL);
	sf_flame_html(&html, f, NULL);
	check_text(&svg);
	check_text(&html);
	if (count(&svg, "]]>") != 3 || count(&svg, "<script") != 2 || count(&svg, "</svg") != 1)
		abort();
	if (count(&html, "<script") != 2 || count(&html, "</script") != 2 || count(&html, "<!--"))
		abort();
	/* Every < begins an element of ours: names have none. */
	if (count(&svg, "<g ") != count(&svg, "</g>"))
		abort();
	sf_str_release(&svg);
	sf_str_release(&html);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	double sum[2] = { 0, 0 };
	struct sf_flame f;

	sf_flame_init(&f);
	for (size_t i = 0, n; i < size; i += n + 1) {
		const char *end = memchr(text + i, '\n', size - i);

		n = end ? (size_t)(end - text) - i : size - i;
		sf_flame_add_line(&f, text + i, n);
	}
	for (size_t i = 0; i < f.nr; i++)
		for (int s = 0; s < 2; s++)
			sum[s] += f.node[i].self[s];
	if (sf_flame_finish(&f))
		abort();
	for (int s = 0; s < 2; s++)
		if (!(fabs(f.node[0].total[s] - sum[s]) <= 1e-9 * sum[s]))
			abort();
	for (size_t i = 1; i < f.nr; i++) {
		const struct sf_flame_node *n = &f.node[i], *p = &f.node[n->parent];

		if (n->parent >= i || n->x < p->x ||
		    n->x + n->width > (p->x + p->width) * (1 + 1e-9))
			abort();
	}
	check_files(&f);
	sf_flame_release(&f);
	return 0;
}
