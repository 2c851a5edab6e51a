/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A site's public statistics, as read from Redis, and their page (pure): bars as inline SVG, and behind each a real
 * table. Nothing in the page runs, loads, or does what a visitor wrote.
 */
#ifndef SHOW_STATS_H
#define SHOW_STATS_H

#include "hit/geo.h"
#include "hit/hit.h"
#include "show/counts.h"

enum { STATS_DAYS = 31, STATS_MONTHS = 12, STATS_YEARS = 20, STATS_HOURS = 24, STATS_ROWS = 10 };
enum stats_month { STATS_THIS_MONTH, STATS_LAST_MONTH, STATS_MONTHS_SHOWN };

/* The tables of the running month that are shown. */
#define STATS_TABLES(X)             \
	X(PAGES, HIT_PAGES)         \
	X(COUNTRIES, HIT_COUNTRIES) \
	X(REFERRERS, HIT_REFERRERS) \
	X(BROWSERS, HIT_BROWSERS)

#define X(id, dimension) STATS_##id,
enum stats_table_id { STATS_TABLES(X) STATS_TABLE_COUNT };
#undef X

struct stats_table {
	size_t count;
	struct stats_row {
		int64_t hits;
		uint16_t len;
		bool other; /* stands for all that found no place */
		char value[HIT_PAGE_MAX];
	} rows[STATS_ROWS];
};

/* COUNT_UNKNOWN where a number could not be read. Days and months to come are 0. */
struct stats {
	int32_t day; /* the local date for which it was read */
	int64_t days[STATS_MONTHS_SHOWN][METRIC_COUNT][STATS_DAYS];
	int64_t months[METRIC_COUNT][STATS_MONTHS]; /* of the running year */
	int32_t first_year;
	size_t year_count; /* up to the running one */
	int64_t years[METRIC_COUNT][STATS_YEARS];
	int64_t hours[2][STATS_HOURS]; /* hits of today and of yesterday */
	struct stats_table tables[STATS_TABLE_COUNT];
};

struct stats_page {
	const struct counts_view *view;
	const struct counts *counts;
	const struct stats *stats; /* NULL: Redis could not be asked; the figures are shown alone */
	struct slice style;        /* the page's style sheet */
	const struct geo *geo;     /* whose makers are named where countries are shown; or NULL */
};
void stats_page(struct buf *out, const struct stats_page *page);

#endif
