/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * vCPU threads: in KVM_RUN, or paused and waiting for main's next command. A command goes into
 * the thread's channel, then SIGRTMIN gets it out of KVM_RUN.
 */
#include "util.h"
#include "vmm.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static __thread struct vcpu *this_vcpu;

static void on_kick(int sig)
{
	(void)sig;
	if (this_vcpu)
		guest_vcpu_kick(&this_vcpu->guest);
}

/* Until resumed. The futex wait of chan_recv() is what a paused vCPU looks like. */
static FRAME void vcpu_paused(struct vcpu *v)
{
	struct cause *cause = v->vmm->cause;
	unsigned k = v->vmm->branch.k;

	for (;;) {
		switch (chan_recv(&v->command)) {
		case VCPU_PAUSE:
			k = v->vmm->branch.k;
			v->left_ns = v->exit_ns;
			__atomic_store_n(&v->entered_ns, 0, __ATOMIC_RELEASE);
			if (cause->vcpu_stop)
				cause->vcpu_stop(v->vmm, v->guest.index, k);
			chan_send(&v->reply, 0);
			break;
		case VCPU_SAVE:
			v->state_len = guest_vcpu_save(&v->guest, v->state, sizeof(v->state));
			chan_send(&v->reply, 0);
			break;
		case VCPU_RESUME:
			/* The kick may have come when it was out already. */
			guest_vcpu_unkick(&v->guest);
			chan_send(&v->reply, 0);
			if (k && cause->vcpu_start)
				cause->vcpu_start(v->vmm, v->guest.index, k);
			return;
		}
	}
}

static void *vcpu_main(void *arg)
{
	struct vcpu *v = arg;
	sigset_t kick;

	v->tid = (pid_t)syscall(SYS_gettid);
	this_vcpu = v;
	sigemptyset(&kick);
	sigaddset(&kick, SIGRTMIN);
	pthread_sigmask(SIG_UNBLOCK, &kick, NULL);
	vcpu_paused(v);
	for (;;) {
		if (!v->entered_ns)
			__atomic_store_n(&v->entered_ns, now_ns(), __ATOMIC_RELEASE);
		if (guest_vcpu_run(&v->vmm->guest, &v->guest))
			exit(1);
		v->exit_ns = now_ns();
		/* Any other signal ends KVM_RUN too: that is no pause. */
		if (__atomic_load_n(&v->command.full, __ATOMIC_ACQUIRE))
			vcpu_paused(v);
	}
	return NULL;
}

void vcpus_start(struct vmm *vmm)
{
	struct sigaction sa = { .sa_handler = on_kick };

	sigaction(SIGRTMIN, &sa, NULL);
	vmm->nvcpus = vmm->opts.vcpus;
	for (unsigned i = 0; i < vmm->nvcpus; i++) {
		struct vcpu *v = &vmm->vcpus[i];

		v->vmm = vmm;
		snprintf(v->name, sizeof(v->name), "%s %u", names.vcpu, i);
		chan_init(&v->command, 0);
		chan_init(&v->reply, 0);
		guest_vcpu_init(&vmm->guest, &v->guest, i);
		if (pthread_create(&v->thread, NULL, vcpu_main, v))
			die("cannot start a vCPU thread: %s", strerror(errno));
		set_thread_name(v->thread, v->name);
	}
	vcpus_command(vmm, VCPU_RESUME);
}

/* To all vCPUs at once, then their replies, as Firecracker does it. */
FRAME void vcpus_command(struct vmm *vmm, enum vcpu_command command)
{
	for (unsigned i = 0; i < vmm->nvcpus; i++) {
		chan_send(&vmm->vcpus[i].command, command);
		if (command == VCPU_PAUSE)
			pthread_kill(vmm->vcpus[i].thread, SIGRTMIN);
	}
	for (unsigned i = 0; i < vmm->nvcpus; i++)
		chan_recv(&vmm->vcpus[i].reply);
}

int vcpus_running(struct vmm *vmm)
{
	for (unsigned i = 0; i < vmm->nvcpus; i++)
		if (!__atomic_load_n(&vmm->vcpus[i].entered_ns, __ATOMIC_ACQUIRE))
			return 0;
	return 1;
}
