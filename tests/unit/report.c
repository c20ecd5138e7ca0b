/* SPDX-License-Identifier: GPL-2.0-only */
/* Reports and figures of recordings made by hand, with names that are meant to do harm. */
#define _GNU_SOURCE /* nftw */
#include "synth.h"
#include "valgrind.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <snapflame/figures.h>
#include <snapflame/report.h>
#include <snapflame/sha256.h>

#include "render/markup.h"
#include "render/quantity.h"
#include "render/outdir.h"
#include "render/program.h"

#define EVIL_COMM "\";system(\"touch${IFS}PWNED\");\""
#define EVIL_TICK "`touch${IFS}PWNED`"
#define EVIL_HTML "<script>alert(1)</script>"

static char top[64]; /* scratch directory */

static int setup(void **state)
{
	snprintf(top, sizeof(top), "/tmp/sf-unit-report.XXXXXX");
	return mkdtemp(top) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	return remove(path);
}

static int teardown(void **state)
{
	return nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static const char *in_top(const char *name)
{
	static char path[2][4200];
	static int k;

	k = !k;
	snprintf(path[k], sizeof(path[k]), "%s/%s", top, name);
	return path[k];
}

/* The file's content, "" where there is none. */
static char *content(const char *dir, const char *name)
{
	struct sf_str s = SF_STR_INIT;
	char path[4200], buf[4096];
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s/%s", top, dir, name);
	f = fopen(path, "r");
	while (f && (n = fread(buf, 1, sizeof(buf), f)) > 0)
		sf_str_addn(&s, buf, n);
	if (f)
		fclose(f);
	return sf_str_detach(&s);
}

static size_t count(const char *text, const char *word)
{
	size_t n = 0;

	for (const char *p = text; (p = strstr(p, word)); p += strlen(word))
		n++;
	return n;
}

static bool exists(const char *name)
{
	struct stat st;

	return !lstat(in_top(name), &st);
}

/* -------------------------------------------------------------------------- parts */

static void hashes(void **state)
{
	char text[SF_SHA256_TEXT];
	char *million = malloc(1000000);

	/* FIPS 180-4's examples, in base64. */
	sf_sha256_base64("abc", 3, text);
	assert_string_equal(text, "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=");
	sf_sha256_base64("", 0, text);
	assert_string_equal(text, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
	sf_sha256_base64("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, text);
	assert_string_equal(text, "JI1qYdIGOLjlwCaTDD5gOaM85Flk/yFn9uzt1BnbBsE=");
	assert_non_null(million);
	memset(million, 'a', 1000000);
	sf_sha256_base64(million, 1000000, text);
	assert_string_equal(text, "zcduXJkU+5KBocfihNc+Z/GAmkiklyAOBG05zMcRLNA=");
	free(million);
}

static void is_ms(double v, const char *want)
{
	struct sf_str s = SF_STR_INIT;

	sf_markup_ms(&s, v);
	assert_string_equal(s.buf, want);
	sf_str_release(&s);
}

static void words(void **state)
{
	struct sf_str s = SF_STR_INIT;

	is_ms(1389.4, "1389");
	is_ms(99.96, "100");
	is_ms(12.34, "12.3");
	is_ms(0.5, "0.50");
	is_ms(0.0304, "0.030");
	is_ms(0.0001, "0");
	is_ms(-4.25, "-4.2");
	is_ms(NAN, "–");
	sf_markup_tsv_part(&s, "a\"b\\n\t\xff");
	assert_string_equal(s.buf, "a”b\\\\n\\\\x09\\\\xff");
	sf_str_reset(&s);
	sf_markup_json(&s, "</script>\"\\\x01", 12);
	assert_string_equal(s.buf, "\"\\u003c/script\\u003e\\\"\\\\\\\\x01\"");
	sf_str_reset(&s);
	sf_markup_cut(&s, "äöüabcdef", 5);
	assert_string_equal(s.buf, "äö…ef");
	sf_str_reset(&s);
	sf_markup_md(&s, "a|b @c #1 <x>\n**");
	assert_string_equal(s.buf, "a\\|b &#64;c &#35;1 &#60;x&#62;\\\\x0a\\*\\*");
	sf_str_reset(&s);
	/* A parenthesis means nothing but behind a bracket. */
	sf_markup_md(&s, "vmm (main) [x](http://y)!");
	assert_string_equal(s.buf, "vmm (main) \\[x\\](http://y)!");
	sf_str_reset(&s);
	sf_markup_pct(&s, -0.04);
	assert_string_equal(s.buf, "0.0 %");
	sf_str_release(&s);
}

static void is_quantity(const char *name, double most, double v, const char *want)
{
	struct sf_quantity q = sf_quantity_of(name, most);
	struct sf_str s = SF_STR_INIT;

	sf_quantity_put(&s, &q, v);
	assert_string_equal(s.buf, want);
	sf_str_release(&s);
}

static void quantities(void **state)
{
	is_quantity("Dirty_kB", 212 * 1024, 212 * 1024, "212 MB");
	is_quantity("Dirty_kB", 212 * 1024, 512, "0.5 MB");
	is_quantity("ext4_vda_delalloc_blocks", 18837, 9184, "9184 blocks");
	is_quantity("psi_io_some_us", 1300000, 12000, "12 ms");
	is_quantity("load_1min", 2, 0, "0");
	is_quantity("load_1min", 2, NAN, "–");
}

static int run(const char *const *argv, unsigned timeout, struct sf_str *said)
{
	int fd = open(top, O_RDONLY | O_DIRECTORY), ret;

	ret = sf_program_run(argv, fd, -1, timeout, said);
	close(fd);
	return ret;
}

static bool is_zombie(pid_t pid)
{
	char path[64], state = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "r");
	if (f && fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	if (f)
		fclose(f);
	return state == 'Z';
}

static void programs(void **state)
{
	static const char *const none[] = { "no-such-program-at-all", NULL };
	static const char *const fails[] = { "sh", "-c", "echo said >&2; exit 7", NULL };
	static const char *const dies[] = { "sh", "-c", "kill -9 $$", NULL };
	static const char *const hangs[] = { "sh", "-c", "sleep 20 & echo $! >child; wait", NULL };
	static const char *const closes[] = { "sh", "-c", "exec >&- 2>&-; sleep 20", NULL };
	static const char *const plain[] = { "echo", "$HOME `id` *", NULL };
	struct sf_str said = SF_STR_INIT;
	char *child;
	pid_t pid;

	/* The child of a real fork() cannot tell errno. */
	assert_int_equal(run(none, 1000, NULL), under_valgrind() ? 127 : -ENOENT);
	assert_int_equal(run(fails, 5000, &said), 7);
	assert_string_equal(said.buf, "said\n");
	assert_int_equal(run(dies, 5000, NULL), 128 + SIGKILL);
	sf_str_reset(&said);
	assert_int_equal(run(plain, 5000, &said), 0);
	assert_string_equal(said.buf, "$HOME `id` *\n");
	assert_int_equal(run(closes, 300, NULL), -ETIMEDOUT);
	assert_int_equal(run(hangs, 500, NULL), -ETIMEDOUT);
	child = content(".", "child");
	pid = (pid_t)atoi(child);
	assert_true(pid > 1);
	/* What it had started is ended, too; init may take a moment to reap it. */
	for (int i = 0; i < 100 && !kill(pid, 0) && !is_zombie(pid); i++)
		usleep(20000);
	assert_true(kill(pid, 0) || is_zombie(pid));
	free(child);
	sf_str_release(&said);
}

static void directories(void **state)
{
	struct sf_error err = SF_ERROR_INIT;
	struct sf_outdir o;
	char *text;

	assert_int_equal(sf_outdir_open(&o, in_top("new/deep/dir"), &err), 0);
	assert_int_equal(sf_outdir_write(&o, "a", "old", 3, &err), 0);
	assert_int_equal(sf_outdir_write(&o, "a", "12", 2, &err), 0);
	assert_int_equal(sf_outdir_scratch(&o, ".b", "x", 1, &err), 0);
	assert_false(exists("new/deep/dir/a"));
	assert_int_equal(sf_outdir_keep(&o, "c"), -ENOENT);
	assert_int_equal(sf_outdir_commit(&o, &err), 0);
	sf_outdir_release(&o);
	text = content("new/deep/dir", "a");
	assert_string_equal(text, "12");
	free(text);
	assert_false(exists("new/deep/dir/.b"));
	assert_int_equal(rmdir(in_top("new/deep/dir")), -1);
	unlink(in_top("new/deep/dir/a"));
	assert_int_equal(rmdir(in_top("new/deep/dir")), 0); /* no stage was left behind */

	assert_int_equal(sf_outdir_open(&o, in_top("child"), &err), -ENOTDIR);
	assert_non_null(strstr(err.file, "child"));
	assert_int_equal(sf_outdir_open(&o, "", &err), -EINVAL);
}

/* Links that were planted in the directory are replaced; what they point to is as it was. */
static void planted_links(void **state)
{
	struct sf_error err = SF_ERROR_INIT;
	struct sf_outdir o;
	char *text;
	FILE *f = fopen(in_top("victim"), "w");

	assert_non_null(f);
	fputs("precious", f);
	fclose(f);
	assert_int_equal(mkdir(in_top("links"), 0777), 0);
	assert_int_equal(symlink(in_top("victim"), in_top("links/report.html")), 0);
	assert_int_equal(sf_outdir_open(&o, in_top("links"), &err), 0);
	assert_int_equal(sf_outdir_write(&o, "report.html", "mine", 4, &err), 0);
	assert_int_equal(sf_outdir_commit(&o, &err), 0);
	sf_outdir_release(&o);
	text = content(".", "victim");
	assert_string_equal(text, "precious");
	free(text);
	text = content("links", "report.html");
	assert_string_equal(text, "mine");
	free(text);
}

static void foreign_link(void **state)
{
	struct sf_error err = SF_ERROR_INIT;
	struct sf_outdir o;

	assert_int_equal(symlink(in_top("links"), in_top("link")), 0);
	assert_int_equal(sf_outdir_open(&o, in_top("link"), &err), 0); /* our own is fine */
	sf_outdir_release(&o);
	if (lchown(in_top("link"), 12345, 12345))
		skip(); /* not root: nobody else's link can be made */
	assert_int_equal(sf_outdir_open(&o, in_top("link"), &err), -ELOOP);
	assert_non_null(strstr(err.what, "of another user"));
}

/* ------------------------------------------------------------------------ reports */

#define THREADS \
	"thread 0 0 swapper idle\n" \
	"thread 100 100 " EVIL_TICK " target\n" \
	"thread 101 100 " EVIL_COMM " target\n" \
	"thread 102 100 '\\n@PWNED\xff target\n" \
	"thread 110 100 vcpu target vcpu\n"

/* BRANCH k from 1000 k ms on: main computes for cpu ms while the vCPU waits. */
static void branch(struct sf_str *s, int k, double cpu)
{
	double t = 1000.0 * k;

	sf_str_addf(s, "window %d %f %f 110\n", k, t, t + cpu + 2);
	sf_str_addf(s, "covariate %d Dirty_kB %d %d\ncovariate %d <b>x_pages %d 9\n", k, k * 1000,
		    k * 1000, k, k);
	sf_str_addf(s, "%f in 110 cpu1\n%f in 100 cpu0\n", t - 1, t - 1);
	sf_str_addf(s, "%f out 110 S futex_do_wait | wait_resume vcpu_loop\n", t);
	for (double at = t + 1; at < t + cpu; at += 1)
		sf_str_addf(s, "%f sample 100 | " EVIL_HTML " create_snapshot main\n", at);
	sf_str_addf(s, "%f wake 110 by 100\n%f in 110 cpu1\n", t + cpu, t + cpu + 2);
	sf_str_addf(s, "%f out 100 S ep_poll | loop main\n", t + cpu + 2);
	sf_str_addf(s, "%f out 110 S kvm_vcpu_block kvm_vcpu_ioctl | run\n", t + cpu + 20);
	for (int tid = 101; tid <= 102; tid++)
		sf_str_addf(s, "snap %d begin %f 0 %d S 0\n", k, t - 5, tid);
}

struct made {
	struct sf_recording *rec;
	struct sf_window_ref ref[16];
	struct sf_diff *d;
	struct sf_str notes;
};

static void make(struct made *m, const char *extra, const char *dir)
{
	struct sf_str text = SF_STR_INIT;
	struct sf_error err = SF_ERROR_INIT;
	struct sf_diff_input in;
	struct sf_report_input ri = { .rec = &m->rec, .nr_recs = 1 };
	char split[256];

	memset(m, 0, sizeof(*m));
	sf_str_init(&m->notes);
	sf_str_add(&text, THREADS);
	for (int k = 1; k <= 6; k++)
		branch(&text, k, k <= 3 ? 10 + k * 0.1 : 90 + k * 0.1);
	sf_str_add(&text, extra);
	m->rec = synth(text.buf);
	sf_str_release(&text);
	assert_int_equal(sf_diff_split(m->rec, NULL, 0, NULL, 0, 0, m->ref, &in, split, sizeof(split),
				       &err), 0);
	assert_int_equal(sf_diff_make(&m->d, &in, NULL, &err), 0);
	ri.diff = m->d;
	if (sf_report_write(in_top(dir), &ri, &m->notes, &err))
		fail_msg("%s: %s", err.file, err.what);
}

static void unmake(struct made *m)
{
	sf_diff_free(m->d);
	sf_recording_free(m->rec);
	sf_str_release(&m->notes);
}

static void inert(const char *dir, const char *name)
{
	static const char *const figure[] = { "pauses", "budget", "causes", "growth", "timeline",
					      "kernel", "futex", "covariates" };
	char file[64], *text = content(dir, name);

	assert_true(strlen(text) > 1000);
	assert_int_equal(count(text, "<script"), 2); /* the data, and flame.js */
	assert_int_equal(count(text, "</script"), 2);
	assert_true(count(text, "&lt;script&gt;alert(1)") > 0);
	assert_int_equal(count(text, "\xff"), 0);
	free(text);
	for (size_t i = 0; i < SF_ARRAY_SIZE(figure); i++) {
		snprintf(file, sizeof(file), "%s.gp", figure[i]);
		text = content(dir, file);
		assert_int_equal(count(text, "PWNED") + count(text, "system") + count(text, "`"), 0);
		free(text);
	}
	text = content(dir, "report.md");
	assert_int_equal(count(text, "<script"), count(text, "`<script")); /* as code only */
	assert_int_equal(count(text, "\xff"), 0);
	free(text);
}

static void names_are_data(void **state)
{
	struct made m;
	char *html, *md;

	make(&m, "", "evil");
	assert_true(m.d->has_verdict);
	inert("evil", "report.html");
	assert_false(exists("evil/PWNED") || exists("PWNED") || !access("PWNED", F_OK));
	html = content("evil", "report.html");
	md = content("evil", "report.md");
	assert_non_null(strstr(html, "class=\"answer grew\""));
	assert_null(strstr(html, "No verdict"));
	assert_non_null(strstr(html, "Paths, with what they call and by themselves"));
	assert_non_null(strstr(html, "Content-Security-Policy"));
	assert_non_null(strstr(html, "&lt;b&gt;x"));
	assert_null(strstr(html, "<b>x"));
	assert_non_null(strstr(md, "The pauses grew from "));
	free(html);
	free(md);
	unmake(&m);
}

static void figures_are_drawn(void **state)
{
	static const char *const figure[] = { "pauses", "budget", "causes", "growth", "timeline",
					      "kernel", "covariates" };
	struct made m;
	char file[64], *text;

	make(&m, "", "drawn");
	if (strstr(m.notes.buf, "gnuplot is not installed")) {
		unmake(&m);
		skip();
	}
	for (size_t i = 0; i < SF_ARRAY_SIZE(figure); i++) {
		snprintf(file, sizeof(file), "%s.svg", figure[i]);
		text = content("drawn", file);
		if (strncmp(text, "<?xml", 5))
			fail_msg("%s: %s", file, m.notes.buf);
		assert_int_equal(count(text, "<script>alert"), 0);
		free(text);
	}
	/* Names that gnuplot was given arrive as they are. */
	text = content("drawn", "timeline.svg");
	assert_non_null(strstr(text, "`touch${IFS}PWNED`"));
	assert_non_null(strstr(text, "system("));
	assert_non_null(strstr(text, "'\\n@PWNED\\xff"));
	free(text);
	text = content("drawn", "report.html");
	assert_int_equal(count(text, "<figure"), 7 + (strstr(text, "id=\"futex\"") != NULL));
	assert_int_equal(count(text, "id='pauses-gpDot'"), 1);
	free(text);
	unmake(&m);
}

/* Lost events in the windows: the proof fails, and no file has a verdict. */
static void no_proof(void **state)
{
	struct made m;
	char *html, *md;

	make(&m, "lost 4005 1000000\n", "unproven");
	assert_false(m.d->has_verdict);
	html = content("unproven", "report.html");
	md = content("unproven", "report.md");
	assert_non_null(strstr(html, "No verdict"));
	assert_non_null(strstr(html, "1000000 events"));
	assert_null(strstr(html, "The pauses grew"));
	assert_non_null(strstr(md, "**No verdict"));
	assert_non_null(strstr(md, "1000000 events"));
	assert_null(strstr(md, "The pauses grew"));
	free(html);
	free(md);
	unmake(&m);
}

static void without_gnuplot(void **state)
{
	char *path = strdup(getenv("PATH")), *text;
	struct made m;

	setenv("PATH", top, 1);
	make(&m, "", "bare");
	setenv("PATH", path, 1);
	free(path);
	assert_non_null(strstr(m.notes.buf, "gnuplot is not installed"));
	assert_true(exists("bare/pauses.gp") && exists("bare/pauses.tsv"));
	assert_false(exists("bare/pauses.svg"));
	assert_true(exists("bare/flame-diff.svg") && exists("bare/diff.folded"));
	text = content("bare", "report.html");
	assert_int_equal(count(text, "<figure"), 0);
	assert_non_null(strstr(text, "gnuplot is not installed"));
	free(text);
	unmake(&m);
}

/* The same recording gives the same bytes. */
static void repeatable(void **state)
{
	static const char *const file[] = { "report.md", "report.html", "flame-diff.svg", "diff.folded",
					    "timeline.tsv", "timeline.gp" };
	struct made a, b;

	make(&a, "", "one");
	make(&b, "", "two");
	for (size_t i = 0; i < SF_ARRAY_SIZE(file); i++) {
		char *x = content("one", file[i]), *y = content("two", file[i]);

		assert_true(*x);
		assert_string_equal(x, y);
		free(x);
		free(y);
	}
	unmake(&a);
	unmake(&b);
}

static void formats(void **state)
{
	assert_int_equal(sf_figure_formats("svg"), SF_FORMAT_SVG);
	assert_int_equal(sf_figure_formats("pdf,svg,png"), 7);
	assert_int_equal(sf_figure_formats(""), 0);
	assert_int_equal(sf_figure_formats("svg,"), 0);
	assert_int_equal(sf_figure_formats("svg,gif"), 0);
	assert_int_equal(sf_figure_formats("sv"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hashes),          cmocka_unit_test(words),
		cmocka_unit_test(quantities),
		cmocka_unit_test(programs),        cmocka_unit_test(directories),
		cmocka_unit_test(planted_links),   cmocka_unit_test(foreign_link),
		cmocka_unit_test(names_are_data),  cmocka_unit_test(figures_are_drawn),
		cmocka_unit_test(no_proof),        cmocka_unit_test(without_gnuplot),
		cmocka_unit_test(repeatable),      cmocka_unit_test(formats),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
