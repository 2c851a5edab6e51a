/* SPDX-License-Identifier: BSD-2-Clause */
/* MMDB files in the temporary directory of conf_files.h, made by tests/lib/mmdb.py, and looks into them. */
#ifndef UNIT_MMDB_HERE_H
#define UNIT_MMDB_HERE_H

#include <arpa/inet.h>

#include "base/buf.h"
#include "hit/geo.h"

/* The path of a name in the directory, in `out`. */
static inline char *
place(char out[256], const char *name)
{
	snprintf(out, 256, "%s/%s", directory, name);
	return out;
}

/* `format` gives the words that mmdb.py takes. A file that is there is replaced by rename. */
static inline void PRINTF(2, 3) make_mmdb(const char *path, const char *format, ...)
{
	char words[512], command[1200];
	va_list args;
	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	snprintf(command, sizeof(command),
		 "/usr/bin/python3 -B tests/lib/mmdb.py %s.new %s && mv %s.new %s", path, words,
		 path, path);
	assert_int_equal(system(command), 0);
}

static inline void
read_bytes(struct buf *out, const char *path)
{
	FILE *file = fopen(path, "r");
	size_t got;
	assert_non_null(file);
	do {
		got = fread(buf_reserve(out, 4096), 1, 4096, file);
		out->len += got;
	} while (got > 0);
	fclose(file);
}

static inline void
write_bytes(const char *path, struct slice bytes)
{
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes.ptr, 1, bytes.len, file), bytes.len);
	assert_int_equal(fclose(file), 0);
}

static inline struct slice
country_of(const struct geo *geo, const char *text)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return geo_country(geo, (const struct sockaddr *)&v4);
	assert_int_equal(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
	return geo_country(geo, (const struct sockaddr *)&v6);
}

/* The sentence names the file. */
static inline void
assert_refused(char *file, const char *expected)
{
	char error[512] = "";
	struct geo *geo = geo_open(&file, 1, error, sizeof(error));
	assert_null(geo);
	assert_non_null(strstr(error, file));
	if (!strstr(error, expected))
		fail_msg("\"%s\" does not say \"%s\"", error, expected);
}

#endif
