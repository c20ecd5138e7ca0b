/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of system calls by number, and the numbers that matter here. */
#ifndef SNAPFLAME_SYSCALLS_H
#define SNAPFLAME_SYSCALLS_H

#include <stdbool.h>
#include <stdint.h>

enum sf_sys_arch { SF_SYS_X86_64, SF_SYS_GENERIC }; /* generic: aarch64, riscv64, loongarch64 */

/* Of a recording's architecture as uname(1) names it; "" is this machine's. */
enum sf_sys_arch sf_sys_arch(const char *machine);

/* "futex"; NULL where the number is not known. */
const char *sf_sys_name(enum sf_sys_arch arch, int32_t nr);

/* Does the call wait on a futex? Its address is the first argument, its operation the second. */
bool sf_sys_is_futex(enum sf_sys_arch arch, int32_t nr);

#endif
