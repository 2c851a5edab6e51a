/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of bots (conf/bots.txt), read and compiled. Immutable once read, shared by counted references, for any
 * thread; NULL is the list of nobody.
 */
#ifndef HIT_BOTS_H
#define HIT_BOTS_H

#include "hit/hit.h"

enum {
	BOTS_LINES_MAX = 2000,  /* patterns of a list */
	BOTS_LINE_MAX = 1000,   /* bytes of a line */
	BOTS_AGENT_MAX = 1024,  /* bytes of a user agent that patterns see */
	BOTS_STEPS_MAX = 20000, /* of a match, from each byte on: PCRE2's match limit */
};

/*
 * A line is NAME, two spaces or a tab, PATTERN: a PCRE2 pattern, sought caselessly anywhere in the user agent. Empty
 * lines and those that begin with # say nothing. NULL: `error` is a sentence, "FILE:LINE: what is wrong; allowed: ...".
 */
struct bots;
struct bots *bots_read(const char *path, char *error, size_t error_size) MUST_CHECK;
struct bots *bots_ref(struct bots *bots);
void bots_unref(struct bots *bots);
size_t bots_count(const struct bots *bots);

/* What one thread matches with, of whatever list. */
struct bots_scratch;
struct bots_scratch *bots_scratch_new(void);
void bots_scratch_free(struct bots_scratch *scratch);

struct bots_match {
	struct slice name; /* borrowed from the list */
	int line;          /* of the file */
	int place;         /* in the list, from 0 on */
};

/* The first line of the list that matches. False: none does, or one took BOTS_STEPS_MAX steps; `out` is left alone. */
bool bots_find(const struct bots *bots, struct bots_scratch *scratch, struct slice user_agent,
	       struct bots_match *out);
/* What bots_find said, by its place. */
struct bots_match bots_at(const struct bots *bots, int place);

#endif
