/* SPDX-License-Identifier: BSD-2-Clause */
/* What store.c, apply.c and read.c share and nobody else sees: the store's body. */
#ifndef STORE_INSIDE_H
#define STORE_INSIDE_H

#include "store/encode.h"
#include "store/keys.h"
#include "store/link.h"

enum { STORE_CALLS_MAX = CONF_SHARDS, SCRIPT_SHA_SIZE = 41 };

/* A call of the script on its way: what it asked, kept until its reply is handed over. */
struct call {
	struct command keys, args;
	size_t streams, days;
	uint64_t generation; /* of the link that it was sent on */
	bool evaluated;      /* sent with the script's text */
	int shard;
	redisReply *reply; /* received, but not yet its turn */
};

/*
 * calls: a ring in the order sent, `first` is the next to hand over. wire: their indices in the order in which Redis
 * will answer; it differs when one had to be sent again because Redis did not know the script.
 */
struct pipeline {
	struct call calls[STORE_CALLS_MAX];
	size_t first, count;
	uint8_t wire[STORE_CALLS_MAX];
	size_t wire_first, wire_count;
	uint64_t generation;
	struct command head; /* scratch, as is what follows */
	struct encoder encoder;
};

struct store {
	struct link *link;
	char *prefix;
	int64_t pages_per_day, journal_retain;
	int64_t forgotten[CONF_SHARDS]; /* the newest mark that the caller knows */
	char script[SCRIPT_SHA_SIZE];
	struct command command; /* scratch, as are key, field and day */
	struct buf key, field;
	struct key_day day;
	struct pipeline pipeline;
	char identity[128];
	char warning[160];
	struct store_server server;
};

void pipeline_release(struct pipeline *pipeline);

/* STORE_REFUSED while replies to calls are outstanding, which a question's reply would be taken for. */
int store_idle(struct store *store) MUST_CHECK;

/* "offset:rest", or nil. False: it is neither. */
bool position_read(struct position *position, const redisReply *reply);
/* The positions of one shard: the question, and what was answered. */
int positions_send(struct store *store, int shard, const char *const *streams,
		   size_t count) MUST_CHECK;
int positions_read(struct store *store, int shard, const redisReply *reply, size_t count,
		   struct position *out) MUST_CHECK;

/* A transaction: each adds the store's command; only the last one says what went wrong. */
struct transaction {
	struct store *store;
	size_t sent;
	int status;
};
void transaction_begin(struct transaction *transaction, struct store *store);
void transaction_add(struct transaction *transaction);
/* *done: what was watched had not changed. STORE_REFUSED with it: a command in it was refused, the others done. */
int transaction_commit(struct transaction *transaction, bool *done) MUST_CHECK;
/* A command of a key that belongs to no shard, with the rest of its words; its reply, to be freed. */
int store_ask_global(struct store *store, const char *command, const char *name,
		     const char *const *words, size_t count, redisReply **reply) MUST_CHECK;
/* Begins the store's command, with the key in store->key and this tail. */
void store_command(struct store *store, const char *name, struct slice tail);
/* Sends it and takes the reply, to be freed; or only its status. */
int store_ask(struct store *store, redisReply **reply) MUST_CHECK;
int store_tell(struct store *store) MUST_CHECK;

/* The newest mark of a shard: the question, and what was answered. */
int forgotten_send(struct store *store, int shard) MUST_CHECK;
int64_t forgotten_read(const redisReply *reply);

#endif
