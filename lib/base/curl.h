/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * libcurl, loaded when the first request is made: with the libraries that it needs itself it is most
 * of what starting a program takes, and few runs ask anybody anything.
 */
#ifndef SNAPFLAME_BASE_CURL_H
#define SNAPFLAME_BASE_CURL_H

#ifdef HAVE_CURL

#include <curl/curl.h>

#include <snapflame/error.h>

struct sf_curl {
	CURL *(*easy_init)(void);
	void (*easy_cleanup)(CURL *);
	void (*easy_reset)(CURL *);
	CURLcode (*easy_setopt)(CURL *, CURLoption, ...);
	CURLcode (*easy_getinfo)(CURL *, CURLINFO, ...);
	CURLcode (*easy_perform)(CURL *);
	const char *(*easy_strerror)(CURLcode);
	CURLM *(*multi_init)(void);
	CURLMcode (*multi_cleanup)(CURLM *);
	CURLMcode (*multi_add_handle)(CURLM *, CURL *);
	CURLMcode (*multi_remove_handle)(CURLM *, CURL *);
	CURLMcode (*multi_perform)(CURLM *, int *);
	CURLMcode (*multi_poll)(CURLM *, struct curl_waitfd *, unsigned, int, int *);
	CURLMsg *(*multi_info_read)(CURLM *, int *);
	struct curl_slist *(*slist_append)(struct curl_slist *, const char *);
	void (*slist_free_all)(struct curl_slist *);
};

/* -ENOTSUP where it is not installed, or older than what this was built with. It stays loaded. */
int sf_curl_load(struct sf_curl *curl, struct sf_error *err);

#endif
#endif
