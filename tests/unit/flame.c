/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "near.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/diff.h>
#include <snapflame/flamegraph.h>

static void add(struct sf_flame *f, const char *line)
{
	assert_int_equal(sf_flame_add_line(f, line, strlen(line)), 0);
}

static void make(struct sf_flame *f, const char *const *line, size_t nr)
{
	sf_flame_init(f);
	for (size_t i = 0; i < nr; i++)
		add(f, line[i]);
	assert_int_equal(sf_flame_finish(f), 0);
}

/* The node at the end of a path from the root, names joined by ';'. */
static const struct sf_flame_node *find(const struct sf_flame *f, const char *path)
{
	uint32_t at = 0;

	while (*path) {
		size_t n = strcspn(path, ";"), len;
		uint32_t next = 0;

		for (uint32_t i = 1; i < f->nr; i++) {
			const char *name = sf_flame_name(f, &f->node[i], &len);

			if (f->node[i].parent == at && len == n && !memcmp(name, path, n))
				next = i;
		}
		if (!next)
			fail_msg("no %s", path);
		at = next;
		path += n + (path[n] == ';');
	}
	return &f->node[at];
}

static void is_at(const struct sf_flame *f, const char *path, double x, double width)
{
	const struct sf_flame_node *n = find(f, path);

	assert_near(n->x, x, 1e-9);
	assert_near(n->width, width, 1e-9);
}

static void layout(void **state)
{
	static const char *const line[] = { "b;z 1", "a;y 3", "a;x;w_[k] 4", "a 2", "b;z 1" };
	struct sf_flame f;

	make(&f, line, 5);
	assert_int_equal(f.nr, 7);
	assert_false(f.differential);
	is_at(&f, "", 0, 11);
	is_at(&f, "a", 0, 9);
	is_at(&f, "a;x", 0, 4);
	is_at(&f, "a;x;w", 0, 4);
	is_at(&f, "a;y", 4, 3);
	is_at(&f, "b", 9, 2);
	is_at(&f, "b;z", 9, 2);
	assert_int_equal(find(&f, "a;x;w")->flags, SF_FLAME_KERNEL);
	assert_int_equal(f.max_depth, 3);
	assert_int_equal(find(&f, "a")->owner, 1);
	assert_int_equal(find(&f, "b;z")->owner, 2);
	for (size_t i = 1; i < f.nr; i++) {
		assert_true(f.node[i].parent < i);
		assert_int_equal(f.node[i].depth, f.node[f.node[i].parent].depth + 1);
	}
	sf_flame_release(&f);
}

/* flamegraph.pl draws no box for x;f here: it ends every f where y;f, which has no width, begins. */
static void vanished_sibling(void **state)
{
	static const char *const line[] = { "x;f 300 300", "y;f 300 0", "z;f 1000 1000" };
	struct sf_flame f;
	uint32_t at[4];

	make(&f, line, 3);
	assert_true(f.differential);
	is_at(&f, "x;f", 0, 300);
	is_at(&f, "y;f", 300, 300);
	is_at(&f, "z;f", 600, 1000);
	is_at(&f, "", 0, 1600);
	assert_int_equal(sf_flame_step(&f, find(&f, "x;f")), 0);
	assert_int_equal(sf_flame_step(&f, find(&f, "y;f")), -4);
	assert_int_equal(sf_flame_step(&f, f.node), -4);
	assert_int_equal(sf_flame_only(&f, SF_FLAME_BEFORE, at, 4), 1);
	assert_ptr_equal(&f.node[at[0]], find(&f, "y"));
	assert_ptr_equal(&f.node[sf_flame_deepest(&f, SF_FLAME_BEFORE, at[0])], find(&f, "y;f"));
	assert_int_equal(sf_flame_only(&f, SF_FLAME_AFTER, at, 4), 0);
	sf_flame_release(&f);
}

/* flamegraph.pl draws foo twice here: foo.part.0 sorts between "foo" and "foo;bar". */
static void name_between(void **state)
{
	static const char *const line[] = { "main;foo 50", "main;foo.part.0 30", "main;foo;bar 20" };
	struct sf_flame f;

	make(&f, line, 3);
	assert_int_equal(f.nr, 5);
	is_at(&f, "main", 0, 100);
	is_at(&f, "main;foo", 0, 70);
	is_at(&f, "main;foo;bar", 0, 20);
	is_at(&f, "main;foo.part.0", 70, 30);
	sf_flame_release(&f);
}

static void moved(void **state)
{
	static const char *const line[] = { "p;a 10 0", "p;b 0 10", "q 5 6" };
	struct sf_flame f;

	make(&f, line, 3);
	is_at(&f, "p", 0, 20);
	is_at(&f, "q", 20, 6);
	assert_near(find(&f, "p")->total[SF_FLAME_AFTER], 10, 0);
	assert_int_equal(sf_flame_step(&f, find(&f, "p")), 0);
	assert_int_equal(sf_flame_step(&f, find(&f, "p;b")), 4);
	sf_flame_release(&f);
}

static void bad_lines(void **state)
{
	static const char *const bad[] = { "", "a", "12", "a;b ", "a -3", "a 1e3" };
	struct sf_flame f;
	char *deep = malloc(3 * SF_FLAME_DEPTH * 2 + 8);

	assert_non_null(deep);
	sf_flame_init(&f);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(sf_flame_add_line(&f, bad[i], strlen(bad[i])), -EINVAL);
	assert_int_equal(f.nr, 1);
	for (size_t i = 0; i < 3 * SF_FLAME_DEPTH; i++)
		memcpy(deep + 2 * i, "f;", 2);
	assert_int_equal(sf_flame_add(&f, deep, 3 * SF_FLAME_DEPTH * 2, -1, 5), 0);
	assert_int_equal(sf_flame_add(&f, "a;;b", 4, 0, 1), 0);
	assert_int_equal(sf_flame_finish(&f), 0);
	assert_int_equal(f.max_depth, SF_FLAME_DEPTH);
	assert_int_equal(f.cut, 1);
	assert_int_equal(f.negative, 1);
	assert_near(f.node[0].total[SF_FLAME_AFTER], 6, 0);
	assert_near(find(&f, "a;[unknown];b")->width, 1, 0);
	assert_int_equal(sf_flame_child(&f, 0, "late", 4, 0), UINT32_MAX);
	free(deep);
	sf_flame_release(&f);
}

static size_t count(const char *text, const char *word)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, word)); p += strlen(word))
		n++;
	return n;
}

/* Names are shown and do nothing: in the elements, in the data, in the lists. */
static void names_are_data(void **state)
{
	static const char *const evil[] = {
		"<script>alert(1)</script>", "\"quoted\" & 'so'", "]]>", "</script><img src=x onerror=y>",
		"\xff\xfe\x01", "\xef\xbf\xbf", "\xc2\x9b", "back\\slash", "<!--",
	};
	struct sf_str svg = SF_STR_INIT, html = SF_STR_INIT;
	struct sf_flame_opts o = { .title = "<b>]]>", .subtitle = "&\x02" };
	struct sf_flame f;

	sf_flame_init(&f);
	for (size_t i = 0; i < sizeof(evil) / sizeof(evil[0]); i++)
		assert_int_equal(sf_flame_add(&f, evil[i], strlen(evil[i]), (double)i, 100), 0);
	f.differential = true;
	assert_int_equal(sf_flame_finish(&f), 0);
	sf_flame_svg(&svg, &f, &o);
	sf_flame_html(&html, &f, &o);
	assert_false(sf_str_failed(&svg) || sf_str_failed(&html));
	/* The style, the data, the script: their ends are the only ones. */
	assert_int_equal(count(svg.buf, "]]>"), 3);
	assert_int_equal(count(svg.buf, "<script"), 2);
	assert_int_equal(count(html.buf, "<script"), 2);
	assert_int_equal(count(html.buf, "</script"), 2);
	for (int k = 0; k < 2; k++) {
		const char *text = k ? html.buf : svg.buf;

		assert_int_equal(count(text, "alert(1)") > 0, 1);
		assert_int_equal(count(text, "<img"), 0);
		assert_int_equal(count(text, "<!--"), 0);
		assert_int_equal(count(text, "<b>"), 0);
		assert_int_equal(count(text, "\xff") + count(text, "\x01") + count(text, "\x02"), 0);
		assert_int_equal(count(text, "\xef\xbf\xbf") + count(text, "\xc2\x9b"), 0);
		assert_true(strstr(text, "\\\\xff\\\\xfe\\\\x01"));
		assert_true(strstr(text, "\"back\\\\slash\""));
	}
	sf_str_release(&svg);
	sf_str_release(&html);
	sf_flame_release(&f);
}

static void long_names(void **state)
{
	struct sf_str svg = SF_STR_INIT;
	struct sf_flame f;
	char *name = malloc(200000);

	assert_non_null(name);
	memset(name, 'A', 200000);
	sf_flame_init(&f);
	assert_int_equal(sf_flame_add(&f, name, 10000, 0, 1), 0);
	assert_int_equal(sf_flame_add(&f, name, 200000, 0, 1), 0);
	assert_int_equal(sf_flame_finish(&f), 0);
	sf_flame_svg(&svg, &f, NULL);
	assert_false(sf_str_failed(&svg));
	name[10000] = '\0';
	assert_non_null(strstr(svg.buf, name));
	assert_true(svg.len < 200000);
	free(name);
	sf_str_release(&svg);
	sf_flame_release(&f);
}

static void empty(void **state)
{
	struct sf_str out = SF_STR_INIT;
	struct sf_flame f;

	sf_flame_init(&f);
	assert_int_equal(sf_flame_finish(&f), 0);
	sf_flame_svg(&out, &f, NULL);
	sf_flame_html(&out, &f, NULL);
	assert_false(sf_str_failed(&out));
	assert_null(strstr(out.buf, "nan"));
	assert_null(strstr(out.buf, "inf"));
	sf_str_release(&out);
	sf_flame_release(&f);
}

/* A profile by hand: owner "main", kinds, frames; values by column. */
static uint32_t path(struct sf_profile *p, uint32_t parent, const char *label, int level, int kind,
		     unsigned flags, const double *self)
{
	struct sf_path *n;

	assert_int_equal(SF_GROW(p->path, p->nr_paths + 1, p->path_alloc), 0);
	n = &p->path[p->nr_paths];
	*n = (struct sf_path){ .parent = parent, .label = sf_strtab_id(&p->str, label), .owner = 1,
			       .level = (uint8_t)level, .kind = (uint8_t)kind, .flags = (uint8_t)flags };
	assert_int_equal(SF_GROW(p->self, (p->nr_paths + 1) * p->nr_columns, p->self_alloc), 0);
	assert_int_equal(SF_GROW(p->total, (p->nr_paths + 1) * p->nr_columns, p->total_alloc), 0);
	for (size_t c = 0; c < p->nr_columns; c++)
		p->self[p->nr_paths * p->nr_columns + c] = self ? self[c] : 0;
	return (uint32_t)p->nr_paths++;
}

static void release(struct sf_profile *p)
{
	free(p->path);
	free(p->self);
	free(p->total);
	sf_strtab_release(&p->str);
}

static void fill(struct sf_profile *p)
{
	static const double cpu[] = { 10, 12, 11, 10, 12 }, wait[] = { 1, 3, 100, 110, 130 };
	uint32_t owner, kind, frame;

	memset(p, 0, sizeof(*p));
	p->nr_columns = 5;
	path(p, 0, "", SF_PATH_ROOT, 0, 0, NULL);
	owner = path(p, 0, "firecracker (main)", SF_PATH_OWNER, 0, 0, NULL);
	kind = path(p, owner, "running (cpu-user)", SF_PATH_KIND, SF_KIND_CPU_USER, 0, NULL);
	path(p, kind, "hash", SF_PATH_FRAME, SF_KIND_CPU_USER, 0, cpu);
	kind = path(p, owner, "blocked D (io-throttle)", SF_PATH_KIND, SF_KIND_IO_THROTTLE, 0, NULL);
	frame = path(p, kind, "write", SF_PATH_FRAME, SF_KIND_IO_THROTTLE, 0, NULL);
	path(p, frame, "wbt_wait", SF_PATH_FRAME, SF_KIND_IO_THROTTLE, SF_FRAME_KERNEL, wait);
}

static void of_a_profile(void **state)
{
	struct sf_profile p;
	struct sf_flame f;
	const struct sf_flame_node *n;

	fill(&p);
	sf_flame_init(&f);
	assert_int_equal(sf_flame_from_columns(&f, &p, 2, 3), 0);
	assert_int_equal(sf_flame_finish(&f), 0);
	assert_true(f.mean && f.groups && !f.differential);
	n = find(&f, "firecracker (main);blocked D (io-throttle);write;wbt_wait");
	assert_near(n->total[SF_FLAME_AFTER], 340.0 / 3, 1e-9);
	assert_int_equal(n->group, SF_FLAME_IO);
	assert_int_equal(n->flags, SF_FLAME_KERNEL);
	assert_int_equal(n->seen[SF_FLAME_AFTER], 3);
	assert_near(f.node[0].width, 373.0 / 3, 1e-9);
	sf_flame_release(&f);
	release(&p);
}

static void of_a_diff(void **state)
{
	struct sf_diff d = { .nr = { 2, 3 }, .median_column = { { 0, 1 }, { 3, 3 } } };
	const struct sf_flame_node *n;
	struct sf_flame f;

	fill(&d.profile);
	sf_flame_init(&f);
	assert_int_equal(sf_flame_from_diff(&f, &d), 0);
	assert_int_equal(sf_flame_finish(&f), 0);
	n = find(&f, "firecracker (main);blocked D (io-throttle);write;wbt_wait");
	assert_near(n->total[SF_FLAME_BEFORE], 2, 1e-9);
	assert_near(n->total[SF_FLAME_AFTER], 110, 1e-9);
	assert_true(n->lo > 20 && n->hi < 200);
	assert_int_equal(n->sign, SF_FLAME_SIGNIFICANT);
	assert_int_equal(sf_flame_step(&f, n), 4);
	assert_int_equal(n->seen[SF_FLAME_BEFORE], 2);
	assert_int_equal(n->seen[SF_FLAME_AFTER], 3);
	n = find(&f, "firecracker (main);running (cpu-user);hash");
	assert_int_equal(n->sign, SF_FLAME_INSIGNIFICANT);
	assert_int_equal(sf_flame_step(&f, n), SF_FLAME_GREY);
	assert_near(f.node[0].total[SF_FLAME_AFTER] - f.node[0].total[SF_FLAME_BEFORE], 120 - 13, 1e-9);
	sf_flame_release(&f);
	release(&d.profile);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layout),       cmocka_unit_test(vanished_sibling),
		cmocka_unit_test(name_between), cmocka_unit_test(moved),
		cmocka_unit_test(bad_lines),    cmocka_unit_test(names_are_data),
		cmocka_unit_test(long_names),   cmocka_unit_test(empty),
		cmocka_unit_test(of_a_profile), cmocka_unit_test(of_a_diff),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
