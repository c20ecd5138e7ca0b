/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the scheduler did. Two records tell of a switch-out: the sched_switch sample, which knows the
 * state and the stack, and a few µs later the SWITCH record, which also comes where tracepoints are
 * lost. They become one event. The switch-in is taken from the SWITCH record only: the idle task of
 * some machines sends no sched_switch.
 */
#include <errno.h>

#include "model/loader.h"

/* Bits of prev_state that kernels since 4.14 mean the same by (TASK_REPORT of sched.h). */
static enum sf_task_state task_state(int64_t prev)
{
	if (prev & 1)
		return SF_TASK_INTERRUPTIBLE;
	if (prev & 2)
		return prev & 0x400 ? SF_TASK_IDLE : SF_TASK_UNINTERRUPTIBLE; /* TASK_NOLOAD */
	if (prev & (4 | 8))
		return SF_TASK_STOPPED;
	if (prev & (0x10 | 0x20))
		return SF_TASK_DEAD;
	if (prev & 0x80)
		return SF_TASK_IDLE;
	return SF_TASK_PREEMPTED;
}

static int push(struct sf_recording *rec, uint32_t thread, struct sf_sched ev)
{
	struct sf_thread *t = &rec->thread[thread];

	if (SF_GROW(t->sched, t->nr_sched + 1, t->sched_alloc))
		return -ENOMEM;
	t->sched[t->nr_sched++] = ev;
	return 0;
}

enum { MAX_CPU = 8191 };

/* A CPU goes to a thread. Both the OUT of the one before and its own IN say so. */
static int cpu_gets(struct sf_recording *rec, uint32_t cpu, uint64_t time, uint32_t thread)
{
	struct sf_cpu *c;

	if (cpu > MAX_CPU)
		return 0;
	while (rec->nr_cpus <= cpu) {
		if (SF_GROW(rec->cpu, rec->nr_cpus + 1, rec->cpu_alloc))
			return -ENOMEM;
		rec->cpu[rec->nr_cpus++] = (struct sf_cpu){ 0 };
	}
	c = &rec->cpu[cpu];
	if (c->nr && c->sw[c->nr - 1].thread == thread)
		return 0;
	if (SF_GROW(c->sw, c->nr + 1, c->alloc))
		return -ENOMEM;
	c->sw[c->nr++] = (struct sf_cpu_switch){ time, thread };
	return 0;
}

/* The last switch-out, when no switch-in followed; wakings may have. */
static struct sf_sched *last_out(struct sf_thread *t)
{
	for (size_t i = t->nr_sched; i-- > 0;) {
		if (t->sched[i].kind == SF_SCHED_OUT)
			return &t->sched[i];
		if (t->sched[i].kind == SF_SCHED_IN)
			return NULL;
	}
	return NULL;
}

static int switch_in(struct sf_recording *rec, const struct sf_record *r, uint32_t i,
		     uint32_t other)
{
	struct sf_sched ev = {
		.time = r->time, .kind = SF_SCHED_IN, .cpu = (uint16_t)r->cpu, .other = other,
	};

	if (r->has_cpu && cpu_gets(rec, r->cpu, r->time, i))
		return -ENOMEM;
	return rec->thread[i].flags & SF_THREAD_IDLE ? 0 : push(rec, i, ev);
}

static int switch_out(struct sf_recording *rec, const struct sf_record *r, uint32_t i,
		      uint32_t other)
{
	struct sf_thread *t = &rec->thread[i];
	struct sf_sched ev = {
		.time = r->time, .kind = SF_SCHED_OUT, .cpu = (uint16_t)r->cpu, .other = other,
		.state = r->u.sw.preempt ? SF_TASK_PREEMPTED : SF_TASK_BLOCKED,
	}, *out;

	if (other != SF_NO_THREAD && r->has_cpu && cpu_gets(rec, r->cpu, r->time, other))
		return -ENOMEM;
	if (t->flags & SF_THREAD_IDLE)
		return 0;
	out = last_out(t);
	if (!out)
		return push(rec, i, ev);
	/* The thread ran on until this record, unless it was woken in between. */
	if (out == &t->sched[t->nr_sched - 1] && r->time > out->time)
		out->time = r->time;
	out->other = other;
	return 0;
}

int sf_load_switch(struct sf_loader *ld, const struct sf_record *r)
{
	uint32_t i, other = SF_NO_THREAD;

	if (!r->has_time || !r->has_tid)
		return 0;
	if (r->u.sw.has_other && r->u.sw.other_tid != UINT32_MAX) {
		other = sf_load_thread(ld, r->u.sw.other_pid, r->u.sw.other_tid);
		if (other == SF_NO_THREAD)
			return -ENOMEM;
	}
	/* A task that has exited leaves its CPU for good: its EXIT told of it. */
	if (r->tid == UINT32_MAX)
		return other != SF_NO_THREAD && r->u.sw.out && r->has_cpu
			       ? cpu_gets(ld->rec, r->cpu, r->time, other)
			       : 0;
	i = sf_load_thread(ld, r->pid, r->tid);
	if (i == SF_NO_THREAD)
		return -ENOMEM;
	ld->rec->has_switches = true;
	return r->u.sw.out ? switch_out(ld->rec, r, i, other) : switch_in(ld->rec, r, i, other);
}

enum { SWITCH_PREV_PID, SWITCH_PREV_STATE };
enum { FILL_NS = 1000000 }; /* a sample this much later than its SWITCH record is another one's */

int sf_load_sched_switch(struct sf_loader *ld, const struct sf_record *r,
			 const struct sf_event_role *role)
{
	struct sf_recording *rec = ld->rec;
	const struct sf_sample *s = &r->u.sample;
	const struct sf_field *f = role->field;
	int64_t prev = sf_field_int(ld->reader, &f[SWITCH_PREV_PID], s->raw, s->raw_size);
	struct sf_sched *out, ev = { .time = r->time, .kind = SF_SCHED_OUT, .cpu = (uint16_t)r->cpu };
	bool kernel;
	uint32_t i;

	if (!f[SWITCH_PREV_STATE].size || prev <= 0 || (uint32_t)prev != r->tid)
		return 0; /* no format, the idle task, or a record that contradicts itself */
	i = sf_load_thread(ld, r->pid, r->tid);
	if (i == SF_NO_THREAD || sf_load_stack(ld, r, &ev.stack, &kernel))
		return -ENOMEM;
	rec->has_switches = true;
	rec->has_switch_stacks |= ev.stack != SF_NO_STACK;
	ev.state = task_state(sf_field_int(ld->reader, &f[SWITCH_PREV_STATE], s->raw, s->raw_size));
	ev.other = SF_NO_THREAD;
	out = last_out(&rec->thread[i]);
	if (out && out->stack == SF_NO_STACK && r->time - out->time < FILL_NS) {
		out->stack = ev.stack;
		out->state = ev.state;
		return 0;
	}
	return push(rec, i, ev);
}

enum { WAKING_PID };
enum { TRACE_FLAG_HARDIRQ = 0x08, TRACE_FLAG_SOFTIRQ = 0x10 }; /* trace_events.h of the kernel */

/*
 * What a process sends to another one of the same machine through an internet socket is received in
 * a soft interrupt, which the sender runs itself as soon as it has handed the packet to the device:
 * net_dev_xmit (process context), then sched_waking (soft interrupt), on the same CPU, within 20 µs.
 */
enum { SENT_NS = 200000 };

int sf_load_sent(struct sf_loader *ld, const struct sf_record *r, const struct sf_event_role *role)
{
	const struct sf_sample *s = &r->u.sample;
	int64_t flags = sf_field_int(ld->reader, &role->flags, s->raw, s->raw_size);

	if (!r->has_cpu || !r->has_tid || !r->tid || r->cpu >= ld->nr_seen ||
	    flags & (TRACE_FLAG_HARDIRQ | TRACE_FLAG_SOFTIRQ))
		return 0;
	ld->seen[r->cpu].sent = r->time;
	ld->seen[r->cpu].sent_by = r->tid;
	return 0;
}

static bool by_sender(const struct sf_loader *ld, const struct sf_record *r)
{
	const struct sf_seen *c = r->has_cpu && r->cpu < ld->nr_seen ? &ld->seen[r->cpu] : NULL;

	return c && c->sent && r->has_tid && c->sent_by == r->tid && r->time - c->sent < SENT_NS;
}

int sf_load_waking(struct sf_loader *ld, const struct sf_record *r,
		   const struct sf_event_role *role)
{
	const struct sf_sample *s = &r->u.sample;
	int64_t pid = sf_field_int(ld->reader, &role->field[WAKING_PID], s->raw, s->raw_size);
	int64_t flags = sf_field_int(ld->reader, &role->flags, s->raw, s->raw_size);
	struct sf_sched ev = {
		.time = r->time, .kind = SF_SCHED_WAKE, .cpu = (uint16_t)r->cpu,
		.other = SF_NO_THREAD, .state = SF_WAKE_TASK,
	};
	uint32_t i;

	if (!role->field[WAKING_PID].size || pid <= 0)
		return 0;
	i = sf_load_thread(ld, UINT32_MAX, (uint32_t)pid);
	if (i == SF_NO_THREAD)
		return -ENOMEM;
	if (r->has_tid) {
		ev.other = sf_load_thread(ld, r->pid, r->tid);
		if (ev.other == SF_NO_THREAD)
			return -ENOMEM;
	}
	if (flags & TRACE_FLAG_HARDIRQ)
		ev.state = SF_WAKE_IRQ;
	else if (flags & TRACE_FLAG_SOFTIRQ)
		ev.state = by_sender(ld, r) ? SF_WAKE_SENDER : SF_WAKE_SOFTIRQ;
	ld->rec->has_wakings = true;
	return push(ld->rec, i, ev);
}
