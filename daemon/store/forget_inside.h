/* SPDX-License-Identifier: BSD-2-Clause */
/* What forget.c and forget_period.c share and nobody else sees. */
#ifndef STORE_FORGET_INSIDE_H
#define STORE_FORGET_INSIDE_H

#include "store/forget.h"
#include "store/inside.h"

/* Watches the shard's marks, and says which is the newest; ->ms becomes now, and newer than that. */
int forget_watch(struct store *store, struct forgetting *f, int64_t *newest) MUST_CHECK;
void forget_add_mark(struct transaction *transaction, const struct forgetting *f, int64_t newest);

int forget_period(struct store *store, struct forgetting *f, bool apply) MUST_CHECK;

#endif
