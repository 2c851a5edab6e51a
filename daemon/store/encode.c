/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes a delta in the order in which apply.lua reads it; the top of that file is the description of both. */
#include "store/encode.h"

enum {
	GROUPS = HIT_DIMENSION_COUNT + 1, /* of a day: the values of each dimension, and the runs */
	RUNS = HIT_DIMENSION_COUNT,
	DAY_S = 86400,
	VISITOR_DIGITS = 16,
};

struct encoding {
	struct encoder *encoder;
	const struct encode_options *options;
	const struct delta_day *days;
	const struct delta_value *values;
	const struct delta_run *runs;
	struct command *keys, *args;
};

void
encoder_release(struct encoder *encoder)
{
	buf_release(&encoder->site);
	free(encoder->order);
	free(encoder->starts);
}

/* --- order --- */

static uint32_t *
room_for(uint32_t *array, size_t *room, size_t count)
{
	if (count <= *room)
		return array;
	*room = count * 2;
	return xrealloc(array, *room * sizeof(*array));
}

/* A counting sort: how many there are of each day and dimension, the delta knows already. */
static void
sort_entries(struct encoding *e, size_t days, size_t values, size_t runs)
{
	struct encoder *encoder = e->encoder;
	uint32_t at = 0;
	encoder->starts = room_for(encoder->starts, &encoder->starts_room, days * GROUPS);
	encoder->order = room_for(encoder->order, &encoder->order_room, values + runs);
	for (size_t day = 0; day < days; day++)
		for (int group = 0; group < GROUPS; group++) {
			encoder->starts[day * GROUPS + (size_t)group] = at;
			at += group == RUNS ? e->days[day].runs : e->days[day].counts[group];
		}
	for (size_t i = 0; i < values; i++) {
		const struct delta_value *value = &e->values[i];
		size_t group = value->day * GROUPS + (size_t)value->dimension;
		encoder->order[encoder->starts[group] + value->nth] = (uint32_t)i;
	}
	for (size_t i = 0; i < runs; i++)
		encoder->order[encoder->starts[e->runs[i].day * GROUPS + RUNS]++] = (uint32_t)i;
	for (size_t day = 0; day < days; day++)
		encoder->starts[day * GROUPS + RUNS] -= e->days[day].runs;
}

static const uint32_t *
group_of(const struct encoding *e, size_t day, int group)
{
	return e->encoder->order + e->encoder->starts[day * GROUPS + (size_t)group];
}

/* --- the parts of a day --- */

static void
add_key(struct encoding *e, struct slice tail)
{
	command_add_joined(e->keys, buf_slice(&e->encoder->site), tail);
}

static void
add_numbers(struct encoding *e, const struct delta_day *day)
{
	const struct key_day *key = &e->encoder->day;
	for (int i = 0; i < METRIC_STORED; i++) {
		add_key(e, key->years[i]);
		add_key(e, key_metrics[i]);
	}
	add_key(e, key->hours);
	command_add(e->args, key->field);
	command_add(e->args, key->fields[PERIOD_WEEK]);
	command_add(e->args, key->fields[PERIOD_MONTH]);
	command_add(e->args, key->fields[PERIOD_YEAR]);
	command_add_int(e->args, day->hits);
	command_add_int(e->args, day->bots);
}

static void
add_hours(struct encoding *e, const struct delta_day *day)
{
	int count = 0;
	for (int hour = 0; hour < 24; hour++)
		count += day->hours[hour] > 0;
	command_add_int(e->args, count);
	for (int hour = 0; hour < 24; hour++) {
		const char field[2] = {(char)('0' + hour / 10), (char)('0' + hour % 10)};
		if (!day->hours[hour])
			continue;
		command_add(e->args, (struct slice){field, sizeof(field)});
		command_add_int(e->args, day->hours[hour]);
	}
	command_add_int(e->args, KEY_TABLE_SECONDS);
}

static void
add_table_key(struct encoding *e, struct slice tail, int64_t cap, int64_t seconds)
{
	add_key(e, tail);
	command_add_int(e->args, cap);
	command_add_int(e->args, seconds);
}

static void
add_table(struct encoding *e, size_t index, int dimension)
{
	const struct key_day *key = &e->encoder->day;
	uint32_t count = e->days[index].counts[dimension];
	int64_t cap = e->options->pages_per_day, all = cap * KEY_TABLES_FACTOR;
	command_add_int(e->args, dimension == HIT_PAGES ? 3 : 2);
	add_table_key(e, key->days[dimension], cap, KEY_TABLE_SECONDS);
	add_table_key(e, key->months[dimension], all, 0);
	if (dimension == HIT_PAGES)
		add_table_key(e, key_dimensions[dimension], all, 0);
	command_add_int(e->args, count);
	const uint32_t *order = group_of(e, index, dimension);
	for (uint32_t i = 0; i < count; i++) {
		const struct delta_value *value = &e->values[order[i]];
		command_add(e->args, value->text);
		command_add_int(e->args, value->hits);
	}
}

/* What imports bring is kept apart as well, or nobody could tell whether a day holds anything else. */
static void
add_imported(struct encoding *e, const struct delta_day *day)
{
	command_add_int(e->args, 1);
	add_table_key(e, SLICE(KEY_IMPORTED), KEY_IMPORTED_DAYS, 0);
	command_add_int(e->args, 1);
	command_add(e->args, slice_of(e->encoder->day.names[PERIOD_DAY]));
	command_add_int(e->args, day->hits);
}

static void
add_tables(struct encoding *e, size_t index)
{
	const struct delta_day *day = &e->days[index];
	bool imported = day->visit_gap_ms == 0 && day->hits > 0;
	int count = imported;
	for (int i = 0; i < HIT_DIMENSION_COUNT; i++)
		count += day->counts[i] > 0;
	command_add_int(e->args, count);
	for (int i = 0; i < HIT_DIMENSION_COUNT; i++)
		if (day->counts[i])
			add_table(e, index, i);
	if (imported)
		add_imported(e, day);
}

static void
add_visitor(struct command *args, uint64_t visitor)
{
	static const char digits[] = "0123456789abcdef";
	char text[VISITOR_DIGITS];
	for (int i = VISITOR_DIGITS - 1; i >= 0; i--, visitor >>= 4)
		text[i] = digits[visitor & 15];
	command_add(args, (struct slice){text, sizeof(text)});
}

static void
add_runs(struct encoding *e, size_t index)
{
	const struct delta_day *day = &e->days[index];
	const uint32_t *order = group_of(e, index, RUNS);
	bool decided = day->visit_gap_ms == 0;
	command_add_int(e->args, day->runs);
	for (uint32_t i = 0; i < day->runs; i++) {
		const struct delta_run *run = &e->runs[order[i]];
		add_visitor(e->args, run->visitor);
		command_add_int(e->args, decided ? run->begins : run->first_ms);
		command_add_int(e->args, run->last_ms);
		command_add_int(e->args, run->page);
	}
}

/*
 * A visitor is remembered for the gap, and for as long again as daemons may be apart with their batches; the day's
 * distinct ones for as long as hits of the day may still arrive.
 */
static void
add_visitors(struct encoding *e, size_t index)
{
	const struct encode_options *options = e->options;
	const int64_t online_ms = INT64_C(1000) * KEY_ONLINE_SECONDS;
	int64_t gap = e->days[index].visit_gap_ms;
	add_key(e, SLICE("seen"));
	add_key(e, e->encoder->day.unique);
	add_key(e, e->encoder->day.page_visits);
	add_key(e, SLICE("pagevisits"));
	command_add_int(e->args, gap);
	command_add_int(e->args, gap + online_ms);
	command_add_int(e->args, KEY_SEEN_MAX);
	command_add_int(e->args, options->now_ms - online_ms);
	command_add_int(e->args, options->now_ms + online_ms);
	add_runs(e, index);
	command_add_int(e->args, KEY_SEEN_SECONDS);
	command_add_int(e->args, options->journal_retain + 2 * DAY_S);
	command_add_int(e->args, KEY_TABLE_SECONDS);
	command_add_int(e->args, options->pages_per_day);
	command_add_int(e->args, options->pages_per_day * KEY_TABLES_FACTOR);
}

size_t
encode_delta(struct encoder *encoder, const struct encode_options *options,
	     const struct delta *delta, struct command *keys, struct command *args)
{
	size_t days, values, runs;
	struct encoding e = {.encoder = encoder, .options = options, .keys = keys, .args = args};
	e.days = delta_days(delta, &days);
	e.values = delta_values(delta, &values);
	e.runs = delta_runs(delta, &runs);
	sort_entries(&e, days, values, runs);
	command_add_int(args, (int64_t)days);
	for (size_t i = 0; i < days; i++) {
		key_site(&encoder->site, options->prefix, options->shard, e.days[i].site);
		key_day_fill(&encoder->day, e.days[i].day);
		add_numbers(&e, &e.days[i]);
		add_hours(&e, &e.days[i]);
		add_tables(&e, i);
		add_visitors(&e, i);
	}
	return days;
}
