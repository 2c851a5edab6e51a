/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection to one Redis, synchronous: where it is, who we are there, and commands out, replies in. Knows no key.
 * Any failure to send or receive drops the connection, and with it every reply that is still outstanding: what they
 * asked for may or may not have happened. The process must ignore SIGPIPE.
 */
#ifndef STORE_LINK_H
#define STORE_LINK_H

#include <hiredis.h>

#include "store/command.h"
#include "store/store.h"

struct link;

/* NULL: one sentence in error, never with a password in it. Does not connect. */
struct link *link_new(const struct store_options *options, char *error, size_t error_size);
void link_free(struct link *link);

/* Connects, authenticates and selects the database. STORE_OK, _UNAVAILABLE or _REFUSED. */
int link_connect(struct link *link) MUST_CHECK;
void link_drop(struct link *link);
bool link_connected(const struct link *link);
/* Rises with every connection: replies asked for under another number will never come. */
uint64_t link_generation(const struct link *link);

/*
 * Queues one command made of `count` parts; it leaves with the next link_receive at the latest. STORE_OK or
 * _UNAVAILABLE.
 */
int link_send_parts(struct link *link, const struct command *const *parts, size_t count) MUST_CHECK;
int link_send(struct link *link, const struct command *command) MUST_CHECK;
/*
 * The next reply, to be freed with freeReplyObject. STORE_REFUSED: it is an error, kept in link_error as well.
 * STORE_UNAVAILABLE: *reply is NULL.
 */
int link_receive(struct link *link, redisReply **reply) MUST_CHECK;
/* Both for one command. */
int link_ask(struct link *link, const struct command *command, redisReply **reply) MUST_CHECK;

const char *link_error(const struct link *link);
/* Notes a sentence and returns `status`; STORE_UNAVAILABLE drops the connection. */
int link_fail(struct link *link, int status, const char *format, ...) PRINTF(3, 4);
struct store_stats link_stats(const struct link *link);

/* A string reply's bytes, or an absent slice for anything else. */
struct slice reply_text(const redisReply *reply);
/* An integer, or a string that is nothing but one; -1 otherwise, `missing` for nil. */
int64_t reply_count(const redisReply *reply, int64_t missing);
/* A number of either sign; 0 for anything else. */
int64_t reply_signed(const redisReply *reply);

#endif
