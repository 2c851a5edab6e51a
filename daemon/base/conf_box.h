/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inside of a loaded configuration, for base/conf*.c alone: the memory that its texts live in, its zones, its
 * lookup tables. Nothing here may be touched once conf_load has returned it.
 */
#ifndef BASE_CONF_BOX_H
#define BASE_CONF_BOX_H

#include "base/conf.h"

/* Texts and small arrays that live as long as the configuration. Zeroed is a valid empty one. */
struct conf_pool {
	struct conf_block *newest;
};

void *conf_pool_alloc(struct conf_pool *pool, size_t size);
char *conf_pool_text(struct conf_pool *pool, struct slice text);
void conf_pool_release(struct conf_pool *pool);

struct conf_zone {
	char *name;
	struct zone *zone;
};

/* One name and the site that it leads to; text NULL: a free place. */
struct conf_slot {
	const char *text;
	uint32_t site;
	uint16_t len;
	uint16_t tag; /* of the hash, so that most other names need no look at their text */
};

struct conf_index {
	struct conf_slot *slots;
	uint32_t mask;
};

struct conf_box {
	struct conf conf; /* first: callers hold its address */
	_Atomic int refs;
	struct conf_pool pool;
	struct conf_zone *zones;
	size_t zone_count;
	struct conf_index by_key;
	struct conf_index by_host; /* "*.name" stands in it as ".name" */
	size_t pattern_count;
	const struct conf_site *any_host; /* the site that has "*" */
	size_t site_room;
};

/* What a load in progress carries along; the first refusal is the one that is reported. */
struct conf_loading {
	struct conf_box *box;
	char *error;
	size_t error_size;
	bool failed;
	conf_set_fn *note; /* NULL: nobody asks where values come from */
	void *note_arg;
};

void conf_refuse(struct conf_loading *loading, const char *format, ...) PRINTF(2, 3);

/* Reads the main file and what it includes into the box. False: refused. */
bool conf_file_read(struct conf_loading *loading, const char *path) MUST_CHECK;

/* A place for one more site. */
void conf_add_site(struct conf_box *box, const struct conf_site *site);

/* Builds both tables. False: a key or a host is claimed twice. */
bool conf_index_build(struct conf_loading *loading) MUST_CHECK;

#endif
