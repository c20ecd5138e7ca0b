/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/jit.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_MAP (1u << 30)

/* 7f3c40001000 1a0 LazyCompile:~fib /srv/app.js:3 */
static int parse_line(char *line, struct sf_symtab *t)
{
	uint64_t start, size;
	char *p;

	start = strtoull(line, &p, 16);
	if (p == line || *p != ' ')
		return 0;
	line = p + 1;
	size = strtoull(line, &p, 16);
	if (p == line || *p != ' ' || !p[1])
		return 0;
	return sf_symtab_add(t, start, size, STB_GLOBAL, p + 1);
}

int sf_jit_parse_map(char *text, size_t len, struct sf_symtab *t)
{
	char *p = text, *end = text + len;
	int ret = 0;

	while (p < end && !ret) {
		char *eol = memchr(p, '\n', (size_t)(end - p));

		if (!eol)
			eol = end;
		*eol = '\0';
		ret = parse_line(p, t);
		p = eol + 1;
	}
	/* Code is thrown away and its place used again: the last one to be written is the one. */
	t->latest = true;
	sf_symtab_settle(t, SF_SYMTAB_PLAIN);
	return ret;
}

/* The pid that the process itself knows, in its own namespace: the last number of NSpid. */
static uint32_t inner_pid(uint32_t pid)
{
	char path[64], *text, *p;
	uint32_t inner = pid;
	size_t len;

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	if (sf_read_file(path, 1u << 20, &text, &len))
		return pid;
	p = strstr(text, "\nNSpid:");
	if (p) {
		p[1 + strcspn(p + 1, "\n")] = '\0';
		p = strrchr(p, '\t');
		inner = p ? (uint32_t)strtoul(p + 1, NULL, 10) : pid;
	}
	free(text);
	return inner;
}

/*
 * Anybody can write /tmp/perf-PID.map: names are taken from root, from us, and from whom the process
 * belongs to, as perf does. Below symfs the one who copied the files has decided that.
 */
static int read_trusted(const struct sf_symbols *s, uint32_t pid, const char *path, char **text,
			size_t *len)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), ret;
	struct stat st, process;
	char proc[32];

	if (fd < 0)
		return -errno;
	snprintf(proc, sizeof(proc), "/proc/%u", pid);
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		ret = -EINVAL;
	else if (!s->opts.symfs && st.st_uid && st.st_uid != geteuid() &&
		 (stat(proc, &process) || process.st_uid != st.st_uid))
		ret = -EPERM;
	else
		ret = sf_read_fd(fd, MAX_MAP, text, len);
	close(fd);
	return ret;
}

static int read_map(struct sf_symbols *s, uint32_t pid, char **text, size_t *len)
{
	char path[4096];

	if (s->opts.symfs) {
		snprintf(path, sizeof(path), "%s/tmp/perf-%u.map", s->opts.symfs, pid);
		return read_trusted(s, pid, path, text, len);
	}
	snprintf(path, sizeof(path), "/proc/%u/root/tmp/perf-%u.map", pid, inner_pid(pid));
	if (!read_trusted(s, pid, path, text, len))
		return 0;
	snprintf(path, sizeof(path), "/tmp/perf-%u.map", pid);
	return read_trusted(s, pid, path, text, len);
}

bool sf_jit_is_dump(const char *path)
{
	const char *base = sf_base_name(path);
	unsigned pid;
	int n = 0;

	return sscanf(base, "jit-%u.dump%n", &pid, &n) == 1 && n && !base[n];
}

static int read_dump(struct sf_symbols *s, uint32_t pid, char **data, size_t *len)
{
	const char *file = sf_strtab_text(&s->strings, sf_map64_get(&s->jitdumps, pid, 0));
	char path[4200];

	if (!file[0])
		return -ENOENT;
	snprintf(path, sizeof(path), "/proc/%u/root%s", pid, file);
	if (!s->opts.symfs && !read_trusted(s, pid, path, data, len))
		return 0;
	snprintf(path, sizeof(path), "%s%s", s->opts.symfs ? s->opts.symfs : "", file);
	return read_trusted(s, pid, path, data, len);
}

static int load(struct sf_mod *mod, char *text, size_t len, bool is_dump)
{
	char *copy = sf_arena_strndup(&mod->syms.names, text, len);

	free(text);
	if (!copy)
		return -ENOMEM;
	return is_dump ? sf_jit_parse_dump(copy, len, &mod->syms)
		       : sf_jit_parse_map(copy, len, &mod->syms);
}

int sf_jit_load(struct sf_symbols *s, struct sf_mod *mod)
{
	int ret, dump;
	uint32_t pid;
	char *text;
	size_t len;

	/* The module's name has it: after fork() it is still the parent's. */
	if (sscanf(mod->file, "/tmp/perf-%u.map", &pid) != 1)
		return -ENOENT;
	mod->syms.demangle = false;
	ret = read_map(s, pid, &text, &len);
	if (!ret)
		ret = load(mod, text, len, false);
	dump = read_dump(s, pid, &text, &len);
	if (!dump)
		dump = load(mod, text, len, true);
	return dump ? ret : 0;
}
