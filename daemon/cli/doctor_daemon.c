/* SPDX-License-Identifier: BSD-2-Clause */
/* What the running daemon says of itself, and whether it runs with this configuration. */
#include <jansson.h>

#include "cli/doctor.h"
#include "cli/http_get.h"

enum { LAG_WARN = 1024 * 1024, LAG_BAD = 64 * 1024 * 1024 };

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
	{"countries_file", "geoip", STATE_BAD,
	 "the daemon goes on with an older file, or none: it cannot read this one",
	 "get a new file and put it there by rename; see INSTALL", false},
	{"bots_file", "bots", STATE_BAD, "the daemon goes on with an older list, or none",
	 "mend that line, or put the file there", false},
	{"blocklist_file", "blocklist", STATE_BAD, "the daemon goes on with an older list, or none",
	 "mend that line, or put the file there", false},
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
		doctor_found(doctor, problem->check, problem->state, problem->advice, "%s%s%s%s",
			     number, problem->finding, text ? ": " : "", text ? text : "");
	else if (problem->always)
		doctor_found(doctor, problem->check, STATE_OK, "", "no such problem");
}

/* A problem that this program knows nothing of is one all the same. */
static void
show_unknown(struct doctor *doctor, const json_t *entry)
{
	const char *name = json_string_value(json_object_get(entry, "problem"));
	for (size_t i = 0; name && i < COUNT_OF(problems); i++)
		if (strcmp(problems[i].name, name) == 0)
			return;
	doctor_found(doctor, name ? name : "daemon", STATE_BAD,
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
check_lag(struct doctor *doctor, const json_t *answer)
{
	json_int_t lag = json_integer_value(json_object_get(answer, "lag_bytes"));
	doctor_found(doctor, "journal lag",
		     lag >= LAG_BAD    ? STATE_BAD
		     : lag >= LAG_WARN ? STATE_WARN
				       : STATE_OK,
		     "see whether Redis is away or too slow for so many hits",
		     "%lld bytes wait for Redis", (long long)lag);
}

static void
check_version(struct doctor *doctor, const json_t *answer)
{
	const char *version = json_string_value(json_object_get(answer, "version"));
	bool same = version && strcmp(version, THONGKE_VERSION) == 0;
	doctor_found(doctor, "versions", same ? STATE_OK : STATE_WARN,
		     "restart thongked after an upgrade", "thongked %s, thongke " THONGKE_VERSION,
		     version ? version : "does not say its own");
}

/* The numbers that stand for the keys that wait for a restart, and for the others. */
static void
check_settings(struct doctor *doctor, const json_t *answer)
{
	static const char check[] = "settings";
	const json_t *numbers = json_object_get(answer, "conf");
	const struct conf *conf = doctor->cli->conf;
	bool same[2];
	if (json_array_size(numbers) != COUNT_OF(same))
		return;
	for (size_t i = 0; i < COUNT_OF(same); i++) {
		char own[32];
		const char *theirs = json_string_value(json_array_get(numbers, i));
		snprintf(own, sizeof(own), "%016" PRIx64, conf_hash(conf, i == 1));
		same[i] = theirs && strcmp(own, theirs) == 0;
	}
	if (!same[0])
		doctor_found(doctor, check, STATE_WARN,
			     "restart thongked, or give thongke the same -c, -o and variables",
			     "thongked runs with another configuration than %s", conf->path);
	else if (!same[1])
		doctor_found(doctor, check, STATE_WARN,
			     "reload thongked (SIGHUP), or give thongke the same -c, -o and "
			     "variables",
			     "thongked runs with another configuration than %s", conf->path);
	else
		doctor_found(doctor, check, STATE_OK, "", "thongked runs with these");
}

void
doctor_daemon(struct doctor *doctor)
{
	char error[512];
	json_t *answer = ask_daemon(doctor->cli->conf, error, sizeof(error));
	const char *status = json_string_value(json_object_get(answer, "status"));
	const json_t *list = json_object_get(answer, "problems");
	for (size_t i = 0; status && i < COUNT_OF(problems); i++)
		show_problem(doctor, &problems[i], find_entry(list, problems[i].name));
	for (size_t i = 0; status && i < json_array_size(list); i++)
		show_unknown(doctor, json_array_get(list, i));
	if (!status) {
		doctor_found(doctor, "daemon", STATE_BAD, "start thongked, or mend admin_listen",
			     "%s", answer ? "what answers is no thongked" : error);
	} else {
		bool loading = strcmp(status, "loading") == 0;
		doctor_found(doctor, "daemon", loading ? STATE_BAD : STATE_OK,
			     "see why Redis does not answer it", "%s%s",
			     loading ? "has not read the counts yet" : "serves, and is ",
			     loading ? "" : status);
		check_lag(doctor, answer);
		check_version(doctor, answer);
		check_settings(doctor, answer);
	}
	json_decref(answer);
}
