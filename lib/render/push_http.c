/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/curl.h"
#include "render/push_impl.h"

#ifdef HAVE_CURL

enum { CONNECT_MS = 5000, WORDS_MAX = 300, NS_PER_MS = 1000000 };

struct sf_push_http {
	struct sf_curl curl;
	CURL *easy;
	struct curl_slist *header;
	uint64_t timeout;
};

int sf_push_http_open(struct sf_push_http **out, const char *const *header, uint64_t timeout,
		      struct sf_error *err)
{
	struct sf_push_http *h = calloc(1, sizeof(*h));
	bool good;
	int ret;

	*out = NULL;
	if (!h)
		return sf_error_set(err, -ENOMEM, "out of memory");
	ret = sf_curl_load(&h->curl, err);
	if (ret) {
		free(h);
		return ret;
	}
	good = (h->easy = h->curl.easy_init());
	/* Without it a large body waits a second for a server's leave. */
	for (const char *expect[] = { "Expect:", NULL }, *const *l = expect; good && *l; l++)
		good = (h->header = h->curl.slist_append(NULL, *l));
	for (const char *const *l = header; good && l && *l; l++)
		good = h->curl.slist_append(h->header, *l);
	*out = h;
	if (!good)
		return sf_error_set(err, -ENOMEM, "out of memory");
	h->timeout = timeout;
	return 0;
}

void sf_push_http_free(struct sf_push_http *h)
{
	if (!h)
		return;
	h->curl.easy_cleanup(h->easy);
	h->curl.slist_free_all(h->header);
	free(h);
}

static size_t on_body(char *data, size_t size, size_t nr, void *arg)
{
	struct sf_str *words = arg;
	size_t len = size * nr, room = words->len < WORDS_MAX ? WORDS_MAX - words->len : 0;

	sf_str_addn(words, data, len < room ? len : room);
	return len;
}

static enum sf_push_answer answer_of(long status)
{
	if (status >= 200 && status < 300)
		return SF_PUSH_TAKEN;
	switch (status) {
	case 408: /* request timeout */
	case 425: /* too early */
	case 429: /* too many requests */
		return SF_PUSH_LATER;
	case 400: /* this profile, not the way to send it */
	case 413:
	case 415:
	case 422:
		return SF_PUSH_REFUSED;
	default:
		return status >= 500 ? SF_PUSH_LATER : SF_PUSH_WRONG;
	}
}

static enum sf_push_answer answer_of_failure(CURLcode code)
{
	switch (code) {
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_URL_MALFORMAT:
	case CURLE_PEER_FAILED_VERIFICATION:
		return SF_PUSH_WRONG;
	default:
		return SF_PUSH_LATER;
	}
}

static void prepare(struct sf_push_http *h, const struct sf_push_request *r,
		    struct curl_slist *header, struct sf_str *body)
{
	long ms = (long)(h->timeout / NS_PER_MS);

	h->curl.easy_reset(h->easy);
	h->curl.easy_setopt(h->easy, CURLOPT_URL, r->url.buf);
	h->curl.easy_setopt(h->easy, CURLOPT_PROTOCOLS_STR, "http,https");
	h->curl.easy_setopt(h->easy, CURLOPT_HTTPHEADER, header);
	h->curl.easy_setopt(h->easy, CURLOPT_POST, 1L);
	h->curl.easy_setopt(h->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.len);
	h->curl.easy_setopt(h->easy, CURLOPT_POSTFIELDS, r->body.buf);
	h->curl.easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, on_body);
	h->curl.easy_setopt(h->easy, CURLOPT_WRITEDATA, body);
	h->curl.easy_setopt(h->easy, CURLOPT_NOSIGNAL, 1L);
	h->curl.easy_setopt(h->easy, CURLOPT_NETRC, (long)CURL_NETRC_OPTIONAL);
	h->curl.easy_setopt(h->easy, CURLOPT_CONNECTTIMEOUT_MS, ms < CONNECT_MS ? ms : (long)CONNECT_MS);
	h->curl.easy_setopt(h->easy, CURLOPT_TIMEOUT_MS, ms);
	h->curl.easy_setopt(h->easy, CURLOPT_USERAGENT, "snapflame/" SNAPFLAME_VERSION);
}

/* Its words, one line, fit for a terminal. */
static void add_words(struct sf_str *to, const struct sf_str *body)
{
	size_t len = strcspn(body->buf, "\r\n");

	if (!len)
		return;
	sf_str_add(to, ": ");
	sf_str_add_printable(to, body->buf, len);
}

void sf_push_http_post(struct sf_push_http *h, const struct sf_push_request *r,
		       struct sf_push_reply *reply)
{
	struct sf_str line = SF_STR_INIT, body = SF_STR_INIT;
	struct curl_slist type = { .next = h->header };
	curl_off_t after = 0;
	long status = 0;
	CURLcode code;

	*reply = (struct sf_push_reply){ .words = SF_STR_INIT };
	sf_str_addf(&line, "Content-Type: %s", r->type.buf);
	type.data = line.buf;
	prepare(h, r, &type, &body);
	code = h->curl.easy_perform(h->easy);
	if (code) {
		reply->answer = answer_of_failure(code);
		sf_str_add(&reply->words, h->curl.easy_strerror(code));
	} else {
		h->curl.easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
		h->curl.easy_getinfo(h->easy, CURLINFO_RETRY_AFTER, &after);
		reply->answer = answer_of(status);
		reply->retry_after = after > 0 && after < 86400 ? (uint64_t)after * 1000 * NS_PER_MS : 0;
		sf_str_addf(&reply->words, "the server says %ld", status);
		add_words(&reply->words, &body);
	}
	h->curl.easy_setopt(h->easy, CURLOPT_HTTPHEADER, NULL);
	sf_str_release(&line);
	sf_str_release(&body);
}

#else

struct sf_push_http {
	char unused;
};

int sf_push_http_open(struct sf_push_http **h, const char *const *header, uint64_t timeout,
		      struct sf_error *err)
{
	*h = NULL;
	return sf_error_set(err, -ENOTSUP, "built without libcurl: write the profile with -o and post it "
			    "with another program");
}

void sf_push_http_free(struct sf_push_http *h)
{
}

void sf_push_http_post(struct sf_push_http *h, const struct sf_push_request *r,
		       struct sf_push_reply *reply)
{
	*reply = (struct sf_push_reply){ .answer = SF_PUSH_WRONG, .words = SF_STR_INIT };
}

#endif
