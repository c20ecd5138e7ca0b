/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * User call chains from registers and a piece of the stack (PERF_SAMPLE_REGS_USER and STACK_USER),
 * by the call frame information of the binaries: .eh_frame, .debug_frame. For programs without
 *frame pointers, and for system libraries, whose system call wrappers hide their caller from frame
 * pointers.
 *
 *	sf_unwind_new(&u, symbols, NULL, &err);
 *	n = sf_unwind_sample(u, rec->pid, &rec->u.sample, ips, 127);
 *
 * What is mapped where is taken from a struct sf_symbols, which has to be fed the records before
 *the sample (or, while recording, sf_symbols_feed_proc()). Rules are looked up once for each
 *address (some 10 µs); from then on a frame takes 25 to 45 ns. x86-64 and aarch64.
 */
#ifndef SNAPFLAME_UNWIND_H
#define SNAPFLAME_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <snapflame/error.h>
#include <snapflame/reader.h>
#include <snapflame/symbol.h>

struct sf_unwind;

struct sf_unwind_opts {
	const char *arch;    /* of the recording: "x86_64", "aarch64"; NULL: that of this program */
	bool frame_pointers; /* in code of no file (JIT), or of a file without any rules, follow the
				frame pointer; off: the chain ends there, as in perf */
	bool mark_cut; /* end a chain that the piece of stack is too short for with UINT64_MAX:
			  perf script shows it as one more [unknown] caller. Not an address
			  that a stored callchain may hold */
};

struct sf_unwind_stats {
	uint64_t samples, frames; /* frames: without the leaf */
	uint64_t rules;		  /* addresses whose rules had to be looked up */
	uint64_t cut;		  /* chains that end because the piece of stack does */
	uint64_t no_rules;	  /* chains that end where there are no rules, or no mapping */
};

/*
 * s is borrowed and must outlive u. -ENOSYS where the program was built without libdw, -ENOTSUP for
 * another architecture.
 */
int sf_unwind_new(struct sf_unwind **u, struct sf_symbols *s, const struct sf_unwind_opts *opts,
		  struct sf_error *err);
void sf_unwind_free(struct sf_unwind *u);

/*
 * The user part of a sample's chain into ips, leaf first, max entries at most; returns how many: 0
 * without user registers. Callers are given by their call (return address - 1), as perf shows them;
 * so pass caller = false to sf_symbols_locate(), or do not care: one more step back stays within
 * the call. Of sample only the user_ fields are used.
 */
size_t sf_unwind_sample(struct sf_unwind *u, uint32_t pid, const struct sf_sample *sample,
			uint64_t *ips, size_t max);

/*
 * The whole chain of a sample that has a piece of stack, as if it had been recorded by frame
 * pointers: the kernel's part as it is, PERF_CONTEXT_USER, and the user's part. 0 where the sample
 * has no piece of stack: then its own chain is all there is.
 */
size_t sf_unwind_chain(struct sf_unwind *u, uint32_t pid, const struct sf_sample *sample,
		       uint64_t *ips, size_t max);

const struct sf_unwind_stats *sf_unwind_stats(const struct sf_unwind *u);

#endif
