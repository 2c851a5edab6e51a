/* SPDX-License-Identifier: BSD-2-Clause */
/* The number that stands for a configuration: every key moves it, and only the half that it belongs to. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "conf_files.h"
#include "base/conf_keys.h"

/* Another value than the default, for each key of the table. */
static const char *const others[] = {
	"state_dir=/x",
	"listen=127.0.0.1:1",
	"admin_listen=127.0.0.1:2",
	"base_path=/x",
	"workers=3",
	"trusted_proxies=10.0.0.0/8",
	"forwarded=forwarded",
	"redis=unix:/x",
	"redis_prefix=x",
	"redis_password_file=/x",
	"geoip=/x",
	"bots=x",
	"referrer_blocklist=/x",
	"log_level=debug",
	"demo=true",
	"journal.sync=no",
	"journal.max_size=2GiB",
	"journal.retain=48h",
	"limits.connections=7",
	"limits.hits_per_minute=7",
	"limits.pages_per_day=7",
	"site.a.hosts=b.org",
	"site.a.timezone=UTC",
	"site.a.language=en",
	"site.a.rows=today",
	"site.a.metric=visits",
	"site.a.public=pages",
	"site.a.query=id",
	"site.a.aliases=former",
	"site.a.exclude=10.0.0.0/8",
	"site.a.repeat=60",
	"site.a.visit_gap=60",
	"site.a.require_origin=true",
	"site.a.respect_gpc=refuse",
};

/* "site.a.rows=today" is of the key "rows" in "site". */
static bool
is_of(const struct conf_key *key, const char *override)
{
	char name[64], wanted[64];
	const char *site = strcmp(key->section, "site") == 0 ? "a" : NULL;
	conf_key_name(key, site, name, sizeof(name));
	int len = snprintf(wanted, sizeof(wanted), "%s=", name);
	return strncmp(override, wanted, (size_t)len) == 0;
}

static void
every_key_moves_its_half(void **state)
{
	(void)state;
	write_file("x.conf", SITE);
	struct conf *usual = load(path_of("x.conf"), NULL, 0);
	for (size_t i = 0; i < conf_key_count; i++) {
		size_t at = 0;
		while (at < COUNT_OF(others) && !is_of(&conf_keys[i], others[at]))
			at++;
		if (at == COUNT_OF(others))
			fail_msg("no other value of %s", conf_keys[i].name);
		bool reloadable =
			strcmp(conf_keys[i].section, "site") == 0 || conf_keys[i].reloadable;
		struct conf *other = load(path_of("x.conf"), &others[at], 1);
		for (int half = 0; half < 2; half++) {
			bool moved = conf_hash(usual, half) != conf_hash(other, half);
			if (moved != (reloadable == (half == 1)))
				fail_msg("%s", others[at]);
		}
		conf_unref(other);
	}
	conf_unref(usual);
}

static void
the_same_values_have_the_same_number(void **state)
{
	(void)state;
	struct conf *one = load_text(SITE "workers = 2\n");
	struct conf *two = load_text("# more\nworkers = 2\nlog_level = \"info\"\n" SITE);
	for (int half = 0; half < 2; half++)
		assert_true(conf_hash(one, half) == conf_hash(two, half));
	conf_unref(one);
	conf_unref(two);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_key_moves_its_half),
		cmocka_unit_test(the_same_values_have_the_same_number),
	};
	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
