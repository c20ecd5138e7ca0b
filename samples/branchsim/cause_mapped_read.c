/* SPDX-License-Identifier: GPL-2.0-only */
/* Main touches a mapped file that is not cached: each major fault waits for the disk. */
#include "cause.h"
#include "disk_work.h"
#include "util.h"
#include "vmm.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#define DRIVE_MB 32

static struct disk_file drive;
static char *mapped;
static unsigned digest;

static void make_cold(void)
{
	size_t size = (size_t)DRIVE_MB << 20;

	madvise(mapped, size, MADV_DONTNEED);
	posix_fadvise(drive.fd, 0, 0, POSIX_FADV_DONTNEED);
}

static FRAME void load_cold_pages(double ms)
{
	uint64_t end = now_ns() + (uint64_t)MS_TO_NS(ms);

	while (now_ns() < end) {
		unsigned block = drive.turn++ * 37u % drive.blocks;

		digest += (unsigned char)((volatile char *)mapped)[(size_t)block * DISK_BLOCK];
		if (drive.turn % drive.blocks == 0)
			make_cold();
	}
}

static const char *probe(struct vmm *vmm)
{
	return disk_probe_direct(vmm->opts.dir);
}

static void setup(struct vmm *vmm)
{
	disk_fill(&drive, vmm->opts.dir, "drive.img", DRIVE_MB);
	mapped = mmap(NULL, (size_t)DRIVE_MB << 20, PROT_READ, MAP_SHARED, drive.fd, 0);
	if (mapped == MAP_FAILED)
		die("cannot map drive.img: %s", strerror(errno));
}

static void between(struct vmm *vmm, unsigned k)
{
	make_cold();
}

static void run(struct vmm *vmm, unsigned k)
{
	load_cold_pages(vmm_work(vmm, k));
}

static struct cause cause = {
	.name = "mapped-read",
	.summary = "main touches cold pages of a mapped file: major faults",
	.unit = "ms",
	.base = 15,
	.grow = 40,
	.storage = "plain",
	.needs = "disk",
	.answers = { { "io-device", ROLE_KERNEL, NULL, NULL },
		     { "io-device", ROLE_MAIN, NULL, "filemap_fault load_cold_pages" },
		     { "memory", ROLE_MAIN, NULL, "filemap_fault load_cold_pages" } },
	.in_memory = ALL_FILES,
	.probe = probe,
	.setup = setup,
	.between = between,
	.run = run,
};
CAUSE(cause)
