/* SPDX-License-Identifier: GPL-2.0-only */
#include "model/vcpu.h"

#include <ctype.h>
#include <string.h>

enum { SYS_IOCTL = 16, IOCTL_KVM_RUN = 0xae80 };

/* kvm_vcpu_ioctl is above it, and above KVM_GET_REGS as well, which a paused vCPU may be asked for. */
static bool is_kvm_run(const char *name)
{
	return !strcmp(name, "kvm_arch_vcpu_ioctl_run");
}

/* Does the stack pass through KVM_RUN? */
static bool in_kvm(struct sf_recording *rec, struct sf_vcpu_memo *memo, uint32_t stack)
{
	const struct sf_frame *f;
	uint32_t *v, id;
	bool made, yes = false;

	if (stack == SF_NO_STACK)
		return false;
	v = sf_map64_at(&memo->in_kvm, stack, &made);
	if (v && !made)
		return *v == 2;
	for (id = stack; id && !yes; id = sf_stack_parent(rec, id)) {
		size_t n = sf_symbols_frames(rec->symbols, sf_stack_loc(rec, id), &f);

		for (size_t i = 0; i < n; i++)
			yes |= is_kvm_run(f[i].name);
	}
	v = sf_map64_at(&memo->in_kvm, stack, NULL);
	if (v)
		*v = yes ? 2 : 1;
	return yes;
}

static bool name_hints(const char *comm)
{
	const char *p = comm;

	if (!strncmp(p, "fc_vcpu", 7))
		return true;
	if (!strncmp(p, "vcpu", 4) && isdigit((unsigned char)p[4]))
		return true;
	if (strncmp(p, "CPU ", 4))
		return false;
	for (p += 4; isdigit((unsigned char)*p); p++)
		;
	return !strcmp(p, "/KVM") || !strcmp(p, "/TCG");
}

static bool seen_in_kvm(struct sf_recording *rec, struct sf_vcpu_memo *memo,
			const struct sf_thread *t)
{
	/* A worker that KVM made for the process keeps the registers of its maker's ioctl: its stack
	 * tells. */
	for (size_t i = 0; i < t->nr_polls; i++)
		if (t->poll[i].raw.syscall == SYS_IOCTL && t->poll[i].raw.arg[1] == IOCTL_KVM_RUN &&
		    in_kvm(rec, memo, t->poll[i].stack))
			return true;
	for (size_t i = 0; i < t->nr_sched; i++)
		if (t->sched[i].kind == SF_SCHED_OUT && in_kvm(rec, memo, t->sched[i].stack))
			return true;
	for (size_t i = 0; i < t->nr_samples; i++)
		if (t->sample[i].kernel && in_kvm(rec, memo, t->sample[i].stack))
			return true;
	for (size_t w = 0; w < rec->nr_windows; w++)
		for (int e = 0; e < SF_NR_EDGES; e++)
			for (size_t i = 0; i < rec->window[w].snap[e].nr; i++) {
				const struct sf_snap_thread *s = &rec->window[w].snap[e].thread[i];

				if (s->tid == t->tid && s->syscall == SYS_IOCTL &&
				    s->arg[1] == IOCTL_KVM_RUN && in_kvm(rec, memo, s->stack))
					return true;
			}
	return false;
}

int sf_find_vcpus(struct sf_recording *rec, struct sf_vcpu_memo *memo)
{
	for (size_t i = 0; i < rec->nr_threads; i++) {
		struct sf_thread *t = &rec->thread[i];

		if (!(t->flags & SF_THREAD_TARGET))
			continue;
		if (name_hints(sf_text(rec, t->comm)) || seen_in_kvm(rec, memo, t))
			t->flags |= SF_THREAD_VCPU;
	}
	return 0;
}

struct span {
	uint64_t lo, hi;
};

/* Asleep outside of KVM_RUN: from the switch-out to the next switch-in. */
static bool next_sleep(struct sf_recording *rec, struct sf_vcpu_memo *memo,
		       const struct sf_thread *t, size_t *i, uint64_t last, struct span *s)
{
	for (; *i < t->nr_sched; ++*i) {
		const struct sf_sched *e = &t->sched[*i];

		if (e->kind != SF_SCHED_OUT || e->state == SF_TASK_PREEMPTED ||
		    in_kvm(rec, memo, e->stack))
			continue;
		s->lo = e->time;
		s->hi = last;
		for (size_t k = *i + 1; k < t->nr_sched; k++)
			if (t->sched[k].kind == SF_SCHED_IN) {
				s->hi = t->sched[k].time;
				break;
			}
		++*i;
		return true;
	}
	return false;
}

static bool left_guest_between(const struct sf_thread *t, uint64_t lo, uint64_t hi)
{
	for (size_t i = 0; i < t->nr_kvm_exits; i++)
		if (t->kvm_exit[i] > lo && t->kvm_exit[i] < hi)
			return true;
	return false;
}

/* Was it in the guest between two sleeps? Its own records decide, else the length of the gap. */
enum { GAP_NS = 2000000 };

static bool one_pause(struct sf_recording *rec, struct sf_vcpu_memo *memo,
		      const struct sf_thread *t, const struct span *a, const struct span *b)
{
	if (left_guest_between(t, a->hi, b->lo))
		return false;
	for (size_t i = sf_thread_sample_from(t, a->hi + 1);
	     i < t->nr_samples && t->sample[i].time < b->lo; i++)
		if (t->sample[i].kernel && in_kvm(rec, memo, t->sample[i].stack))
			return false;
	for (size_t i = sf_thread_sched_from(t, a->hi); i < t->nr_sched && t->sched[i].time < b->lo; i++)
		if (t->sched[i].kind == SF_SCHED_OUT && in_kvm(rec, memo, t->sched[i].stack))
			return false;
	return b->lo - a->hi < GAP_NS || t->nr_kvm_exits;
}

/* Proof of where a running vCPU was at an instant. */
struct evidence {
	uint64_t time;
	bool inside;    /* in the guest, or in KVM's code */
	uint64_t again; /* where it was switched out: when it ran again */
};

static bool in_guest(struct sf_recording *rec, const struct sf_cpu_sample *c)
{
	const struct sf_frame *f;

	return c->stack && sf_symbols_frames(rec->symbols, sf_stack_loc(rec, c->stack), &f) &&
	       f[0].flags & SF_FRAME_GUEST;
}

static struct evidence of_sample(struct sf_recording *rec, struct sf_vcpu_memo *memo,
				 const struct sf_cpu_sample *c)
{
	/* A sample in the kernel says little: an interrupt may have hit either side. */
	bool inside = in_guest(rec, c) || in_kvm(rec, memo, c->stack);

	return (struct evidence){ c->time, inside, c->time };
}

static struct evidence of_switch(struct sf_recording *rec, struct sf_vcpu_memo *memo,
				 const struct sf_thread *t, size_t i)
{
	struct evidence e = { t->sched[i].time, in_kvm(rec, memo, t->sched[i].stack), t->sched[i].time };

	while (++i < t->nr_sched)
		if (t->sched[i].kind == SF_SCHED_IN) {
			e.again = t->sched[i].time;
			break;
		}
	return e;
}

/* Running without a proof for longer than this ends what is known. */
enum { SILENCE_NS = 5000000 };

/* Slow to resume: on a CPU after the sleep, and not in KVM_RUN yet. */
static void extend_end(struct sf_recording *rec, struct sf_vcpu_memo *memo,
		       const struct sf_thread *t, struct span *s, uint64_t hi)
{
	size_t i = sf_thread_sample_from(t, s->hi), k = sf_thread_sched_from(t, s->hi);

	for (;;) {
		struct evidence e;

		while (k < t->nr_sched && t->sched[k].kind != SF_SCHED_OUT)
			k++;
		if (i < t->nr_samples &&
		    (k >= t->nr_sched || t->sample[i].time < t->sched[k].time))
			e = of_sample(rec, memo, &t->sample[i++]);
		else if (k < t->nr_sched)
			e = of_switch(rec, memo, t, k++);
		else
			return;
		if (e.inside || e.time > hi || e.time - s->hi > SILENCE_NS ||
		    left_guest_between(t, s->hi, e.time))
			return;
		s->hi = e.again < hi ? e.again : hi;
	}
}

/* Any proof that the thread was inside after lo and before hi? */
static bool inside_between(struct sf_recording *rec, struct sf_vcpu_memo *memo,
			   const struct sf_thread *t, uint64_t lo, uint64_t hi)
{
	for (size_t i = sf_thread_sample_from(t, lo + 1); i < t->nr_samples && t->sample[i].time < hi; i++)
		if (of_sample(rec, memo, &t->sample[i]).inside)
			return true;
	for (size_t i = sf_thread_sched_from(t, lo + 1); i < t->nr_sched && t->sched[i].time < hi; i++)
		if (t->sched[i].kind == SF_SCHED_OUT && in_kvm(rec, memo, t->sched[i].stack))
			return true;
	return false;
}

/* Slow to stop: on a CPU before the sleep, or waiting for one, and out of KVM_RUN already. */
static void extend_begin(struct sf_recording *rec, struct sf_vcpu_memo *memo,
			 const struct sf_thread *t, struct span *s, uint64_t lo)
{
	for (size_t i = sf_thread_sample_from(t, s->lo); i-- > 0;) {
		struct evidence e = of_sample(rec, memo, &t->sample[i]);

		if (e.inside || t->sample[i].kernel || e.time < lo || s->lo - e.time > SILENCE_NS)
			break;
		s->lo = e.time;
	}
	/* The very moment, when it is known: the last exit, if none was lost since. */
	for (size_t i = t->nr_kvm_exits; i-- > 0;)
		if (t->kvm_exit[i] <= s->lo) {
			if (t->kvm_exit[i] >= lo &&
			    !inside_between(rec, memo, t, t->kvm_exit[i], s->lo))
				s->lo = t->kvm_exit[i];
			break;
		}
}

bool sf_vcpu_uses_kvm(struct sf_recording *rec, struct sf_vcpu_memo *memo,
		      const struct sf_thread *t)
{
	return t->nr_kvm_exits || seen_in_kvm(rec, memo, t);
}

/* Sleeps from *i on that are one pause into *run; *s is the first one after it, or empty. */
static bool next_pause(struct sf_recording *rec, struct sf_vcpu_memo *memo,
		       const struct sf_thread *t, size_t *i, uint64_t hi, struct span *s,
		       struct span *run)
{
	if (s->hi <= s->lo && !next_sleep(rec, memo, t, i, hi, s))
		return false;
	*run = *s;
	*s = (struct span){ 0 };
	if (run->lo >= hi)
		return false;
	if (run->hi > hi)
		run->hi = hi;
	while (next_sleep(rec, memo, t, i, hi, s) && s->lo < hi) {
		if (!one_pause(rec, memo, t, run, s))
			return true;
		run->hi = s->hi < hi ? s->hi : hi;
		*s = (struct span){ 0 };
	}
	return true;
}

bool sf_vcpu_pause(struct sf_recording *rec, struct sf_vcpu_memo *memo, const struct sf_thread *t,
		   uint64_t lo, uint64_t hi, uint64_t *begin, uint64_t *end)
{
	struct span best = { 0 }, run, s = { 0 };
	size_t i = sf_thread_sched_from(t, lo);

	while (next_pause(rec, memo, t, &i, hi, &s, &run))
		if (run.hi - run.lo > best.hi - best.lo)
			best = run;
	if (best.hi <= best.lo)
		return false;
	/* An emulated vCPU is always outside of KVM: its CPU time is the guest's. */
	if (sf_vcpu_uses_kvm(rec, memo, t)) {
		extend_begin(rec, memo, t, &best, lo);
		extend_end(rec, memo, t, &best, hi);
	}
	*begin = best.lo;
	*end = best.hi;
	return true;
}

int sf_vcpu_pauses(struct sf_recording *rec, struct sf_vcpu_memo *memo, const struct sf_thread *t,
		   uint64_t lo, uint64_t hi, uint64_t min,
		   int (*fn)(void *arg, uint64_t begin, uint64_t end), void *arg)
{
	bool kvm = sf_vcpu_uses_kvm(rec, memo, t);
	size_t i = sf_thread_sched_from(t, lo);
	struct span run, s = { 0 };
	int ret = 0;

	while (!ret && next_pause(rec, memo, t, &i, hi, &s, &run)) {
		if (kvm) {
			extend_begin(rec, memo, t, &run, lo);
			extend_end(rec, memo, t, &run, hi);
		}
		if (run.hi > run.lo && run.hi - run.lo >= min)
			ret = fn(arg, run.lo, run.hi);
	}
	return ret;
}

void sf_vcpu_memo_release(struct sf_vcpu_memo *memo)
{
	sf_map64_release(&memo->in_kvm);
}
