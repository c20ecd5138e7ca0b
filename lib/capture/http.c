/* SPDX-License-Identifier: GPL-2.0-only */
#include "http.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/curl.h"
#include "proc.h"

void sf_http_release(struct sf_http_reply *reply)
{
	free(reply->body);
	reply->body = NULL;
}

#ifdef HAVE_CURL

enum {
	BODY_MAX = 256 * 1024,
	HEAD_MAX = 64 * 1024,
	STEP_MS = 1000, /* libcurl's own timers are looked at that often */
};

struct call {
	struct sf_curl curl;
	CURL *easy;
	CURLM *multi;
	struct curl_slist *headers;
	struct sf_http_reply *reply;
	const struct sf_api_wait *wait;
	size_t head;
	bool too_long;
};

static size_t on_body(char *data, size_t size, size_t nr, void *arg)
{
	struct call *c = arg;
	size_t len = size * nr;
	char *p;

	c->too_long |= len > BODY_MAX - c->reply->len;
	p = c->too_long ? NULL : realloc(c->reply->body, c->reply->len + len + 1);
	if (!p)
		return 0;
	memcpy(p + c->reply->len, data, len);
	c->reply->len += len;
	p[c->reply->len] = '\0';
	c->reply->body = p;
	return len;
}

static size_t on_header(char *data, size_t size, size_t nr, void *arg)
{
	struct call *c = arg;

	c->head += size * nr;
	c->too_long |= c->head > HEAD_MAX;
	return c->too_long ? 0 : size * nr;
}

static int set_up(struct call *c, const char *sock, const char *method, const char *path,
		  const char *body)
{
	char url[256];

	c->easy = c->curl.easy_init();
	c->multi = c->curl.multi_init();
	c->headers = c->curl.slist_append(NULL, "Content-Type: application/json");
	if (!c->easy || !c->multi || !c->headers)
		return -ENOMEM;
	snprintf(url, sizeof(url), "http://localhost%s", path);
	c->curl.easy_setopt(c->easy, CURLOPT_URL, url);
	c->curl.easy_setopt(c->easy, CURLOPT_UNIX_SOCKET_PATH, sock);
	c->curl.easy_setopt(c->easy, CURLOPT_CUSTOMREQUEST, method);
	c->curl.easy_setopt(c->easy, CURLOPT_HTTPHEADER, c->headers);
	if (body)
		c->curl.easy_setopt(c->easy, CURLOPT_POSTFIELDS, body);
	c->curl.easy_setopt(c->easy, CURLOPT_WRITEFUNCTION, on_body);
	c->curl.easy_setopt(c->easy, CURLOPT_WRITEDATA, c);
	c->curl.easy_setopt(c->easy, CURLOPT_HEADERFUNCTION, on_header);
	c->curl.easy_setopt(c->easy, CURLOPT_HEADERDATA, c);
	c->curl.easy_setopt(c->easy, CURLOPT_PROXY, ""); /* whatever the environment says */
	c->curl.easy_setopt(c->easy, CURLOPT_NOSIGNAL, 1L);
	c->curl.easy_setopt(c->easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
	/* Asking a kept connection again after it broke would perform the call twice. */
	c->curl.easy_setopt(c->easy, CURLOPT_FRESH_CONNECT, 1L);
	c->curl.easy_setopt(c->easy, CURLOPT_FORBID_REUSE, 1L);
	return c->curl.multi_add_handle(c->multi, c->easy) ? -ENOMEM : 0;
}

static const char *why(const struct call *c, CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_CONNECT: return "nobody listens there: has the VMM exited?";
	case CURLE_GOT_NOTHING:
	case CURLE_RECV_ERROR:
	case CURLE_SEND_ERROR:
	case CURLE_PARTIAL_FILE: return "the connection was closed before the reply was there";
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY: return "the reply is not HTTP";
	default: return c->curl.easy_strerror(code);
	}
}

static int code_of(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_CONNECT: return -ECONNREFUSED;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY: return -EPROTO;
	case CURLE_OUT_OF_MEMORY: return -ENOMEM;
	default: return -ECONNRESET;
	}
}

static int drive(struct call *c, CURLcode *code)
{
	struct curl_waitfd fd[2] = { { c->wait->stop_fd, CURL_WAIT_POLLIN, 0 },
				     { c->wait->target_fd, CURL_WAIT_POLLIN, 0 } };
	struct sf_api_clock clock;
	int left, ret;
	CURLMsg *msg;

	sf_api_clock_start(&clock, c->wait);
	for (;;) {
		if (c->curl.multi_perform(c->multi, &left))
			return -EIO;
		c->reply->end = sf_now();
		while ((msg = c->curl.multi_info_read(c->multi, &left)))
			if (msg->msg == CURLMSG_DONE) {
				*code = msg->data.result;
				return 0;
			}
		ret = sf_api_clock_look(&clock, fd[0].revents, fd[1].revents);
		if (ret)
			return ret;
		if (clock.stopped)
			fd[0].fd = -1;
		if (c->curl.multi_poll(c->multi, fd, 2, sf_api_clock_ms(&clock, STEP_MS), NULL))
			return -EIO;
	}
}

static int fail(const struct call *c, int ret, CURLcode code, const char *what, struct sf_error *err)
{
	if (ret)
		return sf_api_fail(ret, c->wait, what, err);
	if (c->too_long)
		return sf_error_set(err, -E2BIG, "%s: the reply is longer than any API's", what);
	return sf_error_set(err, code_of(code), "%s: %s", what, why(c, code));
}

int sf_http_call(const char *sock, const char *method, const char *path, const char *body,
		 const struct sf_api_wait *wait, struct sf_http_reply *reply, struct sf_error *err)
{
	struct call c = { .reply = reply, .wait = wait };
	CURLcode code = CURLE_OK;
	char what[300];
	int ret;

	*reply = (struct sf_http_reply){ .body = calloc(1, 1) };
	snprintf(what, sizeof(what), "%s %s", method, path);
	ret = sf_curl_load(&c.curl, err);
	if (ret) {
		sf_http_release(reply);
		return ret;
	}
	ret = reply->body ? set_up(&c, sock, method, path, body) : -ENOMEM;
	reply->begin = reply->end = sf_now();
	if (!ret)
		ret = drive(&c, &code);
	if (ret || code)
		ret = fail(&c, ret, code, what, err);
	else
		c.curl.easy_getinfo(c.easy, CURLINFO_RESPONSE_CODE, &reply->status);
	if (c.multi && c.easy)
		c.curl.multi_remove_handle(c.multi, c.easy);
	c.curl.easy_cleanup(c.easy);
	c.curl.multi_cleanup(c.multi);
	c.curl.slist_free_all(c.headers);
	if (ret)
		sf_http_release(reply);
	return ret;
}

#else

int sf_http_call(const char *sock, const char *method, const char *path, const char *body,
		 const struct sf_api_wait *wait, struct sf_http_reply *reply, struct sf_error *err)
{
	*reply = (struct sf_http_reply){ .begin = sf_now(), .end = sf_now() };
	return sf_error_set(err, -ENOTSUP, "built without libcurl: no HTTP; use a command instead");
}

#endif
