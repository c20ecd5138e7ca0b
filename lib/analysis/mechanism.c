/* SPDX-License-Identifier: GPL-2.0-only */
#include <snapflame/mechanism.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

const char *sf_kind_name(enum sf_kind kind)
{
	static const char *const name[SF_NR_KINDS] = {
		"none", "cpu-user", "cpu-kernel", "runqueue", "cpu-quota", "lock", "io-device",
		"io-throttle", "io-writeback", "io-journal", "memory", "timer", "peer", "vcpu",
		"unknown",
	};

	return kind < SF_NR_KINDS ? name[kind] : "unknown";
}

enum sf_kind sf_wait_kind(enum sf_wait wait)
{
	static const uint8_t kind[SF_NR_WAITS] = {
		[SF_WAIT_UNKNOWN] = SF_KIND_UNKNOWN,   [SF_WAIT_FUTEX] = SF_KIND_UNKNOWN,
		[SF_WAIT_PEER] = SF_KIND_PEER,         [SF_WAIT_TIMER] = SF_KIND_TIMER,
		[SF_WAIT_LOCK] = SF_KIND_LOCK,         [SF_WAIT_MM_LOCK] = SF_KIND_MEMORY,
		[SF_WAIT_FAULT] = SF_KIND_MEMORY,      [SF_WAIT_RECLAIM] = SF_KIND_MEMORY,
		[SF_WAIT_THROTTLE] = SF_KIND_IO_THROTTLE,
		[SF_WAIT_WRITEBACK] = SF_KIND_IO_WRITEBACK,
		[SF_WAIT_JOURNAL] = SF_KIND_IO_JOURNAL,
		[SF_WAIT_DEVICE] = SF_KIND_IO_DEVICE,  [SF_WAIT_WORKER] = SF_KIND_UNKNOWN,
		[SF_WAIT_VCPU] = SF_KIND_VCPU,
	};

	return wait < SF_NR_WAITS ? kind[wait] : SF_KIND_UNKNOWN;
}

/*
 * Functions that tell why. A name that ends in * is a prefix. Where several frames of a stack are in
 * the table, the highest rank wins, and among equals the one nearest the leaf: wbt_wait below
 * jbd2_log_wait_commit is the throttle's doing; a sleep in folio_wait_bit_common says nothing that
 * folio_wait_writeback above it does not say better.
 */
static const struct wait_rule {
	const char *name;
	uint8_t wait; /* enum sf_wait */
	uint8_t rank;
} rules[] = {
	/* block layer and dirty page throttling */
	{ "wbt_wait", SF_WAIT_THROTTLE, 6 },
	{ "rq_qos_wait", SF_WAIT_THROTTLE, 6 },
	{ "ioc_rqos_throttle", SF_WAIT_THROTTLE, 6 },
	{ "blkcg_iolatency_throttle", SF_WAIT_THROTTLE, 6 },
	{ "blkcg_maybe_throttle_current", SF_WAIT_THROTTLE, 6 },
	{ "blk_throtl_bio", SF_WAIT_THROTTLE, 6 },
	{ "__blk_throtl_bio", SF_WAIT_THROTTLE, 6 },
	{ "balance_dirty_pages*", SF_WAIT_THROTTLE, 6 },
	/* journals */
	{ "jbd2_log_wait_commit", SF_WAIT_JOURNAL, 5 },
	{ "jbd2_complete_transaction", SF_WAIT_JOURNAL, 5 },
	{ "start_this_handle", SF_WAIT_JOURNAL, 5 },
	{ "add_transaction_credits", SF_WAIT_JOURNAL, 5 },
	{ "wait_transaction_locked", SF_WAIT_JOURNAL, 5 },
	{ "wait_transaction_switching", SF_WAIT_JOURNAL, 5 },
	{ "__jbd2_log_wait_for_space", SF_WAIT_JOURNAL, 5 },
	{ "do_get_write_access", SF_WAIT_JOURNAL, 5 },
	{ "jbd2_journal_commit_transaction", SF_WAIT_JOURNAL, 3 },
	{ "jbd2_journal_lock_updates", SF_WAIT_JOURNAL, 5 },
	{ "jbd2_log_do_checkpoint", SF_WAIT_JOURNAL, 5 },
	{ "xlog_wait*", SF_WAIT_JOURNAL, 5 },
	{ "xlog_grant_head_wait", SF_WAIT_JOURNAL, 5 },
	{ "xfs_log_force*", SF_WAIT_JOURNAL, 5 },
	{ "xlog_force_lsn", SF_WAIT_JOURNAL, 5 },
	{ "btrfs_commit_transaction*", SF_WAIT_JOURNAL, 5 },
	{ "wait_current_trans", SF_WAIT_JOURNAL, 5 },
	{ "btrfs_sync_log", SF_WAIT_JOURNAL, 5 },
	/* somebody's dirty pages */
	{ "folio_wait_writeback*", SF_WAIT_WRITEBACK, 4 },
	{ "wait_on_page_writeback*", SF_WAIT_WRITEBACK, 4 },
	{ "folio_wait_stable", SF_WAIT_WRITEBACK, 4 },
	{ "wait_for_stable_page", SF_WAIT_WRITEBACK, 4 },
	{ "__filemap_fdatawait_range", SF_WAIT_WRITEBACK, 4 },
	{ "wb_wait_for_completion", SF_WAIT_WRITEBACK, 4 },
	{ "wb_wait_completion", SF_WAIT_WRITEBACK, 4 },
	{ "sync_inodes_sb", SF_WAIT_WRITEBACK, 4 },
	{ "inode_wait_for_writeback", SF_WAIT_WRITEBACK, 4 },
	{ "__inode_wait_for_writeback", SF_WAIT_WRITEBACK, 4 },
	/* memory */
	{ "handle_userfault", SF_WAIT_FAULT, 6 },
	{ "try_to_free_pages", SF_WAIT_RECLAIM, 5 },
	{ "try_to_free_mem_cgroup_pages", SF_WAIT_RECLAIM, 5 },
	{ "mem_cgroup_handle_over_high", SF_WAIT_RECLAIM, 5 },
	{ "__mem_cgroup_handle_over_high", SF_WAIT_RECLAIM, 5 },
	{ "mem_cgroup_oom_synchronize", SF_WAIT_RECLAIM, 5 },
	{ "mem_cgroup_out_of_memory", SF_WAIT_RECLAIM, 5 },
	{ "throttle_direct_reclaim", SF_WAIT_RECLAIM, 5 },
	{ "reclaim_throttle", SF_WAIT_RECLAIM, 5 },
	{ "__alloc_pages_slowpath*", SF_WAIT_RECLAIM, 5 },
	{ "__alloc_frozen_pages_slowpath*", SF_WAIT_RECLAIM, 5 },
	{ "try_to_compact_pages", SF_WAIT_RECLAIM, 5 },
	{ "do_swap_page", SF_WAIT_RECLAIM, 5 },
	{ "swap_read_folio", SF_WAIT_RECLAIM, 5 },
	{ "migration_entry_wait*", SF_WAIT_RECLAIM, 5 },
	/* locks of the kernel */
	{ "rwsem_down_read_slowpath", SF_WAIT_LOCK, 2 },
	{ "rwsem_down_write_slowpath", SF_WAIT_LOCK, 2 },
	{ "__mutex_lock*", SF_WAIT_LOCK, 2 },
	{ "mutex_lock*", SF_WAIT_LOCK, 2 },
	{ "__rt_mutex_slowlock*", SF_WAIT_LOCK, 2 },
	{ "rt_mutex_slowlock*", SF_WAIT_LOCK, 2 },
	{ "rwbase_*", SF_WAIT_LOCK, 2 },
	{ "__down*", SF_WAIT_LOCK, 2 },
	{ "percpu_rwsem_wait", SF_WAIT_LOCK, 2 },
	{ "percpu_down_write", SF_WAIT_LOCK, 2 },
	{ "__percpu_down_read", SF_WAIT_LOCK, 2 },
	{ "locks_lock_inode_wait", SF_WAIT_LOCK, 3 },
	{ "flock_lock_inode_wait", SF_WAIT_LOCK, 3 },
	{ "do_lock_file_wait", SF_WAIT_LOCK, 3 },
	{ "fcntl_setlk*", SF_WAIT_LOCK, 3 },
	{ "posix_lock_inode_wait", SF_WAIT_LOCK, 3 },
	{ "__break_lease", SF_WAIT_LOCK, 3 },
	{ "__folio_lock*", SF_WAIT_LOCK, 2 },
	{ "__lock_page*", SF_WAIT_LOCK, 2 },
	{ "__lock_buffer", SF_WAIT_LOCK, 2 },
	{ "inode_dio_wait", SF_WAIT_LOCK, 2 },
	{ "futex_lock_pi", SF_WAIT_FUTEX, 3 },
	/* plain I/O */
	{ "io_schedule*", SF_WAIT_DEVICE, 1 },
	{ "bit_wait_io*", SF_WAIT_DEVICE, 1 },
	{ "__wait_on_buffer", SF_WAIT_DEVICE, 1 },
	{ "submit_bio_wait", SF_WAIT_DEVICE, 3 },
	{ "bio_await*", SF_WAIT_DEVICE, 3 },
	{ "blkdev_issue_flush", SF_WAIT_DEVICE, 3 },
	{ "blk_mq_get_tag", SF_WAIT_DEVICE, 3 },
	{ "blk_execute_rq", SF_WAIT_DEVICE, 3 },
	{ "blk_wait_io", SF_WAIT_DEVICE, 3 },
	{ "__iomap_dio_rw", SF_WAIT_DEVICE, 3 },
	{ "__blkdev_direct_IO*", SF_WAIT_DEVICE, 3 },
	{ "filemap_read_folio", SF_WAIT_DEVICE, 2 },
	{ "filemap_update_page", SF_WAIT_DEVICE, 2 },
	{ "filemap_fault", SF_WAIT_DEVICE, 1 },
	/* sleeping on purpose */
	{ "do_nanosleep", SF_WAIT_TIMER, 3 },
	{ "hrtimer_nanosleep", SF_WAIT_TIMER, 4 },
	{ "msleep*", SF_WAIT_TIMER, 3 },
	{ "usleep_range*", SF_WAIT_TIMER, 3 },
	{ "schedule_timeout_uninterruptible", SF_WAIT_TIMER, 2 },
	{ "timerfd_read*", SF_WAIT_TIMER, 3 },
	{ "rcu_gp_fqs_loop", SF_WAIT_TIMER, 3 },
	/* user space's own locks and messages */
	{ "futex_wait*", SF_WAIT_FUTEX, 3 },
	{ "__futex_wait", SF_WAIT_FUTEX, 3 },
	{ "futex_do_wait", SF_WAIT_FUTEX, 3 },
	{ "do_futex", SF_WAIT_FUTEX, 2 },
	{ "unix_stream_*", SF_WAIT_PEER, 3 },
	{ "unix_dgram_*", SF_WAIT_PEER, 3 },
	{ "unix_wait_for_peer", SF_WAIT_PEER, 3 },
	{ "__skb_wait_for_more_packets", SF_WAIT_PEER, 3 },
	{ "sk_wait_data", SF_WAIT_PEER, 3 },
	{ "sk_stream_wait*", SF_WAIT_PEER, 3 },
	{ "sock_alloc_send_pskb", SF_WAIT_PEER, 3 },
	{ "inet_csk_accept", SF_WAIT_PEER, 3 },
	{ "inet_csk_wait_for_connect", SF_WAIT_PEER, 3 },
	{ "virtio_transport_*", SF_WAIT_PEER, 3 },
	{ "vsock_*", SF_WAIT_PEER, 3 },
	{ "pipe_read", SF_WAIT_PEER, 3 },
	{ "anon_pipe_read", SF_WAIT_PEER, 3 },
	{ "pipe_write", SF_WAIT_PEER, 3 },
	{ "anon_pipe_write", SF_WAIT_PEER, 3 },
	{ "wait_for_partner", SF_WAIT_PEER, 3 },
	{ "pipe_wait_readable", SF_WAIT_PEER, 3 },
	{ "eventfd_read", SF_WAIT_PEER, 3 },
	{ "signalfd_read*", SF_WAIT_PEER, 3 },
	{ "ep_poll", SF_WAIT_PEER, 3 },
	{ "do_epoll_wait", SF_WAIT_PEER, 3 },
	{ "do_sys_poll", SF_WAIT_PEER, 3 },
	{ "do_poll*", SF_WAIT_PEER, 3 },
	{ "do_select", SF_WAIT_PEER, 3 },
	{ "do_wait", SF_WAIT_PEER, 3 },
	{ "kernel_wait4", SF_WAIT_PEER, 3 },
	{ "do_msgrcv", SF_WAIT_PEER, 3 },
	{ "do_mq_timedreceive", SF_WAIT_PEER, 3 },
	{ "wq_sleep", SF_WAIT_PEER, 3 },
	{ "__do_semtimedop", SF_WAIT_PEER, 3 },
	{ "do_semtimedop", SF_WAIT_PEER, 3 },
	{ "io_cqring_wait", SF_WAIT_PEER, 3 },
	{ "read_events", SF_WAIT_PEER, 3 },
	{ "request_wait_answer", SF_WAIT_PEER, 3 },
	{ "n_tty_read", SF_WAIT_PEER, 3 },
	{ "do_sigtimedwait", SF_WAIT_PEER, 3 },
	{ "sigsuspend", SF_WAIT_PEER, 3 },
	{ "__x64_sys_pause", SF_WAIT_PEER, 3 },
	{ "__do_sys_pause", SF_WAIT_PEER, 3 },
	{ "rpc_wait_bit_killable", SF_WAIT_PEER, 3 },
	{ "p9_client_rpc", SF_WAIT_PEER, 3 },
	{ "wait_for_response", SF_WAIT_PEER, 3 },
	{ "do_signal_stop", SF_WAIT_PEER, 2 },
	{ "ptrace_stop", SF_WAIT_PEER, 2 },
	{ "seccomp_do_user_notification", SF_WAIT_PEER, 3 },
	{ "fanotify_handle_event", SF_WAIT_PEER, 3 },
	{ "userfaultfd_read*", SF_WAIT_PEER, 3 },
	{ "userfaultfd_ctx_read", SF_WAIT_PEER, 3 },
	{ "do_coredump*", SF_WAIT_PEER, 2 },
	{ "wait_for_vfork_done", SF_WAIT_PEER, 3 },
	/* an idle guest, idle workers */
	{ "kvm_vcpu_block", SF_WAIT_VCPU, 3 },
	{ "kvm_vcpu_halt", SF_WAIT_VCPU, 3 },
	{ "worker_thread", SF_WAIT_WORKER, 1 },
	{ "kthread_worker_fn", SF_WAIT_WORKER, 1 },
	{ "rescuer_thread", SF_WAIT_WORKER, 1 },
	{ "kjournald2", SF_WAIT_WORKER, 1 },
	{ "smpboot_thread_fn", SF_WAIT_WORKER, 1 },
	{ "rcu_gp_kthread", SF_WAIT_WORKER, 1 },
	{ "kswapd", SF_WAIT_WORKER, 1 },
};

/* Frames that make a lock the lock of an address space: between rwsem code and the system call. */
static const char *const mm_lock_users[] = {
	"mmap_read_lock*", "mmap_write_lock*", "lock_mm_and_find_vma", "do_user_addr_fault",
	"exc_page_fault", "vm_mmap_pgoff", "__vm_munmap", "vm_munmap", "do_mprotect_pkey",
	"__do_sys_brk", "__x64_sys_brk", "madvise_*", "do_madvise*", "do_mlock", "exit_mmap",
	"dup_mmap", "down_read_mmap*", "__get_user_pages*", "faultin_page*", "lock_vma_under_rcu",
	"vma_start_read*", "__vma_start_write", "do_mmap", "userfaultfd_*", "mremap*", "__do_sys_mremap",
	"__x64_sys_mincore", "__do_sys_mincore", "do_mincore", "__mm_populate",
	"vm_brk_flags", "find_extend_vma*", "pin_user_pages*", "fixup_user_fault", "__access_remote_vm",
	"access_remote_vm", "show_smap*", "pagemap_read", "__x64_sys_munmap", "__x64_sys_mmap",
	"m_start", "proc_maps_*", "process_vm_rw*", "get_user_pages_*", "khugepaged*",
};

/* CPU time under these is spent on memory. */
static const char *const memory_users[] = {
	"handle_mm_fault", "do_user_addr_fault", "exc_page_fault", "asm_exc_page_fault",
	"try_to_free_pages", "try_to_free_mem_cgroup_pages", "shrink_node*", "shrink_lruvec",
	"try_to_compact_pages", "__alloc_pages_slowpath*", "__alloc_frozen_pages_slowpath*",
};

/* A fault that reads a file is I/O. */
static const char *const file_faults[] = { "filemap_fault", "filemap_read_folio", "do_cow_fault" };

static const char *const blk_throttle_users[] = {
	"blk_throtl_dispatch_work_fn", "throtl_pending_timer_fn", "blkg_async_bio_workfn",
	"ioc_timer_fn", "iocg_*",
};

/* What takes a thread whose cgroup has no quota left off the CPU, and what that is called by. */
static const char *const cpu_throttles[] = { "throttle_cfs_rq_work" };
static const char *const cpu_throttle_callers[] = { "task_work_run" };

static const char *const sched_frames[] = {
	"__schedule", "schedule", "schedule_idle", "preempt_schedule*", "__cond_resched",
	"schedule_timeout", "schedule_preempt_disabled", "io_schedule", "io_schedule_timeout",
	"__traceiter_sched_switch", "perf_trace_sched_switch", "schedule_hrtimeout_range*",
	"schedule_hrtimeout", "preempt_schedule_irq", "raw_irqentry_exit_cond_resched",
};

static const char *const irq_frames[] = {
	"irqentry_exit*", "exit_to_user_mode_*", "asm_sysvec_*", "asm_common_interrupt",
	"raw_irqentry_exit*", "sysvec_*", "common_interrupt", "ret_from_intr", "retint_*",
	"prepare_exit_to_usermode", "el0_irq*", "el0t_64_irq*", "ret_to_user", "do_notify_resume",
};

static const char *const entry_frames[] = {
	"entry_SYSCALL_64*", "do_syscall_64", "x64_sys_call", "el0_svc*", "el0t_64_sync*",
	"invoke_syscall*", "do_el0_svc", "syscall_exit_to_user_mode*",
};

static bool name_is(const char *name, const char *pattern)
{
	size_t n = strlen(pattern);

	if (n && pattern[n - 1] == '*')
		return !strncmp(name, pattern, n - 1);
	if (strncmp(name, pattern, n))
		return false;
	/* The compiler's copies: name.part.0, name.isra.0, name.constprop.0, name.cold */
	return !name[n] || name[n] == '.';
}

static bool name_in(const char *name, const char *const *list, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (name_is(name, list[i]))
			return true;
	return false;
}

#define NAME_IN(name, list) name_in((name), (list), SF_ARRAY_SIZE(list))

/* Bits of what a location is. */
enum {
	LOC_SEEN = 1,
	LOC_MM = 2,
	LOC_MEMORY = 4,
	LOC_BLK_THROTTLE = 8,
	LOC_KERNEL = 16,
	LOC_FILE_FAULT = 32,
	LOC_CPU_THROTTLES = 64,
	LOC_CPU_THROTTLE_CALLER = 128,
	LOC_ROLE_SHIFT = 8,
};

int sf_mechanisms_init(struct sf_mechanisms *m, const struct sf_recording *rec)
{
	memset(m, 0, sizeof(*m));
	m->rec = rec;
	m->nr = sf_symbols_nr_locations(rec->symbols) + 1;
	m->nr_stacks = rec->nr_nodes + 1;
	m->wait_of = calloc(m->nr, 1);
	m->role_of = calloc(m->nr, sizeof(*m->role_of));
	m->stack = calloc(m->nr_stacks, sizeof(*m->stack));
	if (m->wait_of && m->role_of && m->stack)
		return 0;
	sf_mechanisms_release(m);
	return -ENOMEM;
}

void sf_mechanisms_release(struct sf_mechanisms *m)
{
	free(m->wait_of);
	free(m->role_of);
	free(m->stack);
	memset(m, 0, sizeof(*m));
}

static unsigned role_bits(const char *name)
{
	if (NAME_IN(name, sched_frames))
		return SF_FRAME_ROLE_SCHED << LOC_ROLE_SHIFT;
	if (NAME_IN(name, irq_frames))
		return SF_FRAME_ROLE_IRQ << LOC_ROLE_SHIFT;
	if (NAME_IN(name, entry_frames))
		return SF_FRAME_ROLE_ENTRY << LOC_ROLE_SHIFT;
	return 0;
}

enum sf_wait sf_mechanism_of_function(const char *name, unsigned *rank)
{
	for (size_t i = 0; i < SF_ARRAY_SIZE(rules); i++)
		if (name_is(name, rules[i].name)) {
			*rank = rules[i].rank;
			return rules[i].wait;
		}
	*rank = 0;
	return SF_WAIT_UNKNOWN;
}

/* Look a location up once: wait_of is the rule's index + 1, role_of the bits. */
static void learn(struct sf_mechanisms *m, uint32_t loc)
{
	const struct sf_frame *f;
	size_t n = sf_symbols_frames(m->rec->symbols, loc, &f);
	unsigned bits = LOC_SEEN;

	m->wait_of[loc] = 0;
	if (n && f[n - 1].flags & SF_FRAME_KERNEL) {
		const char *name = f[n - 1].name;

		bits |= LOC_KERNEL | role_bits(name);
		if (NAME_IN(name, mm_lock_users))
			bits |= LOC_MM;
		if (NAME_IN(name, memory_users))
			bits |= LOC_MEMORY;
		if (NAME_IN(name, blk_throttle_users))
			bits |= LOC_BLK_THROTTLE;
		if (NAME_IN(name, cpu_throttles))
			bits |= LOC_CPU_THROTTLES;
		if (NAME_IN(name, cpu_throttle_callers))
			bits |= LOC_CPU_THROTTLE_CALLER;
		if (NAME_IN(name, file_faults))
			bits |= LOC_FILE_FAULT;
		for (size_t i = 0; i < SF_ARRAY_SIZE(rules); i++)
			if (name_is(name, rules[i].name)) {
				m->wait_of[loc] = (uint8_t)(i + 1);
				break;
			}
	}
	m->role_of[loc] = (uint16_t)bits;
}

_Static_assert(SF_ARRAY_SIZE(rules) < 255, "wait_of holds an index in a byte");

static unsigned bits_of(struct sf_mechanisms *m, uint32_t loc)
{
	if (loc >= m->nr)
		return 0;
	if (!(m->role_of[loc] & LOC_SEEN))
		learn(m, loc);
	return m->role_of[loc];
}

enum sf_frame_role sf_mechanism_role(struct sf_mechanisms *m, uint32_t loc)
{
	return bits_of(m, loc) >> LOC_ROLE_SHIFT;
}

static enum sf_wait find_wait(struct sf_mechanisms *m, uint32_t stack)
{
	const struct wait_rule *best = NULL;
	bool mm = false;

	for (uint32_t id = stack; id; id = sf_stack_parent(m->rec, id)) {
		uint32_t loc = sf_stack_loc(m->rec, id);
		unsigned bits = bits_of(m, loc);

		if (!(bits & LOC_KERNEL))
			break; /* user space's functions may have any name */
		mm |= (bits & LOC_MM) != 0;
		if (loc < m->nr && m->wait_of[loc]) {
			const struct wait_rule *r = &rules[m->wait_of[loc] - 1];

			if (!best || r->rank > best->rank)
				best = r;
		}
	}
	if (!best)
		return SF_WAIT_UNKNOWN;
	if (best->wait == SF_WAIT_LOCK && mm)
		return SF_WAIT_MM_LOCK;
	return best->wait;
}

enum sf_wait sf_mechanism_wait(struct sf_mechanisms *m, uint32_t stack)
{
	struct sf_stack_facts *f;

	if (stack == SF_NO_STACK)
		return SF_WAIT_UNKNOWN;
	f = &m->stack[stack];
	if (!f->wait)
		f->wait = (uint8_t)(find_wait(m, stack) + 1);
	return f->wait - 1;
}

static bool find_any_frame(struct sf_mechanisms *m, uint32_t stack, unsigned bit)
{
	for (uint32_t id = stack; id; id = sf_stack_parent(m->rec, id))
		if (bits_of(m, sf_stack_loc(m->rec, id)) & bit)
			return true;
	return false;
}

/* Bits of what is known of a stack's frames: that it was looked up, and left of that the answer. */
enum { SEEN_MEMORY = 1, SEEN_FILE_FAULT = 4, SEEN_BLK_THROTTLE = 16 };

static bool any_frame(struct sf_mechanisms *m, uint32_t stack, unsigned bit, unsigned seen)
{
	struct sf_stack_facts *f = &m->stack[stack];

	if (!(f->seen & seen))
		f->seen |= (uint8_t)(find_any_frame(m, stack, bit) ? seen | seen << 1 : seen);
	return f->seen & seen << 1;
}

bool sf_mechanism_memory(struct sf_mechanisms *m, uint32_t stack)
{
	return any_frame(m, stack, LOC_MEMORY, SEEN_MEMORY) &&
	       !any_frame(m, stack, LOC_FILE_FAULT, SEEN_FILE_FAULT);
}

bool sf_mechanism_blk_throttled(struct sf_mechanisms *m, uint32_t stack)
{
	return any_frame(m, stack, LOC_BLK_THROTTLE, SEEN_BLK_THROTTLE);
}

bool sf_mechanism_in_kernel(struct sf_mechanisms *m, uint32_t stack)
{
	return stack && (bits_of(m, sf_stack_loc(m->rec, stack)) & LOC_KERNEL);
}

/* What called the scheduler, and the scheduler's tracing. */
static uint32_t caller_of_scheduler(struct sf_mechanisms *m, uint32_t stack)
{
	uint32_t cut = stack;
	int depth = 0;

	for (uint32_t id = stack; id && depth < 8; depth++, id = sf_stack_parent(m->rec, id))
		if (sf_mechanism_role(m, sf_stack_loc(m->rec, id)) == SF_FRAME_ROLE_SCHED)
			cut = sf_stack_parent(m->rec, id);
	return cut;
}

enum sf_quota_sign sf_mechanism_quota_sign(struct sf_mechanisms *m, uint32_t stack)
{
	uint32_t id = caller_of_scheduler(m, stack);
	unsigned bits = id && id != stack ? bits_of(m, sf_stack_loc(m->rec, id)) : 0;

	if (bits & LOC_CPU_THROTTLES)
		return SF_QUOTA_THROTTLES;
	return bits & LOC_CPU_THROTTLE_CALLER ? SF_QUOTA_MAYBE : SF_QUOTA_NO_SIGN;
}

static uint32_t find_trimmed(struct sf_mechanisms *m, uint32_t stack)
{
	uint32_t cut = caller_of_scheduler(m, stack), id;

	/* Interrupted in user mode: the entry code is no work of the thread's. */
	for (id = cut; id; id = sf_stack_parent(m->rec, id)) {
		enum sf_frame_role role = sf_mechanism_role(m, sf_stack_loc(m->rec, id));

		if (role != SF_FRAME_ROLE_IRQ && role != SF_FRAME_ROLE_ENTRY)
			break;
	}
	if (id && id != cut && !sf_mechanism_in_kernel(m, id))
		return id;
	return cut ? cut : stack;
}

uint32_t sf_mechanism_trim(struct sf_mechanisms *m, uint32_t stack)
{
	struct sf_stack_facts *f = &m->stack[stack];

	if (!f->trimmed)
		f->trimmed = find_trimmed(m, stack);
	return f->trimmed;
}
