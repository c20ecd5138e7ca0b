/* SPDX-License-Identifier: GPL-2.0-only */
#include "symbol/debuginfod.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* debuginfod_find_executable(3): a descriptor and a malloc'd path, or a negative errno. */
typedef int (*find_fn)(void *client, const unsigned char *id, int len, char **path);

/* Loaded when it is asked for: few want it, and it brings libcurl and its libraries along. */
static bool find(void *lib, const struct sf_build_id *id, const char *function, char *path,
		 size_t size)
{
	void *(*begin)(void) = (void *(*)(void))dlsym(lib, "debuginfod_begin");
	void (*end)(void *) = (void (*)(void *))dlsym(lib, "debuginfod_end");
	find_fn ask = (find_fn)dlsym(lib, function);
	char *found = NULL;
	bool fits = false;
	void *client;
	int fd;

	client = begin && end && ask ? begin() : NULL;
	if (!client)
		return false;
	fd = ask(client, id->data, id->size, &found);
	if (fd >= 0) {
		close(fd);
		fits = found && (size_t)snprintf(path, size, "%s", found) < size;
	}
	free(found);
	end(client);
	return fits;
}

bool sf_debuginfod_find(const struct sf_build_id *id, enum sf_debuginfod_what what, char *path,
			size_t size)
{
	const char *urls = getenv("DEBUGINFOD_URLS");
	bool found;
	void *lib;

	if (!id->size || !urls || !urls[0])
		return false;
	/* It stays, with all that it needs: what that sets up is not given back when it is closed. */
	lib = dlopen("libdebuginfod.so.1", RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!lib)
		return false;
	found = find(lib, id,
		     what == SF_DEBUGINFOD_EXECUTABLE ? "debuginfod_find_executable"
						      : "debuginfod_find_debuginfo",
		     path, size);
	dlclose(lib);
	return found;
}
