/* SPDX-License-Identifier: GPL-2.0-only */
/* Main: sets everything up, then performs actions in an event loop, snapshots among them. */
#include "vmm.h"

#include "util.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* The one VMM of this process: exit() must find it. */
static struct vmm *the_vmm;

double vmm_work(const struct vmm *vmm, unsigned k)
{
	const struct vmm_opts *o = &vmm->opts;
	double base = o->base >= 0 ? o->base : vmm->cause->base;
	double grow = o->grow >= 0 ? o->grow : vmm->cause->grow;

	if (o->step)
		return k < o->step ? base : base + grow;
	return base + grow * (k - 1);
}

/* A vCPU that has not got a CPU since the last resume has not entered the guest: that BRANCH has no
 * end yet, and its line in the log would be lost. */
static void finish_branch(struct vmm *vmm)
{
	for (int ms = 0; vmm->branch.k && !vcpus_running(vmm) && ms < 1000; ms++)
		sleep_ns(MS_TO_NS(1));
	branch_log(vmm);
}

static void pause_vm(struct vmm *vmm, struct action *a)
{
	struct branch *b = &vmm->branch;

	if (vmm->paused)
		return; /* Firecracker takes it as done, too */
	finish_branch(vmm);
	*b = (struct branch){ .k = b->k + 1, .pause_ns = now_ns() };
	vcpus_command(vmm, VCPU_PAUSE);
	vmm->paused = 1;
	b->paused_ns = now_ns();
	(void)a;
}

static void resume_vm(struct vmm *vmm, struct action *a)
{
	if (!vmm->paused)
		return;
	vmm->branch.resume_ns = now_ns();
	vcpus_command(vmm, VCPU_RESUME);
	vmm->paused = 0;
	vmm->branch.resumed_ns = now_ns();
	(void)a;
}

static void create(struct vmm *vmm, struct action *a)
{
	if (vmm->paused) {
		vmm->branch.nphases = 0;
		create_snapshot(vmm, a);
	} else {
		snprintf(a->fault, sizeof(a->fault),
			 "Create snapshot error: The microVM is running: pause it first.");
	}
}

static void get_info(struct vmm *vmm, struct action *a)
{
	a->body = json_pack("{s:s, s:s, s:s, s:s}", "app_name", "Firecracker", "id", "branchsim",
			    "state", vmm->paused ? "Paused" : "Running", "vmm_version", "1.12.0");
}

static void get_state(struct vmm *vmm, struct action *a)
{
	a->body = json_pack("{s:s}", "state", vmm->paused ? "Paused" : "Running");
}

static void get_machine(struct vmm *vmm, struct action *a)
{
	a->body = json_pack("{s:i, s:i, s:b, s:b}", "vcpu_count", (int)vmm->nvcpus, "mem_size_mib",
			    (int)vmm->opts.mem_mb, "smt", 0, "track_dirty_pages", 1);
}

static void get_branches(struct vmm *vmm, struct action *a)
{
	json_t *last = branch_json(vmm);

	a->body = json_pack("{s:s, s:i, s:i, s:s, s:s, s:o}", "cause", vmm->cause->name, "pid",
			    (int)getpid(), "branches", (int)vmm->branch.k, "state_dir",
			    vmm->state_dir, "mem_dir", vmm->mem_dir, "last",
			    last ? last : json_null());
}

/* What main does for fc_api. After a resume the cause may change the world for the next BRANCH. */
static void perform(struct vmm *vmm)
{
	static void (*const handlers[])(struct vmm *, struct action *) = {
		[ACTION_PAUSE] = pause_vm,       [ACTION_RESUME] = resume_vm,
		[ACTION_CREATE] = create,        [ACTION_INFO] = get_info,
		[ACTION_STATE] = get_state,      [ACTION_MACHINE] = get_machine,
		[ACTION_BRANCHES] = get_branches,
	};
	struct action *a = __atomic_exchange_n(&vmm->action, NULL, __ATOMIC_ACQUIRE);
	int was_paused = vmm->paused;

	if (!a)
		return;
	handlers[a->kind](vmm, a);
	chan_send(&vmm->answered, 0);
	if (was_paused && !vmm->paused && vmm->cause->between)
		vmm->cause->between(vmm, vmm->branch.k);
}

/* Ends on SIGTERM or SIGINT. */
static FRAME void event_loop(struct vmm *vmm, int signal_fd)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.fd = signal_fd };
	int poll_fd = epoll_create1(EPOLL_CLOEXEC);
	uint64_t count;

	epoll_ctl(poll_fd, EPOLL_CTL_ADD, signal_fd, &ev);
	ev.data.fd = vmm->wake_fd;
	epoll_ctl(poll_fd, EPOLL_CTL_ADD, vmm->wake_fd, &ev);
	for (;;) {
		int pending = vmm->branch.k && !vmm->paused && !vmm->branch.logged;
		int n = epoll_wait(poll_fd, &ev, 1, pending ? 20 : -1);

		if (!n)
			branch_log(vmm);
		if (n == 1 && ev.data.fd == signal_fd)
			break;
		if (n == 1 && read(vmm->wake_fd, &count, sizeof(count)) > 0)
			perform(vmm);
	}
	if (!vmm->paused)
		finish_branch(vmm);
	close(poll_fd);
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGRTMIN); /* for the vCPU threads only, they unblock it */
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	sigdelset(&set, SIGRTMIN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* A socket that nobody listens on is a leftover; a live one is somebody else's. */
static int listen_at(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(addr.sun_path))
		die("%s: too long for a socket's path", path);
	strcpy(addr.sun_path, path);
	if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		die("%s: another VMM serves it", path);
	if (errno == ECONNREFUSED)
		unlink(path);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 8))
		die("%s: %s", path, strerror(errno));
	return fd;
}

static void make_own_dir(struct vmm *vmm)
{
	char *dir = xasprintf("%s/branchsim.XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");

	if (!mkdtemp(dir))
		die("%s: %s", dir, strerror(errno));
	vmm->own_dir = dir;
}

/* Snapshots go to memory unless a cause is about storage. */
static void choose_dirs(struct vmm *vmm)
{
	enum in_memory in_memory = vmm->cause->in_memory;

	if (!vmm->opts.dir || in_memory != NO_FILES)
		make_own_dir(vmm);
	if (vmm->opts.dir) {
		char *dir = realpath(vmm->opts.dir, NULL);

		if (!dir || access(dir, W_OK | X_OK))
			die("%s: %s", vmm->opts.dir, strerror(errno));
		vmm->opts.dir = dir;
	} else {
		vmm->opts.dir = vmm->own_dir;
	}
	vmm->state_dir = in_memory != NO_FILES ? vmm->own_dir : vmm->opts.dir;
	vmm->mem_dir = in_memory == ALL_FILES ? vmm->own_dir : vmm->opts.dir;
}

static void remove_own_dir(struct vmm *vmm)
{
	DIR *d = vmm->own_dir ? opendir(vmm->own_dir) : NULL;
	struct dirent *e;

	if (!d)
		return;
	while ((e = readdir(d)))
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			unlinkat(dirfd(d), e->d_name, 0);
	closedir(d);
	rmdir(vmm->own_dir);
}

/* At exit, however it came about (but for SIGKILL). */
static void clean_up(void)
{
	struct vmm *vmm = the_vmm;

	if (!vmm || vmm->pid != getpid()) /* a helper that dies owns nothing of it */
		return;
	the_vmm = NULL;
	if (vmm->listen_fd >= 0)
		unlink(vmm->opts.sock);
	if (vmm->prepared && vmm->cause->teardown)
		vmm->cause->teardown(vmm);
	remove_own_dir(vmm);
	if (vmm->log)
		fclose(vmm->log);
}

static void choose_cause(struct vmm *vmm)
{
	const char *name = vmm->opts.cause ? vmm->opts.cause : "none", *why;

	vmm->cause = cause_find(name);
	if (!vmm->cause)
		die("no cause is called %s; see: branchsim causes", name);
	if (vmm->cause->storage && !vmm->opts.dir)
		die("the cause %s is about storage: --dir must be on it (samples/storage.sh up %s)",
		    name, vmm->cause->storage);
	why = vmm->cause->probe ? vmm->cause->probe(vmm) : NULL;
	if (why)
		die("the cause %s cannot run here: %s", name, why);
}

static void start_guest(struct vmm *vmm)
{
	double dirty_mb = vmm->cause->dirty_mb > 0 ? vmm->cause->dirty_mb : 4;
	struct guest_opts opts = {
		.mem_mb = vmm->opts.mem_mb,
		.vcpus = vmm->opts.vcpus,
		.dirty_bytes = (size_t)(dirty_mb * (1 << 20)),
		.chunk = vmm->cause->chunk_kb * 1024u,
		.no_kvm = vmm->opts.no_kvm,
	};

	guest_init(&vmm->guest, &opts);
	vcpus_start(vmm);
	sleep_ns(GUEST_WARMUP_TICKS * GUEST_TICK_NS); /* BRANCH 1 finds as much dirty as the rest */
}

static void print_ready(struct vmm *vmm)
{
	json_t *line = json_pack("{s:i, s:s, s:s, s:s, s:b}", "pid", (int)getpid(), "sock",
				 vmm->opts.sock, "dir", vmm->opts.dir, "cause", vmm->cause->name,
				 "kvm", vmm->guest.vm_fd >= 0);

	json_dumpf(line, stdout, 0);
	putchar('\n');
	fflush(stdout);
	json_decref(line);
}

static void set_up(struct vmm *vmm)
{
	the_vmm = vmm;
	vmm->pid = getpid();
	atexit(clean_up);
	choose_cause(vmm);
	choose_dirs(vmm);
	if (vmm->opts.log && !(vmm->log = fopen(vmm->opts.log, "ae")))
		die("%s: %s", vmm->opts.log, strerror(errno));
	vmm->prepared = 1;
	if (vmm->cause->setup)
		vmm->cause->setup(vmm);
	start_guest(vmm);
	distractors_start();
	chan_init(&vmm->answered, 0);
	vmm->wake_fd = eventfd(0, EFD_CLOEXEC);
	vmm->listen_fd = listen_at(vmm->opts.sock);
	api_start(vmm); /* requests wait until the event loop runs */
	if (vmm->cause->between)
		vmm->cause->between(vmm, 0);
}

int vmm_run(const struct vmm_opts *opts)
{
	static struct vmm vmm = { .listen_fd = -1 };
	int signal_fd;

	vmm.opts = *opts;
	name_thread(names.main_thread);
	signal_fd = open_signals();
	set_up(&vmm);
	print_ready(&vmm);
	event_loop(&vmm, signal_fd);
	exit(0); /* from here: the other threads never end by themselves */
}
