/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * speedscope: for each window one "sampled" profile of the critical path and one of each thread, in
 * order of time, with the ns of each piece as its weight. Source: speedscope's wiki, "Importing from
 * custom sources", and its JSON schema. The frames that profiles refer to by index come last, where
 * they are known.
 */
#include <errno.h>
#include <inttypes.h>

#include "render/export_impl.h"
#include "render/export_json.h"

static int put_samples(struct sf_exporter *e)
{
	fputs(",\"samples\":[", e->file);
	for (size_t i = 0; i < e->pieces.nr; i++) {
		const struct sf_piece *s = &e->pieces.item[i];
		const uint32_t *id;
		size_t nr = 0;

		fputs(i ? ",[" : "[", e->file);
		/* A thread that is not there has no stack. */
		if (s->state != SF_STATE_ABSENT && sf_export_stack(&e->frames, s, &id, &nr))
			return -ENOMEM;
		for (size_t k = 0; k < nr; k++)
			fprintf(e->file, k ? ",%u" : "%u", id[k]);
		putc(']', e->file);
	}
	fputs("],\"weights\":[", e->file);
	for (size_t i = 0; i < e->pieces.nr; i++)
		fprintf(e->file, i ? ",%" PRIu64 : "%" PRIu64,
			e->pieces.item[i].hi - e->pieces.item[i].lo);
	fputs("]}", e->file);
	return 0;
}

/* Values count from the window's beginning: those since boot are more than a picture needs. */
static int put_profile(struct sf_exporter *e, const struct sf_window *w, const char *name,
		       bool *first)
{
	if (!e->pieces.nr)
		return 0;
	fputs(*first ? "\n" : ",\n", e->file);
	fputs("{\"type\":\"sampled\",\"name\":", e->file);
	*first = false;
	sf_put_string(e->file, name);
	fprintf(e->file, ",\"unit\":\"nanoseconds\",\"startValue\":0,\"endValue\":%" PRIu64,
		w->hi - w->lo);
	return put_samples(e);
}

static int put_window(struct sf_exporter *e, const struct sf_export_window *w, bool *first)
{
	char window[64], name[192];
	int ret = sf_pieces_of_path(&e->pieces, &e->src, w->window);

	sf_export_window_name(e, w, window, sizeof(window));
	snprintf(name, sizeof(name), "%s: critical path", window);
	if (!ret)
		ret = put_profile(e, w->window, name, first);
	for (uint32_t i = 0; !ret && i < e->rec->nr_threads; i++) {
		const struct sf_thread *t = &e->rec->thread[i];

		if (!sf_pieces_wants(e->rec, i))
			continue;
		ret = sf_pieces_of_thread(&e->pieces, &e->src, w->window, i);
		snprintf(name, sizeof(name), "%s: %s (%u)", window, sf_text(e->rec, t->comm), t->tid);
		if (!ret && sf_export_was_there(e))
			ret = put_profile(e, w->window, name, first);
	}
	return ret;
}

static void put_frames(struct sf_exporter *e)
{
	for (uint32_t i = 0; i < e->frames.nr; i++) {
		fputs(i ? ",\n{\"name\":" : "\n{\"name\":", e->file);
		sf_put_string(e->file, sf_export_frame_name(&e->frames, i));
		if (e->frames.frame[i].dso) {
			fputs(",\"file\":", e->file);
			sf_put_string(e->file, sf_export_frame_dso(&e->frames, i));
		}
		putc('}', e->file);
	}
}

int sf_export_speedscope(struct sf_exporter *e)
{
	bool first = true;
	int ret = 0;

	fputs("{\"$schema\":\"https://www.speedscope.app/file-format-schema.json\",\"exporter\":"
	      "\"snapflame " SNAPFLAME_VERSION "\",\"name\":", e->file);
	sf_put_string(e->file, e->rec->path);
	fputs(",\"activeProfileIndex\":0,\"profiles\":[", e->file);
	for (size_t i = 0; !ret && i < e->x->nr; i++)
		ret = put_window(e, &e->x->window[i], &first);
	fputs("],\"shared\":{\"frames\":[", e->file);
	put_frames(e);
	fputs("]}}\n", e->file);
	return ret;
}
