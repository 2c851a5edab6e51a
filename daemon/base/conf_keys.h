/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of configuration keys, for base/conf*.c alone. The file's syntax, the environment's names, -o, every
 * check and every sentence about what is allowed are derived from it: a new key is a new row.
 */
#ifndef BASE_CONF_KEYS_H
#define BASE_CONF_KEYS_H

#include "base/conf_box.h"

enum conf_type {
	CONF_TEXT,
	CONF_NUMBER,
	CONF_SWITCH,
	CONF_CHOICE, /* the index of one of `words` */
	CONF_SIZE,
	CONF_SECONDS,
	CONF_BASE_PATH,
	CONF_REDIS,
	CONF_REDIS_PREFIX,
	CONF_ZONE,
	CONF_LISTENS, /* this and what follows are lists */
	CONF_ADMIN_LISTENS,
	CONF_HOSTS,
	CONF_ROWS, /* indices of `words`, as CONF_CHOICE, in an array of bytes */
	CONF_QUERY,
	CONF_SITE_KEYS,
	CONF_FILES,
	CONF_NETWORKS,
};

struct conf_key {
	const char *section; /* "", "journal", "limits" or "site" */
	const char *name;
	enum conf_type type;
	const char *initial; /* the default; a list's with commas; NULL: must be given */
	int64_t min, max;    /* of the value, a text's bytes, or a list's length */
	const char *const *words;
	size_t word_count;
	bool reloadable; /* a reload changes it; others wait for a restart */
	const char *help;
	size_t offset; /* in struct conf_site for section "site", else in struct conf */
	size_t size;
	size_t count_offset; /* of a list's length */
};

extern const struct conf_key conf_keys[];
extern const size_t conf_key_count;

static inline bool
conf_key_is_list(const struct conf_key *key)
{
	return key->type >= CONF_LISTENS;
}

/* NULL: unknown. Compared exactly. */
const struct conf_key *conf_key_find(const char *section, const char *name);
bool conf_key_in(const struct conf_key *key, const char *section);

/*
 * Sets a value, or adds one to a list, in `base` (struct conf or struct conf_site). False: not allowed, and nothing
 * is changed.
 */
bool conf_key_put(struct conf_box *box, const struct conf_key *key, void *base,
		  const char *text) MUST_CHECK;
/* Puts each part of `text`, cut at commas, into a list; its former values go. *bad: the refused part. */
bool conf_key_put_list(struct conf_box *box, const struct conf_key *key, void *base,
		       const char *text, const char **bad) MUST_CHECK;
void conf_key_clear_list(const struct conf_key *key, void *base);
size_t conf_key_list_length(const struct conf_key *key, const void *base);

/* Every default of a section but the time zone, which needs a file that may be missing. */
void conf_key_defaults(struct conf_box *box, const char *section, void *base);

/* "journal.sync", or with a site's key "site.KEY.language". */
void conf_key_name(const struct conf_key *key, const char *site, char *out, size_t size);
/* What may be written, as the end of a sentence. */
void conf_key_allowed(const struct conf_key *key, char *out, size_t size);
/* The names of a section's keys with commas; for "" the names of the sections as well. */
void conf_key_list_names(const char *section, char *out, size_t size);

/* "WHERE: NAME is "VALUE"; allowed: ...", NAME being conf_key_name's. */
void conf_refuse_value(struct conf_loading *loading, const char *where, const struct conf_key *key,
		       const char *site, const char *value);

/* To whoever asks where values come from: this one was set there. */
void conf_note(const struct conf_loading *loading, const struct conf_key *key, const char *site,
	       const char *where);

/* Whether two configurations differ in this key of a section other than "site". */
bool conf_key_differs(const struct conf_key *key, const struct conf *a, const struct conf *b);

#endif
