/* SPDX-License-Identifier: BSD-2-Clause */
/* Everything that can be measured about a running daemon, in Prometheus' text format. */
#ifndef ADMIN_METRICS_H
#define ADMIN_METRICS_H

#include "base/buf.h"
#include "front/counters.h"
#include "journal/journal.h"
#include "tally/tally.h"

/* One moment, taken by the caller. */
struct measured {
	struct front_stats front;
	struct tally_status tally;
	uint64_t journal_allocated, journal_written, journal_damaged, journal_errors;
	uint64_t resident; /* bytes */
	int64_t started;   /* seconds since 1970-01-01T00:00:00Z */
	bool runs;         /* true */
};

/* text/plain; version=0.0.4 */
void metrics_text(struct buf *out, const struct measured *measured);
#endif
