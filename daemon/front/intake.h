/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A worker's way from a beacon to the journal: the sites as it keeps them at hand, the judgement of a hit, the records
 * of the pass, and their writing. One thread; what it shares with others (board, pages, salts, tables) is made for that.
 */
#ifndef FRONT_INTAKE_H
#define FRONT_INTAKE_H

#include "front/counters.h"
#include "front/route.h"
#include "hit/judge.h"
#include "journal/journal.h"
#include "show/board.h"

struct intake_options {
	struct conf_current *conf;
	struct rules_current *rules;
	struct journal_writer *writer;
	struct board *board;
	struct pages *pages;
	struct salts *salts;
	struct nonces *nonces, *repeats;
	struct limits *limits;
	struct front_counters *counters;
};

/* A configured site as one worker keeps it at hand. */
struct site_slot {
	struct board_site *board;
	struct zone_span span;          /* the offset that held when last asked */
	struct date date;               /* likewise */
	uint32_t refused[REASON_COUNT]; /* of this pass */
	bool touched;                   /* some are not 0 */
};

struct intake;
struct intake *intake_new(const struct intake_options *options);
void intake_free(struct intake *intake);

/* At the start of a pass: takes over what was reloaded. The configuration in force until the next. */
const struct conf *intake_begin(struct intake *intake);
/* The site's slot, its date and the local time of this pass, now. */
struct site_slot *intake_site(struct intake *intake, const struct conf_site *site,
			      struct local_time *local);
/* Of this pass: the time of its hits, ms since the epoch, and the monotonic clock. */
int64_t intake_time_ms(struct intake *intake);
int64_t intake_mono_ms(struct intake *intake);

/*
 * Judges a beacon whose site, page and view are in `pending`, and puts its record into the pass. 200, 403 or 429; the
 * view says whether it counts.
 */
int intake_hit(struct intake *intake, const struct call *call, const struct beacon *beacon,
	       struct pending *pending);
/* Says step by step what the hit would be, and counts nothing. False: the peer may not ask. */
bool intake_explain(struct intake *intake, const struct call *call, const struct beacon *beacon,
		    const struct pending *pending, struct buf *out);

/* The geo files in use in this pass, or NULL. */
const struct geo *intake_geo(const struct intake *intake);

/* Writes the pass's records and raises what is shown; or takes the hits back and makes them 503. */
void intake_commit(struct intake *intake, struct pending *pending, size_t count);

#endif
