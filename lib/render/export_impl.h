/* SPDX-License-Identifier: GPL-2.0-only */
/* The exporters, and what they share; private to render/. */
#ifndef SF_RENDER_EXPORT_IMPL_H
#define SF_RENDER_EXPORT_IMPL_H

#include <snapflame/export.h>
#include <snapflame/pieces.h>

#include "render/export_frames.h"

struct sf_exporter {
	const struct sf_export *x;
	const struct sf_recording *rec;
	FILE *file;
	struct sf_pieces_source src;
	struct sf_export_frames frames;
	struct sf_pieces pieces; /* of the thread or path at hand */
};

/* Each writes a whole file. 0 or -ENOMEM; that file failed is seen by the caller. */
int sf_export_pprof(struct sf_exporter *e);
int sf_export_speedscope(struct sf_exporter *e);
int sf_export_firefox(struct sf_exporter *e);
int sf_export_perfetto(struct sf_exporter *e);
int sf_export_rows(struct sf_exporter *e);
int sf_export_windows(struct sf_exporter *e);
int sf_export_causes(struct sf_exporter *e);

/* "BRANCH 3 (slow)" in buf. */
const char *sf_export_window_name(const struct sf_exporter *e, const struct sf_export_window *w,
				  char *buf, size_t size);
/* Wall clock of an instant of the recording, ns since 1970; 0 unknown. */
uint64_t sf_export_realtime(const struct sf_recording *rec, uint64_t ns);
/* Was the thread there at all in the pieces at hand? */
bool sf_export_was_there(const struct sf_exporter *e);
/* "firecracker (main)", for a piece of the critical path. */
const char *sf_export_owner(const struct sf_exporter *e, const struct sf_piece *s);

#endif
