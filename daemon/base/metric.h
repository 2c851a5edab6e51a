/* SPDX-License-Identifier: BSD-2-Clause */
/* What is counted of every site, by its names in keys, JSON and configuration. */
#ifndef BASE_METRIC_H
#define BASE_METRIC_H

/* In JSON order. */
#define METRICS(X)          \
	X(HITS, "hits")     \
	X(VISITS, "visits") \
	X(VISITORS, "visitors")

#define X(id, name) METRIC_##id,
enum metric { METRICS(X) METRIC_COUNT };
#undef X

/* Bots are counted by period as well, but no counter shows them in place of people. */
enum { METRIC_BOTS = METRIC_COUNT, METRIC_STORED };

/* The stored ones; the first METRIC_COUNT are those of METRICS. */
extern const char *const metric_names[METRIC_STORED];

#endif
