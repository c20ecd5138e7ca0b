/* SPDX-License-Identifier: GPL-2.0-only */
/* Call chains from registers and stack, of this very program. */
#define _GNU_SOURCE
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <ucontext.h>
#include <unistd.h>

#include <cmocka.h>

#include <snapflame/unwind.h>

#if defined(__x86_64__) && defined(HAVE_DW) && defined(HAVE_ELF)

#define DUMP 65000
#define MAX  64

static struct sf_symbols *s;
static struct sf_unwind *u;

/* What the kernel would put into a sample: perf's registers 0-11 and 16-23, and a piece of stack.
 */
static struct dump {
	uint64_t reg[24];
	uint8_t stack[DUMP];
	size_t size;
} dump;

static char *stack_end;
static volatile int sink; /* makes calls that are not the last thing a function does */

/* Copies what lies between variables, too. */
__attribute__((no_sanitize("address", "undefined"))) static void take(const ucontext_t *uc)
{
	static const int order[24] = {REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI,
				      REG_RBP, REG_RSP, REG_RIP, REG_EFL, 0,	   0,
				      0,       0,	0,	 0,	  REG_R8,  REG_R9,
				      REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
	char *sp;

	for (unsigned i = 0; i < 24; i++)
		dump.reg[i] = (uint64_t)uc->uc_mcontext.gregs[order[i]];
	sp = (char *)dump.reg[7];
	dump.size = (size_t)(stack_end - sp) < DUMP ? (size_t)(stack_end - sp) : DUMP;
	for (size_t i = 0; i < dump.size; i++)
		dump.stack[i] = (uint8_t)((volatile char *)sp)[i];
}

/* The walk as names, leaf first: "a<b<c". */
static const char *chain(size_t size, const struct sf_unwind_opts *opts)
{
	static char text[4096];
	struct sf_sample x = {
		.user_abi = PERF_SAMPLE_REGS_ABI_64,
		.user_regs_mask = 0xffffff,
		.user_regs = dump.reg,
		.user_stack = dump.stack,
		.user_stack_size = size,
	};
	uint64_t ips[MAX];
	size_t n;

	sf_unwind_free(u);
	assert_int_equal(sf_unwind_new(&u, s, opts, NULL), 0);
	n = sf_unwind_sample(u, (uint32_t)getpid(), &x, ips, MAX);
	text[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		const struct sf_frame *f;

		sf_symbols_frames(s,
				  sf_symbols_locate(s, (uint32_t)getpid(), ips[i],
						    PERF_RECORD_MISC_USER, false),
				  &f);
		strcat(text, i ? "<" : "");
		strncat(text, f->name[0] ? f->name : "?", 100);
	}
	return text;
}

/* A function of its own, for all compilers. */
#if __has_attribute(noipa)
#define FRAME __attribute__((noipa))
#else
#define FRAME __attribute__((noinline))
#endif

FRAME static int third(int x)
{
	ucontext_t uc;

	getcontext(&uc);
	take(&uc);
	return x + (int)dump.size;
}

FRAME static int second(int x)
{
	volatile char room[1000];

	room[0] = (char)x;
	return third(x) + room[0];
}

FRAME static int first(int x)
{
	return second(x) * 2 + x;
}

static int setup(void **state)
{
	struct utsname un;

	if (sf_symbols_new(&s, NULL, NULL))
		return -1;
	uname(&un);
	sf_symbols_set_origin(s, un.release, un.nodename, un.machine);
	u = NULL;
	return sf_symbols_feed_proc(s, (uint32_t)getpid());
}

static int teardown(void **state)
{
	sf_unwind_free(u);
	sf_symbols_free(s);
	return 0;
}

static void callers_up_to_the_end(void **state)
{
	const char *text;

	first(1);
	text = chain(dump.size, NULL);
	assert_memory_equal(text, "third<second<first<callers_up_to_the_end<", 41);
	assert_non_null(strstr(text, "<main<"));
	assert_non_null(strstr(text, "<_start"));
	assert_int_equal(sf_unwind_stats(u)->samples, 1);
	assert_int_equal(sf_unwind_stats(u)->cut, 0);
}

static void cut_where_the_stack_is(void **state)
{
	struct sf_unwind_opts mark = {.mark_cut = true};
	char full[4096], plain[4096];
	size_t last = 0, cuts = 0;

	first(1);
	strcpy(full, chain(dump.size, NULL));
	assert_string_equal(chain(0, NULL), "");
	assert_string_equal(chain(7, NULL), "third");
	/* With more of the stack the chain gets longer, and never different. */
	for (size_t size = 8; size <= 4096 && size < dump.size; size += 8) {
		strcpy(plain, chain(size, NULL));
		assert_memory_equal(plain, full, strlen(plain));
		assert_true(strlen(plain) >= last);
		last = strlen(plain);
		if (strlen(plain) == strlen(full))
			break;
		assert_int_equal(sf_unwind_stats(u)->cut, 1);
		assert_string_equal(chain(size, &mark) + last, "<?");
		cuts++;
	}
	assert_true(cuts > 100); /* second has 1000 bytes of room */
	assert_string_equal(chain(dump.size, &mark), full);
}

static void nothing_to_start_from(void **state)
{
	struct sf_sample x = {.user_abi = PERF_SAMPLE_REGS_ABI_64, .user_stack_size = 8};
	struct sf_unwind_opts other = {.arch = "sparc"};
	struct sf_error err = SF_ERROR_INIT;
	uint64_t ips[4];

	assert_int_equal(sf_unwind_new(&u, s, NULL, NULL), 0);
	assert_int_equal(sf_unwind_sample(u, 1, &x, ips, 4), 0);
	x.user_regs = dump.reg;
	x.user_regs_mask = 1 << 8; /* no stack pointer */
	assert_int_equal(sf_unwind_sample(u, 1, &x, ips, 4), 0);
	sf_unwind_free(u);
	assert_int_equal(sf_unwind_new(&u, s, &other, &err), -ENOTSUP);
	assert_null(u);
	assert_non_null(strstr(err.what, "sparc"));
}

static void garbage_ends_the_walk(void **state)
{
	uint64_t seed = 88172645463325252ULL;

	first(1);
	for (unsigned round = 0; round < 2000; round++) {
		size_t at;

		seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
		at = seed % (dump.size - 8);
		memcpy(dump.stack + at, &seed, 8);
		dump.reg[seed % 24] ^= round % 3 ? 0 : seed >> (seed % 60);
		chain(dump.size, NULL);
	}
}

static void as_a_recorded_chain(void **state)
{
	const uint64_t kernel[] = {PERF_CONTEXT_KERNEL, 0xffffffff81000010, 0xffffffff81000020,
				   PERF_CONTEXT_USER, 0x1234};
	struct sf_sample x = {
		.chain = kernel,
		.nr_chain = 5,
		.user_abi = PERF_SAMPLE_REGS_ABI_64,
		.user_regs_mask = 0xffffff,
		.user_regs = dump.reg,
		.user_stack = dump.stack,
	};
	uint64_t ips[MAX], user[MAX];
	size_t n, nr_user;

	first(1);
	assert_int_equal(sf_unwind_new(&u, s, NULL, NULL), 0);
	assert_int_equal(sf_unwind_chain(u, (uint32_t)getpid(), &x, ips, MAX), 0); /* no stack */
	x.user_stack_size = dump.size;
	nr_user = sf_unwind_sample(u, (uint32_t)getpid(), &x, user, MAX);
	assert_true(nr_user > 4);
	n = sf_unwind_chain(u, (uint32_t)getpid(), &x, ips, MAX);
	assert_int_equal(n, 4 + nr_user);
	assert_memory_equal(ips, kernel, 4 * sizeof(*ips));
	assert_memory_equal(ips + 4, user, nr_user * sizeof(*ips));
	assert_int_equal(sf_unwind_chain(u, (uint32_t)getpid(), &x, ips, 6), 6);
	assert_int_equal(sf_unwind_chain(u, (uint32_t)getpid(), &x, ips, 4), 0);
}

static void on_signal(int sig, siginfo_t *info, void *uc)
{
	sink = first(sig);
}

static void through_a_signal_handler(void **state)
{
	struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO}, old;
	const char *text;

	sigaction(SIGUSR1, &sa, &old);
	raise(SIGUSR1);
	sigaction(SIGUSR1, &old, NULL);
	text = chain(dump.size, NULL);
	assert_memory_equal(text, "third<second<first<on_signal<", 29);
	assert_non_null(strstr(text, "<through_a_signal_handler<"));
}

static int compare(const void *a, const void *b)
{
	if (*(const int *)a == 2)
		sink = first(3);
	return *(const int *)a - *(const int *)b;
}

static void through_the_c_library(void **state)
{
	int v[] = {3, 2, 1};
	const char *text;

	qsort(v, 3, sizeof(v[0]), compare);
	text = chain(dump.size, NULL);
	assert_memory_equal(text, "third<second<first<", 19);
	assert_non_null(strstr(text, "<compare<"));
	assert_non_null(strstr(text, "<through_the_c_library<"));
}

/*
 * A function whose frame is known by %rbx only, which those that it calls save and use: whoever
 * leaves the register out as one that nobody looks at has to come back for it.
 */
int by_rbx(int x, int (*call)(int));
__asm__(".text\n"
	".type by_rbx, @function\n"
	"by_rbx:\n"
	"	.cfi_startproc\n"
	"	push %rbx\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	.cfi_rel_offset %rbx, 0\n"
	"	mov %rsp, %rbx\n"
	"	.cfi_def_cfa_register %rbx\n"
	"	sub $500, %rsp\n"
	"	and $-64, %rsp\n"
	"	call *%rsi\n"
	"	mov %rbx, %rsp\n"
	"	.cfi_def_cfa_register %rsp\n"
	"	pop %rbx\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	.cfi_restore %rbx\n"
	"	ret\n"
	"	.cfi_endproc\n"
	"	.size by_rbx, . - by_rbx\n");

FRAME static int uses_rbx(int x)
{
	int y = x;

	__asm__ volatile("" : "+b"(y)); /* so it has to save what by_rbx has there */
	return first(x) + y;
}

static void by_a_register_that_is_rarely_looked_at(void **state)
{
	const char *text;

	sink = by_rbx(1, uses_rbx);
	text = chain(dump.size, NULL);
	assert_memory_equal(text, "third<second<first<uses_rbx<by_rbx<by_a_register_that_is", 55);
	assert_non_null(strstr(text, "<main<"));
}

int main(int argc, char **argv)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(callers_up_to_the_end),	TEST(cut_where_the_stack_is),
		TEST(nothing_to_start_from),	TEST(garbage_ends_the_walk),
		TEST(through_a_signal_handler), TEST(through_the_c_library),
		TEST(as_a_recorded_chain),	TEST(by_a_register_that_is_rarely_looked_at),
	};

	stack_end = (char *)(((uintptr_t)&argv[argc] + 8) & ~(uintptr_t)7);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

static void not_here(void **state)
{
	skip(); /* another architecture, or built without libdw */
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(not_here)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
