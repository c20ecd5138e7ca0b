/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A diff as differential folded stacks, for flamegraph.pl and whatever else reads them: a line for
 * each path of the critical path,
 *
 *	firecracker_(main);io-throttle;create_snapshot;…;wbt_wait_[k] 3100 1074300
 *
 * with the µs of the fast and of the slow median window. Owner, kind, frames from the outermost
 * caller on. Each line is there once; names hold nothing that a reader of folded text could take for
 * something else: kernel frames end in _[k], inlined ones in _[i], JIT code in _[j].
 */
#ifndef SNAPFLAME_RENDER_FOLDED_H
#define SNAPFLAME_RENDER_FOLDED_H

#include <snapflame/diff.h>
#include <snapflame/str.h>

/* Append the lines, sorted. 0 or -ENOMEM. */
int sf_folded_diff(struct sf_str *out, const struct sf_diff *d);

/* Append a frame's name: no ';', no control characters, valid UTF-8, no space at either end and none
 * before a number at the end. */
void sf_folded_name(struct sf_str *out, const char *name);

#endif
