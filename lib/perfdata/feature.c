/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Header features: sections behind the data of a file, HEADER_FEATURE records in a pipe. Strings
 * are a u32 of bytes, padding included, and the bytes.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/str.h>

#include "perfdata/reader_impl.h"

#define MAX_TEXT (1u << 20) /* of a feature; a command line can be long */

/* A string of the file: its bytes, and the length without padding. */
static const char *take_string(struct sf_cursor *c, size_t *len)
{
	uint32_t size = sf_cursor_u32(c);
	const char *p = (const char *)sf_cursor_take(c, size);

	*len = p ? strnlen(p, size) : 0;
	return p ? p : "";
}

static void keep_text(struct sf_reader *r, unsigned feature, struct sf_str *s)
{
	char *text = sf_str_detach(s);

	if (!text)
		return;
	free(r->features.text[feature]);
	r->features.text[feature] = text;
}

static void parse_text(struct sf_reader *r, unsigned feature, struct sf_cursor *c)
{
	struct sf_str s = SF_STR_INIT;
	size_t len;
	const char *p = take_string(c, &len);

	if (len <= MAX_TEXT)
		sf_str_addn(&s, p, len);
	keep_text(r, feature, &s);
}

static void parse_cmdline(struct sf_reader *r, struct sf_cursor *c)
{
	struct sf_str s = SF_STR_INIT;
	uint32_t nr = sf_cursor_u32(c);

	for (uint32_t i = 0; i < nr && !c->short_ && s.len < MAX_TEXT; i++) {
		size_t len;
		const char *p = take_string(c, &len);

		if (i)
			sf_str_addch(&s, ' ');
		sf_str_addn(&s, p, len);
	}
	keep_text(r, SF_FEAT_CMDLINE, &s);
}

/* u32 events, u32 attr size; for each its attr, u32 ids, name, ids. Named by their order. */
static void parse_event_desc(struct sf_reader *r, struct sf_cursor *c)
{
	uint32_t nr = sf_cursor_u32(c), attr_size = sf_cursor_u32(c);

	for (uint32_t i = 0; i < nr && i < r->evlist.nr && !c->short_; i++) {
		uint32_t ids;
		const char *name;
		size_t len;

		sf_cursor_take(c, attr_size);
		ids = sf_cursor_u32(c);
		name = take_string(c, &len);
		sf_cursor_take(c, 8 * (uint64_t)ids);
		if (!c->short_)
			sf_reader_name(r, r->evlist.ev[i], name, len);
	}
}

/* u32 version 1, u32 clockid, u64 wall clock, u64 the clock of the recording at that time. */
static void parse_clock(struct sf_reader *r, struct sf_cursor *c)
{
	struct sf_features *f = &r->features;
	uint32_t version = sf_cursor_u32(c);

	f->clockid = (int)sf_cursor_u32(c);
	f->realtime_ns = sf_cursor_u64(c);
	f->clock_ns = sf_cursor_u64(c);
	f->has_clock = version == 1 && !c->short_;
}

static void parse_nrcpus(struct sf_reader *r, struct sf_cursor *c)
{
	sf_cursor_u32(c); /* those that could be plugged in */
	r->features.nr_cpus = sf_cursor_u32(c);
}

void sf_feature_parse(struct sf_reader *r, unsigned feature, const uint8_t *p, size_t size)
{
	struct sf_cursor c = { p, p + size, r->swapped, false };

	switch (feature) {
	case SF_FEAT_HOSTNAME:
	case SF_FEAT_OSRELEASE:
	case SF_FEAT_VERSION:
	case SF_FEAT_ARCH:
	case SF_FEAT_CPUDESC:
	case SF_FEAT_CPUID:
		parse_text(r, feature, &c);
		break;
	case SF_FEAT_CMDLINE:
		parse_cmdline(r, &c);
		break;
	case SF_FEAT_NRCPUS:
		parse_nrcpus(r, &c);
		break;
	case SF_FEAT_EVENT_DESC:
		parse_event_desc(r, &c);
		break;
	case SF_FEAT_CLOCK_DATA:
		parse_clock(r, &c);
		break;
	default:
		return;
	}
	if (c.short_)
		sf_reader_complain(r, 0, "header feature %u is cut off", feature);
}

static void read_section(struct sf_reader *r, unsigned feature, const struct sf_section *s)
{
	const uint8_t *p = sf_header_view(r, s->offset, s->size);

	if (!p) {
		sf_reader_complain(r, s->offset, "header feature %u lies outside of the file",
				   feature);
		return;
	}
	if (feature == SF_FEAT_TRACING_DATA) {
		sf_user_tracing(r, p, s->size, s->offset);
	} else if (feature == SF_FEAT_BUILD_ID) {
		r->features.build_ids =
			(struct sf_view){ .data = p, .offset = s->offset, .size = s->size };
		r->features.build_id_at = 0;
	} else {
		sf_feature_parse(r, feature, p, s->size);
	}
}

void sf_feature_read_all(struct sf_reader *r)
{
	const struct sf_file_header *h = &r->header;
	uint64_t at = h->data.offset + h->data.size;

	for (unsigned i = 0; i < 256; i++) {
		const uint8_t *p;
		struct sf_section s;

		if (!(h->features[i / 64] >> (i % 64) & 1))
			continue;
		p = sf_header_view(r, at, 16);
		if (!p) {
			sf_reader_complain(r, at, "the table of header features is cut off");
			return;
		}
		s = (struct sf_section){ sf_raw64(p, r->swapped), sf_raw64(p + 8, r->swapped) };
		at += 16;
		read_section(r, i, &s);
	}
}

void sf_features_release(struct sf_features *f)
{
	for (size_t i = 0; i < SF_FEATURE_TEXTS; i++)
		free(f->text[i]);
	memset(f, 0, sizeof(*f));
}
