/* SPDX-License-Identifier: BSD-2-Clause */
/* A number that stands for a configuration's values: whether two processes run with the same ones. */
#include <xxhash.h>

#include "base/conf_keys.h"

static void
add_text(XXH3_state_t *state, const char *text)
{
	XXH3_64bits_update(state, text, strlen(text) + 1);
}

/* Texts, networks, or (rows and the like) bytes, which stand in the place itself. */
static void
add_list(XXH3_state_t *state, const struct conf_key *key, const char *field, size_t count)
{
	const char *items = key->type == CONF_ROWS ? field : *(char *const *)field;
	size_t size = key->type == CONF_LISTENS || key->type == CONF_ADMIN_LISTENS
			      ? sizeof(struct conf_listen)
		      : key->type == CONF_NETWORKS ? sizeof(struct network)
		      : key->type == CONF_ROWS     ? 1
						   : sizeof(char *);
	bool texts = key->type != CONF_NETWORKS && key->type != CONF_ROWS;
	XXH3_64bits_update(state, &count, sizeof(count));
	for (size_t i = 0; i < count; i++, items += size)
		if (texts) /* a listener begins with its text */
			add_text(state, *(char *const *)items);
		else
			XXH3_64bits_update(state, items, size);
}

static void
add_value(XXH3_state_t *state, const struct conf_key *key, const void *base)
{
	const char *field = (const char *)base + key->offset;
	if (conf_key_is_list(key))
		add_list(state, key, field, conf_key_list_length(key, base));
	else if (key->type >= CONF_NUMBER && key->type <= CONF_SECONDS)
		XXH3_64bits_update(state, field, key->size);
	else
		add_text(state, *(char *const *)field);
}

uint64_t
conf_hash(const struct conf *conf, bool reloadable)
{
	XXH3_state_t *state = XXH3_createState();
	XXH3_64bits_reset(state);
	for (size_t i = 0; i < conf_key_count; i++) {
		const struct conf_key *key = &conf_keys[i];
		bool of_site = strcmp(key->section, "site") == 0;
		if (!of_site && key->reloadable == reloadable)
			add_value(state, key, conf);
		for (size_t site = 0; of_site && reloadable && site < conf->site_count; site++) {
			add_text(state, conf->sites[site].key);
			add_value(state, key, &conf->sites[site]);
		}
	}
	uint64_t hash = XXH3_64bits_digest(state);
	XXH3_freeState(state);
	return hash;
}
