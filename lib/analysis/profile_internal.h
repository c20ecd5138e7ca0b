/* SPDX-License-Identifier: GPL-2.0-only */
/* Parts of the profile that only analysis/ shares. */
#ifndef SNAPFLAME_ANALYSIS_PROFILE_INTERNAL_H
#define SNAPFLAME_ANALYSIS_PROFILE_INTERNAL_H

#include <snapflame/profile.h>
#include <snapflame/str.h>

/* In a namer's flags, beside SF_FRAME_*: a part of a function, that the function may have called. */
enum { SF_NAMER_PIECE = 0x80 };

/* Names of a location, outermost first, ended by 0; NULL without memory. Valid until the next call. */
const uint32_t *sf_namer_names(struct sf_namer *n, uint32_t loc, const uint8_t **flags);
/* "leaf < caller < …" as a string id; 0 for no stack. */
uint32_t sf_namer_stack_text(struct sf_namer *n, uint32_t stack);

/* Owner index of a thread (dev 0) or a device; 0 without memory. */
uint32_t sf_profile_owner(struct sf_profile *p, const struct sf_recording *rec, uint32_t thread,
			  uint32_t dev);
/* Add ms of the column that is being made to the link that is like key in all but its figures. */
int sf_profile_link(struct sf_profile *p, const struct sf_link *key, double ms);
/* The owner is this thread in the window at hand. */
void sf_profile_seen(struct sf_profile *p, uint32_t owner, const struct sf_thread *t);

#endif
