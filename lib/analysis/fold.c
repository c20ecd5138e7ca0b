/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/array.h>
#include <snapflame/folded.h>

#include "analysis/fold_impl.h"

int sf_fold_new(struct sf_fold **ret, const struct sf_fold_opts *opts, struct sf_error *err)
{
	static const struct sf_fold_opts defaults;
	struct sf_fold *f = calloc(1, sizeof(*f));

	*ret = f;
	if (!f)
		return sf_error_set(err, -ENOMEM, "no memory");
	f->opts = opts ? *opts : defaults;
	f->event = f->opts.event;
	sf_fold_namer_init(&f->namer, &f->opts);
	return 0;
}

void sf_fold_free(struct sf_fold *f)
{
	if (!f)
		return;
	sf_fold_namer_release(&f->namer);
	sf_trie_release(&f->stacks);
	sf_strtab_release(&f->met);
	free(f->list.id);
	free(f);
}

const struct sf_fold_stats *sf_fold_stats(const struct sf_fold *f)
{
	return &f->stats;
}

const char *sf_fold_event(const struct sf_fold *f)
{
	return f->event;
}

const char *sf_fold_event_met(const struct sf_fold *f, size_t index)
{
	return index < f->met.nr ? sf_strtab_text(&f->met, (uint32_t)index + 1) : NULL;
}

enum sf_fold_verdict sf_fold_meet(struct sf_fold *f, const char *event, size_t len)
{
	uint32_t id = sf_strtab_idn(&f->met, event, len);

	if (!id)
		return SF_FOLD_NO_MEMORY;
	if (!f->event)
		f->event = sf_strtab_text(&f->met, id);
	return strcmp(sf_strtab_text(&f->met, id), f->event) ? SF_FOLD_SKIP : SF_FOLD_TAKE;
}

bool sf_fold_wants_thread(const struct sf_fold *f, const char *comm, size_t len)
{
	char name[256];

	if (!f->opts.nr_threads)
		return true;
	if (len >= sizeof(name))
		len = sizeof(name) - 1;
	memcpy(name, comm, len);
	name[len] = '\0';
	for (size_t i = 0; i < f->opts.nr_threads; i++)
		if (!strcmp(f->opts.threads[i], name) || !fnmatch(f->opts.threads[i], name, 0))
			return true;
	return false;
}

/* Saturates, so that the sum of the lines stays what the stats say. */
static int add_names(struct sf_fold *f, const struct sf_name_list *l, uint64_t weight)
{
	uint32_t node = 0;

	for (size_t i = 0; i < l->nr; i++) {
		node = l->id[i] ? sf_trie_child(&f->stacks, node, l->id[i]) : 0;
		if (!node)
			return -ENOMEM;
	}
	if (node)
		sf_trie_add(&f->stacks, node, weight);
	return 0;
}

static int push(struct sf_name_list *l, uint32_t id)
{
	if (!id || SF_GROW(l->id, l->nr + 1, l->alloc))
		return -ENOMEM;
	l->id[l->nr++] = id;
	return 0;
}

int sf_fold_add(struct sf_fold *f, const char *const *name, size_t nr, uint64_t weight)
{
	f->list.nr = 0;
	for (size_t i = 0; i < nr; i++)
		if (push(&f->list, sf_fold_namer_safe(&f->namer, name[i], strlen(name[i]))))
			return -ENOMEM;
	if (!nr || !weight)
		return 0;
	sf_fold_count(f, weight);
	return add_names(f, &f->list, weight);
}

static int fold_line(struct sf_fold *f, const struct sf_folded_line *l)
{
	const char *p = l->stack, *end = p + l->len;

	f->list.nr = 0;
	for (;;) {
		const char *semi = memchr(p, ';', (size_t)(end - p));
		size_t len = (size_t)((semi ? semi : end) - p);

		if (push(&f->list, sf_fold_namer_safe(&f->namer, p, len)))
			return -ENOMEM;
		if (!semi)
			break;
		p = semi + 1;
	}
	f->stats.lines++;
	if (__builtin_add_overflow(f->stats.weight, l->weight[0], &f->stats.weight))
		f->stats.weight = UINT64_MAX;
	return add_names(f, &f->list, l->weight[0]);
}

int sf_fold_folded(struct sf_fold *f, struct sf_folded *in, const char *path, struct sf_error *err)
{
	const struct sf_folded_line *l;
	int ret;

	while ((ret = sf_folded_next(in, &l, err)) > 0) {
		if (l->columns != 1)
			return sf_error_at(err, -EINVAL, path, l->line,
					   "two weights: this compares two recordings, and one "
					   "flame cannot hold both");
		if (fold_line(f, l))
			return sf_error_at(err, -ENOMEM, path, l->line, "no memory");
	}
	return ret;
}
