/* SPDX-License-Identifier: BSD-2-Clause */
/* Redis: can it be reached, is it set up so that nothing is lost, has it room for what is to come. */
#include "base/clock.h"
#include "cli/doctor.h"

enum {
	DAY_S = 86400,
	REDIS_MAJOR = 6, /* ZMSCORE, which the script uses, came with 6.2 */
	REDIS_MINOR = 2,
	CLOCK_WARN_MS = 2000,
	CLOCK_BAD_MS = 60 * 1000,
	MEMORY_WARN_DAYS = 180,
	MEMORY_BAD_DAYS = 30,
	MEMORY_BAD_PERCENT = 95,
	SALTS_LOOK_BACK = 30, /* days */
	SALTS_KEPT_DAYS = 4,  /* 72 hours after the last use, which may be a day late somewhere */
	POSITIONS_MANY = 100000,
	MIB = 1024 * 1024,
};

static void
check_version(struct doctor *doctor, const struct store_server *server)
{
	int major = 0, minor = 0;
	bool known = sscanf(server->version, "%9d.%9d", &major, &minor) == 2;
	bool old = known && (major < REDIS_MAJOR || (major == REDIS_MAJOR && minor < REDIS_MINOR));
	if (!known)
		doctor_found(doctor, "redis version", STATE_WARN,
			     "see what it is that answers there", "the server does not tell");
	else
		doctor_found(doctor, "redis version", old ? STATE_BAD : STATE_OK,
			     "install Redis 6.2 or later", "%s", server->version);
}

static void
check_setting(struct doctor *doctor, const char *check, const char *value, const char *wanted,
	      const char *advice)
{
	if (!*value)
		doctor_found(doctor, check, STATE_WARN, "allow the user CONFIG GET, or look there",
			     "the server does not tell");
	else
		doctor_found(doctor, check, strcmp(value, wanted) == 0 ? STATE_OK : STATE_BAD,
			     advice, "%s", value);
}

/* What cannot be asked is not known; that alone is nothing bad. */
static bool
is_told(struct doctor *doctor, const struct store *store, const char *check, int status)
{
	if (status != STORE_OK)
		doctor_found(doctor, check, STATE_WARN, "look there yourself, or allow the user to",
			     "the server does not tell: %s", store_error(store));
	return status == STORE_OK;
}

static void
check_rights(struct doctor *doctor, struct store *store)
{
	static const char check[] = "redis rights";
	char missing[512];
	if (!is_told(doctor, store, check, store_rights(store, missing, sizeof(missing))))
		return;
	if (*missing)
		doctor_found(doctor, check, STATE_BAD,
			     "ACL SETUSER: the user needs them on every key of redis_prefix",
			     "the user may not: %s", missing);
	else
		doctor_found(doctor, check, STATE_OK, "", "all that is needed");
}

static void
check_clock(struct doctor *doctor, struct store *store)
{
	static const char check[] = "clocks";
	int64_t theirs, before = clock_wall_ms();
	if (!is_told(doctor, store, check, store_time(store, &theirs)))
		return;
	int64_t after = clock_wall_ms();
	/* As far as the way there and back leaves it open. */
	int64_t apart = theirs < before ? before - theirs : theirs > after ? theirs - after : 0;
	doctor_found(doctor, check,
		     apart >= CLOCK_BAD_MS    ? STATE_BAD
		     : apart >= CLOCK_WARN_MS ? STATE_WARN
					      : STATE_OK,
		     "let both machines ask a time server (NTP): visits and who is online go by "
		     "the clock",
		     "Redis' and this one are %" PRId64 " s apart", apart / 1000);
}

/* The first day on which any site of the configuration has hits; false: there is none. */
static bool
first_counted_day(struct doctor *doctor, struct store *store, int32_t *first)
{
	enum { YEAR_DAYS = 366 };
	const struct conf *conf = doctor->cli->conf;
	bool any = false;
	for (size_t i = 0; i < conf->site_count; i++) {
		int64_t hits[YEAR_DAYS];
		int32_t year;
		size_t years = 0;
		struct slice site = conf->sites[i].key_slice;
		if (store_years(store, site, &year, 1, &years) != STORE_OK || years == 0 ||
		    (any && year > period_of_day(PERIOD_YEAR, *first)))
			continue;
		int32_t day = period_first_day(PERIOD_YEAR, year);
		if (store_series(store, site, METRIC_HITS, PERIOD_DAY, day, YEAR_DAYS, hits) !=
		    STORE_OK)
			continue;
		for (int k = 0; k < YEAR_DAYS; k++)
			if (hits[k] > 0 && (!any || day + k < *first)) {
				*first = day + k;
				any = true;
				break;
			}
	}
	return any;
}

/*
 * Days until memory is full if it goes on growing as it has since the first day. Imported years make that look slower
 * than it is, tables that are still kept whole faster: it says of which order it is.
 */
static int64_t
days_left(struct doctor *doctor, struct store *store, const struct store_memory *memory,
	  int64_t limit)
{
	int32_t first, today = (int32_t)(clock_wall_ms() / 1000 / DAY_S);
	int64_t grown = memory->used - memory->startup;
	if (!first_counted_day(doctor, store, &first) || first > today || grown <= 0)
		return INT64_MAX;
	int64_t a_day = grown / (today - first + 1);
	return a_day > 0 ? (limit - memory->used) / a_day : INT64_MAX;
}

static void
check_memory(struct doctor *doctor, struct store *store)
{
	static const char check[] = "memory";
	static const char advice[] =
		"give Redis more (maxmemory, or the machine), or lower limits.pages_per_day: when "
		"it is full, hits wait in the journal";
	struct store_memory memory;
	if (!is_told(doctor, store, check, store_memory(store, &memory)))
		return;
	int64_t limit = memory.limit ? memory.limit : memory.machine;
	int64_t left = days_left(doctor, store, &memory, limit);
	enum state state = left < MEMORY_BAD_DAYS    ? STATE_BAD
			   : left < MEMORY_WARN_DAYS ? STATE_WARN
						     : STATE_OK;
	if (limit > 0 && memory.used >= limit / 100 * MEMORY_BAD_PERCENT)
		state = STATE_BAD;
	if (left == INT64_MAX)
		doctor_found(doctor, check, state, advice, "%" PRId64 " of %" PRId64 " MiB",
			     memory.used / MIB, limit / MIB);
	else
		doctor_found(doctor, check, state, advice,
			     "%" PRId64 " of %" PRId64 " MiB; at this rate full in %" PRId64
			     " days",
			     memory.used / MIB, limit / MIB, left < 0 ? 0 : left);
}

/* A salt that outlives its days makes ids of visitors that could be made again from their addresses. */
static void
check_salts(struct doctor *doctor, struct store *store)
{
	static const char check[] = "salts";
	int32_t today = (int32_t)(clock_wall_ms() / 1000 / DAY_S);
	char name[PERIOD_NAME_SIZE];
	int kept = 0;
	for (int32_t day = today - SALTS_LOOK_BACK; day <= today + 2; day++) {
		int64_t left;
		if (!is_told(doctor, store, check, store_salt_left(store, day, &left)))
			return;
		if (left == -2)
			continue;
		kept++;
		if (left == -1 || today - day > SALTS_KEPT_DAYS) {
			doctor_found(doctor, check, STATE_BAD,
				     "find out who keeps it, and DEL it: it must go after 72 hours",
				     "the salt of %s is still there%s",
				     period_name(PERIOD_DAY, day, name),
				     left == -1 ? ", for ever" : "");
			return;
		}
	}
	doctor_found(doctor, check, STATE_OK, "", "of %d days, the oldest goes in time", kept);
}

static void
check_positions(struct doctor *doctor, struct store *store)
{
	static const char check[] = "positions";
	int64_t count;
	if (is_told(doctor, store, check, store_count_positions(store, &count)))
		doctor_found(doctor, check, count > POSITIONS_MANY ? STATE_WARN : STATE_OK,
			     "see why thongked starts so often: every start of a worker leaves one "
			     "a shard",
			     "%" PRId64 " of streams", count);
}

/* Connected, or NULL: what was wrong is told. */
static struct store *
connect_redis(struct doctor *doctor)
{
	bool private = strcmp(doctor->cli->conf->redis, "private") == 0;
	char error[512];
	struct store *store = cli_store_new(doctor->cli, error, sizeof(error));
	if (!store) {
		doctor_found(doctor, "redis", STATE_BAD, "mend redis in the configuration", "%s",
			     error);
		return NULL;
	}
	int status = store_connect(store);
	if (status == STORE_OK)
		status = store_check_schema(store);
	if (status == STORE_OK) {
		doctor_found(doctor, "redis", STATE_OK, "", "%s", private ? "private" : "answers");
		return store;
	}
	const char *advice = status == STORE_REFUSED
				     ? "give the user of redis its password and rights"
			     : private ? "start thongked: a private Redis lives with it"
				       : "start Redis, or mend redis in the configuration";
	doctor_found(doctor, "redis", STATE_BAD, advice, "%s", store_error(store));
	store_free(store);
	return NULL;
}

void
doctor_redis(struct doctor *doctor)
{
	struct store *store = connect_redis(doctor);
	if (!store)
		return;
	const struct store_server *server = store_server(store);
	check_version(doctor, server);
	check_setting(doctor, "maxmemory-policy", server->policy, "noeviction",
		      "CONFIG SET maxmemory-policy noeviction, or Redis may throw counts away");
	check_setting(doctor, "appendonly", server->appendonly, "yes",
		      "CONFIG SET appendonly yes, or Redis may lose counts when it ends");
	check_rights(doctor, store);
	check_memory(doctor, store);
	check_clock(doctor, store);
	check_salts(doctor, store);
	check_positions(doctor, store);
	store_free(store);
}
