/* SPDX-License-Identifier: BSD-2-Clause */
/* Where in a log which time is, now and then: enough to go back by so much time without reading all of it (pure). */
#ifndef CLI_LANDMARKS_H
#define CLI_LANDMARKS_H

#include "base/base.h"

enum { LANDMARK_EVERY = 1024 * 1024 /* bytes */ };

/* Zeroed is a valid empty one. */
struct landmarks {
	struct landmark {
		uint64_t offset; /* where a line begins */
		int64_t utc;     /* its time */
	} * marks;
	size_t count, room;
};

void landmarks_release(struct landmarks *landmarks);

/* Of a line at or behind the last one noted; most are passed over. */
void landmarks_note(struct landmarks *landmarks, uint64_t offset, int64_t utc);

/*
 * An offset from which on lie all lines of the `seconds` before `offset`, in a log in the order of time; 0 where that is
 * not known.
 */
uint64_t landmarks_before(const struct landmarks *landmarks, uint64_t offset, int64_t seconds);

#endif
