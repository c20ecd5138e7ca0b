/* SPDX-License-Identifier: GPL-2.0-only */
#include "diff_sides.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <snapflame/array.h>
#include <snapflame/filetype.h>

#include "report.h"
#include "windows.h"

/* --------------------------------------------------------------------- command line */

static bool is_list(const char *word)
{
	return *word && !word[strspn(word, "0123456789,-")];
}

static const char *side_option(const char *word)
{
	return !strcmp(word, "--fast") || !strcmp(word, "--slow") ? word : NULL;
}

static int spread(int argc, char **argv, int *nr, char ***out)
{
	/* Every word may get a --fast in front of it. */
	char **w = calloc(2 * (size_t)argc + 1, sizeof(*w)), *side = NULL;
	int n = 0;

	*out = w;
	if (!w)
		return -ENOMEM;
	for (int i = 0; i < argc; i++) {
		if (side_option(argv[i]) && i + 1 < argc) {
			side = is_list(argv[i + 1]) ? NULL : argv[i];
			w[n++] = argv[i++];
		} else if (argv[i][0] == '-' && argv[i][1]) {
			side = NULL;
		} else if (side) {
			w[n++] = side;
		}
		w[n++] = argv[i];
	}
	*nr = n;
	return 0;
}

int sf_sides_parse(const struct sf_command *cmd, void *target, int argc, char **argv, char ***words,
		   int *nr)
{
	if (spread(argc, argv, nr, words))
		return sf_failf("out of memory"), -2;
	return sf_options_parse(cmd, target, *nr, *words);
}

/* ------------------------------------------------------------------------ recordings */

/* What a file that is no recording is good for. */
static int wrong_type(const char *path, enum sf_filetype type)
{
	if (type == SF_FILETYPE_EMPTY)
		return sf_failf("%s: the file is empty; was the recorder killed?", path);
	return sf_failf("%s: neither a perf.data file nor stacks nor a table of pauses; record one "
			"with snapflame record", path);
}

int sf_sides_keep(struct sf_sides *s, const char *path, struct sf_input *in)
{
	struct stat st;

	if (!stat(path, &st) && S_ISREG(st.st_mode)) {
		sf_input_free(in);
		return 0;
	}
	if (SF_GROW(s->kept, s->nr_kept + 1, s->kept_alloc)) {
		sf_input_free(in);
		return sf_failf("out of memory");
	}
	s->kept[s->nr_kept++] = (struct sf_kept_input){ path, in };
	return 0;
}

int sf_sides_open(struct sf_sides *s, const char *path, struct sf_input **in, struct sf_error *err)
{
	for (size_t i = 0; i < s->nr_kept; i++)
		if (s->kept[i].in && !strcmp(s->kept[i].path, path)) {
			*in = s->kept[i].in;
			s->kept[i].in = NULL;
			return 0;
		}
	return sf_input_open(in, path, err);
}

static int check_type(struct sf_sides *s, const char *path, enum sf_filetype *type)
{
	struct sf_error err = SF_ERROR_INIT;
	struct sf_input *in;

	*type = SF_FILETYPE_PERF_DATA;
	if (!strcmp(path, "-"))
		return 0; /* looking would take it */
	switch (sf_sides_open(s, path, &in, &err)) {
	case 0:
		break;
	case -EISDIR: /* perf record --threads writes a directory */
		return 0;
	default:
		return sf_fail(&err);
	}
	*type = sf_input_type(in);
	if (*type == SF_FILETYPE_SCRIPT || *type == SF_FILETYPE_FOLDED || *type == SF_FILETYPE_CSV)
		return sf_sides_keep(s, path, in);
	sf_input_free(in);
	return *type == SF_FILETYPE_PERF_DATA ? 0 : wrong_type(path, *type);
}

static struct sf_recording *load(struct sf_sides *s, const char *path,
				 const struct sf_sides_opts *o)
{
	struct sf_recording *rec;

	for (size_t i = 0; i < s->nr; i++)
		if (!strcmp(s->rec[i]->path, path))
			return s->rec[i];
	if (SF_GROW(s->rec, s->nr + 1, s->alloc)) {
		sf_failf("out of memory");
		return NULL;
	}
	rec = sf_load(path, &(struct sf_recording_opts){ .symbols = { .symfs = o->symfs },
							 .api_windows = o->api });
	if (rec)
		s->rec[s->nr++] = rec;
	return rec;
}

static int no_windows(const struct sf_recording *rec)
{
	if (rec->meta.pid)
		return sf_failf("%s: no BRANCH in it; give record a command, or --duration",
				rec->path);
	return sf_failf("%s: neither BRANCHes nor context switches in it; record it with snapflame "
			"record", rec->path);
}

/* All windows of a file but the first ones, to one side. */
static int add_file(struct sf_sides *s, enum sf_side side, const char *path,
		    const struct sf_sides_opts *o)
{
	const struct sf_recording *rec = load(s, path, o);
	struct sf_window_ref *ref;
	size_t n;

	if (!rec)
		return SF_EXIT_FAILED;
	if (!rec->nr_windows && rec->meta.pid)
		return no_windows(rec);
	if (!rec->nr_windows) {
		s->stacks = true;
		return 0;
	}
	if (rec->nr_windows <= o->warmup)
		return sf_failf("%s: %zu BRANCHes, and --warmup %u leaves none of them", path,
				rec->nr_windows, o->warmup);
	n = rec->nr_windows - o->warmup;
	ref = realloc(s->ref[side], (s->in.nr[side] + n) * sizeof(*ref));
	if (!ref)
		return sf_failf("out of memory");
	s->ref[side] = ref;
	for (size_t i = 0; i < n; i++)
		ref[s->in.nr[side]++] = (struct sf_window_ref){ rec, &rec->window[o->warmup + i] };
	s->in.ref[side] = ref;
	return 0;
}

static int add_files(struct sf_sides *s, enum sf_side side, const char *const *path, size_t nr,
		     const struct sf_sides_opts *o)
{
	int status = 0;

	for (size_t i = 0; !status && i < nr; i++) {
		enum sf_filetype type;

		status = check_type(s, path[i], &type);
		if (!status && type == SF_FILETYPE_CSV)
			s->nr_tables++;
		else if (!status && type != SF_FILETYPE_PERF_DATA)
			s->stacks = true;
		else if (!status)
			status = add_file(s, side, path[i], o);
	}
	s->path[side] = path;
	s->nr_paths[side] = nr;
	return status;
}

/* ------------------------------------------------------------------- BRANCH numbers */

static int add_number(struct sf_numbers *n, uint64_t branch)
{
	for (size_t i = 0; i < n->nr; i++)
		if (n->item[i] == branch)
			return 0;
	if (SF_GROW(n->item, n->nr + 1, n->alloc))
		return sf_failf("out of memory");
	n->item[n->nr++] = branch > UINT32_MAX ? UINT32_MAX : (uint32_t)branch;
	return 0;
}

/* Those of the file that are in the range, and its ends: one that is not there is reported later. */
static int add_range(struct sf_numbers *n, const struct sf_numbers *all, uint64_t first, uint64_t last)
{
	int status = add_number(n, first);

	for (size_t i = 0; !status && i < all->nr; i++)
		if (all->item[i] >= first && all->item[i] <= last)
			status = add_number(n, all->item[i]);
	if (!status && last != UINT64_MAX)
		status = add_number(n, last);
	return status;
}

static int numbers_of(struct sf_numbers *n, const struct sf_numbers *all, const char *name,
		      const struct sf_texts *t)
{
	const struct sf_option row = { .type = SF_OPTION_LIST, .name = name };
	struct sf_error err = SF_ERROR_INIT;
	struct sf_list l = { 0 };
	int status = 0;

	for (size_t i = 0; !status && i < t->nr; i++)
		status = sf_option_value(&row, t->item[i], &l, &err);
	if (status)
		status = status == -ENOMEM ? sf_failf("out of memory") : sf_usage("%s", err.what);
	for (size_t i = 0; !status && i < l.nr; i++)
		status = add_range(n, all, l.item[i].first, l.item[i].last);
	free(l.item);
	return status;
}

static int on_both_sides(const struct sf_numbers *a, const struct sf_numbers *b)
{
	for (size_t i = 0; i < a->nr; i++)
		for (size_t k = 0; k < b->nr; k++)
			if (a->item[i] == b->item[k])
				return sf_usage("BRANCH %u is on both sides", a->item[i]);
	return 0;
}

int sf_sides_numbers(struct sf_sides *s, const struct sf_sides_opts *o, const struct sf_numbers *all)
{
	int status = numbers_of(&s->number[SF_FAST], all, "fast", &o->fast);

	if (!status)
		status = numbers_of(&s->number[SF_SLOW], all, "slow", &o->slow);
	return status ? status : on_both_sides(&s->number[SF_FAST], &s->number[SF_SLOW]);
}

static int numbers_of_windows(struct sf_sides *s, const struct sf_sides_opts *o,
			      const struct sf_recording *rec)
{
	struct sf_numbers all = { 0 };
	int status = 0;

	for (size_t i = 0; !status && i < rec->nr_windows; i++)
		status = add_number(&all, rec->window[i].branch);
	if (!status)
		status = sf_sides_numbers(s, o, &all);
	free(all.item);
	return status;
}

static int split_at(struct sf_sides *s, const struct sf_recording *rec, const struct sf_sides_opts *o,
		    bool whole_is_fine)
{
	const struct sf_numbers *fast = &s->number[SF_FAST], *slow = &s->number[SF_SLOW];
	struct sf_error err = SF_ERROR_INIT;
	int ret;

	s->ref[SF_FAST] = calloc(rec->nr_windows + 1, sizeof(*s->ref[SF_FAST]));
	if (!s->ref[SF_FAST])
		return sf_failf("out of memory");
	ret = sf_diff_split(rec, fast->item, fast->nr, slow->item, slow->nr, o->warmup,
			    s->ref[SF_FAST], &s->in, s->split, sizeof(s->split), &err);
	if (ret == -EINVAL && whole_is_fine && !fast->nr) {
		s->in = (struct sf_diff_input){ 0 };
		snprintf(s->split, sizeof(s->split), "%.*s", (int)sizeof(s->split) - 1, err.what);
		return 0;
	}
	return ret ? sf_fail(&err) : 0;
}

static int split(struct sf_sides *s, const struct sf_sides_opts *o, const char *const *path,
		 bool whole_is_fine)
{
	const struct sf_recording *rec;
	enum sf_filetype type;
	int status = check_type(s, *path, &type);

	if (status)
		return status;
	if (type == SF_FILETYPE_CSV) {
		s->path[SF_FAST] = path;
		s->nr_paths[SF_FAST] = s->nr_tables = 1;
		return 0;
	}
	if (type != SF_FILETYPE_PERF_DATA)
		return sf_usage("%s: stacks without BRANCHes cannot be split; give two files",
				*path);
	rec = load(s, *path, o);
	if (!rec)
		return SF_EXIT_FAILED;
	if (!rec->nr_windows)
		return no_windows(rec);
	status = numbers_of_windows(s, o, rec);
	return status ? status : split_at(s, rec, o, whole_is_fine);
}

/* ---------------------------------------------------------------------------- together */

static bool all_lists(const struct sf_texts *t)
{
	for (size_t i = 0; i < t->nr; i++)
		if (!is_list(t->item[i]))
			return false;
	return true;
}

static int wrong_words(const struct sf_sides_opts *o, char **file, size_t nr_files)
{
	bool lists = all_lists(&o->fast);

	if (!o->fast.nr != !o->slow.nr)
		return sf_usage("--fast and --slow go together");
	if (!o->fast.nr && !nr_files)
		return sf_usage("which recordings? Give FAST and SLOW, or one with several BRANCHes");
	if (!o->fast.nr && nr_files > 2)
		return sf_usage("%zu files: which are fast? Say --fast FILE... --slow FILE...",
				nr_files);
	if (o->fast.nr && lists && all_lists(&o->slow) && nr_files != 1)
		return sf_usage("--fast and --slow with BRANCH numbers need one recording");
	if (o->fast.nr && lists != all_lists(&o->slow))
		return sf_usage("--fast and --slow: BRANCH numbers on both sides, or files on both");
	if (o->fast.nr && !lists && nr_files)
		return sf_usage("%s: on which side? Name it behind --fast or --slow", file[0]);
	return 0;
}

int sf_sides_load(struct sf_sides *s, const struct sf_sides_opts *o, char **file, size_t nr_files,
		  bool whole_is_fine)
{
	const char *const *fast = o->fast.item, *const *slow = o->slow.item;
	size_t nr_fast = o->fast.nr, nr_slow = o->slow.nr;
	int status = wrong_words(o, file, nr_files);

	if (status)
		return status;
	if (nr_files == 1)
		return split(s, o, (const char *const *)file, whole_is_fine);
	if (nr_files == 2) {
		fast = (const char *const *)file;
		slow = fast + 1;
		nr_fast = nr_slow = 1;
	}
	status = add_files(s, SF_FAST, fast, nr_fast, o);
	if (!status)
		status = add_files(s, SF_SLOW, slow, nr_slow, o);
	if (!status && s->nr_tables && s->nr_tables < nr_fast + nr_slow)
		status = sf_failf("a table of pauses compares with tables of pauses only; snapflame show "
				  "FILE branches --csv makes one of a recording");
	return status;
}

void sf_sides_release(struct sf_sides *s)
{
	for (size_t i = 0; i < s->nr; i++)
		sf_recording_free(s->rec[i]);
	free(s->rec);
	for (size_t i = 0; i < s->nr_kept; i++)
		sf_input_free(s->kept[i].in);
	free(s->kept);
	for (int side = 0; side < SF_NR_SIDES; side++) {
		free(s->ref[side]);
		free(s->number[side].item);
	}
}
