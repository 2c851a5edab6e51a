/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Counts the lines of one log file into Redis, each once. The file is a stream like the journal's: its position moves in
 * the same call as the counts. Several calls are on their way while further lines are read.
 */
#ifndef CLI_LOGIMPORT_H
#define CLI_LOGIMPORT_H

#include "cli/logplace.h"

/* What became of lines. */
struct sums {
	uint64_t of[LOGJUDGE_BAD + 1];
	uint64_t first_bad; /* number of the first bad line, from 1 on */
};

enum {
	/* Enough to hide the way to Redis and back; a call is a twentieth of a megabyte. */
	LOGIMPORT_FLIGHTS = 4,
};

/* A call on its way, or one of which it is not known whether it arrived. */
struct flight {
	uint64_t next; /* the position it moves to */
	char rest[LOGPLACE_REST_SIZE];
	struct sums sums; /* of its lines */
};

/* Zeroed but for what is borrowed it is an import that has not begun. */
struct logimport {
	struct logplace place;
	struct store *store; /* borrowed, as is delta: for the calls alone */
	struct delta *delta; /* empty */
	bool overlap;        /* also into days that beacons were counted in */
	bool dry;            /* nothing is written: what would be is counted as done */
	int signals;         /* descriptor that is readable when it is to end early; -1: none */
	bool progress;       /* is shown on stderr */
	uint64_t sent;       /* where the batch begins */
	struct sums batch;   /* of the delta */
	struct sums done;    /* of all that was applied */
	struct flight flights[LOGIMPORT_FLIGHTS];
	size_t first, count; /* a ring */
	struct flight lost[LOGIMPORT_FLIGHTS];
	size_t lost_count; /* sent on a connection that is gone; some may arrive yet */
	int64_t deadline;  /* of a Redis that is away; 0: it is not */
	int32_t full_day;  /* the day that ended it: it holds hits of beacons */
	bool stopped;
	uint64_t refused; /* fields, by Redis */
	char refusal[160];
	int64_t progress_next;
};
void logimport_release(struct logimport *import);

/* Reads on to the file's present end, or until it is to end, and returns when all that it read is counted. */
void logimport_run(struct logimport *import);
bool logimport_is_ended(const struct logimport *import);
/* For the judge of the import's lines: what is to be known of a date. */
void logimport_day_cb(int32_t day, struct logday *out, void *import);

#endif
