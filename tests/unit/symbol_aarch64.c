/* SPDX-License-Identifier: GPL-2.0-only */
/* Stacks of another architecture, with signed return addresses: see tests/data/unwind-aarch64. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include <snapflame/unwind.h>

#define DATA  "tests/data/unwind-aarch64/"
#define BASE  0x5502867000
#define STACK 4096

static const char *const want[] = {
	"leaf<saves_registers<moves_the_stack<entry<main",
	"saves_registers<moves_the_stack<entry<main",
	"moves_the_stack<entry<main",
	"entry<main",
};

static void map(struct sf_symbols *s)
{
	struct sf_record r = {.type = PERF_RECORD_MMAP2, .misc = PERF_RECORD_MISC_USER};
	char *path = realpath(DATA "lib.so", NULL);

	assert_non_null(path);
	r.u.mmap.pid = 1;
	r.u.mmap.addr = BASE;
	r.u.mmap.len = 0x1000;
	r.u.mmap.prot = PROT_READ | PROT_EXEC;
	r.u.mmap.filename = path;
	assert_int_equal(sf_symbols_feed(s, &r), 0);
	free(path);
}

/* The chain as names; what is in no mapping is main, the only caller from outside. */
static void check(struct sf_symbols *s, const uint64_t *ips, size_t n)
{
	char text[1024] = "";
	size_t i;

	for (i = 0; i < n; i++) {
		const struct sf_frame *f;

		sf_symbols_frames(s, sf_symbols_locate(s, 1, ips[i], PERF_RECORD_MISC_USER, false),
				  &f);
		strcat(text, i ? "<" : "");
		strcat(text, f->dso[0] ? f->name : "main");
	}
	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		if (!strcmp(text, want[i]))
			return;
	fail_msg("a chain that cannot be: %s", text);
}

static void signed_return_addresses(void **state)
{
	static uint8_t stack[STACK];
	struct sf_unwind_opts opts = {.arch = "aarch64"};
	struct sf_sample x = {
		.user_abi = PERF_SAMPLE_REGS_ABI_64,
		.user_regs_mask = (1ULL << 33) - 1,
		.user_stack = stack,
	};
	uint64_t regs[33], size, ips[16];
	struct sf_symbols *s;
	struct sf_unwind *u;
	unsigned n = 0;
	FILE *f;

	assert_int_equal(sf_symbols_new(&s, NULL, NULL), 0);
	if (sf_unwind_new(&u, s, &opts, NULL)) {
		sf_symbols_free(s);
		skip(); /* built without libdw */
	}
	map(s);
	f = fopen(DATA "dumps", "rb");
	assert_non_null(f);
	x.user_regs = regs;
	while (fread(regs, sizeof(regs), 1, f) == 1 && fread(&size, sizeof(size), 1, f) == 1) {
		assert_true(size <= STACK && fread(stack, 1, size, f) == size);
		x.user_stack_size = size;
		check(s, ips, sf_unwind_sample(u, 1, &x, ips, 16));
		n++;
	}
	assert_int_equal(n, 6);
	fclose(f);
	sf_unwind_free(u);
	sf_symbols_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(signed_return_addresses)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
