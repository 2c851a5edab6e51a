/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of keys, by SCAN: whatever is there all the while is found. Writes nothing. */
#include "store/keylist.h"

enum { KEYS_PER_SCAN = 1000 };

void
keylist_release(struct keylist *keys)
{
	for (size_t i = 0; i < keys->count; i++)
		free(keys->names[i]);
	free(keys->names);
	*keys = (struct keylist){0};
}

static int
compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool
has(const struct keylist *keys, char *name)
{
	return bsearch(&name, keys->names, keys->count, sizeof(char *), compare_names) != NULL;
}

bool
keylist_has_all(const struct keylist *keys, const struct keylist *others)
{
	for (size_t i = 0; i < others->count; i++)
		if (keys->count == 0 || !has(keys, others->names[i]))
			return false;
	return true;
}

/* Sorted, and none twice, which SCAN may name more than once. */
static void
sort(struct keylist *keys)
{
	size_t kept = 0;
	if (keys->count > 0)
		qsort(keys->names, keys->count, sizeof(char *), compare_names);
	for (size_t i = 0; i < keys->count; i++) {
		if (kept > 0 && strcmp(keys->names[kept - 1], keys->names[i]) == 0)
			free(keys->names[i]);
		else
			keys->names[kept++] = keys->names[i];
	}
	keys->count = kept;
}

void
keylist_filter(struct keylist *list, size_t prefix,
	       bool (*wanted)(struct slice tail, const void *arg), const void *arg)
{
	size_t kept = 0;
	for (size_t i = 0; i < list->count; i++) {
		if (wanted(slice_of(list->names[i] + prefix), arg))
			list->names[kept++] = list->names[i];
		else
			free(list->names[i]);
	}
	list->count = kept;
}

/* Of a glob pattern, what stands for itself. */
static void
add_escaped(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (memchr("*?[]\\^", text.ptr[i], 6))
			buf_add_literal(out, "\\");
		buf_add(out, text.ptr + i, 1);
	}
}

static void
take_keys(const redisReply *reply, struct keylist *keys)
{
	for (size_t i = 0; i < reply->elements; i++) {
		struct slice name = reply_text(reply->element[i]);
		if (keys->count == keys->room) {
			keys->room = keys->room ? 2 * keys->room : 64;
			keys->names = xrealloc(keys->names, keys->room * sizeof(char *));
		}
		keys->names[keys->count++] = xstrndup(name.ptr, name.len);
	}
}

int
keylist_scan(struct store *store, struct keylist *keys)
{
	struct buf pattern = {0}, cursor = {0};
	int status = STORE_OK;
	keylist_release(keys);
	add_escaped(&pattern, buf_slice(&store->key));
	buf_add_literal(&pattern, "*");
	buf_add_literal(&cursor, "0");
	do {
		redisReply *reply;
		command_start(&store->command, "SCAN");
		command_add(&store->command, buf_slice(&cursor));
		command_add_literal(&store->command, "MATCH");
		command_add(&store->command, buf_slice(&pattern));
		command_add_literal(&store->command, "COUNT");
		command_add_int(&store->command, KEYS_PER_SCAN);
		status = store_ask(store, &reply);
		if (status == STORE_OK && reply->elements == 2) {
			buf_clear(&cursor);
			buf_add_slice(&cursor, reply_text(reply->element[0]));
			take_keys(reply->element[1], keys);
		}
		freeReplyObject(reply);
	} while (status == STORE_OK && !slice_eq(buf_slice(&cursor), SLICE("0")));
	buf_release(&pattern);
	buf_release(&cursor);
	sort(keys);
	return status;
}
