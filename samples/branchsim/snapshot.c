/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a snapshot does, in Firecracker's order and under its functions' names: device state, vCPU
 * state, the vmstate file, the memory file. All of it runs in main while the vCPUs are paused.
 */
#include "util.h"
#include "vmm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int fault(struct action *a, const char *what, const char *path)
{
	snprintf(a->fault, sizeof(a->fault), "Create snapshot error: Cannot %s %s: %s", what, path,
		 strerror(errno));
	return -1;
}

void begin_phase(struct vmm *vmm, const char *name)
{
	struct branch *b = &vmm->branch;
	uint64_t now = now_ns();

	if (b->nphases)
		b->phases[b->nphases - 1].end_ns = now;
	if (name && b->nphases < MAX_PHASES)
		b->phases[b->nphases++] = (struct phase){ .name = name, .start_ns = now };
}

static FRAME void save_device_state(struct vmm *vmm)
{
	if (vmm->cause->run)
		vmm->cause->run(vmm, vmm->branch.k);
}

static FRAME void save_vcpu_state(struct vmm *vmm)
{
	vcpus_command(vmm, VCPU_SAVE);
}

static FRAME int sync_file(struct vmm *vmm, int fd)
{
	return vmm->opts.no_fsync || vmm->cause->no_fsync ? 0 : fsync(fd);
}

static FRAME int snapshot_state_to_file(struct vmm *vmm, struct action *a)
{
	int err = 0, fd = open(a->snapshot_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	if (fd < 0)
		return fault(a, "open", a->snapshot_path);
	for (unsigned i = 0; i < vmm->nvcpus && !err; i++)
		err = write_full(fd, vmm->vcpus[i].state, vmm->vcpus[i].state_len);
	if (err || sync_file(vmm, fd))
		err = fault(a, "write", a->snapshot_path);
	close(fd);
	return err;
}

static FRAME int write_run(struct vmm *vmm, int fd, uint64_t addr, uint64_t len)
{
	vmm->branch.runs++;
	vmm->branch.pages += len / GUEST_PAGE;
	if (lseek(fd, (off_t)addr, SEEK_SET) < 0)
		return -1;
	return write_full(fd, vmm->guest.mem + addr, len);
}

static int page_is_dirty(const struct guest_slot *slot, size_t page, int full)
{
	return full || (slot->bitmap[page / 64] >> page % 64 & 1);
}

static FRAME int dump_slot(struct vmm *vmm, int fd, struct guest_slot *slot, int full)
{
	size_t pages = slot->size / GUEST_PAGE, start;

	for (size_t page = 0; page < pages; page++) {
		if (!page_is_dirty(slot, page, full))
			continue;
		for (start = page; page < pages && page_is_dirty(slot, page, full); page++)
			;
		if (write_run(vmm, fd, slot->base + start * GUEST_PAGE, (page - start) * GUEST_PAGE))
			return -1;
	}
	return 0;
}

static int dump_memory(struct vmm *vmm, int fd, int full)
{
	int err;

	if (ftruncate(fd, (off_t)vmm->guest.size))
		return -1;
	/* The counterfactual: blocks that are there already need no delayed allocation. */
	if (vmm->opts.prealloc && (err = posix_fallocate(fd, 0, (off_t)vmm->guest.size))) {
		errno = err;
		return -1;
	}
	for (unsigned i = 0; i < GUEST_SLOTS; i++) {
		err = guest_dirty_log(&vmm->guest, &vmm->guest.slots[i]);
		if (err) {
			errno = -err;
			return -1;
		}
		if (dump_slot(vmm, fd, &vmm->guest.slots[i], full))
			return -1;
	}
	return sync_file(vmm, fd);
}

static FRAME int snapshot_memory_to_file(struct vmm *vmm, struct action *a)
{
	/* With preallocation the blocks of the last BRANCH stay. */
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | (vmm->opts.prealloc ? 0 : O_TRUNC);
	int err = 0, fd = open(a->mem_path, flags, 0644);

	if (fd < 0)
		return fault(a, "open", a->mem_path);
	if (dump_memory(vmm, fd, a->full))
		err = fault(a, "write", a->mem_path);
	close(fd);
	return err;
}

FRAME int create_snapshot(struct vmm *vmm, struct action *a)
{
	int err;

	begin_phase(vmm, "save_device_state");
	save_device_state(vmm);
	begin_phase(vmm, "save_vcpu_state");
	save_vcpu_state(vmm);
	begin_phase(vmm, "snapshot_state_to_file");
	err = snapshot_state_to_file(vmm, a);
	if (!err) {
		begin_phase(vmm, "snapshot_memory_to_file");
		err = snapshot_memory_to_file(vmm, a);
	}
	begin_phase(vmm, NULL);
	return err;
}
