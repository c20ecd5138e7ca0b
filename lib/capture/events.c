/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>


#include "events_impl.h"
#include "proc.h"

#ifdef HAVE_PERF
/* Before perf/core.h as that lacks the header of what it uses. */
#include <stdarg.h>

#include <perf/core.h>
#include <perf/cpumap.h>
#include <perf/evlist.h>
#include <perf/evsel.h>
#include <perf/threadmap.h>
#include <sys/syscall.h>

enum { WIDE, TASK };
enum { PATIENCE = 10, SETTLE_US = 100000 };

static int open_event(struct sf_perf_event *ev)
{
	int *before = NULL, ret;
	size_t alloc = 0, nr = sf_perf_fds(&before, &alloc);

	ev->nr = 0;
	ret = perf_evsel__open(ev->evsel, perf_evsel__cpus(ev->evsel),
			       perf_evsel__threads(ev->evsel));
	if (!ret)
		ret = sf_perf_take_fds(ev, before, nr);
	if (ret)
		perf_evsel__close(ev->evsel);
	free(before);
	return ret;
}

static void drop_event(struct sf_events *e, struct sf_perf_event *ev)
{
	if (!ev->evsel)
		return;
	perf_evlist__remove(e->list[ev->wide ? WIDE : TASK], ev->evsel);
	perf_evsel__close(ev->evsel);
	perf_evsel__delete(ev->evsel);
	ev->evsel = NULL;
	ev->nr = 0;
}

/* The kernel lowers it where samples took it too long. 0: not known */
static uint64_t max_sample_rate(void)
{
	char buf[32];

	if (sf_proc_read("/proc/sys/kernel/perf_event_max_sample_rate", buf, sizeof(buf)) <= 0)
		return 0;
	return strtoull(buf, NULL, 10);
}

/* What an older kernel or fewer rights refuse, given up one by one. true: try again. */
static bool give_up_something(struct sf_events *e, struct sf_perf_event *ev, int error,
			      struct sf_missing *missing)
{
	struct perf_event_attr *a = perf_evsel__attr(ev->evsel);
	uint64_t rate = a->freq ? max_sample_rate() : 0;

	if ((error == -EACCES || error == -EPERM) && !a->exclude_kernel &&
		   a->type == PERF_TYPE_SOFTWARE) {
		a->exclude_kernel = 1;
		e->user_only = true;
	} else if (error == -EINVAL && rate && a->sample_freq > rate) {
		sf_missing_add(missing,
			       "%llu samples a second: the kernel allows %llu; for more, run: sysctl "
			       "kernel.perf_event_max_sample_rate=%llu",
			       (unsigned long long)a->sample_freq, (unsigned long long)rate,
			       (unsigned long long)a->sample_freq);
		a->sample_freq = rate;
	} else {
		return false;
	}
	ev->attr = *a;
	return true;
}

static void say_missing(struct sf_missing *missing, const struct sf_perf_event *ev, int error)
{
	const char *wide = !ev->wide && sf_events_system_allowed() ? ", or record with --scope system" : "";

	if (error == -EACCES || error == -EPERM)
		sf_missing_add(missing,
			       "%s: not permitted; record as root, or run: sysctl "
			       "kernel.perf_event_paranoid=-1",
			       ev->name);
	else if (error == -EMFILE)
		sf_missing_add(missing,
			       "%s: takes more descriptors (one for each %s) than ulimit -n allows; "
			       "raise it%s",
			       ev->name, ev->wide ? "CPU" : "thread and CPU", wide);
	else
		sf_missing_add(missing, "%s: %s", ev->name, strerror(-error));
}

/*
 * -ESRCH: a thread exited meanwhile, everything of the task list has to be opened again. The sideband
 * first: where there are not descriptors for all, it says most.
 */
static int open_list(struct sf_events *e, int which, struct sf_missing *missing)
{
	for (int n = -1; n < SF_EV_NR; n++) {
		struct sf_perf_event *ev = &e->event[n < 0 ? SF_EV_SIDEBAND : n];
		int ret;

		if (n == SF_EV_SIDEBAND)
			continue;
		if (!ev->evsel || ev->wide != (which == WIDE))
			continue;
		do
			ret = open_event(ev);
		while (ret && give_up_something(e, ev, ret, missing));
		if (ret == -ESRCH)
			return ret;
		if (ret) {
			say_missing(missing, ev, ret);
			drop_event(e, ev);
			e->no_files |= ret == -EMFILE;
		}
	}
	return 0;
}

static int add_events(struct sf_events *e, int which, const struct sf_events_opts *o,
		      const struct sf_tracefs *fs, struct sf_missing *missing)
{
	e->list[which] = perf_evlist__new();
	if (!e->list[which])
		return -ENOMEM;
	for (int i = 0; i < SF_EV_NR; i++) {
		struct sf_perf_event *ev = &e->event[i];
		int ret;

		if (!sf_event_wanted(i, o) || ev->wide != (which == WIDE))
			continue;
		ret = sf_event_attr(ev, i, o, fs);
		if (ret) {
			if (fs->dir >= 0) /* else said once, for all of them */
				say_missing(missing, ev, ret);
			continue;
		}
		if (e->user_only)
			ev->attr.exclude_kernel = 1;
		ev->evsel = perf_evsel__new(&ev->attr);
		if (!ev->evsel)
			return -ENOMEM;
		perf_evlist__add(e->list[which], ev->evsel);
	}
	return 0;
}

static void close_list(struct sf_events *e, int which)
{
	for (int i = 0; i < SF_EV_NR; i++) {
		if (e->event[i].wide == (which == WIDE))
			drop_event(e, &e->event[i]);
	}
	if (e->list[which]) {
		perf_evlist__munmap(e->list[which]);
		perf_evlist__delete(e->list[which]);
	}
	e->list[which] = NULL;
}

/* The target's threads; where before is not NULL, those of them that were there before. */
static int list_tasks(pid_t pid, const pid_t *before, int nr_before, pid_t **tid)
{
	int nr = sf_proc_tids(pid, tid), kept = 0;

	/* Both are sorted. */
	for (int i = 0, k = 0; before && i < nr; i++) {
		while (k < nr_before && before[k] < (*tid)[i])
			k++;
		if (k < nr_before && before[k] == (*tid)[i])
			(*tid)[kept++] = (*tid)[i];
	}
	return before && nr > 0 ? kept : nr;
}

static int keep_cpus(struct sf_events *e, struct perf_cpu_map *cpus)
{
	int nr = perf_cpu_map__nr(cpus);

	e->cpu = calloc((size_t)nr + 1, sizeof(*e->cpu));
	if (!e->cpu)
		return -ENOMEM;
	e->nr_cpus = (size_t)nr;
	for (int i = 0; i < nr; i++)
		e->cpu[i] = (unsigned)perf_cpu_map__cpu(cpus, i).cpu;
	return 0;
}

static int open_with_maps(struct sf_events *e, int which, const struct sf_events_opts *o,
			  const pid_t *before, int nr_before, const struct sf_tracefs *fs,
			  struct sf_missing *missing)
{
	struct perf_cpu_map *cpus = perf_cpu_map__new(NULL);
	struct perf_thread_map *threads = NULL;
	int ret = -ENOMEM, nr = 0;
	pid_t *tid = NULL;

	if (which == TASK)
		nr = list_tasks(o->pid, before, nr_before, &tid);
	if (nr < 0)
		ret = nr;
	else
		threads = which == WIDE ? perf_thread_map__new_dummy()
					: perf_thread_map__new_array(nr, tid);
	if (cpus && which == WIDE && nr >= 0)
		nr = keep_cpus(e, cpus);
	if (cpus && threads && nr >= 0)
		ret = add_events(e, which, o, fs, missing);
	if (!ret) {
		perf_evlist__set_maps(e->list[which], cpus, threads);
		ret = open_list(e, which, missing);
	}
	perf_cpu_map__put(cpus);
	perf_thread_map__put(threads);
	free(tid);
	return ret;
}

static int open_task_list(struct sf_events *e, const struct sf_events_opts *o,
			  const struct sf_tracefs *fs, struct sf_missing *missing)
{
	int ret = -ESRCH, nr;
	pid_t *tid;

	/* At 250 new threads a second every fifth attempt fails. */
	for (int i = 0; i < PATIENCE && ret == -ESRCH; i++) {
		close_list(e, TASK);
		ret = open_with_maps(e, TASK, o, NULL, 0, fs, missing);
	}
	if (ret != -ESRCH)
		return ret;
	/* With thousands of threads one always exits meanwhile: those that stay, then. */
	nr = sf_proc_tids(o->pid, &tid);
	if (nr < 0)
		return nr;
	for (int i = 0; i < PATIENCE && ret == -ESRCH; i++) {
		usleep(SETTLE_US);
		close_list(e, TASK);
		ret = open_with_maps(e, TASK, o, tid, nr, fs, missing);
	}
	free(tid);
	if (!ret)
		sf_missing_add(missing, "threads that began while events were opened: too many come and "
					"go; record with --scope system");
	return ret;
}

/*
 * Pages of a ring: for a second or two of a busy CPU, whose samples and switches come with a piece of
 * stack, because the reader has a low priority; less where there are many CPUs.
 */
static int ring_pages(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN), page = sysconf(_SC_PAGESIZE);
	long bytes = cpus <= 16 ? 16 << 20 : cpus <= 64 ? 4 << 20 : 1 << 20;

	return (int)(bytes / page);
}

/* Can so many rings be mapped? Tried on events of our own: libperf 6.1 crashes when its are mapped
 * again after a failure. */
static bool rings_fit(int pages, size_t rings)
{
	struct perf_event_attr a = {
		.size = sizeof(a), .type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_DUMMY,
		.exclude_kernel = 1,
	};
	size_t size = (size_t)(pages + 1) * (size_t)sysconf(_SC_PAGESIZE), n = 0;
	struct {
		int fd;
		void *map;
	} *ring = calloc(rings, sizeof(*ring));
	bool fit = ring != NULL;

	for (; fit && n < rings; n++) {
		ring[n].map = MAP_FAILED;
		ring[n].fd = (int)syscall(SYS_perf_event_open, &a, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
		if (ring[n].fd >= 0)
			ring[n].map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, ring[n].fd, 0);
		fit = ring[n].map != MAP_FAILED;
	}
	while (n-- > 0) {
		if (ring[n].map != MAP_FAILED)
			munmap(ring[n].map, size);
		if (ring[n].fd >= 0)
			close(ring[n].fd);
	}
	free(ring);
	return fit;
}

static int map_rings(struct sf_events *e, struct sf_error *err)
{
	size_t rings = 0;
	int pages = ring_pages(), ret = 0;

	for (int i = 0; i < 2; i++)
		if (e->list[i] && perf_evlist__next(e->list[i], NULL))
			rings += (size_t)sysconf(_SC_NPROCESSORS_ONLN);
	/* Locked memory is limited for users: half the size until it fits. */
	while (pages > 1 && !rings_fit(pages, rings))
		pages /= 2;
	errno = 0;
	for (int i = 0; i < 2 && !ret; i++)
		if (e->list[i] && perf_evlist__next(e->list[i], NULL))
			ret = perf_evlist__mmap(e->list[i], pages);
	if (!ret)
		return sf_perf_find_rings(e);
	ret = ret < -1 ? ret : errno ? -errno : -ENOMEM;
	return sf_error_set(err, ret, "perf's buffers cannot be mapped: %s%s", strerror(-ret),
			    ret == -EPERM ? "; raise ulimit -l" : "");
}

static int no_print(enum libperf_print_level level, const char *fmt, va_list ap)
{
	return 0;
}

static void set_filter(struct sf_perf_event *ev, const char *filter)
{
	for (size_t i = 0; i < ev->nr; i++)
		ioctl(ev->fd[i], PERF_EVENT_IOC_SET_FILTER, filter);
}

/* Neither samples nor switches: say what would help. */
static int refused(const struct sf_events *e, const struct sf_events_opts *opts,
		   struct sf_error *err)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d", (int)opts->pid);
	if (e->no_files)
		return sf_error_set(err, -EMFILE,
				    "process %d has more threads than ulimit -n allows events for; raise "
				    "it, or record as root with --scope system",
				    (int)opts->pid);
	if (opts->scope == SF_SCOPE_SYSTEM)
		return sf_error_set(err, -EACCES,
				    "all CPUs cannot be recorded; record as root or with --scope vmm, "
				    "or run: sysctl kernel.perf_event_paranoid=-1");
	if (!stat(path, &st) && st.st_uid != geteuid())
		return sf_error_set(err, -EACCES,
				    "process %d belongs to another user; record as root",
				    (int)opts->pid);
	return sf_error_set(err, -EACCES,
			    "process %d cannot be recorded; record as root, or run: sysctl "
			    "kernel.perf_event_paranoid=2",
			    (int)opts->pid);
}

int sf_events_open(struct sf_events *e, const struct sf_events_opts *opts,
		   const struct sf_tracefs *fs, struct sf_missing *missing, struct sf_error *err)
{
	int ret;

	*e = (struct sf_events){ 0 };
	libperf_init(no_print);
	for (int i = 0; i < SF_EV_NR; i++) {
		e->event[i].name = sf_event_name(i);
		e->event[i].wide = sf_event_wide(i, opts);
	}
	if (opts->scope == SF_SCOPE_VMM && !sf_events_system_allowed())
		e->event[SF_EV_CLOCK].wide = false;
	ret = open_with_maps(e, WIDE, opts, NULL, 0, fs, missing);
	if (!ret)
		ret = open_task_list(e, opts, fs, missing);
	if (ret == -ESRCH || ret == -ENOENT) {
		ret = sf_error_set(err, -ESRCH, "process %d exited", (int)opts->pid);
	} else if (ret) {
		sf_error_set(err, ret, "perf events cannot be opened: %s", strerror(-ret));
	} else if (!e->event[SF_EV_CLOCK].evsel && !e->event[SF_EV_SIDEBAND].evsel) {
		ret = refused(e, opts, err);
	}
	if (!ret)
		ret = map_rings(e, err);
	if (ret) {
		sf_events_close(e);
		return ret;
	}
	set_filter(&e->event[SF_EV_SWITCH], "prev_pid != 0");
	if (opts->scope == SF_SCOPE_VMM && opts->pid_filter)
		set_filter(&e->event[SF_EV_WAKING], opts->pid_filter);
	if (e->event[SF_EV_KVM_EXIT].wide && opts->common_pid_filter)
		set_filter(&e->event[SF_EV_KVM_EXIT], opts->common_pid_filter);
	if (e->user_only)
		sf_missing_add(missing, "the kernel's part of samples and stacks: not permitted; "
					"record as root, or run: sysctl kernel.perf_event_paranoid=1");
	return 0;
}

void sf_events_enable_sideband(struct sf_events *e)
{
	if (e->event[SF_EV_SIDEBAND].evsel)
		perf_evsel__enable(e->event[SF_EV_SIDEBAND].evsel);
}

void sf_events_enable(struct sf_events *e, bool on)
{
	for (int i = 0; i < SF_EV_NR; i++) {
		struct perf_evsel *evsel = e->event[i].evsel;

		if (evsel && on)
			perf_evsel__enable(evsel);
		else if (evsel && i != SF_EV_SIDEBAND)
			perf_evsel__disable(evsel);
	}
}

int sf_events_running(const struct sf_events *e, uint64_t *ns)
{
	const struct sf_perf_event *ev = &e->event[SF_EV_SIDEBAND];
	struct {
		uint64_t value, enabled, running, id;
	} count;

	if (!ev->wide || !ev->nr)
		ev = &e->event[SF_EV_CLOCK];
	if (!ev->wide || !ev->nr || ev->nr != e->nr_cpus)
		return -ENOENT;
	for (size_t i = 0; i < ev->nr; i++) {
		if (read(ev->fd[i], &count, sizeof(count)) != sizeof(count))
			return -EIO;
		ns[i] = count.running;
	}
	return 0;
}

void sf_events_close(struct sf_events *e)
{
	close_list(e, WIDE);
	close_list(e, TASK);
	for (int i = 0; i < SF_EV_NR; i++) {
		free(e->event[i].fd);
		free(e->event[i].id);
	}
	free(e->ring);
	free(e->cpu);
	*e = (struct sf_events){ 0 };
}

bool sf_events_system_allowed(void)
{
	struct perf_event_attr a = {
		.size = sizeof(a),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_DUMMY,
		.disabled = 1,
	};
	int fd = (int)syscall(SYS_perf_event_open, &a, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

#else /* without libperf */

int sf_events_open(struct sf_events *e, const struct sf_events_opts *opts,
		   const struct sf_tracefs *fs, struct sf_missing *missing, struct sf_error *err)
{
	return sf_error_set(err, -ENOTSUP,
			    "built without libperf: install linux-source-6.1 and build again");
}

void sf_events_enable(struct sf_events *e, bool on)
{
}

void sf_events_enable_sideband(struct sf_events *e)
{
}

int sf_events_running(const struct sf_events *e, uint64_t *ns)
{
	return -ENOENT;
}

void sf_events_close(struct sf_events *e)
{
}

bool sf_events_system_allowed(void)
{
	return false;
}

#endif
