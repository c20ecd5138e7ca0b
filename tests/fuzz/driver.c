/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stands in for libFuzzer:
 *
 *	driver [-r RUNS] [-s SEED] FILE|DIRECTORY...
 *
 * replays the files, and all files in the directories; with -r each of them also RUNS times with
 * random damage, the same for the same seed. An input that crashes is named on standard error and
 * kept as the file fuzz-crash.
 */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_SIZE (64l << 20)

static char current[4096];
static const uint8_t *current_data;
static size_t current_size;
static unsigned long replayed, runs;
static uint64_t seed = 1;

static void keep_input(int sig)
{
	static const char text[] = "fuzz: a crash, see the file fuzz-crash; it began as ";
	int fd = open("fuzz-crash", O_WRONLY | O_CREAT | O_TRUNC, 0644);
	ssize_t n = write(fd, current_data, current_size);

	n = write(2, text, sizeof(text) - 1);
	n = write(2, current, strlen(current));
	n = write(2, "\n", 1);
	(void)n;
	signal(sig, SIG_DFL);
	raise(sig);
}

/* The input in memory of just its size, so that reading past its end is seen. */
static void run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + !size);

	if (!copy)
		abort();
	memcpy(copy, data, size);
	current_data = copy;
	current_size = size;
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	replayed++;
}

static uint64_t rnd(uint64_t below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return below ? seed % below : 0;
}

/* Values that break arithmetic more often than random ones do. */
static uint64_t bad_number(void)
{
	static const uint64_t edge[] = { 0,	     1,		 2,	    7,	       8,
					 0x7f,	     0x80,	 0xff,	    0xffff,    0x7fffffff,
					 0x80000000, 0xffffffff, INT64_MAX, INT64_MIN, UINT64_MAX };
	uint64_t n = rnd(sizeof(edge) / sizeof(*edge) + 2);

	return n < sizeof(edge) / sizeof(*edge) ? edge[n] : rnd(UINT64_MAX);
}

static size_t damage(uint8_t *data, size_t size)
{
	size_t at = rnd(size), n = 1 + rnd(32), from = rnd(size);
	uint64_t v = bad_number();

	if (n > size - at)
		n = size - at;
	if (n > size - from)
		n = size - from;
	switch (rnd(6)) {
	case 0:
		data[at] ^= (uint8_t)(1 << rnd(8));
		break;
	case 1:
		data[at] = (uint8_t)rnd(256);
		break;
	case 2:
		memcpy(data + at, &v, n < 8 ? n : 1u << rnd(4));
		break;
	case 3:
		memmove(data + at, data + from, n);
		break;
	case 4: /* take some out */
		memmove(data + at, data + at + n, size - at - n);
		return size - n;
	default:
		return rnd(8) ? size : at;
	}
	return size;
}

static void run_damaged(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size + 1);

	for (unsigned long i = 0; copy && size && i < runs; i++) {
		size_t n = size;

		memcpy(copy, data, size);
		for (uint64_t k = 1 + rnd(6); k && n; k--)
			n = damage(copy, n);
		run(copy, n);
	}
	free(copy);
}

static uint8_t *load(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	long n = -1;

	if (f && !fseek(f, 0, SEEK_END))
		n = ftell(f);
	if (n >= 0 && n <= MAX_SIZE)
		data = malloc((size_t)n + 1);
	if (data) {
		rewind(f);
		*size = fread(data, 1, (size_t)n, f);
	}
	if (f)
		fclose(f);
	return data;
}

static int visit(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	uint8_t *data;
	size_t size;

	if (type != FTW_F)
		return type == FTW_NS || type == FTW_DNR;
	data = load(path, &size);
	if (!data) {
		fprintf(stderr, "fuzz: %s cannot be read: %s\n", path, strerror(errno));
		return 1;
	}
	snprintf(current, sizeof(current), "%s", path);
	run(data, size);
	run_damaged(data, size);
	free(data);
	return 0;
}

int main(int argc, char **argv)
{
	int failed = 0, opt;

	while ((opt = getopt(argc, argv, "r:s:")) != -1) {
		if (opt == 'r')
			runs = strtoul(optarg, NULL, 10);
		else if (opt == 's')
			seed = strtoull(optarg, NULL, 10) * 0x9e3779b97f4a7c15ULL + 1;
		else
			return 2;
	}
	signal(SIGSEGV, keep_input);
	signal(SIGBUS, keep_input);
	signal(SIGABRT, keep_input);
	signal(SIGALRM, keep_input);
	for (; optind < argc && !failed; optind++)
		failed = nftw(argv[optind], visit, 16, FTW_PHYS);
	printf("%lu inputs replayed\n", replayed);
	return failed || fflush(stdout) ? 1 : 0;
}
