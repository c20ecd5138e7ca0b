/* SPDX-License-Identifier: GPL-2.0-only */
/* What /proc's files say, and back from the lines of a kernel stack to addresses. */
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

#include "capture/kallsyms.h"
#include "capture/proc.h"

static void test_stat(void **state)
{
	struct sf_proc_stat st;

	assert_int_equal(sf_proc_parse_stat("12 (fc_vcpu 0) S 11 1 2\n", &st), 0);
	assert_string_equal(st.comm, "fc_vcpu 0");
	assert_int_equal(st.state, 'S');
	assert_int_equal(st.ppid, 11);
	/* A comm may look like the fields that follow it. */
	assert_int_equal(sf_proc_parse_stat("12 (a) R 7 (b) D 11 1 2\n", &st), 0);
	assert_string_equal(st.comm, "a) R 7 (b");
	assert_int_equal(st.state, 'D');
	assert_int_equal(sf_proc_parse_stat("12 (kworker/0:1-events_power) I 2 0", &st), 0);
	assert_string_equal(st.comm, "kworker/0:1-eve");
	assert_int_equal(sf_proc_parse_stat("12 () S 1", &st), 0);
	assert_string_equal(st.comm, "");
	assert_int_equal(sf_proc_parse_stat("", &st), -EINVAL);
	assert_int_equal(sf_proc_parse_stat("12 )( S 1", &st), -EINVAL);
	assert_int_equal(sf_proc_parse_stat("12 (x)", &st), -EINVAL);
}

static void test_syscall(void **state)
{
	struct sf_task_raw raw;

	assert_int_equal(sf_proc_parse_syscall("running\n", &raw), 0);
	assert_int_equal(raw.syscall, -1);
	assert_int_equal(sf_proc_parse_syscall("-1 0x7ffe10 0x401000\n", &raw), 0);
	assert_int_equal(raw.syscall, -1);
	assert_int_equal(raw.sp, 0x7ffe10);
	assert_int_equal(raw.pc, 0x401000);
	assert_int_equal(sf_proc_parse_syscall("202 0x7f00 0x189 0x0 0x0 0x0 0xffffffff "
					       "0x7ffe10 0xffffffffff600000\n", &raw), 0);
	assert_int_equal(raw.syscall, 202);
	assert_int_equal(raw.arg[0], 0x7f00);
	assert_int_equal(raw.arg[1], 0x189);
	assert_int_equal(raw.arg[5], 0xffffffff);
	assert_true(raw.pc == 0xffffffffff600000);
	assert_int_equal(sf_proc_parse_syscall("202 0x7f00 0x189", &raw), -EINVAL);
	assert_int_equal(raw.syscall, -2);
	assert_int_equal(sf_proc_parse_syscall("", &raw), -EINVAL);
}

static void test_schedstat(void **state)
{
	uint64_t run, delay, slices;

	assert_int_equal(sf_proc_parse_schedstat("123 456 7\n", &run, &delay, &slices), 0);
	assert_int_equal(delay, 456);
	assert_int_equal(sf_proc_parse_schedstat("123 456\n", &run, &delay, &slices), -EINVAL);
}

static const char symbols[] = "ffffffff81000000 T _stext\n"
			      "ffffffff81000000 T _text\n"
			      "ffffffff81000100 t flush\n"
			      "ffffffff81000140 t flush\n"
			      "ffffffff810001c0 T futex_do_wait\n"
			      "ffffffff81000200 D some_data\n"
			      "ffffffff81000300 T _etext\n"
			      "ffffffffc0000000 t flush\t[ext4]\n"
			      "ffffffffc0000080 t ext4_end\t[ext4]\n"
			      "not a line\n"
			      "\n";

static int load(struct sf_kallsyms *k, const char *text)
{
	char path[] = "/tmp/snapflame-kallsyms.XXXXXX";
	int fd = mkstemp(path), ret;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	ret = sf_kallsyms_load(k, path);
	unlink(path);
	return ret;
}

static uint64_t line(const struct sf_kallsyms *k, const char *text)
{
	return sf_kallsyms_line(k, text, strlen(text));
}

static void test_lines(void **state)
{
	struct sf_kallsyms k;

	assert_int_equal(load(&k, symbols), 0);
	assert_true(k.start == 0xffffffff81000000 && k.end == 0xffffffff81000300);
	assert_true(line(&k, "[<0>] futex_do_wait+0x16/0x40") == 0xffffffff810001d6);
	/* Two functions of one name: the size tells. */
	assert_true(line(&k, "[<0>] flush+0x1/0x40") == 0xffffffff81000101);
	assert_true(line(&k, "[<0>] flush+0x1/0x80") == 0xffffffff81000141);
	assert_true(line(&k, "[<0>] flush+0x1/0x80 [ext4]") == 0xffffffffc0000001);
	/* A size that no symbol has, as the one before a hole: the first. */
	assert_true(line(&k, "[<0>] flush+0x1/0x99") == 0xffffffff81000101);
	assert_true(line(&k, "[<0>] unknown+0x1/0x2") == 0);
	assert_true(line(&k, "[<0>] flush+0x1/0x80 [xfs]") == 0);
	assert_true(line(&k, "[<0>] some_data+0x1/0x2") == 0);
	assert_true(line(&k, "[<0>] 0xffffffff81000000") == 0);
	assert_true(line(&k, "[<0>]") == 0);
	assert_true(line(&k, "]") == 0);
	assert_true(line(&k, "") == 0);
	sf_kallsyms_release(&k);
}

static void test_stack(void **state)
{
	static const char text[] = "[<0>] futex_do_wait+0x16/0x40\n"
				   "[<0>] unknown+0x1/0x2\n"
				   "[<0>] flush+0x1/0x80 [ext4]";
	uint64_t addr[8];
	struct sf_kallsyms k;

	assert_int_equal(load(&k, symbols), 0);
	assert_int_equal(sf_kallsyms_stack(&k, text, strlen(text), addr, 8), 2);
	assert_true(addr[0] == 0xffffffff810001d6 && addr[1] == 0xffffffffc0000001);
	assert_int_equal(sf_kallsyms_stack(&k, text, strlen(text), addr, 1), 1);
	assert_int_equal(sf_kallsyms_stack(&k, text, 0, addr, 8), 0);
	assert_int_equal(sf_kallsyms_stack(&k, "\n\n", 2, addr, 8), 0);
	sf_kallsyms_release(&k);
}

static void test_hidden(void **state)
{
	struct sf_kallsyms k;

	assert_int_equal(load(&k, "0000000000000000 T _stext\n0000000000000000 T x\n"), -EACCES);
	assert_int_equal(k.nr, 0);
	assert_true(line(&k, "[<0>] x+0x1/0x2") == 0);
	assert_int_equal(sf_kallsyms_load(&k, "/nonexistent"), -ENOENT);
	assert_int_equal(load(&k, ""), -EACCES);
}

static void test_own_stack(void **state)
{
	/* The kernel's own: each line of our parent's stack is found, where they can be read. */
	char path[64], text[8192];
	uint64_t addr[64];
	struct sf_kallsyms k;
	size_t lines = 0;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stack", (int)getppid());
	n = sf_proc_read(path, text, sizeof(text));
	if (n <= 0 || sf_kallsyms_load(&k, "/proc/kallsyms"))
		skip();
	for (ssize_t i = 0; i < n; i++)
		lines += text[i] == '\n';
	assert_int_equal(sf_kallsyms_stack(&k, text, (size_t)n, addr, 64), lines);
	sf_kallsyms_release(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stat),	  cmocka_unit_test(test_syscall),
		cmocka_unit_test(test_schedstat), cmocka_unit_test(test_lines),
		cmocka_unit_test(test_stack),	  cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_own_stack),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
