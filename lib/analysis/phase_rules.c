/* SPDX-License-Identifier: GPL-2.0-only */
#include "analysis/phase_rules.h"

#include <errno.h>
#include <string.h>

#include <snapflame/syscalls.h>

const char *sf_phase_name(enum sf_phase_kind phase)
{
	static const char *const name[SF_NR_PHASES] = {
		[SF_PHASE_OTHER] = "other",
		[SF_PHASE_STOP] = "stop",
		[SF_PHASE_DEVICES] = "device state",
		[SF_PHASE_VCPUS] = "vCPU state",
		[SF_PHASE_STATE_FILE] = "vmstate file",
		[SF_PHASE_FILES] = "snapshot files",
		[SF_PHASE_DIRTY_LOG] = "dirty log",
		[SF_PHASE_MEMORY_FILE] = "memory file",
		[SF_PHASE_SYNC] = "sync",
		[SF_PHASE_RESUME] = "resume",
	};

	return phase < SF_NR_PHASES ? name[phase] : "other";
}

struct rule {
	const char *name;
	uint8_t means;
};

/* ---------------------------------------------------------------------- system calls */

static const struct rule calls[] = {
	{ "fsync", PHASE_CALL_SYNC },       { "fdatasync", PHASE_CALL_SYNC },
	{ "sync_file_range", PHASE_CALL_SYNC }, { "syncfs", PHASE_CALL_SYNC },
	{ "sync", PHASE_CALL_SYNC },        { "msync", PHASE_CALL_SYNC },
	{ "write", PHASE_CALL_FILE },       { "pwrite64", PHASE_CALL_FILE },
	{ "writev", PHASE_CALL_FILE },      { "pwritev", PHASE_CALL_FILE },
	{ "pwritev2", PHASE_CALL_FILE },    { "lseek", PHASE_CALL_FILE },
	{ "ftruncate", PHASE_CALL_FILE },   { "truncate", PHASE_CALL_FILE },
	{ "fallocate", PHASE_CALL_FILE },   { "open", PHASE_CALL_FILE },
	{ "openat", PHASE_CALL_FILE },      { "creat", PHASE_CALL_FILE },
	{ "openat2", PHASE_CALL_FILE },     { "close", PHASE_CALL_FILE },
	{ "sendfile", PHASE_CALL_FILE },    { "copy_file_range", PHASE_CALL_FILE },
	{ "splice", PHASE_CALL_FILE },      { "rename", PHASE_CALL_FILE },
	{ "unlink", PHASE_CALL_FILE },
};

/* ioctl(2) of KVM: _IOC's type in bits 8 to 15, its number in 0 to 7, its size above 15. */
enum {
	KVM_TYPE = 0xae,
	KVM_GET_IRQCHIP = 0xc208ae62,
	KVM_GET_PIT2 = 0x8070ae9f,
	KVM_GET_CLOCK = 0x8030ae7c,
	KVM_GET_DIRTY_LOG = 0x42,
	KVM_CLEAR_DIRTY_LOG = 0xc0,
};

/* Of a vCPU: registers, special registers, MSRs, FPU, LAPIC, CPUID, MP state, events, debug
 * registers, XSAVE, XCRs, TSC, nested state, one register, what a pause does to the clock. */
static const uint8_t vcpu_gets[] = {
	0x81, 0x83, 0x88, 0x8c, 0x8e, 0x91, 0x98, 0x9f, 0xa1, 0xa4, 0xcf, 0xa6, 0xa3, 0xbe, 0xcc, 0xab,
	0xad,
};

static enum phase_call of_ioctl(uint64_t request)
{
	uint32_t nr = request & 0xff;

	if ((request >> 8 & 0xff) != KVM_TYPE)
		return PHASE_CALL_NONE;
	if (nr == KVM_GET_DIRTY_LOG || nr == KVM_CLEAR_DIRTY_LOG)
		return PHASE_CALL_DIRTY_LOG;
	if (request == KVM_GET_IRQCHIP || request == KVM_GET_PIT2 || request == KVM_GET_CLOCK)
		return PHASE_CALL_VM;
	return memchr(vcpu_gets, (int)nr, sizeof(vcpu_gets)) ? PHASE_CALL_VCPU : PHASE_CALL_NONE;
}

enum phase_call sf_phase_call(const struct sf_recording *rec, const struct sf_syscall *s)
{
	const char *name = sf_sys_name(sf_sys_arch(sf_text(rec, rec->meta.arch)), s->nr);

	if (!name)
		return PHASE_CALL_NONE;
	if (!strcmp(name, "ioctl"))
		return of_ioctl(s->arg[1]);
	/* An eventfd's eight bytes tell somebody something, and are no file. */
	if (!strcmp(name, "write") && s->arg[2] == 8)
		return PHASE_CALL_NONE;
	for (size_t i = 0; i < SF_ARRAY_SIZE(calls); i++)
		if (!strcmp(name, calls[i].name))
			return calls[i].means;
	return PHASE_CALL_NONE;
}

/* ---------------------------------------------------------------------------- stacks */

/* Of the kernel; the first one from the leaf on counts. */
static const struct rule kernel_rules[] = {
	{ "kvm_vm_ioctl_get_dirty_log", PHASE_CALL_DIRTY_LOG },
	{ "kvm_vm_ioctl_clear_dirty_log", PHASE_CALL_DIRTY_LOG },
	{ "kvm_get_dirty_log*", PHASE_CALL_DIRTY_LOG },
	{ "kvm_arch_sync_dirty_log", PHASE_CALL_DIRTY_LOG },
	{ "kvm_arch_vcpu_ioctl_run", PHASE_CALL_NONE },
	{ "kvm_vcpu_ioctl", PHASE_CALL_VCPU },
	{ "kvm_arch_vm_ioctl", PHASE_CALL_VM },
	{ "eventfd_write", PHASE_CALL_NONE },
	{ "unix_stream_sendmsg", PHASE_CALL_NONE },
	{ "do_fsync", PHASE_CALL_SYNC },
	{ "vfs_fsync_range", PHASE_CALL_SYNC },
	{ "__x64_sys_fsync", PHASE_CALL_SYNC },
	{ "__x64_sys_fdatasync", PHASE_CALL_SYNC },
	{ "__arm64_sys_fsync", PHASE_CALL_SYNC },
	{ "__arm64_sys_fdatasync", PHASE_CALL_SYNC },
	{ "ksys_sync*", PHASE_CALL_SYNC },
	{ "sync_filesystem", PHASE_CALL_SYNC },
	{ "vfs_write*", PHASE_CALL_FILE },
	{ "ksys_write", PHASE_CALL_FILE },
	{ "ksys_pwrite64", PHASE_CALL_FILE },
	{ "do_writev", PHASE_CALL_FILE },
	{ "do_pwritev", PHASE_CALL_FILE },
	{ "ksys_lseek", PHASE_CALL_FILE },
	{ "do_sendfile", PHASE_CALL_FILE },
	{ "vfs_copy_file_range", PHASE_CALL_FILE },
	{ "do_sys_ftruncate", PHASE_CALL_FILE },
	{ "do_ftruncate", PHASE_CALL_FILE },
	{ "do_truncate", PHASE_CALL_FILE },
	{ "vfs_fallocate", PHASE_CALL_FILE },
	{ "do_sys_openat2", PHASE_CALL_FILE },
	{ "do_filp_open", PHASE_CALL_FILE },
	{ "filp_close", PHASE_CALL_FILE },
	{ "filp_flush", PHASE_CALL_FILE },
	{ "__fput*", PHASE_CALL_FILE },
	{ "io_write", PHASE_CALL_FILE },
};

/* Of VMMs. Rust's are the last part of a path, or two. */
static const struct rule vmm_rules[] = {
	/* Firecracker, and who follows it */
	{ "snapshot_memory_to_file", SF_PHASE_MEMORY_FILE },
	{ "dump_dirty", SF_PHASE_MEMORY_FILE },
	{ "snapshot_state_to_file", SF_PHASE_STATE_FILE },
	{ "MicrovmState", SF_PHASE_STATE_FILE },
	{ "get_dirty_bitmap", SF_PHASE_DIRTY_LOG },
	{ "reset_dirty_bitmap", SF_PHASE_DIRTY_LOG },
	{ "save_vcpu_states", SF_PHASE_VCPUS },
	{ "save_vcpu_state", SF_PHASE_VCPUS },
	{ "KvmVcpu::save_state", SF_PHASE_VCPUS },
	{ "save_device_state", SF_PHASE_DEVICES },
	{ "MMIODeviceManager", SF_PHASE_DEVICES },
	{ "ACPIDeviceManager", SF_PHASE_DEVICES },
	{ "save_state", SF_PHASE_DEVICES },
	{ "mark_queue_memory_dirty", SF_PHASE_DEVICES },
	{ "RuntimeApiController::pause", SF_PHASE_STOP },
	{ "RuntimeApiController::resume", SF_PHASE_RESUME },
	{ "pause_vm", SF_PHASE_STOP },
	{ "resume_vm", SF_PHASE_RESUME },
	/* QEMU writes one stream: its devices' state, and its memory */
	{ "pause_all_vcpus", SF_PHASE_STOP },
	{ "do_vm_stop", SF_PHASE_STOP },
	{ "vm_start", SF_PHASE_RESUME },
	{ "migration_bitmap_sync*", SF_PHASE_DIRTY_LOG },
	{ "memory_global_dirty_log_sync", SF_PHASE_DIRTY_LOG },
	{ "kvm_log_sync*", SF_PHASE_DIRTY_LOG },
	{ "ram_save_*", SF_PHASE_MEMORY_FILE },
	{ "ram_find_and_save_block", SF_PHASE_MEMORY_FILE },
	{ "qemu_savevm_state_iterate", SF_PHASE_MEMORY_FILE },
	{ "qemu_fclose", SF_PHASE_MEMORY_FILE },
	{ "cpu_synchronize_all_states", SF_PHASE_VCPUS },
	{ "kvm_arch_get_registers", SF_PHASE_VCPUS },
	{ "vmstate_save*", SF_PHASE_DEVICES },
	{ "qemu_savevm_state_complete_precopy_non_iterable", SF_PHASE_DEVICES },
	/* Cloud Hypervisor */
	{ "CpuManager", SF_PHASE_VCPUS },
	{ "DeviceManager", SF_PHASE_DEVICES },
	{ "MemoryManager", SF_PHASE_MEMORY_FILE },
	{ "memory_range_table", SF_PHASE_DIRTY_LOG },
};

static bool ends_here(char c)
{
	return !c || strchr(".:<>( ", c);
}

/* Is the rule's name a whole part of the function's, as "b::c" is of "a::b::c<T>"? */
static bool matches(const char *name, const char *rule)
{
	size_t n = strlen(rule);
	bool prefix = rule[n - 1] == '*';

	n -= prefix;
	for (const char *p = name; *p; p++)
		if ((p == name || strchr(":< ", p[-1])) && !strncmp(p, rule, n) &&
		    (prefix || ends_here(p[n])))
			return true;
	return false;
}

static bool find(const struct rule *rule, size_t nr, const char *name, uint8_t *means)
{
	for (size_t i = 0; i < nr; i++)
		if (matches(name, rule[i].name)) {
			*means = rule[i].means;
			return true;
		}
	return false;
}

/* What a location's functions say: 1 + enum phase_call, and above PHASE_SHIFT enum sf_phase_kind; 0
 * each for nothing. */
enum { CALL_MASK = 0xff, PHASE_SHIFT = 8, LOC_SEEN = 1 << 16 };

static uint32_t of_location(const struct sf_recording *rec, uint32_t loc)
{
	const struct sf_frame *f;
	size_t n = sf_symbols_frames(rec->symbols, loc, &f);
	uint32_t says = LOC_SEEN;
	uint8_t means;

	for (size_t i = 0; i < n; i++) {
		bool kernel = f[i].flags & SF_FRAME_KERNEL;

		if (kernel && find(kernel_rules, SF_ARRAY_SIZE(kernel_rules), f[i].name, &means))
			return says | (1U + means);
		if (!kernel && find(vmm_rules, SF_ARRAY_SIZE(vmm_rules), f[i].name, &means))
			return says | (uint32_t)means << PHASE_SHIFT;
	}
	return says;
}

/* From the leaf on: the first function of the kernel that is in the table, and the first of the VMM. */
static int look(struct sf_phase_memo *memo, uint32_t stack, enum phase_call *call,
		enum sf_phase_kind *phase)
{
	bool called = false;

	*call = PHASE_CALL_NONE;
	*phase = SF_PHASE_OTHER;
	for (; stack && !*phase; stack = sf_stack_parent(memo->rec, stack)) {
		uint32_t loc = sf_stack_loc(memo->rec, stack), *says;

		says = sf_map64_at(&memo->of_location, loc, NULL);
		if (!says)
			return -ENOMEM;
		if (!*says)
			*says = of_location(memo->rec, loc);
		if (*says & CALL_MASK && !called) {
			*call = (*says & CALL_MASK) - 1;
			called = true;
		}
		*phase = *says >> PHASE_SHIFT & 0xff;
	}
	return 0;
}

int sf_phase_of_stack(struct sf_phase_memo *memo, uint32_t stack, enum phase_call call,
		      enum sf_phase_kind *phase)
{
	enum phase_call seen;
	int ret = look(memo, stack, &seen, phase);

	if (ret)
		return ret;
	switch (call == PHASE_CALL_UNKNOWN ? seen : call) {
	case PHASE_CALL_DIRTY_LOG:
		*phase = SF_PHASE_DIRTY_LOG;
		break;
	case PHASE_CALL_VCPU:
		*phase = SF_PHASE_VCPUS;
		break;
	case PHASE_CALL_VM:
		*phase = SF_PHASE_DEVICES;
		break;
	case PHASE_CALL_SYNC: /* a device that is drained writes out its own file */
		if (*phase != SF_PHASE_DEVICES)
			*phase = SF_PHASE_SYNC;
		break;
	case PHASE_CALL_FILE:
		if (*phase == SF_PHASE_OTHER)
			*phase = SF_PHASE_FILES;
		break;
	default:
		break;
	}
	return 0;
}

void sf_phase_memo_release(struct sf_phase_memo *memo)
{
	sf_map64_release(&memo->of_location);
}
