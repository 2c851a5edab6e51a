/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of an append-only file. The commands are written out as the protocol's page at redis.io shows them; where they
 * end is counted by the compiler. What a real redis-server makes of a torn file is in redis_server_test.c.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <ftw.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "store/aof.h"

#define SELECT "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n"
#define MULTI "*1\r\n$5\r\nMULTI\r\n"
#define EXEC "*1\r\n$4\r\nEXEC\r\n"
#define COUNT "*4\r\n$7\r\nHINCRBY\r\n$1\r\nh\r\n$1\r\nn\r\n$1\r\n1\r\n"
#define NOTE "#TS:1589976000\r\n"
/* A value that looks like the end of a transaction. */
#define TRAP "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$14\r\n" EXEC "\r\n"

static const char *const units[] = {
	SELECT,     NOTE,  MULTI COUNT COUNT EXEC, TRAP, "*0\r\n", MULTI TRAP SELECT EXEC,
	MULTI EXEC, COUNT,
};

/* --- bytes --- */

static void
test_table(void **state)
{
	(void)state;
	static const struct {
		struct slice bytes;
		size_t whole;
		bool damaged;
	} rows[] = {
		{SLICE(""), 0, false},
		{SLICE(SELECT), 23, false},
		{SLICE(SELECT MULTI COUNT COUNT), 23, false},
		{SLICE(SELECT MULTI COUNT "*4\r\n$7\r\nHINC"), 23, false},
		{SLICE(SELECT MULTI COUNT EXEC "*4\r\n$7"), sizeof(SELECT MULTI COUNT EXEC) - 1,
		 false},
		{SLICE(SELECT "*1\r\n$5\r\nmulti\r\n" COUNT "*1\r\n$4\r\nexec\r\n" MULTI),
		 sizeof(SELECT MULTI COUNT EXEC) - 1, false},
		{SLICE(MULTI TRAP), 0, false},
		{SLICE(SELECT "*2\r\n$6\r\nSELECT\r\n$100000\r\n0\r\n"), 23, false},
		/* What a cut does not leave behind. */
		{SLICE(SELECT "\0\0\0\0"), 23, true},
		{SLICE(SELECT "REDIS0010"), 23, true},
		{SLICE(SELECT "*x\r\n"), 23, true},
		{SLICE(SELECT "*\r\n"), 23, true},
		{SLICE(SELECT "*-1\r\n"), 23, true},
		{SLICE(SELECT "*1\n$4"), 23, true},
		{SLICE(SELECT "*1\r$4"), 23, true},
		{SLICE(SELECT "*1\r\n*1\r\n"), 23, true},
		{SLICE(SELECT "*1111111111111111\r\n"), 23, true},
		{SLICE(SELECT "*1\r\n$4\r\nEXECUTE\r\n"), 23, true},
		{SLICE(SELECT EXEC), 23, true},
		{SLICE(SELECT MULTI COUNT MULTI), 23, true},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		bool damaged;
		size_t whole = aof_whole(rows[i].bytes, &damaged);
		if (whole != rows[i].whole || damaged != rows[i].damaged)
			fail_msg("row %zu: %zu %s", i, whole, damaged ? "damaged" : "sound");
	}
}

static size_t
write_units(char to[1024])
{
	size_t len = 0;
	for (size_t i = 0; i < COUNT_OF(units); i++)
		len += (size_t)snprintf(to + len, 1024 - len, "%s", units[i]);
	return len;
}

/* Wherever the file is cut, whole is what ends before the cut; and no byte behind the cut is looked at. */
static void
test_every_prefix_at_a_guard_page(void **state)
{
	(void)state;
	char text[1024];
	size_t len = write_units(text), unit = 0, begin = 0;
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(page != MAP_FAILED && mprotect(page + 4096, 4096, PROT_NONE) == 0);
	for (size_t cut = 0; cut <= len; cut++) {
		while (unit < COUNT_OF(units) && cut >= begin + strlen(units[unit]))
			begin += strlen(units[unit++]);
		char *at = page + 4096 - cut;
		memcpy(at, text, cut);
		bool damaged;
		assert_int_equal(aof_whole((struct slice){at, cut}, &damaged), begin);
		assert_false(damaged);
	}
	assert_int_equal(unit, COUNT_OF(units));
	munmap(page, 8192);
}

/* --- files --- */

static char dir[32], folder[64];

static int
remove_cb(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
	(void)status, (void)flag, (void)walk;
	return remove(path);
}

static int
setup(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/thongke-XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(folder, sizeof(folder), "%s/appendonlydir", dir);
	return mkdir(folder, 0700);
}

static int
teardown(void **state)
{
	(void)state;
	return nftw(dir, remove_cb, 8, FTW_DEPTH | FTW_PHYS);
}

static void
put_file(const char *name, const char *text)
{
	char path[128];
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void
assert_file(const char *name, const char *expected)
{
	char path[128], text[512] = "";
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fread(text, 1, sizeof(text) - 1, file), strlen(expected));
	fclose(file);
	assert_string_equal(text, expected);
}

static void
put_files(const char *second, const char *third)
{
	put_file("appendonly.aof.manifest", "file appendonly.aof.1.base.rdb seq 1 type b\n"
					    "file appendonly.aof.1.incr.aof seq 1 type h\n"
					    "file appendonly.aof.2.incr.aof seq 2 type i\n"
					    "file appendonly.aof.3.incr.aof seq 3 type i\n");
	put_file("appendonly.aof.1.base.rdb", "REDIS0010");
	put_file("appendonly.aof.1.incr.aof", MULTI);
	put_file("appendonly.aof.2.incr.aof", second);
	put_file("appendonly.aof.3.incr.aof", third);
	put_file("appendonly.aof.4.incr.aof", MULTI);
}

static void
test_mend(void **state)
{
	(void)state;
	static const struct {
		const char *second, *third, *second_mended, *third_mended;
	} rows[] = {
		{SELECT COUNT, SELECT COUNT, SELECT COUNT, SELECT COUNT},
		{SELECT COUNT, "", SELECT COUNT, ""},
		{SELECT COUNT, SELECT MULTI COUNT, SELECT COUNT, SELECT},
		{SELECT COUNT, MULTI COUNT, SELECT COUNT, ""},
		/* The third goes on where the second once ended. */
		{SELECT MULTI COUNT, SELECT COUNT, SELECT, ""},
		{SELECT "*4\r\n$7", SELECT MULTI, SELECT, ""},
		/* Not ours to decide. */
		{SELECT "nonsense", SELECT MULTI, SELECT "nonsense", SELECT},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		put_files(rows[i].second, rows[i].third);
		for (int again = 0; again < 2; again++) {
			assert_int_equal(aof_mend(dir), 0);
			assert_file("appendonly.aof.2.incr.aof", rows[i].second_mended);
			assert_file("appendonly.aof.3.incr.aof", rows[i].third_mended);
		}
		/* What the manifest does not name as a part. */
		assert_file("appendonly.aof.1.base.rdb", "REDIS0010");
		assert_file("appendonly.aof.1.incr.aof", MULTI);
		assert_file("appendonly.aof.4.incr.aof", MULTI);
	}
}

static void
test_nothing_to_mend(void **state)
{
	(void)state;
	assert_int_equal(aof_mend("/nonexistent"), 0);
	assert_int_equal(aof_mend(dir), 0);
	put_file("appendonly.aof.manifest",
		 "file gone seq 1 type i\nfile ../x seq 2 type i\nfile\n");
	assert_int_equal(aof_mend(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_every_prefix_at_a_guard_page),
		cmocka_unit_test_setup_teardown(test_mend, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_to_mend, setup, teardown),
	};
	log_set_level(-1); /* what is torn is torn on purpose */
	return cmocka_run_group_tests_name("aof", tests, NULL, NULL);
}
