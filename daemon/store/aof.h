/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of the private redis-server's append-only file, looked at before that starts. A power cut may tear it inside a
 * transaction. Redis loads such a file, but leaves the half transaction in it and appends behind it: its next start
 * would run the half together with what follows, and counts would be there twice. Knows nothing of what commands mean.
 */
#ifndef STORE_AOF_H
#define STORE_AOF_H

#include "base/base.h"

/*
 * How many bytes at the front are whole: commands, and transactions with their EXEC (pure). What follows is the beginning
 * of one; or else *damaged: something that no cut leaves behind.
 */
size_t aof_whole(struct slice bytes, bool *damaged) MUST_CHECK;

/*
 * Cuts torn files in <dir>/appendonlydir back to what is whole. Of several, as a rewrite leaves them, those behind a torn
 * one are emptied: they continue what is missing. Damage is logged and left to Redis, which refuses it. No server may
 * run there. 0, or -1 with errno.
 */
int aof_mend(const char *dir) MUST_CHECK;

#endif
