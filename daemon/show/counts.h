/* SPDX-License-Identifier: BSD-2-Clause */
/* The counts of one site at one moment, what is wished of them, and their plain forms (pure): JSON and text. */
#ifndef SHOW_COUNTS_H
#define SHOW_COUNTS_H

#include "base/buf.h"
#include "base/conf.h"
#include "base/zone.h"
#include "show/pages.h"

enum { COUNT_UNKNOWN = -1 };

struct counts {
	/* COUNT_UNKNOWN: not known, shown as null and as a dash */
	int64_t numbers[METRIC_COUNT][SHOWN_PERIODS];
	int64_t online; /* visitors of the last minutes */
	int64_t bots;   /* their hits of today */
	int64_t age;    /* seconds since Redis last confirmed them; 0 in normal work */
};

/* What is shown of a known number and what operators added to it: never less than 0. */
static inline int64_t
count_shown(int64_t counted, int64_t adjusted)
{
	int64_t sum = counted + adjusted;
	return sum > 0 ? sum : 0;
}

/* A page that was asked for. */
struct page_shown {
	struct slice path;
	struct page_counts counts;
};

/* How a drawn counter looks. */
#define COUNTS_STYLES(X)  \
	X(PLAIN, "plain") \
	X(BADGE, "badge") \
	X(PANEL, "panel")

#define X(id, name) COUNTS_##id,
enum counts_style { COUNTS_STYLES(X) COUNTS_STYLE_COUNT };
#undef X
extern const char *const counts_style_names[COUNTS_STYLE_COUNT];

enum { COUNTS_WIDTH_MIN = 40, COUNTS_WIDTH_MAX = 2000 };
struct counts_look {
	enum counts_style style;
	int width;      /* pixels; 0: as much as the text takes */
	bool colored;   /* another accent than the style's own is wished */
	uint32_t color; /* 0xrrggbb, with `colored` */
};

/* What to show of them, and how. */
struct counts_view {
	const struct conf_site *site;
	enum conf_language language;
	uint8_t rows[CONF_ROWS_MAX];
	size_t row_count;
	bool title;
	struct counts_look look;
	enum metric metric;      /* of the rows */
	bool metrics, pages;     /* whether more than the rows may be shown */
	bool stats;              /* there is a public page of statistics */
	int64_t utc;             /* seconds: the moment shown */
	struct local_time local; /* the same in the site's zone */
	const struct date *date; /* its date */
	struct slice page;       /* absent: null */
	struct page_counts page_counts;
	const struct page_shown *asked; /* pages whose numbers were asked for, or NULL */
	size_t asked_count;
	enum counted { COUNTS_READ, COUNTS_COUNTED, COUNTS_REFUSED } counted;
	const char *reason; /* with COUNTS_REFUSED: "bot", "rate" and so on */
};

/* The site's own language, rows, metric and title. */
void counts_view_init(struct counts_view *view, const struct conf_site *site);
/* A request's wishes (absent ones change nothing); false when a value is not allowed. */
struct counts_wishes {
	struct slice rows, metric, language, title, style, width, color;
};
bool counts_view_choose(struct counts_view *view, const struct counts_wishes *wishes);

/* What a row shows. */
int64_t counts_row(const struct counts_view *view, const struct counts *counts, int row);
/* The same as people read it; a dash where it is not known. */
void counts_row_text(struct buf *out, const struct counts_view *view, const struct counts *counts,
		     int row);

void counts_json(struct buf *out, const struct counts_view *view, const struct counts *counts);

/* What many answers at one moment have in common, all but "counted" and the pages. Zeroed is a valid empty one. */
struct counts_frame {
	struct buf text;
	size_t counted_at, pages_at; /* where those go */
};
void counts_frame_fill(struct counts_frame *frame, const struct counts_view *view,
		       const struct counts *counts);
/* The same JSON, for a view that differs from the frame's in counted, reason and pages alone. */
void counts_frame_json(struct buf *out, const struct counts_frame *frame,
		       const struct counts_view *view);
/* "Thống kê truy cập\nHôm nay : 653\n..." */
void counts_text(struct buf *out, const struct counts_view *view, const struct counts *counts);

#endif
