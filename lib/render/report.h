/* SPDX-License-Identifier: GPL-2.0-only */
/* A report while it is made; private to render/. */
#ifndef SF_RENDER_REPORT_H
#define SF_RENDER_REPORT_H

#include <snapflame/figures.h>
#include <snapflame/report.h>
#include <snapflame/tables.h>

#include "render/outdir.h"

enum { REPORT_FLAMES = 3 };

struct report_flame {
	const char *name, *title; /* NULL: not there */
	const struct sf_flame *flame;
	struct sf_flame own; /* what flame points to, unless it is the caller's */
};

struct report {
	const struct sf_report_input *in;
	const struct sf_diff *diff;
	struct sf_outdir dir;
	struct sf_str *notes;
	struct sf_window_ref *window; /* of all recordings */
	size_t nr;
	const struct sf_profile *profile; /* a column for each; NULL none */
	struct sf_profile own_profile;
	struct sf_figures figures;
	struct report_flame flame[REPORT_FLAMES]; /* the first one is shown in the page */
	const char *folded; /* name of the file with folded stacks; NULL */
	bool pl;            /* flamegraph-pl.svg was made */
};

/* report_gather.c: windows, their profile, flame graphs */
int report_gather(struct report *r, struct sf_error *err);
void report_release(struct report *r);

/* report_files.c: everything but the report itself */
int report_files(struct report *r, struct sf_error *err);

/* Texts of the whole files. */
void report_html(struct sf_str *out, const struct report *r);
void report_md(struct sf_str *out, const struct report *r);

/* ---- parts of the page ---- */

void report_pair(void *out, const char *name, const char *value); /* of a list of definitions */
void report_answer(struct sf_str *out, const struct report *r); /* verdict and proof */
void report_causes(struct sf_str *out, const struct sf_diff *d);
void report_around(struct sf_str *out, const struct sf_diff *d); /* who waited, what moved */
void report_paths(struct sf_str *out, const struct sf_diff *d); /* table of all paths */
void report_tables(struct sf_str *out, const struct report *r);
void report_environment(struct sf_str *out, const struct report *r);

/* ---- what page and text have in common ---- */

const char *report_title(const struct report *r);
/* "critical path attributed" and "99.8 %": calls put for each figure of the proof. */
void report_proof(const struct sf_diff *d, void (*put)(void *arg, const char *name, const char *value),
		  void *arg);
/* What was recorded where and how; for each recording. */
void report_recording(const struct sf_recording *rec,
		      void (*put)(void *arg, const char *name, const char *value), void *arg);
/* The command line, words quoted where a shell would need it. */
void report_command(struct sf_str *out, const struct sf_report_input *in);

#endif
