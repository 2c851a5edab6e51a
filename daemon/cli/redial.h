/* SPDX-License-Identifier: BSD-2-Clause */
/* A long command outlives a Redis that restarts: how it waits, and for how long. */
#ifndef CLI_REDIAL_H
#define CLI_REDIAL_H

#include "store/store.h"

enum { REDIAL_MS = 30 * 1000 };

/* Connects again before the deadline (monotonic, ms), or ends the program: `lost` says what that means for the user. */
void redial(struct store *store, int64_t deadline, const char *lost);

/* What a call came to, where a server that still reads its files is one that is not there yet. */
int redial_status(const struct store *store, int status);

#endif
