/* SPDX-License-Identifier: GPL-2.0-only */
/* vforker MS: sleeps uninterruptibly for so long, as whoever waits for a disk does: in vfork, for its child. */
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	long ms = argc > 1 ? atol(argv[1]) : 1000;
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	if (!vfork()) {
		nanosleep(&t, NULL);
		_exit(0);
	}
	return 0;
}
