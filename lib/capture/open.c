/* SPDX-License-Identifier: GPL-2.0-only */
/* Opening a capture: from the options to events that only wait to be enabled. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <time.h>
#include <unistd.h>

#include <snapflame/marks.h>

#include "frame_pointers.h"
#include "proc.h"
#include "session.h"

enum {
	DEFAULT_HZ = 997,
	FILES_WANTED = 1 << 20,
	OTHERS_FILES = 512, /* descriptors that events must leave to what else we do */
};

static int make_driver(struct sf_capture *c, struct sf_error *err)
{
	struct sf_branch none = { 0 };
	struct sf_vmm_opts vmm = {
		.sock = c->opts.firecracker ? c->opts.firecracker : c->opts.qmp,
		.dir = c->opts.snapshot_dir,
		.full = c->opts.snapshot_full,
		.timeout = c->opts.timeout,
	};
	int ret;

	if (c->opts.firecracker)
		return sf_driver_firecracker(&c->driver, &vmm, &c->pid, err);
	if (c->opts.qmp)
		return sf_driver_qmp(&c->driver, &vmm, &c->pid, err);
	if (c->opts.control) /* it decides when the next one begins */
		c->opts.gap = 0;
	if (c->opts.control)
		return sf_driver_control(&c->driver, c->opts.control, c->opts.json_fields, err);
	if (!c->opts.branch_cmd)
		return sf_driver_timer(&c->driver, c->opts.duration, err);
	ret = sf_driver_cmd(&c->driver, c->opts.branch_cmd, c->opts.out_fd, c->opts.json_fields,
			    err);
	if (ret || c->pid)
		return ret;
	/* The command itself is the target: it waits for its first window before it executes. */
	c->own_target = true;
	ret = c->driver->begin(c->driver, &none, err);
	if (!ret)
		c->pid = sf_driver_cmd_pid(c->driver);
	return ret;
}

static int look_at_target(struct sf_capture *c, struct sf_error *err)
{
	char path[64], buf[512];
	struct sf_proc_stat st;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)c->pid);
	if (sf_proc_read(path, buf, sizeof(buf)) <= 0 || sf_proc_parse_stat(buf, &st) ||
	    st.state == 'Z' || st.state == 'X')
		return sf_error_set(err, -ESRCH, "there is no process %d; --comm NAME finds one by its name",
				    (int)c->pid);
	memcpy(c->comm, st.comm, sizeof(c->comm));
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)c->pid);
	n = readlink(path, c->exe, sizeof(c->exe) - 1);
	c->exe[n > 0 ? n : 0] = '\0';
	if (c->own_target) {
		const char *slash = strrchr(c->opts.branch_cmd[0], '/');

		snprintf(c->comm, sizeof(c->comm), "%s",
			 slash ? slash + 1 : c->opts.branch_cmd[0]);
		snprintf(c->exe, sizeof(c->exe), "%s", c->opts.branch_cmd[0]);
	}
	c->target_fd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	/* A thread's id has no pidfd, and /proc shows it all the same. */
	if (c->target_fd < 0 && (errno == EINVAL || errno == ENOENT))
		return sf_error_set(err, -EINVAL, "%d is a thread; give its process", (int)c->pid);
	return c->target_fd < 0 ? sf_error_set(err, -errno, "process %d: %s", (int)c->pid,
					       strerror(errno))
				: 0;
}

/* Frame pointers cost least; where there are none, or nobody to unwind, there is no choice. */
static void choose_call_graph(struct sf_capture *c)
{
	char path[64];

	if (c->opts.call_graph != SF_CALL_GRAPH_AUTO)
		return;
	c->opts.call_graph = SF_CALL_GRAPH_FP;
#ifdef HAVE_DW
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)c->pid);
	if (!sf_has_frame_pointers(c->own_target ? sf_driver_cmd_path(c->driver) : path))
		c->opts.call_graph = SF_CALL_GRAPH_DWARF;
#else
	(void)path;
#endif
}

/* Does the target run virtual machines on KVM? */
static bool uses_kvm(pid_t pid)
{
	char dir[64], path[96], link[64];
	pid_t *fd;
	int nr;
	bool found = false;

	snprintf(dir, sizeof(dir), "/proc/%d/fd", (int)pid);
	nr = sf_proc_numbers(dir, &fd);
	for (int i = 0; i < nr && !found; i++) {
		ssize_t n;

		snprintf(path, sizeof(path), "%s/%d", dir, (int)fd[i]);
		n = readlink(path, link, sizeof(link) - 1);
		link[n > 0 ? n : 0] = '\0';
		found = !strcmp(link, "/dev/kvm") || !strncmp(link, "anon_inode:kvm-", 15);
	}
	if (nr >= 0)
		free(fd);
	return found;
}

/*
 * A descriptor for each event, CPU and thread, four for each thread polled: as many as we can have,
 * but for some to spare.
 */
static void raise_files(rlim_t spare)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r))
		return;
	/* Root may have more than its limit; the kernel's own is fs.nr_open. */
	if (r.rlim_max < FILES_WANTED) {
		const struct rlimit more = { FILES_WANTED, FILES_WANTED };

		if (!setrlimit(RLIMIT_NOFILE, &more))
			r = more;
	}
	r.rlim_cur = r.rlim_max - (spare < r.rlim_max / 2 ? spare : r.rlim_max / 2);
	setrlimit(RLIMIT_NOFILE, &r);
}

char *sf_session_filter(const struct sf_capture *c, const char *field)
{
	struct sf_str s = SF_STR_INIT;
	pid_t *tid;
	int nr = sf_proc_tids(c->pid, &tid);

	if (nr < 0)
		return NULL;
	for (int i = 0; i < nr; i++)
		sf_str_addf(&s, "%s%s==%d", i ? "||" : "", field, (int)tid[i]);
	free(tid);
	return sf_str_detach(&s);
}

/* ftrace where it can be had: perf loses what happens in an idle task on some machines. */
static void open_wakings(struct sf_capture *c)
{
	struct sf_error why = SF_ERROR_INIT;
	char *filter = c->scope == SF_SCOPE_VMM ? sf_session_filter(c, "pid") : NULL;

	if (c->tracefs.dir >= 0 && !sf_wakings_open(&c->wakings, &c->tracefs, filter, &why)) {
		c->waking_source = SF_WAKINGS_FTRACE;
		c->requests = c->wakings.requests;
		c->rq_done_type = (uint16_t)sf_tracefs_id(&c->tracefs, SF_EVENT_RQ_DONE);
		c->sent = c->wakings.sent;
		c->sent_type = (uint16_t)sf_tracefs_id(&c->tracefs, SF_EVENT_SENT);
	} else if (c->tracefs.dir >= 0) {
		/* Without tracefs perf has none either, which is said of all tracepoints. */
		c->waking_source = SF_WAKINGS_PERF;
		sf_missing_add(&c->missing,
			       "wakings by interrupts on idle CPUs: taken from perf, which may lose "
			       "them, as %s",
			       why.what);
	}
	free(filter);
}

static int open_events(struct sf_capture *c, struct sf_error *err)
{
	struct sf_events_opts o = {
		.pid = c->pid,
		.scope = c->scope,
		.call_graph = c->opts.call_graph,
		.hz = c->opts.hz,
		.kvm = c->tracefs.dir >= 0 && uses_kvm(c->pid),
		.syscalls = c->opts.syscalls,
		.perf_wakings = c->waking_source == SF_WAKINGS_PERF,
		.perf_requests = !c->wakings.requests,
	};
	char *pids = sf_session_filter(c, "pid"), *common = sf_session_filter(c, "common_pid");
	int ret;

	o.pid_filter = pids;
	o.common_pid_filter = common;
	raise_files(OTHERS_FILES);
	ret = sf_events_open(&c->events, &o, &c->tracefs, &c->missing, err);
	raise_files(0);
	free(pids);
	free(common);

	if (!ret && c->waking_source == SF_WAKINGS_PERF && !c->events.event[SF_EV_WAKING].nr)
		c->waking_source = SF_WAKINGS_NONE;
	return ret;
}

static uint64_t default_max_size(void)
{
	struct sysinfo si;

	if (sysinfo(&si))
		return UINT64_C(256) << 20;
	return ((uint64_t)si.freeram + si.bufferram) * si.mem_unit / 4;
}

static int open_spools(struct sf_capture *c, struct sf_error *err)
{
	uint64_t max = c->opts.max_size ? c->opts.max_size : default_max_size();
	int ret = sf_spool_open(&c->spool, "snapflame-rings", max, &c->spooled);

	if (!ret)
		ret = sf_spool_open(&c->poll_spool, "snapflame-polls", max, &c->spooled);
	return ret ? sf_error_set(err, ret, "no memory file: %s", strerror(-ret)) : 0;
}

/* What is known of the target and the system before the first window. */
static int take_sideband(struct sf_capture *c, struct sf_error *err)
{
	int ret;

	sf_sideband_init(&c->sideband, c->start, SF_OWN_ID(SF_ID_MARK));
	ret = sf_sideband_kernel(&c->sideband, &c->kallsyms);
	if (!ret)
		ret = c->scope == SF_SCOPE_SYSTEM ? sf_sideband_all_tasks(&c->sideband)
						  : sf_sideband_tasks(&c->sideband, c->pid);
	if (!ret && !c->own_target)
		ret = sf_sideband_maps(&c->sideband, c->pid);
	if (ret == -EACCES) {
		sf_missing_add(&c->missing, "/proc/%d/maps: not permitted; record as its user or root",
			       (int)c->pid);
		ret = 0;
	}
	return ret ? sf_error_set(err, ret, "process %d: %s", (int)c->pid, strerror(-ret)) : 0;
}

static int start_threads(struct sf_capture *c, struct sf_error *err)
{
	int ret;

	c->budget.pct = c->opts.max_cpu;
	/* As often as asked for; else as often as it does not cost too much. */
	c->poll_budget.pct = c->opts.poll_hz ? 0 : SF_POLL_MAX_CPU;
	ret = sf_ring_start(&c->reader, &c->events, &c->wakings, &c->spool, &c->budget, err);
	c->reader_started = !ret;
	c->poll_hz = c->opts.poll_hz ? c->opts.poll_hz : SF_POLL_HZ;
	if (c->poll_hz == SF_POLL_NONE)
		c->poll_hz = 0;
	if (!ret && c->poll_hz)
		ret = sf_poller_start(&c->poller, &(struct sf_poller_opts){
			.pid = c->pid,
			.hz = c->poll_hz,
			.budget = &c->budget,
			.own_budget = &c->poll_budget,
			.others = c->scope == SF_SCOPE_SYSTEM,
			.anew = c->opts.keep != 0,
		}, &c->poll_spool, &c->missing, err);
	return ret;
}

static void set_start(struct sf_capture *c)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	c->start = sf_now();
	c->start_realtime = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static int open_all(struct sf_capture *c, struct sf_error *err)
{
	struct sf_error why = SF_ERROR_INIT;
	int ret;

	c->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->stop_fd < 0)
		return sf_error_set(err, -errno, "no eventfd: %s", strerror(errno));
	ret = make_driver(c, err); /* it gives a command the limit that we had */
	if (!ret)
		ret = look_at_target(c, err);
	if (ret)
		return ret;
	choose_call_graph(c);
	c->scope = c->opts.scope;
	if (c->scope == SF_SCOPE_AUTO)
		c->scope = sf_events_system_allowed() ? SF_SCOPE_SYSTEM : SF_SCOPE_VMM;
	if (sf_tracefs_open(&c->tracefs, &why))
		sf_missing_add(&c->missing, "tracepoints (where threads wait, who wakes them, disks): %s",
			       why.what);
	open_wakings(c);
	ret = sf_kallsyms_load(&c->kallsyms, "/proc/kallsyms");
	if (ret)
		sf_missing_add(&c->missing,
			       "kernel addresses: hidden; record as root, with sysctl "
			       "kernel.kptr_restrict=1");
	ret = open_events(c, err);
	if (!ret)
		ret = open_spools(c, err);
	set_start(c);
	if (!ret && sf_keeper_start(c))
		sf_missing_add(&c->missing, "what a kill of the recorder would leave: no process for it");
	/* Our own threads first: they are among the tasks. And what starts while we look at the
	 * tasks must not be missed. */
	if (!ret)
		ret = start_threads(c, err);
	if (!ret)
		sf_events_enable_sideband(&c->events);
	if (!ret)
		ret = take_sideband(c, err);
	if (!ret)
		ret = sf_session_meta(c);
	if (!ret && sf_journal_rewrite(c))
		sf_missing_add(&c->missing, "what a kill of the recorder would leave: no memory for it");
	return ret;
}

int sf_capture_open(struct sf_capture **out, const struct sf_capture_opts *opts,
		    struct sf_error *err)
{
	struct sf_capture *c = calloc(1, sizeof(*c));
	int ret;

	*out = NULL;
	if (!c)
		return sf_error_set(err, -ENOMEM, "out of memory");
	c->opts = *opts;
	c->pid = opts->pid;
	c->target_fd = c->stop_fd = -1;
	c->tracefs.dir = c->wakings.dir = -1;
	c->wakings.janitor_pipe = -1;
	c->spool.fd = c->poll_spool.fd = c->journal.spool.fd = -1;
	c->keeper = (struct sf_keeper)SF_KEEPER_INIT;
	c->reason = "done";
	if (!c->opts.branches)
		c->opts.branches = 1;
	if (!c->opts.hz)
		c->opts.hz = DEFAULT_HZ;
	ret = open_all(c, err);
	if (ret) {
		sf_capture_free(c);
		return ret;
	}
	*out = c;
	return 0;
}

void sf_session_stop(struct sf_capture *c)
{
	if (c->stopped)
		return;
	c->stopped = true;
	sf_events_enable(&c->events, false);
	sf_poller_stop(&c->poller);
	if (c->reader_started)
		sf_ring_stop(&c->reader);
	c->waking_lost = sf_wakings_lost(&c->wakings);
	sf_keeper_stopped(&c->keeper);
	/* The instance and the events cost the system while they are there. */
	sf_wakings_close(&c->wakings);
}

void sf_capture_free(struct sf_capture *c)
{
	if (!c)
		return;
	sf_session_stop(c);
	sf_keeper_end(&c->keeper);
	sf_events_close(&c->events);
	if (c->driver)
		c->driver->free(c->driver);
	sf_tracefs_close(&c->tracefs);
	sf_kallsyms_release(&c->kallsyms);
	sf_flight_release(&c->flight);
	sf_spool_close(&c->spool);
	sf_spool_close(&c->poll_spool);
	sf_journal_close(&c->journal);
	sf_sideband_release(&c->sideband);
	sf_marks_release(&c->marks);
	free(c->addresses.item);
	sf_missing_release(&c->missing);
	json_decref(c->reply);
	if (c->target_fd >= 0)
		close(c->target_fd);
	if (c->stop_fd >= 0)
		close(c->stop_fd);
	free(c);
}

const char *sf_capture_missing(const struct sf_capture *c, size_t index)
{
	return index < c->missing.nr ? c->missing.line[index] : NULL;
}

void sf_capture_stats(const struct sf_capture *c, struct sf_capture_stats *stats)
{
	double wall = (double)(c->window_ns ? c->window_ns : 1);

	*stats = c->stats;
	stats->recorder_cpu_pct = 100.0 * (double)c->recorder_ns / wall;
	stats->poll_cpu_pct = 100.0 * (double)c->poll_ns / wall;
}

void sf_capture_stop(struct sf_capture *c)
{
	const uint64_t one = 1;
	int saved = errno;

	(void)!write(c->stop_fd, &one, sizeof(one));
	errno = saved;
}
