/* SPDX-License-Identifier: GPL-2.0-only */
#include "commands.h"
#include "options.h"
#include "util.h"
#include "vmm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * The parent stays until the child has said on stdout that it is ready, or has ended. The child's
 * stdout is a pipe meanwhile, from which the parent copies that line.
 */
static void daemonize(void)
{
	char line[2048];
	size_t used = 0;
	int fds[2], status = 1;
	ssize_t n;
	pid_t pid;

	if (pipe(fds) || (pid = fork()) < 0)
		die("cannot fork: %s", strerror(errno));
	if (!pid) {
		setsid();
		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		close(fds[1]);
		return;
	}
	close(fds[1]);
	while (used < sizeof(line) && !memchr(line, '\n', used)) {
		n = read(fds[0], line + used, sizeof(line) - used);
		if (n <= 0)
			break;
		used += (size_t)n;
	}
	if (write_full(STDOUT_FILENO, line, used))
		_exit(1);
	if (memchr(line, '\n', used))
		_exit(0);
	waitpid(pid, &status, 0);
	_exit(WIFEXITED(status) && WEXITSTATUS(status) ? WEXITSTATUS(status) : 1);
}

int cmd_vmm(int argc, char **argv)
{
	struct vmm_opts o = { .mem_mb = 32, .vcpus = 2, .base = -1, .grow = -1 };
	const struct option_row rows[] = {
		{ "sock", OPTION_TEXT, &o.sock, "PATH", "serve the API there (needed)" },
		{ "cause", OPTION_TEXT, &o.cause, "NAME", "why the pauses grow (none)" },
		{ "base", OPTION_NUMBER, &o.base, "N", "the cause's work in BRANCH 1, in its unit" },
		{ "grow", OPTION_NUMBER, &o.grow, "N", "how much more with each BRANCH" },
		{ "step", OPTION_COUNT, &o.step, "K", "grow once, at BRANCH K", 2, 1000000 },
		{ "dir", OPTION_TEXT, &o.dir, "DIR", "snapshot files go there (a tmpfs)" },
		{ "log", OPTION_TEXT, &o.log, "FILE", "append a JSON line per BRANCH" },
		{ "mem", OPTION_COUNT, &o.mem_mb, "MB", "guest memory (32)", 4, 64 },
		{ "vcpus", OPTION_COUNT, &o.vcpus, "N", "vCPU threads (2)", 1, MAX_VCPUS },
		{ "no-kvm", OPTION_FLAG, &o.no_kvm, NULL, "vCPU threads without /dev/kvm" },
		{ "prealloc", OPTION_FLAG, &o.prealloc, NULL, "preallocate the memory file" },
		{ "no-fsync", OPTION_FLAG, &o.no_fsync, NULL, "leave the files to writeback" },
		{ "comm-main", OPTION_TEXT, &names.main_thread, "NAME", "instead of firecracker" },
		{ "comm-api", OPTION_TEXT, &names.api, "NAME", "instead of fc_api" },
		{ "comm-vcpu", OPTION_TEXT, &names.vcpu, "NAME", "instead of fc_vcpu" },
		{ "threads-prefix", OPTION_TEXT, &names.prefix, "TEXT", "before all other names" },
		{ "daemon", OPTION_FLAG, &o.daemon, NULL, "return when it is ready" },
		{ NULL },
	};

	options_parse(argc, argv, "vmm --sock PATH [options]", rows);
	if (!o.sock) {
		fprintf(stderr, "branchsim: vmm needs --sock PATH; see --help\n");
		return 2;
	}
	if (o.daemon)
		daemonize();
	return vmm_run(&o);
}
