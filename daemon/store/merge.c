/* SPDX-License-Identifier: BSD-2-Clause */
/* A site's keys on their way into another site. */
#include "store/merge.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/clock.h"
#include "store/keylist.h"
#include "store/piece.h"

enum { TURNS_MAX = 20, RETRIES_MAX = 1000, DATE_SIZE = 9 };

/* What stands for a stream that is put whole; behind every name of a key. */
#define WHOLE "~"

struct copying {
	struct store *store;
	struct merging *merging;
	struct buf holder; /* "SITE~1589959927000", in the shard of the site that is merged */
	int shard;
	char stream[STORE_STREAM_MAX];
	uint64_t position;
	struct piece_place place;
	bool whole;
};

/* --- setting apart --- */

static bool
is_any(struct slice tail, const void *arg)
{
	(void)arg;
	return memchr(tail.ptr, ':', tail.len) != NULL;
}

/* What was set apart and not yet merged. */
static int
find_holder(struct copying *copying, bool *found)
{
	struct store *store = copying->store;
	struct keylist keys = {0};
	key_shard_prefix(&store->key, store->prefix, copying->shard);
	size_t prefix = store->key.len;
	buf_add_slice(&store->key, copying->merging->from);
	buf_add_literal(&store->key, "~");
	int status = keylist_scan(store, &keys);
	keylist_filter(&keys, prefix, is_any, NULL);
	*found = keys.count > 0;
	if (*found) {
		const char *name = keys.names[0] + prefix;
		buf_clear(&copying->holder);
		buf_add(&copying->holder, name, strcspn(name, ":"));
	}
	keylist_release(&keys);
	return status;
}

static int
list_site(struct copying *copying, struct keylist *keys)
{
	struct store *store = copying->store;
	key_site(&store->key, store->prefix, copying->shard, copying->merging->from);
	return keylist_scan(store, keys);
}

/* The mark says that the site is shown as less, which is no loss; it forgets nothing. */
static void
add_mark(struct transaction *transaction, const struct copying *copying, int64_t now)
{
	struct store *store = transaction->store;
	key_forgotten(&store->key, store->prefix, copying->shard);
	store_command(store, "HSET", (struct slice){0});
	command_add_joined(&store->command, copying->merging->from, SLICE(" merged"));
	command_add_int(&store->command, now);
	command_add_literal(&store->command, ":");
	command_add_int(&store->command, now);
	transaction_add(transaction);
}

static int
newest_mark(struct copying *copying, int64_t *newest)
{
	redisReply *reply;
	struct store *store = copying->store;
	key_forgotten(&store->key, store->prefix, copying->shard);
	store_command(store, "WATCH", (struct slice){0});
	int status = store_tell(store);
	if (status == STORE_OK)
		status = forgotten_send(store, copying->shard);
	if (status == STORE_OK)
		status = link_receive(store->link, &reply);
	if (status != STORE_OK)
		return status;
	*newest = forgotten_read(reply);
	freeReplyObject(reply);
	if (*newest >= 0)
		return STORE_OK;
	return link_fail(store->link, STORE_REFUSED, "%s:{%02d}:forgotten is no hash",
			 store->prefix, copying->shard);
}

/* All keys at once: what is counted from now on begins with none. One that expired just now is no trouble. */
static int
set_apart(struct copying *copying, const struct keylist *keys)
{
	struct store *store = copying->store;
	struct transaction transaction;
	struct buf name = {0};
	int64_t newest, now = clock_wall_ms();
	bool done = false;
	int status = newest_mark(copying, &newest);
	if (status != STORE_OK)
		return status;
	now = now > newest ? now : newest + 1;
	buf_clear(&copying->holder);
	buf_addf(&copying->holder, "%.*s~%" PRId64, SLICE_ARG(copying->merging->from), now);
	transaction_begin(&transaction, store);
	add_mark(&transaction, copying, now);
	key_site(&name, store->prefix, copying->shard, copying->merging->from);
	size_t prefix = name.len;
	key_site(&name, store->prefix, copying->shard, buf_slice(&copying->holder));
	for (size_t i = 0; i < keys->count; i++) {
		command_start(&store->command, "RENAMENX");
		command_add(&store->command, slice_of(keys->names[i]));
		command_add_joined(&store->command, buf_slice(&name),
				   slice_of(keys->names[i] + prefix));
		transaction_add(&transaction);
	}
	buf_release(&name);
	status = transaction_commit(&transaction, &done);
	bool expired = done && strstr(link_error(store->link), "no such key");
	return status == STORE_REFUSED && expired ? STORE_OK : status;
}

/* --- copying --- */

static void
name_stream(struct copying *copying)
{
	struct slice to = copying->merging->to, holder = buf_slice(&copying->holder);
	XXH64_hash_t seed = XXH3_64bits(to.ptr, to.len);
	XXH128_hash_t hash = XXH3_128bits_withSeed(holder.ptr, holder.len, seed);
	snprintf(copying->stream, sizeof(copying->stream), "m:%016" PRIx64 "%016" PRIx64,
		 hash.high64, hash.low64);
}

/* "offset:YYYYMMDD:TAIL:DONE" */
static void
take_position(struct copying *copying, const struct position *position)
{
	const char *tail = position->rest + DATE_SIZE;
	const char *colon = position->present ? strrchr(position->rest, ':') : NULL;
	copying->position = position->offset;
	copying->place = (struct piece_place){0};
	if (!colon || colon < tail)
		return;
	snprintf(copying->place.tail, sizeof(copying->place.tail), "%.*s", (int)(colon - tail),
		 tail);
	copying->place.done = strtoull(colon + 1, NULL, 10);
	copying->whole = strcmp(copying->place.tail, WHOLE) == 0;
}

static int
read_position(struct copying *copying)
{
	const char *names[] = {copying->stream};
	struct position *all = xcalloc(CONF_SHARDS, sizeof(*all));
	int status = store_positions(copying->store, names, 1, all);
	if (status == STORE_OK)
		take_position(copying, &all[key_shard(copying->merging->to)]);
	free(all);
	return status;
}

static int
put_cb(const struct piece *piece, void *arg)
{
	struct copying *copying = arg;
	char today[PERIOD_NAME_SIZE], rest[sizeof(((struct position *)0)->rest)];
	size_t width = piece->kind == PIECE_VISITORS ? 1 : 2;
	period_name(PERIOD_DAY, (int32_t)(clock_wall_ms() / 86400000), today);
	snprintf(rest, sizeof(rest), "%.4s%.2s%.2s:%.*s:%zu", today, today + 5, today + 8,
		 SLICE_ARG(piece->tail), piece->first + piece->count / width);
	const struct advance advance = {copying->stream, copying->position, copying->position + 1,
					rest};
	const struct piece_target target = {.site = copying->merging->to};
	struct position stored;
	int status = piece_put(copying->store, &target, &advance, piece, &stored,
			       &copying->merging->refused);
	if (status == STORE_OK)
		copying->position++;
	return status;
}

/* Somebody else may be at it as well: whoever finds the position moved goes on from there. */
static int
copy(struct copying *copying)
{
	const struct piece whole = {.tail = SLICE(WHOLE), .kind = PIECE_NONE};
	int status = STORE_MISMATCH;
	copying->whole = false;
	name_stream(copying);
	for (int i = 0; i < RETRIES_MAX && status == STORE_MISMATCH; i++) {
		status = read_position(copying);
		if (status != STORE_OK || copying->whole)
			return status;
		status = piece_each(copying->store, copying->shard, buf_slice(&copying->holder),
				    &copying->place, put_cb, copying);
		if (status == STORE_OK)
			status = put_cb(&whole, copying);
	}
	return status;
}

static int
remove_holder(struct copying *copying)
{
	struct store *store = copying->store;
	struct keylist keys = {0};
	key_site(&store->key, store->prefix, copying->shard, buf_slice(&copying->holder));
	int status = keylist_scan(store, &keys);
	for (size_t i = 0; i < keys.count && status == STORE_OK; i++) {
		command_start(&store->command, "UNLINK");
		command_add(&store->command, slice_of(keys.names[i]));
		status = store_tell(store);
	}
	keylist_release(&keys);
	return status;
}

/* --- all of it --- */

/* *more: there was something to merge. */
static int
turn(struct copying *copying, bool *more)
{
	struct keylist keys = {0};
	int status = find_holder(copying, more);
	if (status == STORE_OK && !*more) {
		status = list_site(copying, &keys);
		*more = keys.count > 0;
		if (status == STORE_OK && *more)
			status = set_apart(copying, &keys);
		keylist_release(&keys);
		/* Found again by the next turn, unless the marks changed and nothing was done. */
		return status;
	}
	if (status == STORE_OK && *more)
		status = copy(copying);
	if (status == STORE_OK && *more)
		status = remove_holder(copying);
	return status;
}

int
store_merge(struct store *store, struct merging *merging, bool apply)
{
	struct copying copying = {
		.store = store, .merging = merging, .shard = key_shard(merging->from)};
	struct keylist keys = {0};
	bool more = true;
	merging->refused = 0;
	int status = store_idle(store);
	if (status == STORE_OK)
		status = find_holder(&copying, &merging->begun);
	if (status == STORE_OK)
		status = list_site(&copying, &keys);
	merging->keys = keys.count;
	keylist_release(&keys);
	for (int i = 0; i < TURNS_MAX && apply && status == STORE_OK && more; i++)
		status = turn(&copying, &more);
	buf_release(&copying.holder);
	return status;
}

int
store_has_counts(struct store *store, struct slice site, bool *out)
{
	static const char *const tails[] = {"hits", "bots", "pages"};
	redisReply *reply;
	int status = store_idle(store);
	*out = false;
	if (status != STORE_OK)
		return status;
	key_site(&store->key, store->prefix, key_shard(site), site);
	command_start(&store->command, "EXISTS");
	for (size_t i = 0; i < COUNT_OF(tails); i++)
		command_add_joined(&store->command, buf_slice(&store->key), slice_of(tails[i]));
	status = store_ask(store, &reply);
	*out = status == STORE_OK && reply->integer > 0;
	freeReplyObject(reply);
	return status;
}
