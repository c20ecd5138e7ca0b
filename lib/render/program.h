/* SPDX-License-Identifier: GPL-2.0-only */
/* Running gnuplot and flamegraph.pl: without a shell, with a time-out; private to render/. */
#ifndef SF_RENDER_PROGRAM_H
#define SF_RENDER_PROGRAM_H

#include <snapflame/str.h>

/*
 * Run argv[0], looked up in PATH where it has no slash, in the directory dirfd, and wait for its end.
 * What it prints goes to out_fd, and on standard error (and on standard output where out_fd is -1)
 * to said, which takes the first 4 kB. Environment: PATH, HOME, TMPDIR and LC_ALL=C.UTF-8 only;
 * no other descriptors; at most 2 GB of memory and files of 512 MB.
 *
 * Returns its exit status (128 + N: ended by signal N), or -ENOENT: there is no such program,
 * -ETIMEDOUT: it took longer than timeout_ms and was killed with what it had started, or another
 * negative errno.
 */
int sf_program_run(const char *const *argv, int dirfd, int out_fd, unsigned timeout_ms,
		   struct sf_str *said);

#endif
