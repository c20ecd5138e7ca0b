/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What every part of branchsim needs: time, sleeping, files, and an end with a message.
 * A sample may exit on failure; nothing here is meant for the library.
 */
#ifndef BRANCHSIM_UTIL_H
#define BRANCHSIM_UTIL_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MS_TO_NS(ms)  ((int64_t)((ms) * 1e6))

/*
 * A function that must show up under its own name in a stack: never inlined, cloned or renamed
 * (.isra, .constprop). The build also switches sibling calls off.
 */
#if defined(__has_attribute)
#if __has_attribute(noipa)
#define FRAME __attribute__((noipa))
#endif
#endif
#ifndef FRAME
#define FRAME __attribute__((noinline))
#endif

/*
 * In a FRAME function that calls nothing: gcc gives it no frame otherwise, frame pointers or not,
 * and its caller would be missing from the stack. Not in the build without frame pointers.
 */
#ifdef BRANCHSIM_FRAME_POINTERS
#define KEEP_FRAME() __asm__ volatile("" : : "r"(__builtin_frame_address(0)))
#else
#define KEEP_FRAME() ((void)0)
#endif

#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))

uint64_t now_ns(void); /* CLOCK_MONOTONIC */
uint64_t thread_cpu_ns(void);

/* Sleep for that long whatever signals arrive (0 or less: not at all). */
void sleep_ns(int64_t ns);

/* Name the calling thread, or one that was just started: the name is there when it returns. Names
   over 15 bytes are cut. */
void name_thread(const char *name);
void set_thread_name(pthread_t thread, const char *name);

/* Message on stderr; die() then exits with 1 after the registered clean-up (atexit) ran. */
void warn(const char *fmt, ...) PRINTF_LIKE(1, 2);
void die(const char *fmt, ...) PRINTF_LIKE(1, 2) __attribute__((noreturn));

void *xcalloc(size_t n, size_t size);
char *xasprintf(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Zeroed memory that helpers started later share with us. */
void *shared_alloc(size_t size);

/* Write it all; 0, or -1 with errno. */
int write_full(int fd, const void *buf, size_t len);

/* One short line into a file such as a cgroup's; 0 or -errno. */
int write_text(const char *path, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* First bytes of a small file as a string without trailing newlines; 0 or -errno. */
int read_text(const char *path, char *buf, size_t size);

#endif
