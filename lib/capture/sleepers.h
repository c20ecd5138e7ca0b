/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Processes and kernel threads that sleep uninterruptibly: they wait for I/O or for each other, and the
 * target may come to wait for them. Who fell asleep before recording began has no switch that tells
 * where.
 */
#ifndef SF_CAPTURE_SLEEPERS_H
#define SF_CAPTURE_SLEEPERS_H

#include <stddef.h>
#include <sys/types.h>

/* The text of /proc/PID/stack, len bytes. */
typedef void (*sf_sleeper_fn)(void *arg, pid_t pid, const char *stack, size_t len);

/* Call fn for each but the process target (first threads only; as root). */
void sf_sleepers(pid_t target, sf_sleeper_fn fn, void *arg);

#endif
