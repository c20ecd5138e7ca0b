/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames as numbers: equal functions of a recording have equal ids; private to render/. */
#ifndef SF_RENDER_EXPORT_FRAMES_H
#define SF_RENDER_EXPORT_FRAMES_H

#include <snapflame/pieces.h>

/* A function. Text is what the recording says, not yet made safe for any format. */
struct sf_export_frame {
	uint32_t name, dso; /* string ids; dso 0: none */
	uint8_t flags;      /* enum sf_frame_flags */
};

struct sf_export_frames {
	const struct sf_recording *rec;
	struct sf_strtab str;
	struct sf_export_frame *frame;
	size_t nr, alloc;
	/* private */
	struct sf_map64 at;  /* name << 32 | dso -> id + 1 */
	uint32_t *first;     /* by location: index + 1 into list */
	size_t nr_first;
	uint32_t *list;      /* groups of ids, outermost first, each ends with UINT32_MAX */
	size_t nr_list, list_alloc;
	uint32_t *stack;     /* what sf_export_stack() returned last */
	size_t stack_alloc;
};

int sf_export_frames_init(struct sf_export_frames *f, const struct sf_recording *rec);
void sf_export_frames_release(struct sf_export_frames *f);

/*
 * The ids of a piece's frames, outermost caller first, with sf_piece_last() at the end; *ids is valid
 * until the next call.
 */
int sf_export_stack(struct sf_export_frames *f, const struct sf_piece *s, const uint32_t **ids,
		    size_t *nr);
const char *sf_export_frame_name(const struct sf_export_frames *f, uint32_t id);
const char *sf_export_frame_dso(const struct sf_export_frames *f, uint32_t id);

#endif
