/* SPDX-License-Identifier: GPL-2.0-only */
/* Which events a recording has, where they are opened, and what a sample of each holds. */
#define _GNU_SOURCE
#include <time.h>

#include <snapflame/marks.h>
#include <snapflame/writer.h>

#include "events_impl.h"
#include "unwound.h"

enum {
	USER_STACK = 8192, /* 3 % of the stacks are longer */
	/* With frame pointers: enough to get through a wrapper of the C library, which has none. */
	REPAIR_STACK = 1024,
	DEFAULT_HZ = 997, /* a prime: not in step with anything */
};

#if defined(__x86_64__)
#define USER_REGS UINT64_C(0xff0fff) /* all but the segments DS, ES, FS, GS */
#elif defined(__aarch64__)
#define USER_REGS ((UINT64_C(1) << 33) - 1)
#else
#define USER_REGS 0
#endif

#define BASE_TYPE (SF_STAMP_SAMPLE_TYPE | PERF_SAMPLE_IP)

static const struct {
	const char *name;
	bool tracepoint, chain;
	/* As in the rules of the cost table: a per-task cpu-clock arms a timer at each switch, so
	 * it is CPU-wide wherever that is allowed. */
	bool wide_in_vmm;
} defs[SF_EV_NR] = {
	[SF_EV_CLOCK] = { SF_EVENT_CPU_CLOCK, false, true, true },
	[SF_EV_SWITCH] = { SF_EVENT_SWITCH, true, true, false },
	[SF_EV_SIDEBAND] = { SF_EVENT_SIDEBAND, false, false, false },
	[SF_EV_WAKING] = { SF_EVENT_WAKING, true, false, true },
	[SF_EV_RQ_ISSUE] = { SF_EVENT_RQ_ISSUE, true, true, true },
	[SF_EV_RQ_DONE] = { SF_EVENT_RQ_DONE, true, false, true },
	[SF_EV_KVM_EXIT] = { SF_EVENT_KVM_EXIT, true, false, false },
	[SF_EV_SYS_ENTER] = { SF_EVENT_SYS_ENTER, true, false, false },
	[SF_EV_SYS_EXIT] = { SF_EVENT_SYS_EXIT, true, false, false },
};

bool sf_event_wanted(enum sf_event_id id, const struct sf_events_opts *o)
{
	switch (id) {
	case SF_EV_WAKING:
		return o->perf_wakings;
	case SF_EV_RQ_DONE:
		return o->perf_requests;
	case SF_EV_KVM_EXIT:
		return o->kvm;
	case SF_EV_SYS_ENTER:
	case SF_EV_SYS_EXIT:
		return o->syscalls;
	default:
		return true;
	}
}

/*
 * System calls are wanted of the target only, also those of threads to come. Events of tasks cost
 * the target something at each switch: in system scope vCPU exits, of threads that are there, do
 * with a filter.
 */
bool sf_event_wide(enum sf_event_id id, const struct sf_events_opts *o)
{
	if (id == SF_EV_SYS_ENTER || id == SF_EV_SYS_EXIT)
		return false;
	return o->scope == SF_SCOPE_SYSTEM || defs[id].wide_in_vmm;
}

static void set_call_graph(struct perf_event_attr *a, enum sf_call_graph how)
{
	if (how == SF_CALL_GRAPH_NONE)
		return;
	a->sample_type |= PERF_SAMPLE_CALLCHAIN;
	if (!USER_REGS || !sf_can_unwind())
		return;
	a->sample_type |= PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER;
	a->exclude_callchain_user = how == SF_CALL_GRAPH_DWARF;
	a->sample_regs_user = USER_REGS;
	a->sample_stack_user = how == SF_CALL_GRAPH_DWARF ? USER_STACK : REPAIR_STACK;
}

int sf_event_attr(struct sf_perf_event *ev, enum sf_event_id id, const struct sf_events_opts *o,
		  const struct sf_tracefs *fs)
{
	struct perf_event_attr *a = &ev->attr;
	int tp = 0;

	if (defs[id].tracepoint) {
		tp = sf_tracefs_id(fs, defs[id].name);
		if (tp < 0)
			return tp;
	}
	*a = (struct perf_event_attr){
		.size = sizeof(*a),
		.type = tp ? PERF_TYPE_TRACEPOINT : PERF_TYPE_SOFTWARE,
		.config = (uint64_t)tp,
		.sample_period = 1,
		.sample_type = BASE_TYPE | (tp ? PERF_SAMPLE_RAW : 0),
		.read_format = SF_READ_FORMAT,
		.disabled = 1,
		.inherit = !ev->wide,
		.sample_id_all = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.watermark = 1,
	};
	if (id == SF_EV_CLOCK) {
		a->config = PERF_COUNT_SW_CPU_CLOCK;
		a->freq = 1;
		a->sample_freq = o->hz ? o->hz : DEFAULT_HZ;
		a->exclude_idle = 1;
		a->sample_type |= PERF_SAMPLE_PERIOD;
	} else if (id == SF_EV_SIDEBAND) {
		a->config = PERF_COUNT_SW_DUMMY;
		a->mmap = a->mmap2 = a->comm = a->comm_exec = a->task = a->context_switch = 1;
		/*
		 * No build_id: while it is on anywhere, the kernel marks MMAP2 records of other
		 * recorders as having one, too (seen on 6.18), and perf 6.1 crashes on those. The
		 * ids come from the files, before the windows and after them.
		 */
	}
	if (defs[id].chain)
		set_call_graph(a, o->call_graph);
	return 0;
}

const char *sf_event_name(enum sf_event_id id)
{
	return defs[id].name;
}
