/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * names [OPTION=VALUE…] PATH OFFSET…: what the library calls the places at these offsets
 *(hexadecimal) of a file that some process had mapped: one line each, inlined calls first, then
 *problems, each with "problem: " before it. A program of the tests, not installed.
 *
 *	symfs=DIR buildid_dir=DIR no_local inlines lines debuginfod   as in struct sf_symbols_opts
 *	build_id=HEX   the recording's build-id of the file
 *	owner=N        the process that had it mapped, when it may still live
 *	pid=N          a live process that has it mapped: its mappings are taken, PATH is a part of
 *	               the file's name there
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <snapflame/symbol.h>

static struct sf_symbols_opts opts;
static uint8_t build_id[20];
static uint8_t build_id_size;
static uint32_t pid, owner;

static int set_build_id(const char *hex)
{
	unsigned byte;

	for (; build_id_size < 20 && sscanf(hex, "%2x", &byte) == 1; hex += 2)
		build_id[build_id_size++] = (uint8_t)byte;
	return *hex ? -1 : 0;
}

static int option(char *arg)
{
	char *value = strchr(arg, '=');

	if (value)
		*value++ = '\0';
	else
		value = arg;
	if (!strcmp(arg, "symfs"))
		opts.symfs = value;
	else if (!strcmp(arg, "buildid_dir"))
		opts.buildid_dir = value;
	else if (!strcmp(arg, "build_id"))
		return set_build_id(value);
	else if (!strcmp(arg, "pid"))
		pid = (uint32_t)strtoul(value, NULL, 10);
	else if (!strcmp(arg, "owner"))
		owner = (uint32_t)strtoul(value, NULL, 10);
	else if (!strcmp(arg, "no_local"))
		opts.no_local = true;
	else if (!strcmp(arg, "inlines"))
		opts.inlines = true;
	else if (!strcmp(arg, "lines"))
		opts.lines = true;
	else if (!strcmp(arg, "debuginfod"))
		opts.debuginfod = true;
	else
		return -1;
	return 0;
}

/* Where the first byte of the file would be in the process. */
static uint64_t base_in(uint32_t process, const char *part)
{
	unsigned long start, offset;
	char path[64], line[4200];
	uint64_t base = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%u/maps", process);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		if (strstr(line, part) && sscanf(line, "%lx-%*x %*s %lx", &start, &offset) == 2) {
			base = start - offset;
			break;
		}
	if (f)
		fclose(f);
	return base;
}

static int map(struct sf_symbols *s, const char *path, uint64_t *base)
{
	struct sf_record r = {.type = PERF_RECORD_MMAP2, .misc = PERF_RECORD_MISC_USER};

	if (pid) {
		*base = base_in(pid, path);
		return *base ? sf_symbols_feed_proc(s, pid) : -1;
	}
	*base = 1ULL << 40;
	r.u.mmap.pid = owner;
	r.u.mmap.addr = *base;
	r.u.mmap.len = 1ULL << 30;
	r.u.mmap.prot = PROT_EXEC;
	r.u.mmap.filename = path;
	r.u.mmap.build_id = build_id_size ? build_id : NULL;
	r.u.mmap.build_id_size = build_id_size;
	return sf_symbols_feed(s, &r);
}

static void print(struct sf_symbols *s, uint64_t ip)
{
	uint32_t loc = sf_symbols_locate(s, pid ? pid : owner, ip, PERF_RECORD_MISC_USER, false);
	const struct sf_frame *f;
	size_t n = sf_symbols_frames(s, loc, &f);

	for (size_t i = 0; i < n; i++) {
		printf("%s%s%s", i ? " < " : "", f[i].name[0] ? f[i].name : "?",
		       f[i].flags & SF_FRAME_INLINED ? " (inlined)" : "");
		if (f[i].file)
			printf(" %s:%u", f[i].file, f[i].line);
	}
	putchar('\n');
}

int main(int argc, char **argv)
{
	struct sf_symbols *s;
	uint64_t base;
	int i = 1;

	while (i < argc && argv[i][0] != '/')
		if (option(argv[i++])) {
			fprintf(stderr, "names: what is %s?\n", argv[i - 1]);
			return 2;
		}
	if (argc - i < 2 || sf_symbols_new(&s, &opts, NULL) || map(s, argv[i], &base))
		return 1;
	for (int k = i + 1; k < argc; k++)
		print(s, base + strtoull(argv[k], NULL, 16));
	for (size_t k = 0; sf_symbols_problem(s, k); k++)
		printf("problem: %s\n", sf_symbols_problem(s, k));
	sf_symbols_free(s);
	return 0;
}
