/* SPDX-License-Identifier: BSD-2-Clause */
/* A site's keys in pieces, out of Redis and into it. */
#include "store/piece.h"

#include "store/keylist.h"
#include "store/script.h"

/* --- what a key is --- */

/* The text in front of the first colon, and what is behind it. */
static struct slice
cut(struct slice tail, struct slice *rest)
{
	const char *colon = memchr(tail.ptr, ':', tail.len);
	size_t len = colon ? (size_t)(colon - tail.ptr) : tail.len;
	*rest = colon ? (struct slice){colon + 1, tail.len - len - 1} : (struct slice){0};
	return (struct slice){tail.ptr, len};
}

static bool
is_period(struct slice text, enum period_kind wanted, bool or_none)
{
	enum period_kind kind;
	int32_t id;
	return text.ptr ? period_parse(text, &kind, &id) && kind == wanted : or_none;
}

static bool
is_table(struct slice head, struct slice rest)
{
	bool known = slice_eq(head, SLICE("pagevisits"));
	for (int i = 0; i < HIT_DIMENSION_COUNT && !known; i++)
		known = slice_eq(head, key_dimensions[i]);
	bool all = slice_eq(head, SLICE("pagevisits")) || slice_eq(head, key_dimensions[HIT_PAGES]);
	return known && (is_period(rest, PERIOD_DAY, all) || is_period(rest, PERIOD_MONTH, false));
}

/* Bots have sums and tables, told apart by what follows. */
bool
piece_kind_of(struct slice tail, enum piece_kind *kind)
{
	struct slice rest, head = cut(tail, &rest);
	bool sums = !rest.ptr &&
		    (slice_eq(head, SLICE(KEY_BASE)) || slice_eq(head, SLICE(KEY_BROUGHT)));
	for (int i = 0; i < METRIC_STORED && !sums; i++)
		sums = slice_eq(head, key_metrics[i]) && is_period(rest, PERIOD_YEAR, true);
	if (sums || (slice_eq(head, SLICE("hours")) && is_period(rest, PERIOD_DAY, false)))
		*kind = PIECE_COUNTS;
	else if (is_table(head, rest) || slice_eq(tail, SLICE(KEY_IMPORTED)))
		*kind = PIECE_TABLE;
	else if (slice_eq(tail, SLICE("seen")))
		*kind = PIECE_LATEST;
	else if (slice_eq(head, SLICE("unique")) && is_period(rest, PERIOD_DAY, false))
		*kind = PIECE_VISITORS;
	else
		return false;
	return true;
}

static int64_t
cap_of(const struct store *store, struct slice tail)
{
	struct slice rest;
	(void)cut(tail, &rest);
	bool day = is_period(rest, PERIOD_DAY, false);
	return day ? store->pages_per_day : store->pages_per_day * KEY_TABLES_FACTOR;
}

/* --- out of Redis --- */

struct reading {
	struct store *store;
	const char *name; /* the key */
	struct slice tail;
	enum piece_kind kind;
	size_t from; /* parts that are passed over */
	int (*each)(const struct piece *piece, void *arg);
	void *arg;
};

static int
compare_pairs(const void *a, const void *b)
{
	const struct slice *left = a, *right = b;
	size_t len = left->len < right->len ? left->len : right->len;
	int order = memcmp(left->ptr, right->ptr, len);
	return order ? order : (left->len > right->len) - (left->len < right->len);
}

/* What of it is still to come, cut into pieces. */
static int
hand_over(const struct reading *reading, const struct slice *parts, size_t count, int64_t seconds)
{
	size_t width = reading->kind == PIECE_VISITORS ? 1 : 2, all = count / width;
	int status = STORE_OK;
	for (size_t at = reading->from; at < all && status == STORE_OK;) {
		size_t left = all - at < PIECE_PARTS_MAX ? all - at : PIECE_PARTS_MAX;
		const struct piece piece = {.tail = reading->tail,
					    .kind = reading->kind,
					    .seconds = seconds > 0 ? seconds : 0,
					    .first = at,
					    .parts = parts + at * width,
					    .count = left * width,
					    .last = at + left == all};
		status = reading->each(&piece, reading->arg);
		at += left;
	}
	return status;
}

static int
hand_over_reply(const struct reading *reading, const redisReply *reply, int64_t seconds)
{
	size_t count = reading->kind == PIECE_VISITORS ? reply->type == REDIS_REPLY_STRING
						       : reply->elements;
	struct slice *parts = xcalloc(count + 1, sizeof(*parts));
	for (size_t i = 0; i < count; i++)
		parts[i] = reply_text(reading->kind == PIECE_VISITORS ? reply : reply->element[i]);
	if (reading->kind == PIECE_COUNTS)
		qsort(parts, count / 2, 2 * sizeof(*parts), compare_pairs);
	int status = hand_over(reading, parts, count, seconds);
	free(parts);
	return status;
}

static int
read_key(const struct reading *reading)
{
	struct store *store = reading->store;
	struct command *command = &store->command;
	redisReply *ttl, *content;
	command_start(command, "TTL");
	command_add(command, slice_of(reading->name));
	int status = store_ask(store, &ttl);
	int64_t seconds = status == STORE_OK ? ttl->integer : 0;
	freeReplyObject(ttl);
	if (status != STORE_OK)
		return status;
	bool sorted = reading->kind == PIECE_TABLE || reading->kind == PIECE_LATEST;
	command_start(command, reading->kind == PIECE_COUNTS ? "HGETALL"
			       : sorted                      ? "ZRANGE"
							     : "GET");
	command_add(command, slice_of(reading->name));
	if (sorted) {
		command_add_literal(command, "0");
		command_add_literal(command, "-1");
		command_add_literal(command, "WITHSCORES");
	}
	status = store_ask(store, &content);
	if (status == STORE_OK)
		status = hand_over_reply(reading, content, seconds);
	freeReplyObject(content);
	return status;
}

int
piece_each(struct store *store, int shard, struct slice holder, const struct piece_place *from,
	   int (*each)(const struct piece *piece, void *arg), void *arg)
{
	struct keylist keys = {0};
	int status = store_idle(store);
	key_site(&store->key, store->prefix, shard, holder);
	size_t prefix = store->key.len;
	if (status == STORE_OK)
		status = keylist_scan(store, &keys);
	for (size_t i = 0; i < keys.count && status == STORE_OK; i++) {
		struct reading reading = {.store = store,
					  .name = keys.names[i],
					  .tail = slice_of(keys.names[i] + prefix),
					  .each = each,
					  .arg = arg};
		int order = strcmp(reading.tail.ptr, from->tail);
		if (order < 0 || reading.tail.len >= PIECE_TAIL_MAX ||
		    !piece_kind_of(reading.tail, &reading.kind))
			continue;
		reading.from = order == 0 ? from->done : 0;
		status = read_key(&reading);
	}
	keylist_release(&keys);
	return status;
}

/* --- into Redis --- */

static const char *const kind_words[] = {
	[PIECE_COUNTS] = "counts",     [PIECE_TABLE] = "table", [PIECE_LATEST] = "latest",
	[PIECE_VISITORS] = "visitors", [PIECE_NONE] = "none",
};

static void
add_put_keys(struct store *store, const struct piece_target *target, const struct piece *piece)
{
	int shard = key_shard(target->site);
	key_streams(&store->key, store->prefix, shard);
	command_add(&store->command, buf_slice(&store->key));
	key_forgotten(&store->key, store->prefix, shard);
	command_add(&store->command, buf_slice(&store->key));
	key_site(&store->key, store->prefix, shard, target->site);
	command_add_joined(&store->command, buf_slice(&store->key), piece->tail);
	command_add_joined(&store->command, buf_slice(&store->key), SLICE("~"));
}

static void
add_put_arguments(struct store *store, const struct piece_target *target,
		  const struct advance *advance, const struct piece *piece)
{
	struct command *command = &store->command;
	command_add(command, slice_of(advance->stream));
	buf_clear(&store->field);
	buf_addf(&store->field, "%" PRIu64, advance->previous);
	command_add(command, buf_slice(&store->field));
	buf_clear(&store->field);
	buf_addf(&store->field, "%" PRIu64 ":%s", advance->next, advance->rest);
	command_add(command, buf_slice(&store->field));
	command_add(command, target->mark);
	command_add_int(command, target->mark_ms);
	command_add_int(command, piece->seconds);
	command_add_int(command, cap_of(store, piece->tail));
	command_add(command, slice_of(kind_words[piece->kind]));
	for (size_t i = 0; i < piece->count; i++)
		command_add(command, piece->parts[i]);
}

static int
read_answer(struct store *store, const redisReply *reply, struct position *stored, size_t *refused)
{
	*stored = (struct position){0};
	if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 3 &&
	    reply->element[0]->integer == 0) {
		*refused += (size_t)reply->element[1]->integer;
		if (reply->element[1]->integer)
			(void)link_fail(store->link, STORE_REFUSED, "%.*s",
					SLICE_ARG(reply_text(reply->element[2])));
		return STORE_OK;
	}
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
		return link_fail(store->link, STORE_UNAVAILABLE,
				 "Redis answered a script with something else");
	if (!position_read(stored, reply->element[1]))
		return link_fail(store->link, STORE_REFUSED, "a position is no offset");
	return STORE_MISMATCH;
}

int
piece_put(struct store *store, const struct piece_target *target, const struct advance *advance,
	  const struct piece *piece, struct position *stored, size_t *refused)
{
	enum { PUT_KEYS = 4 };
	redisReply *reply;
	int status = store_idle(store);
	if (status != STORE_OK)
		return status;
	command_start(&store->command, "EVAL");
	command_add(&store->command, script_put());
	command_add_int(&store->command, PUT_KEYS);
	add_put_keys(store, target, piece);
	add_put_arguments(store, target, advance, piece);
	status = store_ask(store, &reply);
	if (status == STORE_OK)
		status = read_answer(store, reply, stored, refused);
	freeReplyObject(reply);
	return status;
}
