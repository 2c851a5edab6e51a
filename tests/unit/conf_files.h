/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration files in a temporary directory, for the tests of base/conf: written, loaded, removed at the end. */
#ifndef UNIT_CONF_FILES_H
#define UNIT_CONF_FILES_H

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/conf.h"

#define SITE "site \"a\" { hosts = {\"a.org\"} }\n"

static char directory[64];

static inline void
write_file(const char *name, const char *text)
{
	char path[256];
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	FILE *file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static inline const char *
path_of(const char *name)
{
	static char path[256];
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static inline struct conf *
load(const char *path, const char *const *overrides, size_t count)
{
	char error[1024] = "";
	struct conf *conf = conf_load(path, overrides, count, error, sizeof(error));
	if (!conf)
		fail_msg("%s", error);
	return conf;
}

static inline struct conf *
load_text(const char *text)
{
	write_file("x.conf", text);
	return load(path_of("x.conf"), NULL, 0);
}

static inline int
make_directory(void **state)
{
	(void)state;
	char inner[128];
	snprintf(directory, sizeof(directory), "/tmp/thongke-conf-XXXXXX");
	if (!mkdtemp(directory))
		return -1;
	snprintf(inner, sizeof(inner), "%s/conf.d", directory);
	return mkdir(inner, 0700);
}

static inline int
remove_entry(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
	(void)status, (void)flag, (void)walk;
	return remove(path);
}

static inline int
remove_directory(void **state)
{
	(void)state;
	return nftw(directory, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

#endif
