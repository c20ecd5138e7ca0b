/* SPDX-License-Identifier: GPL-2.0-only */
/* Sending what is in the spool: tries with growing pauses between them, until a deadline. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "render/push_impl.h"

#define NS_PER_S UINT64_C(1000000000)
#define TIMEOUT (10 * NS_PER_S)
#define FIRST_PAUSE (NS_PER_S / 2)
#define LONGEST_PAUSE (16 * NS_PER_S)

struct sf_push {
	struct sf_push_http *http;
	char *url, *path;
	int dir, lock;
	uint64_t retry;
};

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * NS_PER_S + (uint64_t)t.tv_nsec;
}

static void rest(uint64_t ns)
{
	struct timespec t = { (time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S) };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

/* The directory and those above it, for this user only. */
static int make_dirs(const char *path)
{
	char *copy = strdup(path);
	int ret = 0;

	if (!copy)
		return -ENOMEM;
	for (char *p = copy; !ret && (p = strchr(p + 1, '/'));) {
		*p = '\0';
		if (mkdir(copy, 0700) && errno != EEXIST)
			ret = -errno;
		*p = '/';
	}
	free(copy);
	return ret ? ret : mkdir(path, 0700) && errno != EEXIST ? -errno : 0;
}

static int open_spool(struct sf_push *p, struct sf_error *err)
{
	int ret = make_dirs(p->path);

	if (!ret) {
		p->dir = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		ret = p->dir < 0 ? -errno : 0;
	}
	if (!ret) {
		p->lock = openat(p->dir, ".lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
		ret = p->lock < 0 ? -errno : 0;
	}
	return ret ? sf_error_at(err, ret, p->path, 0, "the spool cannot be used: %s", strerror(-ret))
		   : 0;
}

int sf_push_open(struct sf_push **out, const struct sf_push_opts *o, struct sf_error *err)
{
	struct sf_push *p;
	int ret;

	*out = NULL;
	if (o->url && !sf_push_server_of(o->url))
		return sf_error_set(err, -EINVAL, "%s: the URL says whose interface it is: "
				    "http://HOST:4040/ingest is Pyroscope's, "
				    "http://HOST:7070/profiles/writeraw Parca's", o->url);
	p = calloc(1, sizeof(*p));
	if (!p)
		return sf_error_set(err, -ENOMEM, "out of memory");
	p->dir = p->lock = -1;
	p->retry = o->retry;
	p->path = strdup(o->spool);
	p->url = o->url ? strdup(o->url) : NULL;
	ret = p->path && (p->url || !o->url) ? 0 : sf_error_set(err, -ENOMEM, "out of memory");
	if (!ret)
		ret = sf_push_http_open(&p->http, o->header, o->timeout ? o->timeout : TIMEOUT, err);
	if (!ret)
		ret = open_spool(p, err);
	if (ret) {
		sf_push_free(p);
		return ret;
	}
	*out = p;
	return 0;
}

void sf_push_free(struct sf_push *p)
{
	if (!p)
		return;
	sf_push_http_free(p->http);
	if (p->lock >= 0)
		close(p->lock);
	if (p->dir >= 0)
		close(p->dir);
	free(p->path);
	free(p->url);
	free(p);
}

int sf_push_add(struct sf_push *p, const struct sf_push_profile *profile, struct sf_error *err)
{
	struct sf_push_request r;
	struct sf_str name = SF_STR_INIT;
	int ret = sf_push_request_make(&r, p->url, profile);

	if (!ret) {
		ret = sf_push_spool_keep(p->dir, &r, &name);
		sf_push_request_release(&r);
	}
	sf_str_release(&name);
	return ret ? sf_error_at(err, ret, p->path, 0, "a profile cannot be kept: %s", strerror(-ret)) : 0;
}

/* --------------------------------------------------------------------- sending */

struct sending {
	struct sf_push *p;
	struct sf_push_stats *stats;
	struct sf_error *err;
	uint64_t deadline, pause;
	bool stop; /* it is of no use to go on */
};

/* Kept under another name, which nobody sends. */
static int reject(struct sending *s, const char *name, const char *why)
{
	struct sf_str to = SF_STR_INIT;
	int ret;

	sf_str_addf(&to, "%s.rejected", name);
	ret = sf_str_failed(&to) ? -ENOMEM
	      : renameat(s->p->dir, name, s->p->dir, to.buf) ? -errno : 0;
	if (!ret) {
		s->stats->rejected++;
		s->stats->waiting--;
		sf_error_set(s->err, -EBADMSG, "%s; kept as %s/%s", why, s->p->path, to.buf);
	} else {
		sf_error_at(s->err, ret, s->p->path, 0, "%s", strerror(-ret));
		s->stop = true;
	}
	sf_str_release(&to);
	return ret;
}

/* Between half of it and half as long again: many hosts must not come back at once. */
static uint64_t scattered(uint64_t ns)
{
	uint32_t r = 0;

	if (getrandom(&r, sizeof(r), GRND_NONBLOCK) != sizeof(r))
		r = 1U << 31;
	return ns / 2 + (uint64_t)((double)ns * r / 4294967296.0);
}

/* False where the time is over. */
static bool wait_for(struct sending *s, uint64_t retry_after)
{
	uint64_t ns = scattered(s->pause);

	s->pause = s->pause < LONGEST_PAUSE ? 2 * s->pause : LONGEST_PAUSE;
	if (ns < retry_after)
		ns = retry_after;
	if (now() + ns > s->deadline)
		return false;
	rest(ns);
	return true;
}

static void send_one(struct sending *s, const char *name, const struct sf_push_request *r)
{
	struct sf_push_reply reply;
	bool again;

	do {
		s->stats->tries++;
		sf_push_http_post(s->p->http, r, &reply);
		again = false;
		switch (reply.answer) {
		case SF_PUSH_TAKEN:
			s->pause = FIRST_PAUSE;
			s->stats->sent++;
			s->stats->waiting--;
			unlinkat(s->p->dir, name, 0);
			break;
		case SF_PUSH_REFUSED:
			reject(s, name, reply.words.buf);
			break;
		case SF_PUSH_LATER:
			again = wait_for(s, reply.retry_after);
			s->stop = !again;
			break;
		case SF_PUSH_WRONG:
			s->stop = true;
		}
		if (s->stop && !s->stats->rejected)
			sf_error_set(s->err, -EAGAIN, "%.*s: %s", (int)strcspn(r->url.buf, "?"),
				     r->url.buf, reply.words.buf);
		sf_str_release(&reply.words);
	} while (again);
}

/* One sender at a time, or what waits would be sent twice. */
static int lock(struct sending *s)
{
	while (flock(s->p->lock, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return sf_error_at(s->err, -errno, s->p->path, 0, "%s", strerror(errno));
		if (now() > s->deadline)
			return sf_error_set(s->err, -EAGAIN, "another snapflame sends from there");
		rest(NS_PER_S / 10);
	}
	return 0;
}

static void send_all(struct sending *s, char **name, size_t nr)
{
	for (size_t i = 0; i < nr && !s->stop; i++) {
		struct sf_push_request r;
		int ret = sf_push_spool_read(s->p->dir, name[i], &r);

		if (ret == -EBADMSG) {
			reject(s, name[i], "a damaged file in the spool");
			continue;
		}
		if (ret) {
			sf_error_at(s->err, ret, name[i], 0, "%s", strerror(-ret));
			s->stop = true;
			break;
		}
		send_one(s, name[i], &r);
		sf_push_request_release(&r);
	}
}

int sf_push_send(struct sf_push *p, struct sf_push_stats *stats, struct sf_error *err)
{
	struct sending s = { .p = p, .stats = stats, .err = err, .deadline = now() + p->retry,
			     .pause = FIRST_PAUSE };
	char **name = NULL;
	long nr;
	int ret;

	*stats = (struct sf_push_stats){ 0 };
	ret = lock(&s);
	nr = sf_push_spool_list(p->dir, &name);
	stats->waiting = nr > 0 ? (size_t)nr : 0;
	if (!ret && nr < 0)
		ret = sf_error_at(err, (int)nr, p->path, 0, "%s", strerror((int)-nr));
	if (!ret) {
		send_all(&s, name, stats->waiting);
		ret = stats->waiting ? -EAGAIN : stats->rejected ? -EBADMSG : 0;
		flock(p->lock, LOCK_UN);
	}
	for (long i = 0; i < nr; i++)
		free(name[i]);
	free(name);
	return ret;
}
