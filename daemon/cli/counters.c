/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows of counters to numbers of periods. The tables' columns are those of NukeViet 4 (PREFIX_counter), Vinaora Visitors
 * Counter for Joomla (vvcounter_logs; before 1.6 vvisitcounter), WP Statistics (statistics_visit, until 14.15;
 * statistics_summary_totals; statistics_visitor, a row per visitor and day) and Vercount's keys.
 */
#include "cli/counters.h"

#include <stdlib.h>

#include "base/zone.h"
#include "hit/page.h"

enum {
	COLUMNS_MAX = 4,
	DAYS_OF_MONTH = 31,
	MONTHS = 12,
};

/* A number that one table said; those of one table and period add up. */
struct entry {
	struct brought row;
	size_t table;
	char *path; /* owned; row.path borrows it */
};

struct counters {
	const struct conf *conf;
	const struct conf_site *site;
	const char *source;
	struct entry *entries;
	size_t count, room;
	struct brought *all;
	/* NukeViet's days and months are those of the month and year of its last hit. */
	int64_t days[DAYS_OF_MONTH], months[MONTHS];
	int64_t last; /* when that was; 0: not said */
};

struct counter_table {
	const char *counter;
	const char *suffix; /* of the table's name in SQL; NULL: it comes as a file alone */
	const char *columns[COLUMNS_MAX];
	bool (*take)(struct counters *counters, size_t table, const struct tabular_row *row);
};

/* --- what a row says --- */

static bool
read_number(struct slice text, int64_t *number)
{
	enum { DIGITS_MAX = 15 };
	*number = 0;
	if (text.len == 0 || text.len > DIGITS_MAX)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] >= '0' && text.ptr[i] <= '9')
			*number = *number * 10 + (text.ptr[i] - '0');
		else
			return false;
	return true;
}

static bool
read_day(struct slice text, int32_t *day)
{
	enum period_kind kind;
	enum { DATE = 10 }; /* a time may follow */
	if (text.len > DATE && (text.ptr[DATE] == ' ' || text.ptr[DATE] == 'T'))
		text.len = DATE;
	return period_parse(text, &kind, day) && kind == PERIOD_DAY;
}

static void
put(struct counters *counters, size_t table, const struct brought *row)
{
	if (row->number <= 0)
		return;
	for (size_t i = counters->count; i > 0 && i + COLUMNS_MAX > counters->count; i--) {
		struct entry *last = &counters->entries[i - 1];
		if (last->table == table && last->row.metric == row->metric &&
		    last->row.kind == row->kind && last->row.id == row->id &&
		    slice_eq(last->row.path, row->path)) {
			last->row.number += row->number;
			return;
		}
	}
	if (counters->count == counters->room) {
		counters->room = counters->room ? 2 * counters->room : 64;
		counters->entries =
			xrealloc(counters->entries, counters->room * sizeof(*counters->entries));
	}
	struct entry *entry = &counters->entries[counters->count++];
	*entry = (struct entry){.row = *row, .table = table};
	if (row->path.len) {
		entry->path = xstrndup(row->path.ptr, row->path.len);
		entry->row.path.ptr = entry->path;
	}
}

static void
put_day(struct counters *counters, size_t table, int metric, int32_t day, int64_t number)
{
	const struct brought row = {
		.metric = metric, .kind = PERIOD_DAY, .id = day, .number = number};
	put(counters, table, &row);
}

/* A column that may be missing, or NULL. */
static bool
put_column(struct counters *counters, size_t table, int metric, int32_t day,
	   const struct tabular_row *row, const char *column)
{
	int64_t number;
	struct slice text = tabular_cell(row, column);
	if (text.len == 0)
		return true;
	if (!read_number(text, &number))
		return false;
	put_day(counters, table, metric, day, number);
	return true;
}

/* "date,hits" and, where they are there, visits, visitors and bots. */
static bool
take_daily(struct counters *counters, size_t table, const struct tabular_row *row)
{
	int32_t day;
	if (!read_day(tabular_cell(row, "date"), &day) || tabular_cell(row, "hits").len == 0)
		return false;
	for (int metric = 0; metric < METRIC_STORED; metric++)
		if (!put_column(counters, table, metric, day, row, metric_names[metric]))
			return false;
	return true;
}

static int
month_of(struct slice name)
{
	static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	for (int i = 0; i < MONTHS && name.len == 3; i++)
		if (memcmp(names + 3 * i, name.ptr, 3) == 0)
			return i;
	return -1;
}

/* A kind and a name of a period: ('year', '2020'), ('month', 'May'), ('day', '20'), ('total', 'hits'). */
static bool
take_nukeviet(struct counters *counters, size_t table, const struct tabular_row *row)
{
	struct slice type = tabular_cell(row, "c_type"), name = tabular_cell(row, "c_val");
	int64_t number, value = 0;
	if (!read_number(tabular_cell(row, "c_count"), &number))
		return false;
	bool numeric = read_number(name, &value);
	struct brought brought = {.metric = METRIC_HITS, .kind = PERIOD_ALL, .number = number};
	if (slice_eq(type, SLICE("c_time")) && slice_eq(name, SLICE("last")))
		counters->last = number;
	else if (slice_eq(type, SLICE("month")) && month_of(name) >= 0)
		counters->months[month_of(name)] = number;
	else if (slice_eq(type, SLICE("day")) && numeric && value >= 1 && value <= DAYS_OF_MONTH)
		counters->days[value - 1] = number;
	else if (slice_eq(type, SLICE("total")) && slice_eq(name, SLICE("hits")))
		put(counters, table, &brought);
	else if (slice_eq(type, SLICE("year")) && numeric && value >= 1970 && value <= 9999) {
		brought.kind = PERIOD_YEAR;
		brought.id = (int32_t)value;
		put(counters, table, &brought);
	}
	return true;
}

static int32_t
local_day(const struct counters *counters, int64_t utc)
{
	return zone_local(counters->site->zone, utc).day;
}

/* Visits since the row before, bots' among them. */
static bool
take_vinaora(struct counters *counters, size_t table, const struct tabular_row *row)
{
	int64_t time, visits, bots = 0;
	if (!read_number(tabular_cell(row, "time"), &time) ||
	    !read_number(tabular_cell(row, "visits"), &visits))
		return false;
	(void)read_number(tabular_cell(row, "bots"), &bots);
	int32_t day = local_day(counters, time - 1);
	int64_t people = visits > bots ? visits - bots : 0;
	put_day(counters, table, METRIC_HITS, day, people);
	put_day(counters, table, METRIC_VISITS, day, people);
	put_day(counters, table, METRIC_BOTS, day, bots);
	return true;
}

/* A row a visit. */
static bool
take_vvisitcounter(struct counters *counters, size_t table, const struct tabular_row *row)
{
	int64_t time;
	if (!read_number(tabular_cell(row, "tm"), &time))
		return false;
	put_day(counters, table, METRIC_HITS, local_day(counters, time), 1);
	put_day(counters, table, METRIC_VISITS, local_day(counters, time), 1);
	return true;
}

static bool
take_wp_visit(struct counters *counters, size_t table, const struct tabular_row *row)
{
	int32_t day;
	return read_day(tabular_cell(row, "last_counter"), &day) &&
	       put_column(counters, table, METRIC_HITS, day, row, "visit");
}

static bool
take_wp_totals(struct counters *counters, size_t table, const struct tabular_row *row)
{
	int32_t day;
	return read_day(tabular_cell(row, "date"), &day) &&
	       put_column(counters, table, METRIC_HITS, day, row, "views") &&
	       put_column(counters, table, METRIC_VISITORS, day, row, "visitors");
}

/* A row is one visitor's day; it keeps no visits. */
static bool
take_wp_visitor(struct counters *counters, size_t table, const struct tabular_row *row)
{
	int32_t day;
	if (!read_day(tabular_cell(row, "last_counter"), &day) ||
	    !put_column(counters, table, METRIC_HITS, day, row, "hits"))
		return false;
	put_day(counters, table, METRIC_VISITORS, day, 1);
	return true;
}

/* --- Vercount --- */

/* What keys begin with; the host follows, behind that a page's path. */
static const struct vercount_key {
	const char *prefix;
	int metric;
	bool page;
} vercount_keys[] = {
	{"pv:site:", METRIC_HITS, false},
	{"pv:page:", METRIC_HITS, true},
	{"uv:site:count:", METRIC_VISITORS, false},
	{"site_pv:", METRIC_HITS, false},
	{"page_pv:", METRIC_HITS, true},
	{"live_site_pv:", METRIC_HITS, false},
	{"live_page_pv:", METRIC_HITS, true},
	{"site_uv_count:", METRIC_VISITORS, false},
};

static const struct vercount_key *
find_key(struct slice key)
{
	for (size_t i = 0; i < COUNT_OF(vercount_keys); i++) {
		size_t len = strlen(vercount_keys[i].prefix);
		if (key.len > len && memcmp(key.ptr, vercount_keys[i].prefix, len) == 0)
			return &vercount_keys[i];
	}
	return NULL;
}

/* "host", or "host:/path" and "host/path" to both. */
static void
split_host(struct slice text, struct slice *host, struct slice *path)
{
	const char *slash = memchr(text.ptr, '/', text.len);
	size_t len = slash ? (size_t)(slash - text.ptr) : text.len;
	*path = slash ? (struct slice){slash, text.len - len} : (struct slice){0};
	*host = (struct slice){text.ptr, len - (slash && len > 0 && text.ptr[len - 1] == ':')};
}

static bool
take_vercount(struct counters *counters, size_t table, const struct tabular_row *row)
{
	struct slice key = tabular_cell(row, "key"), host, path;
	const struct vercount_key *meant = find_key(key);
	const struct conf_site *site = counters->site;
	char page[HIT_PAGE_MAX];
	struct brought brought = {.kind = PERIOD_ALL};
	if (!meant)
		return true;
	size_t prefix = strlen(meant->prefix);
	split_host((struct slice){key.ptr + prefix, key.len - prefix}, &host, &path);
	if (!read_number(tabular_cell(row, "value"), &brought.number))
		return false;
	if (conf_site_by_host(counters->conf, host) != site)
		return true;
	brought.metric = meant->metric;
	if (meant->page) {
		size_t len =
			path.len ? page_normalise(path, site->query, site->query_count, page) : 0;
		if (len == 0)
			return false;
		brought.path = (struct slice){page, len};
	}
	/* Its older versions kept a number under two names: each is one of its own, and the largest counts. */
	put(counters, table + (size_t)(meant - vercount_keys), &brought);
	return true;
}

/* --- the counters --- */

static const struct counter_table tables[] = {
	{"daily", NULL, {"date", "hits"}, take_daily},
	{"nukeviet", "_counter", {"c_type", "c_val", "c_count"}, take_nukeviet},
	{"vinaora", "vvcounter_logs", {"time", "visits", "guests", "bots"}, take_vinaora},
	{"vinaora", "vvisitcounter", {"tm", "ip"}, take_vvisitcounter},
	{"wp-statistics", "statistics_visit", {"last_counter", "visit"}, take_wp_visit},
	{"wp-statistics",
	 "statistics_summary_totals",
	 {"date", "visitors", "views"},
	 take_wp_totals},
	{"wp-statistics", "statistics_visitor", {"last_counter", "hits"}, take_wp_visitor},
	{"vercount", NULL, {"key", "value"}, take_vercount},
};

static bool
ends_with(struct slice text, const char *end)
{
	size_t len = strlen(end);
	return text.len >= len &&
	       slice_case_eq((struct slice){text.ptr + text.len - len, len}, slice_of(end));
}

static bool
is_of(const struct counter_table *table, const struct tabular_row *row, const char *name)
{
	if (name && strcmp(table->counter, name) != 0)
		return false;
	if (row->table.ptr && (!table->suffix || !ends_with(row->table, table->suffix)))
		return false;
	for (size_t i = 0; i < COLUMNS_MAX && table->columns[i]; i++)
		if (!tabular_has(row, table->columns[i]))
			return false;
	return true;
}

static size_t
find_table(const struct tabular_row *row, const char *name)
{
	size_t i = 0;
	while (i < COUNT_OF(tables) && !is_of(&tables[i], row, name))
		i++;
	return i;
}

bool
counters_is_name(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(tables); i++)
		if (strcmp(tables[i].counter, name) == 0)
			return true;
	return false;
}

void
counters_names(struct buf *out)
{
	for (size_t i = 0; i < COUNT_OF(tables); i++)
		if (i == 0 || strcmp(tables[i].counter, tables[i - 1].counter) != 0)
			buf_addf(out, "%s, ", tables[i].counter);
}

bool
counters_know(const struct tabular_row *row, const char *name)
{
	return find_table(row, name) < COUNT_OF(tables);
}

struct counters *
counters_new(const struct conf *conf, const struct conf_site *site)
{
	struct counters *counters = xcalloc(1, sizeof(*counters));
	counters->conf = conf;
	counters->site = site;
	return counters;
}

void
counters_free(struct counters *counters)
{
	for (size_t i = 0; i < counters->count; i++)
		free(counters->entries[i].path);
	free(counters->entries);
	free(counters->all);
	free(counters);
}

/* Rows of a second counter would count what the first one did. */
enum counters_verdict
counters_add(struct counters *counters, const struct tabular_row *row, const char *name)
{
	size_t table = find_table(row, name ? name : counters->source);
	if (table == COUNT_OF(tables))
		return COUNTERS_OTHER;
	if (!tables[table].take(counters, table, row))
		return COUNTERS_BAD;
	counters->source = tables[table].counter;
	return COUNTERS_TAKEN;
}

/* --- all of it --- */

static void
put_nukeviet(struct counters *counters)
{
	const size_t table = 0; /* there is no other of its */
	if (counters->last <= 0)
		return;
	struct civil last = civil_of_day(local_day(counters, counters->last));
	for (int i = 0; i < last.day; i++)
		put_day(counters, table, METRIC_HITS,
			day_of_civil((struct civil){last.year, last.month, i + 1}),
			counters->days[i]);
	for (int i = 0; i < last.month; i++) {
		const struct brought row = {.metric = METRIC_HITS,
					    .kind = PERIOD_MONTH,
					    .id = last.year * MONTHS + i,
					    .number = counters->months[i]};
		put(counters, table, &row);
	}
}

/* Shorter periods first, the site's numbers before its pages'; of one period a table's numbers side by side. */
static int
compare(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;
	bool a_page = a->row.path.len > 0, b_page = b->row.path.len > 0;
	if (a_page != b_page)
		return a_page - b_page;
	if (a->row.kind != b->row.kind)
		return a->row.kind < b->row.kind ? -1 : 1;
	if (a->row.metric != b->row.metric)
		return a->row.metric - b->row.metric;
	if (a->row.id != b->row.id)
		return a->row.id < b->row.id ? -1 : 1;
	if (a_page && strcmp(a->path, b->path) != 0)
		return strcmp(a->path, b->path);
	return a->table < b->table ? -1 : a->table > b->table;
}

static bool
same_period(const struct brought *a, const struct brought *b)
{
	return a->metric == b->metric && a->kind == b->kind && a->id == b->id &&
	       slice_eq(a->path, b->path);
}

const struct brought *
counters_all(struct counters *counters, size_t *count, const char **source)
{
	put_nukeviet(counters);
	counters->last = 0;
	if (counters->count)
		qsort(counters->entries, counters->count, sizeof(*counters->entries), compare);
	counters->all = xrealloc(counters->all, (counters->count + 1) * sizeof(*counters->all));
	*count = 0;
	for (size_t i = 0; i < counters->count;) {
		struct brought sum = counters->entries[i].row;
		size_t table = counters->entries[i].table;
		for (i++; i < counters->count && counters->entries[i].table == table &&
			  same_period(&sum, &counters->entries[i].row);
		     i++)
			sum.number += counters->entries[i].row.number;
		struct brought *last = *count ? &counters->all[*count - 1] : NULL;
		if (!last || !same_period(last, &sum))
			counters->all[(*count)++] = sum;
		else if (sum.number > last->number)
			last->number = sum.number;
	}
	*source = counters->source;
	return counters->all;
}
