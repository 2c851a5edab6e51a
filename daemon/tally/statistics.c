/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A site's statistics, read from Redis when a page of them is wanted. Some twenty questions for each site, whose answers
 * need not belong to one moment: nothing is added to them.
 */
#include "store/keys.h"
#include "tally/state.h"

enum {
	YEARS_MAX = 200, /* of which the earliest is looked for */
	SERIES_MAX = 31, /* days of a month; more than months and years that are shown */
};

struct fetch {
	struct store *store;
	struct slice site;
	struct civil today;
	struct stats *stats;
};

/* What is shown of them: what was counted and what operators added. */
static int
fetch_series(const struct fetch *fetch, int metric, enum period_kind kind, int32_t first,
	     size_t count, int64_t *out)
{
	int64_t adjusted[SERIES_MAX];
	int status = store_series(fetch->store, fetch->site, metric, kind, first, count, out);
	if (status == STORE_OK)
		status = store_series_adjusted(fetch->store, fetch->site, metric, kind, first,
					       count, adjusted);
	for (size_t i = 0; i < count && status == STORE_OK; i++)
		out[i] = out[i] < 0 ? COUNT_UNKNOWN : count_shown(out[i], adjusted[i]);
	return status;
}

static int
fetch_days(const struct fetch *fetch, enum stats_month which, int metric)
{
	int32_t month = period_of_day(PERIOD_MONTH, fetch->stats->day) - (int32_t)which;
	int32_t first = period_first_day(PERIOD_MONTH, month);
	size_t count = (size_t)(period_first_day(PERIOD_MONTH, month + 1) - first);
	return fetch_series(fetch, metric, PERIOD_DAY, first, count,
			    fetch->stats->days[which][metric]);
}

static int
fetch_months(const struct fetch *fetch, int metric)
{
	return fetch_series(fetch, metric, PERIOD_MONTH, fetch->today.year * STATS_MONTHS,
			    STATS_MONTHS, fetch->stats->months[metric]);
}

static int
fetch_years(const struct fetch *fetch, int metric)
{
	return fetch_series(fetch, metric, PERIOD_YEAR, fetch->stats->first_year,
			    fetch->stats->year_count, fetch->stats->years[metric]);
}

static int
fetch_metric(const struct fetch *fetch, int metric)
{
	int status = fetch_days(fetch, STATS_THIS_MONTH, metric);
	if (status == STORE_OK)
		status = fetch_days(fetch, STATS_LAST_MONTH, metric);
	if (status == STORE_OK)
		status = fetch_months(fetch, metric);
	return status == STORE_OK ? fetch_years(fetch, metric) : status;
}

/* From the first one with hits, the last ones where there are more than a page shows. */
static int
find_years(const struct fetch *fetch)
{
	struct stats *stats = fetch->stats;
	int32_t years[YEARS_MAX], last = fetch->today.year;
	size_t found = 0;
	int status = store_years(fetch->store, fetch->site, years, YEARS_MAX, &found);
	int32_t first = found > 0 && years[0] < last ? years[0] : last;
	if (last - first >= STATS_YEARS)
		first = last - STATS_YEARS + 1;
	stats->first_year = first;
	stats->year_count = (size_t)(last - first) + 1;
	return status;
}

static void
take_row(struct slice value, int64_t hits, void *arg)
{
	struct stats_table *table = arg;
	if (table->count == STATS_ROWS || value.len > HIT_PAGE_MAX)
		return;
	struct stats_row *row = &table->rows[table->count++];
	row->hits = hits;
	row->len = (uint16_t)value.len;
	row->other = slice_eq(value, SLICE(KEY_OTHER));
	memcpy(row->value, value.ptr, value.len);
}

static int
fetch_tables(const struct fetch *fetch)
{
#define X(id, dimension) [STATS_##id] = dimension,
	static const enum hit_dimension dimensions[STATS_TABLE_COUNT] = {STATS_TABLES(X)};
#undef X
	int32_t month = period_of_day(PERIOD_MONTH, fetch->stats->day);
	int status = STORE_OK;
	for (int i = 0; i < STATS_TABLE_COUNT && status == STORE_OK; i++) {
		int64_t rows;
		status = store_top(fetch->store, fetch->site, dimensions[i], PERIOD_MONTH, month,
				   STATS_ROWS, take_row, &fetch->stats->tables[i], &rows);
	}
	return status;
}

static int
fetch_all(const struct fetch *fetch)
{
	struct stats *stats = fetch->stats;
	bool known;
	int status = find_years(fetch);
	for (int metric = 0; metric < METRIC_COUNT && status == STORE_OK; metric++)
		status = fetch_metric(fetch, metric);
	for (int back = 0; back < 2 && status == STORE_OK; back++)
		status = store_hours(fetch->store, fetch->site, stats->day - back,
				     stats->hours[back], &known);
	return status == STORE_OK ? fetch_tables(fetch) : status;
}

static struct stats *
fetch_site(struct store *store, const struct stats_want *want)
{
	struct stats *stats = stats_new();
	const struct fetch fetch = {
		.store = store,
		.site = {want->site, want->len},
		.today = civil_of_day(want->day),
		.stats = stats,
	};
	stats->day = want->day;
	if (fetch_all(&fetch) == STORE_OK)
		return stats;
	stats_unref(stats);
	return NULL;
}

void
tally_fetch_statistics(struct tally *tally)
{
	struct stats_want want;
	bool any = false;
	while (!tally->stopping && stats_cache_wanted(tally->options.stats, &want)) {
		struct store *store = tally->reader_store;
		stats_cache_put(tally->options.stats, &want,
				store_connected(store) ? fetch_site(store, &want) : NULL);
		any = true;
	}
	/* It wakes the workers whose answers wait, for whatever. */
	if (any)
		pages_dealt_with(tally->options.pages, NULL, 0);
}
