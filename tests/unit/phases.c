/* SPDX-License-Identifier: GPL-2.0-only */
/* What a pause consists of, on recordings made by hand. */
#include "synth.h"

#include <snapflame/phases.h>
#include <snapflame/pieces.h>

#define THREADS \
	"thread 0 0 swapper idle\n" \
	"thread 100 100 vmm target\n" \
	"thread 110 100 fc_vcpu0 target vcpu\n" \
	"thread 111 100 fc_vcpu1 target vcpu\n" \
	"thread 300 300 jbd2 kernel\n" \
	"thread 400 400 other\n" \
	"0 in 110 cpu1\n" "0 in 100 cpu0\n" \
	"1 out 110 S futex_do_wait futex_wait | wait_resume vcpu_loop\n"

/* One asleep to the end, as a vCPU is; what main did is in between. */
#define END(ms) ms " wake 110 by 100\n" ms ".1 in 110 cpu1\n" ms ".2 out 100 S ep_poll | loop\n"

static struct sf_recording *rec;
static double ms[SF_NR_PHASES];
static struct sf_phase_spans spans;

/* The phases of the only window in ms[], and that they are a partition of it. */
static void find(const char *text)
{
	struct sf_pieces_source src;
	struct sf_critpath cp = { 0 };
	struct sf_timelines ts;
	const struct sf_window *w;
	uint64_t at;

	rec = synth(text);
	w = &rec->window[0];
	assert_int_equal(sf_pieces_source_init(&src, rec), 0);
	assert_int_equal(sf_timelines_init(&ts, rec, w, w->lo, w->hi), 0);
	assert_int_equal(sf_critpath_walk(&cp, &ts, &src.mech, w->root), 0);
	assert_int_equal(sf_phases_of(&spans, rec, w, &cp), 0);
	memset(ms, 0, sizeof(ms));
	at = w->lo;
	for (size_t i = 0; i < spans.nr; i++) {
		assert_true(spans.item[i].lo == at);
		assert_true(spans.item[i].hi > at);
		assert_true(spans.item[i].segment < cp.nr);
		at = spans.item[i].hi;
		ms[spans.item[i].phase] += (double)(spans.item[i].hi - spans.item[i].lo) / 1e6;
	}
	assert_true(at == w->hi);
	sf_critpath_release(&cp);
	sf_timelines_release(&ts);
	sf_pieces_source_release(&src);
}

static void done(void)
{
	sf_phase_spans_release(&spans);
	sf_recording_free(rec);
}

static void is(enum sf_phase_kind phase, double want)
{
	if (ms[phase] < want - 0.51 || ms[phase] > want + 0.51)
		fail_msg("%s: %.2f ms, not %.2f", sf_phase_name(phase), ms[phase], want);
}

/* Samples each ms: the borders lie half way between two of them. */
static void functions_tell(void **state)
{
	find(THREADS
	     "2 sample 100 | hash save_device_state create_snapshot\n"
	     "3 sample 100 | hash save_device_state create_snapshot\n"
	     "4 sample 100 kvm_arch_vcpu_ioctl kvm_vcpu_ioctl | ioctl create_snapshot\n"
	     "5 sample 100 ext4_write vfs_write ksys_write | write snapshot_state_to_file\n"
	     "6 sample 100 ext4_sync_file do_fsync | fsync snapshot_state_to_file\n"
	     "7 sample 100 kvm_get_dirty_log_protect kvm_vm_ioctl | ioctl snapshot_memory_to_file\n"
	     "8 sample 100 ext4_write vfs_write ksys_write | write snapshot_memory_to_file\n"
	     "9 sample 100 | memcpy snapshot_memory_to_file\n"
	     "10 sample 100 ext4_sync_file do_fsync | fsync snapshot_memory_to_file\n"
	     "11 sample 100 | notify serve\n" END("12") "window 1 1.5 12.1 110\n");
	is(SF_PHASE_DEVICES, 2);
	is(SF_PHASE_VCPUS, 1);
	is(SF_PHASE_STATE_FILE, 1);
	is(SF_PHASE_SYNC, 2);
	is(SF_PHASE_DIRTY_LOG, 1);
	is(SF_PHASE_MEMORY_FILE, 2);
	is(SF_PHASE_FILES, 0);
	is(SF_PHASE_OTHER, 1.6);
	done();
}

/* A VMM without names: the order tells the files apart, and the first remains open. */
static void order_tells(void **state)
{
	find(THREADS
	     "2 sample 100 vfs_write ksys_write | a b\n"
	     "3 sample 100 do_fsync | a b\n"
	     "4 sample 100 do_filp_open do_sys_openat2 | a b\n"
	     "5 sample 100 kvm_vm_ioctl_get_dirty_log | a b\n"
	     "6 sample 100 vfs_write ksys_write | a b\n"
	     "7 sample 100 do_fsync | a b\n" END("8") "window 1 1.5 8.1 110\n");
	is(SF_PHASE_FILES, 1);
	is(SF_PHASE_SYNC, 2.6);
	is(SF_PHASE_DIRTY_LOG, 1);
	is(SF_PHASE_MEMORY_FILE, 2);
	is(SF_PHASE_STATE_FILE, 0);
	done();
}

/* Where names tell the memory file, what they do not tell before it is the other one. */
static void names_tell_the_other_file(void **state)
{
	find(THREADS
	     "2 sample 100 vfs_write ksys_write | create_snapshot b\n"
	     "3 sample 100 vfs_write ksys_write | dump_dirty b\n" END("4") "window 1 1.5 4.1 110\n");
	is(SF_PHASE_STATE_FILE, 1);
	is(SF_PHASE_MEMORY_FILE, 1.6);
	done();
}

/* Without a sample in them; the calls' own times are the borders. */
static void calls_tell(void **state)
{
	find(THREADS
	     "2 call 100 3.25 16 9 0x8090ae81\n"  /* KVM_GET_REGS */
	     "3.25 call 100 4.5 257 0 0\n"        /* openat */
	     "4.5 call 100 6 74 5 0\n"            /* fsync */
	     "6 call 100 7.75 16 5 0x4010ae42\n"  /* KVM_GET_DIRTY_LOG */
	     "7.75 call 100 10 1 5 0\n"           /* write */
	     "10 call 100 11 202 0 0\n"           /* futex: says nothing */
	     END("12") "window 1 1.5 12.1 110\n");
	assert_true(ms[SF_PHASE_VCPUS] == 1.25);
	assert_true(ms[SF_PHASE_FILES] == 1.25);
	assert_true(ms[SF_PHASE_SYNC] == 1.5);
	assert_true(ms[SF_PHASE_DIRTY_LOG] == 1.75);
	assert_true(ms[SF_PHASE_MEMORY_FILE] == 2.25);
	is(SF_PHASE_OTHER, 2.6);
	done();
}

/* The driver's own calls are exact; in between somebody else's work is the phase of who waits. */
static void driver_and_waiters_tell(void **state)
{
	find(THREADS
	     "3 sample 100 | memcpy\n" "4 sample 100 | memcpy\n"
	     "5 out 100 D jbd2_log_wait_commit ext4_sync_file do_fsync | fsync snapshot_memory_to_file\n"
	     "5 in 300 cpu0\n"
	     "6 sample 300 submit_bio vfs_write\n"
	     "8 wake 100 by 300\n" "8 out 300 S kjournald2\n" "8 in 100 cpu0\n"
	     "8.5 sample 100 | notify serve\n"
	     END("12") "window 1 1.5 12.1 110\n"
	     "phase 1 pause 0.5 2\n" "phase 1 create 2 9\n" "phase 1 resume 9 13\n");
	assert_true(ms[SF_PHASE_STOP] == 0.5);
	is(SF_PHASE_SYNC, 3);
	is(SF_PHASE_RESUME, 3.1);
	done();
}

/* A vCPU is at its own state while main waits for all states; a gap belongs to what is around it. */
static void vcpus_and_gaps(void **state)
{
	find(THREADS
	     "2 out 100 S futex_do_wait futex_wait | recv save_state create_snapshot\n"
	     "2 in 111 cpu1\n" "3 sample 111 | copy_state\n"
	     "4 wake 100 by 111\n" "4 in 100 cpu0\n" "4.1 out 111 S futex_do_wait | wait_resume\n"
	     "5 sample 100 | dump_dirty b\n"
	     "6 sample 100 | memcpy\n"
	     "7 sample 100 | dump_dirty b\n" END("8") "window 1 1.5 8.1 110\n");
	is(SF_PHASE_VCPUS, 2);
	is(SF_PHASE_MEMORY_FILE, 4.1);
	done();
}

/* A part of a longer name is no match: "prepause_vm", "dump_dirty_pages_count". */
static void names_match_whole(void **state)
{
	find(THREADS
	     "2 sample 100 | vmm::prepause_vm x\n"
	     "3 sample 100 | vmm::dump_dirty_pages_count x\n"
	     "4 sample 100 | <a::B<C>::x>::snapshot_memory_to_file x\n"
	     "5 sample 100 | my::MMIODeviceManager::save x\n" END("6") "window 1 1.5 6.1 110\n");
	is(SF_PHASE_OTHER, 2);
	is(SF_PHASE_STOP, 0);
	is(SF_PHASE_MEMORY_FILE, 1);
	is(SF_PHASE_DEVICES, 1.6);
	done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_tell),
		cmocka_unit_test(order_tells),
		cmocka_unit_test(names_tell_the_other_file),
		cmocka_unit_test(calls_tell),
		cmocka_unit_test(driver_and_waiters_tell),
		cmocka_unit_test(vcpus_and_gaps),
		cmocka_unit_test(names_match_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
