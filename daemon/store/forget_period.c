/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forgetting a period: its days are taken out of the sums and tables that hold them, which are few and known. A year goes
 * month by month, a week day by day, each in a transaction and with a mark of its own.
 */
#include "store/forget_inside.h"

enum { TRIES_MAX = 1000, DAYS_MAX = 31, MONTHS_OF_YEAR = 12, DAYS_OF_WEEK = 7 };

/* A day or a month, and what is counted on its days. */
struct step {
	struct store *store;
	struct forgetting *f; /* of the step alone */
	int32_t first;
	int days;
	int64_t counts[METRIC_STORED][DAYS_MAX];
};

static int
watch(const struct step *step)
{
	struct store *store = step->store;
	key_site(&store->key, store->prefix, step->f->shard, step->f->site);
	key_day_fill(&store->day, step->first);
	command_start(&store->command, "WATCH");
	for (int i = 0; i < METRIC_STORED; i++) {
		command_add_joined(&store->command, buf_slice(&store->key), store->day.years[i]);
		command_add_joined(&store->command, buf_slice(&store->key), key_metrics[i]);
	}
	return store_tell(store);
}

/* What is no number cannot be taken out of anything, and goes. */
static int
read_counts(struct step *step)
{
	struct store *store = step->store;
	int status = STORE_OK;
	for (int metric = 0; metric < METRIC_STORED && status == STORE_OK; metric++) {
		redisReply *reply;
		key_day_fill(&store->day, step->first);
		store_command(store, "HMGET", store->day.years[metric]);
		for (int i = 0; i < step->days; i++) {
			key_day_fill(&store->day, step->first + i);
			command_add(&store->command, store->day.field);
		}
		status = store_ask(store, &reply);
		for (int i = 0; status == STORE_OK && i < step->days; i++) {
			int64_t count = reply_count(reply->element[i], 0);
			step->counts[metric][i] = count > 0 ? count : 0;
		}
		freeReplyObject(reply);
	}
	return status;
}

static void
take_out(struct transaction *transaction, int metric, struct slice field, int64_t count)
{
	struct store *store = transaction->store;
	if (count == 0)
		return;
	store_command(store, "HINCRBY", key_metrics[metric]);
	command_add(&store->command, field);
	command_add_int(&store->command, -count);
	transaction_add(transaction);
}

static void
add_sums(struct transaction *transaction, const struct step *step)
{
	struct store *store = transaction->store;
	for (int metric = 0; metric < METRIC_STORED; metric++) {
		int64_t sum = 0;
		for (int i = 0; i < step->days; i++) {
			key_day_fill(&store->day, step->first + i);
			store_command(store, "HDEL", store->day.years[metric]);
			command_add(&store->command, store->day.field);
			transaction_add(transaction);
			take_out(transaction, metric, store->day.fields[PERIOD_WEEK],
				 step->counts[metric][i]);
			sum += step->counts[metric][i];
		}
		take_out(transaction, metric, store->day.fields[PERIOD_MONTH], sum);
		take_out(transaction, metric, store->day.fields[PERIOD_YEAR], sum);
		take_out(transaction, metric, SLICE("all"), sum);
	}
}

/* Takes the scores of a table out of another one, which keeps what is left. */
static void
subtract(struct transaction *transaction, struct slice from, struct slice what)
{
	struct store *store = transaction->store;
	store_command(store, "ZUNIONSTORE", from);
	command_add_literal(&store->command, "2");
	command_add_joined(&store->command, buf_slice(&store->key), from);
	command_add_joined(&store->command, buf_slice(&store->key), what);
	command_add_literal(&store->command, "WEIGHTS");
	command_add_literal(&store->command, "1");
	command_add_literal(&store->command, "-1");
	transaction_add(transaction);
	store_command(store, "ZREMRANGEBYSCORE", from);
	command_add_literal(&store->command, "-inf");
	command_add_literal(&store->command, "0");
	transaction_add(transaction);
}

static void
unlink_key(struct transaction *transaction, struct slice tail)
{
	store_command(transaction->store, "UNLINK", tail);
	transaction_add(transaction);
}

/* A month's tables hold what its days' do and more: those were cut when they were old. */
static void
add_tables(struct transaction *transaction, const struct step *step)
{
	struct key_day *day = &transaction->store->day;
	bool month = step->f->kind == PERIOD_MONTH;
	key_day_fill(day, step->first);
	subtract(transaction, key_dimensions[HIT_PAGES],
		 month ? day->months[HIT_PAGES] : day->days[HIT_PAGES]);
	for (int i = 0; i < HIT_DIMENSION_COUNT; i++) {
		if (month)
			unlink_key(transaction, day->months[i]);
		else
			subtract(transaction, day->months[i], day->days[i]);
	}
	for (int i = 0; i < step->days; i++) {
		key_day_fill(day, step->first + i);
		subtract(transaction, SLICE("pagevisits"), day->page_visits);
		unlink_key(transaction, day->page_visits);
		unlink_key(transaction, day->hours);
		unlink_key(transaction, day->unique);
		for (int dimension = 0; dimension < HIT_DIMENSION_COUNT; dimension++)
			unlink_key(transaction, day->days[dimension]);
	}
}

static int
step_once(struct step *step, bool apply, bool *done)
{
	struct transaction transaction;
	int64_t newest;
	int status = forget_watch(step->store, step->f, &newest);
	if (status == STORE_OK)
		status = watch(step);
	if (status == STORE_OK)
		status = read_counts(step);
	if (status != STORE_OK)
		return status;
	if (!apply) {
		*done = true;
		command_start(&step->store->command, "UNWATCH");
		return store_tell(step->store);
	}
	transaction_begin(&transaction, step->store);
	forget_add_mark(&transaction, step->f, newest);
	key_site(&step->store->key, step->store->prefix, step->f->shard, step->f->site);
	add_sums(&transaction, step);
	add_tables(&transaction, step);
	return transaction_commit(&transaction, done);
}

static int
run_step(struct store *store, struct forgetting *f, enum period_kind kind, int32_t id, bool apply)
{
	struct forgetting own = *f;
	own.kind = kind;
	own.id = id;
	struct step step = {.store = store, .f = &own, .first = period_first_day(kind, id)};
	step.days = period_last_day(kind, id) - step.first + 1;
	bool done = false;
	int status = STORE_OK;
	for (int i = 0; i < TRIES_MAX && status == STORE_OK && !done; i++)
		status = step_once(&step, apply, &done);
	if (status == STORE_OK && !done)
		status = link_fail(store->link, STORE_REFUSED,
				   "the counts change too fast to be forgotten");
	for (int i = 0; i < step.days; i++)
		for (int metric = 0; metric < METRIC_STORED; metric++)
			if (step.counts[metric][i]) {
				f->keys++;
				break;
			}
	f->ms = own.ms;
	return status;
}

int
forget_period(struct store *store, struct forgetting *f, bool apply)
{
	bool year = f->kind == PERIOD_YEAR, week = f->kind == PERIOD_WEEK;
	enum period_kind kind = year ? PERIOD_MONTH : week ? PERIOD_DAY : f->kind;
	int32_t id = year   ? f->id * MONTHS_OF_YEAR
		     : week ? period_first_day(PERIOD_WEEK, f->id)
			    : f->id;
	int32_t count = year ? MONTHS_OF_YEAR : week ? DAYS_OF_WEEK : 1;
	int status = STORE_OK;
	for (int32_t i = 0; i < count && status == STORE_OK; i++)
		status = run_step(store, f, kind, id + i, apply);
	return status;
}
