/* SPDX-License-Identifier: GPL-2.0-only */
/* Which files the symbols of a module come from, and whether they may. */
#include "symbol/symbols.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "symbol/elffile.h"
#include "symbol/files.h"
#include "symbol/jit.h"

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

static bool load_kallsyms(struct sf_symbols *s, const char *path)
{
	int ret = sf_kernel_load(&s->kernel, path);

	if (ret == -EPERM)
		sf_symbols_note(s, "%s hides kernel addresses: run as root, or set kernel.kptr_restrict=0",
				path);
	else if (ret)
		sf_symbols_note(s, "%s: %s", path, strerror(-ret));
	return !ret;
}

/* perf keeps a copy of kallsyms for each kernel that it recorded. */
static bool load_cached_kallsyms(struct sf_symbols *s)
{
	char hex[2 * SF_BUILD_ID_MAX + 1], path[4096];

	if (!s->kernel_id.size || !sf_files_cache_dir(&s->opts, path, sizeof(path) - 128))
		return false;
	sf_build_id_hex(&s->kernel_id, hex);
	snprintf(path + strlen(path), 128, "/[kernel.kallsyms]/%s/kallsyms", hex);
	return !access(path, R_OK) && load_kallsyms(s, path);
}

bool sf_sources_kernel(struct sf_symbols *s)
{
	const char *why = "";
	bool named;

	if (s->kernel_state != SF_KERNEL_UNTRIED)
		return s->kernel_state == SF_KERNEL_NAMED;
	if (s->opts.kallsyms)
		named = load_kallsyms(s, s->opts.kallsyms);
	else if (sf_sources_same_kernel(s, &why))
		named = load_kallsyms(s, "/proc/kallsyms");
	else if (!(named = load_cached_kallsyms(s)))
		sf_symbols_note(s, "kernel functions of the recording are not named: %s", why);
	s->kernel_state = named ? SF_KERNEL_NAMED : SF_KERNEL_NAMELESS;
	return named;
}

static int load_file(struct sf_symbols *s, struct sf_mod *mod)
{
	struct sf_files f;
	int ret;

	ret = sf_files_open(s, mod, &f);
	if (!ret && !mod->build_id.size)
		mod->file_id = *sf_elf_build_id(f.run);
	if (!ret)
		ret = sf_elf_symbols(f.syms, f.run,
				     mod->kind == SF_MODULE_KMOD ? SF_ELF_MODULE_TEXT : SF_ELF_OFFSETS,
				     &mod->syms);
	if (!ret && !mod->syms.nr)
		ret = -ENODATA;
	sf_files_release(&f);
	return ret;
}

static const char *reason(int ret)
{
	switch (ret) {
	case -ESTALE:
		return "the file there now has another build-id";
	case -ENODATA:
		return "it has no symbols";
	case -ENOSYS:
		return "built without libelf";
	}
	return strerror(-ret);
}

void sf_sources_load(struct sf_symbols *s, struct sf_mod *mod)
{
	int ret = 0;

	if (mod->tried)
		return;
	mod->tried = true;
	if (s->opts.no_local)
		return;
	mod->syms.demangle = !mod->pub.kernel;
	switch (mod->kind) {
	case SF_MODULE_FILE:
	case SF_MODULE_VDSO:
		ret = load_file(s, mod);
		break;
	case SF_MODULE_KMOD:
		if (!mod->guest)
			ret = load_file(s, mod);
		break;
	case SF_MODULE_JIT:
		ret = sf_jit_load_map(s, mod);
		break;
	default:
		break;
	}
	if (ret)
		sf_symbols_note(s, "%s: %s", mod->pub.path, reason(ret));
}
