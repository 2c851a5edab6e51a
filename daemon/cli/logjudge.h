/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a line of an access log counts as: the hit that a beacon would have made at that time, as far as a log tells.
 * Allocates nothing for a line. The process runs sodium_init() first.
 */
#ifndef CLI_LOGJUDGE_H
#define CLI_LOGJUDGE_H

#include "base/conf.h"
#include "cli/logformat.h"
#include "hit/hit.h"
#include "hit/visitor.h"

/* What is to be known of a local date before its first line counts; asked once, and again when many came in between. */
struct logday {
	struct salt salt;
	int64_t beacon_hits; /* that it holds already */
};

struct logjudge_options {
	const struct conf *conf;
	const struct conf_site *site;
	bool all;                       /* every request, not page views alone */
	const struct logformat *format; /* NULL: combined */
	bool named; /* lines count that name one of the site's hosts; else those too that name none, or nobody's */
	void (*ask_day)(int32_t day, struct logday *out, void *arg);
	void *arg;
};

enum logjudge_verdict {
	LOGJUDGE_VIEW,
	LOGJUDGE_BOT,
	LOGJUDGE_EXCLUDED, /* counted as refused */
	LOGJUDGE_SKIPPED,  /* no page view */
	LOGJUDGE_BAD,      /* no log line */
};

struct logjudge;
/* Dies with a sentence when the list of bots or of blocked referrers cannot be read. */
struct logjudge *logjudge_new(const struct logjudge_options *options);
void logjudge_free(struct logjudge *judge);

/* The line is without its line end. A hit of the first three verdicts borrows from the judge until the next line. */
enum logjudge_verdict logjudge_line(struct logjudge *judge, struct slice line, struct hit *hit);
/* Hits of beacons that the hit's date held when it was asked about. */
int64_t logjudge_beacon_hits(struct logjudge *judge, const struct hit *hit);

#endif
