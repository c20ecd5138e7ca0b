/* SPDX-License-Identifier: GPL-2.0-only */
/* Findings of an examination (doctor.h) as text, and as a JSON array of {level, topic, text, fix}. */
#ifndef SNAPFLAME_RENDER_DOCTOR_H
#define SNAPFLAME_RENDER_DOCTOR_H

#include <snapflame/doctor.h>
#include <snapflame/render_text.h>

void sf_text_doctor(struct sf_str *out, const struct sf_doctor *d, const struct sf_text_opts *opts);
int sf_json_doctor(struct sf_str *out, const struct sf_doctor *d);

#endif
