/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration: thongke.conf (libconfuse syntax), the environment and -o options, checked as a whole and then
 * immutable. A loaded configuration is shared by reference count; a reload makes a new one.
 */
#ifndef BASE_CONF_H
#define BASE_CONF_H

#include "base/base.h"
#include "base/metric.h"
#include "base/network.h"
#include "base/period.h"
#include "base/zone.h"

enum {
	CONF_SITE_KEY_MAX = 63, /* [a-z0-9][a-z0-9._-]{0,62} */
	CONF_SHARDS = 64,
	CONF_ROWS_MAX = 16,
};

enum conf_sync { CONF_SYNC_ALWAYS, CONF_SYNC_EVERYSEC, CONF_SYNC_NO };
enum conf_language { CONF_VI, CONF_EN, CONF_LANGUAGES };

/* What a hit becomes when its browser asks not to be tracked (Sec-GPC, DNT). */
enum conf_gpc { CONF_GPC_NO, CONF_GPC_ANONYMOUS, CONF_GPC_REFUSE };
/* What anyone may read beside the rows. */
enum conf_public { CONF_PUBLIC_METRICS, CONF_PUBLIC_PAGES, CONF_PUBLIC_STATS, CONF_PUBLICS };

/* The header in which a trusted proxy names its client: X-Forwarded-For, or Forwarded (RFC 7239). */
enum conf_forwarded { CONF_FORWARDED_FOR, CONF_FORWARDED };

/* "host:port", "[v6]:port", "unix:/path", and perhaps " proxy". */
struct conf_listen {
	char *text; /* as written */
	char *host; /* NULL for unix; numeric or a name */
	char *port;
	char *path; /* NULL for TCP */
	bool proxy; /* each connection begins with a PROXY protocol header */
};

/* A row of the counter: one of the shown periods, the visitors online, or the bots' hits of today. */
enum { CONF_ROW_ONLINE = SHOWN_PERIODS, CONF_ROW_BOTS, CONF_ROW_NAMES };
extern const char *const conf_row_names[CONF_ROW_NAMES];

struct conf_site {
	char *key;
	struct slice key_slice;
	int shard;    /* CRC-16/XMODEM of the key modulo CONF_SHARDS */
	char **hosts; /* lower case; "*.name" and "*" are patterns */
	size_t host_count;
	char *timezone;
	const struct zone *zone;
	enum conf_language language;
	uint8_t rows[CONF_ROWS_MAX]; /* indices of conf_row_names */
	size_t row_count;
	enum metric metric; /* of the rows */
	char **query;       /* query keys that belong to the page */
	size_t query_count;
	char **aliases; /* former keys */
	size_t alias_count;
	struct network *exclude; /* whose hits are not counted */
	size_t exclude_count;
	int64_t visit_gap; /* seconds */
	int64_t repeat; /* seconds in which a visitor's same page counts once; 0: no such limit */
	bool require_origin;
	enum conf_gpc respect_gpc;
	uint8_t publics[CONF_PUBLICS]; /* enum conf_public */
	size_t public_count;
	const char *file; /* where it was defined */
	int line;
};

struct conf {
	char *path; /* of the main file */
	char *state_dir;
	struct conf_listen *listens;
	size_t listen_count;
	struct conf_listen *admin_listens;
	size_t admin_listen_count;
	char *base_path;                 /* "" or "/prefix" without a trailing slash */
	int workers;                     /* as configured; 0: one per CPU the process may use */
	struct network *trusted_proxies; /* whose header is believed */
	size_t trusted_proxy_count;
	enum conf_forwarded forwarded;
	char *redis;
	char *redis_prefix;
	char *redis_password_file;
	char **geoip; /* MMDB files */
	size_t geoip_count;
	char *bots;               /* file; "" for none */
	char *referrer_blocklist; /* file; "" for none */
	int log_level;            /* enum log_level */
	bool demo;
	enum conf_sync sync;
	uint64_t journal_max_size; /* bytes */
	int64_t journal_retain;    /* seconds */
	int connections;
	int hits_per_minute; /* of one network; 0: no limit */
	int64_t pages_per_day;
	struct conf_site *sites;
	size_t site_count;
};

/*
 * Reads `path`, then the environment (THONGKE_JOURNAL_SYNC=...), then `overrides` ("journal.sync=always",
 * "site.KEY.language=en"; later ones win). On failure returns NULL and writes one sentence, with file, line, key
 * and what is allowed, into error. One thread at a time: libconfuse's lexer is global.
 */
struct conf *conf_load(const char *path, const char *const *overrides, size_t count, char *error,
		       size_t error_size);
/*
 * The same; says of each value that is set where it was: "FILE:LINE", the variable's name, or "-o". Later ones go before
 * earlier ones; what nobody sets has its default. site NULL: the key is no site's.
 */
typedef void conf_set_fn(const char *site, const char *section, const char *name, const char *where,
			 void *arg);
struct conf *conf_load_noting(const char *path, const char *const *overrides, size_t count,
			      conf_set_fn *note, void *arg, char *error, size_t error_size);

/* A key of a configuration as text: a list with commas, a password in a URL masked. */
struct conf_shown {
	const char *site; /* NULL: of none */
	const char *section, *name;
	const char *full; /* "journal.sync", "site.KEY.language" */
	const char *value;
	bool changed; /* is not the default */
};
/* Every key, in the order of the table; those of sites site by site. */
void conf_show(const struct conf *conf, void (*each)(const struct conf_shown *shown, void *arg),
	       void *arg);

struct conf *conf_ref(struct conf *conf);
void conf_unref(struct conf *conf);
/* The first key that differs and takes effect only in a new process; NULL: a reload does it all. */
const char *conf_needs_restart(const struct conf *old, const struct conf *fresh);

/* Stands for the values of all keys that a reload changes, or of all others: equal where all of them are. */
uint64_t conf_hash(const struct conf *conf, bool reloadable);

/* The configuration in force: set by the main thread, looked at by every other. */
struct conf_current;
/* Takes over the caller's reference. */
struct conf_current *conf_current_new(struct conf *conf);
void conf_current_free(struct conf_current *current);
/* A reference of the caller's own. */
struct conf *conf_current_get(struct conf_current *current);
/* Takes over the caller's reference. */
void conf_current_set(struct conf_current *current, struct conf *conf);
/* Rises with every _set: a cheap way to see that one's own reference is old. */
uint64_t conf_current_generation(const struct conf_current *current);

/* NULL when there is none. A former key finds its site. Keys are compared exactly; host is lower-cased and stripped of its port first. */
const struct conf_site *conf_site_by_key(const struct conf *conf, struct slice key);
/* An exact name goes before "*.name", the longer before the shorter, that before "*". */
const struct conf_site *conf_site_by_host(const struct conf *conf, struct slice host);
/* The same without "*", which speaks for a host that asks, but does not say that it is the site's. */
const struct conf_site *conf_site_naming_host(const struct conf *conf, struct slice host);

/* CRC-16/XMODEM (polynomial 0x1021, start 0), as Redis Cluster's key slots use. */
uint16_t crc16_xmodem(struct slice text);

/* Every key, for the manual's check and `thongked --keys`: one line "name<TAB>default<TAB>help" each. */
void conf_print_keys(void);

#endif
