/* SPDX-License-Identifier: GPL-2.0-only */
/* States of threads and the critical path, on recordings made by hand. */
#include "synth.h"

#define THREADS \
	"thread 0 0 swapper idle\n" \
	"thread 100 100 vmm target\n" \
	"thread 101 100 worker target\n" \
	"thread 110 100 vcpu target vcpu\n" \
	"thread 200 200 helper\n" \
	"thread 300 300 hog\n"

struct walked {
	struct sf_recording *rec;
	struct sf_timelines ts;
	struct sf_mechanisms m;
	struct sf_critpath cp;
};

static void walk(struct walked *w, const char *text)
{
	const struct sf_window *win;
	uint64_t at;

	memset(w, 0, sizeof(*w));
	w->rec = synth(text);
	win = &w->rec->window[0];
	assert_int_equal(sf_timelines_init(&w->ts, w->rec, win, win->lo, win->hi), 0);
	assert_int_equal(sf_mechanisms_init(&w->m, w->rec), 0);
	assert_int_equal(sf_critpath_walk(&w->cp, &w->ts, &w->m, win->root), 0);
	/* Whatever the recording says: no gap, no overlap, the window as a whole. */
	at = win->lo;
	for (size_t i = 0; i < w->cp.nr; i++) {
		assert_int_equal(w->cp.seg[i].lo, at);
		assert_true(w->cp.seg[i].hi > at);
		at = w->cp.seg[i].hi;
	}
	assert_int_equal(at, win->hi);
}

static void done(struct walked *w)
{
	sf_critpath_release(&w->cp);
	sf_mechanisms_release(&w->m);
	sf_timelines_release(&w->ts);
	sf_recording_free(w->rec);
}

/* ms on the path that belong to a thread and kind. */
static double ms_of(const struct walked *w, uint32_t tid, enum sf_kind kind)
{
	double sum = 0;

	for (size_t i = 0; i < w->cp.nr; i++)
		if (w->rec->thread[w->cp.seg[i].thread].tid == tid && w->cp.seg[i].kind == kind)
			sum += (double)(w->cp.seg[i].hi - w->cp.seg[i].lo) / 1e6;
	return sum;
}

#define IS(got, want) assert_true((got) > (want) - 0.001 && (got) < (want) + 0.001)

/* A vCPU waits for main, which runs, waits for a worker's mutex, and runs again. */
#define MUTEX \
	THREADS \
	"0 in 110 cpu1\n" "0 in 100 cpu0\n" \
	"1 out 110 S futex_do_wait futex_wait | wait_resume vcpu_loop\n" \
	"10 out 100 S futex_do_wait futex_wait | lock create_snapshot main\n" \
	"5 in 101 cpu1\n" \
	"30 sample 101 | checksum flush\n" \
	"70 wake 100 by 101\n" "70 in 100 cpu0\n" \
	"75 out 101 S ep_poll | loop\n" \
	"90 wake 110 by 100\n" "91 in 110 cpu1\n" \
	"99 out 110 S kvm_vcpu_block kvm_arch_vcpu_ioctl_run | run\n" \
	"99 out 100 S ep_poll | loop\n"

static void blames_the_holder(void **state)
{
	struct walked w;

	walk(&w, MUTEX "window 1 1 91 110\n");
	IS(ms_of(&w, 101, SF_KIND_CPU_USER), 60);
	IS(ms_of(&w, 100, SF_KIND_CPU_KERNEL) + ms_of(&w, 100, SF_KIND_CPU_USER), 29);
	IS(ms_of(&w, 110, SF_KIND_RUNQUEUE), 0);
	assert_int_equal(w.cp.attributed, w.cp.hi - w.cp.lo);
	done(&w);
}

static void an_interrupt_is_no_waker(void **state)
{
	struct walked w;

	walk(&w, THREADS "0 in 100 cpu0\n0 in 200 cpu1\n"
			 "10 out 100 S do_nanosleep hrtimer_nanosleep | retry main\n"
			 "60 wake 100 irq\n60 in 100 cpu0\n80 out 100 S ep_poll | loop\n"
			 "window 1 0 80 100\n");
	IS(ms_of(&w, 100, SF_KIND_TIMER), 50);
	IS(ms_of(&w, 200, SF_KIND_CPU_USER), 0);
	done(&w);
	/* A futex that an interrupt ends had a time-out. */
	walk(&w, THREADS "0 in 100 cpu0\n"
			 "10 out 100 S futex_do_wait futex_wait | cond_timedwait main\n"
			 "60 wake 100 irq\n60 in 100 cpu0\n80 out 100 S ep_poll | loop\n"
			 "window 1 0 80 100\n");
	IS(ms_of(&w, 100, SF_KIND_TIMER), 50);
	done(&w);
}

static void a_missing_waker_is_not_invented(void **state)
{
	struct walked w;

	walk(&w, THREADS "0 in 100 cpu0\n"
			 "10 out 100 S futex_do_wait futex_wait | lock main\n"
			 "60 in 100 cpu0\n80 out 100 S ep_poll | loop\n"
			 "0 in 101 cpu1\n80 out 101 S ep_poll | loop\n"
			 "window 1 0 80 100\n");
	IS(ms_of(&w, 100, SF_KIND_UNKNOWN), 50);
	IS(ms_of(&w, 101, SF_KIND_CPU_USER) + ms_of(&w, 101, SF_KIND_CPU_KERNEL), 0);
	assert_int_equal(w.cp.attributed, 30000000);
	done(&w);
}

static void two_hops_and_a_process(void **state)
{
	struct walked w;

	walk(&w, THREADS
	     "0 in 100 cpu0\n"
	     "10 out 100 S futex_do_wait futex_wait | wait_done main\n"
	     "10 in 101 cpu0\n"
	     "12 out 101 S unix_stream_read_generic | ask_helper worker\n"
	     "12 in 200 cpu1\n40 sample 200 | encode serve\n"
	     "72 wake 101 by 200\n72 in 101 cpu0\n73 out 200 S unix_stream_read_generic | serve\n"
	     "74 wake 100 by 101\n74 in 100 cpu1\n75 out 101 S futex_do_wait | idle\n"
	     "80 out 100 S ep_poll | loop\n"
	     "window 1 0 80 100\n");
	IS(ms_of(&w, 200, SF_KIND_CPU_USER), 60);
	IS(ms_of(&w, 100, SF_KIND_CPU_KERNEL) + ms_of(&w, 100, SF_KIND_CPU_USER), 16);
	assert_int_equal(w.cp.nr_waiters, 2);
	done(&w);
}

/* Another process leaves the CPU with such a stack on the way to user mode, and somebody else has it. */
static void leaves_by_task_work(struct walked *w, const char *frames, const char *covariate)
{
	char text[2048];

	snprintf(text, sizeof(text), THREADS
		 "0 in 100 cpu1\n5 out 100 S futex_do_wait futex_wait | wait main\n0 in 200 cpu0\n"
		 "10 out 200 R __schedule %s irqentry_exit_to_user_mode | encode\n"
		 "10 in 300 cpu0\n50 out 300 R | burn\n50 in 200 cpu0\n"
		 "60 out 200 R __schedule schedule irqentry_exit_to_user_mode | encode\n"
		 "60 in 300 cpu0\n65 out 300 R | burn\n65 in 200 cpu0\n"
		 "70 wake 100 by 200\n70 in 100 cpu1\n80 out 100 S ep_poll | loop\n"
		 "window 1 0 80 100\n%s", frames, covariate);
	walk(w, text);
}

static void the_run_queue_names_who_had_the_cpu(void **state)
{
	struct walked w;

	walk(&w, THREADS
	     "0 in 100 cpu0\n10 out 100 R | compute main\n10 in 300 cpu0\n"
	     "50 out 300 R | burn\n50 in 100 cpu0\n80 out 100 S ep_poll | loop\n"
	     "window 1 0 80 100\n");
	IS(ms_of(&w, 300, SF_KIND_RUNQUEUE), 40);
	done(&w);
	/* The CPU idled meanwhile, and the cgroup says that it was throttled: a quota. */
	walk(&w, THREADS
	     "0 in 100 cpu0\n10 out 100 R | compute main\n10 in 0 cpu0\n"
	     "50 in 100 cpu0\n80 out 100 S ep_poll | loop\n"
	     "window 1 0 80 100\n");
	IS(ms_of(&w, 100, SF_KIND_CPU_QUOTA), 40);
	done(&w);
	walk(&w, THREADS
	     "0 in 100 cpu0\n10 out 100 R | compute main\n10 in 300 cpu0\n"
	     "50 out 300 R | burn\n50 in 100 cpu0\n80 out 100 S ep_poll | loop\n"
	     "window 1 0 80 100\ncovariate 1 cgroup_throttled_us 0 40000\n");
	IS(ms_of(&w, 100, SF_KIND_CPU_QUOTA), 40);
	done(&w);
	/* Where the throttle is seen to take it from the CPU, it waits behind others otherwise. */
	walk(&w, THREADS
	     "0 in 100 cpu0\n10 out 100 R | compute main\n10 in 300 cpu0\n"
	     "25 out 300 R | burn\n25 in 100 cpu0\n"
	     "30 out 100 R __cond_resched task_work_run | compute main\n30 in 300 cpu0\n"
	     "60 out 300 R | burn\n60 in 100 cpu0\n80 out 100 S ep_poll | loop\n"
	     "window 1 0 80 100\ncovariate 1 cgroup_throttled_us 0 30000\n");
	IS(ms_of(&w, 100, SF_KIND_CPU_QUOTA), 30);
	IS(ms_of(&w, 300, SF_KIND_RUNQUEUE), 15);
	done(&w);
	/* It was not: whatever the CPU waited for, it was no quota. */
	walk(&w, THREADS
	     "0 in 100 cpu0\n10 out 100 R | compute main\n10 in 0 cpu0\n"
	     "50 in 100 cpu0\n80 out 100 S ep_poll | loop\n"
	     "window 1 0 80 100\ncovariate 1 cgroup_throttled_us 70000 70000\n");
	IS(ms_of(&w, 100, SF_KIND_CPU_QUOTA), 0);
	IS(ms_of(&w, 100, SF_KIND_RUNQUEUE), 40);
	done(&w);
	leaves_by_task_work(&w, "__cond_resched task_work_run", "covariate 1 machine_throttled_us 5000 45000\n");
	IS(ms_of(&w, 200, SF_KIND_CPU_QUOTA), 40);
	IS(ms_of(&w, 300, SF_KIND_RUNQUEUE), 5);
	done(&w);
	/* The throttle itself is proof, whatever is known of cgroups. */
	leaves_by_task_work(&w, "preempt_schedule_common throttle_cfs_rq_work task_work_run", "");
	IS(ms_of(&w, 200, SF_KIND_CPU_QUOTA), 40);
	done(&w);
	/* Other work is done there, too: closing files, say. No cgroup was throttled, or nobody looked. */
	leaves_by_task_work(&w, "__cond_resched task_work_run", "covariate 1 machine_throttled_us 5000 5000\n");
	IS(ms_of(&w, 200, SF_KIND_CPU_QUOTA), 0);
	IS(ms_of(&w, 300, SF_KIND_RUNQUEUE), 45);
	done(&w);
	leaves_by_task_work(&w, "__cond_resched task_work_run", "");
	IS(ms_of(&w, 200, SF_KIND_CPU_QUOTA), 0);
	done(&w);
	/* Another group's count is gone, with the group. */
	leaves_by_task_work(&w, "__cond_resched task_work_run", "covariate 1 machine_throttled_us 45000 5000\n");
	IS(ms_of(&w, 200, SF_KIND_CPU_QUOTA), 0);
	done(&w);
	/* An idle CPU while no cgroup of the machine was throttled is none either. */
	walk(&w, THREADS
	     "0 in 100 cpu1\n5 out 100 S futex_do_wait futex_wait | wait main\n0 in 200 cpu0\n"
	     "10 out 200 R | encode\n10 in 0 cpu0\n50 in 200 cpu0\n"
	     "70 wake 100 by 200\n70 in 100 cpu1\n80 out 100 S ep_poll | loop\n"
	     "window 1 0 80 100\ncovariate 1 machine_throttled_us 700 700\n");
	IS(ms_of(&w, 200, SF_KIND_CPU_QUOTA), 0);
	done(&w);
	/* A CPU that takes its time to wake up is no quota of the thread that it wakes up for. */
	walk(&w, THREADS
	     "0 in 100 cpu0\n10 out 100 S do_nanosleep hrtimer_nanosleep | nap main\n10 in 0 cpu0\n"
	     "47 wake 100 irq\n50 in 100 cpu0\n80 out 100 S ep_poll | loop\n"
	     "window 1 0 80 100\n");
	IS(ms_of(&w, 100, SF_KIND_CPU_QUOTA), 0);
	IS(ms_of(&w, 100, SF_KIND_RUNQUEUE), 3);
	done(&w);
}

static void io_is_told_apart(void **state)
{
	static const struct {
		const char *frames;
		enum sf_kind kind;
	} waits[] = {
		{ "io_schedule rq_qos_wait wbt_wait ext4_writepages jbd2_log_wait_commit", SF_KIND_IO_THROTTLE },
		{ "schedule balance_dirty_pages generic_perform_write", SF_KIND_IO_THROTTLE },
		{ "schedule jbd2_log_wait_commit ext4_sync_file", SF_KIND_IO_JOURNAL },
		{ "io_schedule folio_wait_bit folio_wait_writeback truncate_inode_pages_range", SF_KIND_IO_WRITEBACK },
		{ "io_schedule folio_wait_bit_common filemap_read_folio", SF_KIND_IO_DEVICE },
		{ "schedule_timeout try_to_free_pages __alloc_pages", SF_KIND_MEMORY },
		{ "do_nanosleep hrtimer_nanosleep", SF_KIND_TIMER },
		{ "schedule schedule_timeout rcu_gp_fqs_loop rcu_gp_kthread", SF_KIND_TIMER },
		{ "schedule unix_stream_read_generic", SF_KIND_PEER },
		{ "schedule ptrace_stop ptrace_notify", SF_KIND_PEER },
		{ "schedule_timeout __break_lease do_dentry_open vfs_open", SF_KIND_LOCK },
		{ "schedule some_driver_wait", SF_KIND_UNKNOWN },
	};

	for (size_t i = 0; i < SF_ARRAY_SIZE(waits); i++) {
		char text[1024];
		struct walked w;

		snprintf(text, sizeof(text),
			 THREADS "0 in 100 cpu0\n10 out 100 D %s | write main\n60 wake 100 softirq\n"
				 "60 in 100 cpu0\n80 out 100 S ep_poll | loop\nwindow 1 0 80 100\n",
			 waits[i].frames);
		walk(&w, text);
		IS(ms_of(&w, 100, waits[i].kind), 50);
		done(&w);
	}
}

static void a_device_owns_its_requests(void **state)
{
	struct walked w;
	uint64_t dev = 0, throttled = 0;

	walk(&w, THREADS
	     "0 in 100 cpu0\n10 out 100 D io_schedule folio_wait_bit_common filemap_read_folio | read main\n"
	     "rq 7 12 59.9 100\n"
	     "60 wake 100 softirq\n60 in 100 cpu0\n80 out 100 S ep_poll | loop\nwindow 1 0 80 100\n");
	for (size_t i = 0; i < w.cp.nr; i++)
		dev += w.cp.seg[i].dev == 7 ? w.cp.seg[i].hi - w.cp.seg[i].lo : 0;
	IS((double)dev / 1e6, 48);
	done(&w);
	/* Held back by the block cgroup until 50: the device had it for 10 ms only. */
	walk(&w, THREADS
	     "0 in 100 cpu0\n10 out 100 D io_schedule folio_wait_bit_common filemap_read_folio | read main\n"
	     "rq 7 50 59.9 200 blk_mq_submit_bio blk_throtl_dispatch_work_fn\n"
	     "60 wake 100 softirq\n60 in 100 cpu0\n80 out 100 S ep_poll | loop\nwindow 1 0 80 100\n");
	throttled = (uint64_t)(ms_of(&w, 100, SF_KIND_IO_THROTTLE) * 1e6);
	IS((double)throttled / 1e6, 40);
	done(&w);
}

static double device_ms(const struct walked *w, uint32_t dev)
{
	double ms = 0;

	for (size_t i = 0; i < w->cp.nr; i++)
		if (w->cp.seg[i].dev == dev)
			ms += (double)(w->cp.seg[i].hi - w->cp.seg[i].lo) / 1e6;
	return ms;
}

/* io_uring's polling thread says that a request is done, and has done nothing else. */
static void a_poller_is_a_messenger(void **state)
{
	struct walked w;

	walk(&w, THREADS
	     "thread 401 100 iou-sqp-100 target\n0 in 401 cpu1\n0 in 100 cpu0\n"
	     "10 out 100 S schedule io_cqring_wait | io_uring_enter main\n"
	     "rq 7 12 59.9 401\n"
	     "60 wake 100 by 401\n60 in 100 cpu0\n80 out 100 S ep_poll | loop\nwindow 1 0 80 100\n");
	IS(device_ms(&w, 7), 48);
	done(&w);
	/* What no request ended is the polling thread's own. */
	walk(&w, THREADS
	     "thread 401 100 iou-sqp-100 target\n0 in 401 cpu1\n0 in 100 cpu0\n"
	     "10 out 100 S schedule io_cqring_wait | io_uring_enter main\n"
	     "rq 7 12 40 401\n"
	     "60 wake 100 by 401\n60 in 100 cpu0\n80 out 100 S ep_poll | loop\nwindow 1 0 80 100\n");
	IS(device_ms(&w, 7), 0);
	done(&w);
}

/* Whose work it is that a thread waits for: the journal's, or the device's under pages. */
static void who_served_is_known(void **state)
{
	struct walked w;
	uint64_t journal = 0, device = 0;

	walk(&w, THREADS
	     "thread 400 400 jbd2/vda-8 kernel\n0 in 100 cpu0\n"
	     "10 out 100 D jbd2_log_wait_commit ext4_sync_file | fsync main\n0 in 400 cpu1\n"
	     "60 wake 100 by 400\n60 in 100 cpu0\n61 out 400 S kjournald2\n"
	     "62 out 100 D io_schedule folio_wait_writeback | open main\nrq 7 63 69.9 400\n"
	     "70 wake 100 softirq\n70 in 100 cpu0\n80 out 100 S ep_poll | loop\nwindow 1 0 80 100\n");
	for (size_t i = 0; i < w.cp.nr; i++) {
		const struct sf_segment *s = &w.cp.seg[i];

		if (s->kind == SF_KIND_IO_JOURNAL && s->server != SF_NO_THREAD &&
		    w.rec->thread[s->server].tid == 400)
			journal += s->hi - s->lo;
		if (s->kind == SF_KIND_IO_WRITEBACK && s->server_dev == 7)
			device += s->hi - s->lo;
	}
	IS((double)journal / 1e6, 50);
	IS((double)device / 1e6, 8);
	done(&w);
}

#define WAIT_FOR_EVENTS(rq, wake) \
	THREADS "0 in 100 cpu0\n0 in 200 cpu1\n" \
		"10 out 100 S read_events do_io_getevents | read_async main\n" rq \
		"60 wake 100 " wake "\n60 in 100 cpu0\n80 out 100 S ep_poll | loop\nwindow 1 0 80 100\n"

static void events_of_io_are_the_devices(void **state)
{
	struct walked w;

	walk(&w, WAIT_FOR_EVENTS("rq 7 12 59.95 100\n", "softirq"));
	IS(device_ms(&w, 7), 48);
	IS(ms_of(&w, 100, SF_KIND_IO_DEVICE), 50);
	done(&w);
	/* Another process's request, or one that was done long before, is no proof. */
	walk(&w, WAIT_FOR_EVENTS("rq 7 12 59.95 200\n", "softirq"));
	IS(device_ms(&w, 7), 0);
	IS(ms_of(&w, 100, SF_KIND_PEER), 50);
	done(&w);
	walk(&w, WAIT_FOR_EVENTS("rq 7 12 40 100\n", "softirq"));
	IS(device_ms(&w, 7), 0);
	done(&w);
	/* A thread that brings the event is followed, whatever the disk does. */
	walk(&w, WAIT_FOR_EVENTS("rq 7 12 59.95 100\n", "by 200"));
	IS(device_ms(&w, 7), 0);
	IS(ms_of(&w, 200, SF_KIND_CPU_KERNEL) + ms_of(&w, 200, SF_KIND_CPU_USER), 50);
	done(&w);
}

/* What arrives in a soft interrupt is nobody's, unless the interrupted thread has just sent it. */
static void a_sender_is_followed_through_its_interrupt(void **state)
{
	static const char *const wake[] = { "softirq", "sender 200" };
	static const double of_peer[] = { 0, 50 };
	struct walked w;

	for (size_t i = 0; i < SF_ARRAY_SIZE(wake); i++) {
		char text[1024];

		snprintf(text, sizeof(text),
			 THREADS "0 in 100 cpu0\n0 in 200 cpu1\n"
				 "10 out 100 S sk_wait_data tcp_recvmsg | ask main\n"
				 "60 wake 100 %s\n60 in 100 cpu0\n80 out 100 S ep_poll | loop\n"
				 "window 1 0 80 100\n", wake[i]);
		walk(&w, text);
		IS(ms_of(&w, 200, SF_KIND_CPU_KERNEL) + ms_of(&w, 200, SF_KIND_CPU_USER), of_peer[i]);
		IS(ms_of(&w, 100, SF_KIND_PEER), 50 - of_peer[i]);
		done(&w);
	}
}

static void a_signal_has_a_sender_and_a_timer_none(void **state)
{
	struct walked w;

	walk(&w, THREADS "0 in 100 cpu0\n0 in 200 cpu1\n"
			 "10 out 100 S do_sigtimedwait.isra.0 | wait_signal main\n"
			 "60 wake 100 by 200\n60 in 100 cpu0\n80 out 100 S ep_poll | loop\n"
			 "window 1 0 80 100\n");
	IS(ms_of(&w, 200, SF_KIND_CPU_KERNEL) + ms_of(&w, 200, SF_KIND_CPU_USER), 50);
	done(&w);
	walk(&w, THREADS "0 in 100 cpu0\n"
			 "10 out 100 S do_wait_intr_irq timerfd_read_iter | wait_timer main\n"
			 "60 wake 100 softirq\n60 in 100 cpu0\n80 out 100 S ep_poll | loop\n"
			 "window 1 0 80 100\n");
	IS(ms_of(&w, 100, SF_KIND_TIMER), 50);
	done(&w);
}

static void a_kernel_lock_keeps_its_kind(void **state)
{
	struct walked w;

	walk(&w, THREADS
	     "0 in 100 cpu0\n"
	     "10 out 100 D rwsem_down_write_slowpath down_write ext4_file_write_iter | write main\n"
	     "10 in 200 cpu1\n30 sample 200 ext4_truncate | other\n"
	     "60 wake 100 by 200\n60 in 100 cpu0\n61 out 200 S ep_poll | loop\n"
	     "80 out 100 S ep_poll | loop\nwindow 1 0 80 100\n");
	IS(ms_of(&w, 200, SF_KIND_LOCK), 50);
	done(&w);
	walk(&w, THREADS
	     "0 in 100 cpu0\n"
	     "10 out 100 D rwsem_down_read_slowpath down_read do_user_addr_fault exc_page_fault | touch main\n"
	     "10 in 101 cpu1\n30 sample 101 zap_pte_range | unmap\n"
	     "60 wake 100 by 101\n60 in 100 cpu0\n61 out 101 S ep_poll | loop\n"
	     "80 out 100 S ep_poll | loop\nwindow 1 0 80 100\n");
	IS(ms_of(&w, 101, SF_KIND_MEMORY), 50);
	done(&w);
}

static void a_slow_vcpu_is_named(void **state)
{
	struct walked w;

	walk(&w, THREADS
	     "0 in 100 cpu0\n0 in 110 cpu1\n"
	     "10 out 100 S futex_do_wait futex_wait | wait_paused main\n"
	     "30 sample 110 | save_state vcpu_loop\n"
	     "60 wake 100 by 110\n60 in 100 cpu0\n"
	     "61 out 110 S futex_do_wait futex_wait | wait_resume\n"
	     "80 out 100 S ep_poll | loop\nwindow 1 0 80 100\n");
	IS(ms_of(&w, 110, SF_KIND_VCPU), 50);
	done(&w);
}

static void page_faults_are_memory(void **state)
{
	struct walked w;

	walk(&w, THREADS
	     "0 in 100 cpu0\n10 sample 100 clear_page handle_mm_fault exc_page_fault | fill main\n"
	     "40 sample 100 filemap_map_pages filemap_fault handle_mm_fault exc_page_fault | load main\n"
	     "80 out 100 S ep_poll | loop\nwindow 1 0 80 100\n");
	IS(ms_of(&w, 100, SF_KIND_MEMORY), 25);
	IS(ms_of(&w, 100, SF_KIND_CPU_KERNEL), 55);
	done(&w);
}

/* Waiting for each other in a circle must end. */
static void circles_end(void **state)
{
	struct walked w;

	walk(&w, THREADS
	     "0 in 100 cpu0\n0 in 101 cpu1\n"
	     "10 out 100 S futex_do_wait | a main\n10 out 101 S futex_do_wait | b worker\n"
	     "70 wake 100 by 101\n70 wake 101 by 100\n70 in 100 cpu0\n70 in 101 cpu1\n"
	     "80 out 100 S ep_poll | loop\n80 out 101 S ep_poll | loop\nwindow 1 0 80 100\n");
	assert_true(w.cp.nr > 0);
	done(&w);
}

/* --------------------------------------------------------------- states */

static void states_sum_to_the_span(void **state)
{
	static const char *const texts[] = {
		MUTEX, THREADS, THREADS "20 in 100 cpu0\n", THREADS "20 wake 100 by 200\n",
		THREADS "20 out 100 S ep_poll\n", THREADS "20 out 100 X\n",
		THREADS "20 in 100 cpu0\n20 in 100 cpu0\n30 out 100 S a\n40 out 100 S b\n50 wake 100 irq\n"
			"50 wake 100 irq\n60 out 100 R\n",
		THREADS "50 in 100 cpu0\n40 out 100 S a\n30 in 100 cpu0\n", /* time goes backwards */
	};

	for (size_t i = 0; i < SF_ARRAY_SIZE(texts); i++) {
		struct sf_recording *rec = synth(texts[i]);

		for (uint32_t t = 0; t < rec->nr_threads; t++) {
			struct sf_timeline tl = { 0 };
			uint64_t sum = 0, at = synth_ns("10");

			assert_int_equal(sf_timeline_build(&tl, rec, t, NULL, synth_ns("10"),
							   synth_ns("90")), 0);
			for (int k = 0; k < SF_NR_STATES; k++)
				sum += tl.total[k];
			assert_int_equal(sum, 80000000);
			for (size_t k = 0; k < tl.nr; k++) {
				assert_int_equal(tl.iv[k].lo, at);
				at = tl.iv[k].hi;
			}
			assert_int_equal(at, synth_ns("90"));
			sf_timeline_release(&tl);
		}
		sf_recording_free(rec);
	}
}

static void edges_and_lost_events(void **state)
{
	struct sf_recording *rec = synth(
		THREADS "5 in 100 cpu0\n20 out 100 S ep_poll\n40 out 100 S ep_poll\n"
			"window 1 10 90 100\nsnap 1 begin 9 0 101 S 0\n");
	struct sf_timeline tl = { 0 };
	const struct sf_window *w = &rec->window[0];

	/* It ran into the span; a switch-in was lost, and nobody knows when it was. */
	assert_int_equal(sf_timeline_build(&tl, rec, 1, w, w->lo, w->hi), 0);
	assert_int_equal(tl.iv[0].state, SF_STATE_RUNNING);
	assert_int_equal(tl.total[SF_STATE_RUNNING], 10000000);
	assert_int_equal(tl.total[SF_STATE_UNACCOUNTED], 20000000);
	/* No event at all: the snapshot says that it slept. */
	assert_int_equal(sf_timeline_build(&tl, rec, 2, w, w->lo, w->hi), 0);
	assert_int_equal(tl.total[SF_STATE_BLOCKED], 80000000);
	/* A thread of the target that nothing is known of is not guessed at. */
	assert_int_equal(sf_timeline_build(&tl, rec, 3, w, w->lo, w->hi), 0);
	assert_int_equal(tl.total[SF_STATE_UNACCOUNTED], 80000000);
	sf_timeline_release(&tl);
	sf_recording_free(rec);
}

static void time_in(struct sf_recording *rec, uint32_t thread, enum sf_state state, double ms)
{
	const struct sf_window *w = &rec->window[1];
	struct sf_timeline tl = { 0 };

	assert_int_equal(sf_timeline_build(&tl, rec, thread, w, w->lo, w->hi), 0);
	IS((double)tl.total[state] / 1e6, ms);
	sf_timeline_release(&tl);
}

/* Between two BRANCHes nothing is recorded: what a thread did last is not what it does when the next one
 * begins. Its next event tells. */
static void a_gap_is_no_sleep(void **state)
{
	struct sf_recording *rec = synth(
		THREADS "window 1 10 50 100\nsnap 1 begin 9 0 100 S 0\nsnap 1 end 51 0 100 S 0\n"
			"window 2 110 190 100\nsnap 2 begin 109 0 101 R 0\nsnap 2 end 191 0 101 R 0\n"
			/* Asleep, and later in the queue; on a CPU; asleep again. */
			"20 out 200 S ep_poll | loop\n130 in 200 cpu0\n"
			"30 out 300 S ep_poll | loop\n140 out 300 S ep_poll | loop\n"
			"20 in 101 cpu1\n40 out 101 R | work\n150 in 101 cpu1\n"
			"45 out 100 R | work\n160 wake 100 by 300\n170 in 100 cpu1\n"
			"35 out 110 S ep_poll | loop\n160 wake 110 by 300\n170 in 110 cpu0\n");

	/* Where wakings may be missing, a thread that nobody woke slept. */
	time_in(rec, 4, SF_STATE_BLOCKED, 20);
	rec->meta.wakings = sf_strtab_id(&rec->str, "ftrace");
	rec->system_scope = true;
	time_in(rec, 4, SF_STATE_RUNNABLE, 20);
	time_in(rec, 4, SF_STATE_RUNNING, 60);
	time_in(rec, 5, SF_STATE_RUNNING, 30);
	time_in(rec, 5, SF_STATE_UNACCOUNTED, 0);
	time_in(rec, 2, SF_STATE_RUNNABLE, 40);
	time_in(rec, 1, SF_STATE_BLOCKED, 50);
	time_in(rec, 3, SF_STATE_BLOCKED, 50);
	sf_recording_free(rec);
}

/* Asleep when the BRANCH begins, in a sleep of which no switch tells: what /proc showed then, not where it
 * slept a BRANCH ago. */
static void a_sleep_that_was_seen(void **state)
{
	struct sf_recording *rec = synth(
		THREADS "window 1 10 50 100\nsnap 1 begin 9 0 100 S 0\nsnap 1 end 51 0 100 S 0\n"
			"window 2 110 190 100\nsnap 2 begin 109 0 100 S 0\nsnap 2 end 191 0 100 S 0\n"
			"20 out 200 S ep_poll | loop\n30 out 300 D bit_wait_io | write\n"
			"160 wake 200 irq\n170 in 200 cpu0\n");
	const struct sf_window *w = &rec->window[1];
	struct sf_poll seen = { .time = rec->window[0].lo, .stack = rec->thread[5].sched[0].stack };
	struct sf_thread *t = &rec->thread[4];
	struct sf_timeline tl = { 0 };

	assert_int_equal(sf_timeline_build(&tl, rec, 4, w, w->lo, w->hi), 0);
	assert_int_equal(tl.iv[0].stack, t->sched[0].stack);
	assert_int_equal(SF_GROW(t->poll, 1, t->poll_alloc), 0);
	t->poll[t->nr_polls++] = seen; /* in the BRANCH before */
	assert_int_equal(sf_timeline_build(&tl, rec, 4, w, w->lo, w->hi), 0);
	assert_int_equal(tl.iv[0].stack, t->sched[0].stack);
	t->poll[0].time = w->snap[SF_EDGE_BEGIN].t0 - 500000;
	assert_int_equal(sf_timeline_build(&tl, rec, 4, w, w->lo, w->hi), 0);
	assert_int_equal(tl.iv[0].state, SF_STATE_BLOCKED);
	assert_int_equal(tl.iv[0].stack, seen.stack);
	assert_int_equal(tl.iv[0].source, SF_EVIDENCE_POLL);
	sf_timeline_release(&tl);
	sf_recording_free(rec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blames_the_holder),
		cmocka_unit_test(an_interrupt_is_no_waker),
		cmocka_unit_test(a_missing_waker_is_not_invented),
		cmocka_unit_test(two_hops_and_a_process),
		cmocka_unit_test(the_run_queue_names_who_had_the_cpu),
		cmocka_unit_test(io_is_told_apart),
		cmocka_unit_test(a_device_owns_its_requests),
		cmocka_unit_test(a_poller_is_a_messenger),
		cmocka_unit_test(who_served_is_known),
		cmocka_unit_test(events_of_io_are_the_devices),
		cmocka_unit_test(a_sender_is_followed_through_its_interrupt),
		cmocka_unit_test(a_signal_has_a_sender_and_a_timer_none),
		cmocka_unit_test(a_kernel_lock_keeps_its_kind),
		cmocka_unit_test(a_slow_vcpu_is_named),
		cmocka_unit_test(page_faults_are_memory),
		cmocka_unit_test(circles_end),
		cmocka_unit_test(states_sum_to_the_span),
		cmocka_unit_test(edges_and_lost_events),
		cmocka_unit_test(a_gap_is_no_sleep),
		cmocka_unit_test(a_sleep_that_was_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
