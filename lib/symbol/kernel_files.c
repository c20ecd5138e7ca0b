/* SPDX-License-Identifier: GPL-2.0-only */
/* Which table of the kernel's symbols fits a recording. */
#include "symbol/symbols.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "symbol/elffile.h"
#include "symbol/files.h"

bool sf_sources_same_kernel(struct sf_symbols *s, const char **why)
{
	struct sf_build_id running;
	struct utsname u;

	if (s->opts.no_local || s->opts.symfs) {
		*why = "names come from the recording only";
		return false;
	}
	sf_kernel_running_id(&running);
	if (s->kernel_id.size && running.size) {
		*why = "the kernel running here has another build-id";
		return sf_build_id_equal(&s->kernel_id, &running);
	}
	if (!s->release || uname(&u)) {
		*why = "it does not say which kernel it is of";
		return false;
	}
	*why = "it is of another host or kernel";
	return !strcmp(u.release, s->release) && s->hostname && !strcmp(u.nodename, s->hostname);
}

/* Where distributions and builders put the kernel's ELF file. */
static const char *const vmlinux_paths[] = {
	"/usr/lib/debug/boot/vmlinux-%s",
	"/usr/lib/debug/lib/modules/%s/vmlinux",
	"/boot/vmlinux-%s",
	"/lib/modules/%s/build/vmlinux",
	"/usr/lib/debug/boot/vmlinux-%s.debug",
};

static bool load_vmlinux_file(struct sf_symbols *s, const char *path)
{
	struct sf_elf *e;
	bool named;

	if (sf_elf_open(&e, path, &s->kernel_id))
		return false;
	named = sf_elf_has_symtab(e) && !sf_kernel_load_elf(&s->kernel, e);
	sf_elf_free(e);
	return named;
}

/* Any vmlinux file with the build-id will do, and nothing without one: there are many kernels. */
static bool load_vmlinux(struct sf_symbols *s)
{
	const char *symfs = s->opts.symfs ? s->opts.symfs : "";
	char hex[2 * SF_BUILD_ID_MAX + 1], path[4096], file[256];

	if (!s->kernel_id.size || s->opts.no_local)
		return false;
	sf_build_id_hex(&s->kernel_id, hex);
	snprintf(path, sizeof(path), "%s/usr/lib/debug/.build-id/%.2s/%s.debug", symfs, hex,
		 hex + 2);
	if (load_vmlinux_file(s, path))
		return true;
	for (size_t i = 0; s->release && i < SF_ARRAY_SIZE(vmlinux_paths); i++) {
		const char *at = strstr(vmlinux_paths[i], "%s");

		snprintf(file, sizeof(file), "%.*s%s%s", (int)(at - vmlinux_paths[i]),
			 vmlinux_paths[i], s->release, at + 2);
		snprintf(path, sizeof(path), "%s%s", symfs, file);
		if (load_vmlinux_file(s, path))
			return true;
	}
	return false;
}

static bool load_kallsyms(struct sf_symbols *s, const char *path)
{
	int ret = sf_kernel_load(&s->kernel, path);

	if (ret == -EPERM)
		sf_symbols_note(
			s, "%s hides kernel addresses: run as root, or set kernel.kptr_restrict=0",
			path);
	else if (ret)
		sf_symbols_note(s, "%s: %s", path, strerror(-ret));
	return !ret;
}

/* perf keeps a copy of kallsyms for each kernel that it recorded. */
static bool cached_kallsyms(struct sf_symbols *s, const struct sf_build_id *id, char *path,
			    size_t size)
{
	char hex[2 * SF_BUILD_ID_MAX + 1];

	if (!id->size || !sf_files_cache_dir(&s->opts, path, size - 128))
		return false;
	sf_build_id_hex(id, hex);
	snprintf(path + strlen(path), 128, "/[kernel.kallsyms]/%s/kallsyms", hex);
	return !access(path, R_OK);
}

static bool load_cached_kallsyms(struct sf_symbols *s)
{
	char path[4096];

	return cached_kallsyms(s, &s->kernel_id, path, sizeof(path)) && load_kallsyms(s, path);
}

static bool load_running_kallsyms(struct sf_symbols *s)
{
	struct sf_build_id running;
	char path[4096];

	sf_kernel_running_id(&running);
	if (cached_kallsyms(s, &running, path, sizeof(path)) &&
	    !sf_kernel_load_copy(&s->kernel, path))
		return true;
	return load_kallsyms(s, "/proc/kallsyms");
}

bool sf_sources_kernel(struct sf_symbols *s)
{
	const char *why = "";
	bool named;

	if (s->kernel_state != SF_KERNEL_UNTRIED)
		return s->kernel_state == SF_KERNEL_NAMED;
	if (s->opts.kallsyms)
		named = load_kallsyms(s, s->opts.kallsyms);
	else if (load_vmlinux(s))
		named = true;
	else if (sf_sources_same_kernel(s, &why))
		named = load_running_kallsyms(s);
	else if (!(named = load_cached_kallsyms(s)))
		sf_symbols_note(s, "kernel functions of the recording are not named: %s", why);
	s->kernel_state = named ? SF_KERNEL_NAMED : SF_KERNEL_NAMELESS;
	return named;
}
