/* SPDX-License-Identifier: GPL-2.0-only */
/* What this user may see: capabilities, sysctls, tracepoints. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <snapflame/marks.h>
#include <snapflame/str.h>

#include "doctor.h"
#include "kallsyms.h"
#include "proc.h"

/* linux/capability.h */
enum { CAP_SYS_PTRACE_ = 19, CAP_SYS_ADMIN_ = 21, CAP_SYSLOG_ = 34, CAP_PERFMON_ = 38 };

static uint64_t capabilities(void)
{
	char buf[8192];
	const char *p;

	if (sf_proc_read("/proc/self/status", buf, sizeof(buf)) <= 0)
		return 0;
	p = strstr(buf, "CapEff:");
	return p ? strtoull(p + strlen("CapEff:"), NULL, 16) : 0;
}

/* A user namespace of its own has all capabilities, and none of them counts here. */
static bool initial_user_namespace(void)
{
	unsigned first, parent, count;
	char buf[256];

	return sf_proc_read("/proc/self/uid_map", buf, sizeof(buf)) > 0 &&
	       sscanf(buf, "%u %u %u", &first, &parent, &count) == 3 && !first && !parent &&
	       count == UINT32_MAX;
}

static void rights(struct sf_exam *e)
{
	static const struct {
		int bit;
		const char *name;
	} want[] = {
		{ CAP_SYS_ADMIN_, "CAP_SYS_ADMIN" }, { CAP_SYS_PTRACE_, "CAP_SYS_PTRACE" },
		{ CAP_PERFMON_, "CAP_PERFMON" },     { CAP_SYSLOG_, "CAP_SYSLOG" },
	};
	uint64_t have = capabilities();
	struct sf_str missing = SF_STR_INIT;

	for (size_t i = 0; i < SF_ARRAY_SIZE(want); i++)
		if (!(have >> want[i].bit & 1))
			sf_str_addf(&missing, " %s", want[i].name);
	e->root = !geteuid() && !missing.len && initial_user_namespace();
	if (e->root)
		sf_finding(e, SF_FINDING_OK, "rights", NULL, "root with all capabilities");
	else if (!initial_user_namespace())
		sf_finding(e, SF_FINDING_WARN, "rights", "run it on the host, outside of the container",
			   "in a user namespace: no kernel stacks, no wakings, no block requests");
	else
		sf_finding(e, SF_FINDING_WARN, "rights", "run snapflame as root (sudo)",
			   "uid %u%s%s: no kernel stacks from /proc, no wakings, no block requests",
			   (unsigned)geteuid(), missing.len ? ", without" : "", missing.buf);
	sf_str_release(&missing);
}

static bool read_long(const char *path, long *value)
{
	char buf[64];

	if (sf_proc_read(path, buf, sizeof(buf)) <= 0)
		return false;
	*value = strtol(buf, NULL, 10);
	return true;
}

static void paranoid(struct sf_exam *e)
{
	static const char fix[] = "sysctl kernel.perf_event_paranoid=-1";
	bool perfmon = capabilities() >> CAP_PERFMON_ & 1;
	long v;

	if (!read_long("/proc/sys/kernel/perf_event_paranoid", &v))
		sf_finding(e, SF_FINDING_FAIL, "perf_event", "boot a kernel with CONFIG_PERF_EVENTS",
			   "this kernel has no perf events, or /proc is not mounted");
	else if (perfmon || v < 0)
		sf_finding(e, SF_FINDING_OK, "perf_event", NULL, "perf_event_paranoid is %ld%s", v,
			   perfmon ? ", and does not matter to us" : "");
	else /* some distributions let users open nothing at 3 and more: trying them tells */
		sf_finding(e, SF_FINDING_WARN, "perf_event", fix,
			   "perf_event_paranoid is %ld: %s", v,
			   v >= 2 ? "no kernel stacks, no other CPUs' events"
				  : "no tracepoints or no other CPUs' events");
}

static void kptr(struct sf_exam *e)
{
	struct sf_kallsyms k = { 0 };
	long v = 0;

	read_long("/proc/sys/kernel/kptr_restrict", &v);
	if (sf_kallsyms_load(&k, "/proc/kallsyms"))
		sf_finding(e, SF_FINDING_WARN, "kallsyms",
			   v >= 2 ? "sysctl kernel.kptr_restrict=1" : "run snapflame as root (sudo)",
			   "kernel addresses are hidden (kptr_restrict is %ld): kernel functions have "
			   "no names", v);
	else
		sf_finding(e, SF_FINDING_OK, "kallsyms", NULL, "%zu kernel functions have names", k.nr);
	sf_kallsyms_release(&k);
}

static void lockdown(struct sf_exam *e)
{
	char buf[128];

	if (sf_proc_read("/sys/kernel/security/lockdown", buf, sizeof(buf)) > 0 &&
	    strstr(buf, "[confidentiality]"))
		sf_finding(e, SF_FINDING_FAIL, "lockdown",
			   "boot without lockdown=confidentiality (secure boot may set it)",
			   "the kernel is locked down: it tells nobody about itself");
}

void sf_exam_rights(struct sf_exam *e)
{
	rights(e);
	paranoid(e);
	kptr(e);
	lockdown(e);
}

/* -------------------------------------------------------------------------- tracefs */

static bool is_mounted(void)
{
	return !access("/sys/kernel/tracing/events", F_OK) ||
	       !access("/sys/kernel/debug/tracing/events", F_OK);
}

static void tracepoints(struct sf_exam *e)
{
	static const struct {
		const char *name, *loss;
		enum sf_finding_level level;
	} want[] = {
		{ SF_EVENT_SWITCH, "where threads sleep", SF_FINDING_FAIL },
		{ SF_EVENT_WAKING, "who wakes whom", SF_FINDING_FAIL },
		{ SF_EVENT_RQ_ISSUE, "block requests", SF_FINDING_WARN },
		{ SF_EVENT_RQ_DONE, "block requests", SF_FINDING_WARN },
		{ SF_EVENT_KVM_EXIT, "when vCPUs leave the guest (load kvm first)", SF_FINDING_WARN },
		{ SF_EVENT_SYS_ENTER, "record --syscalls", SF_FINDING_WARN },
	};
	unsigned missing = 0;

	for (size_t i = 0; i < SF_ARRAY_SIZE(want); i++) {
		if (sf_tracefs_id(&e->tracefs, want[i].name) > 0)
			continue;
		missing++;
		sf_finding(e, want[i].level, "tracepoint", NULL, "%s is missing: %s", want[i].name,
			   want[i].loss);
	}
	if (!missing)
		sf_finding(e, SF_FINDING_OK, "tracepoint", NULL, "all %zu that are recorded exist",
			   SF_ARRAY_SIZE(want));
}

void sf_exam_tracefs(struct sf_exam *e)
{
	struct sf_error why = SF_ERROR_INIT;
	bool mounted = is_mounted();

	if (sf_tracefs_open(&e->tracefs, &why)) {
		sf_finding(e, e->root ? SF_FINDING_FAIL : SF_FINDING_WARN, "tracefs",
			   !e->root ? "run snapflame as root (sudo)"
				    : "mount -t tracefs nodev /sys/kernel/tracing",
			   "%s: no tracepoints, so nobody's sleep or wake-up is seen", why.what);
		return;
	}
	sf_finding(e, SF_FINDING_OK, "tracefs", NULL, "%s",
		   mounted ? "mounted" : "not mounted; opened without that");
	tracepoints(e);
}
