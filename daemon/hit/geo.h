/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which country an address is in, by country or city files in MMDB format. Immutable once open, shared by reference
 * count, for any thread. The files are mapped: they are replaced by rename, never written in place.
 */
#ifndef HIT_GEO_H
#define HIT_GEO_H

#include <sys/socket.h>

#include "base/base.h"

/*
 * Opens all of the files, one at least. NULL: `error` is a sentence that names the first that cannot be used:
 * not there, no MMDB file, damaged as far as a sample of it can tell, or without a single country.
 */
struct geo;
struct geo *geo_open(char *const *files, size_t count, char *error, size_t error_size) MUST_CHECK;
struct geo *geo_ref(struct geo *geo);
void geo_unref(struct geo *geo);

/*
 * Differs when one of the files does, is there or not, or may be read or not: files that could not be opened are worth
 * another try then, and no sooner.
 */
uint64_t geo_stamp(char *const *files, size_t count);

/* Was one of the files replaced since it was opened? One that is missing was not. */
bool geo_changed(const struct geo *geo);

/* When the oldest of the files was made, by its own word: seconds since the epoch. */
int64_t geo_built(const struct geo *geo);
/* What the file at `index` calls itself, such as "DBIP-Country-Lite", borrowed; NULL behind the last. Licences ask for it. */
const char *geo_type(const struct geo *geo, size_t index);

/*
 * The country of an IPv4, IPv6 or v4-mapped address, by the first file that knows it: two upper-case letters, borrowed
 * from geo. Absent: unknown, as are private addresses, other families and NULL.
 */
struct slice geo_country(const struct geo *geo, const struct sockaddr *address);

#endif
