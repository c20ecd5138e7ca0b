/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A request in a file: a line of JSON and the body,
 *
 *	{"url": "http://…/ingest?name=…", "type": "multipart/form-data; …", "length": 5132}
 *
 * The file's name begins with the time, so that names sort by age. Only this user can read it: a URL may
 * have a password in it.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <snapflame/array.h>

#include "render/push_impl.h"

#define SUFFIX ".push"
enum { MAX_SIZE = 256 << 20 };

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_file(int dir, const char *name, const struct sf_str *head, const struct sf_str *body)
{
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), ret;

	if (fd < 0)
		return -errno;
	ret = write_all(fd, head->buf, head->len);
	if (!ret)
		ret = write_all(fd, body->buf, body->len);
	if (!ret && fsync(fd))
		ret = -errno;
	close(fd);
	return ret;
}

int sf_push_spool_keep(int dir, const struct sf_push_request *r, struct sf_str *name)
{
	struct sf_str head = SF_STR_INIT, temp = SF_STR_INIT;
	struct timespec now;
	uint32_t random;
	json_t *o = json_pack("{s:s, s:s, s:I}", "url", r->url.buf, "type", r->type.buf, "length",
			      (json_int_t)r->body.len);
	char *line = o ? json_dumps(o, 0) : NULL;
	int ret = line && getrandom(&random, sizeof(random), 0) == sizeof(random) ? 0 : -ENOMEM;

	if (!ret) {
		clock_gettime(CLOCK_REALTIME, &now);
		sf_str_addf(name, "%012lld.%09ld-%08" PRIx32 SUFFIX, (long long)now.tv_sec, now.tv_nsec,
			    random);
		sf_str_addf(&temp, ".%s", name->buf);
		sf_str_addf(&head, "%s\n", line);
		ret = sf_str_failed(name) || sf_str_failed(&temp) || sf_str_failed(&head) ? -ENOMEM : 0;
	}
	if (!ret)
		ret = write_file(dir, temp.buf, &head, &r->body);
	if (!ret && (renameat(dir, temp.buf, dir, name->buf) || fsync(dir)))
		ret = -errno;
	if (ret && temp.len)
		unlinkat(dir, temp.buf, 0);
	free(line);
	json_decref(o);
	sf_str_release(&head);
	sf_str_release(&temp);
	return ret;
}

/* The head's line, with its LF, out of text; -EBADMSG. */
static int parse(const struct sf_str *text, struct sf_push_request *r)
{
	const char *lf = memchr(text->buf, '\n', text->len);
	size_t head = lf ? (size_t)(lf - text->buf) + 1 : 0;
	json_t *o = head ? json_loadb(text->buf, head, 0, NULL) : NULL;
	const char *url = json_string_value(json_object_get(o, "url"));
	const char *type = json_string_value(json_object_get(o, "type"));
	json_int_t len = json_integer_value(json_object_get(o, "length"));
	int ret = -EBADMSG;

	if (url && type && len > 0 && (size_t)len == text->len - head && !strpbrk(type, "\r\n")) {
		sf_str_add(&r->url, url);
		sf_str_add(&r->type, type);
		sf_str_addn(&r->body, text->buf + head, text->len - head);
		ret = sf_str_failed(&r->url) || sf_str_failed(&r->type) || sf_str_failed(&r->body)
			      ? -ENOMEM : 0;
	}
	json_decref(o);
	return ret;
}

static int slurp(int fd, struct sf_str *text)
{
	char buf[1 << 15];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf)))) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (text->len > MAX_SIZE)
			return -EBADMSG;
		sf_str_addn(text, buf, (size_t)n);
	}
	return sf_str_failed(text) ? -ENOMEM : 0;
}

int sf_push_spool_read(int dir, const char *name, struct sf_push_request *r)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC), ret;
	struct sf_str text = SF_STR_INIT;

	sf_str_init(&r->url);
	sf_str_init(&r->type);
	sf_str_init(&r->body);
	if (fd < 0)
		return -errno;
	ret = slurp(fd, &text);
	close(fd);
	if (!ret)
		ret = parse(&text, r);
	sf_str_release(&text);
	if (ret)
		sf_push_request_release(r);
	return ret;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

long sf_push_spool_list(int dir, char ***names)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	size_t nr = 0, alloc = 0, n;
	struct dirent *e;

	*names = NULL;
	if (!d)
		return -errno;
	while ((e = readdir(d))) {
		n = strlen(e->d_name);
		if (e->d_name[0] == '.' || n < sizeof(SUFFIX) ||
		    strcmp(e->d_name + n - sizeof(SUFFIX) + 1, SUFFIX))
			continue;
		if (SF_GROW(*names, nr + 1, alloc))
			break;
		(*names)[nr] = strdup(e->d_name);
		if (!(*names)[nr])
			break;
		nr++;
	}
	closedir(d);
	if (nr)
		qsort(*names, nr, sizeof(**names), by_name);
	return (long)nr;
}
