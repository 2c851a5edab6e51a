/* SPDX-License-Identifier: BSD-2-Clause */
/* The keeper: the thread that syncs the journal and makes its next segments, so that no worker waits for the disk. */
#ifndef JOURNAL_KEEPER_H
#define JOURNAL_KEEPER_H

#include "journal/journal.h"

struct keeper;
struct keeper *keeper_start(struct journal *journal);
/* Tends the journal once more and ends the thread. */
void keeper_stop(struct keeper *keeper);

#endif
