/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A recording in the formats of other programs. Each exporter writes to a FILE that the caller
 * opened and flushes; memory is bounded by one window or one thread, beside the recording itself and
 * the names in it (pprof: and its distinct samples, as it stores sums).
 *
 *	struct sf_export x = { .rec = rec, .window = list, .nr = n };
 *	struct sf_outfile out;
 *
 *	if (sf_outfile_open(&out, "run.pb.gz", &err) ||
 *	    sf_export(SF_EXPORT_PPROF, &x, out.file, &err) || sf_outfile_commit(&out, &err))
 *		…
 *	sf_outfile_release(&out);
 *
 * Names are data: bytes that are no UTF-8 become \xNN, and every format's own quoting is applied.
 */
#ifndef SNAPFLAME_EXPORT_H
#define SNAPFLAME_EXPORT_H

#include <stdio.h>

#include <snapflame/diff.h>

enum sf_export_format {
	SF_EXPORT_PPROF,     /* profile.proto, gzip'd: samples, oncpu, wall, critical */
	SF_EXPORT_SPEEDSCOPE,
	SF_EXPORT_FIREFOX,   /* processed profile format */
	SF_EXPORT_PERFETTO,  /* JSON of Chrome's trace viewer */
	SF_EXPORT_ROWS,      /* the critical path: one row for each owner, state and stack */
	SF_EXPORT_WINDOWS,   /* one row for each window, with its covariates */
	SF_EXPORT_CAUSES,    /* one row for each cause of a diff and each window that it compared */
};

struct sf_export_window {
	const struct sf_window *window;
	const char *group; /* "fast", "slow"; NULL: neither */
};

struct sf_export {
	const struct sf_recording *rec;
	const struct sf_export_window *window; /* in order of time */
	size_t nr;
	const struct sf_diff *diff; /* causes: of windows of rec; NULL: there are none */
	bool mean;      /* pprof: values of a window, not the sums of all */
	bool tsv;       /* rows, windows, causes: tab-separated, not JSON Lines */
	bool no_header; /* tsv: there is one already */
};

/* Version of the rows' columns; changes when one is removed or changes its meaning. */
#define SF_ROWS_SCHEMA    "snapflame.rows/1"
#define SF_WINDOWS_SCHEMA "snapflame.windows/1"
#define SF_CAUSES_SCHEMA  "snapflame.causes/1"

/*
 * 0, -ENOMEM, -EIO where file fails, or -EINVAL where the recording cannot tell (no context
 * switches), said in err.
 */
int sf_export(enum sf_export_format format, const struct sf_export *x, FILE *file,
	      struct sf_error *err);

/*
 * A stream that compresses what is written to its file and passes it on to another:
 *
 *	sf_packed_open(&p, out.file, SF_PACKING_ZSTD, &err);
 *	sf_export(SF_EXPORT_ROWS, &x, p.file, &err);
 *	ret = sf_packed_close(&p);
 *
 * Memory does not grow with what is written.
 */
enum sf_packing { SF_PACKING_NONE, SF_PACKING_GZIP, SF_PACKING_ZSTD };

struct sf_packed {
	FILE *file; /* SF_PACKING_NONE: the other one itself */
	enum sf_packing packing;
	void *packer; /* private */
};

/* 0, -ENOMEM, or -ENOTSUP where the library was left out of the build. */
int sf_packed_open(struct sf_packed *p, FILE *under, enum sf_packing packing, struct sf_error *err);
/* Writes what is left; the other file stays open. 0, or -EIO where it could not be written. */
int sf_packed_close(struct sf_packed *p);

/*
 * A file that appears whole or not at all: written beside its name and renamed. What is there and no
 * regular file (a pipe, /dev/null) is written to as it is.
 */
struct sf_outfile {
	FILE *file;
	char *path, *temp; /* temp NULL: written in place */
};

int sf_outfile_open(struct sf_outfile *o, const char *path, struct sf_error *err);
int sf_outfile_commit(struct sf_outfile *o, struct sf_error *err);
/* Remove what was not committed. */
void sf_outfile_release(struct sf_outfile *o);

#endif
