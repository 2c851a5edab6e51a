/* SPDX-License-Identifier: BSD-2-Clause */
/* What a configuration is refused for, and in which words: every sentence is written out here in full. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "conf_files.h"
#include "base/conf_value.h"

#define ADDRESSES "host:port, [v6]:port, unix:/path (every address: 0.0.0.0:port, [::]:port)"
#define LISTEN_ALLOWED                                                                           \
	"1 to 16 of " ADDRESSES ", with \" proxy\" behind it where each connection begins with " \
	"a PROXY protocol header"
#define ADMIN_ALLOWED "0 to 16 of " ADDRESSES ", without PROXY protocol"
#define NETWORKS_ALLOWED                                                         \
	"0 to 256 of addresses (192.0.2.1, 2001:db8::1), networks (10.0.0.0/8, " \
	"2001:db8::/32, nothing set beyond the prefix) or unix: for every unix socket"
#define ROWS_ALLOWED                                                                             \
	"today, yesterday, week, last_week, month, last_month, year, last_year, total, online, " \
	"bots"
#define SITE_KEYS                                                                            \
	"hosts, timezone, language, rows, metric, public, query, aliases, exclude, repeat, " \
	"visit_gap, require_origin, respect_gpc"
#define HOSTS_ALLOWED                                                                         \
	"1 to 1000 host names (example.org, *.example.org, ::1, or * for any other) without " \
	"scheme, port and path"
#define TOP_KEYS                                                                                   \
	"state_dir, listen, admin_listen, base_path, workers, trusted_proxies, forwarded, redis, " \
	"redis_prefix, redis_password_file, geoip, bots, referrer_blocklist, log_level, demo, "    \
	"journal, limits, site"

/* The sentence of a refusal, with the directory taken out. */
static void
assert_refused(const char *file, const char *const *overrides, size_t count, const char *expected)
{
	char error[1024] = "", shown[1024] = "", *at, *from = error;
	struct conf *conf = conf_load(path_of(file), overrides, count, error, sizeof(error));
	if (conf) {
		conf_unref(conf);
		fail_msg("was not refused, expected: %s", expected);
	}
	while ((at = strstr(from, directory))) {
		snprintf(shown + strlen(shown), sizeof(shown) - strlen(shown), "%.*s",
			 (int)(at - from), from);
		from = at + strlen(directory) + 1;
	}
	snprintf(shown + strlen(shown), sizeof(shown) - strlen(shown), "%s", from);
	assert_string_equal(shown, expected);
}

static const struct {
	const char *text, *sentence;
} bad_files[] = {
	{"# one\n# two\n/* three\n   four */ journal { # five\n sync = \"sometimes\"\n}\n" SITE,
	 "x.conf:5: journal.sync is \"sometimes\"; allowed: always, everysec, no"},
	{"journal { sync = 'sometimes' }\n" SITE,
	 "x.conf:1: journal.sync is \"sometimes\"; allowed: always, everysec, no"},
	{"\nworkerz = 3\n",
	 "x.conf:2: there is no key \"workerz\"; allowed: " TOP_KEYS ", include"},
	{"journal {\n\tsinc = no\n}\n",
	 "x.conf:2: there is no key \"sinc\" in journal; allowed: sync, max_size, retain"},
	{"site \"a\" {\n hosts = {\"a.org\"}\n host = \"a.org\"\n}\n",
	 "x.conf:3: there is no key \"host\" in site; allowed: " SITE_KEYS},
	{"workers = many\n", "x.conf:1: workers is \"many\"; allowed: a number from 0 to 256"},
	{"workers = 257\n", "x.conf:1: workers is \"257\"; allowed: a number from 0 to 256"},
	{"workers = -1\n", "x.conf:1: workers is \"-1\"; allowed: a number from 0 to 256"},
	{"workers = \"\"\n", "x.conf:1: workers is \"\"; allowed: a number from 0 to 256"},
	{"limits { connections = 0 }\n",
	 "x.conf:1: limits.connections is \"0\"; allowed: a number from 1 to 1000000"},
	{"limits { hits_per_minute = -1 }\n",
	 "x.conf:1: limits.hits_per_minute is \"-1\"; allowed: a number from 0 to 1000000"},
	{"limits { pages_per_day = 99999999999999999999 }\n",
	 "x.conf:1: limits.pages_per_day is \"99999999999999999999\"; allowed: a number from 1 to "
	 "1000000"},
	{"journal { max_size = \"4095KiB\" }\n",
	 "x.conf:1: journal.max_size is \"4095KiB\"; allowed: a size from 4MiB to 16TiB, such as "
	 "512KiB, 64MiB or 1GiB"},
	{"journal { max_size = \"1GB\" }\n", "x.conf:1: journal.max_size is \"1GB\"; allowed: a "
					     "size from 4MiB to 16TiB, such as 512KiB, "
					     "64MiB or 1GiB"},
	{"journal { max_size = \"99999999999GiB\" }\n",
	 "x.conf:1: journal.max_size is \"99999999999GiB\"; allowed: a size from 4MiB to 16TiB, "
	 "such "
	 "as 512KiB, 64MiB or 1GiB"},
	{"journal { retain = \"31d\" }\n",
	 "x.conf:1: journal.retain is \"31d\"; allowed: a duration "
	 "from 1s to 30d, such as 90m, 24h or 7d"},
	{"journal { retain = \"24 h\" }\n", "x.conf:1: journal.retain is \"24 h\"; allowed: a "
					    "duration from 1s to 30d, such as 90m, 24h or 7d"},
	{"demo = maybe\n", "x.conf:1: demo is \"maybe\"; allowed: true, false"},
	{"log_level = \"loud\"\n",
	 "x.conf:1: log_level is \"loud\"; allowed: error, warn, info, debug"},
	{"state_dir = \"\"\n", "x.conf:1: state_dir is \"\"; allowed: a text of 1 to 1024 bytes"},
	{"base_path = \"thongke\"\n",
	 "x.conf:1: base_path is \"thongke\"; allowed: nothing, or a path such as /thongke"},
	{"redis = \"localhost\"\n",
	 "x.conf:1: redis is \"localhost\"; allowed: private, unix:/path, "
	 "redis://[user:password@]host:port[/db]"},
	{"redis_prefix = \"a{b}\"\n",
	 "x.conf:1: redis_prefix is \"a{b}\"; allowed: letters, digits "
	 "and :._- after a letter or digit"},
	{"listen = {\"127.0.0.1:8080\",\n\"*:8080\"}\n",
	 "x.conf:2: listen is \"*:8080\"; allowed: " LISTEN_ALLOWED},
	{"listen = {}\n" SITE, "x.conf: listen is empty; allowed: " LISTEN_ALLOWED},
	{"admin_listen = {\"127.0.0.1:8081 proxy\"}\n",
	 "x.conf:1: admin_listen is \"127.0.0.1:8081 proxy\"; allowed: " ADMIN_ALLOWED},
	{"trusted_proxies = {\"10.0.0.1/8\"}\n",
	 "x.conf:1: trusted_proxies is \"10.0.0.1/8\"; allowed: " NETWORKS_ALLOWED},
	{"forwarded = \"via\"\n",
	 "x.conf:1: forwarded is \"via\"; allowed: x-forwarded-for, forwarded"},
	{"site \"a\" {\n hosts = {\"a.org\"}\n exclude = {\"::1\", \"office\"}\n}\n",
	 "x.conf:3: site.a.exclude is \"office\"; allowed: " NETWORKS_ALLOWED},
	{"site \"A\" { hosts = {\"a.org\"} }\n", "x.conf:1: a site's key is \"A\"; allowed: a-z, "
						 "0-9 and ._- after a letter or digit, at most "
						 "63"},
	{"site \"\" { hosts = {\"a.org\"} }\n", "x.conf:1: a site's key is \"\"; allowed: a-z, 0-9 "
						"and ._- after a letter or digit, at most "
						"63"},
	{"\nsite \"a\" {\n\n}\n", "x.conf:2: site.a.hosts is empty; allowed: " HOSTS_ALLOWED},
	{"site \"a\" { hosts = {} }\n", "x.conf:1: site.a.hosts is empty; allowed: " HOSTS_ALLOWED},
	{"site \"a\" { hosts = {\"https://a.org\"} }\n",
	 "x.conf:1: site.a.hosts is \"https://a.org\"; allowed: " HOSTS_ALLOWED},
	{"site \"a\" { hosts = {\"a.org:8080\"} }\n",
	 "x.conf:1: site.a.hosts is \"a.org:8080\"; allowed: " HOSTS_ALLOWED},
	{"site \"a\" { hosts = {\"a.*.org\"} }\n",
	 "x.conf:1: site.a.hosts is \"a.*.org\"; allowed: " HOSTS_ALLOWED},
	{SITE "\n" SITE,
	 "x.conf:3: site \"a\" is defined already (x.conf:1); allowed: each site once"},
	{SITE "site \"b\" {\n hosts = {\"b.org\", \"A.org\"}\n}\n",
	 "x.conf:2: site.b.hosts has \"a.org\", which site \"a\" (x.conf:1) has already; allowed: "
	 "a "
	 "host in one site only"},
	{"site \"a\" { hosts = {\"*.a.org\"} }\nsite \"b\" { hosts = {\"*.a.org\"} }\n",
	 "x.conf:2: site.b.hosts has \"*.a.org\", which site \"a\" (x.conf:1) has already; "
	 "allowed: a "
	 "host in one site only"},
	{"site \"a\" { hosts = {\"*\"} }\nsite \"b\" { hosts = {\"*\"} }\n",
	 "x.conf:2: site.b.hosts has \"*\", which site \"a\" (x.conf:1) has already; allowed: a "
	 "host "
	 "in one site only"},
	{"site \"a\" { hosts = {\"::1\", \"[0:0::1]\"} }\n",
	 "x.conf:1: site.a.hosts names \"::1\" twice; allowed: once"},
	{"site \"a\" {\n hosts = {\"a.org\"}\n timezone = \"Asia/Saigon2\"\n}\n",
	 "x.conf:3: site.a.timezone is \"Asia/Saigon2\"; allowed: a time zone of this system such "
	 "as "
	 "Asia/Ho_Chi_Minh"},
	{"site \"a\" { hosts = {\"a.org\"} timezone = \"../passwd\" }\n",
	 "x.conf:1: site.a.timezone is \"../passwd\"; allowed: a time zone of this system such as "
	 "Asia/Ho_Chi_Minh"},
	{"site \"a\" { language = \"fr\" }\n",
	 "x.conf:1: site.a.language is \"fr\"; allowed: vi, en"},
	{"site \"a\" { rows = {\"today\", \"tomorrow\"} }\n",
	 "x.conf:1: site.a.rows is \"tomorrow\"; allowed: " ROWS_ALLOWED},
	{"site \"a\" { hosts = {\"a.org\"} rows = {} }\n",
	 "x.conf:1: site.a.rows is empty; allowed: " ROWS_ALLOWED},
	{"site \"a\" { aliases = {\"B\"} }\n",
	 "x.conf:1: site.a.aliases is \"B\"; allowed: 0 to 100 keys of sites, in a-z, 0-9 and ._- "
	 "after a letter or digit"},
	{"site \"a\" { hosts = {\"a.org\"} aliases = {\"c\", \"b\"} }\nsite \"b\" { hosts = "
	 "{\"b.org\"} }\n",
	 "x.conf:1: site.a.aliases has \"b\", which is a key of site \"b\" (x.conf:2) already; "
	 "allowed: a key of no site, once"},
	{"site \"a\" { hosts = {\"a.org\"} aliases = {\"c\", \"c\"} }\n",
	 "x.conf:1: site.a.aliases has \"c\", which is a key of site \"a\" (x.conf:1) already; "
	 "allowed: a key of no site, once"},
	{"site \"a\" { query = {\"a=b\"} }\n",
	 "x.conf:1: site.a.query is \"a=b\"; allowed: 0 to 32 names of query keys"},
	{"demo = true\n", "x.conf: no site is defined; allowed: at least one, such as site "
			  "\"example\" { hosts = {\"example.org\"} }"},
	{"",
	 "x.conf: no site is defined; allowed: at least one, such as site \"example\" { hosts = "
	 "{\"example.org\"} }"},
	{"demo true\n", "x.conf:1: missing equal sign after option 'demo'"},
	{"site \"a\" {\n", "x.conf:1: a brace is opened here and never closed"},
	{SITE "journal {\n demo = {a}\n/* } */ # }\n \"}\"",
	 "x.conf:2: a brace is opened here and never closed"},
	{"\"\" = ${X:-#}\njournal {\n", "x.conf:2: a brace is opened here and never closed"},
	{"state_dir = 'a", "x.conf:1: a string is opened here and never closed"},
	{"demo =\n", "x.conf:2: premature end of file"},
	{"}\n", "x.conf:1: unexpected closing brace"},
	{"\"\" = 3\n", "x.conf:1: a syntax error"},
	{"demo = true\n\n/* never closed\n", "x.conf:3: a comment is opened here and never closed"},
	{"\nredis = \"unix:/a\n\n", "x.conf:2: a string is opened here and never closed"},
	{"include(\"none.conf\")\n" SITE,
	 "x.conf:1: \"none.conf\" cannot be included: No such file or directory"},
	{"include(\"x.conf\")\n", "x.conf:1: \"x.conf\" cannot be included: it includes itself"},
	{"include(\".\")\n", "x.conf:1: \".\" cannot be included: it is not a file"},
	{"include(\"a\", \"b\")\n", "x.conf:1: include is used wrongly; allowed: "
				    "include(\"conf.d/*.conf\"), outside of sections"},
	{"site \"a\" {\n include(\"a\")\n}\n",
	 "x.conf:2: include is used wrongly; allowed: include(\"conf.d/*.conf\"), outside of "
	 "sections"},
};

static void
bad_files_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(bad_files); i++) {
		write_file("x.conf", bad_files[i].text);
		assert_refused("x.conf", NULL, 0, bad_files[i].sentence);
	}
	/* What went wrong before leaves nothing behind in the parser. */
	conf_unref(load_text(SITE));
	assert_refused("no.conf", NULL, 0,
		       "no.conf: the configuration cannot be read: No such file or directory");
}

static const struct {
	const char *override, *sentence;
} bad_overrides[] = {
	{"journal.sync=sometimes",
	 "-o journal.sync: journal.sync is \"sometimes\"; allowed: always, "
	 "everysec, no"},
	{"journal.sync", "-o journal.sync: a value is missing; allowed: KEY=VALUE, such as "
			 "journal.sync=always"},
	{"sync=always", "-o sync: there is no such key; allowed: " TOP_KEYS},
	{"journal.sinc=no",
	 "-o journal.sinc: there is no such key; allowed: sync, max_size, retain"},
	{"journal.a.sync=no", "-o journal.a.sync: there is no such key; allowed: sync, max_size, "
			      "retain"},
	{"site.language=en",
	 "-o site.language: there is no such key; allowed: site.KEY. and one of " SITE_KEYS},
	{"site.b.language=en",
	 "-o site.b.language: there is no site \"b\"; allowed: a site that the "
	 "file defines"},
	{"site.a.language=de", "-o site.a.language: site.a.language is \"de\"; allowed: vi, en"},
	{"site.a.hosts=a.org,b.org:80",
	 "-o site.a.hosts: site.a.hosts is \"b.org:80\"; allowed: " HOSTS_ALLOWED},
	{"site.a.hosts=", "x.conf:1: site.a.hosts is empty; allowed: " HOSTS_ALLOWED},
	{"listen=127.0.0.1", "-o listen: listen is \"127.0.0.1\"; allowed: " LISTEN_ALLOWED},
	{"=3", "-o : there is no such key; allowed: " TOP_KEYS},
};

static void
bad_overrides_are_refused(void **state)
{
	(void)state;
	write_file("x.conf", SITE);
	for (size_t i = 0; i < COUNT_OF(bad_overrides); i++)
		assert_refused("x.conf", &bad_overrides[i].override, 1, bad_overrides[i].sentence);
}

static const struct {
	const char *name, *value, *sentence;
} bad_variables[] = {
	{"THONGKE_FOO", "1",
	 "THONGKE_FOO: the environment sets a key that does not exist; allowed: a key's name in "
	 "capitals, such as THONGKE_JOURNAL_SYNC or THONGKE_SITE_KEY_LANGUAGE"},
	{"THONGKE_SITE_B_LANGUAGE", "en",
	 "THONGKE_SITE_B_LANGUAGE: the environment sets a key that does not exist; allowed: a "
	 "key's "
	 "name in capitals, such as THONGKE_JOURNAL_SYNC or THONGKE_SITE_KEY_LANGUAGE"},
	{"THONGKE_SITE_A_B_LANGUAGE", "en",
	 "THONGKE_SITE_A_B_LANGUAGE: both site \"a-b\" and site \"a.b\" have this name; allowed: "
	 "-o "
	 "site.KEY.language=VALUE instead"},
	{"THONGKE_JOURNAL_SYNC", "ALWAYS",
	 "THONGKE_JOURNAL_SYNC: journal.sync is \"ALWAYS\"; allowed: always, everysec, no"},
};

static void
bad_variables_are_refused(void **state)
{
	(void)state;
	write_file("x.conf", SITE "site \"a-b\" { hosts = {\"ab.org\"} }\n"
				  "site \"a.b\" { hosts = {\"b.org\"} }\n");
	for (size_t i = 0; i < COUNT_OF(bad_variables); i++) {
		assert_int_equal(setenv(bad_variables[i].name, bad_variables[i].value, 1), 0);
		assert_refused("x.conf", NULL, 0, bad_variables[i].sentence);
		unsetenv(bad_variables[i].name);
	}
}

static void
included_files_are_refused(void **state)
{
	(void)state;
	write_file("x.conf", "include(\"conf.d/*.conf\")\n" SITE);
	write_file("conf.d/b.conf", "\nworkers = x\n");
	assert_refused("x.conf", NULL, 0,
		       "conf.d/b.conf:2: workers is \"x\"; allowed: a number from 0 to 256");
	write_file("conf.d/b.conf", "\ninclude(\"../x.conf\")\n");
	assert_refused(
		"x.conf", NULL, 0,
		"conf.d/b.conf:2: \"conf.d/../x.conf\" cannot be included: it includes itself");
}

static void
includes_have_a_depth(void **state)
{
	(void)state;
	char name[32], text[64];
	for (int i = 0; i < 9; i++) {
		snprintf(name, sizeof(name), "deep%d.conf", i);
		snprintf(text, sizeof(text), "include(\"deep%d.conf\")\n", i + 1);
		write_file(name, text);
	}
	write_file("deep7.conf", SITE);
	conf_unref(load(path_of("deep0.conf"), NULL, 0));
	write_file("deep7.conf", "include(\"deep8.conf\")\n");
	assert_refused("deep0.conf", NULL, 0,
		       "deep7.conf:1: \"deep8.conf\" cannot be included: includes are nested more "
		       "than 8 deep");
}

static void
files_that_are_no_text_are_refused(void **state)
{
	(void)state;
	FILE *file = fopen(path_of("x.conf"), "w");
	assert_non_null(file);
	assert_int_equal(fwrite("demo = true\0", 1, 12, file), 12);
	fclose(file);
	assert_refused("x.conf", NULL, 0,
		       "x.conf: the configuration cannot be read: it holds a NUL byte");
	assert_refused("conf.d", NULL, 0,
		       "conf.d: the configuration cannot be read: it is not a file");
}

/* --- single values --- */

static void
addresses_are_parsed(void **state)
{
	static const char *const bad[] = {"",
					  "8080",
					  ":8080",
					  "a:",
					  "a:0",
					  "a:65536",
					  "a:8o",
					  "a:1:2",
					  "[::1]",
					  "[::1:80",
					  "[a]:80",
					  "[127.0.0.1]:80",
					  "*:80",
					  "unix:",
					  "unix:a",
					  "a:1proxy",
					  "a:1  proxy",
					  "a:1 proxy ",
					  "a:1 Proxy",
					  " proxy",
					  "a: proxy",
					  "unix: proxy",
					  "unix:/ proxy",
					  "proxy",
					  "a:1 proxy proxy",
					  "[::1] proxy",
					  "a:00",
					  "unix:/",
					  "a b:80",
					  "a..b:80",
					  "http://a:80",
					  "[::1]80"};
	static const char *const good[] = {"127.0.0.1:8080",     "[::]:1",       "0.0.0.0:65535",
					   "my-host.example:80", "unix:/a",      "[::]:1 proxy",
					   "unix:/a proxy",      "a.b:80 proxy", "unix:/a  proxy"};
	(void)state;
	struct conf_address address;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		if (conf_parse_listen(bad[i], &address))
			fail_msg("\"%s\" is no address", bad[i]);
	for (size_t i = 0; i < COUNT_OF(good); i++)
		if (!conf_parse_listen(good[i], &address))
			fail_msg("\"%s\" is an address", good[i]);
		else
			assert_int_equal(address.proxy, strstr(good[i], " proxy") != NULL);
	/* sockaddr_un has room for 108 bytes, the last a NUL. */
	char path[5 + 109] = "unix:/";
	memset(path + 6, 'x', 106);
	assert_true(conf_parse_listen(path, &address));
	path[5 + 107] = 'x';
	assert_false(conf_parse_listen(path, &address));
}

static void
units_are_parsed(void **state)
{
	static const struct {
		const char *text;
		bool (*parse)(const char *text, int64_t *out);
		int64_t value; /* -1: refused */
	} cases[] = {
		{"1GiB", conf_parse_size, 1073741824},
		{"512KiB", conf_parse_size, 524288},
		{"2TiB", conf_parse_size, INT64_C(2199023255552)},
		{"12345", conf_parse_size, 12345},
		{"1G", conf_parse_size, -1},
		{"1 GiB", conf_parse_size, -1},
		{"GiB", conf_parse_size, -1},
		{"-1", conf_parse_size, -1},
		{"999999999999999999TiB", conf_parse_size, -1},
		{"30d", conf_parse_seconds, 2592000},
		{"24h", conf_parse_seconds, 86400},
		{"90m", conf_parse_seconds, 5400},
		{"10s", conf_parse_seconds, 10},
		{"10", conf_parse_seconds, 10},
		{"1w", conf_parse_seconds, -1},
		{"1h30m", conf_parse_seconds, -1},
		{"0x10", conf_parse_number, -1},
		{"007", conf_parse_number, 7},
		{"1000000000000000000", conf_parse_number, -1},
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int64_t value = -2;
		assert_int_equal(cases[i].parse(cases[i].text, &value), cases[i].value >= 0);
		if (cases[i].value >= 0)
			assert_int_equal(value, cases[i].value);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_files_are_refused),
		cmocka_unit_test(bad_overrides_are_refused),
		cmocka_unit_test(bad_variables_are_refused),
		cmocka_unit_test(included_files_are_refused),
		cmocka_unit_test(includes_have_a_depth),
		cmocka_unit_test(files_that_are_no_text_are_refused),
		cmocka_unit_test(addresses_are_parsed),
		cmocka_unit_test(units_are_parsed),
	};
	return cmocka_run_group_tests_name("conf refusals", tests, make_directory,
					   remove_directory);
}
