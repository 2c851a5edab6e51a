/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Everything read from files that hits are judged by, as one snapshot: the main thread reads the files and publishes
 * it, workers look at it. A file that cannot be read never takes away what was read before.
 */
#ifndef HIT_RULES_H
#define HIT_RULES_H

#include <stdatomic.h>

#include "base/conf.h"
#include "hit/blocklist.h"
#include "hit/bots.h"
#include "hit/geo.h"

/* Immutable, shared by reference count. */
struct rules {
	struct bots *bots;         /* NULL: no list is configured */
	struct geo *geo;           /* NULL: none is configured, or none could be opened yet */
	struct blocklist *blocked; /* NULL: none is configured */
	atomic_int refs;
};

/* The snapshot in force. Set by the main thread alone, taken by every other. */
struct rules_current;
/*
 * Reads everything that `conf` names. Dies with a sentence when bots or referrer_blocklist cannot be read; a geoip file
 * that cannot be is logged, and every country unknown until it can be.
 */
struct rules_current *rules_current_new(const struct conf *conf);
void rules_current_free(struct rules_current *current);
/* A reference of the caller's own. */
struct rules *rules_current_get(struct rules_current *current);
void rules_unref(struct rules *rules);
/* Rises with every new snapshot: a cheap way to see that one's own reference is old. */
uint64_t rules_current_generation(const struct rules_current *current);

/* The main thread, after a reload: reads everything again; what cannot be read stays as it was and is logged. */
void rules_reload(struct rules_current *current, const struct conf *conf);
/*
 * The main thread, about once a second: reads the geoip files again when one of them was replaced; after a failure, when
 * one of them is another than then. The same failure is logged once.
 */
void rules_watch(struct rules_current *current, const struct conf *conf);

/* For the main thread: why each could not be read the last time, a sentence; "" when it could. */
enum { RULES_ERROR_MAX = 512 };
struct rules_status {
	char geo[RULES_ERROR_MAX];
	char bots[RULES_ERROR_MAX];
	char blocked[RULES_ERROR_MAX];
};
const struct rules_status *rules_current_status(const struct rules_current *current);

/*
 * The path of a file that comes with the program: an absolute name as it is, any other below conf/ of the source tree
 * for a program in its build/, else below the directory of the installed files. Returns `out`.
 */
char *rules_file_path(const char *name, char *out, size_t size);

#endif
