/* SPDX-License-Identifier: GPL-2.0-only */
/* Tables on recordings made by hand: sums, keys, and how they are printed. */
#include "synth.h"

#include <errno.h>
#include <jansson.h>

#include <snapflame/render_table.h>
#include <snapflame/syscalls.h>
#include <snapflame/tables.h>

#include "near.h"
#include "render/layout.h"

/* main runs, waits for a lock that the worker has, writes; the vCPU waits for main; one is idle. */
#define STORY \
	"thread 0 0 swapper idle\n" \
	"thread 100 100 vmm target\n" \
	"thread 101 100 worker target\n" \
	"thread 102 100 pool target\n" \
	"thread 110 100 vcpu target vcpu\n" \
	"thread 200 200 helper\n" \
	"0 in 110 cpu1\n" "0 in 100 cpu0\n" \
	"1 out 110 S futex_do_wait futex_wait | wait_resume vcpu_loop\n" \
	"5 in 101 cpu1\n" \
	"8 sample 100 | serialize create_snapshot main\n" \
	"10 out 100 S futex_do_wait futex_wait | pthread_mutex_lock create_snapshot main\n" \
	"15 poll 100 20 202 0x1000 128\n" \
	"15 poll 110 20 202 0x2000 137\n" \
	"30 sample 101 | checksum flush\n" \
	"50 sample 101 copy_page | flush\n" \
	"70 wake 100 by 101\n" "70 in 100 cpu0\n" \
	"75 out 101 S ep_poll | loop\n" \
	"76 out 100 D wbt_wait rq_qos_wait | write create_snapshot main\n" \
	"80 wake 100 irq\n" "81 in 100 cpu0\n" \
	"90 wake 110 by 100\n" "91 in 110 cpu1\n" \
	"99 out 110 S kvm_vcpu_block kvm_arch_vcpu_ioctl_run | run\n" \
	"99 out 100 S ep_poll | loop\n" \
	"window 1 1 91 110\n"

static struct sf_recording *rec;
static struct sf_table *t;

static void make(const char *text, enum sf_table_id id)
{
	struct sf_error err = SF_ERROR_INIT;

	rec = synth(text);
	if (sf_table_make(&t, rec, id, NULL, &err))
		fail_msg("%s", err.what);
}

static void done(void)
{
	sf_table_free(t);
	sf_recording_free(rec);
	t = NULL;
	rec = NULL;
}

static size_t column(const char *key)
{
	for (size_t i = 0; i < t->nr_columns; i++)
		if (!strcmp(t->column[i].key, key))
			return i;
	fail_msg("no column %s", key);
	return 0;
}

static const char *text(size_t row, const char *key)
{
	const struct sf_cell *c = sf_table_cell(t, row, column(key));

	return c->type == SF_CELL_TEXT ? c->text : "";
}

static double number(size_t row, const char *key)
{
	const struct sf_cell *c = sf_table_cell(t, row, column(key));

	return c->type == SF_CELL_REAL ? c->d : c->type == SF_CELL_INT ? (double)c->i : NAN;
}

/* The row in which the columns have these texts; it has to be there. */
static size_t row(const char *key, const char *want, const char *key2, const char *want2)
{
	for (size_t i = 0; i < t->nr_rows; i++)
		if (!strcmp(text(i, key), want) && (!key2 || !strcmp(text(i, key2), want2)))
			return i;
	fail_msg("no row with %s = %s, %s = %s", key, want, key2, want2);
	return 0;
}

static void threads_sum_to_the_window(void **state)
{
	static const char *const part[] = { "running_ms", "runnable_ms", "blocked_ms", "absent_ms",
					    "overhead_ms", "unaccounted_ms" };
	size_t r;

	make(STORY, SF_TABLE_THREADS);
	assert_int_equal(t->nr_rows, 4); /* the helper owns nothing of the path */
	for (r = 0; r < t->nr_rows; r++) {
		double sum = 0;

		for (size_t i = 0; i < SF_ARRAY_SIZE(part); i++)
			sum += number(r, part[i]);
		assert_near(sum, 90, 0.09);
	}
	r = row("thread", "vmm", NULL, NULL);
	assert_near(number(r, "running_ms"), 9 + 6 + 10, 1e-6);
	assert_near(number(r, "runnable_ms"), 1, 1e-6);
	assert_near(number(r, "blocked_ms"), 60 + 4, 1e-6);
	assert_string_equal(text(r, "role"), "main");
	assert_near(number(r, "switches"), 2, 0);
	assert_near(number(row("thread", "worker", NULL, NULL), "path_ms"), 60, 1e-6);
	assert_string_equal(text(row("thread", "vcpu", NULL, NULL), "role"), "vCPU");
	/* Nothing was ever heard of it: not running, not asleep, not known. */
	assert_near(number(row("thread", "pool", NULL, NULL), "unaccounted_ms"), 90, 1e-6);
	done();
}

static void states_sum_to_the_window(void **state)
{
	static const char *const name[] = { "vmm", "worker", "pool", "vcpu" };
	size_t r;

	make(STORY, SF_TABLE_STATES);
	for (size_t i = 0; i < SF_ARRAY_SIZE(name); i++) {
		double sum = 0;

		for (r = 0; r < t->nr_rows; r++)
			sum += strcmp(text(r, "thread"), name[i]) ? 0 : number(r, "ms");
		assert_near(sum, 90, 0.09);
	}
	r = row("thread", "vmm", "frame", "futex_do_wait");
	assert_near(number(r, "ms"), 60, 1e-6);
	assert_near(number(r, "polls"), 1, 0);
	assert_near(number(r, "times"), 1, 0);
	assert_string_equal(text(r, "state"), "blocked S");
	r = row("thread", "vmm", "frame", "wbt_wait");
	assert_string_equal(text(r, "state"), "blocked D");
	assert_string_equal(text(r, "meaning"), "I/O throttle");
	assert_near(number(r, "ms"), 4, 1e-6);
	/* 5 to 75, half way between the samples at 30 and 50. */
	assert_near(number(row("thread", "worker", "state", "running user"), "ms"), 35, 1e-6);
	assert_near(number(row("thread", "worker", "state", "running kernel"), "ms"), 35, 1e-6);
	assert_near(number(row("thread", "vcpu", "frame", "futex_do_wait"), "polls"), 1, 0);
	row("thread", "pool", "state", "unaccounted");
	done();
}

/* 0.6 ms of CPU time over what the switches show, in 30 switches: 20 µs each. */
static void overhead_is_told(void **state)
{
	struct sf_str s = SF_STR_INIT;
	double sum = 0;

	sf_str_add(&s, "thread 100 100 vmm target\n");
	for (int i = 0; i < 30; i++)
		sf_str_addf(&s, "%d in 100 cpu0\n%d.5 out 100 S do_nanosleep | nap\n", i, i);
	sf_str_add(&s, "window 1 0 30 100\nsnap 1 begin 0 0 100 S 0\nsnap 1 end 30 15.6 100 S 15.6\n");
	make(s.buf, SF_TABLE_STATES);
	assert_near(number(row("state", "running", NULL, NULL), "ms"), 15, 1e-6);
	assert_near(number(row("state", "recorder overhead", NULL, NULL), "ms"), 0.58, 0.03);
	for (size_t r = 0; r < t->nr_rows; r++)
		sum += number(r, "ms");
	assert_near(sum, 30, 0.03);
	done();
	/* 6 ms more than that is no overhead: it ran where no switch was seen. */
	s.len -= strlen("100 S 15.6\n");
	sf_str_add(&s, "100 S 22\n");
	make(s.buf, SF_TABLE_STATES);
	assert_near(number(row("state", "recorder overhead", NULL, NULL), "ms"), 0.74, 0.03);
	assert_near(number(row("state", "unaccounted", NULL, NULL), "ms"), 7 - 0.75 - 0.15, 0.1);
	done();
	/* And what it was not charged for is not its work. */
	s.len -= strlen("100 S 22\n");
	sf_str_add(&s, "100 S 5\n");
	make(s.buf, SF_TABLE_STATES);
	assert_near(number(row("state", "running", NULL, NULL), "ms"), 5.15, 0.05);
	assert_near(number(row("state", "unaccounted", NULL, NULL), "ms"), 10 - 0.15, 0.05);
	done();
	sf_str_release(&s);
}

static void futexes(void **state)
{
	size_t r;

	make(STORY, SF_TABLE_FUTEX);
	assert_int_equal(t->nr_rows, 2);
	r = row("thread", "vmm", NULL, NULL);
	assert_string_equal(text(r, "address"), "0x1000");
	assert_string_equal(text(r, "operation"), "WAIT_PRIVATE");
	assert_string_equal(text(r, "kind"), "contended");
	assert_string_equal(text(r, "woken_by"), "worker");
	assert_string_equal(text(r, "in"), "pthread_mutex_lock");
	assert_near(number(r, "ms"), 60, 1e-6);
	r = row("thread", "vcpu", NULL, NULL);
	assert_string_equal(text(r, "operation"), "WAIT_BITSET_PRIVATE");
	assert_string_equal(text(r, "kind"), "passive");
	assert_string_equal(text(r, "woken_by"), "vmm");
	assert_near(number(r, "ms"), 89, 1e-6);
	done();
	/* Without names a lock is told by who wakes: each waits for what the other has. */
	make("thread 100 100 a target\nthread 101 100 b target\n"
	     "0 in 100 cpu0\n0 in 101 cpu1\n"
	     "10 out 100 S futex_do_wait | x\n11 poll 100 5 202 0x10 0\n"
	     "20 wake 100 by 101\n20 in 100 cpu0\n"
	     "30 out 101 S futex_do_wait | x\n31 poll 101 5 202 0x10 0\n"
	     "40 wake 101 by 100\n40 in 101 cpu1\n"
	     "50 out 101 S futex_do_wait | x\n55 wake 101 irq\n55 in 101 cpu1\n"
	     "window 1 0 60 100\n60 out 100 S ep_poll | x\n60 out 101 S ep_poll | x\n",
	     SF_TABLE_FUTEX);
	assert_string_equal(text(row("thread", "a", NULL, NULL), "kind"), "contended");
	r = row("thread", "b", "address", "");
	assert_string_equal(text(r, "kind"), "passive");
	assert_near(number(r, "ms"), 5, 1e-6);
	assert_int_equal(t->nr_notes, 2); /* the second tells of the unknown address */
	done();
}

static void wakeups(void **state)
{
	size_t r;

	make(STORY, SF_TABLE_WAKEUPS);
	r = row("waker", "worker", "woken", "vmm");
	assert_near(number(r, "sleep_ms"), 60, 1e-6);
	assert_near(number(r, "count"), 1, 0);
	assert_string_equal(text(r, "context"), "thread");
	assert_string_equal(text(r, "waited_in"), "futex_do_wait");
	r = row("waker", "", "woken", "vmm");
	assert_string_equal(text(r, "context"), "interrupt");
	assert_near(number(r, "sleep_ms"), 4, 1e-6);
	row("waker", "vmm", "woken", "vcpu");
	done();
}

static void syscalls(void **state)
{
	static const char calls[] = STORY
		"0 call 100 9 1 0 0\n"      /* write, on a CPU from 1 to 9 */
		"10 call 100 70 202 4096 128\n"
		"76 call 100 82 1 0 0\n";   /* write: asleep 76 to 80, runnable to 81 */
	size_t r;

	make(calls, SF_TABLE_SYSCALLS);
	r = row("syscall", "write", NULL, NULL);
	assert_near(number(r, "count"), 2, 0);
	assert_near(number(r, "wall_ms"), 8 + 6, 1e-6);
	assert_near(number(r, "cpu_ms"), 8 + 1, 1e-6);
	assert_near(number(r, "longest_ms"), 8, 1e-6);
	assert_string_equal(text(r, "source"), "recorded");
	assert_near(number(row("syscall", "futex", NULL, NULL), "cpu_ms"), 0, 1e-6);
	done();
	make(STORY, SF_TABLE_SYSCALLS);
	r = row("syscall", "futex", NULL, NULL);
	assert_string_equal(text(r, "source"), "sampled");
	assert_near(number(r, "polls"), 2, 0);
	assert_near(number(r, "wall_ms"), 40, 1e-6);
	assert_true(isnan(number(r, "count")));
	assert_int_equal(t->nr_notes, 1);
	done();
}

static void no_syscalls_no_table(void **state)
{
	struct sf_error err = SF_ERROR_INIT;

	rec = synth("thread 100 100 vmm target\n0 in 100 cpu0\n9 out 100 S x\nwindow 1 0 9 100\n");
	assert_int_equal(sf_table_make(&t, rec, SF_TABLE_SYSCALLS, NULL, &err), -EINVAL);
	assert_non_null(strstr(err.what, "--syscalls"));
	assert_null(t);
	sf_recording_free(rec);
}

static void io(void **state)
{
	size_t r;

	make(STORY "rq 265289728 10 30 101\nrq 265289728 20 40 101\nrq 265289728 200 210 101\n",
	     SF_TABLE_IO);
	assert_int_equal(t->nr_rows, 1);
	r = row("operation", "write", NULL, NULL);
	assert_near(number(r, "requests"), 2, 0);
	assert_near(number(r, "bytes"), 8192, 0);
	assert_near(number(r, "latency_median_ms"), 20, 1e-6);
	assert_near(number(r, "busy_ms"), 30, 1e-6); /* they overlap */
	assert_string_equal(text(r, "issuer"), "worker");
	done();
}

static void coverage(void **state)
{
	make(STORY "lost 50 1000\n", SF_TABLE_COVERAGE);
	assert_near(number(0, "critical_path_pct"), 100, 0.01);
	assert_near(number(0, "lost"), 1000, 0);
	assert_string_equal(text(0, "ok"), "no");
	assert_non_null(strstr(text(0, "problems"), "1000 events were lost"));
	done();
	make(STORY, SF_TABLE_COVERAGE);
	assert_non_null(strstr(text(0, "problems"), "sampler"));
	sf_table_free(t);
	rec->meta.hz = 0; /* nobody promised samples */
	assert_int_equal(sf_table_make(&t, rec, SF_TABLE_COVERAGE, NULL, NULL), 0);
	assert_string_equal(text(0, "ok"), "yes");
	done();
}

static void branches(void **state)
{
	struct sf_str out = SF_STR_INIT;
	json_t *list, *o;

	make(STORY "window 2 101 141 110\n", SF_TABLE_BRANCHES);
	rec->window[1].dark_lo = rec->window[1].lo + 1000000;
	sf_table_free(t);
	rec->window[1].dark_hi = rec->window[1].hi;
	rec->window[1].diff_ms = 39.5;
	rec->window[1].diff_physical_bytes = 1163264;
	assert_int_equal(sf_table_make(&t, rec, SF_TABLE_BRANCHES, NULL, NULL), 0);
	assert_int_equal(sf_json_table(&out, t), 0);
	list = json_loads(out.buf, 0, NULL);
	assert_int_equal(json_array_size(list), 2);
	o = json_array_get(list, 0);
	assert_near(json_number_value(json_object_get(o, "api_ms")), 90, 1e-9);
	assert_near(json_number_value(json_object_get(o, "pause_ms")), 90, 1e-9);
	assert_true(json_is_null(json_object_get(o, "dark_ms")));
	assert_true(json_is_null(json_object_get(o, "diff_physical_bytes")));
	o = json_array_get(list, 1);
	assert_near(json_number_value(json_object_get(o, "pause_ms")), 39, 1e-9);
	assert_near(json_number_value(json_object_get(o, "dark_ms")), 39, 1e-9);
	assert_int_equal(json_integer_value(json_object_get(o, "diff_physical_bytes")), 1163264);
	json_decref(list);
	sf_table_free(t);
	sf_str_reset(&out);
	assert_int_equal(sf_table_make(&t, rec, SF_TABLE_SWEEP, NULL, NULL), 0);
	assert_int_equal(sf_csv_table(&out, t), 0);
	assert_string_equal(out.buf, "trial,branch_idx,pause_ms,diff_ms,diff_physical_bytes\n"
				     "1,1,90,,\n1,2,39,39.5,1163264\n");
	sf_str_release(&out);
	done();
}

static void some_windows(void **state)
{
	const struct sf_window *one;
	struct sf_table_opts opts = { .window = &one, .nr_windows = 1 };

	make(STORY "window 2 10 70 110\n", SF_TABLE_BRANCHES);
	sf_table_free(t);
	one = &rec->window[1];
	assert_int_equal(sf_table_make(&t, rec, SF_TABLE_THREADS, &opts, NULL), 0);
	assert_near(number(row("thread", "vmm", NULL, NULL), "blocked_ms"), 60, 1e-6);
	done();
}

/* Whatever the names are: 80 columns, no control characters; CSV and JSON can be read back. */
static void names_are_data(void **state)
{
	struct sf_text_opts o = { .width = 80 };
	struct sf_str out = SF_STR_INIT;

	make(STORY, SF_TABLE_STATES);
	t->cell[column("frame")] = (struct sf_cell){ .type = SF_CELL_TEXT, .text = "a,\"b\"\033[2J\n" };
	for (size_t i = 0; i < t->nr_columns; i++)
		if (t->column[i].flags & SF_COLUMN_CUT)
			t->cell[t->nr_columns + i].text =
				"very::long<name of a function::that, goes on and on>::and_on\xff";
	sf_text_table(&out, t, &o);
	for (const char *p = out.buf; *p; p += strcspn(p, "\n") + 1)
		assert_true(sf_columns(p, strcspn(p, "\n")) <= 80);
	assert_null(strchr(out.buf, '\033'));
	sf_str_reset(&out);
	assert_int_equal(sf_csv_table(&out, t), 0);
	assert_non_null(strstr(out.buf, "\"a,\"\"b\"\"\\x1b[2J\\x0a\""));
	sf_str_reset(&out);
	assert_int_equal(sf_json_table(&out, t), 0);
	json_t *list = json_loads(out.buf, 0, NULL);

	assert_non_null(list);
	json_decref(list);
	sf_str_release(&out);
	done();
}

static void narrow_tables(void **state)
{
	struct sf_text_opts o = { .width = 80 };
	struct sf_str out = SF_STR_INIT;

	for (int id = 0; id < SF_TABLE_EVENTS; id++) {
		make(STORY "rq 265289728 10 30 101\n", id);
		sf_str_reset(&out);
		sf_text_table(&out, t, &o);
		for (const char *p = out.buf; *p; p += strcspn(p, "\n") + 1) {
			if (sf_columns(p, strcspn(p, "\n")) > 80)
				print_error("%s:\n%s", sf_table_name(id), out.buf);
			assert_true(sf_columns(p, strcspn(p, "\n")) <= 80);
		}
		done();
	}
	sf_str_release(&out);
}

static void names_of_syscalls(void **state)
{
	assert_string_equal(sf_sys_name(SF_SYS_X86_64, 202), "futex");
	assert_string_equal(sf_sys_name(SF_SYS_GENERIC, 98), "futex");
	assert_string_equal(sf_sys_name(SF_SYS_X86_64, 16), "ioctl");
	assert_string_equal(sf_sys_name(SF_SYS_GENERIC, 29), "ioctl");
	assert_string_equal(sf_sys_name(SF_SYS_X86_64, 435), "clone3");
	assert_string_equal(sf_sys_name(SF_SYS_GENERIC, 435), "clone3");
	assert_null(sf_sys_name(SF_SYS_X86_64, -1));
	assert_null(sf_sys_name(SF_SYS_X86_64, 336));
	assert_null(sf_sys_name(SF_SYS_X86_64, INT32_MAX));
	assert_true(sf_sys_is_futex(SF_SYS_X86_64, 455));
	assert_int_equal(sf_sys_arch("aarch64"), SF_SYS_GENERIC);
	assert_int_equal(sf_sys_arch("x86_64"), SF_SYS_X86_64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(threads_sum_to_the_window),
		cmocka_unit_test(states_sum_to_the_window),
		cmocka_unit_test(overhead_is_told),
		cmocka_unit_test(futexes),
		cmocka_unit_test(wakeups),
		cmocka_unit_test(syscalls),
		cmocka_unit_test(no_syscalls_no_table),
		cmocka_unit_test(io),
		cmocka_unit_test(coverage),
		cmocka_unit_test(branches),
		cmocka_unit_test(some_windows),
		cmocka_unit_test(names_are_data),
		cmocka_unit_test(narrow_tables),
		cmocka_unit_test(names_of_syscalls),
	};

	return cmocka_run_group_tests_name("tables", tests, NULL, NULL);
}
