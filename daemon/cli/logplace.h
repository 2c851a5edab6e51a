/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a log file stands: the stream in Redis that it is, how much of it is counted, and who was seen in the lines
 * before. Nothing is remembered anywhere else: a position is only believed where the hash that is kept beside it is
 * that of the file's bytes before it, and the lines before it tell again who was seen.
 */
#ifndef CLI_LOGPLACE_H
#define CLI_LOGPLACE_H

#include "cli/accesslog.h"
#include "cli/cli.h"
#include "cli/landmarks.h"
#include "cli/logfile.h"
#include "cli/logjudge.h"
#include "cli/visits.h"

enum { LOGPLACE_REST_SIZE = sizeof(((struct position *)0)->rest) };

/* Zeroed but for what is borrowed, and for the options, it is a file from which nothing was read yet. */
struct logplace {
	const char *path; /* borrowed, as are the next six */
	const struct conf_site *site;
	struct store *asks;
	struct logfile *file;
	struct logjudge *judge;
	const struct logformat *format;
	struct visits *visits;
	const char *options; /* "all" or "views": those of before are the only ones allowed */
	bool visits_fit;     /* all lines before the file's offset that matter were noted in them */
	struct landmarks landmarks;
	struct accesslog log; /* of the lines that seeking shows */
	char first[40];       /* the stream's name without "~2" */
	char stream[STORE_STREAM_MAX];
	uint64_t position; /* what Redis holds */
	int64_t forgotten; /* when the site was, ms: what it was made to forget may be imported again, as another stream */
};
void logplace_release(struct logplace *place);

/* Finds the stream that is this file, or a name for a new one, and moves the file to its position. Ends the program
 * where there is none. */
void logplace_find(struct logplace *place);
/* Somebody else moved the position, or Redis lost it: believes what Redis holds if the file agrees, else looks again. */
void logplace_take(struct logplace *place, const struct position *stored);
/* What Redis holds of the stream, waiting for a Redis that is away. */
void logplace_ask(struct logplace *place, struct position *position);
/* What is kept beside the offset at which the file stands. */
void logplace_describe(struct logplace *place, char rest[LOGPLACE_REST_SIZE]);

#endif
