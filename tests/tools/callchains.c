/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * callchains FILE [OPTION…]: what the library makes of the callchains of a perf.data file, one line
 * a sample: symbol and module of each entry, leaf first. Tests compare it with perf script. A
 * program of the tests, not installed. Options: those of struct sf_symbols_opts (symfs=DIR,
 * call_sites, inlines, lines, no_local); store=FILE writes the names as a recorder would store
 * them, load=FILE takes them in.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/reader.h>
#include <snapflame/symbol.h>
#include <snapflame/unwind.h>

static void print_frames(struct sf_symbols *s, uint32_t loc)
{
	const struct sf_frame *f;
	size_t n = sf_symbols_frames(s, loc, &f);

	for (size_t i = 0; i < n; i++) {
		printf("%s (%s)", f[i].name[0] ? f[i].name : "[unknown]",
		       f[i].dso[0] ? f[i].dso : "[unknown]");
		if (f[i].flags & SF_FRAME_INLINED)
			printf(" inlined");
		if (f[i].file)
			printf(" %s:%u", f[i].file, f[i].line);
		putchar(';');
	}
}

struct sample {
	uint32_t *loc;
	size_t nr;
};

#define MAX_USER 127 /* as perf script */

static struct sf_unwind *unwind;
static struct sample *samples;
static size_t nr_samples;

static bool context(uint64_t ip, unsigned *mode)
{
	switch (ip) {
	case PERF_CONTEXT_KERNEL:
		*mode = PERF_RECORD_MISC_KERNEL;
		return true;
	case PERF_CONTEXT_USER:
		*mode = PERF_RECORD_MISC_USER;
		return true;
	case PERF_CONTEXT_HV:
		*mode = PERF_RECORD_MISC_HYPERVISOR;
		return true;
	}
	return false;
}

static void keep(struct sf_symbols *s, const struct sf_record *rec)
{
	const struct sf_sample *x = &rec->u.sample;
	unsigned mode = rec->misc & PERF_RECORD_MISC_CPUMODE_MASK;
	struct sample *out;
	uint64_t ips[MAX_USER];
	size_t nr_user = unwind ? sf_unwind_sample(unwind, rec->pid, x, ips, MAX_USER) : 0;

	samples = realloc(samples, (nr_samples + 1) * sizeof(*samples));
	out = &samples[nr_samples++];
	out->loc = calloc(x->nr_chain + nr_user + 1, sizeof(*out->loc));
	out->nr = 0;
	if (!x->nr_chain && !nr_user)
		out->loc[out->nr++] = sf_symbols_locate(s, rec->pid, x->ip, mode, false);
	for (uint64_t i = 0; i < x->nr_chain; i++) {
		uint64_t ip = x->chain[i];

		if (ip < PERF_CONTEXT_MAX) {
			bool caller = out->nr > 0;

			out->loc[out->nr++] = sf_symbols_locate(s, rec->pid, ip, mode, caller);
		} else if (!context(ip, &mode)) {
			/* perf takes the chain for broken, and drops it. */
			out->nr = 0;
			break;
		}
	}
	for (size_t i = 0; i < nr_user; i++)
		out->loc[out->nr++] =
			sf_symbols_locate(s, rec->pid, ips[i], PERF_RECORD_MISC_USER, false);
}

static const char *store, *load;

static int store_object(void *arg, const char *json, size_t len)
{
	return fprintf(arg, "%.*s\n", (int)len, json) < 0;
}

static int store_names(struct sf_symbols *s)
{
	FILE *f = fopen(store, "w");
	int ret = f ? sf_symbols_export(s, store_object, f) : -1;

	return f && fclose(f) ? -1 : ret;
}

static int load_names(struct sf_symbols *s)
{
	static char line[1 << 16];
	FILE *f = fopen(load, "r");
	int ret = f ? 0 : -1;

	while (!ret && fgets(line, sizeof(line), f))
		ret = sf_symbols_import(s, line, strlen(line));
	if (f)
		fclose(f);
	return ret;
}

static void options(struct sf_symbols_opts *o, int argc, char **argv)
{
	for (int i = 2; i < argc; i++) {
		if (!strncmp(argv[i], "symfs=", 6))
			o->symfs = argv[i] + 6;
		if (!strncmp(argv[i], "store=", 6))
			store = argv[i] + 6;
		if (!strncmp(argv[i], "load=", 5))
			load = argv[i] + 5;
		o->call_sites |= !strcmp(argv[i], "call_sites");
		o->inlines |= !strcmp(argv[i], "inlines");
		o->lines |= !strcmp(argv[i], "lines");
		o->no_local |= !strcmp(argv[i], "no_local");
	}
}

static void origin(struct sf_symbols *s, struct sf_reader *r)
{
	sf_symbols_set_origin(s, sf_reader_feature(r, SF_FEAT_OSRELEASE),
			      sf_reader_feature(r, SF_FEAT_HOSTNAME),
			      sf_reader_feature(r, SF_FEAT_ARCH));
}

int main(int argc, char **argv)
{
	struct sf_symbols_opts opts = {0};
	const struct sf_record *rec;
	struct sf_error err = SF_ERROR_INIT;
	struct sf_symbols *s;
	struct sf_reader *r;
	char text[1200];
	int n;

	if (argc < 2)
		return 2;
	options(&opts, argc, argv);
	if (sf_reader_open(&r, argv[1], NULL, &err) || sf_symbols_new(&s, &opts, &err)) {
		fprintf(stderr, "callchains: %s\n", sf_error_text(&err, text, sizeof(text)));
		return 1;
	}
	sf_unwind_new(&unwind, s, &(struct sf_unwind_opts){.mark_cut = true}, NULL);
	origin(s, r);
	while ((n = sf_reader_next(r, &rec, &err)) > 0) {
		if (rec->type == SF_RECORD_HEADER_FEATURE)
			origin(s, r);
		if (sf_symbols_feed(s, rec))
			return 1;
		if (rec->type == PERF_RECORD_SAMPLE)
			keep(s, rec);
	}
	if ((load && load_names(s)) || (store && store_names(s)))
		return 1;
	for (size_t i = 0; i < nr_samples; i++) {
		for (size_t k = 0; k < samples[i].nr; k++)
			print_frames(s, samples[i].loc[k]);
		putchar('\n');
		free(samples[i].loc);
	}
	for (size_t i = 0; sf_symbols_problem(s, i); i++)
		fprintf(stderr, "problem: %s\n", sf_symbols_problem(s, i));
	free(samples);
	sf_unwind_free(unwind);
	sf_symbols_free(s);
	sf_reader_free(r);
	return n < 0;
}
