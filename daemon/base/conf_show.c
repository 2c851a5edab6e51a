/* SPDX-License-Identifier: BSD-2-Clause */
/* A configuration in force as text, key by key: what an operator may see of it. A password is not that. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/conf_keys.h"
#include "base/conf_value.h"

static int64_t
number_of(const struct conf_key *key, const void *field)
{
	int64_t wide;
	int narrow;
	if (key->size == sizeof(wide)) {
		memcpy(&wide, field, sizeof(wide));
		return wide;
	}
	if (key->size != sizeof(narrow))
		return *(const bool *)field;
	memcpy(&narrow, field, sizeof(narrow));
	return narrow;
}

static void
add_number(struct buf *out, const struct conf_key *key, const void *field)
{
	char text[32];
	int64_t value = number_of(key, field);
	if (key->type == CONF_SIZE)
		buf_addf(out, "%s", conf_format_size(value, text, sizeof(text)));
	else if (key->type == CONF_SECONDS && value > 0)
		buf_addf(out, "%s", conf_format_seconds(value, text, sizeof(text)));
	else if (key->type == CONF_SWITCH)
		buf_addf(out, "%s", value ? "true" : "false");
	else if (key->type == CONF_CHOICE)
		buf_addf(out, "%s", key->words[value]);
	else
		buf_addf(out, "%" PRId64, value);
}

/* "redis://user:***@host": between the first colon behind the scheme and the last @. */
static void
add_masked(struct buf *out, const char *url)
{
	const char *scheme = strstr(url, "://");
	const char *user = scheme ? scheme + 3 : url, *at = strrchr(user, '@');
	const char *colon = at ? memchr(user, ':', (size_t)(at - user)) : NULL;
	if (colon)
		buf_addf(out, "%.*s***%s", (int)(colon + 1 - url), url, at);
	else
		buf_addf(out, "%s", url);
}

static void
add_item(struct buf *out, const struct conf_key *key, const char *field, size_t nth)
{
	char network[NETWORK_TEXT_MAX];
	switch (key->type) {
	case CONF_LISTENS:
	case CONF_ADMIN_LISTENS:
		buf_addf(out, "%s", (*(struct conf_listen *const *)field)[nth].text);
		break;
	case CONF_ROWS:
		buf_addf(out, "%s", key->words[((const uint8_t *)field)[nth]]);
		break;
	case CONF_NETWORKS:
		network_format(&(*(struct network *const *)field)[nth], network);
		buf_addf(out, "%s", network);
		break;
	default:
		buf_addf(out, "%s", (*(char *const *const *)field)[nth]);
	}
}

static void
add_value(struct buf *out, const struct conf_key *key, const void *base)
{
	const char *field = (const char *)base + key->offset;
	size_t length = conf_key_is_list(key) ? conf_key_list_length(key, base) : 0;
	for (size_t i = 0; i < length; i++) {
		buf_addf(out, "%s", i ? "," : "");
		add_item(out, key, field, i);
	}
	if (conf_key_is_list(key))
		return;
	if (key->type >= CONF_NUMBER && key->type <= CONF_SECONDS)
		add_number(out, key, field);
	else if (key->type == CONF_REDIS)
		add_masked(out, *(char *const *)field);
	else
		buf_addf(out, "%s", *(char *const *)field);
}

/* The default as the same text, by putting it where a value goes. */
static void
add_default(struct buf *out, const struct conf_key *key)
{
	struct conf_box *box = xcalloc(1, sizeof(*box));
	struct conf_site site = {0};
	void *base = conf_key_in(key, "site") ? (void *)&site : &box->conf;
	const char *bad;
	if (key->type == CONF_ZONE) /* whose file need not be there */
		buf_addf(out, "%s", key->initial);
	else if (conf_key_is_list(key) ? conf_key_put_list(box, key, base, key->initial, &bad)
				       : conf_key_put(box, key, base, key->initial))
		add_value(out, key, base);
	conf_pool_release(&box->pool);
	free(box);
}

static void
show_keys(const struct conf *conf, const struct conf_site *site, const struct conf_key *key,
	  void (*each)(const struct conf_shown *shown, void *arg), void *arg)
{
	struct buf value = {0}, initial = {0};
	char full[160];
	conf_key_name(key, site ? site->key : NULL, full, sizeof(full));
	add_value(&value, key, site ? (const void *)site : conf);
	if (key->initial)
		add_default(&initial, key);
	struct conf_shown shown = {
		.site = site ? site->key : NULL,
		.section = key->section,
		.name = key->name,
		.full = full,
		.changed = !key->initial || !slice_eq(buf_slice(&value), buf_slice(&initial)),
	};
	buf_add(&value, "", 1);
	shown.value = value.data;
	each(&shown, arg);
	buf_release(&value);
	buf_release(&initial);
}

void
conf_show(const struct conf *conf, void (*each)(const struct conf_shown *shown, void *arg),
	  void *arg)
{
	for (size_t i = 0; i < conf_key_count; i++)
		if (!conf_key_in(&conf_keys[i], "site"))
			show_keys(conf, NULL, &conf_keys[i], each, arg);
	for (size_t site = 0; site < conf->site_count; site++)
		for (size_t i = 0; i < conf_key_count; i++)
			if (conf_key_in(&conf_keys[i], "site"))
				show_keys(conf, &conf->sites[site], &conf_keys[i], each, arg);
}
