/* SPDX-License-Identifier: GPL-2.0-only */
#include "base/curl.h"

#ifdef HAVE_CURL

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <snapflame/array.h>

/* The name has stood since 2006; libcurl keeps what programs of any age call. */
#define LIBRARY "libcurl.so.4"

static const struct {
	const char *name;
	size_t at;
} functions[] = {
	{ "curl_easy_init", offsetof(struct sf_curl, easy_init) },
	{ "curl_easy_cleanup", offsetof(struct sf_curl, easy_cleanup) },
	{ "curl_easy_reset", offsetof(struct sf_curl, easy_reset) },
	{ "curl_easy_setopt", offsetof(struct sf_curl, easy_setopt) },
	{ "curl_easy_getinfo", offsetof(struct sf_curl, easy_getinfo) },
	{ "curl_easy_perform", offsetof(struct sf_curl, easy_perform) },
	{ "curl_easy_strerror", offsetof(struct sf_curl, easy_strerror) },
	{ "curl_multi_init", offsetof(struct sf_curl, multi_init) },
	{ "curl_multi_cleanup", offsetof(struct sf_curl, multi_cleanup) },
	{ "curl_multi_add_handle", offsetof(struct sf_curl, multi_add_handle) },
	{ "curl_multi_remove_handle", offsetof(struct sf_curl, multi_remove_handle) },
	{ "curl_multi_perform", offsetof(struct sf_curl, multi_perform) },
	{ "curl_multi_poll", offsetof(struct sf_curl, multi_poll) },
	{ "curl_multi_info_read", offsetof(struct sf_curl, multi_info_read) },
	{ "curl_slist_append", offsetof(struct sf_curl, slist_append) },
	{ "curl_slist_free_all", offsetof(struct sf_curl, slist_free_all) },
};

int sf_curl_load(struct sf_curl *curl, struct sf_error *err)
{
	/* Not to be unloaded: what it began (TLS, resolvers) has no end that is safe. */
	void *lib = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);

	memset(curl, 0, sizeof(*curl));
	if (!lib)
		return sf_error_set(err, -ENOTSUP, "no HTTP without " LIBRARY
				    " (Debian package: libcurl4): %s", dlerror());
	for (size_t i = 0; i < SF_ARRAY_SIZE(functions); i++) {
		void *f = dlsym(lib, functions[i].name);

		if (!f) {
			dlclose(lib);
			return sf_error_set(err, -ENOTSUP, "no HTTP: " LIBRARY " has no %s",
					    functions[i].name);
		}
		memcpy((char *)curl + functions[i].at, &f, sizeof(f));
	}
	dlclose(lib);
	return 0;
}

#endif
