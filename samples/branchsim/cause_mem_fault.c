/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Main touches memory that another process provides on demand (userfaultfd), as a VM that was
 * restored lazily does. The provider has to compute each page.
 */
#include "burn.h"
#include "cause.h"
#include "peer.h"
#include "util.h"
#include "vmm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE_MS   0.5
#define MAX_PAGES 8192u

static struct helper handler;
static char *region, *page;
static int uffd = -1;
static uint64_t digest;

static int open_uffd(void)
{
	return (int)syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY | O_CLOEXEC);
}

static FRAME uint64_t decompress_chunk(uint64_t x)
{
	return burn_dose(x);
}

static FRAME void decompress_page(void)
{
	for (uint64_t i = burn_doses(PAGE_MS); i; i--)
		digest ^= decompress_chunk(i);
	memcpy(page, &digest, sizeof(digest));
}

static FRAME int serve_fault(void)
{
	struct uffd_msg msg;
	struct uffdio_copy copy = { .len = GUEST_PAGE, .src = (uintptr_t)page };

	if (read(uffd, &msg, sizeof(msg)) != sizeof(msg))
		return -1;
	decompress_page();
	copy.dst = msg.arg.pagefault.address & ~(uint64_t)(GUEST_PAGE - 1);
	return ioctl(uffd, UFFDIO_COPY, &copy);
}

static int64_t serve_faults(void *arg, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		if (serve_fault())
			die("cannot serve a page fault: %s", strerror(errno));
	return 0;
}

static FRAME void checksum_cold_pages(unsigned n)
{
	KEEP_FRAME();
	for (unsigned i = 0; i < n; i++)
		digest ^= (uint64_t)((volatile char *)region)[(size_t)i * GUEST_PAGE];
}

static const char *probe(struct vmm *vmm)
{
	int fd = open_uffd();

	if (fd < 0)
		return "no userfaultfd";
	close(fd);
	return NULL;
}

static void *map(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("cannot map memory: %s", strerror(errno));
	return p;
}

static void setup(struct vmm *vmm)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	burn_doses(1);
	page = map(GUEST_PAGE);
	region = map((size_t)MAX_PAGES * GUEST_PAGE);
	madvise(region, (size_t)MAX_PAGES * GUEST_PAGE, MADV_NOHUGEPAGE);
	reg.range.start = (uintptr_t)region;
	reg.range.len = (uint64_t)MAX_PAGES * GUEST_PAGE;
	uffd = open_uffd();
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) || ioctl(uffd, UFFDIO_REGISTER, &reg))
		die("userfaultfd: %s", strerror(errno));
	helper_start(&handler, "uffd-handler", serve_faults, NULL);
}

/* What was provided is dropped: the next BRANCH finds the pages cold again. */
static void between(struct vmm *vmm, unsigned k)
{
	madvise(region, (size_t)MAX_PAGES * GUEST_PAGE, MADV_DONTNEED);
}

static void run(struct vmm *vmm, unsigned k)
{
	double pages = vmm_work(vmm, k) / PAGE_MS;
	unsigned n = pages > MAX_PAGES ? MAX_PAGES : (unsigned)pages;

	helper_post(&handler, n);
	checksum_cold_pages(n);
	helper_wait(&handler);
}

static void teardown(struct vmm *vmm)
{
	helper_stop(&handler);
}

static struct cause cause = {
	.name = "mem-fault",
	.summary = "main touches memory that another process computes on demand (userfaultfd)",
	.unit = "ms",
	.base = 10,
	.grow = 40,
	.needs = "userfaultfd",
	.answers = { { "memory", ROLE_PROCESS, "uffd-handler", "handle_userfault checksum_cold_pages" } },
	.probe = probe,
	.setup = setup,
	.between = between,
	.run = run,
	.teardown = teardown,
};
CAUSE(cause)
