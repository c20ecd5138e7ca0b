/* SPDX-License-Identifier: GPL-2.0-only */
/* What the frames of a cause say to a person: which function of the program it was about. */
#include <string.h>

#include "analysis/diff_internal.h"

/* First frame from the leaf on that is (not) in the kernel; NULL where there is none. */
const char *sf_cause_frame(const struct sf_diff *d, uint32_t path, bool kernel, size_t skip)
{
	const struct sf_profile *p = &d->profile;

	for (uint32_t i = path; p->path[i].level >= SF_PATH_FRAME; i = p->path[i].parent) {
		const struct sf_path *f = &p->path[i];

		if (f->level == SF_PATH_MARKER || !(f->flags & SF_FRAME_KERNEL) == kernel)
			continue;
		if (!skip--)
			return sf_diff_text(d, f->label);
	}
	return NULL;
}

/* name, or name@VERSION of a dynamic symbol */
static bool base_is(const char *name, const char *base)
{
	size_t n = strlen(base);

	return !strncmp(name, base, n) && (!name[n] || name[n] == '@');
}

/* Functions of the C library say nothing about what the program was doing. */
static bool is_wrapper(const char *name)
{
	static const char *const prefix[] = { "__", "[", "_start", "start_thread", "clone", "libc_" };

	for (size_t i = 0; i < SF_ARRAY_SIZE(prefix); i++)
		if (!strncmp(name, prefix[i], strlen(prefix[i])))
			return true;
	return false;
}

/* The system call that the frames are in, by the kernel's function for it; NULL: none. */
static const char *system_call(const struct sf_diff *d, uint32_t path)
{
	static const char *const prefix[] = { "__x64_sys_", "__arm64_sys_", "__do_sys_", "ksys_" };
	const char *name;

	for (size_t skip = 0; (name = sf_cause_frame(d, path, true, skip)); skip++)
		for (size_t i = 0; i < SF_ARRAY_SIZE(prefix); i++)
			if (!strncmp(name, prefix[i], strlen(prefix[i])))
				return name + strlen(prefix[i]);
	return NULL;
}

const char *sf_cause_function(const struct sf_diff *d, uint32_t path)
{
	static const char *const calls[] = {
		"write", "pwrite", "pwrite64", "read", "pread", "pread64", "fsync", "fdatasync", "open",
		"open64", "openat", "ioctl", "ftruncate", "ftruncate64", "nanosleep", "clock_nanosleep",
		"usleep", "sleep", "poll", "ppoll", "recv", "recvmsg", "send", "sendmsg", "futex",
		"syscall", "munmap", "mmap", "close", "fallocate", "posix_fallocate", "flock", "fcntl",
		"epoll_wait", "select", "memcpy", "memset", "writev", "pwritev", "readv", "preadv",
		"truncate", "sync_file_range", "msync", "rename", "unlink",
	};
	const char *name, *entered = system_call(d, path);

	for (size_t skip = 0; (name = sf_cause_frame(d, path, false, skip)); skip++) {
		bool call = is_wrapper(name) || (entered && !skip && base_is(name, entered));

		for (size_t i = 0; !call && i < SF_ARRAY_SIZE(calls); i++)
			call = base_is(name, calls[i]);
		if (!call)
			return name;
	}
	return NULL;
}
