/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counts in Redis: the only place that knows its keys. One store is one connection, used by one thread; nothing
 * here waits longer than the store's timeout, nothing retries by itself.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "base/buf.h"
#include "base/conf.h"
#include "base/metric.h"
#include "base/period.h"
#include "store/delta.h"

struct store;

struct store_options {
	const char *target;        /* "unix:/path" or "redis://[user:password@]host:port[/db]" */
	const char *prefix;        /* "thongke" */
	const char *password_file; /* "" for none */
	int timeout_ms;            /* of a connection attempt and of a reply */
	int64_t pages_per_day;     /* most values in a day's table */
	int64_t journal_retain;    /* seconds: for how long hits of a day may still arrive */
};

enum store_status {
	STORE_OK = 0,
	/*
	 * A position was not the expected one, or something was forgotten that the caller does not know of: nothing
	 * applied, all positions and the newest mark are in the reply.
	 */
	STORE_MISMATCH = -1,
	STORE_UNAVAILABLE = -2, /* no connection, or no reply in time: the outcome is unknown */
	STORE_REFUSED =
		-3, /* Redis answered with an error (OOM, READONLY, NOPERM, LOADING, ...): nothing applied */
};

/* A bad target or an unreadable password file: NULL and one sentence in error. Does not connect. */
struct store *store_new(const struct store_options *options, char *error, size_t error_size);
void store_free(struct store *store);

bool store_connected(const struct store *store);
/* Connects, authenticates, selects the database and reads the server's run id. STORE_OK, _UNAVAILABLE or _REFUSED. */
int store_connect(struct store *store) MUST_CHECK;
void store_disconnect(struct store *store);
/* The last failure, as one sentence. */
const char *store_error(const struct store *store);
/* run_id and master_replid of the connected server, "" before: when they change, everything is audited. */
const char *store_identity(const struct store *store);
/* What is wrong with how the server is set up ("maxmemory-policy is allkeys-lru, ..."), or "" . Read on connect. */
const char *store_warning(const struct store *store);

/* What the server says of itself, read on connect; "": it does not say (CONFIG may be forbidden). */
struct store_server {
	char version[24];
	char policy[24];    /* maxmemory-policy */
	char appendonly[8]; /* "yes" or "no" */
};
const struct store_server *store_server(const struct store *store);

/* --- positions --- */

enum {
	STORE_STREAM_MAX = 48,
	STORE_ADVANCES_MAX = 1000, /* streams in one call */
};
struct position {
	bool present;
	bool foreign;    /* what is stored there is no position */
	uint64_t offset; /* 0 when absent */
	char rest[112];  /* what follows "offset:", NUL-terminated */
};

/*
 * The positions of `count` streams (names) in every shard: out[shard * count + i]. One round trip. STORE_REFUSED: those of
 * some shards are foreign; the others were read.
 */
int store_positions(struct store *store, const char *const *streams, size_t count,
		    struct position *out) MUST_CHECK;

/* --- what operators made a shard forget (store/marks.h) --- */

/* The time of the newest mark in every shard, 0: there is none; -1: what is there is no such hash. */
int store_forgotten(struct store *store, int64_t newest[CONF_SHARDS]) MUST_CHECK;
/* Calls back for every mark of a shard. */
int store_marks(struct store *store, int shard,
		void (*each)(struct slice field, int64_t ms, void *arg), void *arg) MUST_CHECK;
/* When all of the site was last forgotten; 0: never. */
int store_site_forgotten(struct store *store, struct slice site, int64_t *ms) MUST_CHECK;
/* From now on calls for this shard say that everything up to this mark is known, and none of what it forgot summed up. */
void store_know_forgotten(struct store *store, int shard, int64_t newest);

/* --- applying a delta --- */

struct advance {
	const char *stream;
	uint64_t previous, next;
	const char *rest; /* kept beside the offset: "YYYYMMDD", imports more */
};

/* What Redis holds after it, of one delta day; -1: refused. */
struct apply_day {
	int64_t online; /* visitors of the last minutes, now */
	int64_t bots;   /* of the day */
	int64_t numbers[METRIC_COUNT][PERIOD_KINDS];
	struct apply_page {
		uint32_t nth; /* struct delta_value */
		int64_t visits;
	} * pages; /* with which visits of this delta began */
	size_t page_count;
};

struct apply_reply {
	int status;              /* enum store_status */
	struct position *stored; /* on STORE_MISMATCH: one per advance, in order */
	int64_t forgotten;       /* and the newest mark */
	size_t stored_count;
	struct apply_day *days; /* on STORE_OK: one per delta day, in order */
	size_t day_count;
	size_t refused; /* fields that Redis refused (a poisoned key); the rest is counted, once */
	char refusal[160]; /* the first of them */
};
void apply_reply_release(struct apply_reply *reply);

/*
 * Sends one call: compare every stream's stored offset with `previous`; all equal: set them to `next` first, then
 * add the delta (NULL: none). Calls may be pipelined, at most one per shard; replies come in the order sent.
 */
int store_send(struct store *store, int shard, const struct advance *advances, size_t count,
	       const struct delta *delta) MUST_CHECK;
/* The next reply. Returns its status. */
int store_receive(struct store *store, struct apply_reply *reply) MUST_CHECK;

/* Commands sent, errors and waits for a reply since the start, for the metrics. */
#define STORE_WAIT_BOUNDS_US                                                                  \
	{                                                                                     \
		100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000 \
	}
enum { STORE_WAIT_BOUNDS = 12 };
struct store_stats {
	uint64_t calls;
	uint64_t errors;
	uint64_t wait_us;
	uint64_t waits[STORE_WAIT_BOUNDS +
		       1]; /* by the first bound that they do not exceed; the last: by none */
};
struct store_stats store_stats(const struct store *store);

/* --- reading --- */

/* A site's numbers in Redis, of every shown period around `day`; -1: a poisoned field that cannot be read. */
struct site_numbers {
	struct slice site; /* in */
	int32_t day;       /* in: the site's local date */
	int64_t counts[METRIC_COUNT][SHOWN_PERIODS];
	/* What operators added: shown with what is counted. */
	int64_t adjusted[METRIC_COUNT][SHOWN_PERIODS];
	int64_t online, bots; /* now; of the day */
	int64_t forgotten;    /* the newest mark of the shard, as of store_forgotten */
};

/*
 * In one MULTI: the numbers of `sites` (all of `shard`), and the positions of `streams` and the newest mark that belong
 * to them.
 */
int store_read(struct store *store, int shard, struct site_numbers *sites, size_t site_count,
	       const char *const *streams, size_t stream_count,
	       struct position *positions) MUST_CHECK;

/* A page's numbers in Redis; -1: not known, because it is one of those that found no place in a full table. */
struct page_numbers {
	struct slice site, path; /* in */
	int32_t day;             /* in */
	int64_t hits_day, hits_all, visits_day, visits_all;
	struct {
		int64_t hits_day, hits_all, visits_day, visits_all;
	} adjusted; /* by operators: shown with what is counted */
	int64_t forgotten;
};
/* The same as store_read, of pages. */
int store_read_pages(struct store *store, int shard, struct page_numbers *pages, size_t page_count,
		     const char *const *streams, size_t stream_count,
		     struct position *positions) MUST_CHECK;

/* Numbers of `count` consecutive periods of one kind from id `first` on (days, weeks, months, years); metric: METRIC_*. */
int store_series(struct store *store, struct slice site, int metric, enum period_kind kind,
		 int32_t first, size_t count, int64_t *out) MUST_CHECK;
/* What operators added to each of them: shown with what is counted. */
int store_series_adjusted(struct store *store, struct slice site, int metric, enum period_kind kind,
			  int32_t first, size_t count, int64_t *out) MUST_CHECK;
/* The 24 hours of a local day; *known is false when Redis has no such table (never counted, or expired). */
int store_hours(struct store *store, struct slice site, int32_t day, int64_t out[24],
		bool *known) MUST_CHECK;
/* The earliest `room` years (as period ids) in which the site has hits, counted or adjusted, ascending. Returns STORE_OK and *count. */
int store_years(struct store *store, struct slice site, int32_t *out, size_t room,
		size_t *count) MUST_CHECK;

/*
 * A dimension's table of a day or month (PERIOD_DAY, PERIOD_MONTH), or a page's of all time (PERIOD_ALL), most hits
 * first: calls back for the first `limit` (0: all) values. *rows: how many it holds.
 */
int store_top(struct store *store, struct slice site, enum hit_dimension dimension,
	      enum period_kind kind, int32_t id, size_t limit,
	      void (*each)(struct slice value, int64_t hits, void *arg), void *arg,
	      int64_t *rows) MUST_CHECK;
/* Cuts the tables of `day` down to their first rows; days older than STORE_WHOLE_DAYS are kept no longer whole. */
enum { STORE_WHOLE_DAYS = 35 };
int store_trim(struct store *store, struct slice site, int32_t day) MUST_CHECK;
/* The day (UTC) up to which tables were looked through for that; INT32_MIN: it was never noted. */
int store_trimmed(struct store *store, int32_t *day) MUST_CHECK;
int store_note_trimmed(struct store *store, int32_t day) MUST_CHECK;
/* Calls back for every site Redis knows (SITES hash): key and settings text as last seen. */
int store_sites(struct store *store,
		void (*each)(struct slice site, struct slice settings, void *arg),
		void *arg) MUST_CHECK;
/* Notes the settings of a site, and the schema version; refuses (STORE_REFUSED) a Redis of another schema. */
int store_note_sites(struct store *store, const char *const *sites, const char *const *settings,
		     size_t count) MUST_CHECK;

/* How often operators changed something so far: what differs from the last time is to be read again. */
int store_changes(struct store *store, int64_t *out) MUST_CHECK;

/* STORE_REFUSED where Redis holds counts of another schema; writes nothing. */
int store_check_schema(struct store *store) MUST_CHECK;
/* The salt of a date: SET NX with ours, expire 72 h from now, then GET: what Redis holds comes back in `salt`. */
int store_salt(struct store *store, int32_t day, unsigned char salt[16]) MUST_CHECK;
/* The same of a site's imports, for the visitors of that date. */
int store_import_salt(struct store *store, struct slice site, int32_t day,
		      unsigned char salt[16]) MUST_CHECK;
/* Hits of a local day that no import brought. */
int store_beacon_hits(struct store *store, struct slice site, int32_t day,
		      int64_t *hits) MUST_CHECK;

/* --- what other counters counted --- */

/*
 * A number that another counter says: of a day, month or year, or of all time (then also of one page). Those of a longer
 * period are what its shorter ones are part of, and must follow them.
 */
struct brought {
	int metric; /* enum metric, METRIC_BOTS */
	enum period_kind kind;
	int32_t id;
	struct slice path; /* absent: of the whole site */
	int64_t number;
};
enum { STORE_BROUGHT_MAX = 200 /* in one call */ };

struct brought_reply {
	int64_t rows; /* that were more than before */
	int64_t added[METRIC_STORED];
	int64_t refused; /* fields */
	char refusal[160];
};
/*
 * Adds what is more than `source` brought before. A day's numbers are counted like hits; those of longer periods, as far as
 * they are more than what was brought of their days, are kept apart with the operators' adjustments. May be called again
 * with the same rows whatever became of the first call.
 */
int store_bring(struct store *store, struct slice site, const char *source,
		const struct brought *rows, size_t count, struct brought_reply *out) MUST_CHECK;
/* What was brought of each so far. */
int store_brought(struct store *store, struct slice site, const char *source,
		  const struct brought *rows, size_t count, int64_t *out) MUST_CHECK;

/* --- how the server fares --- */

/* Its clock, in ms since the epoch. */
int store_time(struct store *store, int64_t *ms) MUST_CHECK;
/* Bytes: what it uses, of that what it used when it started, and what it may use (0: it has no limit of its own). */
struct store_memory {
	int64_t used, startup, limit, machine;
};
int store_memory(struct store *store, struct store_memory *out) MUST_CHECK;
/* The commands that the user may not run on its keys, with commas; "": all is allowed. STORE_REFUSED: it does not say. */
int store_rights(struct store *store, char *missing, size_t size) MUST_CHECK;
/* For how long (ms) the salt of a date is kept: -1 for ever, -2 there is none. */
int store_salt_left(struct store *store, int32_t day, int64_t *ms) MUST_CHECK;
/* How many positions of streams there are. */
int store_count_positions(struct store *store, int64_t *count) MUST_CHECK;

/* BGREWRITEAOF, for the private server. */
int store_rewrite(struct store *store) MUST_CHECK;

#endif
