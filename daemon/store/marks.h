/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What operators made a shard forget, and when. A mark is a field of PREFIX:{NN}:forgotten and a time (ms): hits of what
 * it names that were taken until then are not to be counted again, wherever they come from. Fields are
 *
 *   SITE              all of the site          SITE visitors   who its visitors were
 *   SITE 2020-05      a period of it           *               every site of the shard
 *   SITE /path        a page of it             :               nothing: the time of the newest mark
 *   SITE restored     nothing, but what was taken until then came out of an export
 *   SITE merged       nothing, but what it had is another site's now: it may be shown as less
 */
#ifndef STORE_MARKS_H
#define STORE_MARKS_H

#include "base/period.h"
#include "hit/hit.h"

struct mark {
	char *field;
	struct slice site; /* in the field; "*": every one */
	enum mark_scope {
		MARK_SITE,
		MARK_PERIOD,
		MARK_PAGE,
		MARK_VISITORS,
		MARK_RESTORED,
		MARK_MERGED
	} scope;
	enum period_kind kind; /* of MARK_PERIOD */
	int32_t id;
	struct slice page; /* of MARK_PAGE */
	int64_t ms;
};

/* Zeroed is a valid empty list. */
struct marks {
	struct mark *list;
	size_t count;
	int64_t newest;
};
void marks_release(struct marks *marks);

/* Adds a mark, or makes it younger. NULL: it was known, or is none that we know. */
const struct mark *marks_put(struct marks *marks, struct slice field, int64_t ms);

/* Takes out of a hit what is forgotten of it: page, visitor. False: all of it is. */
bool marks_pass(const struct marks *marks, struct hit *hit);

#endif
