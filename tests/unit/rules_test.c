/* SPDX-License-Identifier: BSD-2-Clause */
/* The snapshot of files: what a reload and a watch take over, what they keep, and what they say about it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <sys/wait.h>

#include "conf_files.h"
#include "hit/rules.h"
#include "mmdb_here.h"

static void
write_lists(const char *bots, const char *blocked)
{
	write_file("bots.txt", bots);
	write_file("blocked.txt", blocked);
}

static struct conf *
conf_with_all(void)
{
	char text[2048];
	snprintf(text, sizeof(text),
		 "bots = \"%s/bots.txt\"\nreferrer_blocklist = \"%s/blocked.txt\"\n"
		 "geoip = {\"%s/geo.mmdb\"}\n" SITE,
		 directory, directory, directory);
	return load_text(text);
}

static void
replace_geo(const char *words)
{
	char path[256];
	make_mmdb(place(path, "geo.mmdb"), "%s", words);
}

/* What the snapshot in force judges: the country of 1.2.3.4 ("-": unknown), how many bots, is spam.example blocked. */
static void
assert_rules(struct rules_current *current, const char *country, size_t bots, bool blocked)
{
	struct rules *rules = rules_current_get(current);
	struct slice got = rules->geo ? country_of(rules->geo, "1.2.3.4") : (struct slice){0};
	if (!slice_eq(got.ptr ? got : SLICE("-"), slice_of(country)))
		fail_msg("1.2.3.4 is in \"%.*s\", not in %s", SLICE_ARG(got), country);
	assert_int_equal(bots_count(rules->bots), bots);
	assert_int_equal(blocklist_has(rules->blocked, SLICE("spam.example")), blocked);
	rules_unref(rules);
}

static void
assert_status(const struct rules_current *current, const char *geo, const char *bots,
	      const char *blocked)
{
	const struct rules_status *status = rules_current_status(current);
	const char *const pairs[][2] = {
		{status->geo, geo}, {status->bots, bots}, {status->blocked, blocked}};
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		assert_int_equal(*pairs[i][0] != '\0', *pairs[i][1] != '\0');
		if (!strstr(pairs[i][0], pairs[i][1]))
			fail_msg("\"%s\" does not say \"%s\"", pairs[i][0], pairs[i][1]);
	}
}

/* Counts the lines of the log that begin with an event, from the time of catch_log() on. */
static int log_fd, real_stderr;

static void
catch_log(void)
{
	log_fd = open(path_of("log"), O_RDWR | O_CREAT | O_TRUNC, 0600);
	real_stderr = dup(STDERR_FILENO);
	assert_true(log_fd >= 0 && dup2(log_fd, STDERR_FILENO) >= 0);
}

static int
logged(const char *event)
{
	struct buf text = {0};
	int count = 0;
	assert_true(dup2(real_stderr, STDERR_FILENO) >= 0);
	close(real_stderr);
	close(log_fd);
	read_bytes(&text, path_of("log"));
	buf_add(&text, "", 1);
	for (const char *at = text.data; (at = strstr(at, event)); at++)
		count++;
	buf_release(&text);
	return count;
}

static void
a_reload_takes_over_what_is_good(void **state)
{
	(void)state;
	write_lists("One  one\n", "spam.example\n");
	replace_geo("1.2.3.0/24=VN");
	struct conf *conf = conf_with_all();
	struct rules_current *current = rules_current_new(conf);
	uint64_t generation = rules_current_generation(current);
	assert_rules(current, "VN", 1, true);
	assert_status(current, "", "", "");
	struct rules *held = rules_current_get(current);
	write_lists("One  one\nTwo  two\n", "");
	replace_geo("1.2.3.0/24=US");
	rules_reload(current, conf);
	assert_true(rules_current_generation(current) > generation);
	assert_rules(current, "US", 2, false);
	assert_true(slice_eq(country_of(held->geo, "1.2.3.4"), SLICE("VN")));
	rules_unref(held);
	rules_current_free(current);
	conf_unref(conf);
}

static void
a_reload_keeps_what_it_cannot_read(void **state)
{
	(void)state;
	write_lists("One  one\n", "spam.example\n");
	replace_geo("1.2.3.0/24=VN");
	struct conf *conf = conf_with_all();
	struct rules_current *current = rules_current_new(conf);
	write_lists("One  (one\n", "no host\n");
	replace_geo("shape=asn 1.2.3.0/24=VN");
	rules_reload(current, conf);
	assert_status(current, "geo.mmdb", "bots.txt:1", "blocked.txt:1");
	assert_rules(current, "VN", 1, true);
	write_lists("One  one\nTwo  two\n", "no host\n");
	rules_reload(current, conf);
	assert_rules(current, "VN", 2, true);
	rules_current_free(current);
	conf_unref(conf);
}

static void
a_configuration_without_files(void **state)
{
	(void)state;
	write_lists("One  one\n", "spam.example\n");
	replace_geo("1.2.3.0/24=VN");
	struct conf *all = conf_with_all(), *none = load_text("bots = \"\"\n" SITE);
	struct rules_current *current = rules_current_new(none);
	struct rules *rules = rules_current_get(current);
	assert_true(!rules->bots && !rules->geo && !rules->blocked);
	rules_unref(rules);
	rules_watch(current, none);
	assert_int_equal(rules_current_generation(current), 1);
	rules_reload(current, all);
	assert_rules(current, "VN", 1, true);
	rules_reload(current, none);
	rules = rules_current_get(current);
	assert_true(!rules->bots && !rules->geo && !rules->blocked);
	rules_unref(rules);
	rules_current_free(current);
	conf_unref(all);
	conf_unref(none);
}

static void
the_watch_sees_replaced_files(void **state)
{
	(void)state;
	char path[256], away[256];
	write_lists("One  one\n", "spam.example\n");
	replace_geo("1.2.3.0/24=VN");
	struct conf *conf = conf_with_all();
	struct rules_current *current = rules_current_new(conf);
	rules_watch(current, conf);
	assert_int_equal(rules_current_generation(current), 1);
	catch_log();
	replace_geo("1.2.3.0/24=US");
	rules_watch(current, conf);
	rules_watch(current, conf);
	assert_int_equal(logged(" info geoip_opened files=1\n"), 1);
	assert_int_equal(rules_current_generation(current), 2);
	assert_rules(current, "US", 1, true);
	assert_int_equal(rename(place(path, "geo.mmdb"), place(away, "away.mmdb")), 0);
	rules_watch(current, conf);
	assert_status(current, "", "", "");
	assert_rules(current, "US", 1, true);
	rules_current_free(current);
	conf_unref(conf);
}

static void
a_start_without_the_geo_file(void **state)
{
	(void)state;
	char path[256];
	write_lists("One  one\n", "spam.example\n");
	unlink(place(path, "geo.mmdb"));
	struct conf *conf = conf_with_all();
	catch_log();
	struct rules_current *current = rules_current_new(conf);
	for (int i = 0; i < 5; i++)
		rules_watch(current, conf);
	assert_int_equal(logged(" error geoip_refused error=\"the geoip file "), 1);
	assert_status(current, "No such file", "", "");
	assert_rules(current, "-", 1, true);
	catch_log();
	write_file("geo.mmdb", "not yet");
	for (int i = 0; i < 5; i++)
		rules_watch(current, conf);
	assert_int_equal(logged(" error geoip_refused error=\"the geoip file "), 1);
	catch_log();
	replace_geo("1.2.3.0/24=VN");
	for (int i = 0; i < 5; i++)
		rules_watch(current, conf);
	assert_int_equal(logged(" info geoip_opened files=1\n"), 1);
	assert_status(current, "", "", "");
	assert_rules(current, "VN", 1, true);
	rules_current_free(current);
	conf_unref(conf);
}

static void
a_bad_replacement_keeps_the_old_file(void **state)
{
	(void)state;
	write_lists("One  one\n", "spam.example\n");
	replace_geo("1.2.3.0/24=VN");
	struct conf *conf = conf_with_all();
	struct rules_current *current = rules_current_new(conf);
	catch_log();
	replace_geo("shape=asn 1.2.3.0/24=VN");
	for (int i = 0; i < 5; i++)
		rules_watch(current, conf);
	assert_int_equal(logged("no country is in it\" countries=by_the_old_files\n"), 1);
	assert_int_equal(rules_current_generation(current), 1);
	assert_rules(current, "VN", 1, true);
	replace_geo("1.2.3.0/24=US");
	rules_watch(current, conf);
	assert_rules(current, "US", 1, true);
	rules_current_free(current);
	conf_unref(conf);
}

/* What a process says that starts with a bad list; it ends with 1. */
static void
assert_death(const char *bots, const char *blocked, const char *expected)
{
	int ends[2], status;
	char said[1024];
	write_lists(bots, blocked);
	struct conf *conf = conf_with_all();
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	if (child == 0) {
		dup2(ends[1], STDERR_FILENO);
		rules_current_new(conf);
		_exit(0);
	}
	close(ends[1]);
	ssize_t len = read(ends[0], said, sizeof(said) - 1);
	said[len > 0 ? len : 0] = '\0';
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	if (strncmp(said, "thongked: ", 10) != 0 || !strstr(said, expected))
		fail_msg("\"%s\" does not say \"%s\"", said, expected);
	conf_unref(conf);
}

static void
a_start_with_a_bad_list_ends(void **state)
{
	(void)state;
	assert_death("One  (one\n", "", "bots.txt:1");
	assert_death("One  one\n", "\nno host\n",
		     "blocked.txt:2: \"no host\" is no host; allowed:");
}

static void
where_files_are_found(void **state)
{
	(void)state;
	char path[4096], expected[4096];
	assert_string_equal(rules_file_path("/etc/bots.txt", path, sizeof(path)), "/etc/bots.txt");
	/* This program stands in build/, the tests run in the source tree. */
	assert_non_null(getcwd(expected, sizeof(expected) - 16));
	snprintf(expected + strlen(expected), 16, "/conf/bots.txt");
	assert_string_equal(rules_file_path("bots.txt", path, sizeof(path)), expected);
	assert_int_equal(access(path, R_OK), 0);
	rules_file_path("no-such.txt", path, sizeof(path));
	assert_non_null(strstr(path, "/share/thongke/no-such.txt"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reload_takes_over_what_is_good),
		cmocka_unit_test(a_reload_keeps_what_it_cannot_read),
		cmocka_unit_test(a_configuration_without_files),
		cmocka_unit_test(the_watch_sees_replaced_files),
		cmocka_unit_test(a_start_without_the_geo_file),
		cmocka_unit_test(a_bad_replacement_keeps_the_old_file),
		cmocka_unit_test(a_start_with_a_bad_list_ends),
		cmocka_unit_test(where_files_are_found),
	};
	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
