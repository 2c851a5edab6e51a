/* SPDX-License-Identifier: BSD-2-Clause */
/* A delta as the keys and arguments that apply.lua takes. Sends nothing. */
#ifndef STORE_ENCODE_H
#define STORE_ENCODE_H

#include "store/command.h"
#include "store/delta.h"
#include "store/keys.h"

struct encode_options {
	const char *prefix;
	int shard;
	int64_t pages_per_day;  /* most members of a day's table */
	int64_t journal_retain; /* seconds */
	int64_t now_ms;         /* for who is online */
};

/* Scratch memory, kept for the next time. Zeroed is a valid one. */
struct encoder {
	struct buf site; /* the beginning of its keys */
	struct key_day day;
	uint32_t *order; /* the delta's values by day, dimension and nth; then its runs by day */
	uint32_t *
		starts; /* where those of a day and dimension begin in it, those of a day's runs last */
	size_t order_room, starts_room;
};
void encoder_release(struct encoder *encoder);

/* Adds to both; returns the number of days. */
size_t encode_delta(struct encoder *encoder, const struct encode_options *options,
		    const struct delta *delta, struct command *keys, struct command *args);

#endif
