/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What operators change, as the command line does it: adjustments, and the list of all changes. Whatever is changed here
 * is kept apart from what is counted, or changed in one transaction.
 */
#ifndef STORE_CHANGE_H
#define STORE_CHANGE_H

#include "store/store.h"

enum { CHANGE_AUDIT_MAX = 10000 };

/* One JSON object on a line goes on the audit list, which keeps the last CHANGE_AUDIT_MAX. */
int change_note(struct store *store, struct slice line) MUST_CHECK;
/* Calls back for every line of it, oldest first. */
int change_list(struct store *store, void (*each)(struct slice line, void *arg),
		void *arg) MUST_CHECK;
/* The same in front of all others, unless it is on the list. */
int change_note_before(struct store *store, struct slice line) MUST_CHECK;
/* Whoever shows numbers reads them again: see store_changes. */
int change_done(struct store *store) MUST_CHECK;

/*
 * An adjustment: what an operator adds to a period of a site, or of one of its pages, for display. It is part of every
 * period that holds all of its own: a day's of its week, month and year and of the total, a month's of its year and the
 * total.
 */
struct adjustment {
	struct slice site, page; /* page: absent for the site as a whole */
	int metric;
	enum period_kind kind;
	int32_t id;
	enum adjust_how {
		ADJUST_SET, /* what is shown becomes `amount` */
		ADJUST_ADD, /* what is shown rises by `amount` */
		ADJUST_CLEAR, /* what is shown is what is counted: in the period and all that lie in it */
	} how;
	int64_t amount;
	/* out */
	int64_t counted;       /* -1: what Redis holds is no number */
	int64_t before, after; /* adjusted, in the period itself */
};
/* What JSON's readers still count exactly (2^53), rounded down. */
#define ADJUST_AMOUNT_MAX INT64_C(1000000000000000)

/* `apply` false: only says what would become of it. Changes nothing where less than 0 would be shown: after < -counted. */
int change_adjust(struct store *store, struct adjustment *adjustment, bool apply) MUST_CHECK;

#endif
