/* SPDX-License-Identifier: GPL-2.0-only */
/* One vCPU of the guest: its registers, running it, and the same work without KVM. */
#include "guest.h"
#include "util.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define CPUID_ENTRIES 256

static void set_segment(struct kvm_segment *s, uint16_t selector, uint8_t type, int is_code)
{
	*s = (struct kvm_segment){ .selector = selector,
				   .type = type,
				   .present = 1,
				   .s = 1,
				   .g = 1,
				   .limit = 0xffffffff,
				   .l = is_code != 0,
				   .db = !is_code };
}

static int set_long_mode(struct guest_vcpu *v)
{
	struct kvm_sregs s;

	if (ioctl(v->fd, KVM_GET_SREGS, &s))
		return -1;
	s.cr0 = 0x80000033; /* paging, protection, FPU */
	s.cr3 = 0x1000;
	s.cr4 = 0x20;   /* PAE */
	s.efer = 0x500; /* long mode enabled and active */
	set_segment(&s.cs, 8, 11, 1);
	set_segment(&s.ds, 16, 3, 0);
	s.es = s.fs = s.gs = s.ss = s.ds;
	s.gdt.base = 0x5000;
	s.gdt.limit = 3 * 8 - 1;
	s.idt.base = 0x6000;
	s.idt.limit = 0xfff;
	s.tr = (struct kvm_segment){ .base = 0x7000, .limit = 0x67, .selector = 0x18, .type = 11,
				     .present = 1 };
	return ioctl(v->fd, KVM_SET_SREGS, &s);
}

static void set_apic(struct kvm_lapic_state *apic, size_t reg, uint32_t value)
{
	memcpy(apic->regs + reg, &value, sizeof(value));
}

/* The APIC's timer in periodic mode, so that the guest wakes from HLT without our help. */
static int start_timer(struct guest_vcpu *v)
{
	struct kvm_lapic_state apic;

	if (ioctl(v->fd, KVM_GET_LAPIC, &apic))
		return -1;
	set_apic(&apic, 0xf0, 0x1ff);            /* enabled, spurious vector 0xff */
	set_apic(&apic, 0x320, 0x20000 | 0x40);  /* periodic, vector 0x40 */
	set_apic(&apic, 0x3e0, 0xb);             /* divide by 1: KVM's bus runs at 1 GHz */
	set_apic(&apic, 0x380, GUEST_TICK_NS);
	set_apic(&apic, 0x390, GUEST_TICK_NS);
	return ioctl(v->fd, KVM_SET_LAPIC, &apic);
}

static int copy_cpuid(struct guest *g, struct guest_vcpu *v)
{
	struct kvm_cpuid2 *cpuid =
		xcalloc(1, sizeof(*cpuid) + CPUID_ENTRIES * sizeof(struct kvm_cpuid_entry2));
	int err;

	cpuid->nent = CPUID_ENTRIES;
	err = ioctl(g->kvm_fd, KVM_GET_SUPPORTED_CPUID, cpuid) ||
	      ioctl(v->fd, KVM_SET_CPUID2, cpuid);
	free(cpuid);
	return err ? -1 : 0;
}

static uint64_t pages_per_tick(struct guest *g, struct guest_vcpu *v)
{
	uint64_t pages = (v->last - v->first) / GUEST_PAGE / (g->opts.chunk ? 2 : 1);

	return pages / GUEST_TICKS_PER_SET + 1;
}

/* The vCPU's share of the working sets, aligned so that every second chunk can be skipped. */
static void share_memory(struct guest *g, struct guest_vcpu *v)
{
	size_t start = 0x200000, align = g->opts.chunk ? 2 * g->opts.chunk : GUEST_PAGE;
	size_t span = g->opts.dirty_bytes * (g->opts.chunk ? 2 : 1) / g->opts.vcpus;
	size_t most = (g->size - start) / g->opts.vcpus;

	if (span > most)
		span = most;
	span -= span % align;
	if (!span)
		span = align;
	v->first = start + v->index * span;
	v->last = v->first + span;
	v->cursor = v->first;
}

void guest_vcpu_init(struct guest *g, struct guest_vcpu *v, unsigned index)
{
	struct kvm_regs regs = { .rip = 0x8000, .rsp = 0x11000 + index * 0x1000, .rflags = 2 };
	struct kvm_mp_state runnable = { .mp_state = KVM_MP_STATE_RUNNABLE };

	memset(v, 0, sizeof(*v));
	v->index = index;
	v->fd = -1;
	share_memory(g, v);
	if (g->vm_fd < 0)
		return;
	regs.rbx = regs.rsi = v->first;
	regs.rdi = v->last;
	regs.r8 = pages_per_tick(g, v);
	regs.r9 = g->opts.chunk;
	v->fd = ioctl(g->vm_fd, KVM_CREATE_VCPU, index);
	if (v->fd < 0)
		die("vCPU %u: %s", index, strerror(errno));
	v->run = mmap(NULL, g->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
	if (v->run == MAP_FAILED)
		die("vCPU %u: %s", index, strerror(errno));
	/* All but the first would wait for a start-up IPI. */
	if (copy_cpuid(g, v) || set_long_mode(v) || ioctl(v->fd, KVM_SET_REGS, &regs) ||
	    start_timer(v) || ioctl(v->fd, KVM_SET_MP_STATE, &runnable))
		die("vCPU %u: cannot set its registers: %s", index, strerror(errno));
}

void guest_vcpu_release(struct guest *g, struct guest_vcpu *v)
{
	if (v->fd < 0)
		return;
	munmap(v->run, g->run_size);
	close(v->fd);
	v->fd = -1;
}

static void dirty_page(struct guest *g, struct guest_vcpu *v)
{
	size_t page = v->cursor / GUEST_PAGE;

	++*(volatile uint64_t *)(g->mem + v->cursor);
	__atomic_fetch_or(&g->soft_dirty[page / 64], 1ull << page % 64, __ATOMIC_RELAXED);
	v->cursor += GUEST_PAGE;
	if (v->cursor & g->opts.chunk)
		v->cursor += g->opts.chunk;
	if (v->cursor >= v->last)
		v->cursor = v->first;
}

static int run_without_kvm(struct guest *g, struct guest_vcpu *v)
{
	const struct timespec tick = { .tv_nsec = GUEST_TICK_NS };

	while (!v->stop) {
		for (uint64_t i = pages_per_tick(g, v); i && !v->stop; i--)
			dirty_page(g, v);
		if (!v->stop)
			nanosleep(&tick, NULL); /* the kick's signal ends it */
	}
	v->stop = 0;
	return 0;
}

FRAME int guest_vcpu_run(struct guest *g, struct guest_vcpu *v)
{
	if (v->fd < 0)
		return run_without_kvm(g, v);
	for (;;) {
		if (!ioctl(v->fd, KVM_RUN, 0)) {
			warn("vCPU %u: the guest stopped with exit reason %u", v->index,
			     v->run->exit_reason);
			return -1;
		}
		if (errno == EINTR) {
			v->run->immediate_exit = 0;
			return 0;
		}
		if (errno != EAGAIN) {
			warn("vCPU %u: KVM_RUN: %s", v->index, strerror(errno));
			return -1;
		}
	}
}

void guest_vcpu_kick(struct guest_vcpu *v)
{
	if (v->run)
		v->run->immediate_exit = 1;
	v->stop = 1;
}

void guest_vcpu_unkick(struct guest_vcpu *v)
{
	if (v->run)
		v->run->immediate_exit = 0;
	v->stop = 0;
}

size_t guest_vcpu_save(struct guest_vcpu *v, void *buf, size_t size)
{
	struct {
		struct kvm_regs regs;
		struct kvm_sregs sregs;
		struct kvm_lapic_state apic;
		uint64_t cursor;
	} state = { .cursor = v->cursor };
	size_t len = sizeof(state) < size ? sizeof(state) : size;

	if (v->fd >= 0 && (ioctl(v->fd, KVM_GET_REGS, &state.regs) ||
			   ioctl(v->fd, KVM_GET_SREGS, &state.sregs) ||
			   ioctl(v->fd, KVM_GET_LAPIC, &state.apic)))
		return 0;
	memcpy(buf, &state, len);
	return len;
}
