/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include "confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <snapflame/array.h>

#if defined(__SANITIZE_ADDRESS__)
#define LEAKS_ARE_LOOKED_FOR 1 /* by a thread that stops the others, with ptrace() */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define LEAKS_ARE_LOOKED_FOR 1
#endif
#endif

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#endif

#ifdef ARCH

enum { X32 = 0x40000000 };

/* They change the machine, look into other processes, or are known for their kernel's flaws. */
static const int never[] = {
#ifndef LEAKS_ARE_LOOKED_FOR
	SYS_ptrace,
#endif
	SYS_process_vm_readv, SYS_process_vm_writev, SYS_mount,        SYS_umount2,
	SYS_pivot_root,       SYS_chroot,            SYS_setns,        SYS_unshare,
	SYS_init_module,      SYS_finit_module,      SYS_delete_module, SYS_kexec_load,
	SYS_bpf,              SYS_perf_event_open,   SYS_add_key,      SYS_request_key,
	SYS_keyctl,           SYS_reboot,            SYS_swapon,       SYS_swapoff,
	SYS_settimeofday,     SYS_clock_settime,     SYS_adjtimex,     SYS_personality,
	SYS_acct,             SYS_quotactl,          SYS_sethostname,  SYS_setdomainname,
	SYS_userfaultfd,      SYS_io_uring_setup,    SYS_open_by_handle_at, SYS_mknodat,
	SYS_clock_adjtime,
#ifdef SYS_kexec_file_load
	SYS_kexec_file_load,
#endif
#ifdef SYS_fsopen /* the new calls to mount, of Linux 5.2 */
	SYS_fsopen,           SYS_fsconfig,          SYS_fsmount,      SYS_fspick,
	SYS_move_mount,       SYS_open_tree,
#endif
#ifdef SYS_mount_setattr
	SYS_mount_setattr,
#endif
#ifdef SYS_pidfd_getfd
	SYS_pidfd_getfd,
#endif
#ifdef SYS_mknod
	SYS_mknod,            SYS_ioperm,            SYS_iopl,
#endif
};
static const int network[] = { SYS_socket, SYS_socketpair };
static const int programs[] = { SYS_execve, SYS_execveat };

enum {
	HEAD_RULES = 6,
	MOST_RULES = HEAD_RULES + 1 +
		     2 * (SF_ARRAY_SIZE(never) + SF_ARRAY_SIZE(network) + SF_ARRAY_SIZE(programs)),
};

struct filter {
	struct sock_filter rule[MOST_RULES];
	unsigned short nr;
};

static void add(struct filter *f, struct sock_filter rule)
{
	f->rule[f->nr++] = rule;
}

static void refuse(struct filter *f, const int *call, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		add(f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call[i], 0, 1));
		add(f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
	}
}

static void filter_calls(bool starts, bool asks)
{
	struct filter f = { .nr = 0 };
	struct sock_fprog prog = { .filter = f.rule };

	add(&f, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)));
	add(&f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0));
	add(&f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
	add(&f, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
	add(&f, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, X32, 0, 1));
	add(&f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM));
	refuse(&f, never, SF_ARRAY_SIZE(never));
	if (!asks)
		refuse(&f, network, SF_ARRAY_SIZE(network));
	if (!starts)
		refuse(&f, programs, SF_ARRAY_SIZE(programs));
	add(&f, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	prog.len = f.nr;
	prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

#else

static void filter_calls(bool starts, bool asks)
{
}

#endif

/*
 * Root without the rights of root, but for files: of other users' recordings, of the kernel's symbols,
 * of what /proc/PID/root leads to. Programs that are started get none at all.
 */
static void drop_capabilities(void)
{
	const uint64_t keep = UINT64_C(1) << CAP_DAC_OVERRIDE | UINT64_C(1) << CAP_DAC_READ_SEARCH |
			      UINT64_C(1) << CAP_SYSLOG | UINT64_C(1) << CAP_SYS_PTRACE;
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct now[2];

	prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED);
	if (syscall(SYS_capget, &head, now))
		return;
	for (int i = 0; i < 2; i++) {
		now[i].permitted &= (uint32_t)(keep >> 32 * i);
		now[i].effective = now[i].permitted;
		now[i].inheritable = 0;
	}
	syscall(SYS_capset, &head, now);
}

/* getopt_long takes any beginning of a long option that is unique. */
static bool asks_network(char *const *argv)
{
	static const char *const options[] = { "--push", "--debuginfod" };

	for (; *argv; argv++)
		for (size_t i = 0; i < SF_ARRAY_SIZE(options); i++) {
			size_t len = strcspn(*argv, "=");

			if (len > 2 && !strncmp(*argv, options[i], len))
				return true;
		}
	return false;
}

void sf_confine(enum sf_confined how, char *const *argv)
{
	const struct rlimit none = { 0, 0 };

	if (how == SF_CONFINED_NOT)
		return;
	setrlimit(RLIMIT_CORE, &none);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	drop_capabilities();
	filter_calls(how == SF_CONFINED_STARTS, asks_network(argv));
}
