/* SPDX-License-Identifier: BSD-2-Clause */
/* Which hits of a log begin a visit: who was seen when, for as long as it matters. Ids are those of hit/visitor.h. */
#ifndef CLI_VISITS_H
#define CLI_VISITS_H

#include "base/base.h"

enum {
	VISITS_KEEP_MS = 5 * 60 * 1000, /* longer than the gap: lines may be so much out of order */
	VISITS_MAX =
		1 << 21, /* visitors remembered at once (64 MiB); another one begins no visit */
};

struct visits;
struct visits *visits_new(int64_t gap_ms);
void visits_free(struct visits *visits);
void visits_clear(struct visits *visits);

/*
 * Notes a hit; whether it begins a visit: its visitor was not seen for the gap before. A hit that is not newer than the
 * last one does neither that nor move it back; but one from far before it is of another stretch of time.
 */
bool visits_note(struct visits *visits, uint64_t visitor, int64_t time_ms);

#endif
