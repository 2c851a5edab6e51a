/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TZif files made by hand: footers that no file of the system has, against the C library's reading of the same TZ string;
 * damaged files, which are refused at the edge of a page that cannot be read.
 */
#include "zone_here.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static void
put_be(struct buf *out, uint64_t value, int size)
{
	for (int shift = (size - 1) * 8; shift >= 0; shift -= 8) {
		unsigned char byte = (unsigned char)(value >> shift);
		buf_add(out, &byte, 1);
	}
}

/* RFC 8536 section 3.1: the counts in the order of the file. */
static void
put_header(struct buf *out, char version, uint32_t leaps, uint32_t times, uint32_t types)
{
	static const char reserved[15];
	buf_add_literal(out, "TZif");
	buf_add(out, &version, 1);
	buf_add(out, reserved, sizeof(reserved));
	const uint32_t counts[] = {0, 0, leaps, times, types, 4};
	for (size_t i = 0; i < COUNT_OF(counts); i++)
		put_be(out, counts[i], 4);
}

static void
put_type(struct buf *out, int32_t offset)
{
	put_be(out, (uint32_t)offset, 4);
	put_be(out, 0, 2);
}

/* A file of one type and no change, whose footer says everything. */
static void
put_footer_file(struct buf *out, char version, const char *footer)
{
	buf_clear(out);
	put_header(out, version, 0, 0, 1);
	put_type(out, 0);
	buf_add(out, "UTC", 4);
	put_header(out, version, 0, 0, 1);
	put_type(out, 0);
	buf_add(out, "UTC", 4);
	buf_add_slice(out, slice_of("\n"));
	buf_add_slice(out, slice_of(footer));
	buf_add_slice(out, slice_of("\n"));
}

static struct zone *
zone_of_footer(const char *footer)
{
	struct buf file = {0};
	struct zone *zone;
	put_footer_file(&file, '3', footer);
	int result = zone_parse(file.data, file.len, &zone);
	buf_release(&file);
	if (result != 0)
		fail_msg("the footer \"%s\" is refused", footer);
	return zone;
}

static void
footers_agree_with_the_c_library(void **state)
{
	(void)state;
	static const char *const footers[] = {
		"UTC0",
		"<+07>-7",
		"ABC+11:30:15",
		"EST5EDT,M3.2.0,M11.1.0",
		"CET-1CEST,M3.5.0,M10.5.0/3",
		"IST-1GMT0,M10.5.0,M3.5.0/1",
		"<+1030>-10:30<+11>-11,M10.1.0,M4.1.0",
		"<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
		"<+1245>-12:45<+1345>,M9.5.0/2:45,M4.1.0/3:45",
		"IST-2IDT,M3.4.4/26,M10.5.0",
		"EET-2EEST,M3.4.4/50,M10.4.4/50",
		"AAA3BBB,J60,J300",
		"AAA3BBB,J59/1:02:03,J301/4:05:06",
		"AAA3BBB,59,299",
		"AAA-3BBB,60/24,300/0",
		"AAA3BBB1:30,M2.5.6/167,M9.1.3/-167",
		"AAA-3BBB-4:45,J100/-100:30,250/100:30",
		"<+00>0<+02>-2,M3.5.0/1,M10.5.0/3",
	};
	for (size_t i = 0; i < COUNT_OF(footers); i++) {
		struct zone *zone = zone_of_footer(footers[i]);
		set_c_zone(footers[i]);
		compare_zone(zone, footers[i], 5 * DAY + 7 * HOUR + 1234);
		zone_free(zone);
	}
}

static void
summer_all_the_year(void **state)
{
	(void)state;
	/* RFC 8536 section 3.3.1 gives the first as "equivalent to permanent EDT". */
	static const struct {
		const char *footer;
		int32_t offset;
	} rows[] = {{"EST5EDT,0/0,J365/25", -4 * HOUR}, {"XXX3EDT4,0/0,J365/23", -4 * HOUR}};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct zone *zone = zone_of_footer(rows[i].footer);
		for (int64_t utc = 0; utc <= last_second; utc += 11 * HOUR + 7)
			assert_int_equal(zone_at(zone, utc).offset, rows[i].offset);
		zone_free(zone);
	}
}

static void
bad_footers_are_refused(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"E5",
		"EST",
		"EST25",
		"EST5EDT",
		"EST5EDT,M3.2.0",
		"EST5EDT,M3.2.0,",
		"EST5EDT,M13.2.0,M11.1.0",
		"EST5EDT,M0.2.0,M11.1.0",
		"EST5EDT,M3.6.0,M11.1.0",
		"EST5EDT,M3.0.0,M11.1.0",
		"EST5EDT,M3.2.7,M11.1.0",
		"EST5EDT,J0,J365",
		"EST5EDT,J1,J366",
		"EST5EDT,0,366",
		"EST5EDT,M3.2.0/168,M11.1.0",
		"EST5EDT,M3.2.0/-168,M11.1.0",
		"EST5EDT,M3.2.0/2:60,M11.1.0",
		"EST5EDT,M3.2.0/2:00:60,M11.1.0",
		"EST5EDT,M3.2.0,M11.1.0 ",
		"EST5EDT,M3.2.0,M11.1.0/",
		"<EST5",
		"<E>5",
		":EST5",
		"EST+-5",
		"EST5EDT,M3.2.0,M11.1.00000",
	};
	struct buf file = {0};
	struct zone *zone;
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		put_footer_file(&file, '2', bad[i]);
		if (zone_parse(file.data, file.len, &zone) != ZONE_BAD)
			fail_msg("the footer \"%s\" is accepted", bad[i]);
		assert_null(zone);
	}
	buf_release(&file);
}

/* Two changes and two types in a block of 8-byte times, with an empty footer. */
static int
parse_table(int64_t first, int64_t second, const char indices[2], int32_t offset)
{
	struct buf file = {0};
	struct zone *zone;
	put_header(&file, '2', 0, 0, 1);
	put_type(&file, 0);
	buf_add(&file, "ABC", 4);
	put_header(&file, '2', 0, 2, 2);
	put_be(&file, (uint64_t)first, 8);
	put_be(&file, (uint64_t)second, 8);
	buf_add(&file, indices, 2);
	put_type(&file, offset);
	put_type(&file, 3600);
	buf_add(&file, "ABC", 4);
	buf_add_literal(&file, "\n\n");
	int result = zone_parse(file.data, file.len, &zone);
	buf_release(&file);
	zone_free(zone);
	return result;
}

static void
tables_out_of_bounds_are_refused(void **state)
{
	(void)state;
	const int64_t earliest = -((int64_t)1 << 59); /* RFC 8536 section 3.2 */
	assert_int_equal(parse_table(1000, 2000, "\1\0", -60), 0);
	assert_int_equal(parse_table(earliest, INT64_MAX, "\0\1", 25 * HOUR), 0);
	assert_int_equal(parse_table(2000, 1000, "\1\0", -60), ZONE_BAD);
	assert_int_equal(parse_table(1000, 1000, "\1\0", -60), ZONE_BAD);
	assert_int_equal(parse_table(earliest - 1, 1000, "\1\0", -60), ZONE_BAD);
	assert_int_equal(parse_table(1000, 2000, "\1\2", -60), ZONE_BAD);
	assert_int_equal(parse_table(1000, 2000, "\377\0", -60), ZONE_BAD);
	assert_int_equal(parse_table(1000, 2000, "\1\0", 26 * HOUR), ZONE_BAD);
	assert_int_equal(parse_table(1000, 2000, "\1\0", -26 * HOUR), ZONE_BAD);
	assert_int_equal(parse_table(1000, 2000, "\1\0", INT32_MIN), ZONE_BAD);
}

static void
version_1_and_an_empty_footer_keep_the_last_offset(void **state)
{
	(void)state;
	struct buf file = {0};
	for (char version = '\0'; version <= '4'; version = version ? version + 1 : '2') {
		struct zone *zone;
		buf_clear(&file);
		put_header(&file, version, 1, 2, 2);
		put_be(&file, (uint32_t)-1000, 4);
		put_be(&file, 1000, 4);
		buf_add(&file, "\1\0", 2);
		put_type(&file, -60);
		put_type(&file, 3600);
		buf_add(&file, "ABC", 4);
		put_be(&file, 78796800, 4); /* a leap second */
		put_be(&file, 1, 4);
		if (version) {
			put_header(&file, version, 1, 2, 2);
			put_be(&file, (uint64_t)-1000, 8);
			put_be(&file, 1000, 8);
			buf_add(&file, "\1\0", 2);
			put_type(&file, -60);
			put_type(&file, 3600);
			buf_add(&file, "ABC", 4);
			put_be(&file, 78796800, 8);
			put_be(&file, 1, 4);
			buf_add_literal(&file, "\n\n");
		}
		assert_int_equal(zone_parse(file.data, file.len, &zone), 0);
		assert_int_equal(zone_at(zone, -1001).offset, -60);
		assert_true(zone_at(zone, -1001).from == INT64_MIN);
		assert_int_equal(zone_at(zone, -1000).offset, 3600);
		assert_int_equal(zone_at(zone, -1000).to, 1000);
		assert_int_equal(zone_at(zone, 1000).offset, -60);
		assert_true(zone_at(zone, last_second).to == INT64_MAX);
		assert_int_equal(zone_at(zone, INT64_MAX).offset, -60);
		assert_int_equal(zone_at(zone, INT64_MIN).offset, -60);
		zone_free(zone);
	}
	buf_release(&file);
}

/* --- damage --- */

static size_t
read_whole(const char *path, unsigned char *out, size_t room)
{
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	size_t len = fread(out, 1, room, file);
	fclose(file);
	assert_in_range(len, 100, room - 1);
	return len;
}

static void
every_prefix_is_refused(void **state)
{
	(void)state;
	static const char *const names[] = {"Europe/Dublin", "Africa/Casablanca", "Asia/Kathmandu"};
	enum { ROOM = 64 * 1024 };
	static unsigned char bytes[ROOM];
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	unsigned char *map =
		mmap(NULL, ROOM + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(map != MAP_FAILED);
	assert_int_equal(mprotect(map + ROOM, page, PROT_NONE), 0);
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		char path[256];
		struct zone *zone;
		snprintf(path, sizeof(path), DIRECTORY "/%s", names[i]);
		size_t whole = read_whole(path, bytes, ROOM);
		for (size_t len = 0; len < whole; len++) {
			memcpy(map + ROOM - len, bytes, len);
			assert_int_equal(zone_parse(map + ROOM - len, len, &zone), ZONE_BAD);
			assert_null(zone);
		}
		memcpy(map + ROOM - whole, bytes, whole);
		assert_int_equal(zone_parse(map + ROOM - whole, whole, &zone), 0);
		zone_free(zone);
	}
	munmap(map, ROOM + page);
}

/* Whatever the bytes say, a span holds the moment it was asked for. */
static void
assert_usable(const struct zone *zone)
{
	for (int64_t utc = -5 * (int64_t)1000000000; utc <= last_second; utc += 499999999) {
		struct zone_span span = zone_at(zone, utc);
		assert_true(span.from <= utc && utc < span.to);
		assert_in_range(zone_local(zone, utc).hour, 0, 23);
	}
	(void)zone_at(zone, INT64_MIN);
	(void)zone_at(zone, INT64_MAX);
}

static void
flipped_bytes_never_crash(void **state)
{
	(void)state;
	static unsigned char good[64 * 1024], bad[64 * 1024];
	size_t len = read_whole(DIRECTORY "/Europe/Dublin", good, sizeof(good));
	unsigned short seed[3] = {2020, 5, 20};
	int refused = 0;
	for (int round = 0; round < 20000; round++) {
		struct zone *zone;
		memcpy(bad, good, len);
		for (long flips = 1 + nrand48(seed) % 4; flips > 0; flips--) {
			/* Half of them in the headers and the footer, which are small. */
			size_t place = (size_t)nrand48(seed) % len;
			if (nrand48(seed) % 2)
				place = place % 2 ? place % 44 : len - 1 - place % 30;
			bad[place] = (unsigned char)nrand48(seed);
		}
		int result = zone_parse(bad, len, &zone);
		assert_true(result == 0 || result == ZONE_BAD);
		refused += result != 0;
		if (result == 0)
			assert_usable(zone);
		zone_free(zone);
	}
	assert_in_range(refused, 1000, 19999);
}

static void
corruptions_are_refused(void **state)
{
	(void)state;
	static unsigned char good[64 * 1024], bad[64 * 1024];
	size_t len = read_whole(DIRECTORY "/Asia/Tokyo", good, sizeof(good));
	/* Offsets in a header by RFC 8536 section 3.1. */
	static const struct {
		const char *what;
		size_t place;
		unsigned char value;
	} rows[] = {
		{"magic", 0, 'X'},      {"version", 4, '5'},        {"version", 4, '1'},
		{"UT marks", 20, 0x7f}, {"leap seconds", 28, 0xff}, {"changes", 32, 0x80},
		{"types", 36, 0xff},    {"characters", 40, 0xff},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct zone *zone;
		memcpy(bad, good, len);
		bad[rows[i].place] = rows[i].value;
		if (zone_parse(bad, len, &zone) != ZONE_BAD)
			fail_msg("a wrong %s is accepted", rows[i].what);
	}
}

/* --- names and files --- */

static void
names_that_leave_the_directory_are_unknown(void **state)
{
	(void)state;
	static const char *const names[] = {
		"",
		"/etc/localtime",
		"/Asia/Tokyo",
		"../zoneinfo/Asia/Tokyo",
		"Asia/..",
		"Asia/../Asia/Tokyo",
		"Asia//Tokyo",
		"./Asia/Tokyo",
		"Asia/Tokyo/",
		"Asia/./Tokyo",
		"Asia/Tokyo ",
		"Asia/Tok yo",
		"Asia\\Tokyo",
		"Asia/Tokyo\n",
		"Asia/T\xc3\xb4kyo",
		"Asia",
		"Nowhere",
		"Asia/Nowhere",
		"Asia/Tokyo%00",
		"~root",
	};
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		struct zone *zone;
		if (zone_load(DIRECTORY, names[i], &zone) != ZONE_UNKNOWN)
			fail_msg("\"%s\" is loaded", names[i]);
		assert_null(zone);
	}
	char long_name[8192];
	struct zone *zone;
	memset(long_name, 'a', sizeof(long_name) - 1);
	long_name[sizeof(long_name) - 1] = '\0';
	assert_int_equal(zone_load(DIRECTORY, long_name, &zone), ZONE_UNKNOWN);
	assert_int_equal(zone_load(DIRECTORY, "tzdata.zi", &zone), ZONE_BAD);
	assert_int_equal(zone_load(DIRECTORY, "Etc/GMT+7", &zone), 0);
	assert_int_equal(zone_at(zone, 0).offset, -7 * HOUR);
	zone_free(zone);
}

static void
files_that_are_none_or_too_large(void **state)
{
	(void)state;
	char dir[] = "/tmp/zone_test.XXXXXX", path[64];
	struct zone *zone;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/fifo", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(zone_load(dir, "fifo", &zone), ZONE_UNKNOWN);
	unlink(path);

	struct buf file = {0};
	put_footer_file(&file, '2', "<+07>-7");
	snprintf(path, sizeof(path), "%s/Zone", dir);
	FILE *out = fopen(path, "wb");
	assert_non_null(out);
	assert_int_equal(fwrite(file.data, 1, file.len, out), file.len);
	assert_int_equal(fflush(out), 0);
	buf_release(&file);
	assert_int_equal(setenv("TZDIR", dir, 1), 0);
	assert_int_equal(zone_load(NULL, "Zone", &zone), 0);
	assert_int_equal(unsetenv("TZDIR"), 0);
	assert_int_equal(zone_at(zone, 0).offset, 7 * HOUR);
	zone_free(zone);
	char odd[sizeof(path) + 8];
	snprintf(odd, sizeof(odd), "%s %%n", path);
	assert_int_equal(link(path, odd), 0);
	assert_int_equal(zone_load(dir, "Zone %n", &zone), ZONE_UNKNOWN);
	unlink(odd);
	assert_int_equal(ftruncate(fileno(out), 1 << 20), 0);
	assert_int_equal(zone_load(dir, "Zone", &zone), ZONE_BAD);
	fclose(out);
	unlink(path);
	rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(footers_agree_with_the_c_library),
		cmocka_unit_test(summer_all_the_year),
		cmocka_unit_test(bad_footers_are_refused),
		cmocka_unit_test(tables_out_of_bounds_are_refused),
		cmocka_unit_test(version_1_and_an_empty_footer_keep_the_last_offset),
		cmocka_unit_test(every_prefix_is_refused),
		cmocka_unit_test(flipped_bytes_never_crash),
		cmocka_unit_test(corruptions_are_refused),
		cmocka_unit_test(names_that_leave_the_directory_are_unknown),
		cmocka_unit_test(files_that_are_none_or_too_large),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
