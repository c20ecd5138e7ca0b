/* SPDX-License-Identifier: GPL-2.0-only */
/* Symbol tables: which of several names is chosen, and the text formats they come from. */
#include <elf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <snapflame/symbol.h>

#include "symbol/jit.h"
#include "symbol/kernel.h"
#include "symbol/symtab.h"

static const char *at(struct sf_symtab *t, uint64_t addr)
{
	struct sf_sym *s = sf_symtab_find(t, addr);

	return s ? sf_symtab_name(t, s) : "-";
}

static void add(struct sf_symtab *t, uint64_t start, uint64_t size, uint8_t binding,
		const char *name)
{
	assert_int_equal(sf_symtab_add(t, start, size, binding, name), 0);
}

static void sizes(void **state)
{
	struct sf_symtab t = {0};

	add(&t, 0x200, 0, STB_GLOBAL, "no_size");
	add(&t, 0x100, 0x10, STB_GLOBAL, "sized");
	add(&t, 0x300, 0, STB_GLOBAL, "last");
	sf_symtab_settle(&t, SF_SYMTAB_ELF);
	assert_string_equal(at(&t, 0xff), "-");
	assert_string_equal(at(&t, 0x100), "sized");
	assert_string_equal(at(&t, 0x10f), "sized");
	assert_string_equal(at(&t, 0x110), "-");
	assert_string_equal(at(&t, 0x2ff), "no_size");
	assert_string_equal(at(&t, 0x1fff), "last"); /* to the end of the page after it */
	assert_string_equal(at(&t, 0x2000), "-");
	sf_symtab_release(&t);
}

/* Of two names of one address; the order of arrival must not matter where the rule decides. */
static void prefer(const char *good, uint8_t good_binding, uint64_t good_size, const char *bad,
		   uint8_t bad_binding, uint64_t bad_size)
{
	for (int order = 0; order < 2; order++) {
		struct sf_symtab t = {.demangle = true};

		if (order)
			add(&t, 0x100, bad_size, bad_binding, bad);
		add(&t, 0x100, good_size, good_binding, good);
		if (!order)
			add(&t, 0x100, bad_size, bad_binding, bad);
		add(&t, 0x200, 1, STB_GLOBAL, "next");
		sf_symtab_settle(&t, SF_SYMTAB_ELF);
		assert_string_equal(at(&t, 0x100), good);
		assert_string_equal(at(&t, 0x107), good);
		sf_symtab_release(&t);
	}
}

static void aliases(void **state)
{
	prefer("local", STB_LOCAL, 8, "weak", STB_WEAK, 8);
	prefer("g", STB_GLOBAL, 8, "a_longer_local", STB_LOCAL, 8);
	prefer("write", STB_WEAK, 8, "__write", STB_WEAK, 8);
	prefer("__libc_start_main", STB_GLOBAL, 8, "___libc_start_main_long", STB_GLOBAL, 8);
	prefer("the_longest", STB_GLOBAL, 8, "shorter", STB_GLOBAL, 8);
	prefer("sys_read", STB_GLOBAL, 8, "SyS_read", STB_GLOBAL, 8);
}

static void overlaps(void **state)
{
	struct sf_symtab t = {0};

	add(&t, 0x100, 0x100, STB_GLOBAL, "outer");
	add(&t, 0x120, 0x10, STB_LOCAL, "inner");
	add(&t, 0x150, 0, STB_LOCAL, "label");
	add(&t, 0x300, 0x10, STB_GLOBAL, "far");
	sf_symtab_settle(&t, SF_SYMTAB_ELF);
	assert_string_equal(at(&t, 0x110), "outer");
	assert_string_equal(at(&t, 0x128), "inner");
	assert_string_equal(at(&t, 0x140), "outer");
	assert_string_equal(at(&t, 0x160), "outer"); /* a label is not a function */
	assert_string_equal(at(&t, 0x250), "label");
	sf_symtab_release(&t);
}

/* What a table looks like when it comes in parts, each in no order, with several names at a place. */
static void large_tables(void **state)
{
	enum { NR = 30000, PLACES = 9000 };
	static const uint64_t base[] = {0, 0xffffffff80000000, 0x7fffffffffff0000};
	struct sf_symtab t = {0};
	uint64_t random = 42;

	for (size_t b = 0; b < SF_ARRAY_SIZE(base); b++) {
		for (unsigned part = 0; part < 3; part++) {
			for (unsigned i = 0; i < (part ? 3000 : NR); i++) {
				random = random * 6364136223846793005u + 1442695040888963407u;
				add(&t, base[b] + (random >> 33) % PLACES * 7, 4, STB_LOCAL, "f");
			}
			sf_symtab_sort(&t);
			for (size_t i = 1; i < t.nr; i++)
				assert_true(t.sym[i - 1].start < t.sym[i].start ||
					    (t.sym[i - 1].start == t.sym[i].start &&
					     t.sym[i - 1].seq < t.sym[i].seq));
		}
	}
	/* Every index is searched for, also the ones at either side of a step. */
	sf_symtab_settle(&t, SF_SYMTAB_ELF);
	for (size_t i = 0; i < t.nr; i++) {
		struct sf_sym *s = sf_symtab_find(&t, t.sym[i].start + i % 4);

		assert_non_null(s);
		assert_int_equal(s->start, t.sym[i].start);
		assert_false(s->loser);
	}
	sf_symtab_release(&t);
}

static const char kallsyms[] = "ffffffff81000000 T _stext\n"
			       "ffffffff81000000 T _text\n"
			       "ffffffff81000000 T __pi__text\n"
			       "ffffffff81000040 t local_one\n"
			       "ffffffff81000080 W weak_one\n"
			       "ffffffff81000080 T strong_one\n"
			       "ffffffff81000090 r not_code\n"
			       "ffffffff810000c0 T $x\n"
			       "0000000000000000 A fixed_percpu_data\n"
			       "nonsense\n"
			       "ffffffff81000100 D data_one\n"
			       "ffffffffc0000000 t ext4_one\t[ext4]\n"
			       "ffffffffc0000040 t ext4_two\t[ext4]\n"
			       "ffffffffc0010000 t xfs_one\t[xfs]";

/* What is shown at addr; "" where nothing is. */
static const char *name_at(struct sf_kernel *k, uint64_t addr, const char **module)
{
	struct sf_ksym sym = {0};
	bool found = sf_kernel_find(k, addr, &sym);

	*module = sym.module;
	if (found)
		assert_true(sym.start <= addr && addr < sym.end);
	return found ? sym.name : "";
}

static void kallsyms_text(void **state)
{
	struct sf_kernel k = {0};
	const char *module;

	assert_int_equal(sf_ksyms_parse(&k.syms, strdup(kallsyms), sizeof(kallsyms) - 1), 0);
	assert_int_equal(sf_ksyms_address(kallsyms, sizeof(kallsyms) - 1, "not_code"), 0xffffffff81000090);
	assert_int_equal(sf_ksyms_address(kallsyms, sizeof(kallsyms) - 1, "none"), 0);
	/* Only the last of several names has a size when sizes are found: that is perf's choice. */
	assert_string_equal(name_at(&k, 0xffffffff81000000, &module), "__pi__text");
	assert_null(module);
	assert_string_equal(name_at(&k, 0xffffffff8100007f, &module), "local_one");
	assert_string_equal(name_at(&k, 0xffffffff810000ff, &module), "strong_one");
	/* The last of the kernel ends behind its page, not at the first module. */
	assert_string_equal(name_at(&k, 0xffffffff81001fff, &module), "data_one");
	assert_string_equal(name_at(&k, 0xffffffff81002000, &module), "");
	assert_string_equal(name_at(&k, 0xffffffff80ffffff, &module), "");
	for (int again = 0; again < 2; again++) {
		assert_string_equal(name_at(&k, 0xffffffffc0000041, &module), "ext4_two");
		assert_string_equal(module, "[ext4]");
	}
	name_at(&k, 0xffffffffc0010000, &module);
	assert_string_equal(module, "[xfs]");
	sf_kernel_release(&k);
}

/* Modules come in the order in which they were loaded, their symbols in that of their files. */
static void kallsyms_unsorted(void **state)
{
	static const char text[] = "ffffffff81000000 T _stext\n"
				   "FFFFFFFF81000040 T upper_digits\n"
				   "ffffffff8100008` T no_digit\n"
				   "ffffffffc0010000 t second\t[b]\n"
				   "ffffffffc0000040 t two\t[a]\n"
				   "ffffffffc0000000 t one\t[a]\n"
				   "c0000080 t short_address\n";
	struct sf_ksyms k;
	struct sf_ksym sym;

	assert_int_equal(sf_ksyms_parse(&k, strdup(text), sizeof(text) - 1), 0);
	assert_int_equal(k.nr, 6);
	assert_true(sf_ksyms_find(&k, 0xffffffffc0000001, &sym));
	assert_string_equal(sym.name, "one");
	assert_int_equal(sym.end, 0xffffffffc0000040);
	assert_true(sf_ksyms_find(&k, 0xffffffffc0010001, &sym));
	assert_string_equal(sym.module, "[b]");
	assert_true(sf_ksyms_find(&k, 0xc0000081, &sym));
	assert_string_equal(sym.name, "short_address");
	sf_ksyms_release(&k);
}

/* The image alone: between two symbols of the kernel itself, which are sorted. */
static void kallsyms_image(void **state)
{
	static const char text[] = "0000000000000000 A fixed_percpu_data\n"
				   "ffffffff81000000 T _stext\n"
				   "ffffffff81000000 T _text\n"
				   "ffffffff81000040 t one\n"
				   "ffffffff81000060 r data\n"
				   "ffffffff81000070 R more_data\n"
				   "ffffffff81000080 t two\n"
				   "ffffffff81000080 t $x\n"
				   "ffffffff81000100 T _etext\n"
				   "ffffffff81000200 r last\n"
				   "ffffffffc0010000 t second\t[b]\n"
				   "ffffffffc0000000 t first\t[a]\n";
	static const struct {
		uint64_t addr, start, end;
		const char *name; /* NULL: not of the image */
	} cases[] = {
		{0, 0, 0, NULL}, /* before the first symbol */
		{0xffffffff80ffffff, 0, 0, NULL},
		{0xffffffff81000000, 0xffffffff81000000, 0xffffffff81000040, "_text"},
		{0xffffffff8100003f, 0xffffffff81000000, 0xffffffff81000040, "_text"},
		{0xffffffff81000040, 0xffffffff81000040, 0xffffffff81000080, "one"},
		{0xffffffff8100007f, 0xffffffff81000040, 0xffffffff81000080, "one"},
		{0xffffffff81000080, 0xffffffff81000080, 0xffffffff81000100, "two"},
		{0xffffffff81000100, 0, 0, NULL}, /* behind the last but a module's */
		{0xffffffff81000200, 0, 0, NULL},
		{0xffffffffc0000001, 0, 0, NULL},
		{0xffffffffc0010001, 0, 0, NULL},
		{UINT64_MAX, 0, 0, NULL},
	};
	struct sf_kimage k = {.text = text, .len = sizeof(text) - 1};
	struct sf_ksym sym;

	/* Twice: what was found once is kept. */
	for (size_t n = 0; n < 2 * SF_ARRAY_SIZE(cases); n++) {
		size_t i = n % SF_ARRAY_SIZE(cases);
		bool found = sf_kimage_find(&k, cases[i].addr, &sym);

		assert_int_equal(found, cases[i].name != NULL);
		if (!found)
			continue;
		assert_string_equal(sym.name, cases[i].name);
		assert_int_equal(sym.start, cases[i].start);
		assert_int_equal(sym.end, cases[i].end);
	}
	k.text = NULL; /* it was not mapped */
	sf_kimage_release(&k);
	/* A line that cannot be read: nothing is known, rather than something wrong. */
	k.text = "ffffffff81000000 T a\nffffffff8100 x\nffffffff81000080 T b\n";
	k.len = strlen(k.text);
	assert_false(sf_kimage_find(&k, 0xffffffff81000001, &sym));
	k.text = NULL;
	sf_kimage_release(&k);
}

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void kernel_that_moved(void **state)
{
	struct sf_kernel k = {.ref_addr = 0xffffffffa2000000, .ref_name = "_text"};
	char path[] = "/tmp/snapflame-kallsyms-XXXXXX";
	const char *module;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	close(fd);
	write_file(path, kallsyms);
	assert_int_equal(sf_kernel_load(&k, path), 0);
	/* The recording's boot had the kernel 0x21000000 higher. */
	assert_string_equal(name_at(&k, 0xffffffffa2000044, &module), "local_one");
	/* Modules move on their own. */
	assert_string_equal(name_at(&k, 0xffffffffe1000000, &module), "");
	sf_kernel_release(&k);
	memset(&k, 0, sizeof(k));
	write_file(path, "0000000000000000 T _text\n0000000000000000 T schedule\n");
	assert_int_equal(sf_kernel_load(&k, path), -EPERM);
	write_file(path, "");
	assert_int_equal(sf_kernel_load(&k, path), -ENODATA);
	unlink(path);
	assert_int_equal(sf_kernel_load(&k, path), -ENOENT);
}

/* A copy serves only the kernel whose list begins as it does, and of it only the image. */
static void copy_of_the_running_kernel(void **state)
{
	struct sf_kernel k = {0}, all = {0};
	char path[] = "/tmp/snapflame-kallsyms-XXXXXX", *text;
	int fd = mkstemp(path);
	size_t len, changed;
	struct sf_ksym sym, same;

	assert_true(fd >= 0);
	close(fd);
	write_file(path, kallsyms);
	assert_int_equal(sf_kernel_load_copy(&k, path), -ESTALE);
	assert_int_equal(sf_kernel_load_copy(&k, "/nowhere"), -ENOENT);
	if (sf_kernel_load(&all, "/proc/kallsyms") || all.syms.nr < 1000) {
		unlink(path);
		sf_kernel_release(&all);
		skip();
	}
	/* In the copy a function has another name: so it is seen which of the two was asked. */
	assert_int_equal(sf_read_file("/proc/kallsyms", 512u << 20, &text, &len), 0);
	changed = all.syms.nr / 2;
	while (all.syms.line[changed].start == all.syms.line[changed + 1].start)
		changed++;
	text[all.syms.line[changed].name] = '~';
	write_file(path, text);
	free(text);
	assert_int_equal(sf_kernel_load_copy(&k, path), 0);
	assert_true(sf_kernel_find(&k, all.syms.line[changed].start, &sym));
	assert_int_equal(sym.name[0], '~');
	assert_true(sf_kernel_find(&all, all.syms.line[changed].start, &same));
	assert_string_equal(sym.name + 1, same.name + 1);
	assert_int_equal(sym.end, same.end);
	/* Every symbol is the same by both ways, but for modules, which the copy does not tell. */
	for (size_t i = 1; i + 1 < all.syms.nr && !all.syms.line[i + 1].in_module; i++) {
		uint64_t addr = all.syms.line[i].start;

		assert_true(sf_kimage_find(&k.image, addr, &sym));
		assert_true(sf_ksyms_find(&all.syms, addr, &same));
		assert_string_equal(sym.name + (i == changed), same.name + (i == changed));
		assert_int_equal(sym.start, same.start);
		assert_int_equal(sym.end, same.end);
	}
	assert_int_equal(k.syms.nr, 0);
	assert_false(sf_kernel_find(&k, 1, &sym));
	assert_int_equal(k.syms.nr, all.syms.nr);
	unlink(path);
	sf_kernel_release(&k);
	sf_kernel_release(&all);
}

static void perf_map(void **state)
{
	char text[] = "7f0000001000 40 LazyCompile:~fib /srv/app.js:3\n"
		      "7f0000002000 40 old\n"
		      "zz 10 bad\n"
		      "7f0000003000 nosize\n"
		      "7f0000003000 10 \n"
		      "7f0000002010 40 new\n"
		      "7f0000004000 10 last";
	struct sf_symtab t = {0};

	assert_int_equal(sf_jit_parse_map(text, sizeof(text) - 1, &t), 0);
	assert_string_equal(at(&t, 0x7f0000001010), "LazyCompile:~fib /srv/app.js:3");
	assert_string_equal(at(&t, 0x7f000000200f), "old");
	assert_string_equal(at(&t, 0x7f0000002010), "new");
	assert_string_equal(at(&t, 0x7f000000203f), "new"); /* written later: the code that ran */
	assert_string_equal(at(&t, 0x7f0000003000), "-");
	assert_string_equal(at(&t, 0x7f0000004000), "last");
	sf_symtab_release(&t);
}

struct dump {
	char data[1024];
	size_t len;
};

static void put(struct dump *d, const void *data, size_t len)
{
	assert_true(d->len + len <= sizeof(d->data));
	memcpy(d->data + d->len, data, len);
	d->len += len;
}

static void put32(struct dump *d, uint32_t v, bool swap)
{
	v = swap ? __builtin_bswap32(v) : v;
	put(d, &v, 4);
}

static void put64(struct dump *d, uint64_t v, bool swap)
{
	v = swap ? __builtin_bswap64(v) : v;
	put(d, &v, 8);
}

static void put_load(struct dump *d, uint64_t addr, uint64_t size, const char *name, bool swap)
{
	put32(d, 0, swap);
	put32(d, (uint32_t)(16 + 40 + strlen(name) + 1), swap);
	put64(d, 1, swap);
	put32(d, 7, swap);
	put32(d, 7, swap);
	put64(d, addr, swap);
	put64(d, addr, swap);
	put64(d, size, swap);
	put64(d, 1, swap);
	put(d, name, strlen(name) + 1);
}

static void make_dump(struct dump *d, bool swap)
{
	d->len = 0;
	put32(d, 0x4a695444, swap);
	put32(d, 1, swap);
	put32(d, 40, swap);
	put32(d, EM_X86_64, swap);
	put32(d, 0, swap);
	put32(d, 7, swap);
	put64(d, 1, swap);
	put64(d, 0, swap);
	put_load(d, 0x1000, 0x100, "Main.run()", swap);
	put_load(d, 0x2000, 0x100, "Other.go()", swap);
	put32(d, 1, swap); /* moved */
	put32(d, 16 + 48, swap);
	put64(d, 2, swap);
	put32(d, 7, swap);
	put32(d, 7, swap);
	put64(d, 0x5000, swap);
	put64(d, 0x1000, swap);
	put64(d, 0x5000, swap);
	put64(d, 0x100, swap);
	put64(d, 1, swap);
	put_load(d, 0x1080, 0x20, "New.one()", swap);
}

static void jitdump(void **state)
{
	for (int swap = 0; swap < 2; swap++) {
		struct sf_symtab t = {0};
		struct dump d;

		make_dump(&d, swap);
		assert_int_equal(sf_jit_parse_dump(d.data, d.len, &t), 0);
		assert_string_equal(at(&t, 0x1010), "Main.run()");
		assert_string_equal(at(&t, 0x1090), "New.one()");
		assert_string_equal(at(&t, 0x20ff), "Other.go()");
		assert_string_equal(at(&t, 0x5001), "Main.run()");
		sf_symtab_release(&t);
		/* Cut off anywhere, it gives what is whole. */
		for (size_t len = 0; len < d.len; len++) {
			struct sf_symtab part = {0};
			char *copy = malloc(len ? len : 1);

			memcpy(copy, d.data, len);
			assert_int_equal(sf_jit_parse_dump(copy, len, &part), len < 12	 ? -EINVAL
									      : len < 40 ? -EINVAL
											 : 0);
			sf_symtab_release(&part);
			free(copy);
		}
	}
	assert_true(sf_jit_is_dump("/home/u/.debug/jit/java-jit-1/jit-123.dump"));
	assert_false(sf_jit_is_dump("/tmp/jit-123.dumps"));
	assert_false(sf_jit_is_dump("/tmp/jit-.dump"));
}

static void demangles(const char *mangled, const char *want)
{
	char *got = sf_demangle(mangled);

	if (!want)
		assert_null(got);
	else
		assert_string_equal(got, want);
	free(got);
}

static void names(void **state)
{
	demangles("main", NULL);
	demangles("", NULL);
	demangles("_", NULL);
	demangles("camlStdlib__List__map_45", "Stdlib.List.map_45");
	demangles("camlFoo$3abar", "Foo:bar");
	demangles("camlfoo", NULL);
#ifdef HAVE_IBERTY
	demangles("_ZN3vmm6DeviceIlE4workEi", "vmm::Device<long>::work");
	demangles("_ZNK3vmm6DeviceIlEcvbEv", "vmm::Device<long>::operator bool");
	demangles("_ZN4core3fmt5Write9write_fmt17h0123456789abcdefE",
		  "core::fmt::Write::write_fmt");
	demangles("_RNvNtCs1234_7mycrate3foo3bar", "mycrate::foo::bar");
	demangles("_start", NULL);
	demangles("_ZNSt", NULL);
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes),
		cmocka_unit_test(aliases),
		cmocka_unit_test(overlaps),
		cmocka_unit_test(large_tables),
		cmocka_unit_test(kallsyms_text),
		cmocka_unit_test(kallsyms_unsorted),
		cmocka_unit_test(kallsyms_image),
		cmocka_unit_test(copy_of_the_running_kernel),
		cmocka_unit_test(kernel_that_moved),
		cmocka_unit_test(perf_map),
		cmocka_unit_test(jitdump),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
