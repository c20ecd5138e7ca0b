/* SPDX-License-Identifier: GPL-2.0-only */
/* The commands. argv[0] is the command's name; the result is the exit status. */
#ifndef BRANCHSIM_COMMANDS_H
#define BRANCHSIM_COMMANDS_H

int cmd_vmm(int argc, char **argv);
int cmd_branch(int argc, char **argv);
int cmd_causes(int argc, char **argv);
int cmd_score(int argc, char **argv);

#endif
