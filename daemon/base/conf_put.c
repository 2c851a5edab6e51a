/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Putting a value where its key says: checked, converted, copied into the configuration's pool. What is refused
 * leaves no trace. Finds no words for a refusal: see base/conf_keys.c.
 */
#include "base/conf_keys.h"

#include "base/conf_value.h"
#include "base/log.h"

static bool
put_number(const struct conf_key *key, void *field, int64_t value)
{
	if (key->size == sizeof(int64_t)) {
		memcpy(field, &value, sizeof(value));
	} else if (key->size == sizeof(int)) {
		int narrow = (int)value;
		memcpy(field, &narrow, sizeof(narrow));
	} else {
		*(bool *)field = value != 0;
	}
	return true;
}

static bool
put_text(struct conf_box *box, void *field, struct slice text)
{
	*(char **)field = conf_pool_text(&box->pool, text);
	return true;
}

/* A list's array doubles whenever its length is a power of two. */
static void *
list_place(struct conf_box *box, void *field, size_t count, size_t size)
{
	char *items = *(char **)field;
	if ((count & (count - 1)) == 0) {
		char *wider = conf_pool_alloc(&box->pool, (count ? 2 * count : 1) * size);
		if (count)
			memcpy(wider, items, count * size);
		*(char **)field = items = wider;
	}
	return items + count * size;
}

static size_t *
list_length(const struct conf_key *key, void *base)
{
	return (size_t *)((char *)base + key->count_offset);
}

static bool
put_text_value(struct conf_box *box, const struct conf_key *key, void *base, const char *text)
{
	return put_text(box, (char *)base + key->offset, slice_of(text));
}

static bool
put_number_value(struct conf_box *box, const struct conf_key *key, void *base, const char *text)
{
	static bool (*const parsers[])(const char *, int64_t *) = {
		[CONF_NUMBER] = conf_parse_number,
		[CONF_SIZE] = conf_parse_size,
		[CONF_SECONDS] = conf_parse_seconds,
	};
	(void)box;
	int64_t value;
	return parsers[key->type](text, &value) && value >= key->min && value <= key->max &&
	       put_number(key, (char *)base + key->offset, value);
}

static bool
put_switch(struct conf_box *box, const struct conf_key *key, void *base, const char *text)
{
	(void)box;
	int64_t value;
	return conf_parse_switch(text, &value) &&
	       put_number(key, (char *)base + key->offset, value);
}

static int
word_index(const struct conf_key *key, const char *text)
{
	for (size_t i = 0; i < key->word_count; i++)
		if (strcmp(key->words[i], text) == 0)
			return (int)i;
	return -1;
}

static bool
put_choice(struct conf_box *box, const struct conf_key *key, void *base, const char *text)
{
	(void)box;
	int word = word_index(key, text);
	return word >= 0 && put_number(key, (char *)base + key->offset, word);
}

static bool
put_base_path(struct conf_box *box, const struct conf_key *key, void *base, const char *text)
{
	struct slice path;
	return conf_parse_base_path(text, &path) && put_text(box, (char *)base + key->offset, path);
}

static bool
put_redis(struct conf_box *box, const struct conf_key *key, void *base, const char *text)
{
	return conf_parse_redis(text) && put_text_value(box, key, base, text);
}

static bool
put_redis_prefix(struct conf_box *box, const struct conf_key *key, void *base, const char *text)
{
	return conf_parse_redis_prefix(text) && put_text_value(box, key, base, text);
}

static const struct conf_zone *
shared_zone(struct conf_box *box, const char *name)
{
	for (size_t i = 0; i < box->zone_count; i++)
		if (strcmp(box->zones[i].name, name) == 0)
			return &box->zones[i];
	struct zone *zone;
	if (zone_load(NULL, name, &zone) != 0)
		return NULL;
	box->zones = xrealloc(box->zones, (box->zone_count + 1) * sizeof(*box->zones));
	struct conf_zone *fresh = &box->zones[box->zone_count++];
	*fresh = (struct conf_zone){conf_pool_text(&box->pool, slice_of(name)), zone};
	return fresh;
}

static bool
put_zone(struct conf_box *box, const struct conf_key *key, void *base, const char *text)
{
	(void)key;
	struct conf_site *site = base;
	const struct conf_zone *found = shared_zone(box, text);
	if (!found)
		return false;
	site->timezone = found->name;
	site->zone = found->zone;
	return true;
}

static bool
put_listen(struct conf_box *box, const struct conf_key *key, void *base, const char *text)
{
	struct conf_address address;
	if (!conf_parse_listen(text, &address) ||
	    (address.proxy && key->type == CONF_ADMIN_LISTENS))
		return false;
	struct conf_pool *pool = &box->pool;
	struct conf_listen *listen = list_place(box, (char *)base + key->offset,
						*list_length(key, base), sizeof(*listen));
	*listen = (struct conf_listen){
		.text = conf_pool_text(pool, slice_of(text)),
		.host = address.host.ptr ? conf_pool_text(pool, address.host) : NULL,
		.port = address.port.ptr ? conf_pool_text(pool, address.port) : NULL,
		.path = address.path.ptr ? conf_pool_text(pool, address.path) : NULL,
		.proxy = address.proxy,
	};
	return true;
}

static bool
put_list_text(struct conf_box *box, const struct conf_key *key, void *base, const char *text)
{
	char **place = list_place(box, (char *)base + key->offset, *list_length(key, base),
				  sizeof(*place));
	return put_text(box, place, slice_of(text));
}

static bool
put_host(struct conf_box *box, const struct conf_key *key, void *base, const char *text)
{
	char host[CONF_HOST_MAX + 1];
	return conf_parse_host(text, host) && put_list_text(box, key, base, host);
}

static bool
put_query(struct conf_box *box, const struct conf_key *key, void *base, const char *text)
{
	return conf_parse_query_key(text) && put_list_text(box, key, base, text);
}

static bool
put_site_key(struct conf_box *box, const struct conf_key *key, void *base, const char *text)
{
	return conf_parse_site_key(text) && put_list_text(box, key, base, text);
}

static bool
put_file(struct conf_box *box, const struct conf_key *key, void *base, const char *text)
{
	return *text && put_list_text(box, key, base, text);
}

static bool
put_network(struct conf_box *box, const struct conf_key *key, void *base, const char *text)
{
	struct network network;
	if (!network_parse(text, &network))
		return false;
	struct network *place = list_place(box, (char *)base + key->offset, *list_length(key, base),
					   sizeof(*place));
	*place = network;
	return true;
}

static bool
put_row(struct conf_box *box, const struct conf_key *key, void *base, const char *text)
{
	(void)box;
	int row = word_index(key, text);
	if (row < 0)
		return false;
	((uint8_t *)base + key->offset)[*list_length(key, base)] = (uint8_t)row;
	return true;
}

static bool (*const putters[])(struct conf_box *box, const struct conf_key *key, void *base,
			       const char *text) = {
	[CONF_TEXT] = put_text_value,
	[CONF_NUMBER] = put_number_value,
	[CONF_SWITCH] = put_switch,
	[CONF_CHOICE] = put_choice,
	[CONF_SIZE] = put_number_value,
	[CONF_SECONDS] = put_number_value,
	[CONF_BASE_PATH] = put_base_path,
	[CONF_REDIS] = put_redis,
	[CONF_REDIS_PREFIX] = put_redis_prefix,
	[CONF_ZONE] = put_zone,
	[CONF_LISTENS] = put_listen,
	[CONF_ADMIN_LISTENS] = put_listen,
	[CONF_HOSTS] = put_host,
	[CONF_ROWS] = put_row,
	[CONF_QUERY] = put_query,
	[CONF_SITE_KEYS] = put_site_key,
	[CONF_FILES] = put_file,
	[CONF_NETWORKS] = put_network,
};

bool
conf_key_put(struct conf_box *box, const struct conf_key *key, void *base, const char *text)
{
	bool list = conf_key_is_list(key);
	if (list && conf_key_list_length(key, base) >= (size_t)key->max)
		return false;
	bool numeric = key->type >= CONF_NUMBER && key->type <= CONF_SECONDS;
	if (!list && !numeric &&
	    ((int64_t)strlen(text) < key->min || (int64_t)strlen(text) > key->max))
		return false;
	if (!putters[key->type](box, key, base, text))
		return false;
	if (list)
		++*list_length(key, base);
	return true;
}

void
conf_key_clear_list(const struct conf_key *key, void *base)
{
	*list_length(key, base) = 0;
}

size_t
conf_key_list_length(const struct conf_key *key, const void *base)
{
	return *(const size_t *)((const char *)base + key->count_offset);
}

bool
conf_key_put_list(struct conf_box *box, const struct conf_key *key, void *base, const char *text,
		  const char **bad)
{
	conf_key_clear_list(key, base);
	*bad = text;
	text += strspn(text, " ");
	if (*text == '\0')
		return true;
	for (;;) {
		size_t len = strcspn(text, ",");
		size_t kept = len;
		while (kept > 0 && text[kept - 1] == ' ')
			kept--;
		*bad = conf_pool_text(&box->pool, (struct slice){text, kept});
		if (!conf_key_put(box, key, base, *bad))
			return false;
		if (text[len] == '\0')
			return true;
		text += len + 1;
		text += strspn(text, " ");
	}
}

void
conf_key_defaults(struct conf_box *box, const char *section, void *base)
{
	for (size_t i = 0; i < conf_key_count; i++) {
		const struct conf_key *key = &conf_keys[i];
		const char *bad;
		if (!conf_key_in(key, section) || !key->initial || key->type == CONF_ZONE)
			continue;
		bool fine = conf_key_is_list(key)
				    ? conf_key_put_list(box, key, base, key->initial, &bad)
				    : conf_key_put(box, key, base, key->initial);
		if (!fine)
			die("the default of %s is not one of its values", key->name);
	}
}
