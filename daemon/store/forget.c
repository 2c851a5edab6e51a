/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Forgetting: the keys are listed first, then the mark is set and they are removed in one transaction. A key that came
 * between the two may hold something of before, so it all goes round once more, with a later mark, until none came.
 * Periods, whose keys are known, are taken out of the sums that hold them instead, day by day or month by month.
 */
#include "store/forget.h"

#include <sodium.h>

#include "base/clock.h"
#include "store/change.h"
#include "store/forget_inside.h"
#include "store/keylist.h"

enum { TURNS_MAX = 100, KEYS_PER_COMMAND = 500 };

/* --- which keys --- */

static bool
begins(struct slice text, const char *with)
{
	size_t len = strlen(with);
	return text.len >= len && memcmp(text.ptr, with, len) == 0;
}

/* Whether a key is one that the forgetting is about; `tail` is what follows the site's or the shard's prefix. */
static bool
is_meant(const struct forgetting *f, struct slice tail)
{
	if (f->scope == MARK_PAGE)
		return begins(tail, "pages") || begins(tail, "pagevisits");
	if (f->scope == MARK_VISITORS && *f->site.ptr == '*') {
		const char *colon = memchr(tail.ptr, ':', tail.len);
		size_t skip = colon ? (size_t)(colon + 1 - tail.ptr) : 0;
		tail = (struct slice){tail.ptr + skip, tail.len - skip};
	}
	if (f->scope == MARK_VISITORS)
		return slice_eq(tail, SLICE("seen")) || begins(tail, "unique:");
	return *f->site.ptr != '*' ||
	       !(slice_eq(tail, SLICE("streams")) || slice_eq(tail, SLICE("forgotten")));
}

static void
key_prefix(struct store *store, const struct forgetting *f)
{
	if (*f->site.ptr == '*')
		key_shard_prefix(&store->key, store->prefix, f->shard);
	else
		key_site(&store->key, store->prefix, f->shard, f->site);
}

static bool
is_meant_cb(struct slice tail, const void *arg)
{
	return is_meant(arg, tail);
}

static int
list_keys(struct store *store, const struct forgetting *f, struct keylist *keys)
{
	key_prefix(store, f);
	int status = keylist_scan(store, keys);
	keylist_filter(keys, store->key.len, is_meant_cb, f);
	return status;
}

/* --- the mark --- */

int
forget_watch(struct store *store, struct forgetting *f, int64_t *newest)
{
	redisReply *reply;
	key_forgotten(&store->key, store->prefix, f->shard);
	store_command(store, "WATCH", (struct slice){0});
	int status = store_tell(store);
	if (status != STORE_OK)
		return status;
	status = forgotten_send(store, f->shard);
	if (status == STORE_OK)
		status = link_receive(store->link, &reply);
	if (status != STORE_OK)
		return status;
	*newest = forgotten_read(reply);
	freeReplyObject(reply);
	if (*newest < 0)
		return link_fail(store->link, STORE_REFUSED,
				 "%s:{%02d}:forgotten is no hash: nothing was forgotten",
				 store->prefix, f->shard);
	int64_t now = clock_wall_ms();
	/* Another mark than every one before, or nobody would see that there is a new one. */
	if (!f->again)
		f->ms = now > *newest ? now : *newest + 1;
	return STORE_OK;
}

void
forget_add_mark(struct transaction *transaction, const struct forgetting *f, int64_t newest)
{
	struct store *store = transaction->store;
	char name[PERIOD_NAME_SIZE];
	buf_clear(&store->field);
	buf_add_slice(&store->field, f->site);
	if (f->scope == MARK_PERIOD)
		buf_addf(&store->field, " %s", period_name(f->kind, f->id, name));
	else if (f->scope == MARK_VISITORS)
		buf_add_literal(&store->field, " visitors");
	else if (f->scope == MARK_PAGE)
		buf_addf(&store->field, " %.*s", SLICE_ARG(f->page));
	key_forgotten(&store->key, store->prefix, f->shard);
	store_command(store, "HSET", (struct slice){0});
	command_add(&store->command, buf_slice(&store->field));
	command_add_int(&store->command, f->ms);
	command_add_literal(&store->command, ":");
	command_add_int(&store->command, f->ms > newest ? f->ms : newest);
	transaction_add(transaction);
}

/* --- keys --- */

static void
add_removals(struct transaction *transaction, const struct forgetting *f,
	     const struct keylist *keys)
{
	struct store *store = transaction->store;
	for (size_t i = 0; i < keys->count;) {
		if (f->scope == MARK_PAGE) {
			command_start(&store->command, "ZREM");
			command_add(&store->command, slice_of(keys->names[i++]));
			command_add(&store->command, f->page);
		} else {
			command_start(&store->command, "UNLINK");
			for (size_t end = i + KEYS_PER_COMMAND; i < keys->count && i < end; i++)
				command_add(&store->command, slice_of(keys->names[i]));
		}
		transaction_add(transaction);
	}
}

static int
remove_keys(struct store *store, struct forgetting *f, const struct keylist *keys)
{
	struct transaction transaction;
	bool done = false;
	int status = STORE_OK;
	for (int i = 0; i < TURNS_MAX && !done && status == STORE_OK; i++) {
		int64_t newest;
		status = forget_watch(store, f, &newest);
		if (status != STORE_OK)
			return status;
		transaction_begin(&transaction, store);
		forget_add_mark(&transaction, f, newest);
		add_removals(&transaction, f, keys);
		status = transaction_commit(&transaction, &done);
	}
	return status;
}

static int
forget_keys(struct store *store, struct forgetting *f, bool apply)
{
	struct keylist keys = {0}, left = {0};
	int status = list_keys(store, f, &keys);
	f->keys = keys.count;
	for (int i = 0; i < TURNS_MAX && apply && status == STORE_OK; i++) {
		status = remove_keys(store, f, &keys);
		keylist_release(&left);
		if (status == STORE_OK)
			status = list_keys(store, f, &left);
		if (status != STORE_OK || keylist_has_all(&keys, &left))
			break;
		struct keylist swap = keys;
		keys = left;
		left = swap;
	}
	keylist_release(&keys);
	keylist_release(&left);
	return status;
}

/* --- all of it --- */

/* What operators added to it goes with it: in a period, and of a page. */
static int
forget_adjustments(struct store *store, const struct forgetting *f)
{
	redisReply *reply;
	key_site(&store->key, store->prefix, f->shard, f->site);
	store_command(store, "HKEYS", SLICE("base"));
	int status = store_ask(store, &reply);
	for (size_t i = 0; status == STORE_OK && i < reply->elements; i++) {
		struct base_field field;
		if (!key_base_parse(reply_text(reply->element[i]), &field) ||
		    !(f->scope == MARK_PAGE ? slice_eq(field.page, f->page)
					    : period_holds(f->kind, f->id, field.kind, field.id)))
			continue;
		struct adjustment clearing = {.site = f->site,
					      .page = field.page,
					      .metric = field.metric,
					      .kind = f->scope == MARK_PAGE ? field.kind : f->kind,
					      .id = f->scope == MARK_PAGE ? field.id : f->id,
					      .how = ADJUST_CLEAR};
		status = change_adjust(store, &clearing, true);
	}
	freeReplyObject(reply);
	return status;
}

int
store_forget(struct store *store, struct forgetting *forgetting, bool apply)
{
	int status = store_idle(store);
	forgetting->keys = 0;
	if (status != STORE_OK)
		return status;
	status = forgetting->scope == MARK_PERIOD ? forget_period(store, forgetting, apply)
						  : forget_keys(store, forgetting, apply);
	bool adjusted = forgetting->scope == MARK_PERIOD || forgetting->scope == MARK_PAGE;
	if (status == STORE_OK && apply && adjusted)
		status = forget_adjustments(store, forgetting);
	return status;
}

int
store_forget_settings(struct store *store, struct slice site)
{
	int status = store_idle(store);
	if (status != STORE_OK)
		return status;
	key_global(&store->key, store->prefix, "sites");
	store_command(store, "HDEL", (struct slice){0});
	command_add(&store->command, site);
	return store_tell(store);
}

/* A salt of a day that is over somewhere and not yet everywhere is still in use. */
static bool
is_in_use(struct slice date, int32_t today)
{
	enum period_kind kind;
	int32_t day;
	return period_parse(date, &kind, &day) && kind == PERIOD_DAY && day >= today - 1;
}

int
store_forget_salts(struct store *store, int32_t today, size_t *count)
{
	struct keylist keys = {0};
	int status = store_idle(store);
	key_global(&store->key, store->prefix, "salt:");
	size_t prefix = store->key.len;
	if (status == STORE_OK)
		status = keylist_scan(store, &keys);
	*count = keys.count;
	for (size_t i = 0; i < keys.count && status == STORE_OK; i++) {
		unsigned char salt[16];
		bool used = is_in_use(slice_of(keys.names[i] + prefix), today);
		randombytes_buf(salt, sizeof(salt));
		command_start(&store->command, used ? "SET" : "UNLINK");
		command_add(&store->command, slice_of(keys.names[i]));
		if (used) {
			command_add(&store->command,
				    (struct slice){(const char *)salt, sizeof(salt)});
			command_add_literal(&store->command, "EX");
			command_add_int(&store->command, KEY_SALT_SECONDS);
		}
		status = store_tell(store);
	}
	keylist_release(&keys);
	return status;
}
