/* SPDX-License-Identifier: BSD-2-Clause */
/* What the server says about itself when somebody looks after it. Writes nothing. */
#include "store/inside.h"

int
store_time(struct store *store, int64_t *ms)
{
	redisReply *reply = NULL;
	int status = store_idle(store);
	if (status != STORE_OK)
		return status;
	command_start(&store->command, "TIME");
	status = link_ask(store->link, &store->command, &reply);
	if (status == STORE_OK && reply->elements == 2)
		*ms = reply_count(reply->element[0], 0) * 1000 +
		      reply_count(reply->element[1], 0) / 1000;
	else if (status == STORE_OK)
		status = link_fail(store->link, STORE_REFUSED, "TIME says something else");
	freeReplyObject(reply);
	return status;
}

/* The number in a line "name:number" of INFO's answer; 0 when it is not there. */
static int64_t
info_number(const redisReply *info, const char *name)
{
	struct slice text = reply_text(info);
	const char *at = text.ptr ? strstr(text.ptr, name) : NULL;
	return at ? strtoll(at + strlen(name), NULL, 10) : 0;
}

int
store_memory(struct store *store, struct store_memory *out)
{
	redisReply *reply = NULL;
	int status = store_idle(store);
	if (status != STORE_OK)
		return status;
	command_start(&store->command, "INFO");
	command_add_literal(&store->command, "memory");
	status = link_ask(store->link, &store->command, &reply);
	*out = (struct store_memory){
		.used = info_number(reply, "\nused_memory:"),
		.startup = info_number(reply, "\nused_memory_startup:"),
		.limit = info_number(reply, "\nmaxmemory:"),
		.machine = info_number(reply, "\ntotal_system_memory:"),
	};
	freeReplyObject(reply);
	return status;
}

/* The commands that daemon and command line run on keys, with arguments of the kind that they take behind the key. */
static const char *const commands[] = {
	"GET",
	"SET v",
	"EXPIRE 1",
	"PTTL",
	"HGET f",
	"HMGET f",
	"HSET f v",
	"HSETNX f v",
	"HINCRBY f 1",
	"HGETALL",
	"HLEN",
	"ZADD 1 m",
	"ZINCRBY 1 m",
	"ZMSCORE m",
	"ZSCORE m",
	"ZCARD",
	"ZCOUNT 0 1",
	"ZREVRANGE 0 1",
	"ZREMRANGEBYSCORE 0 1",
	"ZREMRANGEBYRANK 0 1",
	"PFADD e",
	"PFCOUNT",
	"DEL",
};

/* Asks inside a script, where a user may ask what itself may do; so EVAL has to be allowed as well. */
static const char question[] =
	"if not redis.acl_check_cmd then return {err = 'ERR before version 7 there is no such "
	"question'} end\n"
	"local missing = {}\n"
	"for _, text in ipairs(ARGV) do\n"
	"  local words = {}\n"
	"  for word in text:gmatch('%S+') do words[#words + 1] = word end\n"
	"  if not redis.acl_check_cmd(words[1], KEYS[1], unpack(words, 2)) then\n"
	"    missing[#missing + 1] = words[1]\n"
	"  end\n"
	"end\n"
	"return table.concat(missing, ', ')";

int
store_rights(struct store *store, char *missing, size_t size)
{
	redisReply *reply = NULL;
	int status = store_idle(store);
	if (status != STORE_OK)
		return status;
	key_global(&store->key, store->prefix, "meta");
	command_start(&store->command, "EVAL");
	command_add(&store->command, SLICE(question));
	command_add_int(&store->command, 1);
	command_add(&store->command, buf_slice(&store->key));
	for (size_t i = 0; i < COUNT_OF(commands); i++)
		command_add(&store->command, slice_of(commands[i]));
	status = link_ask(store->link, &store->command, &reply);
	snprintf(missing, size, "%.*s", SLICE_ARG(reply_text(reply)));
	freeReplyObject(reply);
	return status;
}

int
store_salt_left(struct store *store, int32_t day, int64_t *ms)
{
	redisReply *reply = NULL;
	int status = store_idle(store);
	if (status != STORE_OK)
		return status;
	key_salt(&store->key, store->prefix, day);
	command_start(&store->command, "PTTL");
	command_add(&store->command, buf_slice(&store->key));
	status = link_ask(store->link, &store->command, &reply);
	*ms = status == STORE_OK && reply->type == REDIS_REPLY_INTEGER ? reply->integer : 0;
	freeReplyObject(reply);
	return status;
}

int
store_count_positions(struct store *store, int64_t *count)
{
	int result = store_idle(store);
	*count = 0;
	if (result != STORE_OK)
		return result;
	for (int shard = 0; shard < CONF_SHARDS && result == STORE_OK; shard++) {
		key_streams(&store->key, store->prefix, shard);
		command_start(&store->command, "HLEN");
		command_add(&store->command, buf_slice(&store->key));
		result = link_send(store->link, &store->command);
	}
	for (int shard = 0; shard < CONF_SHARDS && result != STORE_UNAVAILABLE; shard++) {
		redisReply *reply = NULL;
		int status = link_receive(store->link, &reply);
		result = result == STORE_OK || status == STORE_UNAVAILABLE ? status : result;
		*count += status == STORE_OK ? reply_count(reply, 0) : 0;
		freeReplyObject(reply);
	}
	return result;
}
