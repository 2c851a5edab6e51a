/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MMDB files, through libmaxminddb. Whatever a file says of an address but its country is left alone. A file is
 * sampled when it is opened, so that a damaged one is refused while the old one is still there; what turns out to be
 * damaged later means "unknown".
 */
#include "hit/geo.h"

#include <errno.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <xxhash.h>

enum {
	LETTERS = 'Z' - 'A' + 1,
	SAMPLE = 4096,  /* nodes of a file's tree that are looked at when it is opened */
	SEPARATOR = 16, /* bytes between tree and data */
	MARKER = 14,    /* bytes before the metadata */
};

/* What tells a file from the one that replaces it. */
struct identity {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec written;
};

struct geo_file {
	MMDB_s mmdb;
	bool flat; /* the code is in PATH_FLAT: looked for there first */
	struct identity identity;
};

struct geo {
	atomic_int refs;
	char codes[LETTERS * LETTERS][2]; /* every one there can be: what geo_country returns */
	size_t count;
	struct geo_file files[];
};

/* Where the databases that exist keep the code, the best place first; a file has either the first two or the last. */
enum path { PATH_COUNTRY, PATH_REGISTERED, PATH_FLAT, PATHS };
static const char *const paths[PATHS][3] = {
	[PATH_COUNTRY] = {"country", "iso_code", NULL},
	[PATH_REGISTERED] = {"registered_country", "iso_code", NULL},
	[PATH_FLAT] = {"country_code", NULL},
};

static int
letter_of(char c)
{
	c &= ~0x20;
	return c >= 'A' && c <= 'Z' ? c - 'A' : -1;
}

/* The index of the code that stands at `path` of an entry; negative: none. Damage is told by *error. */
static int
path_code(MMDB_entry_s *entry, enum path path, int *error)
{
	MMDB_entry_data_s data;
	int got = MMDB_aget_value(entry, &data, paths[path]);
	if (got != MMDB_SUCCESS && got != MMDB_LOOKUP_PATH_DOES_NOT_MATCH_DATA_ERROR &&
	    got != MMDB_INVALID_LOOKUP_PATH_ERROR)
		*error = got;
	if (got != MMDB_SUCCESS || !data.has_data || data.type != MMDB_DATA_TYPE_UTF8_STRING ||
	    data.data_size != 2)
		return -1;
	int first = letter_of(data.utf8_string[0]), second = letter_of(data.utf8_string[1]);
	return first < 0 || second < 0 ? -1 : first * LETTERS + second;
}

static int
entry_code(const struct geo_file *file, MMDB_entry_s *entry, int *error)
{
	*error = MMDB_SUCCESS;
	int code = file->flat ? path_code(entry, PATH_FLAT, error) : -1;
	for (enum path path = 0; path < PATHS && code < 0; path++)
		code = path_code(entry, path, error);
	return code;
}

/* --- opening --- */

static bool
identify(const char *path, struct identity *identity)
{
	struct stat status;
	if (stat(path, &status) != 0)
		return false;
	if (!S_ISREG(status.st_mode)) {
		errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
		return false;
	}
	*identity = (struct identity){status.st_dev, status.st_ino, status.st_size, status.st_mtim};
	return true;
}

static bool
identity_eq(const struct identity *a, const struct identity *b)
{
	return a->device == b->device && a->inode == b->inode && a->size == b->size &&
	       a->written.tv_sec == b->written.tv_sec && a->written.tv_nsec == b->written.tv_nsec;
}

/* One half of a node. Sees whether there is a country; returns MMDB's error. */
static int
check_record(struct geo_file *file, uint8_t type, MMDB_entry_s *entry, bool *country)
{
	int error = MMDB_SUCCESS;
	if (type == MMDB_RECORD_TYPE_INVALID)
		return MMDB_CORRUPT_SEARCH_TREE_ERROR;
	if (type != MMDB_RECORD_TYPE_DATA || entry_code(file, entry, &error) < 0)
		return error;
	if (!*country)
		file->flat = path_code(entry, PATH_FLAT, &error) >= 0;
	*country = true;
	return error;
}

static int
check_node(struct geo_file *file, uint32_t number, bool *country)
{
	MMDB_search_node_s node;
	int error = MMDB_read_node(&file->mmdb, number, &node);
	if (error == MMDB_SUCCESS)
		error = check_record(file, node.left_record_type, &node.left_record_entry, country);
	if (error == MMDB_SUCCESS)
		error = check_record(file, node.right_record_type, &node.right_record_entry,
				     country);
	return error;
}

/* What is wrong with a file that MMDB_open has accepted, or NULL. */
static const char *
find_fault(struct geo_file *file)
{
	const MMDB_s *mmdb = &file->mmdb;
	const MMDB_metadata_s *metadata = &mmdb->metadata;
	uint64_t tree = (uint64_t)metadata->node_count * metadata->record_size / 4;
	if (tree + SEPARATOR + MARKER + mmdb->metadata_section_size > (uint64_t)mmdb->file_size)
		return "it is shorter than it says";
	uint64_t step = metadata->node_count / SAMPLE + 1;
	bool country = false;
	for (uint64_t node = 0; node < metadata->node_count; node += step) {
		int error = check_node(file, (uint32_t)node, &country);
		if (error != MMDB_SUCCESS)
			return MMDB_strerror(error);
	}
	return country ? NULL : "no country is in it";
}

/* What is wrong with it, or NULL. */
static const char *
open_file(struct geo_file *file, const char *path)
{
	/* Before it is opened: if it is replaced in between, it counts as changed. */
	if (!identify(path, &file->identity))
		return strerror(errno);
	if (file->identity.size == 0)
		return "it is empty";
	int status = MMDB_open(path, MMDB_MODE_MMAP, &file->mmdb);
	if (status == MMDB_FILE_OPEN_ERROR || status == MMDB_IO_ERROR)
		return strerror(errno);
	if (status != MMDB_SUCCESS)
		return MMDB_strerror(status);
	const char *fault = find_fault(file);
	if (fault)
		MMDB_close(&file->mmdb);
	return fault;
}

struct geo *
geo_open(char *const *files, size_t count, char *error, size_t error_size)
{
	struct geo *geo = xcalloc(1, sizeof(*geo) + count * sizeof(geo->files[0]));
	atomic_init(&geo->refs, 1);
	for (int i = 0; i < LETTERS * LETTERS; i++) {
		geo->codes[i][0] = (char)('A' + i / LETTERS);
		geo->codes[i][1] = (char)('A' + i % LETTERS);
	}
	for (; geo->count < count; geo->count++) {
		const char *path = files[geo->count];
		const char *fault = open_file(&geo->files[geo->count], path);
		if (!fault)
			continue;
		snprintf(error, error_size, "the geoip file %s cannot be used: %s", path, fault);
		geo_unref(geo);
		return NULL;
	}
	return geo;
}

struct geo *
geo_ref(struct geo *geo)
{
	if (geo)
		atomic_fetch_add_explicit(&geo->refs, 1, memory_order_relaxed);
	return geo;
}

void
geo_unref(struct geo *geo)
{
	if (!geo || atomic_fetch_sub_explicit(&geo->refs, 1, memory_order_acq_rel) != 1)
		return;
	for (size_t i = 0; i < geo->count; i++)
		MMDB_close(&geo->files[i].mmdb);
	free(geo);
}

uint64_t
geo_stamp(char *const *files, size_t count)
{
	uint64_t stamp = 0;
	for (size_t i = 0; i < count; i++) {
		struct stat status;
		if (stat(files[i], &status) != 0)
			memset(&status, 0, sizeof(status));
		const int64_t facts[] = {
			(int64_t)status.st_dev,          (int64_t)status.st_ino,
			(int64_t)status.st_size,         (int64_t)status.st_mtim.tv_sec,
			(int64_t)status.st_mtim.tv_nsec, (int64_t)status.st_ctim.tv_sec,
			(int64_t)status.st_ctim.tv_nsec,
		};
		stamp = XXH3_64bits_withSeed(facts, sizeof(facts), stamp);
	}
	return stamp;
}

bool
geo_changed(const struct geo *geo)
{
	for (size_t i = 0; i < geo->count; i++) {
		const struct geo_file *file = &geo->files[i];
		struct identity now;
		if (identify(file->mmdb.filename, &now) && !identity_eq(&now, &file->identity))
			return true;
	}
	return false;
}

/* --- looking up --- */

/* The address itself, or the IPv4 one that is mapped into it. NULL: neither IPv4 nor IPv6. */
static const struct sockaddr *
unmapped(const struct sockaddr *address, struct sockaddr_in *v4)
{
	if (!address || (address->sa_family != AF_INET && address->sa_family != AF_INET6))
		return NULL;
	const struct in6_addr *v6 = &((const struct sockaddr_in6 *)address)->sin6_addr;
	if (address->sa_family == AF_INET || !IN6_IS_ADDR_V4MAPPED(v6))
		return address;
	*v4 = (struct sockaddr_in){.sin_family = AF_INET};
	memcpy(&v4->sin_addr, v6->s6_addr + 12, sizeof(v4->sin_addr));
	return (const struct sockaddr *)v4;
}

/* Negative: the file does not know, which a damaged one and one of the other family do not either. */
static int
file_code(const struct geo_file *file, const struct sockaddr *address)
{
	int error;
	MMDB_lookup_result_s found = MMDB_lookup_sockaddr(&file->mmdb, address, &error);
	if (error != MMDB_SUCCESS || !found.found_entry)
		return -1;
	return entry_code(file, &found.entry, &error);
}

int64_t
geo_built(const struct geo *geo)
{
	int64_t oldest = INT64_MAX;
	for (size_t i = 0; i < geo->count; i++) {
		int64_t built = (int64_t)geo->files[i].mmdb.metadata.build_epoch;
		oldest = built < oldest ? built : oldest;
	}
	return oldest;
}

struct slice
geo_country(const struct geo *geo, const struct sockaddr *address)
{
	struct sockaddr_in v4;
	address = unmapped(address, &v4);
	for (size_t i = 0; address && i < geo->count; i++) {
		int code = file_code(&geo->files[i], address);
		if (code >= 0)
			return (struct slice){geo->codes[code], 2};
	}
	return (struct slice){0};
}

const char *
geo_type(const struct geo *geo, size_t index)
{
	return index < geo->count ? geo->files[index].mmdb.metadata.database_type : NULL;
}
