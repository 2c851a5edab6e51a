/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `doctor`: what is not as it should be, a line each, and what to do. Looks at the files of the configuration, at Redis,
 * and asks the running daemon; changes nothing.
 */
#include <jansson.h>
#include <stdarg.h>
#include <limits.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/http_get.h"
#include "base/inert.h"
#include "hit/rules.h"

enum state { STATE_OK, STATE_WARN, STATE_BAD };
enum { CHECK_NAME, CHECK_STATE, CHECK_FINDING, CHECK_ADVICE, CHECK_COLUMNS };
enum {
	GEO_OLD_DAYS = 90,
	DAY_S = 86400,
	REDIS_MAJOR = 6, /* ZMSCORE, which the script uses, came with 6.2 */
	REDIS_MINOR = 2,
};

struct doctor {
	struct cli *cli;
	struct table table;
	size_t bad;
};

static const char *const state_names[] = {
	[STATE_OK] = "ok",
	[STATE_WARN] = "warn",
	[STATE_BAD] = "bad",
};

/* advice: what to do, unless all is well. */
static void found(struct doctor *doctor, const char *check, enum state state, const char *advice,
		  const char *format, ...) PRINTF(5, 6);

static void
found(struct doctor *doctor, const char *check, enum state state, const char *advice,
      const char *format, ...)
{
	char finding[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(finding, sizeof(finding), format, args);
	va_end(args);
	struct cell *row = table_row(&doctor->table);
	cell_text(&row[CHECK_NAME], slice_of(check));
	cell_text(&row[CHECK_STATE], slice_of(state_names[state]));
	cell_text(&row[CHECK_FINDING], slice_of(finding));
	if (state != STATE_OK)
		cell_text(&row[CHECK_ADVICE], slice_of(advice));
	doctor->bad += state == STATE_BAD;
}

/* --- files --- */

static void
check_conf(struct doctor *doctor, const char *error)
{
	const struct conf *conf = doctor->cli->conf;
	if (conf)
		found(doctor, "configuration", STATE_OK, "", "%s, sites: %zu", conf->path,
		      conf->site_count);
	else
		found(doctor, "configuration", STATE_BAD,
		      "mend it; thongked -t -c FILE checks a file", "%s", error);
}

static void
check_geo_file(struct doctor *doctor, char *file)
{
	static const char get[] = "get a new file and put it there by rename; see INSTALL";
	char error[512];
	struct geo *geo = geo_open(&file, 1, error, sizeof(error));
	if (!geo) {
		found(doctor, "geoip", STATE_BAD, get, "%s", error);
		return;
	}
	int64_t days = (clock_wall_ms() / 1000 - geo_built(geo)) / DAY_S;
	found(doctor, "geoip", days > GEO_OLD_DAYS ? STATE_WARN : STATE_OK, get,
	      "%s is %" PRId64 " days old", file, days);
	geo_unref(geo);
}

static void
check_geo(struct doctor *doctor)
{
	const struct conf *conf = doctor->cli->conf;
	for (size_t i = 0; i < conf->geoip_count; i++)
		check_geo_file(doctor, conf->geoip[i]);
	if (conf->geoip_count == 0)
		found(doctor, "geoip", STATE_OK, "", "no file, so no countries");
}

static void
check_bots(struct doctor *doctor)
{
	char path[PATH_MAX], error[512];
	const char *name = doctor->cli->conf->bots;
	if (!*name) {
		found(doctor, "bots", STATE_WARN, "name a list: bots = \"bots.txt\"",
		      "no list, so most bots count as people");
		return;
	}
	struct bots *bots =
		bots_read(rules_file_path(name, path, sizeof(path)), error, sizeof(error));
	if (bots)
		found(doctor, "bots", STATE_OK, "", "%s has %zu patterns", path, bots_count(bots));
	else
		found(doctor, "bots", STATE_BAD, "mend that line, or put the file there", "%s",
		      error);
	bots_unref(bots);
}

static void
check_blocklist(struct doctor *doctor)
{
	char error[512];
	const char *path = doctor->cli->conf->referrer_blocklist;
	if (!*path)
		return;
	struct blocklist *list = blocklist_read(path, error, sizeof(error));
	if (list)
		found(doctor, "blocklist", STATE_OK, "", "%s", path);
	else
		found(doctor, "blocklist", STATE_BAD, "mend that line, or put the file there", "%s",
		      error);
	blocklist_unref(list);
}

/* --- Redis --- */

static void
check_version(struct doctor *doctor, const struct store_server *server)
{
	int major = 0, minor = 0;
	bool known = sscanf(server->version, "%9d.%9d", &major, &minor) == 2;
	bool old = known && (major < REDIS_MAJOR || (major == REDIS_MAJOR && minor < REDIS_MINOR));
	if (!known)
		found(doctor, "redis version", STATE_WARN, "see what it is that answers there",
		      "the server does not tell");
	else
		found(doctor, "redis version", old ? STATE_BAD : STATE_OK,
		      "install Redis 6.2 or later", "%s", server->version);
}

static void
check_setting(struct doctor *doctor, const char *check, const char *value, const char *wanted,
	      const char *advice)
{
	if (!*value)
		found(doctor, check, STATE_WARN, "allow the user CONFIG GET, or look there",
		      "the server does not tell");
	else
		found(doctor, check, strcmp(value, wanted) == 0 ? STATE_OK : STATE_BAD, advice,
		      "%s", value);
}

static void
check_redis(struct doctor *doctor)
{
	const struct conf *conf = doctor->cli->conf;
	bool private = strcmp(conf->redis, "private") == 0;
	char error[512];
	struct store *store = cli_store_new(doctor->cli, error, sizeof(error));
	if (!store) {
		found(doctor, "redis", STATE_BAD, "mend redis in the configuration", "%s", error);
		return;
	}
	int status = store_connect(store);
	if (status == STORE_OK)
		status = store_check_schema(store);
	if (status != STORE_OK) {
		const char *advice = status == STORE_REFUSED
					     ? "give the user of redis its password and rights"
				     : private ? "start thongked: a private Redis lives with it"
					       : "start Redis, or mend redis in the configuration";
		found(doctor, "redis", STATE_BAD, advice, "%s", store_error(store));
		store_free(store);
		return;
	}
	const struct store_server *server = store_server(store);
	found(doctor, "redis", STATE_OK, "", "%s", private ? "private" : "answers");
	check_version(doctor, server);
	check_setting(doctor, "maxmemory-policy", server->policy, "noeviction",
		      "CONFIG SET maxmemory-policy noeviction, or Redis may throw counts away");
	check_setting(doctor, "appendonly", server->appendonly, "yes",
		      "CONFIG SET appendonly yes, or Redis may lose counts when it ends");
	store_free(store);
}

/* --- the running daemon --- */

/* What /readyz may say. Those that are always shown stand first. */
static const struct problem {
	const char *name, *check;
	enum state state;
	const char *finding, *advice;
	bool always;
} problems[] = {
	{"front_forgets_address", "visitors' addresses", STATE_BAD,
	 "hits of the last minute came from a trusted proxy that named no client",
	 "let the front server send X-Forwarded-For (INSTALL has the line): until then all the "
	 "world "
	 "is one visitor",
	 true},
	{"gap_hits", "gap_hits", STATE_BAD, "hits were shown that Redis and the journal lost",
	 "find out who flushed or restored Redis; a longer journal.retain would have saved them",
	 true},
	{"redis_away", "daemon's redis", STATE_BAD, "thongked has no connection", "start Redis",
	 false},
	{"redis_refuses", "daemon's redis", STATE_BAD, "Redis takes nothing from thongked",
	 "see what it says: memory, disk, rights", false},
	{"redis_setup", "daemon's redis", STATE_BAD, "Redis may lose counts", "set it so", false},
	{"replaying", "replay", STATE_WARN, "shards are brought back in step with Redis",
	 "wait: it ends by itself", false},
	{"resets", "resets", STATE_WARN, "journal positions were gone in Redis",
	 "find out who flushed or restored Redis", false},
	{"refused_fields", "refused fields", STATE_BAD, "fields in Redis cannot be counted up",
	 "find out who wrote something else there", false},
	{"hits_unavailable", "journal", STATE_BAD, "hits were answered 503",
	 "make room on the disk of state_dir, or raise journal.max_size", false},
	{"journal_damaged", "journal", STATE_BAD, "places of the journal are damaged",
	 "look after the disk; thongke journal verify says where", false},
	{"journal_write_errors", "journal", STATE_BAD, "writes to the journal failed",
	 "look after the disk of state_dir", false},
};

/* The entry of /readyz' list that has this name, or NULL. */
static const json_t *
find_entry(const json_t *list, const char *name)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *entry = json_array_get(list, i);
		const char *its = json_string_value(json_object_get(entry, "problem"));
		if (its && strcmp(its, name) == 0)
			return entry;
	}
	return NULL;
}

static void
show_problem(struct doctor *doctor, const struct problem *problem, const json_t *entry)
{
	const char *text = json_string_value(json_object_get(entry, "text"));
	json_int_t count = json_integer_value(json_object_get(entry, "count"));
	char number[32] = "";
	if (count > 0)
		snprintf(number, sizeof(number), "%lld ", (long long)count);
	if (entry)
		found(doctor, problem->check, problem->state, problem->advice, "%s%s%s%s", number,
		      problem->finding, text ? ": " : "", text ? text : "");
	else if (problem->always)
		found(doctor, problem->check, STATE_OK, "", "no such problem");
}

/* A problem that this program knows nothing of is one all the same. */
static void
show_unknown(struct doctor *doctor, const json_t *entry)
{
	const char *name = json_string_value(json_object_get(entry, "problem"));
	for (size_t i = 0; name && i < COUNT_OF(problems); i++)
		if (strcmp(problems[i].name, name) == 0)
			return;
	found(doctor, name ? name : "daemon", STATE_BAD,
	      "see PROTOCOL.md, and whether thongke and thongked are of one version",
	      "thongked names this problem");
}

static json_t *
ask_daemon(const struct conf *conf, char *error, size_t error_size)
{
	struct buf body = {0};
	json_t *answer = NULL;
	snprintf(error, error_size, "admin_listen is empty");
	for (size_t i = 0; i < conf->admin_listen_count && !answer; i++) {
		buf_clear(&body);
		if (http_get(&conf->admin_listens[i], "/readyz", &body, error, error_size) < 0)
			continue;
		struct slice text = buf_slice(&body);
		answer = json_loadb(text.ptr, text.len, 0, NULL);
		if (!answer)
			snprintf(error, error_size, "what answers on %s is no thongked",
				 conf->admin_listens[i].text);
	}
	buf_release(&body);
	return answer;
}

static void
check_daemon(struct doctor *doctor)
{
	char error[512];
	json_t *answer = ask_daemon(doctor->cli->conf, error, sizeof(error));
	const char *status = json_string_value(json_object_get(answer, "status"));
	const json_t *list = json_object_get(answer, "problems");
	for (size_t i = 0; status && i < COUNT_OF(problems); i++)
		show_problem(doctor, &problems[i], find_entry(list, problems[i].name));
	for (size_t i = 0; status && i < json_array_size(list); i++)
		show_unknown(doctor, json_array_get(list, i));
	if (!status)
		found(doctor, "daemon", STATE_BAD, "start thongked, or mend admin_listen", "%s",
		      answer ? "what answers is no thongked" : error);
	else if (strcmp(status, "loading") == 0)
		found(doctor, "daemon", STATE_BAD, "see why Redis does not answer it",
		      "has not read the counts yet");
	else
		found(doctor, "daemon", STATE_OK, "", "serves, and is %s", status);
	json_decref(answer);
}

/* Whose address the front server forgets counts wrongly as long as it does: that stands first. */
static void
check_all(struct doctor *doctor)
{
	char error[1024];
	struct cli *cli = doctor->cli;
	cli->conf = cli_load_conf(cli, error, sizeof(error));
	if (cli->conf)
		check_daemon(doctor);
	check_conf(doctor, error);
	if (!cli->conf)
		return;
	check_geo(doctor);
	check_bots(doctor);
	check_blocklist(doctor);
	check_redis(doctor);
}

/* --- the command --- */

/* Whole sentences in lines of their own: a table would cut them. */
static void
print_lines(const struct table *table)
{
	enum { NAME_WIDTH = 20 };
	struct buf out = {0};
	for (size_t i = 0; i < table->row_count; i++) {
		const struct cell *row = table_cell(table, i, 0);
		struct slice name = cell_slice(&row[CHECK_NAME]);
		buf_addf(&out, "%-4.*s  ", SLICE_ARG(cell_slice(&row[CHECK_STATE])));
		buf_addf(&out, "%-*.*s  ", NAME_WIDTH, SLICE_ARG(name));
		inert_add(&out, cell_slice(&row[CHECK_FINDING]));
		buf_add_literal(&out, "\n");
		if (row[CHECK_ADVICE].state == CELL_TEXT)
			buf_addf(&out, "      -> %.*s\n",
				 SLICE_ARG(cell_slice(&row[CHECK_ADVICE])));
	}
	cli_write(&out);
	buf_release(&out);
}

int
cmd_doctor(struct cli *cli)
{
	static const struct column columns[CHECK_COLUMNS] = {
		[CHECK_NAME] = {"check", WORD_CHECK, COLUMN_TEXT, NULL},
		[CHECK_STATE] = {"state", WORD_STATE, COLUMN_TEXT, NULL},
		[CHECK_FINDING] = {"finding", WORD_FINDING, COLUMN_TEXT, NULL},
		[CHECK_ADVICE] = {"advice", WORD_ADVICE, COLUMN_TEXT, NULL},
	};
	struct doctor doctor = {.cli = cli};
	log_set_level(LOG_ERROR);
	table_init(&doctor.table, columns, CHECK_COLUMNS);
	check_all(&doctor);
	if (cli->rendering == RENDER_TABLE)
		print_lines(&doctor.table);
	else
		cli_print(cli, NULL, &doctor.table);
	if (doctor.bad == 0)
		return CLI_FINE;
	fprintf(stderr, "thongke: checks that are bad: %zu\n", doctor.bad);
	return CLI_NO;
}
