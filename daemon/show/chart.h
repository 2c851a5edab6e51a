/* SPDX-License-Identifier: BSD-2-Clause */
/* Parts of a page of statistics (pure): bars over time with the table behind them, and ranked tables with bars in them. */
#ifndef SHOW_CHART_H
#define SHOW_CHART_H

#include "show/stats.h"

/* Numbers of consecutive periods of one kind. */
struct chart {
	enum conf_language language;
	const char *heading; /* "By day" */
	struct slice of;     /* what of: "Month 05/2020"; absent: nothing */
	bool wide;           /* as wide as the page */
	const int64_t *bars; /* what is drawn */
	size_t count;        /* of bars */
	size_t rows;         /* of the table: those that have begun */
	/* The bars that are named below the picture: one in `marks` from `first_mark` on, and bar 0. */
	size_t marks, first_mark;
	const char *first_column; /* of the table, and the others */
	const char *columns[METRIC_COUNT];
	const int64_t *values[METRIC_COUNT];
	size_t column_count;
	/* The name of a period: below the picture, where there is little room, and elsewhere. */
	void (*name)(struct buf *out, const struct chart *chart, size_t index, bool brief);
	int32_t first; /* for it: the first period's id */
};
void chart_add(struct buf *out, const struct chart *chart);

/* A table of a dimension. `whole`: what shares are of; 0 or less: none are shown. */
struct ranks {
	enum conf_language language;
	const char *heading, *column;
	struct slice of;
	const struct stats_table *table;
	bool countries; /* values are codes of countries */
	int64_t whole;
};
void ranks_add(struct buf *out, const struct ranks *ranks);

/* The start of a table that may be wider than its section, up to its first row; it ends with CHART_TABLE_END. */
void chart_table_start(struct buf *out, const char *name, const char *attributes);
#define CHART_TABLE_END "</tbody></table></div>\n"
/* A number, or a dash. */
void chart_number(struct buf *out, enum conf_language language, int64_t value);

#endif
