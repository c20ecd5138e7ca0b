/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * From addresses to names, in two steps, so that reading a large recording never waits for symbols:
 *
 * 1. While reading, in order of time: sf_symbols_feed() with every record keeps the address spaces
 *    up to date, and sf_symbols_locate() turns (pid, ip) into a location id: a module and an
 *    address in it. Equal places have equal ids, whatever process they were seen in. Cheap.
 * 2. Afterwards: sf_symbols_frames() names a location: one frame, or several where calls were
 *    inlined. Looked up once for each location.
 *
 * Where names come from, in this order: the recording itself (snapflame:mark objects that record
 * stored), perf-PID.map and jitdump for JIT code, separate debug files, the ELF file whose build-id
 * matches the recording's, /proc/kallsyms or a saved copy for the kernel. A frame is never named
 * from a file whose build-id differs.
 */
#ifndef SNAPFLAME_SYMBOL_H
#define SNAPFLAME_SYMBOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <snapflame/error.h>
#include <snapflame/progress.h>
#include <snapflame/reader.h>

struct sf_symbols_opts {
	const char *symfs;     /* look for binaries under this directory only; NULL: / */
	const char *kallsyms;  /* file to read instead of /proc/kallsyms; NULL: /proc/kallsyms,
				  used only when it is of the recording's kernel */
	const char *buildid_dir; /* perf's cache; NULL: ~/.debug */
	bool inlines;          /* expand inlined calls from DWARF */
	bool lines;            /* fill in file and line */
	bool debuginfod;       /* ask debuginfod servers (off: never any network) */
	bool no_local;         /* only what the recording holds */
	bool call_sites;       /* name a return address by the call before it; off: as perf does.
				  inlines and lines imply it */
	struct sf_progress progress; /* locations named, of those there are */
};

enum sf_frame_flags {
	SF_FRAME_KERNEL = 1,   /* in the kernel or a module of it */
	SF_FRAME_INLINED = 2,
	SF_FRAME_JIT = 4,      /* from perf-PID.map, jitdump, or anonymous memory */
	SF_FRAME_UNKNOWN = 8,  /* name is "", or "[dso]" is all there is */
	SF_FRAME_GUEST = 16,
};

struct sf_frame {
	const char *name;      /* demangled, without +0x offset; "" unknown */
	const char *dso;       /* path of the module, "[kernel.kallsyms]", "" unknown */
	const char *dso_short; /* its last component */
	uint64_t addr;         /* as recorded (one of the addresses with this location) */
	unsigned flags;        /* enum sf_frame_flags */
	const char *file;      /* source file, NULL unless asked for and known */
	unsigned line;
};

enum { SF_LOC_NONE = 0 };

struct sf_symbols;

int sf_symbols_new(struct sf_symbols **s, const struct sf_symbols_opts *opts, struct sf_error *err);
void sf_symbols_free(struct sf_symbols *s);

/* Tell of a record; what it does not need (samples) is ignored. 0 or -ENOMEM. */
int sf_symbols_feed(struct sf_symbols *s, const struct sf_record *rec);
/*
 * Tell of what the live process pid has mapped now, from /proc/PID/maps: for a recorder that unwinds
 * or names while it records. 0, -ENOENT when there is no such process (any more), or -errno.
 */
int sf_symbols_feed_proc(struct sf_symbols *s, uint32_t pid);
/* kernel release ("6.18.4") and host of the recording, once known: decides whether local kernel
 * symbols may be used. */
void sf_symbols_set_origin(struct sf_symbols *s, const char *release, const char *hostname,
			   const char *arch);

/*
 * The location of ip as pid sees it now. mode is PERF_RECORD_MISC_KERNEL, _USER, _GUEST_KERNEL or
 * _GUEST_USER. Never SF_LOC_NONE but without memory: an address that no mapping covers has a
 * location too, without module. Return addresses: pass ip as it is in the chain; caller is true for
 * every entry but the leaf. perf names what ip points at, also for callers, and so does this unless
 * opts.call_sites is set: then a call that is the last instruction of a function (of one that does
 * not return) is named after that function, and not after the one behind it. Chains that were
 * unwound from stack dumps (unwind.h, perf --call-graph dwarf) hold call sites already.
 */
uint32_t sf_symbols_locate(struct sf_symbols *s, uint32_t pid, uint64_t ip, unsigned mode,
			   bool caller);

/*
 * The frames of a location, innermost first; at least one. They live as long as s.
 * Calling it before all records were fed is fine but may miss names that come later.
 */
size_t sf_symbols_frames(struct sf_symbols *s, uint32_t loc, const struct sf_frame **frames);
/* Did some frames get no name for want of memory? */
bool sf_symbols_no_memory(const struct sf_symbols *s);

/*
 * Both steps at once, without a location: what is at ip as pid sees it now. For readers that name
 * while they read, so that what they keep grows with the functions and not with the addresses; names
 * that come later in the recording are missed, and inlined calls are not expanded. Texts live as
 * long as s; the same function has the same text at the same place in memory. [start, end) are
 * addresses around ip at which there is surely the same, as long as pid's mappings do not change.
 */
void sf_symbols_frame_now(struct sf_symbols *s, uint32_t pid, uint64_t ip, unsigned mode,
			  bool caller, struct sf_frame *frame, uint64_t *start, uint64_t *end);
bool sf_symbols_has_inlines(const struct sf_symbols *s); /* opts.inlines */

/*
 * Module and address in it, for exports: the offset in the file (the program headers' p_offset side)
 * for what is mapped from one, the distance from where it was loaded for kernel modules, else the
 * address itself (the kernel image, JIT code).
 */
struct sf_module {
	const char *path;
	const char *short_name;
	const uint8_t *build_id;
	uint8_t build_id_size;
	bool kernel;
};

const struct sf_module *sf_symbols_module(struct sf_symbols *s, uint32_t loc, uint64_t *addr);
size_t sf_symbols_nr_locations(const struct sf_symbols *s);

/*
 * For the recorder: the names of all located addresses as JSON objects for snapflame:mark samples
 * ({"type":"symbols",…}, each under 60 kB). emit is called for each; a non-zero result ends it and
 * is returned. sf_symbols_import() takes one of them back in; other objects are ignored.
 */
int sf_symbols_export(struct sf_symbols *s, int (*emit)(void *arg, const char *json, size_t len),
		      void *arg);
int sf_symbols_import(struct sf_symbols *s, const char *json, size_t len);

/* What could not be named and why, one line each; NULL past the last. */
const char *sf_symbols_problem(const struct sf_symbols *s, size_t index);

/* Demangled name, malloc'd, or NULL where name is not mangled: Itanium C++, Rust legacy and v0. */
char *sf_demangle(const char *name);

#endif
