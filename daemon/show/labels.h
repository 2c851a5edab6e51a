/* SPDX-License-Identifier: BSD-2-Clause */
/* Every word that people read, in Vietnamese and English, and how numbers are written. The only such place. */
#ifndef SHOW_LABELS_H
#define SHOW_LABELS_H

#include "base/buf.h"
#include "base/conf.h"

/* Stands for a number that is not known: an en dash. */
#define LABEL_UNKNOWN "\xe2\x80\x93"
/* The same in what the command line shows: a middle dot. */
#define LABEL_NO_DATA "\xc2\xb7"

/* "Thống kê truy cập" */
const char *label_title(enum conf_language language);
/* The label of a row (index of conf_row_names) on a local date: "Hôm nay", "Tháng 05", "Năm 2020". */
void label_row(struct buf *out, enum conf_language language, int row, struct civil today);
/* 1508 as "1.508" (vi) or "1,508" (en). */
void label_number(struct buf *out, enum conf_language language, int64_t value);

/* 2512 ten thousandths as "25,1 %" (vi) or "25.1 %" (en). */
void label_share(struct buf *out, enum conf_language language, int64_t ten_thousandths);

/* 1234 ten thousandths more as "+12,3 %" (vi) or "+12.3 %" (en). */
void label_change(struct buf *out, enum conf_language language, int64_t ten_thousandths);

/* 12345 microseconds as "12,3 ms" (vi) or "12.3 ms" (en). */
void label_millis(struct buf *out, enum conf_language language, int64_t micros);

/* 1536 as "1,5 KiB" (vi) or "1.5 KiB" (en). */
void label_bytes(struct buf *out, enum conf_language language, int64_t bytes);
/* 93784 seconds as "1d 02:03:04"; less than a day without days. */
void label_duration(struct buf *out, int64_t seconds);

/* What pages and the command line say, found by enum. */
enum label_word {
	WORD_SITE,
	WORD_TIME,
	WORD_HOUR,
	WORD_DAY,
	WORD_WEEK,
	WORD_MONTH,
	WORD_YEAR,
	WORD_HITS,
	WORD_VISITS,
	WORD_VISITORS,
	WORD_BOTS,
	WORD_ONLINE,
	WORD_METRIC,
	WORD_PAGE,
	WORD_REFERRER,
	WORD_COUNTRY,
	WORD_BROWSER,
	WORD_SYSTEM,
	WORD_DEVICE,
	WORD_SCREEN,
	WORD_REFUSED,
	WORD_SHARE, /* of a whole */
	WORD_OTHER, /* values that found no row of their own */
	WORD_SUM,
	WORD_TOTAL,  /* of several sites */
	WORD_CHANGE, /* against the same time of the period before */
	WORD_AVERAGE,
	WORD_RUNNING, /* a period that is not over */
	WORD_ESTIMATE,
	WORD_ESTIMATED, /* the same at the head of a column */
	WORD_TIMEZONE,
	WORD_LANGUAGE,
	WORD_HOSTS,
	WORD_SHARD,
	WORD_CONFIGURED, /* named by the configuration */
	WORD_STREAM,
	WORD_BYTES,
	WORD_FIRST, /* offset */
	WORD_END,   /* offset */
	WORD_AGE,
	WORD_FRAMES,
	WORD_RECORDS,
	WORD_DAMAGED,
	WORD_LIVE_HITS, /* shorter than the usual words, for a row a second */
	WORD_LIVE_VISITS,
	WORD_LIVE_ONLINE,
	WORD_LIVE_BOTS,
	WORD_LAG,
	WORD_P99, /* what 99 of 100 do not exceed */
	WORD_KEY, /* of the configuration */
	WORD_VALUE,
	WORD_ORIGIN, /* where a value comes from */
	WORD_CHECK,  /* something that is looked at */
	WORD_STATE,
	WORD_FINDING,
	WORD_ADVICE,
	WORD_FILE,
	WORD_LINES,
	WORD_COUNTED,
	WORD_EXCLUDED,   /* lines of whom the site excludes */
	WORD_SKIPPED,    /* lines that are no page view */
	WORD_BAD,        /* lines that are no log line */
	WORD_ALREADY,    /* lines that were counted before */
	WORD_VIEW_STATS, /* a link to the page of statistics */
	WORD_PERIOD,
	WORD_ADJUSTED, /* by an operator */
	WORD_SHOWN,
	WORD_WHEN,
	WORD_USER,
	WORD_HOST,
	WORD_COMMAND,
	WORD_CHANGED, /* by an operator */
	WORD_WHY,
	WORD_KEYS,
	WORD_FROM,
	WORD_INTO,
	WORD_OVERVIEW,
	WORD_BY_DAY,
	WORD_BY_MONTH,
	WORD_BY_YEAR,
	WORD_BY_HOUR,
	WORD_TOP_PAGES,
	WORD_TOP_COUNTRIES,
	WORD_TOP_REFERRERS,
	WORD_TOP_BROWSERS,
	WORD_NUMBERS, /* behind a picture */
	WORD_HIGHEST,
	WORD_NOTHING,
	WORD_UNAVAILABLE,
	WORD_AS_OF,  /* a moment */
	WORD_OTHERS, /* what found no place in a table */
	LABEL_WORDS
};
const char *label_word(enum conf_language language, enum label_word word);
/* "20/05/2020" (vi) or "2020-05-20" (en); "Tháng 05/2020" or "Month 05/2020". */
void label_date(struct buf *out, enum conf_language language, struct civil date);
void label_month(struct buf *out, enum conf_language language, struct civil date);
/* What must be said, and linked to, where a geo file of this type (hit/geo.h) shows; NULL: nothing. */
struct label_credit {
	const char *type; /* a part of the type's name */
	const char *text, *link;
};
const struct label_credit *label_credit(const char *geo_type);
/* "VN" as "Việt Nam" (vi) or "Vietnam" (en); what is no country's code is returned as it is. */
struct slice label_country(enum conf_language language, struct slice code);
/* "vi" and "en"; false when it is neither. */
bool label_language(struct slice name, enum conf_language *language);
/* The inverse, which is what the attribute lang takes; and what its speakers call it. */
struct slice label_language_name(enum conf_language language);
const char *label_language_itself(enum conf_language language);

#endif
