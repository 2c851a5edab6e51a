/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's live picture of every site's hits, in cells of absolute periods, so that midnight needs nobody.
 *
 *   shown = what Redis holds + the hits of own journals past the positions that belong to it
 *
 * Workers raise what is shown; the tally and the reader move the part that Redis confirmed. A cell keeps
 *   shown      the sum that answers show (atomic)
 *   offset     the part of it that did not come from own hits of this process's knowledge: Redis - confirmed
 *   confirmed  own hits that Redis' number contains
 *   seen       own hits that the tally has read from the journal, confirmed or not
 * Workers touch only `shown`; the rest belongs to whoever holds the shard's lock (board_lock).
 */
#ifndef SHOW_BOARD_H
#define SHOW_BOARD_H

#include "show/counts.h"

struct board;
struct board_site;

struct board *board_new(void);
void board_free(struct board *board);

/* Finds or makes the entry of a site; never removed. Any thread. */
struct board_site *board_site(struct board *board, struct slice key);

/* A hit of this process is in the journal: raise what is shown. Any thread. */
void board_add(struct board_site *site, int32_t day);
/* What is shown on the local date `day`. Any thread. */
void board_counts(struct board *board, struct board_site *site, int32_t day, struct counts *out);

#endif
