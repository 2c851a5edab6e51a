/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names of the keys and fields in Redis, and nothing of what is in them. All keys of a site carry its shard as a
 * hash tag, so that one cluster slot holds a shard:
 *
 *   PREFIX:{NN}:streams                    stream -> "offset:rest"
 *   PREFIX:{NN}:forgotten                  ":", "SITE", "SITE /path" and so on (store/marks.h) -> when (ms)
 *   PREFIX:{NN}:SITE:METRIC                "2020-W21", "2020-05", "2020", "all" -> count
 *   PREFIX:{NN}:SITE:METRIC:2020           "05-20" -> count
 *   PREFIX:{NN}:SITE:hours:2020-05-20      "14" -> hits
 *   PREFIX:{NN}:SITE:base                  "hits 2020", "hits 2020 /path" -> what an operator added to it
 *   PREFIX:{NN}:SITE:seen                  visitor -> time of the last hit (ms)
 *   PREFIX:{NN}:SITE:unique:2020-05-20     HyperLogLog of visitors
 *   PREFIX:{NN}:SITE:DIMENSION:2020-05-20, :2020-05          value -> hits
 *   PREFIX:{NN}:SITE:pages, :pagevisits, :pagevisits:2020-05-20    path -> hits, visits that began there
 *   PREFIX:{NN}:SITE:imported              "2020-05-20" -> hits of that day that access logs brought
 *   PREFIX:{NN}:SITE:brought               "SOURCE hits 2020-05-20" -> what another counter said
 *   PREFIX:salt:2020-05-20, PREFIX:salt:i:SITE:2020-05-20, PREFIX:sites, PREFIX:meta, PREFIX:audit
 */
#ifndef STORE_KEYS_H
#define STORE_KEYS_H

#include "base/buf.h"
#include "base/conf.h"
#include "base/metric.h"
#include "base/period.h"
#include "hit/hit.h"

enum {
	KEY_PREFIX_MAX = 64,
	KEY_SALT_SECONDS = 72 * 3600,
	KEY_SEEN_SECONDS = 72 * 3600,
	KEY_TABLE_SECONDS = 400 * 86400,
	KEY_KEPT_ROWS = 100,    /* of a day's table that is no longer kept whole */
	KEY_TABLES_FACTOR = 20, /* a month's and the all-time table hold this many times a day's */
	KEY_SEEN_MAX = 200000,  /* visitors of a site that are remembered at once */
	KEY_ONLINE_SECONDS = 300,
	KEY_IMPORTED_DAYS = 100000, /* more than the calendar of any log */
};

/* The tails of the table of imported days, of what other counters said, and of what is added when it is shown. */
#define KEY_IMPORTED "imported"
#define KEY_BROUGHT "brought"
#define KEY_BASE "base"
/* What every member that a full table no longer takes is counted under; no path looks like it. */
#define KEY_OTHER "(other)"

/* Visible ASCII without braces, which would move the hash tag. */
bool key_prefix_valid(const char *prefix);
int key_shard(struct slice site);

/* Each replaces what `out` held. */
/* "PREFIX:{NN}:" */
void key_shard_prefix(struct buf *out, const char *prefix, int shard);
void key_streams(struct buf *out, const char *prefix, int shard);
void key_forgotten(struct buf *out, const char *prefix, int shard);
/* "PREFIX:{NN}:SITE:", to be followed by one of the tails below, or by a name without a date. */
void key_site(struct buf *out, const char *prefix, int shard, struct slice site);
/* "PREFIX:NAME" for what belongs to no shard. */
void key_global(struct buf *out, const char *prefix, const char *name);
void key_salt(struct buf *out, const char *prefix, int32_t day);
/* The salt with which imports make the ids of a site's visitors of that day. */
void key_import_salt(struct buf *out, const char *prefix, struct slice site, int32_t day);

/* A field of SITE:base; of the site as a whole where the page is absent. */
void key_base_field(struct buf *out, int metric, enum period_kind kind, int32_t id,
		    struct slice page);

/* The inverse; false when it is none. */
struct base_field {
	int metric;
	enum period_kind kind;
	int32_t id;
	struct slice page; /* in the field's text */
};
bool key_base_parse(struct slice text, struct base_field *field);

extern const struct slice key_dimensions[HIT_DIMENSION_COUNT];
extern const struct slice key_metrics[METRIC_STORED];

enum { KEY_TAIL_SIZE = PERIOD_NAME_SIZE + 12 };

/* Everything in keys and fields that only depends on the day. */
struct key_day {
	int32_t day;
	bool filled;
	struct slice field;                /* "05-20", in the year's hash */
	struct slice fields[PERIOD_KINDS]; /* in SITE:METRIC; the day's own is absent */
	struct slice years[METRIC_STORED]; /* "hits:2020" */
	struct slice hours;                /* "hours:2020-05-20" */
	struct slice unique, page_visits;
	struct slice days[HIT_DIMENSION_COUNT], months[HIT_DIMENSION_COUNT];
	char names[PERIOD_KINDS][PERIOD_NAME_SIZE];
	char tails[METRIC_STORED + 3 + 2 * HIT_DIMENSION_COUNT][KEY_TAIL_SIZE];
};
/* Slices point into the struct itself, which must not be copied. Cheap when it holds this day already. */
void key_day_fill(struct key_day *key, int32_t day);

#endif
