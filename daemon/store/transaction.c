/* SPDX-License-Identifier: BSD-2-Clause */
/* MULTI ... EXEC for what operators change. The store's command is what is put into it. */
#include "store/inside.h"

void
transaction_begin(struct transaction *transaction, struct store *store)
{
	*transaction = (struct transaction){.store = store};
	command_start(&store->command, "MULTI");
	transaction_add(transaction);
}

void
transaction_add(struct transaction *transaction)
{
	struct store *store = transaction->store;
	if (transaction->status != STORE_OK)
		return;
	transaction->status = link_send(store->link, &store->command);
	transaction->sent++;
}

/* A command that failed did not stop the others. */
static int
refused_within(struct store *store, const redisReply *reply)
{
	for (size_t i = 0; i < reply->elements; i++)
		if (reply->element[i]->type == REDIS_REPLY_ERROR)
			return link_fail(store->link, STORE_REFUSED, "%s", reply->element[i]->str);
	return STORE_OK;
}

int
transaction_commit(struct transaction *transaction, bool *done)
{
	struct store *store = transaction->store;
	redisReply *reply = NULL;
	command_start(&store->command, "EXEC");
	transaction_add(transaction);
	int status = transaction->status;
	for (size_t i = 0; i < transaction->sent && status != STORE_UNAVAILABLE; i++) {
		freeReplyObject(reply);
		int received = link_receive(store->link, &reply);
		status = status == STORE_OK || received == STORE_UNAVAILABLE ? received : status;
	}
	*done = status == STORE_OK && reply->type == REDIS_REPLY_ARRAY;
	if (*done)
		status = refused_within(store, reply);
	freeReplyObject(reply);
	return status;
}

int
store_ask(struct store *store, redisReply **reply)
{
	return link_ask(store->link, &store->command, reply);
}

int
store_tell(struct store *store)
{
	redisReply *reply;
	int status = store_ask(store, &reply);
	freeReplyObject(reply);
	return status;
}

void
store_command(struct store *store, const char *name, struct slice tail)
{
	command_start(&store->command, name);
	command_add_joined(&store->command, buf_slice(&store->key), tail);
}
