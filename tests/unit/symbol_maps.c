/* SPDX-License-Identifier: GPL-2.0-only */
/* Address spaces over time: what an address belongs to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include <snapflame/symbol.h>

#define USER   PERF_RECORD_MISC_USER
#define KERNEL PERF_RECORD_MISC_KERNEL

static struct sf_symbols *s;

static int setup(void **state)
{
	struct sf_symbols_opts opts = {.no_local = true};

	return sf_symbols_new(&s, &opts, NULL);
}

static int teardown(void **state)
{
	sf_symbols_free(s);
	return 0;
}

static void map_misc(uint16_t misc, uint32_t pid, uint64_t addr, uint64_t len, uint64_t pgoff,
		     const char *name)
{
	struct sf_record r = {.type = PERF_RECORD_MMAP2, .misc = misc};

	r.u.mmap.pid = r.u.mmap.tid = pid;
	r.u.mmap.addr = addr;
	r.u.mmap.len = len;
	r.u.mmap.pgoff = pgoff;
	r.u.mmap.prot = PROT_READ | PROT_EXEC;
	r.u.mmap.filename = name;
	assert_int_equal(sf_symbols_feed(s, &r), 0);
}

static void map(uint32_t pid, uint64_t addr, uint64_t len, uint64_t pgoff, const char *name)
{
	map_misc(USER, pid, addr, len, pgoff, name);
}

static void task(uint32_t type, uint16_t misc, uint32_t pid, uint32_t ppid, uint32_t tid)
{
	struct sf_record r = {.type = type, .misc = misc};

	r.u.task.pid = pid;
	r.u.task.ppid = ppid;
	r.u.task.tid = tid;
	r.u.task.ptid = ppid;
	assert_int_equal(sf_symbols_feed(s, &r), 0);
}

static void exec(uint32_t pid)
{
	struct sf_record r = {.type = PERF_RECORD_COMM, .u.comm = {pid, pid, "new", true}};

	assert_int_equal(sf_symbols_feed(s, &r), 0);
}

/* "file+offset", or "-" where nothing is mapped. */
static const char *where_mode(uint32_t pid, uint64_t ip, unsigned mode)
{
	static char text[256];
	uint64_t addr;
	uint32_t loc = sf_symbols_locate(s, pid, ip, mode, false);
	const struct sf_module *m;

	assert_int_not_equal(loc, SF_LOC_NONE);
	assert_int_equal(loc, sf_symbols_locate(s, pid, ip, mode, false));
	m = sf_symbols_module(s, loc, &addr);
	if (!m)
		return "-";
	snprintf(text, sizeof(text), "%s+%lx", m->path, (unsigned long)addr);
	return text;
}

static const char *where(uint32_t pid, uint64_t ip)
{
	return where_mode(pid, ip, USER);
}

static void inside_and_outside(void **state)
{
	map(7, 0x1000, 0x2000, 0x400, "/bin/a");
	assert_string_equal(where(7, 0x1000), "/bin/a+400");
	assert_string_equal(where(7, 0x2fff), "/bin/a+23ff");
	assert_string_equal(where(7, 0x3000), "-");
	assert_string_equal(where(7, 0xfff), "-");
	assert_string_equal(where(8, 0x1000), "-");
	/* No room to wrap around. */
	map(7, UINT64_MAX - 0xfff, UINT64_MAX, 0, "/bin/top");
	assert_string_equal(where(7, UINT64_MAX - 1), "/bin/top+ffe");
	assert_string_equal(where(7, 0x10), "-");
	map(7, 0x5000, 0, 0, "/bin/empty");
	assert_string_equal(where(7, 0x5000), "-");
}

static void overlaps_are_split(void **state)
{
	map(1, 0x1000, 0x5000, 0, "/bin/a");
	map(1, 0x2000, 0x1000, 0x9000, "/bin/b");
	assert_string_equal(where(1, 0x1800), "/bin/a+800");
	assert_string_equal(where(1, 0x2800), "/bin/b+9800");
	assert_string_equal(where(1, 0x3000), "/bin/a+2000");
	assert_string_equal(where(1, 0x5fff), "/bin/a+4fff");
	/* Over the ends of two, and whole ones in between. */
	map(1, 0x1800, 0x2000, 0, "/bin/c");
	assert_string_equal(where(1, 0x17ff), "/bin/a+7ff");
	assert_string_equal(where(1, 0x1800), "/bin/c+0");
	assert_string_equal(where(1, 0x2800), "/bin/c+1000");
	assert_string_equal(where(1, 0x3800), "/bin/a+2800");
}

static void a_change_is_seen_at_once(void **state)
{
	map(1, 0x1000, 0x1000, 0, "/bin/a");
	assert_string_equal(where(1, 0x1234), "/bin/a+234");
	map(1, 0x1000, 0x1000, 0, "/bin/b");
	assert_string_equal(where(1, 0x1234), "/bin/b+234");
}

static void fork_copies_and_parts(void **state)
{
	map(1, 0x1000, 0x1000, 0, "/bin/a");
	task(PERF_RECORD_FORK, 0, 2, 1, 2);
	assert_string_equal(where(2, 0x1000), "/bin/a+0");
	map(2, 0x1000, 0x1000, 0, "/bin/child");
	assert_string_equal(where(1, 0x1000), "/bin/a+0");
	assert_string_equal(where(2, 0x1000), "/bin/child+0");
	map(1, 0x3000, 0x1000, 0, "/bin/parent");
	assert_string_equal(where(2, 0x3000), "-");
	/* A thread shares; a process that perf made up from /proc starts empty. */
	task(PERF_RECORD_FORK, 0, 1, 1, 10);
	assert_string_equal(where(1, 0x1000), "/bin/a+0");
	task(PERF_RECORD_FORK, PERF_RECORD_MISC_FORK_EXEC, 3, 1, 3);
	assert_string_equal(where(3, 0x1000), "-");
	/* A pid that is used again loses what it had. */
	task(PERF_RECORD_FORK, 0, 2, 1, 2);
	assert_string_equal(where(2, 0x1000), "/bin/a+0");
}

static void exec_starts_over(void **state)
{
	map(1, 0x1000, 0x1000, 0, "/bin/a");
	task(PERF_RECORD_FORK, 0, 2, 1, 2);
	map(2, 0x8000, 0x1000, 0, "/lib/x");
	exec(2);
	/* In the kernel, still with the registers of the program that called execve(). */
	assert_string_equal(where(2, 0x1000), "/bin/a+0");
	map(2, 0x1000, 0x1000, 0, "/bin/b");
	assert_string_equal(where(2, 0x8000), "/lib/x+0");
	/* The new one runs: nothing is named from the old one any more. */
	assert_string_equal(where(2, 0x1000), "/bin/b+0");
	assert_string_equal(where(2, 0x8000), "-");
	assert_string_equal(where(1, 0x1000), "/bin/a+0");
	exec(2);
	exec(2);
	assert_string_equal(where(2, 0x1000), "/bin/b+0");
	task(PERF_RECORD_FORK, 0, 2, 1, 2);
	assert_string_equal(where(2, 0x8000), "-");
}

static void maps_outlive_exit_for_a_while(void **state)
{
	map(1, 0x1000, 0x1000, 0, "/bin/a");
	task(PERF_RECORD_EXIT, 0, 1, 0, 5); /* a thread */
	task(PERF_RECORD_EXIT, 0, 1, 0, 1);
	assert_string_equal(where(1, 0x1000), "/bin/a+0");
	for (uint32_t pid = 10; pid < 10 + 3 * 4096; pid++) {
		map(pid, 0x1000, 0x1000, 0, "/bin/a");
		task(PERF_RECORD_EXIT, 0, pid, 0, pid);
		if (pid == 100) /* revived before its turn came */
			map(1, 0x2000, 0x1000, 0, "/bin/b");
	}
	assert_string_equal(where(10, 0x1000), "-");
	assert_string_equal(where(1, 0x1000), "/bin/a+0");
}

static void equal_places_are_one_location(void **state)
{
	size_t n;

	map(1, 0x1000, 0x1000, 0x10, "/bin/a");
	map(2, 0x7000, 0x1000, 0x10, "/bin/a");
	assert_int_equal(sf_symbols_locate(s, 1, 0x1004, USER, false),
			 sf_symbols_locate(s, 2, 0x7004, USER, true));
	n = sf_symbols_nr_locations(s);
	assert_int_equal(n, 1);
	assert_int_not_equal(sf_symbols_locate(s, 1, 0x1005, USER, false),
			     sf_symbols_locate(s, 2, 0x7004, USER, false));
	assert_int_equal(sf_symbols_nr_locations(s), 2);
}

static void build_ids_tell_files_apart(void **state)
{
	static const uint8_t id[2][20] = {{1, 2, 3}, {4, 5, 6}};
	uint32_t loc[2];

	for (unsigned i = 0; i < 2; i++) {
		struct sf_record r = {.type = PERF_RECORD_MMAP2, .misc = USER};

		r.u.mmap.pid = 1 + i;
		r.u.mmap.addr = 0x1000;
		r.u.mmap.len = 0x1000;
		r.u.mmap.prot = PROT_EXEC;
		r.u.mmap.build_id = id[i];
		r.u.mmap.build_id_size = 20;
		r.u.mmap.filename = "/bin/a";
		assert_int_equal(sf_symbols_feed(s, &r), 0);
		loc[i] = sf_symbols_locate(s, 1 + i, 0x1000, USER, false);
	}
	assert_int_not_equal(loc[0], loc[1]);
	assert_int_equal(sf_symbols_module(s, loc[1], NULL)->build_id[0], 4);
}

static void kernel_and_modules(void **state)
{
	struct sf_record k = {.type = PERF_RECORD_KSYMBOL};
	const struct sf_frame *f;

	assert_string_equal(where_mode(1, 0xffffffff81000010, KERNEL), "-");
	map_misc(KERNEL, -1u, 0xffffffff81000000, 0x1000000, 0xffffffff81000000,
		 "[kernel.kallsyms]_text");
	map_misc(KERNEL, -1u, 0xffffffffc0000000, 0x8000, 0, "/lib/modules/6/kernel/snd-x.ko.xz");
	assert_string_equal(where_mode(1, 0xffffffff81000010, KERNEL),
			    "[kernel.kallsyms]+ffffffff81000010");
	assert_string_equal(where_mode(9, 0xffffffffc0000123, KERNEL), "[snd_x]+123");
	assert_string_equal(where_mode(9, 0xffffffffd0000000, KERNEL), "-");
	assert_string_equal(where_mode(1, 0xffffffff81000010, PERF_RECORD_MISC_GUEST_KERNEL), "-");

	k.u.ksymbol.addr = 0xffffffffc0100000;
	k.u.ksymbol.len = 0x100;
	k.u.ksymbol.name = "bpf_prog_6deef7357e7b4530_sd_fw";
	assert_int_equal(sf_symbols_feed(s, &k), 0);
	assert_int_equal(sf_symbols_frames(
				 s, sf_symbols_locate(s, 1, 0xffffffffc0100010, KERNEL, false), &f),
			 1);
	assert_string_equal(f->name, "bpf_prog_6deef7357e7b4530_sd_fw");
	assert_true(f->flags & SF_FRAME_KERNEL);
	k.u.ksymbol.flags = PERF_RECORD_KSYMBOL_FLAGS_UNREGISTER;
	assert_int_equal(sf_symbols_feed(s, &k), 0);
	assert_string_equal(where_mode(1, 0xffffffffc0100010, KERNEL), "-");
}

static void names_of_the_build_id_table(void **state)
{
	static const uint8_t id[20] = {9};
	struct sf_record r = {.type = SF_RECORD_HEADER_BUILD_ID, .misc = KERNEL};
	uint32_t loc;

	r.u.build_id.build_id = id;
	r.u.build_id.build_id_size = 20;
	r.u.build_id.filename = "/usr/lib/debug/boot/vmlinux-6.1";
	assert_int_equal(sf_symbols_feed(s, &r), 0);
	r.u.build_id.filename = "/lib/modules/6/mac80211.ko";
	assert_int_equal(sf_symbols_feed(s, &r), 0);
	map_misc(KERNEL, -1u, 0xffffffff81000000, 0x1000000, 0, "[kernel.kallsyms]_stext");
	map_misc(KERNEL, -1u, 0xffffffffc0000000, 0x8000, 0, "/lib/modules/6/mac80211.ko");
	map_misc(KERNEL, -1u, 0xffffffffc0010000, 0x8000, 0, "[ath9k]");
	loc = sf_symbols_locate(s, 1, 0xffffffff81000010, KERNEL, false);
	assert_string_equal(sf_symbols_module(s, loc, NULL)->short_name, "vmlinux-6.1");
	assert_int_equal(sf_symbols_module(s, loc, NULL)->build_id_size, 4);
	assert_string_equal(where_mode(1, 0xffffffffc0000001, KERNEL),
			    "/lib/modules/6/mac80211.ko+1");
	assert_string_equal(where_mode(1, 0xffffffffc0010001, KERNEL), "[ath9k]+1");
}

static void anonymous_memory_is_jit(void **state)
{
	const struct sf_frame *f;
	uint32_t loc;

	map(42, 0x7f0000000000, 0x1000, 0, "//anon");
	loc = sf_symbols_locate(s, 42, 0x7f0000000010, USER, false);
	assert_int_equal(sf_symbols_frames(s, loc, &f), 1);
	assert_string_equal(f->dso, "/tmp/perf-42.map");
	assert_string_equal(f->dso_short, "perf-42.map");
	assert_string_equal(f->name, "");
	assert_int_equal(f->flags, SF_FRAME_JIT | SF_FRAME_UNKNOWN);
	assert_int_equal(f->addr, 0x7f0000000010);
}

static void callers_step_back_on_request(void **state)
{
	struct sf_symbols_opts opts = {.no_local = true, .call_sites = true};
	uint64_t addr;

	sf_symbols_free(s);
	assert_int_equal(sf_symbols_new(&s, &opts, NULL), 0);
	map(1, 0x1000, 0x1000, 0, "/bin/a");
	map(1, 0x2000, 0x1000, 0, "/bin/b");
	assert_string_equal(where(1, 0x2000), "/bin/b+0");
	assert_string_equal(
		sf_symbols_module(s, sf_symbols_locate(s, 1, 0x2000, USER, true), &addr)->path,
		"/bin/a");
	assert_int_equal(addr, 0xfff);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(inside_and_outside),
		TEST(overlaps_are_split),
		TEST(a_change_is_seen_at_once),
		TEST(fork_copies_and_parts),
		TEST(exec_starts_over),
		TEST(maps_outlive_exit_for_a_while),
		TEST(equal_places_are_one_location),
		TEST(build_ids_tell_files_apart),
		TEST(kernel_and_modules),
		TEST(names_of_the_build_id_table),
		TEST(anonymous_memory_is_jit),
		TEST(callers_step_back_on_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
