/* SPDX-License-Identifier: GPL-2.0-only */
/* text_recording OUT <TEXT: makes the recording that TEXT describes, see tests/fuzz/text_recording.h. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "../fuzz/text_recording.h"

int main(int argc, char **argv)
{
	struct sf_str text = SF_STR_INIT;
	char buf[4096];
	size_t n;
	int fd;

	if (argc != 2)
		return 2;
	while ((n = fread(buf, 1, sizeof(buf), stdin)))
		sf_str_addn(&text, buf, n);
	fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0) {
		perror(argv[1]);
		return 1;
	}
	write_recording(text.buf, fd);
	sf_str_release(&text);
	return close(fd) ? 1 : 0;
}
