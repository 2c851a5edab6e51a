/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What Redis holds of a site, key by key and in pieces; and putting pieces into a site, each exactly once: the stream
 * that they come from has a position in the shard, which moves in the same call (put.lua).
 */
#ifndef STORE_PIECE_H
#define STORE_PIECE_H

#include "store/store.h"

enum {
	PIECE_PARTS_MAX = 300, /* of 512 bytes, each six in JSON: still a line of less than 1 MiB */
	PIECE_TAIL_MAX = 64,
};

/* What is done with a key's content when it is put where something is already. */
enum piece_kind {
	PIECE_COUNTS,   /* a hash of numbers: they are added */
	PIECE_TABLE,    /* a sorted set of values: their hits are added, as many as fit */
	PIECE_LATEST,   /* visitors seen: the later time stays */
	PIECE_VISITORS, /* a HyperLogLog: united */
	PIECE_NONE,     /* nothing: only a position, a mark */
};

/* Up to PIECE_PARTS_MAX parts of one key. */
struct piece {
	struct slice tail; /* of the key, behind "PREFIX:{NN}:SITE:" */
	enum piece_kind kind;
	int64_t seconds;           /* to live; 0: for ever */
	size_t first;              /* how many parts of the key are before these */
	const struct slice *parts; /* field or member, and its number, in turn; of visitors one */
	size_t count;              /* of slices */
	bool last;                 /* of the key */
};

/* False: no key of a site is called so. */
bool piece_kind_of(struct slice tail, enum piece_kind *kind);

/* Where to begin: behind `done` parts of the key `tail` ("": at the beginning). */
struct piece_place {
	char tail[PIECE_TAIL_MAX];
	size_t done;
};
/*
 * Calls back for every piece of a site's keys, in order of their names, until it returns something else than STORE_OK;
 * the same pieces again as long as nobody writes to the keys. `holder`: the site's key, or what stands in its place.
 */
int piece_each(struct store *store, int shard, struct slice holder, const struct piece_place *from,
	       int (*each)(const struct piece *piece, void *arg), void *arg) MUST_CHECK;

struct piece_target {
	struct slice site;
	struct slice mark; /* field of a mark that is set along with it; absent: none */
	int64_t mark_ms;
};
/* STORE_MISMATCH: nothing was put, *stored is what Redis holds. *refused is raised by what it refused. */
int piece_put(struct store *store, const struct piece_target *target, const struct advance *advance,
	      const struct piece *piece, struct position *stored, size_t *refused) MUST_CHECK;

#endif
