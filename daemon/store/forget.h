/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making Redis forget: the mark (store/marks.h) and the removal are one transaction, so that nothing of before is counted
 * behind it. Finds what there is by looking through the keys, for an operator's command and not for every day.
 */
#ifndef STORE_FORGET_H
#define STORE_FORGET_H

#include "store/marks.h"
#include "store/store.h"

struct forgetting {
	int shard;
	struct slice site; /* "*": every site of the shard */
	enum mark_scope scope;
	enum period_kind kind; /* of MARK_PERIOD: day, week, month or year */
	int32_t id;
	struct slice page; /* of MARK_PAGE */
	bool again;        /* a mark that Redis has lost: `ms` is given; else it is now */
	int64_t ms;
	/* out */
	size_t keys; /* that are removed, or of which something is; of a period: days that had counts */
};

/* Another turn is safe at any time. `apply` false: only counts the keys. */
int store_forget(struct store *store, struct forgetting *forgetting, bool apply) MUST_CHECK;

/* Takes a site off the list of those known; it is put there again by a daemon that has it configured. */
int store_forget_settings(struct store *store, struct slice site) MUST_CHECK;
/* The salts that visitors' ids were made with: those of days gone are removed, the others replaced. */
int store_forget_salts(struct store *store, int32_t today, size_t *keys) MUST_CHECK;

#endif
