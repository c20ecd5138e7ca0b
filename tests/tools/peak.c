/* SPDX-License-Identifier: GPL-2.0-only */
/* peak FILE CMD [ARG...]: runs CMD and writes its peak memory (kB) and its CPU time (ms) to FILE. Ends with
 * CMD's status. */
#define _GNU_SOURCE /* wait4 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static double ms(struct timeval t)
{
	return (double)t.tv_sec * 1e3 + (double)t.tv_usec / 1e3;
}

int main(int argc, char **argv)
{
	struct rusage u;
	int status;
	pid_t pid;
	FILE *f;

	if (argc < 3) {
		fprintf(stderr, "usage: peak FILE CMD [ARG...]\n");
		return 2;
	}
	pid = fork();
	if (!pid) {
		execvp(argv[2], argv + 2);
		fprintf(stderr, "peak: %s: %s\n", argv[2], strerror(errno));
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &u) != pid) {
		perror("peak");
		return 1;
	}
	f = fopen(argv[1], "w");
	if (!f || fprintf(f, "%ld %.0f\n", u.ru_maxrss, ms(u.ru_utime) + ms(u.ru_stime)) < 0 ||
	    fclose(f)) {
		perror(argv[1]);
		return 1;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
