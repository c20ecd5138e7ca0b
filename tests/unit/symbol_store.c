/* SPDX-License-Identifier: GPL-2.0-only */
/* Names inside the recording: written where the files are, read where they are not. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include <snapflame/symbol.h>

#define USER   PERF_RECORD_MISC_USER
#define KERNEL PERF_RECORD_MISC_KERNEL

static struct {
	char *text[64];
	size_t len[64], nr;
} objects;

static int keep(void *arg, const char *json, size_t len)
{
	assert_true(len < 60000);
	assert_true(objects.nr < 64);
	objects.text[objects.nr] = malloc(len);
	memcpy(objects.text[objects.nr], json, len);
	objects.len[objects.nr++] = len;
	return 0;
}

static int refuse(void *arg, const char *json, size_t len)
{
	return -EPIPE;
}

static void forget(void)
{
	while (objects.nr)
		free(objects.text[--objects.nr]);
}

static struct sf_symbols *new_symbols(bool no_local)
{
	struct sf_symbols_opts opts = {.no_local = no_local, .symfs = no_local ? "/nowhere" : NULL};
	struct sf_symbols *s;
	struct utsname un;

	assert_int_equal(sf_symbols_new(&s, &opts, NULL), 0);
	uname(&un);
	if (!no_local)
		sf_symbols_set_origin(s, un.release, un.nodename, un.machine);
	return s;
}

static const char *name_of(struct sf_symbols *s, uint64_t ip, unsigned mode)
{
	const struct sf_frame *f;

	assert_int_equal(
		sf_symbols_frames(s, sf_symbols_locate(s, (uint32_t)getpid(), ip, mode, false), &f),
		1);
	return f->name;
}

static void import_all(struct sf_symbols *s)
{
	for (size_t i = 0; i < objects.nr; i++)
		assert_int_equal(sf_symbols_import(s, objects.text[i], objects.len[i]), 0);
}

#ifdef HAVE_ELF

/* The mappings as the recording had them: the same for both sides. */
static void feed(struct sf_symbols *s)
{
	assert_int_equal(sf_symbols_feed_proc(s, (uint32_t)getpid()), 0);
}

/* A function of its own, for all compilers. */
#if __has_attribute(noipa)
#define FRAME __attribute__((noipa))
#else
#define FRAME __attribute__((noinline))
#endif

FRAME static int some_function(int x)
{
	return x * 3 + (int)getpid();
}

static void there_and_back(void **state)
{
	const uint64_t ip[] = {(uint64_t)(uintptr_t)some_function + 2,
			       (uint64_t)(uintptr_t)there_and_back + 9,
			       (uint64_t)(uintptr_t)qsort + 1};
	struct sf_symbols *here = new_symbols(false), *there = new_symbols(true);

	feed(here);
	for (size_t i = 0; i < 3; i++)
		sf_symbols_locate(here, (uint32_t)getpid(), ip[i], USER, false);
	assert_int_equal(sf_symbols_export(here, keep, NULL), 0);
	assert_true(objects.nr >= 2); /* this program, libc */
	feed(there);
	assert_string_equal(name_of(there, ip[0], USER), "");
	sf_symbols_free(there);

	there = new_symbols(true);
	feed(there);
	import_all(there);
	for (size_t i = 0; i < 3; i++)
		assert_string_equal(name_of(there, ip[i], USER), name_of(here, ip[i], USER));
	assert_string_equal(name_of(there, ip[0], USER), "some_function");
	/* Only what was located is stored. */
	assert_string_equal(name_of(there, (uint64_t)(uintptr_t)refuse, USER), "");
	sf_symbols_free(here);
	sf_symbols_free(there);
	forget();
}

static void the_same_on_both_sides_of_a_call(void **state)
{
	struct sf_symbols *here = new_symbols(false), *there;
	struct sf_symbols_opts opts = {.no_local = true, .call_sites = true};
	const uint64_t ip = (uint64_t)(uintptr_t)some_function;
	const struct sf_frame *f;
	char before[256];

	feed(here);
	/* The first byte of a function as a return address: the call is in the one before. */
	sf_symbols_locate(here, (uint32_t)getpid(), ip, USER, true);
	strcpy(before, name_of(here, ip - 1, USER));
	assert_int_equal(sf_symbols_export(here, keep, NULL), 0);
	assert_int_equal(sf_symbols_new(&there, &opts, NULL), 0);
	feed(there);
	import_all(there);
	sf_symbols_frames(there, sf_symbols_locate(there, (uint32_t)getpid(), ip, USER, true), &f);
	assert_string_equal(f->name, before);
	sf_symbols_frames(there, sf_symbols_locate(there, (uint32_t)getpid(), ip, USER, false), &f);
	assert_string_equal(f->name, "some_function");
	sf_symbols_free(here);
	sf_symbols_free(there);
	forget();
}

#endif

static void map(struct sf_symbols *s, uint32_t pid, uint64_t addr, const char *path, const char *id)
{
	struct sf_record r = {.type = PERF_RECORD_MMAP2, .misc = USER};

	r.u.mmap.pid = pid;
	r.u.mmap.addr = addr;
	r.u.mmap.len = 0x100000;
	r.u.mmap.prot = PROT_EXEC;
	r.u.mmap.filename = path;
	r.u.mmap.build_id = (const uint8_t *)id;
	r.u.mmap.build_id_size = id ? (uint8_t)strlen(id) : 0;
	assert_int_equal(sf_symbols_feed(s, &r), 0);
}

static void import(struct sf_symbols *s, const char *text)
{
	assert_int_equal(sf_symbols_import(s, text, strlen(text)), 0);
}

static void build_ids_decide(void **state)
{
	struct sf_symbols *s = new_symbols(true);

	import(s, "{\"type\":\"symbols\",\"module\":\"/bin/a\",\"build_id\":\"41414141\","
		  "\"kernel\":false,\"syms\":[[4096,16,\"one\"]]}");
	import(s, "{\"type\":\"symbols\",\"module\":\"/bin/a\",\"build_id\":\"42424242\","
		  "\"kernel\":false,\"syms\":[[4096,16,\"two\"],[8192,1,\"more\"]]}");
	import(s, "{\"type\":\"symbols\",\"module\":\"/bin/b\",\"build_id\":\"\","
		  "\"kernel\":false,\"syms\":[[0,16,\"three\"]]}");
	map(s, (uint32_t)getpid(), 0x100000, "/bin/a", "BBBB");
	map(s, (uint32_t)getpid(), 0x200000, "/bin/a", "CCCC");
	map(s, (uint32_t)getpid(), 0x300000, "/bin/b", NULL);
	map(s, (uint32_t)getpid(), 0x400000, "/bin/a", "AAAA");
	assert_string_equal(name_of(s, 0x101000, USER), "two");
	assert_string_equal(name_of(s, 0x102000, USER), "more");
	assert_string_equal(name_of(s, 0x102001, USER), "");
	assert_string_equal(name_of(s, 0x201000, USER), "");
	assert_string_equal(name_of(s, 0x300008, USER), "three");
	assert_string_equal(name_of(s, 0x401000, USER), "one");
	sf_symbols_free(s);
}

/* A recording with names of its own, without build-ids: files here may be other ones. */
static void no_file_fills_the_gaps(void **state)
{
	struct sf_symbols *s = new_symbols(false);
	char self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	json_t *o;
	char *text;

	assert_true(n > 0);
	self[n] = '\0';
	map(s, 1, 0x100000, self, NULL);
	o = json_pack("{s:s,s:s,s:s,s:b,s:[[i,i,s]]}", "type", "symbols", "module", self,
		      "build_id", "", "kernel", 0, "syms", 64, 8, "stored");
	text = json_dumps(o, 0);
	import(s, text);
	for (uint64_t ip = 0x100000; ip < 0x140000; ip += 16) {
		const struct sf_frame *f;

		sf_symbols_frames(s, sf_symbols_locate(s, 1, ip, USER, false), &f);
		assert_string_equal(f->name, ip == 0x100040 ? "stored" : "");
	}
	free(text);
	json_decref(o);
	sf_symbols_free(s);
}

static void kernel_names(void **state)
{
	struct sf_symbols *s = new_symbols(true), *again;
	struct sf_record k = {.type = PERF_RECORD_MMAP, .misc = KERNEL};

	k.u.mmap.addr = 0xffffffff81000000;
	k.u.mmap.len = 0x1000000;
	k.u.mmap.pgoff = 0xffffffff81000000;
	k.u.mmap.filename = "[kernel.kallsyms]_text";
	assert_int_equal(sf_symbols_feed(s, &k), 0);
	import(s, "{\"type\":\"symbols\",\"module\":\"[kernel.kallsyms]\",\"build_id\":\"\","
		  "\"kernel\":true,\"syms\":[[-2130706432,256,\"wbt_wait\"]]}");
	assert_string_equal(name_of(s, 0xffffffff81000010, KERNEL), "wbt_wait");
	/* And once more through the exporter: addresses above 2^63 stay what they are. */
	assert_int_equal(sf_symbols_export(s, keep, NULL), 0);
	again = new_symbols(true);
	assert_int_equal(sf_symbols_feed(again, &k), 0);
	import_all(again);
	assert_string_equal(name_of(again, 0xffffffff810000ff, KERNEL), "wbt_wait");
	sf_symbols_free(s);
	sf_symbols_free(again);
	forget();
}

static void many_names_in_small_objects(void **state)
{
	struct sf_symbols *s = new_symbols(true), *again = new_symbols(true);
	char text[2200];

	map(s, (uint32_t)getpid(), 0, "/bin/a", NULL);
	map(again, (uint32_t)getpid(), 0, "/bin/a", NULL);
	for (unsigned i = 0; i < 500; i++) {
		int n = snprintf(text, sizeof(text),
				 "{\"type\":\"symbols\",\"module\":\"/bin/"
				 "a\",\"syms\":[[%u,16,\"%0999u\"]]}",
				 i * 16, i);

		assert_int_equal(sf_symbols_import(s, text, (size_t)n), 0);
		sf_symbols_locate(s, (uint32_t)getpid(), i * 16 + 8, USER, false);
	}
	assert_int_equal(sf_symbols_export(s, keep, NULL), 0);
	assert_true(objects.nr > 8);
	import_all(again);
	for (unsigned i = 0; i < 500; i++)
		assert_int_equal(atoi(name_of(again, i * 16, USER)), i);
	assert_int_equal(sf_symbols_export(s, refuse, NULL), -EPIPE);
	sf_symbols_free(s);
	sf_symbols_free(again);
	forget();
}

static void odd_input(void **state)
{
	static const char *const bad[] = {
		"",
		"{",
		"\"symbols\"",
		"{\"type\":\"symbols\"}",
		"{\"type\":\"symbols\",\"module\":7}",
		"{\"type\":\"symbols\",\"module\":\"a\",\"build_id\":\"zz\"}",
	};
	static const char *const harmless[] = {
		"[]",
		"{\"type\":\"window\"}",
		"{}",
		("{\"type\":\"symbols\",\"module\":\"a\","
		 "\"syms\":[[1],[1,2,3],[\"x\",1,\"y\"],7,null]}"),
		"{\"type\":\"symbols\",\"module\":\"a\",\"syms\":{}}",
		"{\"type\":\"symbols\",\"module\":\"a\",\"syms\":[[1,-1,\"all\"]]}",
	};
	struct sf_symbols *s = new_symbols(true);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(sf_symbols_import(s, bad[i], strlen(bad[i])), -EINVAL);
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		import(s, harmless[i]);
	sf_symbols_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#ifdef HAVE_ELF
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(the_same_on_both_sides_of_a_call),
#endif
		cmocka_unit_test(build_ids_decide),
		cmocka_unit_test(no_file_fills_the_gaps),
		cmocka_unit_test(kernel_names),
		cmocka_unit_test(many_names_in_small_objects),
		cmocka_unit_test(odd_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
