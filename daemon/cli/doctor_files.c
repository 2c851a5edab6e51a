/* SPDX-License-Identifier: BSD-2-Clause */
/* The files that the configuration names: lists, countries, the password; the state's folder; the zones' rules. */
#include <errno.h>
#include <limits.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "cli/doctor.h"
#include "hit/rules.h"

enum {
	GEO_OLD_DAYS = 90,
	ZONES_OLD_YEARS = 2,
	DAY_S = 86400,
};

static void
check_geo_file(struct doctor *doctor, char *file)
{
	static const char get[] = "get a new file and put it there by rename; see INSTALL";
	char error[512];
	struct geo *geo = geo_open(&file, 1, error, sizeof(error));
	if (!geo) {
		doctor_found(doctor, "geoip", STATE_BAD, get, "%s", error);
		return;
	}
	int64_t days = (clock_wall_ms() / 1000 - geo_built(geo)) / DAY_S;
	doctor_found(doctor, "geoip", days > GEO_OLD_DAYS ? STATE_WARN : STATE_OK, get,
		     "%s is %" PRId64 " days old", file, days);
	geo_unref(geo);
}

static void
check_geo(struct doctor *doctor)
{
	const struct conf *conf = doctor->cli->conf;
	for (size_t i = 0; i < conf->geoip_count; i++)
		check_geo_file(doctor, conf->geoip[i]);
	if (conf->geoip_count == 0)
		doctor_found(doctor, "geoip", STATE_OK, "", "no file, so no countries");
}

static void
check_bots(struct doctor *doctor)
{
	char path[PATH_MAX], error[512];
	const char *name = doctor->cli->conf->bots;
	if (!*name) {
		doctor_found(doctor, "bots", STATE_WARN, "name a list: bots = \"bots.txt\"",
			     "no list, so most bots count as people");
		return;
	}
	struct bots *bots =
		bots_read(rules_file_path(name, path, sizeof(path)), error, sizeof(error));
	if (bots)
		doctor_found(doctor, "bots", STATE_OK, "", "%s has %zu patterns", path,
			     bots_count(bots));
	else
		doctor_found(doctor, "bots", STATE_BAD, "mend that line, or put the file there",
			     "%s", error);
	bots_unref(bots);
}

static void
check_blocklist(struct doctor *doctor)
{
	char error[512];
	const char *path = doctor->cli->conf->referrer_blocklist;
	if (!*path)
		return;
	struct blocklist *list = blocklist_read(path, error, sizeof(error));
	if (list)
		doctor_found(doctor, "blocklist", STATE_OK, "", "%s", path);
	else
		doctor_found(doctor, "blocklist", STATE_BAD,
			     "mend that line, or put the file there", "%s", error);
	blocklist_unref(list);
}

/* --- who may read and write --- */

static void
check_state_dir(struct doctor *doctor)
{
	static const char check[] = "state_dir";
	const char *path = doctor->cli->conf->state_dir;
	struct stat status;
	if (stat(path, &status) != 0)
		doctor_found(
			doctor, check, errno == ENOENT ? STATE_WARN : STATE_BAD,
			"thongked makes it when it may write beside it; or make it for its user",
			"%s: %s", path, strerror(errno));
	else if (!S_ISDIR(status.st_mode))
		doctor_found(doctor, check, STATE_BAD, "name a folder", "%s is none", path);
	else if (status.st_mode & (S_IWGRP | S_IWOTH))
		doctor_found(doctor, check, STATE_BAD,
			     "chmod go-w, or whoever may write there decides what was counted",
			     "others may write in %s (mode %04o)", path,
			     (unsigned)(status.st_mode & 07777));
	else
		doctor_found(doctor, check, STATE_OK, "", "%s, mode %04o", path,
			     (unsigned)(status.st_mode & 07777));
}

static void
check_password_file(struct doctor *doctor)
{
	static const char check[] = "password file";
	const char *path = doctor->cli->conf->redis_password_file;
	struct stat status;
	if (!*path)
		return;
	if (stat(path, &status) != 0)
		doctor_found(doctor, check, STATE_BAD, "put it there, for thongked's user alone",
			     "%s: %s", path, strerror(errno));
	else if (status.st_mode & (S_IRWXO | S_IWGRP))
		doctor_found(doctor, check, STATE_BAD, "chmod o-rwx,g-w: it is a password",
			     "others may read %s, or write it (mode %04o)", path,
			     (unsigned)(status.st_mode & 07777));
	else
		doctor_found(doctor, check, STATE_OK, "", "%s, mode %04o", path,
			     (unsigned)(status.st_mode & 07777));
}

/* --- zones --- */

/* The year in "# version 2024a", with which tzdata begins; 0: it does not say. */
static int
zones_version(char version[16])
{
	char path[PATH_MAX];
	int year = 0;
	const char *dir = getenv("TZDIR");
	version[0] = '\0';
	snprintf(path, sizeof(path), "%s/tzdata.zi", dir && *dir ? dir : "/usr/share/zoneinfo");
	FILE *file = fopen(path, "re");
	if (!file)
		return 0;
	if (fscanf(file, "# version %15s", version) == 1)
		(void)sscanf(version, "%4d", &year);
	fclose(file);
	return year;
}

static void
check_zones(struct doctor *doctor)
{
	static const char check[] = "time zones", get[] = "update the package tzdata";
	char version[16];
	int year = zones_version(version);
	int now = (int)civil_of_day((int32_t)(clock_wall_ms() / 1000 / DAY_S)).year;
	if (year == 0)
		doctor_found(doctor, check, STATE_WARN, get, "they do not say how old they are");
	else
		doctor_found(doctor, check, now - year >= ZONES_OLD_YEARS ? STATE_WARN : STATE_OK,
			     get, "rules of %s", version);
}

void
doctor_files(struct doctor *doctor)
{
	check_state_dir(doctor);
	check_password_file(doctor);
	check_zones(doctor);
	check_geo(doctor);
	check_bots(doctor);
	check_blocklist(doctor);
}
