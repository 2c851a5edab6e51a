/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finding a site by its key or by a host: two open-addressed hash tables, built once, read by every hit. The names
 * in them are the operator's; a stranger's name is only looked up, so the hash needs no secret.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/conf_box.h"
#include "base/conf_value.h"

static void
index_init(struct conf_index *index, size_t names)
{
	uint32_t size = 16;
	while (size < 2 * names)
		size *= 2;
	index->slots = xcalloc(size, sizeof(*index->slots));
	index->mask = size - 1;
}

/* The slot that holds `text`, or the free one where it belongs. */
static inline struct conf_slot *
index_slot(const struct conf_index *index, struct slice text, uint16_t *tag)
{
	uint64_t hash = XXH3_64bits(text.ptr, text.len);
	*tag = (uint16_t)(hash >> 48);
	for (uint32_t at = (uint32_t)hash;; at++) {
		struct conf_slot *slot = &index->slots[at & index->mask];
		if (!slot->text)
			return slot;
		if (slot->tag == *tag && slot->len == text.len &&
		    memcmp(slot->text, text.ptr, text.len) == 0)
			return slot;
	}
}

/* Returns the site that has the name already, NULL when it was free. */
static const struct conf_site *
index_add(struct conf_index *index, const struct conf *conf, const char *name, uint32_t site)
{
	uint16_t tag;
	struct slice text = slice_of(name);
	struct conf_slot *slot = index_slot(index, text, &tag);
	if (slot->text)
		return &conf->sites[slot->site];
	*slot = (struct conf_slot){name, site, (uint16_t)text.len, tag};
	return NULL;
}

static inline const struct conf_site *
index_find(const struct conf_index *index, const struct conf *conf, struct slice text)
{
	uint16_t tag;
	const struct conf_slot *slot = index_slot(index, text, &tag);
	return slot->text ? &conf->sites[slot->site] : NULL;
}

static bool
claim_host(struct conf_loading *loading, uint32_t at, const char *host)
{
	struct conf_box *box = loading->box;
	const struct conf_site *site = &box->conf.sites[at];
	bool pattern = host[0] == '*' && host[1];
	const struct conf_site *owner =
		index_add(&box->by_host, &box->conf, pattern ? host + 1 : host, at);
	box->pattern_count += pattern;
	if (strcmp(host, "*") == 0)
		box->any_host = site;
	if (owner == site)
		conf_refuse(loading, "%s:%d: site.%s.hosts names \"%s\" twice; allowed: once",
			    site->file, site->line, site->key, host);
	else if (owner)
		conf_refuse(loading,
			    "%s:%d: site.%s.hosts has \"%s\", which site \"%s\" (%s:%d) has "
			    "already; allowed: a "
			    "host in one site only",
			    site->file, site->line, site->key, host, owner->key, owner->file,
			    owner->line);
	return !owner;
}

static bool
claim_key(struct conf_loading *loading, uint32_t at)
{
	struct conf_box *box = loading->box;
	const struct conf_site *site = &box->conf.sites[at];
	const struct conf_site *owner = index_add(&box->by_key, &box->conf, site->key, at);
	if (owner)
		conf_refuse(
			loading,
			"%s:%d: site \"%s\" is defined already (%s:%d); allowed: each site once",
			site->file, site->line, site->key, owner->file, owner->line);
	return !owner;
}

/* Keys go first, so it is the former key that is in the way. */
static bool
claim_alias(struct conf_loading *loading, uint32_t at, const char *alias)
{
	struct conf_box *box = loading->box;
	const struct conf_site *site = &box->conf.sites[at];
	const struct conf_site *owner = index_add(&box->by_key, &box->conf, alias, at);
	if (owner)
		conf_refuse(loading,
			    "%s:%d: site.%s.aliases has \"%s\", which is a key of site \"%s\" "
			    "(%s:%d) already; allowed: a key of no site, once",
			    site->file, site->line, site->key, alias, owner->key, owner->file,
			    owner->line);
	return !owner;
}

bool
conf_index_build(struct conf_loading *loading)
{
	struct conf_box *box = loading->box;
	size_t hosts = 0, keys = box->conf.site_count;
	for (size_t i = 0; i < box->conf.site_count; i++) {
		hosts += box->conf.sites[i].host_count;
		keys += box->conf.sites[i].alias_count;
	}
	index_init(&box->by_key, keys);
	index_init(&box->by_host, hosts);
	for (uint32_t i = 0; i < box->conf.site_count; i++) {
		const struct conf_site *site = &box->conf.sites[i];
		if (!claim_key(loading, i))
			return false;
		for (size_t h = 0; h < site->host_count; h++)
			if (!claim_host(loading, i, site->hosts[h]))
				return false;
	}
	for (uint32_t i = 0; i < box->conf.site_count; i++)
		for (size_t a = 0; a < box->conf.sites[i].alias_count; a++)
			if (!claim_alias(loading, i, box->conf.sites[i].aliases[a]))
				return false;
	return true;
}

const struct conf_site *
conf_site_by_key(const struct conf *conf, struct slice key)
{
	const struct conf_box *box = (const struct conf_box *)conf;
	return index_find(&box->by_key, conf, key);
}

/* "[::1]:80" and "[::1]" are ::1, "a.org:80" and "a.org." are a.org, "::1" is itself. */
static struct slice
bare_host(struct slice host)
{
	size_t end = host.len;
	if (end > 0 && host.ptr[0] == '[') {
		const char *close = memchr(host.ptr, ']', end);
		return close ? (struct slice){host.ptr + 1, (size_t)(close - host.ptr) - 1} : host;
	}
	while (end > 0 && host.ptr[end - 1] >= '0' && host.ptr[end - 1] <= '9')
		end--;
	if (end > 0 && host.ptr[end - 1] == ':' && !memchr(host.ptr, ':', end - 1))
		host.len = end - 1;
	if (host.len > 1 && host.ptr[host.len - 1] == '.')
		host.len--;
	return host;
}

/* Eight bytes at once: the high bit of each tells whether it is one of A to Z, and becomes its bit 0x20. */
static inline void
lower_word(char *out, const char *text)
{
	const uint64_t each = UINT64_C(0x0101010101010101);
	uint64_t word;
	memcpy(&word, text, sizeof(word));
	uint64_t low = word & 0x7f * each;
	uint64_t from_a = low + (0x80 - 'A') * each, past_z = low + (0x7f - 'Z') * each;
	word |= ((from_a ^ past_z) & ~word & 0x80 * each) >> 2;
	memcpy(out, &word, sizeof(word));
}

/* The last word of a long name overlaps the one before: single bytes would be slow to read back. */
static inline void
lower_copy(char *out, struct slice text)
{
	size_t at = 0, word = sizeof(uint64_t);
	for (; at + word <= text.len; at += word)
		lower_word(out + at, text.ptr + at);
	if (at < text.len && text.len > word)
		lower_word(out + text.len - word, text.ptr + text.len - word);
	else
		for (; at < text.len; at++)
			out[at] = (char)(text.ptr[at] | (text.ptr[at] >= 'A' && text.ptr[at] <= 'Z')
								<< 5);
}

static const struct conf_site *
find_pattern(const struct conf_box *box, struct slice host)
{
	if (box->pattern_count == 0)
		return NULL;
	for (size_t i = 1; i < host.len; i++) {
		if (host.ptr[i] != '.')
			continue;
		struct slice rest = {host.ptr + i, host.len - i};
		const struct conf_site *site = index_find(&box->by_host, &box->conf, rest);
		if (site)
			return site;
	}
	return NULL;
}

static bool
host_fits(struct slice bare)
{
	return bare.len > 0 && bare.len <= CONF_HOST_MAX && bare.ptr[0] != '.';
}

const struct conf_site *
conf_site_naming_host(const struct conf *conf, struct slice host)
{
	const struct conf_box *box = (const struct conf_box *)conf;
	char lower[CONF_HOST_MAX];
	host = bare_host(host);
	if (!host_fits(host))
		return NULL;
	lower_copy(lower, host);
	struct slice name = {lower, host.len};
	const struct conf_site *site = index_find(&box->by_host, conf, name);
	return site ? site : find_pattern(box, name);
}

const struct conf_site *
conf_site_by_host(const struct conf *conf, struct slice host)
{
	const struct conf_box *box = (const struct conf_box *)conf;
	const struct conf_site *site = conf_site_naming_host(conf, host);
	return site || !host_fits(bare_host(host)) ? site : box->any_host;
}
