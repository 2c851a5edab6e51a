/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `check`: a plugin for Nagios, Icinga and their kind: one line on standard output with performance data, and 0 for ok, 1
 * warning, 2 critical, 3 unknown, whatever other commands mean by these. Nothing here ends the program without that line.
 */
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

#include "cli/cli.h"
#include "base/inert.h"
#include "cli/measure.h"

enum severity { CHECK_OK, CHECK_WARNING, CHECK_CRITICAL, CHECK_UNKNOWN };
static const char *const severity_names[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};

/* A range of the plugin guidelines: outside of it is bad. */
struct threshold {
	const char *text; /* NULL: none */
	double low, high;
};

/* What is measured: its name in thresholds and performance data, its unit, and what is too much unless said otherwise. */
enum value {
	VALUE_AGE,
	VALUE_BEHIND,
	VALUE_JOURNAL,
	VALUE_MEMORY,
	VALUE_HITS,
	VALUE_ONLINE,
	VALUES
};
static const struct value_row {
	const char *name, *unit, *warning, *critical;
} value_rows[VALUES] = {
	[VALUE_AGE] = {"age", "s", "30", "300"},
	[VALUE_BEHIND] = {"behind", "B", NULL, NULL},
	[VALUE_JOURNAL] = {"journal", "%", NULL, NULL},
	[VALUE_MEMORY] = {"memory", "B", NULL, NULL},
	[VALUE_HITS] = {"hits", "", NULL, NULL},
	[VALUE_ONLINE] = {"online", "", NULL, NULL},
};

struct check {
	struct cli *cli;
	enum severity severity;
	struct buf said; /* findings, with semicolons */
	bool known[VALUES];
	double values[VALUES];
	struct threshold warnings[VALUES], criticals[VALUES];
};

/* The worst counts. */
static void found(struct check *check, enum severity severity, const char *format, ...)
	PRINTF(3, 4);

static void
found(struct check *check, enum severity severity, const char *format, ...)
{
	char text[768];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (char *at = text; *at; at++)
		if (*at == '|' || *at == ';') /* begins performance data; parts findings */
			*at = ',';
	if (check->said.len > 0)
		buf_add_literal(&check->said, "; ");
	inert_add(&check->said, slice_of(text));
	check->severity = severity > check->severity ? severity : check->severity;
}

/* --- thresholds --- */

static bool
take_bound(const char **at, double *bound)
{
	char *end;
	*bound = strtod(*at, &end);
	bool taken = end != *at;
	*at = end;
	return taken;
}

/* "10": 0 to 10; "10:": 10 and more; "~:10": 10 and less; "10:20". False: none of them. */
static bool
parse_range(const char *text, struct threshold *out)
{
	double bound;
	const char *at = text;
	*out = (struct threshold){.text = text, .low = 0, .high = INFINITY};
	if (at[0] == '~' && at[1] == ':') {
		out->low = -INFINITY;
		at += 2;
		return take_bound(&at, &out->high) && *at == '\0';
	}
	if (!take_bound(&at, &bound))
		return false;
	if (*at == '\0') {
		out->high = bound;
		return true;
	}
	out->low = bound;
	if (*at++ != ':')
		return false;
	return *at == '\0' || (take_bound(&at, &out->high) && *at == '\0' && out->low <= out->high);
}

static bool
set_threshold(struct threshold thresholds[VALUES], const char *text)
{
	const char *equals = strchr(text, '=');
	for (int i = 0; equals && i < VALUES; i++) {
		const char *name = value_rows[i].name;
		if (strlen(name) == (size_t)(equals - text) &&
		    memcmp(name, text, strlen(name)) == 0)
			return parse_range(equals + 1, &thresholds[i]);
	}
	return false;
}

/* False: one of them cannot be read, which is said. */
static bool
set_thresholds(struct check *check, struct threshold thresholds[VALUES], const char *const *texts,
	       size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!set_threshold(thresholds, texts[i])) {
			found(check, CHECK_UNKNOWN,
			      "\"%s\" is no threshold, as age=30, hits=100: or journal=0:80 are, "
			      "of "
			      "age, behind, journal, memory, hits or online",
			      texts[i]);
			return false;
		}
	return true;
}

static bool
read_thresholds(struct check *check)
{
	const struct cli *cli = check->cli;
	for (int i = 0; i < VALUES; i++) {
		const struct value_row *row = &value_rows[i];
		if ((row->warning && !parse_range(row->warning, &check->warnings[i])) ||
		    (row->critical && !parse_range(row->critical, &check->criticals[i])))
			die("the default threshold of %s is none", row->name);
	}
	return set_thresholds(check, check->warnings, cli->warnings, cli->warning_count) &&
	       set_thresholds(check, check->criticals, cli->criticals, cli->critical_count);
}

static bool
is_outside(const struct threshold *threshold, double value)
{
	return threshold->text && (value < threshold->low || value > threshold->high);
}

/* A value that is not known has been said by what did not answer. */
static void
judge(struct check *check)
{
	for (int i = 0; i < VALUES; i++) {
		const struct value_row *row = &value_rows[i];
		double value = check->values[i];
		if (!check->known[i])
			continue;
		if (is_outside(&check->criticals[i], value))
			found(check, CHECK_CRITICAL, "%s is %.0f%s, not %s", row->name, value,
			      row->unit, check->criticals[i].text);
		else if (is_outside(&check->warnings[i], value))
			found(check, CHECK_WARNING, "%s is %.0f%s, not %s", row->name, value,
			      row->unit, check->warnings[i].text);
	}
}

/* --- what is looked at --- */

static void
note(struct check *check, enum value value, double number)
{
	check->known[value] = true;
	check->values[value] = number;
}

static void
take_metrics(struct check *check, struct slice metrics)
{
	double value;
	if (measure_value(metrics, "thongke_age_seconds", NULL, &value) && value >= 0)
		note(check, VALUE_AGE, value);
	if (measure_value(metrics, "thongke_journal_lag_bytes", NULL, &value))
		note(check, VALUE_BEHIND, value);
	if (measure_value(metrics, "thongke_journal_allocated_bytes", NULL, &value))
		note(check, VALUE_JOURNAL,
		     value * 100 / (double)check->cli->conf->journal_max_size);
	if (measure_value(metrics, "thongke_resident_memory_bytes", NULL, &value))
		note(check, VALUE_MEMORY, value);
}

static void
take_problems(struct check *check, const json_t *problems)
{
	for (size_t i = 0; i < json_array_size(problems); i++) {
		const json_t *entry = json_array_get(problems, i);
		const char *name = json_string_value(json_object_get(entry, "problem"));
		const char *text = json_string_value(json_object_get(entry, "text"));
		found(check, CHECK_WARNING, "%s%s%s", name ? name : "a problem", text ? ": " : "",
		      text ? text : "");
	}
}

static void
look_at_daemon(struct check *check)
{
	char error[512];
	struct buf body = {0};
	const struct conf *conf = check->cli->conf;
	int status = measure_ask(conf, "/readyz", &body, error, sizeof(error));
	struct slice text = buf_slice(&body);
	json_t *answer = status < 0 ? NULL : json_loadb(text.ptr, text.len, 0, NULL);
	const char *state = json_string_value(json_object_get(answer, "status"));
	if (!state)
		found(check, CHECK_CRITICAL, "%s",
		      status < 0 ? error : "what answers on admin_listen is no thongked");
	else if (strcmp(state, "loading") == 0)
		found(check, CHECK_CRITICAL, "thongked has not read the counts yet");
	take_problems(check, json_object_get(answer, "problems"));
	json_decref(answer);
	buf_clear(&body);
	if (state && measure_ask(conf, "/metrics", &body, error, sizeof(error)) == 200)
		take_metrics(check, buf_slice(&body));
	buf_release(&body);
}

static int
add_site(struct check *check, struct store *store, const struct conf_site *site)
{
	int64_t utc;
	struct site_numbers numbers = {.site = site->key_slice, .day = cli_now(site, &utc).day};
	int status = store_read(store, site->shard, &numbers, 1, NULL, 0, NULL);
	int64_t hits = numbers.counts[METRIC_HITS][SHOWN_TODAY];
	if (status != STORE_OK || hits < 0 || numbers.online < 0)
		return status;
	note(check, VALUE_HITS, check->values[VALUE_HITS] + (double)hits);
	note(check, VALUE_ONLINE, check->values[VALUE_ONLINE] + (double)numbers.online);
	return STORE_OK;
}

/* Of the sites of -s, or all. */
static void
look_at_redis(struct check *check)
{
	char error[512];
	const struct cli *cli = check->cli;
	size_t named = cli->site_key_count, count = named ? named : cli->conf->site_count;
	struct store *store = cli_store_new(cli, error, sizeof(error));
	int status = store ? store_connect(store) : STORE_REFUSED;
	for (size_t i = 0; i < count && status == STORE_OK; i++) {
		const struct conf_site *site =
			named ? conf_site_by_key(cli->conf, slice_of(cli->site_keys[i]))
			      : &cli->conf->sites[i];
		if (site)
			status = add_site(check, store, site);
		else
			found(check, CHECK_UNKNOWN, "there is no site \"%s\" in %s",
			      cli->site_keys[i], cli->conf->path);
	}
	if (status != STORE_OK)
		found(check, CHECK_CRITICAL, "%s", store ? store_error(store) : error);
	store_free(store);
}

/* --- the line --- */

/* 'label'=value[unit];[warning];[critical];[minimum] */
static void
add_performance(struct buf *out, const struct check *check)
{
	const char *before = " | ";
	for (int i = 0; i < VALUES; i++) {
		const char *warning = check->warnings[i].text, *critical = check->criticals[i].text;
		if (!check->known[i])
			continue;
		buf_addf(out, "%s%s=%.0f%s;%s;%s;0", before, value_rows[i].name, check->values[i],
			 value_rows[i].unit, warning ? warning : "", critical ? critical : "");
		before = " ";
	}
}

static int
finish(struct check *check)
{
	struct buf out = {0};
	if (check->said.len == 0)
		found(check, CHECK_OK, "sites: %zu, hits today: %.0f, online: %.0f",
		      check->cli->site_key_count ? check->cli->site_key_count
						 : check->cli->conf->site_count,
		      check->values[VALUE_HITS], check->values[VALUE_ONLINE]);
	buf_addf(&out, "THONGKE %s: %.*s", severity_names[check->severity],
		 SLICE_ARG(buf_slice(&check->said)));
	add_performance(&out, check);
	buf_add_literal(&out, "\n");
	cli_write(&out);
	buf_release(&out);
	buf_release(&check->said);
	return (int)check->severity;
}

int
cmd_check(struct cli *cli)
{
	struct check check = {.cli = cli};
	char error[1024];
	if (!read_thresholds(&check))
		return finish(&check);
	cli->conf = cli_load_conf(cli, error, sizeof(error));
	if (!cli->conf) {
		found(&check, CHECK_UNKNOWN, "%s", error);
		return finish(&check);
	}
	look_at_daemon(&check);
	look_at_redis(&check);
	judge(&check);
	return finish(&check);
}
