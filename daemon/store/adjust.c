/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Adjustments: read under WATCH, worked out, written in one transaction; when somebody counted or changed in between,
 * all of it again. Never touches what is counted.
 */
#include "store/change.h"
#include "store/inside.h"

enum { TRIES_MAX = 1000, MONTHS_OF_YEAR = 12 };

/* A field of the site's base that the adjustment reaches. */
struct reached {
	enum period_kind kind;
	int32_t id;
	int64_t before, after;
};

struct adjusting {
	struct store *store;
	struct adjustment *adjustment;
	struct reached *fields;
	size_t count, room;
};

static int
send_command(struct store *store)
{
	return link_send(store->link, &store->command);
}

/* --- what is counted --- */

/* A page's tables: of a day, of months, of all time. Visits have none of months. */
static int
ask_page_tables(struct store *store, const struct adjustment *a, size_t *asked)
{
	bool hits = a->metric == METRIC_HITS;
	int32_t id = a->id, last = a->id;
	enum period_kind kind = a->kind;
	if (kind == PERIOD_YEAR) {
		kind = PERIOD_MONTH;
		id = a->id * MONTHS_OF_YEAR;
		last = id + MONTHS_OF_YEAR - 1;
	}
	int status = STORE_OK;
	for (*asked = 0; id <= last && status == STORE_OK; id++, ++*asked) {
		struct slice tail = hits ? key_dimensions[HIT_PAGES] : SLICE("pagevisits");
		if (kind != PERIOD_ALL)
			key_day_fill(&store->day, period_first_day(kind, id));
		if (kind == PERIOD_DAY)
			tail = hits ? store->day.days[HIT_PAGES] : store->day.page_visits;
		if (kind == PERIOD_MONTH)
			tail = store->day.months[HIT_PAGES];
		store_command(store, "ZSCORE", tail);
		command_add(&store->command, a->page);
		status = send_command(store);
	}
	return status;
}

static int
ask_sum(struct store *store, const struct adjustment *a)
{
	char name[PERIOD_NAME_SIZE];
	if (a->kind == PERIOD_DAY) {
		key_day_fill(&store->day, a->id);
		store_command(store, "HGET", store->day.years[a->metric]);
		command_add(&store->command, store->day.field);
	} else {
		store_command(store, "HGET", key_metrics[a->metric]);
		command_add(&store->command, slice_of(period_name(a->kind, a->id, name)));
	}
	return send_command(store);
}

static int
read_counted(struct store *store, struct adjustment *a)
{
	size_t asked = 1;
	int status = a->page.ptr ? ask_page_tables(store, a, &asked) : ask_sum(store, a);
	a->counted = 0;
	for (size_t i = 0; i < asked && status != STORE_UNAVAILABLE; i++) {
		redisReply *reply;
		int received = link_receive(store->link, &reply);
		int64_t value = received == STORE_OK ? reply_count(reply, 0) : -1;
		a->counted = a->counted < 0 || value < 0 ? -1 : a->counted + value;
		freeReplyObject(reply);
		status = status == STORE_OK ? received : status;
	}
	return status;
}

/* --- what is adjusted --- */

static void
reach(struct adjusting *adjusting, enum period_kind kind, int32_t id, int64_t before)
{
	if (adjusting->count == adjusting->room) {
		adjusting->room = adjusting->room ? 2 * adjusting->room : 16;
		adjusting->fields =
			xrealloc(adjusting->fields, adjusting->room * sizeof(*adjusting->fields));
	}
	adjusting->fields[adjusting->count++] = (struct reached){kind, id, before, before};
}

/* The period itself, and those around it. */
static int
read_around(struct adjusting *adjusting)
{
	struct store *store = adjusting->store;
	const struct adjustment *a = adjusting->adjustment;
	redisReply *reply;
	reach(adjusting, a->kind, a->id, 0);
	int32_t first = a->kind == PERIOD_ALL ? 0 : period_first_day(a->kind, a->id);
	for (int kind = 0; kind < PERIOD_KINDS; kind++) {
		int32_t id = period_of_day((enum period_kind)kind, first);
		if (kind != (int)a->kind &&
		    period_holds((enum period_kind)kind, id, a->kind, a->id))
			reach(adjusting, (enum period_kind)kind, id, 0);
	}
	store_command(store, "HMGET", SLICE("base"));
	for (size_t i = 0; i < adjusting->count; i++) {
		key_base_field(&store->field, a->metric, adjusting->fields[i].kind,
			       adjusting->fields[i].id, a->page);
		command_add(&store->command, buf_slice(&store->field));
	}
	int status = store_ask(store, &reply);
	for (size_t i = 0; status == STORE_OK && i < adjusting->count && i < reply->elements; i++)
		adjusting->fields[i].before = reply_signed(reply->element[i]);
	freeReplyObject(reply);
	return status;
}

/* Everything that is adjusted of this metric and page. */
static int
read_all(struct adjusting *adjusting)
{
	redisReply *reply;
	store_command(adjusting->store, "HGETALL", SLICE("base"));
	int status = store_ask(adjusting->store, &reply);
	for (size_t i = 0; status == STORE_OK && i + 1 < reply->elements; i += 2) {
		struct base_field field;
		if (key_base_parse(reply_text(reply->element[i]), &field) &&
		    field.metric == adjusting->adjustment->metric &&
		    slice_eq(field.page, adjusting->adjustment->page))
			reach(adjusting, field.kind, field.id, reply_signed(reply->element[i + 1]));
	}
	freeReplyObject(reply);
	return status;
}

/* What the days of the cleared period that lie in another one add to it. */
static int64_t
days_in(const struct adjusting *adjusting, const struct reached *other)
{
	const struct adjustment *a = adjusting->adjustment;
	int64_t sum = 0;
	for (size_t i = 0; i < adjusting->count; i++) {
		const struct reached *day = &adjusting->fields[i];
		if (day->kind == PERIOD_DAY && period_holds(a->kind, a->id, PERIOD_DAY, day->id) &&
		    period_holds(other->kind, other->id, PERIOD_DAY, day->id))
			sum += day->before;
	}
	return sum;
}

/* What lies in the period goes; what holds all of it, or some of its days, loses what that was. */
static void
plan_clearing(struct adjusting *adjusting)
{
	struct adjustment *a = adjusting->adjustment;
	a->before = a->after = 0;
	for (size_t i = 0; i < adjusting->count; i++)
		if (adjusting->fields[i].kind == a->kind && adjusting->fields[i].id == a->id)
			a->before = adjusting->fields[i].before;
	for (size_t i = 0; i < adjusting->count; i++) {
		struct reached *field = &adjusting->fields[i];
		if (period_holds(a->kind, a->id, field->kind, field->id))
			field->after = 0;
		else if (period_holds(field->kind, field->id, a->kind, a->id))
			field->after -= a->before;
		else
			field->after -= days_in(adjusting, field);
	}
}

static void
plan_change(struct adjusting *adjusting)
{
	struct adjustment *a = adjusting->adjustment;
	a->before = adjusting->fields[0].before;
	a->after = a->how == ADJUST_SET ? a->amount - a->counted : a->before + a->amount;
	for (size_t i = 0; i < adjusting->count; i++)
		adjusting->fields[i].after = adjusting->fields[i].before + a->after - a->before;
}

/* --- all of it --- */

static int
watch(struct store *store, const struct adjustment *a)
{
	store_command(store, "WATCH", SLICE("base"));
	if (a->how == ADJUST_SET && !a->page.ptr) {
		command_add_joined(&store->command, buf_slice(&store->key), key_metrics[a->metric]);
		if (a->kind == PERIOD_DAY) {
			key_day_fill(&store->day, a->id);
			command_add_joined(&store->command, buf_slice(&store->key),
					   store->day.years[a->metric]);
		}
	} else if (a->how == ADJUST_SET) {
		command_add_joined(&store->command, buf_slice(&store->key),
				   a->metric == METRIC_HITS ? key_dimensions[HIT_PAGES]
							    : SLICE("pagevisits"));
	}
	return store_tell(store);
}

/* *done: nobody was quicker. */
static int
commit(struct adjusting *adjusting, bool *done)
{
	struct store *store = adjusting->store;
	struct transaction transaction;
	transaction_begin(&transaction, store);
	for (size_t i = 0; i < adjusting->count; i++) {
		const struct reached *field = &adjusting->fields[i];
		if (field->after == field->before)
			continue;
		key_base_field(&store->field, adjusting->adjustment->metric, field->kind, field->id,
			       adjusting->adjustment->page);
		store_command(store, field->after ? "HSET" : "HDEL", SLICE("base"));
		command_add(&store->command, buf_slice(&store->field));
		if (field->after)
			command_add_int(&store->command, field->after);
		transaction_add(&transaction);
	}
	return transaction_commit(&transaction, done);
}

static int
try_once(struct adjusting *adjusting, bool apply, bool *done)
{
	struct store *store = adjusting->store;
	struct adjustment *a = adjusting->adjustment;
	bool clear = a->how == ADJUST_CLEAR;
	adjusting->count = 0;
	int status = watch(store, a);
	if (status == STORE_OK)
		status = read_counted(store, a);
	if (status == STORE_OK)
		status = clear ? read_all(adjusting) : read_around(adjusting);
	if (status != STORE_OK)
		return status;
	if (clear)
		plan_clearing(adjusting);
	else
		plan_change(adjusting);
	if (apply && a->counted >= 0 && a->counted + a->after >= 0)
		return commit(adjusting, done);
	*done = true;
	command_start(&store->command, "UNWATCH");
	return store_tell(store);
}

int
change_adjust(struct store *store, struct adjustment *adjustment, bool apply)
{
	struct adjusting adjusting = {.store = store, .adjustment = adjustment};
	bool done = false;
	int status = store_idle(store);
	key_site(&store->key, store->prefix, key_shard(adjustment->site), adjustment->site);
	for (int i = 0; i < TRIES_MAX && status == STORE_OK && !done; i++)
		status = try_once(&adjusting, apply, &done);
	if (status == STORE_OK && !done)
		status = link_fail(store->link, STORE_REFUSED,
				   "the counts change too fast to be adjusted");
	free(adjusting.fields);
	return status;
}
