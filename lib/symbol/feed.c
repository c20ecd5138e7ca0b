/* SPDX-License-Identifier: GPL-2.0-only */
/* Records of the recording that say what is mapped where. */
#include "symbol/symbols.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "symbol/jit.h"

#ifndef MAP_HUGETLB
#define MAP_HUGETLB 0x40000
#endif

static bool starts_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

/* Memory without a file, as the kernel (and perf, when it reads /proc/PID/maps) calls it. */
static bool is_anonymous(const char *name, uint32_t flags)
{
	return !strcmp(name, "//anon") || !strcmp(name, "[heap]") || starts_with(name, "[stack") ||
	       starts_with(name, "/dev/zero") || starts_with(name, "/anon_hugepage") ||
	       starts_with(name, "/SYSV") || flags & MAP_HUGETLB;
}

static struct sf_mapping mapping_of(const struct sf_record *rec)
{
	uint64_t start = rec->u.mmap.addr, len = rec->u.mmap.len;

	return (struct sf_mapping){
		.start = start,
		.end = len > UINT64_MAX - start ? UINT64_MAX : start + len,
		.pgoff = rec->u.mmap.pgoff,
	};
}

static int feed_jitdump(struct sf_symbols *s, uint32_t pid, const char *path)
{
	uint32_t *slot = sf_map64_at(&s->jitdumps, pid, NULL);

	if (!slot)
		return -ENOMEM;
	*slot = sf_strtab_id(&s->strings, path);
	return *slot ? 0 : -ENOMEM;
}

static int feed_user_map(struct sf_symbols *s, const struct sf_record *rec)
{
	const char *name = rec->u.mmap.filename;
	struct sf_mapping m = mapping_of(rec);
	struct sf_module_key key = {
		.kind = SF_MODULE_FILE,
		.path = name,
		.maj = rec->u.mmap.maj,
		.min = rec->u.mmap.min,
		.ino = rec->u.mmap.ino,
		.ino_generation = rec->u.mmap.ino_generation,
		.pid = rec->u.mmap.pid,
	};
	char jit[32];

	if (is_anonymous(name, rec->u.mmap.flags)) {
		key = (struct sf_module_key){
			.kind = SF_MODULE_DATA, .path = name, .pid = rec->u.mmap.pid};
		if (rec->u.mmap.prot & PROT_EXEC) {
			snprintf(jit, sizeof(jit), "/tmp/perf-%u.map", rec->u.mmap.pid);
			key.kind = SF_MODULE_JIT;
			key.path = jit;
		}
		m.identity = true;
	} else if (!strcmp(name, "[vdso]")) {
		key = (struct sf_module_key){
			.kind = SF_MODULE_VDSO, .path = name, .pid = rec->u.mmap.pid};
		m.pgoff = 0;
	} else {
		if (sf_jit_is_dump(name) && feed_jitdump(s, rec->u.mmap.pid, name))
			return -ENOMEM;
		sf_build_id_set(&key.build_id, rec->u.mmap.build_id, rec->u.mmap.build_id_size);
	}
	m.module = sf_modules_get(&s->modules, &key);
	return m.module ? sf_spaces_map(&s->spaces, rec->u.mmap.pid, &m) : -ENOMEM;
}

/*
 * [kernel.kallsyms]_text, with pgoff the address of _text. The guest's is called
 * [guest.kernel.kallsyms] or [guest.kernel.kallsyms.PID].
 */
static int feed_kernel_image(struct sf_symbols *s, const struct sf_record *rec, bool guest)
{
	const char *name = rec->u.mmap.filename, *close = strchr(name, ']');
	struct sf_mapping m = mapping_of(rec);
	struct sf_module_key key = {.kind = SF_MODULE_KERNEL, .guest = guest};
	char image[64];

	if (close && close[1] && rec->u.mmap.pgoff && !guest) {
		snprintf(s->kernel.ref_name, sizeof(s->kernel.ref_name), "%s", close + 1);
		s->kernel.ref_addr = rec->u.mmap.pgoff;
	}
	snprintf(image, sizeof(image), "%.*s", (int)(close ? close + 1 - name : 60), name);
	key.path = image;
	sf_build_id_set(&key.build_id, rec->u.mmap.build_id, rec->u.mmap.build_id_size);
	if (key.build_id.size && !guest)
		s->kernel_id = key.build_id;
	m.module = sf_modules_get(&s->modules, &key);
	if (!m.module)
		return -ENOMEM;
	/* A recorder that may not see the addresses writes zeroes. */
	if (!m.start && (!m.end || m.end == UINT64_MAX))
		m.end = UINT64_MAX;
	m.identity = true;
	if (!guest)
		s->kernel_module = m.module;
	return sf_spaces_map_kernel(&s->spaces, guest, &m);
}

static int feed_kernel_map(struct sf_symbols *s, const struct sf_record *rec, bool guest)
{
	const char *name = rec->u.mmap.filename;
	struct sf_mapping m = mapping_of(rec);
	struct sf_module_key key = {
		.kind = SF_MODULE_KMOD,
		.guest = guest,
		.path = name,
		.base = m.start,
	};

	if (starts_with(name, "[kernel.kallsyms]") || starts_with(name, "[guest.kernel.kallsyms"))
		return feed_kernel_image(s, rec, guest);
	if (name[0] != '/' && name[0] != '[')
		return 0;
	sf_build_id_set(&key.build_id, rec->u.mmap.build_id, rec->u.mmap.build_id_size);
	m.pgoff = 0;
	m.module = sf_modules_get(&s->modules, &key);
	return m.module ? sf_spaces_map_kernel(&s->spaces, guest, &m) : -ENOMEM;
}

static int feed_map(struct sf_symbols *s, const struct sf_record *rec)
{
	switch (rec->misc & PERF_RECORD_MISC_CPUMODE_MASK) {
	case PERF_RECORD_MISC_KERNEL:
		return feed_kernel_map(s, rec, false);
	case PERF_RECORD_MISC_GUEST_KERNEL:
		return feed_kernel_map(s, rec, true);
	case PERF_RECORD_MISC_GUEST_USER:
		return 0; /* processes of the guest: their pids are not ours */
	}
	return feed_user_map(s, rec);
}

/* A BPF program or a trampoline appeared in the kernel, or went. */
static int feed_ksymbol(struct sf_symbols *s, const struct sf_record *rec)
{
	struct sf_module_key key = {
		.kind = SF_MODULE_KSYM,
		.path = rec->u.ksymbol.name,
		.base = rec->u.ksymbol.addr,
		.len = rec->u.ksymbol.len,
	};
	struct sf_mapping m = {.start = key.base, .end = key.base + key.len};

	if (rec->u.ksymbol.flags & PERF_RECORD_KSYMBOL_FLAGS_UNREGISTER) {
		sf_spaces_unmap_kernel(&s->spaces, key.base);
		return 0;
	}
	m.module = sf_modules_get(&s->modules, &key);
	return m.module ? sf_spaces_map_kernel(&s->spaces, false, &m) : -ENOMEM;
}

static int feed_build_id(struct sf_symbols *s, const struct sf_record *rec)
{
	unsigned mode = rec->misc & PERF_RECORD_MISC_CPUMODE_MASK;
	const char *name = rec->u.build_id.filename;
	struct sf_build_id id;
	char kmod[256];

	if (mode == PERF_RECORD_MISC_GUEST_KERNEL || mode == PERF_RECORD_MISC_GUEST_USER)
		return 0;
	sf_build_id_set(&id, rec->u.build_id.build_id, rec->u.build_id.build_id_size);
	if (!id.size)
		return 0;
	if (mode == PERF_RECORD_MISC_KERNEL && !sf_kmod_name(name, kmod, sizeof(kmod)))
		s->kernel_id = id;
	return sf_modules_header_id(&s->modules, name, &id, mode == PERF_RECORD_MISC_KERNEL);
}

int sf_symbols_feed(struct sf_symbols *s, const struct sf_record *rec)
{
	switch (rec->type) {
	case PERF_RECORD_MMAP:
	case PERF_RECORD_MMAP2:
		return feed_map(s, rec);
	case PERF_RECORD_COMM:
		if (rec->u.comm.exec)
			sf_spaces_exec(&s->spaces, rec->u.comm.pid);
		return 0;
	case PERF_RECORD_FORK:
		if (rec->u.task.pid == rec->u.task.ppid)
			return 0; /* a thread */
		/* perf marks the ones it made up from /proc: their mappings follow. */
		return sf_spaces_fork(&s->spaces, rec->u.task.pid, rec->u.task.ppid,
				      !(rec->misc & PERF_RECORD_MISC_FORK_EXEC));
	case PERF_RECORD_EXIT:
		if (rec->u.task.pid != rec->u.task.tid)
			return 0;
		return sf_spaces_exit(&s->spaces, rec->u.task.pid);
	case PERF_RECORD_KSYMBOL:
		return feed_ksymbol(s, rec);
	case SF_RECORD_HEADER_BUILD_ID:
		return feed_build_id(s, rec);
	}
	return 0;
}
