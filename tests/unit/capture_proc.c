/* SPDX-License-Identifier: GPL-2.0-only */
/* What /proc's files say, and back from the lines of a kernel stack to addresses. */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/cgroup.h"
#include "capture/covariates.h"
#include "capture/identity.h"
#include "capture/kallsyms.h"
#include "capture/mounts.h"
#include "capture/proc.h"
#include "capture/throttled.h"

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

/* The words that VMMs are started with; n counts the NUL at the end, too. */
static void vm_names(void **state)
{
	static const struct {
		const char *words, *id;
		size_t len;
	} given[] = {
#define VM(w, id) { w, id, sizeof(w) }
		VM("/usr/bin/firecracker\0--api-sock\0/run/x\0--id\0vm-7", "vm-7"),
		VM("firecracker-v1.12\0--id=vm-8", "vm-8"),
		VM("firecracker\0--id\0anonymous-instance", ""),
		VM("firecracker\0--id", ""),
		VM("firecracker\0--identity\0no", ""),
		VM("qemu-system-x86_64\0-name\0guest=web1,debug-threads=on\0-m\0128", "web1"),
		VM("qemu-system-x86_64\0-name\0web2", "web2"),
		VM("/opt/qemu-kvm\0-name\0a\0-uuid\0b97c-1", "b97c-1"),
		VM("/bin/other\0--id\0x", ""),
		{ "firecracker\0--id\0cut", "", sizeof("firecracker\0--id\0cut") - 2 },
		{ "", "", 0 },
	};

	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++) {
		struct sf_str out = SF_STR_INIT;

		assert_int_equal(sf_vm_id_of(given[i].words, given[i].len, &out), 0);
		assert_string_equal(out.buf, given[i].id);
		sf_str_release(&out);
	}
}

/* A line of mountinfo; device 0:0 has no disk, whatever machine this is. */
static void places(void **state)
{
	const char *mounts = "22 1 254:1 / / rw,noatime - ext4 /dev/vda1 rw\n"
			     "36 22 0:0 / /data rw shared:5 master:2 - btrfs /dev/vdb rw\n"
			     "37 22 0:55 / /x";
	struct sf_place p;

	sf_place_of(&p, mounts, makedev(0, 0));
	assert_string_equal(p.fs, "btrfs");
	assert_string_equal(p.disk, "");
	assert_string_equal(p.model, "");
	sf_place_of(&p, mounts, makedev(0, 55));
	assert_string_equal(p.fs, "");
	sf_place_of(&p, mounts, makedev(254, 1));
	assert_string_equal(p.fs, "ext4");
}

/* What the recorder holds grows with each BRANCH: as a covariate it would go with every growth. */
static void own_memory(void **state)
{
	json_t *o = json_pack("{s:i, s:i, s:i, s:i, s:i}", "Shmem_kB", 5000, "Cached_kB", 9000,
			      "MemFree_kB", 100, "Dirty_kB", 70, "MemAvailable_kB", 200);

	sf_covariates_without(o, 4096 * 1024);
	assert_int_equal(json_integer_value(json_object_get(o, "Shmem_kB")), 904);
	assert_int_equal(json_integer_value(json_object_get(o, "Cached_kB")), 4904);
	assert_int_equal(json_integer_value(json_object_get(o, "MemFree_kB")), 4196);
	assert_int_equal(json_integer_value(json_object_get(o, "MemAvailable_kB")), 4296);
	assert_int_equal(json_integer_value(json_object_get(o, "Dirty_kB")), 70);
	/* The two were not read at the same instant. */
	sf_covariates_without(o, 5000 * 1024);
	assert_int_equal(json_integer_value(json_object_get(o, "Shmem_kB")), 0);
	json_decref(o);
	o = json_object();
	sf_covariates_without(o, 4096);
	assert_int_equal(json_object_size(o), 0);
	json_decref(o);
}

static void put(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void note_group(void *arg, const char *cgroup, int64_t ns)
{
	sf_str_addf(arg, "%s %" PRId64 "\n", cgroup, ns);
}

/* A quota is counted where it stands: above the group that a thread is in, too. */
static void test_throttled(void **state)
{
	char root[] = "/tmp/snapflame-cgroup.XXXXXX", a[64], b[64], c[64], rm[128];
	struct sf_str path = SF_STR_INIT, seen = SF_STR_INIT;
	double cpus = -1;

	assert_non_null(mkdtemp(root));
	snprintf(a, sizeof(a), "%s/a", root);
	snprintf(b, sizeof(b), "%s/a/b", root);
	snprintf(c, sizeof(c), "%s/c", root);
	assert_int_equal(mkdir(a, 0700) || mkdir(b, 0700) || mkdir(c, 0700), 0);
	/* No group has a count: nothing is known. */
	sf_str_add(&path, b);
	assert_int_equal(sf_throttled_upwards(&path, strlen(root), NULL, NULL), -1);
	assert_int_equal(sf_throttled_below(root), -1);
	/* Version 2 has no counts in its root; version 1 has them in ns. */
	put(root, "cpu.stat", "usage_usec 5\n");
	put(a, "cpu.stat", "usage_usec 5\nnr_periods 9\nnr_throttled 3\nthrottled_usec 70\n");
	put(a, "cpu.max", "5000 20000\n");
	put(b, "cpu.stat", "nr_periods 0\nnr_throttled 0\nthrottled_time 11\n");
	put(b, "cpu.cfs_quota_us", "-1\n");
	put(c, "cpu.stat", "throttled_usec 1000\n");
	put(c, "cpu.max", "max 100000\n");
	sf_str_add(&path, b);
	assert_int_equal(sf_throttled_upwards(&path, strlen(root), note_group, &seen), 70011);
	assert_string_equal(seen.buf, "/a/b 11\n/a 70000\n");
	/* The root itself, as /proc writes it. */
	sf_str_addf(&path, "%s/", root);
	assert_int_equal(sf_throttled_upwards(&path, strlen(root), note_group, &seen), -1);
	/* Those without a quota are not looked at. */
	assert_int_equal(sf_throttled_below(root), 70000);
	assert_int_equal(sf_cgroup_quota(a, &cpus), 0);
	assert_true(cpus == 0.25);
	assert_int_equal(sf_cgroup_quota(b, &cpus), 0);
	assert_true(cpus == 0);
	assert_int_equal(sf_cgroup_quota(c, &cpus), 0);
	assert_true(cpus == 0);
	put(b, "cpu.cfs_quota_us", "150000\n");
	put(b, "cpu.cfs_period_us", "100000\n");
	assert_int_equal(sf_cgroup_quota(b, &cpus), 0);
	assert_true(cpus == 1.5);
	assert_int_equal(sf_cgroup_quota(root, &cpus), -ENOENT);
	sf_str_release(&path);
	sf_str_release(&seen);
	snprintf(rm, sizeof(rm), "rm -r '%s'", root);
	assert_int_equal(system(rm), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stat),	  cmocka_unit_test(test_syscall),
		cmocka_unit_test(test_schedstat), cmocka_unit_test(test_lines),
		cmocka_unit_test(test_stack),	  cmocka_unit_test(test_hidden),
		cmocka_unit_test(test_own_stack),
		cmocka_unit_test(vm_names),
		cmocka_unit_test(places),
		cmocka_unit_test(own_memory),
		cmocka_unit_test(test_throttled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
