/* SPDX-License-Identifier: GPL-2.0-only */
/* The process that is to be recorded: may we look at it, and will its stacks have names? */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <snapflame/str.h>

#include "cgroup.h"
#include "doctor.h"
#include "frame_pointers.h"
#include "proc.h"
#include "symbol/elffile.h"
#include "throttled.h"

static ssize_t read_file(pid_t pid, const char *name, char *buf, size_t size)
{
	char path[128];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return sf_proc_read(path, buf, size);
}

/* The number behind key in /proc/PID/status. */
static long status_value(pid_t pid, const char *key)
{
	char buf[8192];
	const char *p;

	if (read_file(pid, "status", buf, sizeof(buf)) <= 0)
		return -1;
	p = strstr(buf, key);
	return p ? strtol(p + strlen(key), NULL, 10) : -1;
}

/* ----------------------------------------------------------------------------- threads */

static bool is_vcpu_name(const char *comm)
{
	size_t n = strlen(comm);

	return !strncmp(comm, "fc_vcpu", 7) ||
	       (!strncmp(comm, "vcpu", 4) && isdigit((unsigned char)comm[4])) ||
	       (!strncmp(comm, "CPU ", 4) && n > 8 &&
		(!strcmp(comm + n - 4, "/KVM") || !strcmp(comm + n - 4, "/TCG")));
}

/* ioctl(KVM_RUN), as /proc/TID/syscall shows it on x86-64 and elsewhere. */
static bool in_kvm_run(pid_t pid, pid_t tid)
{
	struct sf_task_raw raw;
	char name[64], buf[512];

	snprintf(name, sizeof(name), "task/%d/syscall", (int)tid);
	return read_file(pid, name, buf, sizeof(buf)) > 0 && !sf_proc_parse_syscall(buf, &raw) &&
	       (raw.syscall == 16 || raw.syscall == 29) && raw.arg[1] == 0xae80;
}

static void threads(struct sf_exam *e)
{
	pid_t pid = e->opts->pid, *tid;
	int nr = sf_proc_tids(pid, &tid), vcpus = 0;

	if (nr < 0) {
		sf_finding(e, SF_FINDING_FAIL, "threads", "mount /proc without hidepid, or run as root",
			   "/proc/%d/task: %s", (int)pid, strerror(-nr));
		return;
	}
	for (int i = 0; i < nr; i++) {
		struct sf_proc_stat st;
		char name[64], buf[512];

		snprintf(name, sizeof(name), "task/%d/stat", (int)tid[i]);
		/* The kernel's own threads in the process have their creator's registers. */
		if (read_file(pid, name, buf, sizeof(buf)) > 0 && !sf_proc_parse_stat(buf, &st) &&
		    strncmp(st.comm, "kvm-", 4) && strncmp(st.comm, "vhost-", 6))
			vcpus += is_vcpu_name(st.comm) || in_kvm_run(pid, tid[i]);
	}
	free(tid);
	if (vcpus)
		sf_finding(e, SF_FINDING_OK, "threads", NULL, "%d, of them %d vCPU%s", nr, vcpus,
			   vcpus == 1 ? "" : "s");
	else
		sf_finding(e, SF_FINDING_WARN, "threads",
			   "is it the VMM's process? (qemu: -name vm,debug-threads=on)",
			   "%d, none of them a vCPU: the API's window will count, not the dark one", nr);
}

static void access_rights(struct sf_exam *e)
{
	static const struct {
		const char *file, *loss;
	} want[] = {
		{ "maps", "functions will have no names" },
		{ "stack", "sleepers without a switch in the window have no stack" },
		{ "syscall", "futexes have no addresses" },
	};
	unsigned denied = 0;
	char buf[256];

	for (size_t i = 0; i < SF_ARRAY_SIZE(want); i++) {
		ssize_t n = read_file(e->opts->pid, want[i].file, buf, sizeof(buf));

		if (n != -EACCES && n != -EPERM)
			continue;
		denied++;
		sf_finding(e, SF_FINDING_WARN, want[i].file, "run snapflame as root (sudo)",
			   "/proc/%d/%s may not be read: %s", (int)e->opts->pid, want[i].file,
			   want[i].loss);
	}
	if (!denied)
		sf_finding(e, SF_FINDING_OK, "access", NULL, "maps, stack and syscall can be read");
}

/* May we have its events? Tried: capabilities, uids, dumpability and LSMs all have a say. */
static void events(struct sf_exam *e)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE, .size = sizeof(attr), .config = PERF_COUNT_SW_DUMMY,
		.exclude_kernel = 1, .disabled = 1,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, e->opts->pid, -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd >= 0)
		close(fd);
	else if (errno == EACCES || errno == EPERM)
		sf_finding(e, SF_FINDING_FAIL, "target", "run snapflame as root (sudo)",
			   "process %d cannot be recorded by this user: %s", (int)e->opts->pid,
			   strerror(errno));
}

/* ------------------------------------------------------------------------------- code */

static void symbols(struct sf_exam *e, const char *exe)
{
	const struct sf_build_id *id;
	struct sf_elf *elf;
	char path[64];
	int ret;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)e->opts->pid);
	ret = sf_elf_open(&elf, path, NULL);
	if (ret == -ENOSYS)
		return;
	if (ret) {
		sf_finding(e, SF_FINDING_WARN, "symbols", NULL, "%s: %s", exe, strerror(-ret));
		return;
	}
	id = sf_elf_build_id(elf);
	if (!sf_elf_has_symtab(elf))
		sf_finding(e, SF_FINDING_WARN, "symbols",
			   "install its debug symbols, or build it without strip",
			   "%s is stripped: its own functions will have no names%s", exe,
			   id && id->size ? "" : ", and no build-id to find them by");
	else if (!id || !id->size)
		sf_finding(e, SF_FINDING_WARN, "symbols", "link it with -Wl,--build-id",
			   "%s has symbols, but no build-id: keep this very file to read the recording",
			   exe);
	else
		sf_finding(e, SF_FINDING_OK, "symbols", NULL, "%s has symbols and a build-id", exe);
	sf_elf_free(elf);
	if (sf_has_frame_pointers(path))
		sf_finding(e, SF_FINDING_OK, "frames", NULL, "it seems to keep frame pointers");
	else
		sf_finding(e, SF_FINDING_WARN, "frames",
			   "record --call-graph dwarf; or build with -fno-omit-frame-pointer "
			   "(Rust: -C force-frame-pointers=yes)",
			   "no frame pointers: user stacks by them would be cut short");
}

/* -------------------------------------------------------------------------- confinement */

static void namespaces(struct sf_exam *e)
{
	static const char *const name[] = { "mnt", "pid", "net", "user" };
	struct sf_str other = SF_STR_INIT;
	char path[64], root[PATH_MAX];
	ssize_t n;

	for (size_t i = 0; i < SF_ARRAY_SIZE(name); i++) {
		struct stat a, b;
		char own[64];

		snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)e->opts->pid, name[i]);
		snprintf(own, sizeof(own), "/proc/self/ns/%s", name[i]);
		if (!stat(path, &a) && !stat(own, &b) && a.st_ino != b.st_ino)
			sf_str_addf(&other, "%s%s", other.len ? ", " : "", name[i]);
	}
	snprintf(path, sizeof(path), "/proc/%d/root", (int)e->opts->pid);
	n = readlink(path, root, sizeof(root) - 1);
	root[n > 0 ? n : 0] = '\0';
	if (other.len || (n > 0 && strcmp(root, "/")))
		sf_finding(e, SF_FINDING_OK, "jail", NULL,
			   "%s%s%s%s: its files are read through /proc/%d/root",
			   other.len ? "other namespaces: " : "", other.buf,
			   n > 0 && strcmp(root, "/") ? (other.len ? "; root is " : "root is ") : "",
			   n > 0 && strcmp(root, "/") ? root : "", (int)e->opts->pid);
	sf_str_release(&other);
}

static void confinement(struct sf_exam *e)
{
	long seccomp = status_value(e->opts->pid, "\nSeccomp:"), tracer;

	if (seccomp > 0)
		sf_finding(e, SF_FINDING_OK, "seccomp", NULL,
			   "a filter is on: uprobes would kill it, and snapflame uses none");
	tracer = status_value(e->opts->pid, "\nTracerPid:");
	if (tracer > 0)
		sf_finding(e, SF_FINDING_WARN, "ptrace", "end the debugger or strace",
			   "process %ld traces it: system calls take longer than they do without",
			   tracer);
	namespaces(e);
}

struct tightest {
	struct sf_str dir; /* where the hierarchy is mounted, its first mount bytes; then any cgroup */
	size_t mount;
	struct sf_str cgroup;
	double cpus; /* 0: none has a quota */
};

static void look_at(void *arg, const char *cgroup, int64_t ns)
{
	struct tightest *t = arg;
	double cpus;

	(void)ns;
	t->dir.len = t->mount;
	sf_str_add(&t->dir, cgroup);
	if (sf_str_failed(&t->dir) || sf_cgroup_quota(t->dir.buf, &cpus) || cpus <= 0 ||
	    (t->cpus > 0 && cpus >= t->cpus))
		return;
	t->cpus = cpus;
	sf_str_reset(&t->cgroup);
	sf_str_add(&t->cgroup, cgroup);
}

/* The tightest of the cgroup that the target is in and all above. */
static void quota(struct sf_exam *e)
{
	struct tightest t = { SF_STR_INIT, 0, SF_STR_INIT, 0 };
	struct sf_str path = SF_STR_INIT;

	if (!sf_cgroup_path(e->opts->pid, e->opts->pid, "cpu", &path, &t.mount)) {
		sf_str_addn(&t.dir, path.buf, t.mount);
		sf_throttled_upwards(&path, t.mount, look_at, &t);
	}
	if (t.cpus > 0)
		sf_finding(e, SF_FINDING_OK, "CPU quota", NULL,
			   "%.2f CPUs (cgroup %s): what it takes away will be seen as cpu-quota", t.cpus,
			   t.cgroup.buf);
	sf_str_release(&path);
	sf_str_release(&t.dir);
	sf_str_release(&t.cgroup);
}

void sf_exam_target(struct sf_exam *e)
{
	char path[64], exe[PATH_MAX];
	ssize_t n;
	int why;

	if (status_value(e->opts->pid, "\nTgid:") != e->opts->pid) {
		sf_finding(e, SF_FINDING_FAIL, "process", NULL, "%d is a thread; give its process: %ld",
			   (int)e->opts->pid, status_value(e->opts->pid, "\nTgid:"));
		return;
	}
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)e->opts->pid);
	n = readlink(path, exe, sizeof(exe) - 1);
	why = errno;
	exe[n > 0 ? n : 0] = '\0';
	threads(e);
	access_rights(e);
	events(e);
	if (n > 0)
		symbols(e, exe);
	else
		sf_finding(e, SF_FINDING_WARN, "symbols", e->root ? NULL : "run snapflame as root (sudo)",
			   "%s: %s: symbols and frame pointers were not looked at", path, strerror(why));
	confinement(e);
	quota(e);
}
