/* SPDX-License-Identifier: BSD-2-Clause */
/* What operators made shards forget, as Redis has it. Reads only. */
#include "store/inside.h"

int
forgotten_send(struct store *store, int shard)
{
	key_forgotten(&store->key, store->prefix, shard);
	command_start(&store->command, "HGET");
	command_add(&store->command, buf_slice(&store->key));
	command_add_literal(&store->command, ":");
	return link_send(store->link, &store->command);
}

int64_t
forgotten_read(const redisReply *reply)
{
	if (!reply || reply->type == REDIS_REPLY_ERROR)
		return -1;
	int64_t ms = reply_count(reply, 0);
	return ms < 0 ? 0 : ms;
}

int
store_forgotten(struct store *store, int64_t newest[CONF_SHARDS])
{
	int status = store_idle(store);
	for (int shard = 0; shard < CONF_SHARDS && status == STORE_OK; shard++)
		status = forgotten_send(store, shard);
	if (status != STORE_OK)
		return status;
	for (int shard = 0; shard < CONF_SHARDS; shard++) {
		redisReply *reply;
		if (link_receive(store->link, &reply) == STORE_UNAVAILABLE)
			return STORE_UNAVAILABLE;
		newest[shard] = forgotten_read(reply);
		freeReplyObject(reply);
	}
	return STORE_OK;
}

int
store_marks(struct store *store, int shard, void (*each)(struct slice field, int64_t ms, void *arg),
	    void *arg)
{
	redisReply *reply;
	int status = store_idle(store);
	if (status != STORE_OK)
		return status;
	key_forgotten(&store->key, store->prefix, shard);
	command_start(&store->command, "HGETALL");
	command_add(&store->command, buf_slice(&store->key));
	status = link_ask(store->link, &store->command, &reply);
	for (size_t i = 0; status == STORE_OK && i + 1 < reply->elements; i += 2)
		each(reply_text(reply->element[i]), reply_count(reply->element[i + 1], 0), arg);
	freeReplyObject(reply);
	return status;
}

int
store_site_forgotten(struct store *store, struct slice site, int64_t *ms)
{
	redisReply *reply;
	int status = store_idle(store);
	*ms = 0;
	if (status != STORE_OK)
		return status;
	key_forgotten(&store->key, store->prefix, key_shard(site));
	store_command(store, "HMGET", (struct slice){0});
	command_add(&store->command, site);
	command_add_literal(&store->command, "*");
	status = store_ask(store, &reply);
	for (size_t i = 0; status == STORE_OK && i < reply->elements; i++) {
		int64_t mark = reply_count(reply->element[i], 0);
		*ms = mark > *ms ? mark : *ms;
	}
	freeReplyObject(reply);
	return status;
}

void
store_know_forgotten(struct store *store, int shard, int64_t newest)
{
	store->forgotten[shard] = newest;
}
