/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is posted. Pyroscope takes a form with the profile and, because our sample types are not Go's,
 * with what they are; application, labels and time are in the query. Parca takes JSON with the labels and
 * the profile in base64, and finds the time in it.
 */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <snapflame/array.h>

#include "render/json_value.h"
#include "render/push_impl.h"

static const struct {
	enum sf_push_server server;
	const char *path;
} servers[] = {
	{ SF_PUSH_PYROSCOPE, "/ingest" },
	{ SF_PUSH_PARCA, "/profiles/writeraw" },
};

enum sf_push_server sf_push_server_of(const char *url)
{
	size_t len = strlen(url);

	if (strncmp(url, "http://", 7) && strncmp(url, "https://", 8))
		return SF_PUSH_UNKNOWN;
	for (size_t i = 0; i < SF_ARRAY_SIZE(servers); i++) {
		size_t n = strlen(servers[i].path);

		if (len > n && !strcmp(url + len - n, servers[i].path))
			return servers[i].server;
	}
	return SF_PUSH_UNKNOWN;
}

static bool is_word(char c, bool first)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
	       (!first && c >= '0' && c <= '9');
}

/* Both servers have Prometheus's names of labels. */
static void add_name(struct sf_str *to, const char *name)
{
	for (const char *p = name; *p; p++)
		sf_str_addch(to, is_word(*p, p == name) ? *p : '_');
}

static void add_percent(struct sf_str *to, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (is_word((char)c, false) || c == '-' || c == '.')
			sf_str_addch(to, (char)c);
		else
			sf_str_addf(to, "%%%02X", c);
	}
}

/* What separates them cannot be in a value. */
static void add_value(struct sf_str *to, const char *text)
{
	struct sf_str s = SF_STR_INIT;

	sf_str_add_printable(&s, text, strlen(text));
	for (const char *v = s.len ? s.buf : ""; *v; v++)
		sf_str_addch(to, strchr("{},=\"", *v) ? '_' : *v);
	to->failed |= s.failed;
	sf_str_release(&s);
}

/* app{name=value,…} */
static void add_series(struct sf_str *to, const struct sf_push_profile *p)
{
	struct sf_str s = SF_STR_INIT;

	add_value(&s, p->app);
	for (size_t i = 0; i < p->nr_labels; i++) {
		sf_str_addch(&s, i ? ',' : '{');
		add_name(&s, p->label[i].name);
		sf_str_addch(&s, '=');
		add_value(&s, p->label[i].value);
	}
	if (p->nr_labels)
		sf_str_addch(&s, '}');
	add_percent(to, s.buf, s.len);
	to->failed |= s.failed;
	sf_str_release(&s);
}

static const char sample_types[] =
	"{\"samples\":{\"units\":\"samples\",\"aggregation\":\"sum\",\"display-name\":\"samples\",\"sampled\":true},"
	"\"oncpu\":{\"units\":\"nanoseconds\",\"aggregation\":\"sum\",\"display-name\":\"oncpu\"},"
	"\"wall\":{\"units\":\"nanoseconds\",\"aggregation\":\"sum\",\"display-name\":\"wall\"},"
	"\"critical\":{\"units\":\"nanoseconds\",\"aggregation\":\"sum\",\"display-name\":\"critical\"}}";

static void add_part(struct sf_str *to, const char *boundary, const char *name, const char *file,
		     const void *data, size_t len)
{
	sf_str_addf(to, "--%s\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"%s\"\r\n"
		    "Content-Type: application/octet-stream\r\n\r\n", boundary, name, file);
	sf_str_addn(to, data, len);
	sf_str_add(to, "\r\n");
}

static int make_pyroscope(struct sf_push_request *r, const struct sf_push_profile *p)
{
	char boundary[64];
	uint64_t random[2];

	/* Nobody who names a thread can know it. */
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	snprintf(boundary, sizeof(boundary), "snapflame-%016" PRIx64 "%016" PRIx64, random[0], random[1]);
	sf_str_add(&r->url, "?name=");
	add_series(&r->url, p);
	sf_str_addf(&r->url, "&from=%" PRIu64 "&until=%" PRIu64 "&spyName=snapflame", p->begin, p->end);
	sf_str_addf(&r->type, "multipart/form-data; boundary=%s", boundary);
	add_part(&r->body, boundary, "profile", "profile.pprof", p->pprof, p->len);
	add_part(&r->body, boundary, "sample_type_config", "sample_type_config.json", sample_types,
		 sizeof(sample_types) - 1);
	sf_str_addf(&r->body, "--%s--\r\n", boundary);
	return 0;
}

static void add_base64(struct sf_str *to, const unsigned char *data, size_t len)
{
	static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t v = (uint32_t)data[i] << 16 | (left > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
			     (left > 2 ? data[i + 2] : 0);
		char four[4] = { digit[v >> 18], digit[v >> 12 & 63], left > 1 ? digit[v >> 6 & 63] : '=',
				 left > 2 ? digit[v & 63] : '=' };

		sf_str_addn(to, four, sizeof(four));
	}
}

static json_t *label_of(const char *name, const char *value)
{
	struct sf_str n = SF_STR_INIT, v = SF_STR_INIT;
	json_t *o;

	add_name(&n, name);
	sf_str_add_printable(&v, value, strlen(value));
	o = json_pack("{s:s, s:s}", "name", n.buf, "value", v.buf);
	sf_str_release(&n);
	sf_str_release(&v);
	return o;
}

static int make_parca(struct sf_push_request *r, const struct sf_push_profile *p)
{
	struct sf_str raw = SF_STR_INIT;
	json_t *labels = json_array(), *o;
	char *text;

	sf_json_append(&labels, label_of("__name__", "snapflame"));
	sf_json_append(&labels, label_of("job", p->app));
	for (size_t i = 0; i < p->nr_labels; i++)
		sf_json_append(&labels, label_of(p->label[i].name, p->label[i].value));
	add_base64(&raw, p->pprof, p->len);
	o = json_pack("{s:[{s:{s:o}, s:[{s:s}]}]}", "series", "labels", "labels", labels, "samples",
		      "rawProfile", raw.buf);
	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	sf_str_add(&r->type, "application/json");
	if (text)
		sf_str_add(&r->body, text);
	r->body.failed |= raw.failed || !text;
	free(text);
	json_decref(o);
	sf_str_release(&raw);
	return 0;
}

int sf_push_request_make(struct sf_push_request *r, const char *url,
			 const struct sf_push_profile *profile)
{
	int ret;

	sf_str_init(&r->url);
	sf_str_init(&r->type);
	sf_str_init(&r->body);
	sf_str_add(&r->url, url);
	switch (sf_push_server_of(url)) {
	case SF_PUSH_PYROSCOPE:
		ret = make_pyroscope(r, profile);
		break;
	case SF_PUSH_PARCA:
		ret = make_parca(r, profile);
		break;
	default:
		ret = -EINVAL;
	}
	if (!ret && (sf_str_failed(&r->url) || sf_str_failed(&r->type) || sf_str_failed(&r->body)))
		ret = -ENOMEM;
	if (ret)
		sf_push_request_release(r);
	return ret;
}

void sf_push_request_release(struct sf_push_request *r)
{
	sf_str_release(&r->url);
	sf_str_release(&r->type);
	sf_str_release(&r->body);
}
