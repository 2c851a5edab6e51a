/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of the keys and fields in Redis. */
#include "store/keys.h"

bool
key_prefix_valid(const char *prefix)
{
	size_t len = strlen(prefix);
	for (size_t i = 0; i < len; i++)
		if (prefix[i] <= ' ' || prefix[i] > '~' || prefix[i] == '{' || prefix[i] == '}')
			return false;
	return len > 0 && len <= KEY_PREFIX_MAX;
}

int
key_shard(struct slice site)
{
	return crc16_xmodem(site) % CONF_SHARDS;
}

void
key_shard_prefix(struct buf *out, const char *prefix, int shard)
{
	const char digits[2] = {(char)('0' + shard / 10), (char)('0' + shard % 10)};
	buf_clear(out);
	buf_add_slice(out, slice_of(prefix));
	buf_add_literal(out, ":{");
	buf_add(out, digits, sizeof(digits));
	buf_add_literal(out, "}:");
}

void
key_streams(struct buf *out, const char *prefix, int shard)
{
	key_shard_prefix(out, prefix, shard);
	buf_add_literal(out, "streams");
}

void
key_forgotten(struct buf *out, const char *prefix, int shard)
{
	key_shard_prefix(out, prefix, shard);
	buf_add_literal(out, "forgotten");
}

void
key_site(struct buf *out, const char *prefix, int shard, struct slice site)
{
	key_shard_prefix(out, prefix, shard);
	buf_add_slice(out, site);
	buf_add_literal(out, ":");
}

void
key_global(struct buf *out, const char *prefix, const char *name)
{
	buf_clear(out);
	buf_add_slice(out, slice_of(prefix));
	buf_add_literal(out, ":");
	buf_add_slice(out, slice_of(name));
}

void
key_salt(struct buf *out, const char *prefix, int32_t day)
{
	char name[PERIOD_NAME_SIZE];
	key_global(out, prefix, "salt:");
	buf_add_slice(out, slice_of(period_name(PERIOD_DAY, day, name)));
}

void
key_import_salt(struct buf *out, const char *prefix, struct slice site, int32_t day)
{
	char name[PERIOD_NAME_SIZE];
	key_global(out, prefix, "salt:i:");
	buf_add_slice(out, site);
	buf_add_literal(out, ":");
	buf_add_slice(out, slice_of(period_name(PERIOD_DAY, day, name)));
}

void
key_base_field(struct buf *out, int metric, enum period_kind kind, int32_t id, struct slice page)
{
	char name[PERIOD_NAME_SIZE];
	buf_clear(out);
	buf_add_slice(out, key_metrics[metric]);
	buf_add_literal(out, " ");
	buf_add_slice(out, slice_of(period_name(kind, id, name)));
	if (!page.ptr)
		return;
	buf_add_literal(out, " ");
	buf_add_slice(out, page);
}

bool
key_base_parse(struct slice text, struct base_field *field)
{
	const char *end = text.ptr + text.len, *blank = memchr(text.ptr, ' ', text.len);
	if (!blank)
		return false;
	struct slice metric = {text.ptr, (size_t)(blank - text.ptr)};
	struct slice period = {blank + 1, (size_t)(end - blank - 1)};
	*field = (struct base_field){0};
	if ((blank = memchr(period.ptr, ' ', period.len))) {
		field->page = (struct slice){blank + 1, (size_t)(end - blank - 1)};
		period.len = (size_t)(blank - period.ptr);
	}
	while (field->metric < METRIC_COUNT && !slice_eq(metric, key_metrics[field->metric]))
		field->metric++;
	return field->metric < METRIC_COUNT && period_parse(period, &field->kind, &field->id);
}

#define X(id, name) [HIT_##id] = {name, sizeof(name) - 1},
const struct slice key_dimensions[HIT_DIMENSION_COUNT] = {HIT_DIMENSIONS(X)};
#undef X

#define X(id, name) [METRIC_##id] = {name, sizeof(name) - 1},
const struct slice key_metrics[METRIC_STORED] = {METRICS(X)[METRIC_BOTS] = {"bots", 4}};
#undef X

static struct slice
tail(char to[KEY_TAIL_SIZE], struct slice head, const char *name, int name_len)
{
	int len = snprintf(to, KEY_TAIL_SIZE, "%.*s:%.*s", SLICE_ARG(head), name_len, name);
	return (struct slice){to, (size_t)len};
}

void
key_day_fill(struct key_day *key, int32_t day)
{
	enum { YEAR_DIGITS = 4, WHOLE = PERIOD_NAME_SIZE };
	if (key->filled && key->day == day)
		return;
	key->filled = true;
	key->day = day;
	for (int kind = 0; kind < PERIOD_KINDS; kind++)
		key->fields[kind] =
			slice_of(period_name(kind, period_of_day(kind, day), key->names[kind]));
	const char *date = key->names[PERIOD_DAY], *month = key->names[PERIOD_MONTH];
	char(*tails)[KEY_TAIL_SIZE] = key->tails;
	key->field = slice_of(date + YEAR_DIGITS + 1);
	key->fields[PERIOD_DAY] = (struct slice){0};
	for (int i = 0; i < METRIC_STORED; i++)
		key->years[i] = tail(*tails++, key_metrics[i], date, YEAR_DIGITS);
	key->hours = tail(*tails++, SLICE("hours"), date, WHOLE);
	key->unique = tail(*tails++, SLICE("unique"), date, WHOLE);
	key->page_visits = tail(*tails++, SLICE("pagevisits"), date, WHOLE);
	for (int i = 0; i < HIT_DIMENSION_COUNT; i++) {
		key->days[i] = tail(*tails++, key_dimensions[i], date, WHOLE);
		key->months[i] = tail(*tails++, key_dimensions[i], month, WHOLE);
	}
}
