/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The threads' names. They are Firecracker's unless the command line says otherwise, so that it
 * can be shown that an analysis depends on no name.
 */
#ifndef BRANCHSIM_NAMES_H
#define BRANCHSIM_NAMES_H

#define COMM_SIZE 16

struct names {
	const char *main_thread; /* also the process's: "firecracker" */
	const char *api;         /* "fc_api" */
	const char *vcpu;        /* "fc_vcpu", followed by a space and the number */
	const char *prefix;      /* put before all other names, of threads and helpers: "" */
};

extern struct names names;

/* The name under which a worker, a helper or a distractor runs. */
void names_other(char out[COMM_SIZE], const char *name);

#endif
