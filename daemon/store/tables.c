/* SPDX-License-Identifier: BSD-2-Clause */
/* The tables of dimensions, read in order and cut when they are old. */
#include "store/inside.h"

static struct slice
table_tail(struct key_day *key, enum hit_dimension dimension, enum period_kind kind, int32_t id)
{
	if (kind == PERIOD_ALL)
		return key_dimensions[dimension];
	key_day_fill(key, period_first_day(kind, id));
	return kind == PERIOD_DAY ? key->days[dimension] : key->months[dimension];
}

static int
ask_top(struct store *store, struct slice tail, size_t limit)
{
	command_start(&store->command, "ZCARD");
	command_add_joined(&store->command, buf_slice(&store->key), tail);
	int status = link_send(store->link, &store->command);
	if (status != STORE_OK)
		return status;
	command_start(&store->command, "ZREVRANGE");
	command_add_joined(&store->command, buf_slice(&store->key), tail);
	command_add_int(&store->command, 0);
	command_add_int(&store->command, limit ? (int64_t)limit - 1 : -1);
	command_add_literal(&store->command, "WITHSCORES");
	return link_send(store->link, &store->command);
}

int
store_top(struct store *store, struct slice site, enum hit_dimension dimension,
	  enum period_kind kind, int32_t id, size_t limit,
	  void (*each)(struct slice value, int64_t hits, void *arg), void *arg, int64_t *rows)
{
	redisReply *count = NULL, *found = NULL;
	*rows = 0;
	key_site(&store->key, store->prefix, key_shard(site), site);
	int status = store_idle(store);
	if (status == STORE_OK)
		status = ask_top(store, table_tail(&store->day, dimension, kind, id), limit);
	if (status != STORE_OK)
		return status;
	int counted = link_receive(store->link, &count);
	status = counted == STORE_UNAVAILABLE ? counted : link_receive(store->link, &found);
	if (status == STORE_OK && counted == STORE_OK) {
		*rows = reply_count(count, 0);
		for (size_t i = 0; i + 1 < found->elements; i += 2)
			each(reply_text(found->element[i]), reply_count(found->element[i + 1], 0),
			     arg);
	}
	freeReplyObject(count);
	freeReplyObject(found);
	return status == STORE_OK ? counted : status;
}

/*
 * Redis makes a table's hash smaller only bit by bit, as it is used, and nobody uses an old one: ZUNIONSTORE writes it anew.
 * Left large they were 40 MiB of the 218 of a site-year at 100,000 hits a day. What is refused stays as it is, and does not
 * hold up the others.
 */
static const char trim[] = "local refused = false\n"
			   "for _, key in ipairs(KEYS) do\n"
			   "  local removed = redis.pcall('ZREMRANGEBYRANK', key, 0, ARGV[1])\n"
			   "  if type(removed) == 'table' then\n"
			   "    refused = removed\n"
			   "  elseif removed > 0 then\n"
			   "    local life = redis.call('PTTL', key)\n"
			   "    redis.call('ZUNIONSTORE', key, 1, key)\n"
			   "    if life > 0 then redis.call('PEXPIRE', key, life) end\n"
			   "  end\n"
			   "end\n"
			   "return refused\n";

int
store_trim(struct store *store, struct slice site, int32_t day)
{
	redisReply *reply;
	int status = store_idle(store);
	if (status != STORE_OK)
		return status;
	key_site(&store->key, store->prefix, key_shard(site), site);
	key_day_fill(&store->day, day);
	command_start(&store->command, "EVAL");
	command_add_literal(&store->command, trim);
	command_add_int(&store->command, HIT_DIMENSION_COUNT + 1);
	for (int i = 0; i < HIT_DIMENSION_COUNT; i++)
		command_add_joined(&store->command, buf_slice(&store->key), store->day.days[i]);
	command_add_joined(&store->command, buf_slice(&store->key), store->day.page_visits);
	command_add_int(&store->command, -1 - KEY_KEPT_ROWS);
	status = link_ask(store->link, &store->command, &reply);
	freeReplyObject(reply);
	return status;
}

int
store_trimmed(struct store *store, int32_t *day)
{
	redisReply *reply;
	enum period_kind kind;
	int status =
		store_ask_global(store, "HGET", "meta", (const char *[]){"trimmed"}, 1, &reply);
	if (!period_parse(reply_text(reply), &kind, day) || kind != PERIOD_DAY)
		*day = INT32_MIN;
	freeReplyObject(reply);
	return status;
}

int
store_note_trimmed(struct store *store, int32_t day)
{
	char name[PERIOD_NAME_SIZE];
	redisReply *reply;
	const char *words[] = {"trimmed", period_name(PERIOD_DAY, day, name)};
	int status = store_ask_global(store, "HSET", "meta", words, COUNT_OF(words), &reply);
	freeReplyObject(reply);
	return status;
}
