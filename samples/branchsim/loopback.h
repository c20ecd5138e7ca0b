/* SPDX-License-Identifier: GPL-2.0-only */
/* A TCP connection to oneself over the loopback device. */
#ifndef BRANCHSIM_LOOPBACK_H
#define BRANCHSIM_LOOPBACK_H

/* Its two ends, as they come (Nagle's algorithm is on); else why there is none. */
const char *loopback_connect(int *active, int *passive);

#endif
