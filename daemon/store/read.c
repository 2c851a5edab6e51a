/* SPDX-License-Identifier: BSD-2-Clause */
/* The reading half of the store: what Redis holds of sites, pages, periods and hours. Writes nothing. */
#include "base/clock.h"
#include "store/inside.h"

/* --- the numbers of many sites, with the positions that belong to them --- */

/*
 * Of each metric its sums and the hashes of today's and of yesterday's year; what operators added; bots and visitors
 * online.
 */
enum {
	READS_PER_METRIC = 3,
	READ_BASE = METRIC_COUNT * READS_PER_METRIC,
	READ_BOTS,
	READ_ONLINE,
	READS_PER_SITE
};

static int
send_words(struct store *store, const char *word)
{
	command_start(&store->command, word);
	return link_send(store->link, &store->command);
}

static int
ask_day(struct store *store, int metric, int32_t day)
{
	key_day_fill(&store->day, day);
	command_start(&store->command, "HGET");
	command_add_joined(&store->command, buf_slice(&store->key), store->day.years[metric]);
	command_add(&store->command, store->day.field);
	return link_send(store->link, &store->command);
}

static int
ask_metric(struct store *store, int metric, int32_t day)
{
	struct command *command = &store->command;
	command_start(command, "HMGET");
	command_add_joined(command, buf_slice(&store->key), key_metrics[metric]);
	for (int i = 0; i < SHOWN_PERIODS; i++) {
		char name[PERIOD_NAME_SIZE];
		enum period_kind kind = shown_periods[i].kind;
		if (kind != PERIOD_DAY)
			command_add(command,
				    slice_of(period_name(kind, period_shown(i, day), name)));
	}
	int status = link_send(store->link, command);
	if (status == STORE_OK)
		status = ask_day(store, metric, period_shown(SHOWN_TODAY, day));
	if (status == STORE_OK)
		status = ask_day(store, metric, period_shown(SHOWN_YESTERDAY, day));
	return status;
}

static int
ask_base(struct store *store, int32_t day)
{
	command_start(&store->command, "HMGET");
	command_add_joined(&store->command, buf_slice(&store->key), SLICE("base"));
	for (int metric = 0; metric < METRIC_COUNT; metric++)
		for (int i = 0; i < SHOWN_PERIODS; i++) {
			key_base_field(&store->field, metric, shown_periods[i].kind,
				       period_shown(i, day), (struct slice){0});
			command_add(&store->command, buf_slice(&store->field));
		}
	return link_send(store->link, &store->command);
}

static int
ask_online(struct store *store)
{
	const int64_t now_ms = clock_wall_ms(), span = INT64_C(1000) * KEY_ONLINE_SECONDS;
	command_start(&store->command, "ZCOUNT");
	command_add_joined(&store->command, buf_slice(&store->key), SLICE("seen"));
	command_add_int(&store->command, now_ms - span);
	command_add_int(&store->command, now_ms + span);
	return link_send(store->link, &store->command);
}

static int
ask_numbers(struct store *store, int shard, const struct site_numbers *numbers)
{
	int status = STORE_OK;
	key_site(&store->key, store->prefix, shard, numbers->site);
	for (int i = 0; i < METRIC_COUNT && status == STORE_OK; i++)
		status = ask_metric(store, i, numbers->day);
	if (status == STORE_OK)
		status = ask_base(store, numbers->day);
	if (status == STORE_OK)
		status = ask_day(store, METRIC_BOTS, numbers->day);
	return status == STORE_OK ? ask_online(store) : status;
}

/* A poisoned key spoils its own numbers only: they are -1. */
static void
take_metric(int64_t counts[SHOWN_PERIODS], redisReply *const replies[READS_PER_METRIC])
{
	const redisReply *sums = replies[0];
	bool readable = sums->type == REDIS_REPLY_ARRAY;
	size_t at = 0;
	for (int i = 0; i < SHOWN_PERIODS; i++) {
		if (shown_periods[i].kind == PERIOD_DAY)
			continue;
		counts[i] =
			readable && at < sums->elements ? reply_count(sums->element[at], 0) : -1;
		at++;
	}
	counts[SHOWN_TODAY] = reply_count(replies[1], 0);
	counts[SHOWN_YESTERDAY] = reply_count(replies[2], 0);
}

/* What cannot be read adds nothing. */
static void
take_base(int64_t *out, const redisReply *reply, size_t count)
{
	for (size_t i = 0; i < count; i++)
		out[i] = reply->type == REDIS_REPLY_ARRAY && i < reply->elements
				 ? reply_signed(reply->element[i])
				 : 0;
}

static void
take_numbers(struct site_numbers *numbers, redisReply *const replies[READS_PER_SITE])
{
	for (int i = 0; i < METRIC_COUNT; i++)
		take_metric(numbers->counts[i], replies + i * READS_PER_METRIC);
	take_base(numbers->adjusted[0], replies[READ_BASE], METRIC_COUNT * SHOWN_PERIODS);
	numbers->bots = reply_count(replies[READ_BOTS], 0);
	numbers->online = reply_count(replies[READ_ONLINE], 0);
}

/* MULTI and every QUEUED are read over; what matters of them comes back in EXEC's reply. */
static int
receive_exec(struct store *store, size_t queued, redisReply **reply)
{
	*reply = NULL;
	for (size_t i = 0; i < queued + 1; i++) {
		int status = link_receive(store->link, reply);
		freeReplyObject(*reply);
		*reply = NULL;
		if (status == STORE_UNAVAILABLE)
			return status;
	}
	int status = link_receive(store->link, reply);
	if (status != STORE_OK)
		return status;
	if ((*reply)->type == REDIS_REPLY_ARRAY && (*reply)->elements == queued)
		return STORE_OK;
	return link_fail(store->link, STORE_UNAVAILABLE, "Redis answered EXEC with something else");
}

/* Begins a transaction; the questions follow, and finish_multi. */
static int
begin_multi(struct store *store)
{
	int status = store_idle(store);
	return status == STORE_OK ? send_words(store, "MULTI") : status;
}

/*
 * Asks for the newest mark and the positions, ends the transaction of `queued` questions and hands over its answers, to
 * be freed.
 */
static int
finish_multi(struct store *store, int shard, size_t queued, const char *const *streams,
	     size_t stream_count, struct position *positions, redisReply **reply)
{
	*reply = NULL;
	int status = forgotten_send(store, shard);
	if (status == STORE_OK && stream_count)
		status = positions_send(store, shard, streams, stream_count);
	if (status == STORE_OK)
		status = send_words(store, "EXEC");
	if (status == STORE_OK)
		status = receive_exec(store, queued + 1 + (stream_count > 0), reply);
	if (status == STORE_OK && stream_count)
		status = positions_read(store, shard, (*reply)->element[queued + 1], stream_count,
					positions);
	return status;
}

int
store_read(struct store *store, int shard, struct site_numbers *sites, size_t site_count,
	   const char *const *streams, size_t stream_count, struct position *positions)
{
	redisReply *reply;
	int status = begin_multi(store);
	for (size_t i = 0; i < site_count && status == STORE_OK; i++)
		status = ask_numbers(store, shard, &sites[i]);
	if (status != STORE_OK)
		return status;
	status = finish_multi(store, shard, site_count * READS_PER_SITE, streams, stream_count,
			      positions, &reply);
	for (size_t i = 0; status == STORE_OK && i < site_count; i++) {
		take_numbers(&sites[i], reply->element + i * READS_PER_SITE);
		sites[i].forgotten = forgotten_read(reply->element[site_count * READS_PER_SITE]);
	}
	freeReplyObject(reply);
	return status;
}

/* --- pages --- */

/* The page's rows in the four tables, and how many rows these have. */
enum {
	PAGE_HITS_DAY,
	PAGE_HITS,
	PAGE_VISITS_DAY,
	PAGE_VISITS,
	PAGE_TABLES,
	PAGE_BASE = 2 * PAGE_TABLES, /* what operators added */
	READS_PER_PAGE
};

static int
ask_page_base(struct store *store, const struct page_numbers *page)
{
	command_start(&store->command, "HMGET");
	command_add_joined(&store->command, buf_slice(&store->key), SLICE("base"));
	for (int i = 0; i < PAGE_TABLES; i++) {
		bool all = i == PAGE_HITS || i == PAGE_VISITS;
		key_base_field(&store->field, i < PAGE_VISITS_DAY ? METRIC_HITS : METRIC_VISITS,
			       all ? PERIOD_ALL : PERIOD_DAY, all ? 0 : page->day, page->path);
		command_add(&store->command, buf_slice(&store->field));
	}
	return link_send(store->link, &store->command);
}

static int
ask_page(struct store *store, int shard, const struct page_numbers *page)
{
	const struct key_day *day = &store->day;
	key_site(&store->key, store->prefix, shard, page->site);
	key_day_fill(&store->day, page->day);
	const struct slice tails[PAGE_TABLES] = {
		[PAGE_HITS_DAY] = day->days[HIT_PAGES],
		[PAGE_HITS] = key_dimensions[HIT_PAGES],
		[PAGE_VISITS_DAY] = day->page_visits,
		[PAGE_VISITS] = SLICE("pagevisits"),
	};
	for (int i = 0; i < PAGE_BASE; i++) {
		command_start(&store->command, i < PAGE_TABLES ? "ZSCORE" : "ZCARD");
		command_add_joined(&store->command, buf_slice(&store->key), tails[i % PAGE_TABLES]);
		if (i < PAGE_TABLES)
			command_add(&store->command, page->path);
		int status = link_send(store->link, &store->command);
		if (status != STORE_OK)
			return status;
	}
	return ask_page_base(store, page);
}

/* A path without a row was never counted, or under "(other)" when the table was full. */
static int64_t
row_or_unknown(redisReply *const replies[READS_PER_PAGE], int table, int64_t cap)
{
	const redisReply *rows = replies[PAGE_TABLES + table];
	bool full = reply_count(rows, -1) >= cap || rows->type != REDIS_REPLY_INTEGER;
	return reply_count(replies[table], full ? -1 : 0);
}

static void
take_page(struct page_numbers *page, redisReply *const replies[READS_PER_PAGE], int64_t cap)
{
	int64_t all = cap * KEY_TABLES_FACTOR, adjusted[PAGE_TABLES];
	take_base(adjusted, replies[PAGE_BASE], PAGE_TABLES);
	page->adjusted.hits_day = adjusted[PAGE_HITS_DAY];
	page->adjusted.hits_all = adjusted[PAGE_HITS];
	page->adjusted.visits_day = adjusted[PAGE_VISITS_DAY];
	page->adjusted.visits_all = adjusted[PAGE_VISITS];
	page->hits_day = row_or_unknown(replies, PAGE_HITS_DAY, cap);
	page->hits_all = row_or_unknown(replies, PAGE_HITS, all);
	page->visits_day = page->hits_day < 0 ? -1 : row_or_unknown(replies, PAGE_VISITS_DAY, cap);
	page->visits_all = page->hits_all < 0 ? -1 : row_or_unknown(replies, PAGE_VISITS, all);
}

int
store_read_pages(struct store *store, int shard, struct page_numbers *pages, size_t page_count,
		 const char *const *streams, size_t stream_count, struct position *positions)
{
	redisReply *reply;
	int status = begin_multi(store);
	for (size_t i = 0; i < page_count && status == STORE_OK; i++)
		status = ask_page(store, shard, &pages[i]);
	if (status != STORE_OK)
		return status;
	status = finish_multi(store, shard, page_count * READS_PER_PAGE, streams, stream_count,
			      positions, &reply);
	for (size_t i = 0; status == STORE_OK && i < page_count; i++) {
		take_page(&pages[i], reply->element + i * READS_PER_PAGE, store->pages_per_day);
		pages[i].forgotten = forgotten_read(reply->element[page_count * READS_PER_PAGE]);
	}
	freeReplyObject(reply);
	return status;
}

/* --- whole hashes --- */

enum { FIELDS_PER_CALL = 1000 };

typedef void field_fn(struct slice field, const redisReply *value, void *arg);

/* HGETALL of site key + tail, or of the key as it stands in store->key. */
static int
each_field(struct store *store, struct slice tail, field_fn *each, void *arg)
{
	redisReply *reply;
	command_start(&store->command, "HGETALL");
	command_add_joined(&store->command, buf_slice(&store->key), tail);
	int status = link_ask(store->link, &store->command, &reply);
	if (status == STORE_OK)
		for (size_t i = 0; i + 1 < reply->elements; i += 2)
			each(reply_text(reply->element[i]), reply->element[i + 1], arg);
	freeReplyObject(reply);
	return status;
}

static int
begin_site(struct store *store, struct slice site)
{
	key_site(&store->key, store->prefix, key_shard(site), site);
	return store_idle(store);
}

struct series {
	enum period_kind kind;
	int32_t first;
	size_t count;
	int metric;
	const char *year; /* what the fields of a year's hash leave out: "2020-"; "" otherwise */
	int64_t *out;
};

static void
take_period(struct slice field, const redisReply *value, void *arg)
{
	const struct series *series = arg;
	char name[PERIOD_NAME_SIZE];
	enum period_kind kind;
	int32_t id;
	int len = snprintf(name, sizeof(name), "%s%.*s", series->year, SLICE_ARG(field));
	if (len >= (int)sizeof(name) ||
	    !period_parse((struct slice){name, (size_t)len}, &kind, &id))
		return;
	int64_t index = (int64_t)id - series->first;
	if (kind == series->kind && index >= 0 && index < (int64_t)series->count)
		series->out[index] = reply_count(value, 0);
}

/* Days stand in a hash for each year. */
static int
read_days(struct store *store, struct series *series)
{
	int32_t last = series->first + (int32_t)series->count - 1;
	int32_t year = period_of_day(PERIOD_YEAR, series->first);
	int status = STORE_OK;
	for (; year <= period_of_day(PERIOD_YEAR, last) && status == STORE_OK; year++) {
		char prefix[PERIOD_NAME_SIZE], tail[2 * PERIOD_NAME_SIZE];
		period_name(PERIOD_YEAR, year, tail);
		snprintf(prefix, sizeof(prefix), "%.4s-", tail);
		snprintf(tail, sizeof(tail), "%s:%.4s", metric_names[series->metric], prefix);
		series->year = prefix;
		status = each_field(store, slice_of(tail), take_period, series);
	}
	return status;
}

int
store_series(struct store *store, struct slice site, int metric, enum period_kind kind,
	     int32_t first, size_t count, int64_t *out)
{
	struct series series = {kind, first, count, metric, "", out};
	int status = begin_site(store, site);
	if (count == 0 || status != STORE_OK)
		return status;
	memset(out, 0, count * sizeof(*out));
	if (kind == PERIOD_DAY)
		return read_days(store, &series);
	return each_field(store, key_metrics[metric], take_period, &series);
}

/* Hits are asked for first: an import that counts in between cannot make its own look like those of beacons. */
static int
ask_beacon_hits(struct store *store, int32_t day)
{
	char name[PERIOD_NAME_SIZE];
	int status = ask_day(store, METRIC_HITS, day);
	if (status != STORE_OK)
		return status;
	command_start(&store->command, "ZSCORE");
	command_add_joined(&store->command, buf_slice(&store->key), SLICE(KEY_IMPORTED));
	command_add(&store->command, slice_of(period_name(PERIOD_DAY, day, name)));
	return link_send(store->link, &store->command);
}

int
store_beacon_hits(struct store *store, struct slice site, int32_t day, int64_t *hits)
{
	redisReply *all = NULL, *imported = NULL;
	*hits = 0;
	int status = begin_site(store, site);
	if (status == STORE_OK)
		status = ask_beacon_hits(store, day);
	if (status != STORE_OK)
		return status;
	int first = link_receive(store->link, &all);
	status = first == STORE_UNAVAILABLE ? first : link_receive(store->link, &imported);
	if (first == STORE_OK && status == STORE_OK) {
		int64_t own = reply_count(imported, 0), counted = reply_count(all, 0);
		*hits = counted > own ? counted - own : 0;
	}
	freeReplyObject(all);
	freeReplyObject(imported);
	return first == STORE_OK ? status : first;
}

int
store_series_adjusted(struct store *store, struct slice site, int metric, enum period_kind kind,
		      int32_t first, size_t count, int64_t *out)
{
	redisReply *reply;
	int status = begin_site(store, site);
	for (size_t at = 0; at < count && status == STORE_OK;) {
		size_t part = count - at < FIELDS_PER_CALL ? count - at : FIELDS_PER_CALL;
		command_start(&store->command, "HMGET");
		command_add_joined(&store->command, buf_slice(&store->key), SLICE("base"));
		for (size_t i = at; i < at + part; i++) {
			key_base_field(&store->field, metric, kind, first + (int32_t)i,
				       (struct slice){0});
			command_add(&store->command, buf_slice(&store->field));
		}
		status = link_ask(store->link, &store->command, &reply);
		if (status == STORE_OK)
			take_base(out + at, reply, part);
		freeReplyObject(reply);
		at += part;
	}
	return status;
}

struct hours {
	int64_t *out;
	bool known;
};

static void
take_hour(struct slice field, const redisReply *value, void *arg)
{
	struct hours *hours = arg;
	int hour = 0;
	for (size_t i = 0; i < field.len; i++)
		if (field.ptr[i] < '0' || field.ptr[i] > '9' ||
		    (hour = hour * 10 + field.ptr[i] - '0') > 23)
			return;
	hours->known = true;
	hours->out[hour] = reply_count(value, 0);
}

int
store_hours(struct store *store, struct slice site, int32_t day, int64_t out[24], bool *known)
{
	struct hours hours = {.out = out};
	memset(out, 0, 24 * sizeof(*out));
	key_day_fill(&store->day, day);
	int status = begin_site(store, site);
	if (status == STORE_OK)
		status = each_field(store, store->day.hours, take_hour, &hours);
	*known = hours.known;
	return status;
}

struct years {
	int32_t *out;
	size_t room, count;
};

/* Kept ascending by insertion, and each once: there are few. Where there is no room the earliest stay. */
static void
add_year(struct years *years, int32_t id)
{
	size_t at = years->count;
	while (at > 0 && years->out[at - 1] > id)
		at--;
	if (at == years->room || (at > 0 && years->out[at - 1] == id))
		return;
	if (years->count == years->room)
		years->count--;
	memmove(years->out + at + 1, years->out + at, (years->count - at) * sizeof(*years->out));
	years->out[at] = id;
	years->count++;
}

static void
take_year(struct slice field, const redisReply *value, void *arg)
{
	enum period_kind kind;
	int32_t id;
	if (period_parse(field, &kind, &id) && kind == PERIOD_YEAR && reply_count(value, 0) != 0)
		add_year(arg, id);
}

static void
take_base_year(struct slice text, const redisReply *value, void *arg)
{
	struct base_field field;
	if (key_base_parse(text, &field) && field.metric == METRIC_HITS &&
	    field.kind == PERIOD_YEAR && !field.page.ptr && reply_count(value, 0) != 0)
		add_year(arg, field.id);
}

int
store_years(struct store *store, struct slice site, int32_t *out, size_t room, size_t *count)
{
	struct years years = {.out = out, .room = room};
	int status = begin_site(store, site);
	if (status == STORE_OK)
		status = each_field(store, SLICE("hits"), take_year, &years);
	if (status == STORE_OK)
		status = each_field(store, SLICE("base"), take_base_year, &years);
	*count = years.count;
	return status;
}

struct sites {
	void (*each)(struct slice site, struct slice settings, void *arg);
	void *arg;
};

static void
take_site(struct slice field, const redisReply *value, void *arg)
{
	const struct sites *sites = arg;
	sites->each(field, reply_text(value), sites->arg);
}

int
store_sites(struct store *store, void (*each)(struct slice site, struct slice settings, void *arg),
	    void *arg)
{
	struct sites sites = {each, arg};
	int status = store_idle(store);
	if (status != STORE_OK)
		return status;
	key_global(&store->key, store->prefix, "sites");
	return each_field(store, (struct slice){0}, take_site, &sites);
}
