/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Damaged country files: cut off, without their beginning, with bytes changed at random. What can be told is refused
 * when it is opened; what cannot does no harm. libmaxminddb 1.7.1 itself loses memory over damaged metadata.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "conf_files.h"
#include "mmdb_here.h"

/* Asked by the leak sanitizer, where there is one. */
const char *__lsan_default_suppressions(void);
const char *
__lsan_default_suppressions(void)
{
	return "leak:libmaxminddb";
}

static void
truncated_files(void **state)
{
	(void)state;
	char path[256];
	struct buf file = {0};
	make_mmdb(place(path, "whole.mmdb"), "shape=city 1.2.3.0/24=VN 2001:db8::/32=JP");
	read_bytes(&file, path);
	for (size_t len = 0; len < file.len; len++) {
		write_bytes(path, (struct slice){file.data, len});
		assert_refused(path, "geoip file");
	}
	buf_release(&file);
}

/* The end of it, which says how long the rest is, without the rest. */
static void
files_without_their_beginning(void **state)
{
	(void)state;
	char path[256];
	struct buf file = {0};
	make_mmdb(place(path, "tail.mmdb"), "shape=city 1.2.3.0/24=VN 2001:db8::/32=JP");
	read_bytes(&file, path);
	char *metadata = memmem(file.data, file.len, "\xab\xcd\xefMaxMind.com", 14);
	assert_non_null(metadata);
	size_t most = (size_t)(metadata - file.data);
	for (size_t cut = 6; cut <= most; cut += 6) {
		write_bytes(path, (struct slice){file.data + cut, file.len - cut});
		assert_refused(path, "cannot be used");
	}
	buf_release(&file);
}

static void
assert_harmless(char *path)
{
	static const char *const addresses[] = {"1.2.3.4",   "1.2.3.200",  "9.9.9.9", "0.0.0.0",
						"255.0.0.1", "2001:db8::", "::",      "ffff::"};
	char error[512];
	struct geo *geo = geo_open(&path, 1, error, sizeof(error));
	for (size_t i = 0; geo && i < COUNT_OF(addresses); i++) {
		struct slice code = country_of(geo, addresses[i]);
		assert_true(!code.ptr || code.len == 2);
	}
	geo_unref(geo);
}

static void
damaged_files(void **state)
{
	(void)state;
	char path[256];
	struct buf file = {0};
	unsigned short seed[3] = {1, 2, 3};
	make_mmdb(place(path, "damaged.mmdb"), "shape=city 1.2.3.0/24=VN 2001:db8::/32=JP");
	read_bytes(&file, path);
	for (int round = 0; round < 3000; round++) {
		struct buf copy = {0};
		buf_add_slice(&copy, buf_slice(&file));
		for (long left = 1 + nrand48(seed) % 8; left > 0; left--)
			copy.data[(size_t)nrand48(seed) % copy.len] = (char)nrand48(seed);
		write_bytes(path, buf_slice(&copy));
		assert_harmless(path);
		buf_release(&copy);
	}
	memset(file.data, 0xff, 600); /* of the tree */
	write_bytes(path, buf_slice(&file));
	assert_refused(path, "corrupt");
	buf_release(&file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(truncated_files),
		cmocka_unit_test(files_without_their_beginning),
		cmocka_unit_test(damaged_files),
	};
	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
