/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Main reads cold blocks with asynchronous I/O and waits for the events. Its stack says only that it
 * waits for events; that they are the end of reads, and the time the device's, the requests say.
 */
#include "cause.h"
#include "disk_work.h"
#include "util.h"
#include "vmm.h"

#include <errno.h>
#include <linux/aio_abi.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DRIVE_MB 32

static struct disk_file drive;
static aio_context_t context;

static FRAME void read_drive_async(double ms)
{
	uint64_t end = now_ns() + (uint64_t)MS_TO_NS(ms);

	while (now_ns() < end) {
		struct iocb cb = {
			.aio_lio_opcode = IOCB_CMD_PREAD,
			.aio_fildes = (uint32_t)drive.fd,
			.aio_buf = (uint64_t)(uintptr_t)drive.buf,
			.aio_nbytes = DISK_BLOCK,
			.aio_offset = (int64_t)(drive.turn++ * 37u % drive.blocks) * DISK_BLOCK,
		}, *list = &cb;
		struct io_event event;

		if (syscall(SYS_io_submit, context, 1L, &list) != 1 ||
		    syscall(SYS_io_getevents, context, 1L, 1L, &event, NULL) != 1)
			die("asynchronous read: %s", strerror(errno));
	}
}

static const char *probe(struct vmm *vmm)
{
	if (syscall(SYS_io_setup, 1, &context))
		return "no asynchronous I/O (io_setup)";
	syscall(SYS_io_destroy, context);
	context = 0;
	return disk_probe_direct(vmm->opts.dir);
}

static void setup(struct vmm *vmm)
{
	if (syscall(SYS_io_setup, 1, &context))
		die("io_setup: %s", strerror(errno));
	disk_fill(&drive, vmm->opts.dir, "drive.img", DRIVE_MB);
}

static void run(struct vmm *vmm, unsigned k)
{
	read_drive_async(vmm_work(vmm, k));
}

static struct cause cause = {
	.name = "aio-read",
	.summary = "main reads cold blocks with asynchronous I/O, more of them each time",
	.unit = "ms",
	.base = 20,
	.grow = 40,
	.storage = "plain",
	.needs = "disk",
	.answers = { { "io-device", ROLE_KERNEL, NULL, "read_events read_drive_async" } },
	.in_memory = ALL_FILES,
	.probe = probe,
	.setup = setup,
	.run = run,
};
CAUSE(cause)
