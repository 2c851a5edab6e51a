/* SPDX-License-Identifier: BSD-2-Clause */
/* The counts of one site at one moment, and their forms (pure): JSON and text. */
#ifndef SHOW_COUNTS_H
#define SHOW_COUNTS_H

#include "base/buf.h"
#include "base/conf.h"
#include "base/zone.h"

enum { COUNT_UNKNOWN = -1 };

struct counts {
	int64_t hits[SHOWN_PERIODS]; /* COUNT_UNKNOWN: not known, shown as null and as a dash */
	int64_t age;                 /* seconds since Redis last confirmed them; 0 in normal work */
};

/* What to show of them, and how. */
struct counts_view {
	const struct conf_site *site;
	enum conf_language language;
	uint8_t rows[CONF_ROWS_MAX];
	size_t row_count;
	bool title;
	int64_t utc;             /* seconds: the moment shown */
	struct local_time local; /* the same in the site's zone */
	struct slice page;       /* absent: null */
	enum counted { COUNTS_READ, COUNTS_COUNTED, COUNTS_REFUSED } counted;
	const char *reason; /* with COUNTS_REFUSED: "duplicate", "rate" */
};

/* The site's own language, rows and title. */
void counts_view_init(struct counts_view *view, const struct conf_site *site);
/* A request's wishes (absent ones change nothing); false when a value is not allowed. */
bool counts_view_choose(struct counts_view *view, struct slice rows, struct slice language,
			struct slice title);

void counts_json(struct buf *out, const struct counts_view *view, const struct counts *counts);
/* "Thống kê truy cập\nHôm nay : 653\n..." */
void counts_text(struct buf *out, const struct counts_view *view, const struct counts *counts);

#endif
