/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration: what is read, which source wins, how sites are found, how it is shared. The samples are read from
 * conf/, so the test runs in the project's directory. Refusals: conf_refusal_test.c.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>

#include "conf_files.h"
#include "base/conf_keys.h"
#include "base/log.h"

static bool
trusts(const struct conf *conf, const char *text)
{
	union address at;
	assert_true(address_parse(slice_of(text), &at));
	return networks_have(conf->trusted_proxies, conf->trusted_proxy_count, &at.any);
}

static void
everything_is_read(void **state)
{
	(void)state;
	struct conf *conf =
		load_text("state_dir = /tmp/state // unquoted\n"
			  "listen += {\"[::1]:80\", \"unix:/run/t.sock\", \"localhost:8080\"}\n"
			  "admin_listen = {}\n"
			  "base_path = \"/a/b/\"\n"
			  "workers = 3 redis = \"redis://u:p@h:1/2\" redis_prefix = t:1\n"
			  "redis_password_file = '/etc/#p//w'\n"
			  "log_level = debug demo = yes\n"
			  "journal { sync = always }\n"
			  "journal { max_size = \"64MiB\" retain = \"90m\" }\n"
			  "limits { connections = 7 hits_per_minute = 0 pages_per_day = 9 }\n"
			  "\n"
			  "site s.1 {\n"
			  "  hosts = {\"S.org\", \"*.s.org\"} hosts += {\"[0:0::1]\"}\n"
			  "  timezone = \"UTC\" language = en\n"
			  "  rows += {online} query = {\"id\", \"p\"}\n"
			  "}\n");
	assert_string_equal(conf->state_dir, "/tmp/state");
	assert_int_equal(conf->listen_count, 4);
	assert_string_equal(conf->listens[0].text, "127.0.0.1:8080");
	assert_string_equal(conf->listens[1].text, "[::1]:80");
	assert_string_equal(conf->listens[1].host, "::1");
	assert_string_equal(conf->listens[1].port, "80");
	assert_null(conf->listens[1].path);
	assert_string_equal(conf->listens[2].path, "/run/t.sock");
	assert_null(conf->listens[2].host);
	assert_string_equal(conf->listens[3].host, "localhost");
	assert_int_equal(conf->admin_listen_count, 0);
	assert_string_equal(conf->base_path, "/a/b");
	assert_int_equal(conf->workers, 3);
	assert_string_equal(conf->redis, "redis://u:p@h:1/2");
	assert_string_equal(conf->redis_prefix, "t:1");
	assert_string_equal(conf->redis_password_file, "/etc/#p//w");
	assert_int_equal(conf->log_level, LOG_DEBUG);
	assert_true(conf->demo);
	assert_int_equal(conf->sync, CONF_SYNC_ALWAYS);
	assert_int_equal(conf->journal_max_size, 67108864);
	assert_int_equal(conf->journal_retain, 5400);
	assert_int_equal(conf->connections, 7);
	assert_int_equal(conf->hits_per_minute, 0);
	assert_int_equal(conf->pages_per_day, 9);
	assert_int_equal(conf->site_count, 1);
	const struct conf_site *site = &conf->sites[0];
	assert_string_equal(site->key, "s.1");
	assert_int_equal(site->line, 12);
	assert_int_equal(site->host_count, 3);
	assert_string_equal(site->hosts[0], "s.org");
	assert_string_equal(site->hosts[1], "*.s.org");
	assert_string_equal(site->hosts[2], "::1");
	assert_string_equal(site->timezone, "UTC");
	assert_int_equal(site->language, CONF_EN);
	assert_int_equal(site->row_count, 5);
	assert_int_equal(site->rows[0], SHOWN_TODAY);
	assert_int_equal(site->rows[4], CONF_ROW_ONLINE);
	assert_int_equal(site->query_count, 2);
	assert_string_equal(site->query[1], "p");
	conf_unref(conf);
}

static void
a_former_key_finds_its_site(void **state)
{
	(void)state;
	struct conf *conf = load_text("site s { hosts = {a} }\n"
				      "site t { hosts = {b} aliases = {\"old\", \"older\"} }\n");
	assert_int_equal(conf->sites[1].alias_count, 2);
	assert_ptr_equal(conf_site_by_key(conf, SLICE("old")), &conf->sites[1]);
	assert_ptr_equal(conf_site_by_key(conf, SLICE("older")), &conf->sites[1]);
	assert_ptr_equal(conf_site_by_key(conf, SLICE("s")), &conf->sites[0]);
	assert_null(conf_site_by_key(conf, SLICE("oldest")));
	conf_unref(conf);
}

static void
proxies_and_networks_are_read(void **state)
{
	(void)state;
	struct conf *conf =
		load_text("listen += {\"unix:/run/t.sock proxy\", \"[::1]:8082 proxy\"}\n"
			  "trusted_proxies = {\"10.0.0.0/8\"} forwarded = forwarded\n"
			  "site s.1 { hosts = {a}\n"
			  "  exclude = {\"192.0.2.0/24\", \"2001:db8::1\", \"unix:\"} }\n");
	assert_int_equal(conf->listen_count, 3);
	assert_false(conf->listens[0].proxy);
	assert_true(conf->listens[1].proxy);
	assert_string_equal(conf->listens[1].path, "/run/t.sock");
	assert_true(conf->listens[2].proxy);
	assert_string_equal(conf->listens[2].host, "::1");
	assert_string_equal(conf->listens[2].port, "8082");
	assert_string_equal(conf->listens[2].text, "[::1]:8082 proxy");
	assert_int_equal(conf->trusted_proxy_count, 1);
	assert_true(trusts(conf, "10.1.2.3"));
	assert_false(trusts(conf, "127.0.0.1"));
	assert_int_equal(conf->forwarded, CONF_FORWARDED);
	const struct conf_site *site = &conf->sites[0];
	union address at;
	assert_true(address_parse(SLICE("2001:db8::1"), &at));
	assert_int_equal(site->exclude_count, 3);
	assert_true(networks_have(site->exclude, site->exclude_count, &at.any));
	assert_false(networks_have(site->exclude, 1, &at.any));
	conf_unref(conf);
}

static void
later_sources_win(void **state)
{
	(void)state;
	static const char *const overrides[] = {
		"journal.max_size=8MiB",
		"journal.retain=10s",
		"journal.retain=2d",
		"listen=[::]:81 proxy, unix:/x",
		"site.a.b.rows=total",
		"site.a.b.hosts=q.org",
		"trusted_proxies=::1/128, 10.0.0.0/8",
		"forwarded=forwarded",
	};
	write_file("x.conf", "journal { retain = 1h sync = no }\n"
			     "site \"a.b\" { hosts = {\"b.org\"} }\n");
	setenv("THONGKE_JOURNAL_SYNC", "always", 1);
	setenv("THONGKE_JOURNAL_RETAIN", "30s", 1);
	setenv("THONGKE_SITE_A_B_QUERY", "x,y", 1);
	setenv("THONGKE_STATE_DIR", "/s", 1);
	struct conf *conf = load(path_of("x.conf"), overrides, COUNT_OF(overrides));
	unsetenv("THONGKE_JOURNAL_SYNC");
	unsetenv("THONGKE_JOURNAL_RETAIN");
	unsetenv("THONGKE_SITE_A_B_QUERY");
	unsetenv("THONGKE_STATE_DIR");
	assert_int_equal(conf->sync, CONF_SYNC_ALWAYS);
	assert_int_equal(conf->journal_retain, 172800);
	assert_int_equal(conf->journal_max_size, 8388608);
	assert_string_equal(conf->state_dir, "/s");
	assert_int_equal(conf->listen_count, 2);
	assert_string_equal(conf->listens[0].host, "::");
	assert_true(conf->listens[0].proxy);
	assert_true(trusts(conf, "10.0.0.1"));
	assert_false(trusts(conf, "127.0.0.1"));
	assert_int_equal(conf->forwarded, CONF_FORWARDED);
	assert_string_equal(conf->listens[1].path, "/x");
	assert_int_equal(conf->sites[0].query_count, 2);
	assert_string_equal(conf->sites[0].query[1], "y");
	assert_int_equal(conf->sites[0].row_count, 1);
	assert_int_equal(conf->sites[0].rows[0], SHOWN_TOTAL);
	assert_non_null(conf_site_by_host(conf, SLICE("q.org")));
	assert_null(conf_site_by_host(conf, SLICE("b.org")));
	conf_unref(conf);
}

static void
variables_are_expanded_in_strings(void **state)
{
	(void)state;
	setenv("CONF_TEST_DIR", "/from/env", 1);
	struct conf *conf =
		load_text("state_dir = \"${CONF_TEST_DIR}/x${NOT_SET:-#\"}\" # ok\n" SITE);
	unsetenv("CONF_TEST_DIR");
	assert_string_equal(conf->state_dir, "/from/env/x#\"");
	conf_unref(conf);
}

static void
includes_are_sorted_and_relative(void **state)
{
	(void)state;
	write_file("conf.d/b.conf", "site \"b\" { hosts = {\"b.org\"} }\ninclude(\"../e.inc\")\n");
	write_file("conf.d/a.conf", "\n\nsite \"a\" { hosts = {\"a.org\"} }\n");
	write_file("conf.d/c.txt", "not read");
	write_file("e.inc", "site \"e\" { hosts = {\"e.org\"} }\n");
	struct conf *conf = load_text("include(\"conf.d/*.conf\")\n"
				      "include('none.d/*.conf')\n"
				      "site \"z\" { hosts = {\"z.org\"} }\n");
	assert_int_equal(conf->site_count, 4);
	assert_string_equal(conf->sites[0].key, "a");
	assert_int_equal(conf->sites[0].line, 3);
	assert_string_equal(conf->sites[0].file, path_of("conf.d/a.conf"));
	assert_string_equal(conf->sites[1].key, "b");
	assert_string_equal(conf->sites[2].key, "e");
	assert_string_equal(conf->sites[3].key, "z");
	assert_int_equal(conf->sites[3].line, 3);
	assert_string_equal(conf->sites[3].file, path_of("x.conf"));
	conf_unref(conf);
}

/* --- finding sites --- */

static void
sites_are_found_by_host(void **state)
{
	static const struct {
		const char *host, *key;
	} cases[] = {
		{"a.org", "exact"},      {"A.ORG:8080", "exact"},
		{"a.org.", "exact"},     {"www.a.org", "below"},
		{"x.y.a.org", "below"},  {"b.a.org", "exact"},
		{"c.b.a.org", "deeper"}, {"d.c.b.a.org:1", "deeper"},
		{"xa.org", "any"},       {"org", "any"},
		{"::1", "exact"},        {"[::1]", "exact"},
		{"[::1]:8080", "exact"}, {"127.0.0.1:80", "exact"},
		{"127.0.0.2", "any"},    {"*", "any"},
		{".a.org", NULL},        {"", NULL},
		{":80", NULL},
	};
	(void)state;
	struct conf *conf = load_text(
		"site \"any\" { hosts = {\"*\"} }\n"
		"site \"below\" { hosts = {\"*.a.org\"} }\n"
		"site \"deeper\" { hosts = {\"*.b.a.org\"} }\n"
		"site \"exact\" { hosts = {\"a.org\", \"b.a.org\", \"::1\", \"127.0.0.1\"} }\n");
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		const struct conf_site *site = conf_site_by_host(conf, slice_of(cases[i].host));
		if (!cases[i].key)
			assert_null(site);
		else
			assert_string_equal(site->key, cases[i].key);
	}
	char longest[400];
	memset(longest, 'x', sizeof(longest));
	assert_null(conf_site_by_host(conf, (struct slice){longest, sizeof(longest)}));
	assert_null(conf_site_by_host(conf, (struct slice){NULL, 0}));
	conf_unref(conf);
	conf = load_text(SITE);
	assert_null(conf_site_by_host(conf, SLICE("b.org")));
	assert_null(conf_site_by_host(conf, SLICE("www.a.org")));
	conf_unref(conf);
}

/* Names of every length, each letter once in capitals, with a port and without. */
static void
hosts_of_every_length_are_lowered(void **state)
{
	(void)state;
	char text[256] = "", name[64], asked[64];
	for (size_t len = 1; len <= 40; len++) {
		for (size_t i = 0; i < len; i++)
			name[i] = "09-_amz"[(len + i) % 7];
		name[0] = 'q';
		name[len] = '\0';
		snprintf(text, sizeof(text), "site \"a\" { hosts = {\"%s\"} }", name);
		struct conf *conf = load_text(text);
		for (size_t i = 0; i < len; i++) {
			snprintf(asked, sizeof(asked), "%s:443", name);
			if (asked[i] >= 'a')
				asked[i] = (char)(asked[i] - 'a' + 'A');
			assert_non_null(conf_site_by_host(conf, slice_of(asked)));
			assert_non_null(conf_site_by_host(conf, (struct slice){asked, len}));
			asked[i] = asked[i] == '_' ? '?' : (char)(asked[i] | 0x80);
			assert_null(conf_site_by_host(conf, (struct slice){asked, len}));
		}
		conf_unref(conf);
	}
}

static void
sites_are_found_by_key(void **state)
{
	(void)state;
	struct conf *conf = load_text(SITE "site \"b\" { hosts = {\"b.org\"} }\n");
	assert_ptr_equal(conf_site_by_key(conf, SLICE("a")), &conf->sites[0]);
	assert_ptr_equal(conf_site_by_key(conf, (struct slice){"bcd", 1}), &conf->sites[1]);
	assert_null(conf_site_by_key(conf, SLICE("A")));
	assert_null(conf_site_by_key(conf, SLICE("c")));
	assert_null(conf_site_by_key(conf, SLICE("")));
	/* One zone, read once. */
	assert_ptr_equal(conf->sites[0].zone, conf->sites[1].zone);
	conf_unref(conf);
}

static void
ten_thousand_sites_are_found(void **state)
{
	(void)state;
	FILE *file = fopen(path_of("many.conf"), "w");
	assert_non_null(file);
	for (int i = 0; i < 10000; i++)
		fprintf(file,
			"site \"site-%d\" { hosts = {\"h%d.example.org\", \"*.h%d.example.org\"} "
			"}\n",
			i, i, i);
	fclose(file);
	struct conf *conf = load(path_of("many.conf"), NULL, 0);
	assert_int_equal(conf->site_count, 10000);
	for (int i = 0; i < 10000; i++) {
		char name[64];
		snprintf(name, sizeof(name), "site-%d", i);
		assert_ptr_equal(conf_site_by_key(conf, slice_of(name)), &conf->sites[i]);
		snprintf(name, sizeof(name), "www.h%d.example.org:8080", i);
		assert_ptr_equal(conf_site_by_host(conf, slice_of(name)), &conf->sites[i]);
	}
	assert_null(conf_site_by_host(conf, SLICE("h10000.example.org")));
	conf_unref(conf);
}

static void
shards_are_xmodem(void **state)
{
	(void)state;
	/* The check value of the CRC catalogue; the others are Redis' CLUSTER KEYSLOT modulo 64. */
	assert_int_equal(crc16_xmodem(SLICE("123456789")), 0x31c3);
	assert_int_equal(crc16_xmodem(SLICE("")), 0);
	assert_int_equal(crc16_xmodem(SLICE("foo")) % 16384, 12182);
	/* Each row of the table against the definition: the byte divided bit by bit. */
	for (unsigned byte = 0; byte < 256; byte++) {
		unsigned rest = byte << 8;
		for (int bit = 0; bit < 8; bit++)
			rest = (rest << 1) ^ (rest & 0x8000 ? 0x11021 : 0);
		char text = (char)byte;
		assert_int_equal(crc16_xmodem((struct slice){&text, 1}), rest);
	}
	struct conf *conf = load_text("site \"foo\" { hosts = {\"a\"} }\n");
	assert_int_equal(conf->sites[0].shard, 12182 % 64);
	conf_unref(conf);
}

/* --- the samples --- */

static void
same_key(const struct conf_key *key, const void *a, const void *b)
{
	const char *in_a = (const char *)a + key->offset, *in_b = (const char *)b + key->offset;
	if (key->type == CONF_ROWS) {
		assert_int_equal(conf_key_list_length(key, a), conf_key_list_length(key, b));
		assert_memory_equal(in_a, in_b, conf_key_list_length(key, a));
	} else if (key->type == CONF_QUERY || key->type == CONF_SITE_KEYS ||
		   key->type == CONF_NETWORKS) {
		assert_int_equal(conf_key_list_length(key, a), conf_key_list_length(key, b));
	} else if (key->type >= CONF_NUMBER && key->type <= CONF_SECONDS) {
		assert_memory_equal(in_a, in_b, key->size);
	} else if (key->type == CONF_ZONE) {
		assert_string_equal(*(char *const *)in_a, *(char *const *)in_b);
	}
}

/* Every key stands in the sample, and at its default: it loads like a file that sets nothing. */
static void
the_sample_shows_the_defaults(void **state)
{
	(void)state;
	struct conf *sample = load("conf/thongke.conf", NULL, 0);
	struct conf *minimal = load("conf/minimal.conf", NULL, 0);
	FILE *file = fopen("conf/thongke.conf", "r");
	assert_non_null(file);
	static char text[32 * 1024] = "\n";
	size_t len = fread(text + 1, 1, sizeof(text) - 2, file);
	fclose(file);
	text[len + 1] = '\0';
	for (size_t i = 0; i < conf_key_count; i++) {
		const struct conf_key *key = &conf_keys[i];
		char line[64];
		snprintf(line, sizeof(line), "\n%s%s = ", key->section[0] ? "\t" : "", key->name);
		if (!strstr(text, line))
			fail_msg("conf/thongke.conf lacks %s", key->name);
		if (conf_key_in(key, "site"))
			same_key(key, &sample->sites[0], &minimal->sites[0]);
		else if (conf_key_differs(key, sample, minimal))
			fail_msg("conf/thongke.conf has another %s than the default", key->name);
	}
	/* The defaults themselves, as the manual states them. */
	assert_string_equal(minimal->state_dir, "/var/lib/thongke");
	assert_string_equal(minimal->listens[0].text, "127.0.0.1:8080");
	assert_string_equal(minimal->admin_listens[0].text, "127.0.0.1:8081");
	assert_string_equal(minimal->base_path, "");
	assert_int_equal(minimal->workers, 0);
	assert_int_equal(minimal->trusted_proxy_count, 3);
	assert_true(trusts(minimal, "127.1.2.3"));
	assert_true(trusts(minimal, "::1"));
	assert_false(trusts(minimal, "10.0.0.1"));
	assert_true(networks_have(minimal->trusted_proxies, 3, NULL));
	assert_int_equal(minimal->forwarded, CONF_FORWARDED_FOR);
	assert_false(minimal->listens[0].proxy);
	assert_string_equal(minimal->redis, "private");
	assert_string_equal(minimal->redis_prefix, "thongke");
	assert_string_equal(minimal->redis_password_file, "");
	assert_int_equal(minimal->log_level, LOG_INFO);
	assert_false(minimal->demo);
	assert_int_equal(minimal->sync, CONF_SYNC_EVERYSEC);
	assert_int_equal(minimal->journal_max_size, 1073741824);
	assert_int_equal(minimal->journal_retain, 86400);
	assert_int_equal(minimal->connections, 10000);
	assert_int_equal(minimal->hits_per_minute, 120);
	assert_int_equal(minimal->pages_per_day, 10000);
	assert_string_equal(minimal->sites[0].timezone, "Asia/Ho_Chi_Minh");
	assert_int_equal(minimal->sites[0].language, CONF_VI);
	assert_int_equal(minimal->sites[0].row_count, 4);
	assert_int_equal(minimal->sites[0].rows[1], SHOWN_YESTERDAY);
	assert_int_equal(minimal->sites[0].rows[2], SHOWN_THIS_MONTH);
	assert_int_equal(minimal->sites[0].rows[3], SHOWN_THIS_YEAR);
	assert_int_equal(minimal->sites[0].query_count, 0);
	assert_int_equal(minimal->sites[0].exclude_count, 0);
	conf_unref(sample);
	conf_unref(minimal);
}

static void
the_demo_loads(void **state)
{
	(void)state;
	struct conf *conf = load("conf/demo.conf", NULL, 0);
	assert_string_equal(conf->state_dir, "run");
	assert_true(conf->demo);
	assert_string_equal(conf_site_by_host(conf, SLICE("[::1]:8080"))->key, "demo");
	assert_string_equal(conf_site_by_host(conf, SLICE("localhost:8080"))->key, "demo");
	assert_string_equal(conf_site_by_host(conf, SLICE("127.0.0.1:8080"))->key, "demo");
	conf_unref(conf);
}

/* --- sharing --- */

static void
a_reload_says_what_waits_for_a_restart(void **state)
{
	(void)state;
	struct conf *old = load_text(SITE);
	struct conf *fresh = load_text("log_level = debug limits { hits_per_minute = 0 } "
				       "trusted_proxies = {} forwarded = forwarded " SITE
				       "site \"b\" { hosts = {\"b\"} }");
	assert_null(conf_needs_restart(old, fresh));
	conf_unref(fresh);
	fresh = load_text("listen = {\"127.0.0.1:8082\"} " SITE);
	assert_string_equal(conf_needs_restart(old, fresh), "listen");
	conf_unref(fresh);
	fresh = load_text("listen = {\"127.0.0.1:8080 proxy\"} " SITE);
	assert_string_equal(conf_needs_restart(old, fresh), "listen");
	conf_unref(fresh);
	fresh = load_text("journal { retain = 1h } " SITE);
	assert_string_equal(conf_needs_restart(old, fresh), "retain");
	conf_unref(fresh);
	conf_unref(old);
}

static void *
read_current(void *arg)
{
	struct conf_current *current = arg;
	for (int i = 0; i < 20000; i++) {
		struct conf *conf = conf_current_get(current);
		if (!conf_site_by_key(conf, SLICE("a")))
			return "the site is gone";
		conf_unref(conf);
	}
	return NULL;
}

static void
the_current_one_is_shared(void **state)
{
	(void)state;
	struct conf *first = load_text(SITE);
	struct conf_current *current = conf_current_new(first);
	uint64_t generation = conf_current_generation(current);
	struct conf *mine = conf_current_get(current);
	assert_ptr_equal(mine, first);
	pthread_t threads[2];
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_current, current), 0);
	for (int i = 0; i < 50; i++)
		conf_current_set(current, load_text(SITE));
	for (int i = 0; i < 2; i++) {
		void *trouble;
		assert_int_equal(pthread_join(threads[i], &trouble), 0);
		assert_null(trouble);
	}
	assert_int_equal(conf_current_generation(current), generation + 50);
	assert_string_equal(mine->sites[0].key, "a");
	conf_unref(mine);
	conf_current_free(current);
	conf_current_free(NULL);
	conf_unref(NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_is_read),
		cmocka_unit_test(a_former_key_finds_its_site),
		cmocka_unit_test(proxies_and_networks_are_read),
		cmocka_unit_test(later_sources_win),
		cmocka_unit_test(variables_are_expanded_in_strings),
		cmocka_unit_test(includes_are_sorted_and_relative),
		cmocka_unit_test(sites_are_found_by_host),
		cmocka_unit_test(hosts_of_every_length_are_lowered),
		cmocka_unit_test(sites_are_found_by_key),
		cmocka_unit_test(ten_thousand_sites_are_found),
		cmocka_unit_test(shards_are_xmodem),
		cmocka_unit_test(the_sample_shows_the_defaults),
		cmocka_unit_test(the_demo_loads),
		cmocka_unit_test(a_reload_says_what_waits_for_a_restart),
		cmocka_unit_test(the_current_one_is_shared),
	};
	return cmocka_run_group_tests_name("conf", tests, make_directory, remove_directory);
}
