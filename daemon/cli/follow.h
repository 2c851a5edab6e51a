/* SPDX-License-Identifier: BSD-2-Clause */
/* Waiting for more of a log, or for the end: signals that would end the program are read from a descriptor instead. */
#ifndef CLI_FOLLOW_H
#define CLI_FOLLOW_H

#include "base/base.h"

/* From now on SIGINT and SIGTERM make the descriptor readable. Dies where the system has none. */
int follow_signals(void);
/* Waits a moment; false: it is time to end. */
bool follow_wait(int signals);

#endif
