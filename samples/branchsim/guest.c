/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Guest physical memory:
 *
 *   0x1000  page tables: PML4, PDPT, one directory for the first GiB and one for the APIC's
 *   0x5000  GDT: null, code, data        0x6000  IDT: 256 times the timer's handler
 *   0x8000  program, 0x9000 handler      0x10000 stacks, one page per vCPU
 *   2 MiB…  working sets, one after the other
 */
#include "guest.h"

#include "util.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	PML4 = 0x1000,
	PDPT = 0x2000,
	PD_LOW = 0x3000,
	PD_APIC = 0x4000,
	GDT = 0x5000,
	IDT = 0x6000,
	TSS = 0x7000,
	CODE = 0x8000,
	HANDLER = 0x9000,
	STACKS = 0x10000,
	WORKING_SETS = 0x200000,
};

/*
 * rbx: page to dirty next, rsi/rdi: first page of the working set and its end, r8: pages per tick,
 * r9: 0, or the chunk size: addresses with that bit set are skipped.
 */
static const unsigned char program[] = {
	0xfb,                                     /*  0       sti */
	0x4c, 0x89, 0xc1,                         /*  1 tick: mov rcx, r8 */
	0x48, 0xff, 0x03,                         /*  4 page: inc qword [rbx] */
	0x48, 0x81, 0xc3, 0x00, 0x10, 0x00, 0x00, /*  7       add rbx, 4096 */
	0x4c, 0x85, 0xcb,                         /* 14       test rbx, r9 */
	0x74, 0x03,                               /* 17       jz 22 */
	0x4c, 0x01, 0xcb,                         /* 19       add rbx, r9 */
	0x48, 0x39, 0xfb,                         /* 22       cmp rbx, rdi */
	0x72, 0x03,                               /* 25       jb 30 */
	0x48, 0x89, 0xf3,                         /* 27       mov rbx, rsi */
	0x48, 0xff, 0xc9,                         /* 30       dec rcx */
	0x75, 0xe1,                               /* 33       jnz page */
	0xf4,                                     /* 35       hlt */
	0xeb, 0xdb,                               /* 36       jmp tick */
};

/* End of interrupt to the local APIC, and back. */
static const unsigned char handler[] = {
	0x50,                               /* push rax */
	0xb8, 0xb0, 0x00, 0xe0, 0xfe,       /* mov eax, 0xfee000b0 */
	0xc7, 0x00, 0x00, 0x00, 0x00, 0x00, /* mov dword [rax], 0 */
	0x58,                               /* pop rax */
	0x48, 0xcf,                         /* iretq */
};

static void put64(struct guest *g, size_t at, uint64_t value)
{
	memcpy(g->mem + at, &value, sizeof(value));
}

static void build_tables(struct guest *g)
{
	const uint64_t present_write = 3, large = 0x83, uncached = 0x18;

	put64(g, PML4, PDPT | present_write);
	put64(g, PDPT, PD_LOW | present_write);
	put64(g, PDPT + 3 * 8, PD_APIC | present_write);
	for (uint64_t i = 0; i < 512; i++) {
		put64(g, PD_LOW + i * 8, i << 21 | large);
		put64(g, PD_APIC + i * 8, ((3ull << 30) + (i << 21)) | large | uncached);
	}
	put64(g, GDT + 8, 0x00af9b000000ffffull);
	put64(g, GDT + 16, 0x00cf93000000ffffull);
	for (size_t i = 0; i < 256; i++) {
		/* offset 15:0, selector 8, present interrupt gate, offset 31:16 */
		put64(g, IDT + i * 16, (HANDLER & 0xffffull) | 8ull << 16 | 0x8eull << 40);
		put64(g, IDT + i * 16 + 8, 0);
	}
	memcpy(g->mem + CODE, program, sizeof(program));
	memcpy(g->mem + HANDLER, handler, sizeof(handler));
}

static int add_slots(struct guest *g)
{
	for (unsigned i = 0; i < GUEST_SLOTS; i++) {
		struct kvm_userspace_memory_region region = {
			.slot = i,
			.flags = KVM_MEM_LOG_DIRTY_PAGES,
			.guest_phys_addr = g->slots[i].base,
			.memory_size = g->slots[i].size,
			.userspace_addr = (uintptr_t)g->mem + g->slots[i].base,
		};

		if (ioctl(g->vm_fd, KVM_SET_USER_MEMORY_REGION, &region))
			return -1;
	}
	return 0;
}

/* 0 when the VM can run, -1 with errno. */
static int open_kvm(struct guest *g)
{
	g->kvm_fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (g->kvm_fd < 0)
		return -1;
	g->vm_fd = ioctl(g->kvm_fd, KVM_CREATE_VM, 0);
	if (g->vm_fd < 0)
		return -1;
	if (ioctl(g->vm_fd, KVM_SET_TSS_ADDR, 0xfffbd000ul) ||
	    ioctl(g->vm_fd, KVM_CREATE_IRQCHIP, 0) || add_slots(g))
		return -1;
	g->run_size = (size_t)ioctl(g->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	build_tables(g);
	return 0;
}

static void close_kvm(struct guest *g)
{
	if (g->vm_fd >= 0)
		close(g->vm_fd);
	if (g->kvm_fd >= 0)
		close(g->kvm_fd);
	g->vm_fd = g->kvm_fd = -1;
}

void guest_init(struct guest *g, const struct guest_opts *opts)
{
	memset(g, 0, sizeof(*g));
	g->opts = *opts;
	g->kvm_fd = g->vm_fd = -1;
	g->size = (size_t)opts->mem_mb << 20;
	g->mem = mmap(NULL, g->size, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (g->mem == MAP_FAILED)
		die("cannot map %u MB of guest memory: %s", opts->mem_mb, strerror(errno));
	/* A huge page would make one dirty page cost a copy of 512. */
	madvise(g->mem, g->size, MADV_NOHUGEPAGE);
	for (unsigned i = 0; i < GUEST_SLOTS; i++) {
		g->slots[i].size = g->size / GUEST_SLOTS;
		g->slots[i].base = i * g->slots[i].size;
		g->slots[i].bitmap = xcalloc(g->slots[i].size / GUEST_PAGE / 64 + 1, 8);
	}
	if (opts->no_kvm || open_kvm(g)) {
		if (!opts->no_kvm)
			warn("no KVM (%s): the vCPU threads dirty the memory", strerror(errno));
		close_kvm(g);
		g->soft_dirty = xcalloc(g->size / GUEST_PAGE / 64 + 1, 8);
	}
}

int guest_dirty_log(struct guest *g, struct guest_slot *slot)
{
	struct kvm_dirty_log log = { .slot = (uint32_t)(slot - g->slots),
				     .dirty_bitmap = slot->bitmap };
	size_t words = slot->size / GUEST_PAGE / 64, first = slot->base / GUEST_PAGE / 64;

	if (g->vm_fd >= 0)
		return ioctl(g->vm_fd, KVM_GET_DIRTY_LOG, &log) ? -errno : 0;
	for (size_t i = 0; i < words; i++)
		slot->bitmap[i] = __atomic_exchange_n(&g->soft_dirty[first + i], 0, __ATOMIC_RELAXED);
	return 0;
}

void guest_release(struct guest *g)
{
	close_kvm(g);
	if (g->mem)
		munmap(g->mem, g->size);
	g->mem = NULL;
}
