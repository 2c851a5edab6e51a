/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a configuration: file, environment and overrides laid over each other, checked as a whole, shared by
 * reference count, replaced by a reload. Knows neither the file's syntax nor a single key.
 */
#include "base/conf.h"

#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/conf_keys.h"
#include "base/conf_value.h"
#include "base/version.h"

#define ENV_PREFIX "THONGKE_"

enum { NAME_MAX_BYTES = 160, ALLOWED_MAX = 512 };

void
conf_refuse(struct conf_loading *loading, const char *format, ...)
{
	if (loading->failed)
		return;
	loading->failed = true;
	va_list args;
	va_start(args, format);
	vsnprintf(loading->error, loading->error_size, format, args);
	va_end(args);
}

void
conf_refuse_value(struct conf_loading *loading, const char *where, const struct conf_key *key,
		  const char *site, const char *value)
{
	char name[NAME_MAX_BYTES], allowed[ALLOWED_MAX];
	conf_key_name(key, site, name, sizeof(name));
	conf_key_allowed(key, allowed, sizeof(allowed));
	conf_refuse(loading, "%s: %s is \"%.80s\"; allowed: %s", where, name, value, allowed);
}

void
conf_note(const struct conf_loading *loading, const struct conf_key *key, const char *site,
	  const char *where)
{
	if (loading->note)
		loading->note(site, key->section, key->name, where, loading->note_arg);
}

void
conf_add_site(struct conf_box *box, const struct conf_site *site)
{
	struct conf *conf = &box->conf;
	if (conf->site_count == box->site_room) {
		box->site_room = box->site_room ? 2 * box->site_room : 4;
		conf->sites = xrealloc(conf->sites, box->site_room * sizeof(*conf->sites));
	}
	struct conf_site *added = &conf->sites[conf->site_count++];
	*added = *site;
	added->key_slice = slice_of(added->key);
	added->shard = crc16_xmodem(added->key_slice) % CONF_SHARDS;
}

/* --- environment and overrides --- */

static bool
put_override(struct conf_loading *loading, const char *where, const struct conf_key *key,
	     struct conf_site *site, const char *value)
{
	struct conf_box *box = loading->box;
	void *base = site ? (void *)site : &box->conf;
	const char *bad = value;
	bool fine = conf_key_is_list(key) ? conf_key_put_list(box, key, base, value, &bad)
					  : conf_key_put(box, key, base, value);
	if (!fine)
		conf_refuse_value(loading, where, key, site ? site->key : NULL, bad);
	else
		conf_note(loading, key, site ? site->key : NULL,
			  strncmp(where, "-o ", 3) == 0 ? "-o" : where);
	return fine;
}

/* By a walk: the tables are built after the last change of hosts. */
static struct conf_site *
find_site(const struct conf *conf, struct slice key)
{
	for (size_t i = 0; i < conf->site_count; i++)
		if (slice_eq(conf->sites[i].key_slice, key))
			return &conf->sites[i];
	return NULL;
}

static char
env_char(char c)
{
	if (c >= 'a' && c <= 'z')
		return (char)(c - 0x20);
	return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ? c : '_';
}

static bool
env_is(struct slice name, const char *text)
{
	size_t len = strlen(text);
	for (size_t i = 0; i < len && i < name.len; i++)
		if (name.ptr[i] != env_char(text[i]))
			return false;
	return len == name.len;
}

/* THONGKE_SITE_KEY_LANGUAGE: the middle is a site's key with everything but letters and digits as '_'. */
static bool
env_site(struct conf_loading *loading, const char *where, struct slice name,
	 const struct conf_key *key, struct conf_site **found)
{
	static const char before[] = "SITE_";
	size_t start = sizeof(before) - 1, tail = strlen(key->name) + 1;
	if (name.len <= start + tail || memcmp(name.ptr, before, start) != 0 ||
	    name.ptr[name.len - tail] != '_' ||
	    !env_is((struct slice){name.ptr + name.len - tail + 1, tail - 1}, key->name))
		return false;
	struct slice middle = {name.ptr + start, name.len - start - tail};
	struct conf *conf = &loading->box->conf;
	*found = NULL;
	for (size_t i = 0; i < conf->site_count; i++) {
		if (!env_is(middle, conf->sites[i].key))
			continue;
		if (*found)
			conf_refuse(
				loading,
				"%s: both site \"%s\" and site \"%s\" have this name; allowed: -o "
				"site.KEY.%s=VALUE instead",
				where, (*found)->key, conf->sites[i].key, key->name);
		*found = &conf->sites[i];
	}
	return *found != NULL;
}

static const struct conf_key *
env_key(struct conf_loading *loading, const char *where, struct slice name, struct conf_site **site)
{
	*site = NULL;
	for (size_t i = 0; i < conf_key_count; i++) {
		const struct conf_key *key = &conf_keys[i];
		char full[NAME_MAX_BYTES];
		conf_key_name(key, NULL, full, sizeof(full));
		if (conf_key_in(key, "site") ? env_site(loading, where, name, key, site)
					     : env_is(name, full))
			return key;
	}
	return NULL;
}

static bool
apply_variable(struct conf_loading *loading, const char *variable)
{
	size_t prefix = strlen(ENV_PREFIX);
	const char *equals = strchr(variable, '=');
	if (!equals || strncmp(variable, ENV_PREFIX, prefix) != 0)
		return true;
	char where[NAME_MAX_BYTES];
	struct conf_site *site;
	snprintf(where, sizeof(where), "%.*s", (int)(equals - variable), variable);
	struct slice name = {variable + prefix, (size_t)(equals - variable) - prefix};
	if (strcmp(where, THONGKE_CONF_VARIABLE) == 0)
		return true;
	const struct conf_key *key = env_key(loading, where, name, &site);
	if (!key)
		conf_refuse(loading,
			    "%s: the environment sets a key that does not exist; allowed: a key's "
			    "name in capitals, "
			    "such as THONGKE_JOURNAL_SYNC or THONGKE_SITE_KEY_LANGUAGE",
			    where);
	return !loading->failed && put_override(loading, where, key, site, equals + 1);
}

/* The key of "sync", "journal.sync" or "site.KEY.language" (a site's key may hold dots). */
static const struct conf_key *
override_key(struct conf_loading *loading, const char *where, char *name, struct conf_site **site)
{
	char known[ALLOWED_MAX];
	char *last = strrchr(name, '.'), *first = strchr(name, '.');
	const char *section = "", *key_name = name;
	*site = NULL;
	if (last) {
		*first = *last = '\0';
		section = name;
		key_name = last + 1;
	}
	const struct conf_key *key = conf_key_find(section, key_name);
	bool of_site = strcmp(section, "site") == 0;
	if (!key || of_site != (first != last)) {
		conf_key_list_names(section, known, sizeof(known));
		if (!known[0])
			conf_key_list_names("", known, sizeof(known));
		conf_refuse(loading, "%s: there is no such key; allowed: %s%s", where,
			    of_site ? "site.KEY. and one of " : "", known);
		return NULL;
	}
	if (of_site) {
		struct slice site_key = {first + 1, strlen(first + 1)};
		*site = find_site(&loading->box->conf, site_key);
		if (!*site)
			conf_refuse(loading,
				    "%s: there is no site \"%s\"; allowed: a site that the file "
				    "defines",
				    where, first + 1);
	}
	return loading->failed ? NULL : key;
}

static bool
apply_override(struct conf_loading *loading, const char *text)
{
	char where[NAME_MAX_BYTES], name[NAME_MAX_BYTES];
	const char *equals = strchr(text, '=');
	size_t len = equals ? (size_t)(equals - text) : strlen(text);
	snprintf(where, sizeof(where), "-o %.*s", (int)(len < 120 ? len : 120), text);
	if (!equals || len >= sizeof(name)) {
		conf_refuse(
			loading,
			"%s: a value is missing; allowed: KEY=VALUE, such as journal.sync=always",
			where);
		return false;
	}
	memcpy(name, text, len);
	name[len] = '\0';
	struct conf_site *site;
	const struct conf_key *key = override_key(loading, where, name, &site);
	return key && put_override(loading, where, key, site, equals + 1);
}

/* --- the whole --- */

static bool
lists_are_filled(struct conf_loading *loading, const char *where, const struct conf_site *site)
{
	const void *base = site ? (const void *)site : &loading->box->conf;
	for (size_t i = 0; i < conf_key_count; i++) {
		const struct conf_key *key = &conf_keys[i];
		if (conf_key_in(key, "site") != (site != NULL) || !conf_key_is_list(key))
			continue;
		if (conf_key_list_length(key, base) >= (size_t)key->min)
			continue;
		char name[NAME_MAX_BYTES], allowed[ALLOWED_MAX];
		conf_key_name(key, site ? site->key : NULL, name, sizeof(name));
		conf_key_allowed(key, allowed, sizeof(allowed));
		conf_refuse(loading, "%s: %s is empty; allowed: %s", where, name, allowed);
		return false;
	}
	return true;
}

static bool
check_whole(struct conf_loading *loading)
{
	const struct conf *conf = &loading->box->conf;
	if (!lists_are_filled(loading, conf->path, NULL))
		return false;
	if (conf->site_count == 0) {
		conf_refuse(loading,
			    "%s: no site is defined; allowed: at least one, such as site "
			    "\"example\" { hosts = "
			    "{\"example.org\"} }",
			    conf->path);
		return false;
	}
	for (size_t i = 0; i < conf->site_count; i++) {
		char where[512];
		snprintf(where, sizeof(where), "%s:%d", conf->sites[i].file, conf->sites[i].line);
		if (!lists_are_filled(loading, where, &conf->sites[i]))
			return false;
	}
	return conf_index_build(loading);
}

static bool
load_into(struct conf_loading *loading, const char *path, const char *const *overrides,
	  size_t count)
{
	if (!conf_file_read(loading, path))
		return false;
	for (char **variable = environ; variable && *variable; variable++)
		if (!apply_variable(loading, *variable))
			return false;
	for (size_t i = 0; i < count; i++)
		if (!apply_override(loading, overrides[i]))
			return false;
	return check_whole(loading);
}

struct conf *
conf_load(const char *path, const char *const *overrides, size_t count, char *error,
	  size_t error_size)
{
	return conf_load_noting(path, overrides, count, NULL, NULL, error, error_size);
}

struct conf *
conf_load_noting(const char *path, const char *const *overrides, size_t count, conf_set_fn *note,
		 void *arg, char *error, size_t error_size)
{
	struct conf_box *box = xcalloc(1, sizeof(*box));
	struct conf_loading loading = {.box = box,
				       .error = error,
				       .error_size = error_size,
				       .note = note,
				       .note_arg = arg};
	atomic_init(&box->refs, 1);
	box->conf.path = conf_pool_text(&box->pool, slice_of(path));
	conf_key_defaults(box, "", &box->conf);
	conf_key_defaults(box, "journal", &box->conf);
	conf_key_defaults(box, "limits", &box->conf);
	if (!load_into(&loading, path, overrides, count)) {
		conf_unref(&box->conf);
		return NULL;
	}
	malloc_trim(0); /* what the parser needed */
	return &box->conf;
}

struct conf *
conf_ref(struct conf *conf)
{
	struct conf_box *box = (struct conf_box *)conf;
	atomic_fetch_add_explicit(&box->refs, 1, memory_order_relaxed);
	return conf;
}

void
conf_unref(struct conf *conf)
{
	struct conf_box *box = (struct conf_box *)conf;
	if (!conf || atomic_fetch_sub_explicit(&box->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < box->zone_count; i++)
		zone_free(box->zones[i].zone);
	free(box->zones);
	free(box->by_key.slots);
	free(box->by_host.slots);
	free(box->conf.sites);
	conf_pool_release(&box->pool);
	free(box);
}

const char *
conf_needs_restart(const struct conf *old, const struct conf *fresh)
{
	for (size_t i = 0; i < conf_key_count; i++) {
		const struct conf_key *key = &conf_keys[i];
		if (!key->reloadable && conf_key_differs(key, old, fresh))
			return key->name;
	}
	return NULL;
}

void
conf_print_keys(void)
{
	for (size_t i = 0; i < conf_key_count; i++) {
		char name[NAME_MAX_BYTES];
		conf_key_name(&conf_keys[i], NULL, name, sizeof(name));
		printf("%s\t%s\t%s\n", name, conf_keys[i].initial ? conf_keys[i].initial : "",
		       conf_keys[i].help);
	}
}

/* --- the one in force --- */

struct conf_current {
	pthread_mutex_t lock;
	struct conf *conf;
	_Atomic uint64_t generation;
};

struct conf_current *
conf_current_new(struct conf *conf)
{
	struct conf_current *current = xcalloc(1, sizeof(*current));
	pthread_mutex_init(&current->lock, NULL);
	current->conf = conf;
	atomic_init(&current->generation, 1);
	return current;
}

void
conf_current_free(struct conf_current *current)
{
	if (!current)
		return;
	conf_unref(current->conf);
	pthread_mutex_destroy(&current->lock);
	free(current);
}

struct conf *
conf_current_get(struct conf_current *current)
{
	pthread_mutex_lock(&current->lock);
	struct conf *conf = conf_ref(current->conf);
	pthread_mutex_unlock(&current->lock);
	return conf;
}

void
conf_current_set(struct conf_current *current, struct conf *conf)
{
	pthread_mutex_lock(&current->lock);
	struct conf *old = current->conf;
	current->conf = conf;
	atomic_fetch_add(&current->generation, 1);
	pthread_mutex_unlock(&current->lock);
	conf_unref(old);
}

uint64_t
conf_current_generation(const struct conf_current *current)
{
	return atomic_load_explicit(&current->generation, memory_order_acquire);
}
