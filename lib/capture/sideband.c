/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "sideband.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <snapflame/array.h>

#include "proc.h"

/* Files whose build-id was read: many processes map the same libraries. */
struct sf_known_id {
	dev_t dev;
	ino_t ino;
	uint8_t id[20];
	int size; /* 0: none */
};

void sf_sideband_init(struct sf_sideband *s, uint64_t time, uint64_t id)
{
	*s = (struct sf_sideband){ .stamp = { .time = time, .id = id } };
	sf_str_init(&s->records);
	sf_str_init(&s->build_ids);
}

void sf_sideband_release(struct sf_sideband *s)
{
	sf_str_release(&s->records);
	sf_str_release(&s->build_ids);
	free(s->known);
	s->known = NULL;
	s->nr = s->alloc = 0;
}

static int failed(const struct sf_sideband *s)
{
	return sf_str_failed(&s->records) || sf_str_failed(&s->build_ids) ? -ENOMEM : 0;
}

/* "ext4 1019904 1 - Live 0xffffffffc0400000" */
static void add_module(struct sf_sideband *s, const char *line)
{
	struct sf_build_mmap m = { .pid = UINT32_MAX };
	char name[64], file[80], notes[160];
	uint8_t id[20];
	int size;

	if (sscanf(line, "%63s %" SCNu64 " %*s %*s %*s 0x%" SCNx64, name, &m.len, &m.addr) != 3 ||
	    !m.addr)
		return;
	snprintf(file, sizeof(file), "[%s]", name);
	m.filename = file;
	sf_build_mmap(&s->records, &s->stamp, PERF_RECORD_MISC_KERNEL, &m);
	snprintf(notes, sizeof(notes), "/sys/module/%s/notes/.note.gnu.build-id", name);
	size = sf_notes_build_id(notes, id);
	if (size > 0)
		sf_build_build_id(&s->build_ids, UINT32_MAX, PERF_RECORD_MISC_KERNEL, id,
				  (uint8_t)size, file);
}

int sf_sideband_kernel(struct sf_sideband *s, const struct sf_kallsyms *k)
{
	/* perf takes what follows the bracket for the symbol whose address is pgoff. */
	struct sf_build_mmap m = { .pid = UINT32_MAX, .filename = "[kernel.kallsyms]_stext" };
	FILE *f = fopen("/proc/modules", "re");
	char line[1024];
	uint8_t id[20];
	int size = sf_notes_build_id("/sys/kernel/notes", id);

	if (k->start && k->end > k->start) {
		m.addr = m.pgoff = k->start;
		m.len = k->end - k->start;
		sf_build_mmap(&s->records, &s->stamp, PERF_RECORD_MISC_KERNEL, &m);
	}
	if (size > 0)
		sf_build_build_id(&s->build_ids, UINT32_MAX, PERF_RECORD_MISC_KERNEL, id,
				  (uint8_t)size, "[kernel.kallsyms]");
	while (f && fgets(line, sizeof(line), f))
		add_module(s, line);
	if (f)
		fclose(f);
	return failed(s);
}

static int read_stat(pid_t pid, pid_t tid, struct sf_proc_stat *st)
{
	char path[64], buf[512];

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", (int)pid, (int)tid);
	if (sf_proc_read(path, buf, sizeof(buf)) <= 0)
		return -ESRCH;
	return sf_proc_parse_stat(buf, st);
}

int sf_sideband_tasks(struct sf_sideband *s, pid_t pid)
{
	pid_t *tid;
	int nr = sf_proc_tids(pid, &tid);

	for (int i = 0; i < nr; i++) {
		struct sf_stamp stamp = s->stamp;
		uint32_t p = (uint32_t)pid, t = (uint32_t)tid[i], parent = p;
		struct sf_proc_stat st;

		if (read_stat(pid, tid[i], &st))
			continue;
		if (t == p)
			parent = (uint32_t)st.ppid;
		stamp.pid = p;
		stamp.tid = t;
		sf_build_task(&s->records, &stamp, PERF_RECORD_FORK, p, parent, t, parent);
		sf_build_comm(&s->records, &stamp, p, t, st.comm);
	}
	if (nr >= 0)
		free(tid);
	return nr < 0 ? nr : failed(s);
}

int sf_sideband_all_tasks(struct sf_sideband *s)
{
	pid_t *pid;
	int nr = sf_proc_numbers("/proc", &pid);

	for (int i = 0; i < nr; i++)
		sf_sideband_tasks(s, pid[i]);
	if (nr >= 0)
		free(pid);
	return nr < 0 ? nr : failed(s);
}

/* The build-id of the mapped file, through the process's own root: it may live in a container. */
static const struct sf_known_id *build_id_of(struct sf_sideband *s, pid_t pid, const char *name)
{
	struct sf_known_id b = { 0 };
	char path[4200];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d/root%s", (int)pid, name);
	if (stat(path, &st))
		return NULL;
	for (size_t i = 0; i < s->nr; i++) {
		if (s->known[i].dev == st.st_dev && s->known[i].ino == st.st_ino)
			return &s->known[i];
	}
	b.dev = st.st_dev;
	b.ino = st.st_ino;
	b.size = sf_file_build_id(path, b.id);
	if (b.size > 0)
		sf_build_build_id(&s->build_ids, (uint32_t)pid, PERF_RECORD_MISC_USER, b.id,
				  (uint8_t)b.size, name);
	if (SF_GROW(s->known, s->nr + 1, s->alloc))
		return NULL;
	s->known[s->nr] = b;
	return &s->known[s->nr++];
}

/* "55d0c8a00000-55d0c8a21000 r-xp 00001000 fe:00 1234    /usr/bin/vmm" */
static void add_mapping(struct sf_sideband *s, pid_t pid, char *line)
{
	struct sf_build_mmap m = { .pid = (uint32_t)pid, .tid = (uint32_t)pid };
	struct sf_stamp stamp = s->stamp;
	const struct sf_known_id *id = NULL;
	uint64_t end, ino;
	char perm[5];
	int at = 0;

	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n", &m.addr,
		   &end, perm, &m.pgoff, &m.maj, &m.min, &ino, &at) != 7 ||
	    end <= m.addr || perm[2] != 'x')
		return;
	line[strcspn(line, "\n")] = '\0';
	m.len = end - m.addr;
	m.ino = ino;
	m.prot = (perm[0] == 'r' ? PROT_READ : 0) | (perm[1] == 'w' ? PROT_WRITE : 0) | PROT_EXEC;
	m.flags = perm[3] == 's' ? MAP_SHARED : MAP_PRIVATE;
	m.filename = at && line[at] ? line + at : "//anon";
	if (m.filename[0] == '/' && ino)
		id = build_id_of(s, pid, m.filename);
	if (id && id->size > 0) {
		m.build_id = id->id;
		m.build_id_size = (uint8_t)id->size;
	}
	stamp.pid = stamp.tid = (uint32_t)pid;
	sf_build_mmap(&s->records, &stamp, PERF_RECORD_MISC_USER, &m);
}

int sf_sideband_maps(struct sf_sideband *s, pid_t pid)
{
	char path[32], line[4400];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	f = fopen(path, "re");
	if (!f)
		return errno == ENOENT ? -ESRCH : -errno;
	while (fgets(line, sizeof(line), f))
		add_mapping(s, pid, line);
	fclose(f);
	return failed(s);
}
