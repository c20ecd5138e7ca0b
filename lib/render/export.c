/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "render/export_impl.h"

const char *sf_export_window_name(const struct sf_exporter *e, const struct sf_export_window *w,
				  char *buf, size_t size)
{
	if (w->window->whole)
		snprintf(buf, size, "whole recording");
	else if (w->group)
		snprintf(buf, size, "BRANCH %u (%s)", w->window->branch, w->group);
	else
		snprintf(buf, size, "BRANCH %u", w->window->branch);
	return buf;
}

uint64_t sf_export_realtime(const struct sf_recording *rec, uint64_t ns)
{
	return rec->meta.realtime_ns ? rec->meta.realtime_ns + (ns - rec->meta.at) : 0;
}

bool sf_export_was_there(const struct sf_exporter *e)
{
	for (size_t i = 0; i < e->pieces.nr; i++)
		if (e->pieces.item[i].state != SF_STATE_ABSENT)
			return true;
	return false;
}

const char *sf_export_owner(const struct sf_exporter *e, const struct sf_piece *s)
{
	return sf_strtab_text(&e->src.profile.str, e->src.profile.owner[s->owner].label);
}

static int write_all(enum sf_export_format format, struct sf_exporter *e)
{
	switch (format) {
	case SF_EXPORT_PPROF:
		return sf_export_pprof(e);
	case SF_EXPORT_SPEEDSCOPE:
		return sf_export_speedscope(e);
	case SF_EXPORT_FIREFOX:
		return sf_export_firefox(e);
	case SF_EXPORT_PERFETTO:
		return sf_export_perfetto(e);
	case SF_EXPORT_ROWS:
		return sf_export_rows(e);
	case SF_EXPORT_WINDOWS:
		return sf_export_windows(e);
	case SF_EXPORT_CAUSES:
		return sf_export_causes(e);
	}
	return -EINVAL;
}

int sf_export(enum sf_export_format format, const struct sf_export *x, FILE *file,
	      struct sf_error *err)
{
	struct sf_exporter e = { .x = x, .rec = x->rec, .file = file };
	int ret;

	if (!x->rec->has_switches && format != SF_EXPORT_WINDOWS)
		return sf_error_at(err, -EINVAL, x->rec->path, 0,
				   "no context switches here, so that nothing is known of waiting "
				   "(snapflame record, or perf record --switch-events)");
	ret = sf_pieces_source_init(&e.src, x->rec);
	if (!ret)
		ret = sf_export_frames_init(&e.frames, x->rec);
	if (!ret)
		ret = write_all(format, &e);
	sf_pieces_release(&e.pieces);
	sf_export_frames_release(&e.frames);
	sf_pieces_source_release(&e.src);
	if (ret)
		return sf_error_at(err, ret, x->rec->path, 0, "out of memory");
	return ferror(file) ? sf_error_set(err, -EIO, "cannot be written") : 0;
}
