/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * faults.so, for LD_PRELOAD: the call number $FAULT_AT (from 1) of the kind $FAULT fails, those before
 * and after it work. Kinds: malloc (also calloc, realloc, strdup), read, write (also fsync, rename),
 * open. Where that happens the file $FAULT_SEEN is made, so that whoever counts up knows the end.
 *
 * With $FAULT_TRACE in the environment, the callers are printed.
 *
 * Only calls of the program and its libraries are counted, from main() on: what libc does inside of
 * itself does not come here. libtraceevent uses what strdup() gives it without a look: where the turn is
 * its, the next call fails that is not its. The name of the library whose call failed is in $FAULT_SEEN.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t nr, size_t size);
void *__libc_realloc(void *p, size_t size);

enum { MOST_FRAMES = 16 };

static bool armed;
static char kind; /* first letter */
static long at;
static const char *seen;
static atomic_long calls;
static atomic_bool failed; /* once is enough */

static bool spared(void *caller)
{
	Dl_info in;

	return dladdr(caller, &in) && in.dli_fname && strstr(in.dli_fname, "libtraceevent");
}

static void say_seen(void *caller)
{
	long fd = syscall(SYS_openat, AT_FDCWD, seen, O_WRONLY | O_CREAT, 0600);
	Dl_info in;

	if (dladdr(caller, &in) && in.dli_fname)
		syscall(SYS_write, fd, in.dli_fname, strlen(in.dli_fname));
	syscall(SYS_close, fd);
}

static bool fails(char k, void *caller)
{
	if (!armed || k != kind || atomic_fetch_add(&calls, 1) + 1 < at || spared(caller))
		return false;
	if (atomic_exchange(&failed, true))
		return false;
	if (getenv("FAULT_TRACE")) {
		void *frame[MOST_FRAMES];

		armed = false;
		backtrace_symbols_fd(frame, backtrace(frame, MOST_FRAMES), STDERR_FILENO);
	}
	say_seen(caller);
	return true;
}

static bool fails_with(char k, int code, void *caller)
{
	if (!fails(k, caller))
		return false;
	errno = code;
	return true;
}

typedef int main_fn(int argc, char **argv, char **env);
static main_fn *program;

static int armed_main(int argc, char **argv, char **env)
{
	const char *k = getenv("FAULT"), *n = getenv("FAULT_AT");
	int ret;

	seen = getenv("FAULT_SEEN");
	kind = k ? *k : '\0';
	at = n ? atol(n) : 0;
	armed = at > 0 && seen;
	ret = program(argc, argv, env);
	armed = false; /* what writes down coverage does not expect it */
	return ret;
}

int __libc_start_main(main_fn *run, int argc, char **argv, void (*init)(void), void (*fini)(void),
		      void (*rtld_fini)(void), void *stack_end);

int __libc_start_main(main_fn *run, int argc, char **argv, void (*init)(void), void (*fini)(void),
		      void (*rtld_fini)(void), void *stack_end)
{
	__typeof__(&__libc_start_main) next = dlsym(RTLD_NEXT, "__libc_start_main");

	program = run;
	return next(armed_main, argc, argv, init, fini, rtld_fini, stack_end);
}

#define CALLER __builtin_return_address(0)

/* --------------------------------------------------------------------------- memory */

void *malloc(size_t size)
{
	return fails_with('m', ENOMEM, CALLER) ? NULL : __libc_malloc(size);
}

void *calloc(size_t nr, size_t size)
{
	return fails_with('m', ENOMEM, CALLER) ? NULL : __libc_calloc(nr, size);
}

void *realloc(void *p, size_t size)
{
	return fails_with('m', ENOMEM, CALLER) ? NULL : __libc_realloc(p, size);
}

char *strdup(const char *text)
{
	size_t len = strlen(text) + 1;
	char *copy = fails_with('m', ENOMEM, CALLER) ? NULL : __libc_malloc(len);

	return copy ? memcpy(copy, text, len) : NULL;
}

/* ---------------------------------------------------------------------------- files */

ssize_t read(int fd, void *buf, size_t size)
{
	return fails_with('r', EIO, CALLER) ? -1 : syscall(SYS_read, fd, buf, size);
}

ssize_t pread(int fd, void *buf, size_t size, off_t at_byte)
{
	return fails_with('r', EIO, CALLER) ? -1 : syscall(SYS_pread64, fd, buf, size, at_byte);
}

ssize_t pread64(int fd, void *buf, size_t size, off64_t at_byte)
{
	return pread(fd, buf, size, at_byte);
}

ssize_t write(int fd, const void *buf, size_t size)
{
	return fails_with('w', ENOSPC, CALLER) ? -1 : syscall(SYS_write, fd, buf, size);
}

ssize_t pwrite(int fd, const void *buf, size_t size, off_t at_byte)
{
	return fails_with('w', ENOSPC, CALLER) ? -1 : syscall(SYS_pwrite64, fd, buf, size, at_byte);
}

ssize_t writev(int fd, const struct iovec *iov, int nr)
{
	return fails_with('w', ENOSPC, CALLER) ? -1 : syscall(SYS_writev, fd, iov, nr);
}

int fsync(int fd)
{
	return fails_with('w', EIO, CALLER) ? -1 : (int)syscall(SYS_fsync, fd);
}

int rename(const char *from, const char *to)
{
	return fails_with('w', EACCES, CALLER) ? -1
				       : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int renameat(int dir, const char *from, int to_dir, const char *to)
{
	return fails_with('w', EACCES, CALLER) ? -1 : (int)syscall(SYS_renameat2, dir, from, to_dir, to, 0);
}

static int open_at(int dir, const char *path, int flags, mode_t mode)
{
	return fails_with('o', EMFILE, CALLER) ? -1 : (int)syscall(SYS_openat, dir, path, flags, mode);
}

#define MODE_OF(flags, mode)                                                                       \
	do {                                                                                       \
		va_list ap;                                                                        \
		va_start(ap, flags);                                                               \
		mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, mode_t) : 0;                     \
		va_end(ap);                                                                        \
	} while (0)

int open(const char *path, int flags, ...)
{
	mode_t mode;

	MODE_OF(flags, mode);
	return open_at(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	mode_t mode;

	MODE_OF(flags, mode);
	return open_at(AT_FDCWD, path, flags, mode);
}

int openat(int dir, const char *path, int flags, ...)
{
	mode_t mode;

	MODE_OF(flags, mode);
	return open_at(dir, path, flags, mode);
}

FILE *fopen(const char *path, const char *mode)
{
	__typeof__(&fopen) next = dlsym(RTLD_NEXT, "fopen");

	return fails_with('o', EMFILE, CALLER) ? NULL : next(path, mode);
}
