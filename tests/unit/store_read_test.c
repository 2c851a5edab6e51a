/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Connecting to a real Redis, and reading from it what plain commands put there. Days by hand: 2019-12-30 is day 18260
 * (a Monday, in the ISO week 2020-W01), 2020-01-01 day 18262, 2020-05-20 day 18402.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>

#include "redis_here.h"
#include "store/store.h"

enum { DAY = 18402, TIMEOUT_MS = 2000 };

#define SITE "somekey"
#define KEY "t:{50}:" SITE

static struct store *
store_new_at(const char *target, const char *password_file, char error[256])
{
	struct store_options options = {target, "t", password_file, TIMEOUT_MS, 100, 86400};
	*error = '\0';
	return store_new(&options, error, 256);
}

static struct store *
store_at(const char *target, const char *password_file)
{
	char error[256];
	struct store *store = store_new_at(target, password_file, error);
	assert_string_equal(error, "");
	return store;
}

static struct store *
connected(struct redis_here *here)
{
	struct store *store = store_at(here->target, "");
	assert_int_equal(store_connect(store), STORE_OK);
	return store;
}

static void
test_targets(void **state)
{
	static const struct {
		const char *target, *word;
	} bad[] = {
		{"redis-cluster://h:1,h:2", "Cluster"},
		{"redis-sentinel://h:1/m", "Sentinel"},
		{"rediss://h:1", "TLS"},
		{"tcp://h:1", "redis://"},
		{"unix:", "path"},
		{"redis://", "host"},
		{"redis://h:0", "port"},
		{"redis://h:65536", "port"},
		{"redis://h:1/x", "database"},
		{"redis://[::1", "IPv6"},
		{"redis://u:%zz@h:1", "escape"},
		{"redis://user@h:1", "password"},
		{"unix:/0123456789012345678901234567890123456789012345678901234567890123456789"
		 "01234567890123456789012345678901234567",
		 "107"},
	};
	static const char *const good[] = {"unix:/x", "redis://h", "redis://h:1/2",
					   "redis://u:p@[::1]:1", "redis://:p%40@h:1/0"};
	char error[256];
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		assert_null(store_new_at(bad[i].target, "", error));
		assert_non_null(strstr(error, bad[i].word));
		assert_non_null(strstr(error, "unix:/path"));
	}
	for (size_t i = 0; i < COUNT_OF(good); i++)
		store_free(store_at(good[i], ""));
	assert_null(store_new_at("unix:/x", "/nowhere/password", error));
	assert_non_null(strstr(error, "/nowhere/password"));
	assert_null(store_new_at("redis://u:secret@h:1", "/etc/hostname", error));
	assert_null(strstr(error, "secret"));
}

static void
test_nobody_there(void **state)
{
	struct redis_here *here = *state;
	char target[128];
	snprintf(target, sizeof(target), "%s.none", here->target);
	struct store *store = store_at(target, "");
	assert_int_equal(store_connect(store), STORE_UNAVAILABLE);
	assert_non_null(strstr(store_error(store), "redis.sock.none"));
	assert_false(store_connected(store));
	store_free(store);
}

static void
test_identity_and_warning(void **state)
{
	struct redis_here *here = *state;
	assert_answer(here, "OK", "CONFIG SET appendonly yes");
	struct store *store = connected(here);
	struct words info = ask(here, "INFO");
	char expected[128];
	const char *run = strstr(info.text, "run_id:") + strlen("run_id:");
	struct words replication = ask(here, "INFO replication");
	const char *id = strstr(replication.text, "master_replid:") + strlen("master_replid:");
	snprintf(expected, sizeof(expected), "%.40s %.40s", run, id);
	assert_string_equal(store_identity(store), expected);
	assert_string_equal(store_warning(store), "");
	(void)ask(here, "CONFIG SET appendonly no");
	assert_int_equal(store_connect(store), STORE_OK);
	assert_non_null(strstr(store_warning(store), "appendonly is no"));
	(void)ask(here, "CONFIG SET maxmemory-policy allkeys-lru");
	assert_int_equal(store_connect(store), STORE_OK);
	assert_non_null(strstr(store_warning(store), "maxmemory-policy is allkeys-lru"));
	(void)ask(here, "ACL SETUSER default -config");
	assert_int_equal(store_connect(store), STORE_OK);
	assert_string_equal(store_warning(store), "");
	store_free(store);
}

/* A port nobody uses, on which the server then listens as well. */
static int
listen_on_tcp(struct redis_here *here)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t size = sizeof(address);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	close(fd);
	assert_answer(here, "OK", "CONFIG SET bind 127.0.0.1 port %d", ntohs(address.sin_port));
	return ntohs(address.sin_port);
}

static void
check_login(const char *target, const char *password_file, int expected, const char *word)
{
	struct store *store = store_at(target, password_file);
	assert_int_equal(store_connect(store), expected);
	if (expected == STORE_OK)
		assert_int_equal(
			store_note_sites(store, (const char *[]){"a"}, (const char *[]){"b"}, 1),
			STORE_OK);
	else
		assert_non_null(strstr(store_error(store), word));
	store_free(store);
}

static void
test_logins_and_databases(void **state)
{
	struct redis_here *here = *state;
	char target[128], file[64];
	int port = listen_on_tcp(here);
	assert_answer(here, "OK", "ACL SETUSER ann on >p@ss:%%+ ~* +@all");
	snprintf(target, sizeof(target), "redis://ann:p%%40ss:%%25+@127.0.0.1:%d/3", port);
	check_login(target, "", STORE_OK, "");
	assert_answer(here, "OK", "SELECT 3");
	assert_answer(here, "b", "HGET t:sites a");
	assert_answer(here, "OK", "SELECT 0");
	assert_answer(here, "0", "DBSIZE");
	snprintf(target, sizeof(target), "redis://ann:wrong@127.0.0.1:%d", port);
	check_login(target, "", STORE_REFUSED, "WRONGPASS");
	snprintf(target, sizeof(target), "redis://127.0.0.1:%d/99", port);
	check_login(target, "", STORE_REFUSED, "out of range");
	assert_answer(here, "OK", "CONFIG SET requirepass secret");
	check_login(here->target, "", STORE_REFUSED, "NOAUTH");
	snprintf(file, sizeof(file), "%s/password", here->dir);
	FILE *out = fopen(file, "w");
	fputs("secret\nsecond line\n", out);
	fclose(out);
	check_login(here->target, file, STORE_OK, "");
	unlink(file);
	assert_answer(here, "OK", "CONFIG SET requirepass %s port 0", "");
}

static void
test_positions(void **state)
{
	static const char *const names[] = {"a", "b"};
	struct redis_here *here = *state;
	struct store *store = connected(here);
	struct position out[64 * 2];
	(void)ask(here, "HSET t:{00}:streams a 5:20200520");
	(void)ask(here, "HSET t:{63}:streams b 18446744073709551615:20200520:f00:-x");
	assert_int_equal(store_positions(store, names, 2, out), STORE_OK);
	for (size_t i = 0; i < COUNT_OF(out); i++)
		assert_int_equal(out[i].present, i == 0 || i == 127);
	assert_true(out[0].offset == 5 && out[127].offset == UINT64_MAX && out[64].offset == 0);
	assert_string_equal(out[0].rest, "20200520");
	assert_string_equal(out[127].rest, "20200520:f00:-x");
	static const char *const spoiled[] = {"", ":x", "1x", "18446744073709551616", "-1"};
	for (size_t i = 0; i < COUNT_OF(spoiled); i++) {
		(void)ask(here, "HSET t:{07}:streams a %s", spoiled[i]);
		assert_int_equal(store_positions(store, names, 2, out), STORE_REFUSED);
		assert_non_null(strstr(store_error(store), "t:{07}:streams"));
	}
	(void)ask(here, "SET t:{07}:streams poison");
	assert_int_equal(store_positions(store, names, 2, out), STORE_REFUSED);
	(void)ask(here, "DEL t:{07}:streams");
	assert_int_equal(store_positions(store, names, 2, out), STORE_OK);
	store_free(store);
}

/* A visitor whose last hit was so many seconds from now; online is who was there within five minutes. */
static void
put_seen(struct redis_here *here, const char *key, int64_t now_ms, const char *visitor, int seconds)
{
	(void)ask(here, "ZADD %s:seen %lld %s", key, (long long)now_ms + 1000LL * seconds, visitor);
}

/* On New Year's Day 2020, a Wednesday: yesterday, last month and last year are 2019, this week is 2020's first. */
static void
test_read(void **state)
{
	struct redis_here *here = *state;
	struct store *store = connected(here);
	struct position position;
	struct site_numbers sites[] = {{.site = SLICE(SITE), .day = 18262},
				       {.site = SLICE("other"), .day = 18262},
				       {.site = SLICE("spoiled"), .day = 18262}};
	const int64_t now_ms = clock_wall_ms();
	(void)ask(here, "HSET " KEY ":hits:2020 01-01 1");
	(void)ask(here, "HSET " KEY ":hits:2019 12-31 2");
	(void)ask(here,
		  "HSET " KEY ":hits 2020-W01 3 2019-W52 4 2020-01 5 2019-12 6 2020 7 2019 8 all "
		  "9");
	(void)ask(here, "HSET " KEY ":visits:2020 01-01 10");
	(void)ask(here, "HSET " KEY ":visits:2019 12-31 20");
	(void)ask(here, "HSET " KEY ":visits 2020-W01 30 2019-W52 40 2020-01 50 2019-12 60 2020 70 "
			"2019 80 all 90");
	(void)ask(here, "HSET " KEY ":bots:2020 01-01 77 12-31 99");
	put_seen(here, KEY, now_ms, "before", -360);
	put_seen(here, KEY, now_ms, "just", -240);
	put_seen(here, KEY, now_ms, "soon", 240);
	put_seen(here, KEY, now_ms, "later", 360);
	(void)ask(here, "HSET t:{50}:streams a 5:x");
	(void)ask(here, "SET t:{50}:spoiled:hits poison");
	(void)ask(here, "SET t:{50}:spoiled:bots:2020 poison");
	(void)ask(here, "SET t:{50}:spoiled:seen poison");
	(void)ask(here, "HSET t:{50}:spoiled:hits:2020 01-01 4x");
	assert_int_equal(store_read(store, 50, sites, 3, (const char *[]){"a"}, 1, &position),
			 STORE_OK);
	for (int i = 0; i < SHOWN_PERIODS; i++) {
		assert_int_equal(sites[0].counts[METRIC_HITS][i], i + 1);
		assert_int_equal(sites[0].counts[METRIC_VISITS][i], 10 * (i + 1));
		assert_int_equal(sites[0].counts[METRIC_VISITORS][i], 0);
		assert_int_equal(sites[1].counts[METRIC_HITS][i], 0);
		assert_int_equal(sites[2].counts[METRIC_HITS][i], i == SHOWN_YESTERDAY ? 0 : -1);
		assert_int_equal(sites[2].counts[METRIC_VISITS][i], 0);
	}
	assert_int_equal(sites[0].bots, 77);
	assert_int_equal(sites[0].online, 2);
	assert_int_equal(sites[1].bots, 0);
	assert_int_equal(sites[1].online, 0);
	assert_int_equal(sites[2].bots, -1);
	assert_int_equal(sites[2].online, -1);
	assert_true(position.present && position.offset == 5);
	sites[0].counts[METRIC_HITS][0] = 0;
	assert_int_equal(store_read(store, 50, sites, 1, NULL, 0, NULL), STORE_OK);
	assert_int_equal(sites[0].counts[METRIC_HITS][0], 1);
	store_free(store);
}

/* What operators added: of every period shown, of a series, of a page. What is no number adds nothing. */
static void
test_adjusted(void **state)
{
	struct redis_here *here = *state;
	struct store *store = connected(here);
	struct site_numbers site = {.site = SLICE(SITE), .day = 18262};
	struct page_numbers page = {.site = SLICE(SITE), .path = SLICE("/a b"), .day = 18262};
	static const struct {
		const char *field, *value;
	} fields[] = {
		{"hits 2020-01-01", "1"},
		{"hits 2019-12-31", "-2"},
		{"hits 2020-W01", "3"},
		{"hits 2019-W52", "4"},
		{"hits 2020-01", "5"},
		{"hits 2019-12", "6"},
		{"hits 2020", "7"},
		{"hits 2019", "8"},
		{"hits all", "9"},
		{"visits 2020", "3x"},
		{"visitors all", "-12345678"},
		{"hits all /a b", "11"},
		{"hits 2020-01-01 /a b", "12"},
		{"visits all /a b", "13"},
		{"visits 2020-01-01 /a b", "-14"},
	};
	for (size_t i = 0; i < COUNT_OF(fields); i++)
		(void)ask(here, "HSET " KEY ":base %s %s", fields[i].field, fields[i].value);
	assert_int_equal(store_read(store, 50, &site, 1, NULL, 0, NULL), STORE_OK);
	for (int i = 0; i < SHOWN_PERIODS; i++) {
		assert_int_equal(site.adjusted[METRIC_HITS][i], i == SHOWN_YESTERDAY ? -2 : i + 1);
		assert_int_equal(site.adjusted[METRIC_VISITS][i], 0);
		assert_int_equal(site.counts[METRIC_HITS][i], 0);
	}
	assert_int_equal(site.adjusted[METRIC_VISITORS][SHOWN_TOTAL], -12345678);
	assert_int_equal(store_read_pages(store, 50, &page, 1, NULL, 0, NULL), STORE_OK);
	assert_int_equal(page.adjusted.hits_all, 11);
	assert_int_equal(page.adjusted.hits_day, 12);
	assert_int_equal(page.adjusted.visits_all, 13);
	assert_int_equal(page.adjusted.visits_day, -14);
	int64_t out[3];
	assert_int_equal(
		store_series_adjusted(store, SLICE(SITE), METRIC_HITS, PERIOD_YEAR, 2018, 3, out),
		STORE_OK);
	assert_true(out[0] == 0 && out[1] == 8 && out[2] == 7);
	(void)ask(here, "DEL " KEY ":base");
	(void)ask(here, "SET " KEY ":base poison");
	assert_int_equal(store_read(store, 50, &site, 1, NULL, 0, NULL), STORE_OK);
	assert_int_equal(site.adjusted[METRIC_HITS][SHOWN_TOTAL], 0);
	store_free(store);
}

static void
test_series(void **state)
{
	struct redis_here *here = *state;
	struct store *store = connected(here);
	int64_t out[4] = {9, 9, 9, 9};
	(void)ask(here, "HSET " KEY ":hits:2019 12-30 30 12-31 31");
	(void)ask(here, "HSET " KEY ":hits:2020 01-01 1 05-20 20");
	(void)ask(here, "HSET " KEY
			":hits 2020-W01 101 2019-W52 52 2020-01 100 2019-12 112 2020 7 2019 8 "
			"all 9");
	assert_int_equal(store_series(store, SLICE(SITE), METRIC_HITS, PERIOD_DAY, 18260, 4, out),
			 STORE_OK);
	assert_memory_equal(out, ((int64_t[]){30, 31, 1, 0}), sizeof(out));
	/* 1969-12-29 is week 0; 2019-12-30 is 18263 days later, which is 2609 weeks. */
	assert_int_equal(store_series(store, SLICE(SITE), METRIC_HITS, PERIOD_WEEK, 2608, 3, out),
			 STORE_OK);
	assert_memory_equal(out, ((int64_t[]){52, 101, 0}), 3 * sizeof(*out));
	assert_int_equal(
		store_series(store, SLICE(SITE), METRIC_HITS, PERIOD_MONTH, 2019 * 12 + 10, 4, out),
		STORE_OK);
	assert_memory_equal(out, ((int64_t[]){0, 112, 100, 0}), sizeof(out));
	assert_int_equal(store_series(store, SLICE(SITE), METRIC_HITS, PERIOD_YEAR, 2018, 4, out),
			 STORE_OK);
	assert_memory_equal(out, ((int64_t[]){0, 8, 7, 0}), sizeof(out));
	assert_int_equal(store_series(store, SLICE(SITE), METRIC_HITS, PERIOD_ALL, 0, 1, out),
			 STORE_OK);
	assert_int_equal(out[0], 9);
	int32_t years[3];
	size_t count;
	assert_int_equal(store_years(store, SLICE(SITE), years, 3, &count), STORE_OK);
	assert_int_equal(count, 2);
	assert_true(years[0] == 2019 && years[1] == 2020);
	(void)ask(here, "HSET " KEY ":base hits%b2017 5 hits%b2020 5 visits%b2016 5 hits%b2015 0",
		  " ", (size_t)1, " ", (size_t)1, " ", (size_t)1, " ", (size_t)1);
	assert_int_equal(store_years(store, SLICE(SITE), years, 3, &count), STORE_OK);
	assert_int_equal(count, 3);
	assert_true(years[0] == 2017 && years[1] == 2019 && years[2] == 2020);
	assert_int_equal(store_years(store, SLICE(SITE), years, 1, &count), STORE_OK);
	assert_true(count == 1 && years[0] == 2017);
	assert_int_equal(store_years(store, SLICE("nobody"), years, 3, &count), STORE_OK);
	assert_int_equal(count, 0);
	(void)ask(here, "SET " KEY ":hits poison");
	assert_int_equal(store_years(store, SLICE(SITE), years, 3, &count), STORE_REFUSED);
	store_free(store);
}

static void
test_hours(void **state)
{
	struct redis_here *here = *state;
	struct store *store = connected(here);
	int64_t hours[24];
	bool known = true;
	assert_int_equal(store_hours(store, SLICE(SITE), DAY, hours, &known), STORE_OK);
	assert_false(known);
	(void)ask(here, "HSET " KEY ":hours:2020-05-20 00 5 09 6 23 7 24 8 x 9");
	assert_int_equal(store_hours(store, SLICE(SITE), DAY, hours, &known), STORE_OK);
	assert_true(known);
	for (int i = 0; i < 24; i++)
		assert_int_equal(hours[i], i == 0 ? 5 : i == 9 ? 6 : i == 23 ? 7 : 0);
	store_free(store);
}

static void
append_site_cb(struct slice site, struct slice settings, void *arg)
{
	struct buf *out = arg;
	buf_addf(out, "[%.*s=%.*s]", SLICE_ARG(site), SLICE_ARG(settings));
}

static void
test_sites_and_schema(void **state)
{
	static const char *const sites[] = {"a", "b"}, *const settings[] = {"zone=x y", ""};
	struct redis_here *here = *state;
	struct store *store = connected(here);
	struct buf found = {0};
	assert_int_equal(store_note_sites(store, sites, settings, 2), STORE_OK);
	assert_int_equal(store_note_sites(store, sites, settings, 2), STORE_OK);
	assert_answer(here, "schema 1", "HGETALL t:meta");
	assert_answer(here, "zone=x y", "HGET t:sites a");
	assert_int_equal(store_sites(store, append_site_cb, &found), STORE_OK);
	buf_add(&found, "", 1);
	assert_true(strcmp(found.data, "[a=zone=x y][b=]") == 0 ||
		    strcmp(found.data, "[b=][a=zone=x y]") == 0);
	(void)ask(here, "DEL t:sites");
	(void)ask(here, "HSET t:meta schema 2");
	assert_int_equal(store_note_sites(store, sites, settings, 2), STORE_REFUSED);
	assert_non_null(strstr(store_error(store), "schema 2"));
	assert_answer(here, "t:meta", "KEYS *");
	buf_release(&found);
	store_free(store);
}

static void
test_salt(void **state)
{
	struct redis_here *here = *state;
	struct store *store = connected(here);
	unsigned char first[16] = "\0\1\r\n\xff 6789abcdef", second[16] = "another", kept[16];
	memcpy(kept, first, sizeof(kept));
	assert_int_equal(store_salt(store, DAY, first), STORE_OK);
	assert_memory_equal(first, kept, sizeof(kept));
	assert_answer(here, "16", "STRLEN t:salt:2020-05-20");
	assert_answer(here, "1", "EXPIRE t:salt:2020-05-20 5");
	assert_int_equal(store_salt(store, DAY, second), STORE_OK);
	assert_memory_equal(second, kept, sizeof(kept));
	assert_in_range(strtol(ask(here, "TTL t:salt:2020-05-20").text, NULL, 10), 259200 - 60,
			259200);
	/* A server without memory to spare still says which salt it is. */
	(void)ask(here, "CONFIG SET maxmemory 1");
	memset(second, 0, sizeof(second));
	assert_int_equal(store_salt(store, DAY, second), STORE_OK);
	assert_memory_equal(second, kept, sizeof(kept));
	assert_int_equal(store_salt(store, DAY + 1, second), STORE_REFUSED);
	(void)ask(here, "CONFIG SET maxmemory 0");
	(void)ask(here, "SET t:salt:2020-05-20 short");
	assert_int_equal(store_salt(store, DAY, second), STORE_REFUSED);
	store_free(store);
}

static void
test_rewrite_and_stats(void **state)
{
	struct redis_here *here = *state;
	struct store *store = connected(here);
	struct store_stats before = store_stats(store);
	assert_int_equal(store_rewrite(store), STORE_OK);
	struct store_stats after = store_stats(store);
	assert_int_equal(after.calls - before.calls, 1);
	assert_true(after.wait_us > before.wait_us);
	assert_int_equal(after.errors, before.errors);
	store_free(store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_targets),
		cmocka_unit_test_setup(test_nobody_there, redis_here_empty),
		cmocka_unit_test_setup(test_identity_and_warning, redis_here_empty),
		cmocka_unit_test_setup(test_logins_and_databases, redis_here_empty),
		cmocka_unit_test_setup(test_positions, redis_here_empty),
		cmocka_unit_test_setup(test_read, redis_here_empty),
		cmocka_unit_test_setup(test_adjusted, redis_here_empty),
		cmocka_unit_test_setup(test_series, redis_here_empty),
		cmocka_unit_test_setup(test_hours, redis_here_empty),
		cmocka_unit_test_setup(test_sites_and_schema, redis_here_empty),
		cmocka_unit_test_setup(test_salt, redis_here_empty),
		cmocka_unit_test_setup(test_rewrite_and_stats, redis_here_empty),
	};
	return cmocka_run_group_tests_name("store_read", tests, redis_here_start, redis_here_stop);
}
