/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A struct sf_diff built by hand: the example of a person's reading, with two fast and three slow
 * windows. Include after <cmocka.h>.
 */
#ifndef UNIT_FAKE_DIFF_H
#define UNIT_FAKE_DIFF_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <snapflame/array.h>
#include <snapflame/diff.h>

static const char *fake_throttle[] = {
	"wbt_wait", "rq_qos_wait", "__rq_qos_throttle", "blk_mq_submit_bio", "submit_bio_noacct",
	"ext4_io_submit", "ext4_writepages", "do_writepages", "__filemap_fdatawrite_range",
	"ext4_release_file", "__fput", "ksys_write", "do_syscall_64", "entry_SYSCALL_64_after_hwframe",
	"write", "snapshot_memory_to_file", "create_snapshot", "handle_request", "main",
	"__libc_start_main_impl", "_start",
};
static const char *fake_commit[] = { "jbd2_journal_commit_transaction", "kjournald2", "kthread",
				     "ret_from_fork_asm", "ret_from_fork" };
static const char *fake_lock[] = { "memcpy", "fill_page", "--", "rwsem_down_write_slowpath",
				   "do_mmap", "entry_SYSCALL_64_after_hwframe", "mmap", "map_slot" };

struct fake_diff {
	struct sf_diff d;
	struct sf_cause cause[40];
	struct sf_owner owner[5];
	struct sf_passive passive[8];
	struct sf_moved moved[4];
	struct sf_window window[5];
	struct sf_window_ref ref[5];
	double pause[5];
	const char *problem[2], *note[2];
};

static inline uint32_t fake_name(struct fake_diff *f, const char *name)
{
	return sf_strtab_id(&f->d.profile.str, name);
}

static inline void fake_owners(struct fake_diff *f)
{
	f->owner[1] = (struct sf_owner){ .label = fake_name(f, "firecracker (main)"),
					 .comm = fake_name(f, "firecracker"),
					 .process = fake_name(f, "firecracker"),
					 .tid = 4242, .pid = 4242, .target = true };
	f->owner[2] = (struct sf_owner){ .label = fake_name(f, "jbd2/vda-8"),
					 .comm = fake_name(f, "jbd2/vda-8"), .tid = 77, .pid = 77,
					 .kernel = true };
	f->owner[3] = (struct sf_owner){ .label = fake_name(f, "vda"), .comm = fake_name(f, "vda"),
					 .dev = 254u << 20 };
	f->owner[4] = (struct sf_owner){ .label = fake_name(f, "fc_api"),
					 .comm = fake_name(f, "fc_api"),
					 .process = fake_name(f, "firecracker"),
					 .tid = 4243, .pid = 4242, .target = true };
	f->d.profile.owner = f->owner;
	f->d.profile.nr_owners = 5;
}

static inline void fake_cause(struct fake_diff *f, uint32_t owner, enum sf_kind kind,
			      enum sf_state state, double fast, double slow, const char **frame,
			      size_t nr)
{
	f->cause[f->d.nr_causes++] = (struct sf_cause){
		.owner = owner, .kind = kind, .state = state, .fast_ms = fast, .slow_ms = slow,
		.delta = { slow - fast, slow - fast - 51, slow - fast + 39, true },
		.share_pct = 100 * (slow - fast) / 1113.5, .significant = true, .p = 0.003,
		.frame = frame, .nr_frames = nr,
	};
}

static inline void fake_around(struct fake_diff *f)
{
	static const char *const idle[] = { "rayon-2", "rayon-0", "rayon-1" };
	size_t n = 0;

	f->passive[n++] = (struct sf_passive){ 4244, 4242, "fc_vcpu 0", 1388, "firecracker", 4242 };
	f->passive[n++] = (struct sf_passive){ 4245, 4242, "fc_vcpu 1", 1388, "firecracker", 4242 };
	f->passive[n++] = (struct sf_passive){ 4243, 4242, "fc_api", 1387, "firecracker", 4242 };
	for (size_t i = 0; i < SF_ARRAY_SIZE(idle); i++)
		f->passive[n++] = (struct sf_passive){ .tid = 5000, .pid = 4242, .comm = idle[i],
						       .ms = 1389, .idle = true };
	f->d.passive = f->passive;
	f->d.nr_passive = n;
	f->moved[0] = (struct sf_moved){ "Dirty_kB", 400, 217088, false, 1 };
	f->moved[1] = (struct sf_moved){ "Writeback_kB", 0, 98304, false, 0.9 };
	f->moved[2] = (struct sf_moved){ "psi_io_some_us", 12500, 1300000, true, 0.9 };
	f->moved[3] = (struct sf_moved){ "load_1min", NAN, 1, false, 0.1 };
	f->d.moved = f->moved;
	f->d.nr_moved = 4;
}

static inline struct fake_diff *fake_diff(void)
{
	static const double pause[] = { 288, 263, 1321, 1389, 1446 };
	struct fake_diff *f = calloc(1, sizeof(*f));

	fake_owners(f);
	f->d.nr[SF_FAST] = 2;
	f->d.nr[SF_SLOW] = 3;
	memcpy(f->pause, pause, sizeof(pause));
	for (size_t i = 0; i < 5; i++) {
		f->window[i] = (struct sf_window){ .branch = (uint32_t)i + 1, .trial = 1,
						   .lo = 1000, .hi = 2000, .api_lo = 1000,
						   .api_hi = 1000 + (uint64_t)(pause[i] * 1e6) };
		f->ref[i].window = &f->window[i];
	}
	f->d.ref = f->ref;
	f->d.pause_ms = f->pause;
	f->d.median_ms[SF_FAST] = 275.5;
	f->d.median_ms[SF_SLOW] = 1389;
	f->d.delta = (struct sf_estimate){ 1113.5, 1020, 1210, true };
	f->d.series_p = NAN;
	f->d.coverage = (struct sf_coverage){
		.critical_path_pct = 99.8, .stack_pct = 99.1, .schedstat_error_pct = 0.4,
		.sampler_pct = 97, .threads = 9, .others = 41, .ok = true,
		.problem = f->problem, .note = f->note,
	};
	f->d.has_verdict = true;
	f->d.kind = SF_KIND_IO_THROTTLE;
	f->d.sentence = "The pauses grew from 276 to 1389 ms because firecracker (main) waits "
			"1071 ms longer in the block layer's writeback throttle (wbt_wait) while "
			"create_snapshot writes the memory file: 96 % of the growth (95 % interval "
			"1020 to 1110 ms).";
	f->d.cause = f->cause;
	fake_cause(f, 1, SF_KIND_IO_THROTTLE, SF_STATE_BLOCKED, 3.1, 1074.3, fake_throttle,
		   SF_ARRAY_SIZE(fake_throttle));
	fake_cause(f, 2, SF_KIND_IO_JOURNAL, SF_STATE_RUNNING, 12, 41.8, fake_commit,
		   SF_ARRAY_SIZE(fake_commit));
	f->cause[1].waiter = 1;
	f->cause[1].waits_in = "jbd2_log_wait_commit < ext4_sync_file < fsync < create_snapshot";
	f->cause[1].served_by = 3;
	fake_cause(f, 4, SF_KIND_LOCK, SF_STATE_RUNNING, 1, 14, fake_lock, SF_ARRAY_SIZE(fake_lock));
	fake_cause(f, 0, SF_KIND_UNKNOWN, SF_STATE_RUNNING, 259.4, 258.9, NULL, 0);
	fake_around(f);
	f->d.advice = "preallocate the memory file; a snapshot directory on tmpfs would confirm it";
	return f;
}

static inline void fake_diff_free(struct fake_diff *f)
{
	sf_strtab_release(&f->d.profile.str);
	free(f);
}

#endif
