/* SPDX-License-Identifier: GPL-2.0-only */
#include "render/export_firefox.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "render/export_json.h"

void sf_firefox_thread_release(struct firefox_thread *t)
{
	free(t->stack);
	free(t->frame);
	free(t->sample);
	sf_map64_release(&t->stack_of);
	sf_map64_release(&t->frame_of);
	memset(t, 0, sizeof(*t));
}

static int add_frame(struct firefox_thread *t, uint32_t id, uint32_t *out)
{
	uint32_t *at = sf_map64_at(&t->frame_of, id, NULL);

	if (!at)
		return -ENOMEM;
	if (!*at) {
		if (SF_GROW(t->frame, t->nr_frames + 1, t->frame_alloc))
			return -ENOMEM;
		t->frame[t->nr_frames++].id = id;
		*at = (uint32_t)t->nr_frames;
	}
	*out = *at - 1;
	return 0;
}

/* *stack is extended by a frame: index + 1. */
static int add_stack(struct firefox_thread *t, uint32_t frame, uint32_t *stack)
{
	uint32_t *at = sf_map64_at(&t->stack_of, (uint64_t)*stack << 32 | frame, NULL);

	if (!at)
		return -ENOMEM;
	if (!*at) {
		if (SF_GROW(t->stack, t->nr_stacks + 1, t->stack_alloc))
			return -ENOMEM;
		t->stack[t->nr_stacks].prefix = *stack;
		t->stack[t->nr_stacks++].frame = frame;
		*at = (uint32_t)t->nr_stacks;
	}
	*stack = *at;
	return 0;
}

int sf_firefox_add(struct firefox_thread *t, struct sf_exporter *e, const struct sf_piece *s,
		   uint32_t owner)
{
	const uint32_t *id;
	uint32_t stack = 0, frame;
	size_t nr;

	if (s->lo == s->hi)
		return 0;
	if (sf_export_stack(&e->frames, s, &id, &nr))
		return -ENOMEM;
	for (size_t i = 0; i < nr; i++)
		if (add_frame(t, id[i], &frame) || add_stack(t, frame, &stack))
			return -ENOMEM;
	if (SF_GROW(t->sample, t->nr_samples + 1, t->sample_alloc))
		return -ENOMEM;
	t->sample[t->nr_samples++] = (struct firefox_sample){
		.lo = s->lo, .ns = s->hi - s->lo, .stack = stack, .owner = owner,
		.state = s->state, .task = s->task, .kind = s->kind,
		.running = s->state == SF_STATE_RUNNING,
	};
	return 0;
}

uint8_t sf_firefox_category(const struct firefox_sample *s)
{
	switch (s->state) {
	case SF_STATE_RUNNING:
		return s->kind == SF_KIND_CPU_USER ? FX_USER : FX_KERNEL;
	case SF_STATE_RUNNABLE:
		return FX_RUNNABLE;
	case SF_STATE_BLOCKED:
		return FX_BLOCKED;
	default:
		return FX_OTHER;
	}
}

/* ------------------------------------------------------------------------ writing */

/* The index of a string: ids count from 1. */
static uint32_t string(uint32_t id)
{
	return id - 1;
}

static const struct sf_export_frame *frame(const struct firefox_thread *t,
					   const struct sf_exporter *e, size_t i)
{
	return &e->frames.frame[t->frame[i].id];
}

/* A column with the same value in every row. */
static void constant(FILE *f, const char *name, const char *value, size_t nr)
{
	fprintf(f, ",\"%s\":[", name);
	for (size_t i = 0; i < nr; i++)
		fprintf(f, i ? ",%s" : "%s", value);
	putc(']', f);
}

static uint32_t frame_category(const struct sf_exporter *e, const struct sf_export_frame *fr)
{
	if (!fr->dso && sf_strtab_text(&e->frames.str, fr->name)[0] == '[') {
		const char *name = sf_strtab_text(&e->frames.str, fr->name);

		return !strcmp(name, "[runnable]") ? FX_RUNNABLE
		       : !strcmp(name, "[blocked]") ? FX_BLOCKED : FX_OTHER;
	}
	return fr->flags & SF_FRAME_KERNEL ? FX_KERNEL : FX_USER;
}

static void put_frames(const struct firefox_thread *t, const struct sf_exporter *e)
{
	FILE *f = e->file;
	size_t n = t->nr_frames;

	fprintf(f, "\"frameTable\":{\"length\":%zu", n);
	constant(f, "address", "-1", n);
	constant(f, "inlineDepth", "0", n);
	fputs(",\"category\":[", f);
	for (size_t i = 0; i < n; i++)
		fprintf(f, i ? ",%u" : "%u", frame_category(e, frame(t, e, i)));
	putc(']', f);
	constant(f, "subcategory", "0", n);
	fputs(",\"func\":[", f);
	for (size_t i = 0; i < n; i++)
		fprintf(f, i ? ",%zu" : "%zu", i);
	putc(']', f);
	constant(f, "nativeSymbol", "null", n);
	constant(f, "innerWindowID", "null", n);
	constant(f, "line", "null", n);
	constant(f, "column", "null", n);
	putc('}', f);
}

static void put_stacks(const struct firefox_thread *t, FILE *f)
{
	fprintf(f, ",\"stackTable\":{\"length\":%zu,\"prefix\":[", t->nr_stacks);
	for (size_t i = 0; i < t->nr_stacks; i++) {
		fputs(i ? "," : "", f);
		if (t->stack[i].prefix)
			fprintf(f, "%u", t->stack[i].prefix - 1);
		else
			fputs("null", f);
	}
	fputs("],\"frame\":[", f);
	for (size_t i = 0; i < t->nr_stacks; i++)
		fprintf(f, i ? ",%u" : "%u", t->stack[i].frame);
	fputs("]}", f);
}

/* Resources are files; one for each function that has one, as the viewer joins equal names. */
static void put_functions(const struct firefox_thread *t, const struct sf_exporter *e)
{
	FILE *f = e->file;
	size_t n = t->nr_frames, nr_res = 0, k = 0;

	fprintf(f, ",\"funcTable\":{\"length\":%zu,\"name\":[", n);
	for (size_t i = 0; i < n; i++)
		fprintf(f, i ? ",%u" : "%u", string(frame(t, e, i)->name));
	putc(']', f);
	constant(f, "isJS", "false", n);
	constant(f, "relevantForJS", "false", n);
	fputs(",\"resource\":[", f);
	for (size_t i = 0; i < n; i++) {
		fputs(i ? "," : "", f);
		if (frame(t, e, i)->dso)
			fprintf(f, "%zu", nr_res++);
		else
			fputs("-1", f);
	}
	putc(']', f);
	constant(f, "fileName", "null", n);
	constant(f, "lineNumber", "null", n);
	constant(f, "columnNumber", "null", n);
	fprintf(f, "},\"resourceTable\":{\"length\":%zu,\"name\":[", nr_res);
	for (size_t i = 0; i < n; i++)
		if (frame(t, e, i)->dso)
			fprintf(f, k++ ? ",%u" : "%u", string(frame(t, e, i)->dso));
	putc(']', f);
	constant(f, "lib", "null", nr_res);
	constant(f, "host", "null", nr_res);
	constant(f, "type", "1", nr_res); /* a library */
	fputs("},\"nativeSymbols\":{\"length\":0,\"libIndex\":[],\"address\":[],\"name\":[],"
	      "\"functionSize\":[]}", f);
}

/* threadCPUDelta: CPU time since the sample before, hence shifted by one. */
static void put_samples(const struct firefox_thread *t, FILE *f)
{
	fprintf(f, ",\"samples\":{\"length\":%zu,\"weightType\":\"tracing-ms\",\"stack\":[",
		t->nr_samples);
	for (size_t i = 0; i < t->nr_samples; i++) {
		fputs(i ? "," : "", f);
		if (t->sample[i].stack)
			fprintf(f, "%u", t->sample[i].stack - 1);
		else
			fputs("null", f);
	}
	fputs("],\"time\":[", f);
	for (size_t i = 0; i < t->nr_samples; i++) {
		fputs(i ? "," : "", f);
		sf_put_ms(f, t->sample[i].lo);
	}
	fputs("],\"weight\":[", f);
	for (size_t i = 0; i < t->nr_samples; i++) {
		fputs(i ? "," : "", f);
		sf_put_ms(f, t->sample[i].ns);
	}
	fputs("],\"threadCPUDelta\":[", f);
	for (size_t i = 0; i < t->nr_samples; i++) {
		if (!i)
			fputs("null", f);
		else
			fprintf(f, ",%" PRIu64, t->sample[i - 1].running ? t->sample[i - 1].ns : 0);
	}
	fputs("]}", f);
}

void sf_firefox_put_tables(const struct firefox_thread *t, struct sf_exporter *e)
{
	put_frames(t, e);
	put_stacks(t, e->file);
	put_functions(t, e);
	put_samples(t, e->file);
}
