/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Merging a site into another one, which may be in another shard. Its keys are set apart in one transaction, under a name
 * that nothing counts into; from there they are a stream into the other site, each piece put once (store/piece.h); then
 * they are removed. Whatever is interrupted goes on where it stopped. What is counted for the site meanwhile, from
 * journals that were behind, is merged by the next turn.
 */
#ifndef STORE_MERGE_H
#define STORE_MERGE_H

#include "store/store.h"

struct merging {
	struct slice from, to;
	/* out */
	size_t keys;    /* of `from` */
	bool begun;     /* some of them were set apart before */
	size_t refused; /* by Redis; the first is store_error */
};

/* `apply` false: only looks. */
int store_merge(struct store *store, struct merging *merging, bool apply) MUST_CHECK;
/* Whether the site has counts, as far as that can be told in one look at few keys. */
int store_has_counts(struct store *store, struct slice site, bool *out) MUST_CHECK;

#endif
