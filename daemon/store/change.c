/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of what operators changed, and how those who show numbers learn of it. */
#include "store/change.h"

#include "store/inside.h"

static int
ask_audit(struct store *store, const char *command, struct slice line, redisReply **reply)
{
	*reply = NULL;
	int status = store_idle(store);
	if (status != STORE_OK)
		return status;
	key_global(&store->key, store->prefix, "audit");
	store_command(store, command, (struct slice){0});
	command_add(&store->command, line);
	return store_ask(store, reply);
}

int
change_note_before(struct store *store, struct slice line)
{
	redisReply *reply;
	int status = ask_audit(store, "LPOS", line, &reply);
	bool known = status == STORE_OK && reply->type == REDIS_REPLY_INTEGER;
	freeReplyObject(reply);
	if (status != STORE_OK || known)
		return status;
	status = ask_audit(store, "LPUSH", line, &reply);
	freeReplyObject(reply);
	return status;
}

int
change_note(struct store *store, struct slice line)
{
	char oldest[BUF_INT_MAX + 2];
	redisReply *reply;
	int status = ask_audit(store, "RPUSH", line, &reply);
	freeReplyObject(reply);
	if (status != STORE_OK)
		return status;
	snprintf(oldest, sizeof(oldest), "-%d", CHANGE_AUDIT_MAX);
	status = store_ask_global(store, "LTRIM", "audit", (const char *[]){oldest, "-1"}, 2,
				  &reply);
	freeReplyObject(reply);
	return status;
}

int
change_list(struct store *store, void (*each)(struct slice line, void *arg), void *arg)
{
	redisReply *reply;
	int status =
		store_ask_global(store, "LRANGE", "audit", (const char *[]){"0", "-1"}, 2, &reply);
	for (size_t i = 0; status == STORE_OK && i < reply->elements; i++)
		each(reply_text(reply->element[i]), arg);
	freeReplyObject(reply);
	return status;
}

int
change_done(struct store *store)
{
	redisReply *reply;
	int status = store_ask_global(store, "HINCRBY", "meta", (const char *[]){"changes", "1"}, 2,
				      &reply);
	freeReplyObject(reply);
	return status;
}

int
store_changes(struct store *store, int64_t *out)
{
	redisReply *reply;
	int status =
		store_ask_global(store, "HGET", "meta", (const char *[]){"changes"}, 1, &reply);
	*out = status == STORE_OK ? reply_count(reply, 0) : 0;
	freeReplyObject(reply);
	return status;
}
