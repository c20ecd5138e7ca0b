/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tables of a pprof profile: what samples refer to by number. Field numbers are those of
 * profile.proto in github.com/google/pprof (Apache-2.0; only the numbers are used). Private to
 * render/.
 */
#ifndef SF_RENDER_EXPORT_PPROF_H
#define SF_RENDER_EXPORT_PPROF_H

#include "render/export_impl.h"
#include "render/export_proto.h"

enum pprof_profile_field {
	PPROF_SAMPLE_TYPE = 1, PPROF_SAMPLE, PPROF_MAPPING, PPROF_LOCATION, PPROF_FUNCTION,
	PPROF_STRING_TABLE, PPROF_TIME_NANOS = 9, PPROF_DURATION_NANOS, PPROF_PERIOD_TYPE,
	PPROF_PERIOD, PPROF_COMMENT, PPROF_DEFAULT_SAMPLE_TYPE,
};

struct pprof_tables {
	struct sf_symbols *symbols;
	size_t nr_locs;
	struct sf_strtab str;      /* pprof's string table is this one with "" in front */
	uint64_t *loc_id;          /* by location: its number, 0 not used yet */
	uint32_t *loc;             /* used ones in order of number; 0: made up for last[] */
	uint32_t *last;            /* name of a made-up one */
	size_t nr, loc_alloc, last_alloc;
	struct sf_map64 made_up;   /* string id -> number */
	struct sf_map64 function;  /* name << 32 | file -> number */
	uint64_t nr_functions;
	struct pprof_mapping {
		const struct sf_module *module;
		uint64_t limit;    /* highest address that the recording has of it */
		bool used;
	} *mapping;
	size_t nr_mappings, mapping_alloc;
};

int sf_pprof_tables_init(struct pprof_tables *t, const struct sf_recording *rec);
void sf_pprof_tables_release(struct pprof_tables *t);

/* Number of a string; 0 is "" and no memory. */
uint64_t sf_pprof_string(struct pprof_tables *t, const char *text);
/* Number of a location, of what stands below the stack; 0 without memory. */
uint64_t sf_pprof_location(struct pprof_tables *t, uint32_t loc);
uint64_t sf_pprof_made_up(struct pprof_tables *t, const char *name);

/* After the samples: everything they refer to. exe: path of the program, listed first. 0, -ENOMEM. */
int sf_pprof_tables_write(struct pprof_tables *t, struct sf_pb_file *p, const char *exe);

#endif
