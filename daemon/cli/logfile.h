/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A log file as a stream of whole lines, plain or gzipped, that knows the hash of everything before where it stands.
 * Offsets count uncompressed bytes. A line that has no end yet does not exist.
 */
#ifndef CLI_LOGFILE_H
#define CLI_LOGFILE_H

#include "base/base.h"

enum {
	LOGFILE_LINE_MAX = 1024 * 1024, /* longer ones are passed over unread */
	LOGFILE_HASH_SIZE = 33,         /* XXH3-128 in hexadecimal, with its NUL */
};

struct logfile;

/* A descriptor of the file that can go back, in place of one that cannot. -1 with errno set. */
int logfile_descriptor(const char *path);

/* "-" is standard input; that and pipes are first copied to an unlinked temporary file. NULL: a sentence in error. */
struct logfile *logfile_open(const char *path, char *error, size_t error_size);
void logfile_free(struct logfile *file);

enum logfile_line {
	LOGFILE_END,  /* no whole line is left */
	LOGFILE_LINE, /* line is the next one, without its end, valid until the next call */
	LOGFILE_LONG, /* the next line is longer than LOGFILE_LINE_MAX: line is its beginning */
};
/* Looks at the next line; it stays the next one until taken. */
enum logfile_line logfile_peek(struct logfile *file, struct slice *line);
/* Passes over the line that was looked at. False: it was a long one without an end, and the file stands before it. */
bool logfile_take(struct logfile *file);

/* Where the next line begins, and how many lines are before it. */
uint64_t logfile_offset(const struct logfile *file);
uint64_t logfile_lines(const struct logfile *file);
/* The hash of all bytes before that. */
void logfile_hash(struct logfile *file, char hex[LOGFILE_HASH_SIZE]);
/* Moves to any offset, forwards or back; false when the file ends before it. */
bool logfile_seek(struct logfile *file, uint64_t offset);

/* While seeking, now and then: a line that is passed over, and where it begins. It says nothing of those in between. */
void logfile_watch(struct logfile *file,
		   void (*each)(uint64_t offset, struct slice line, void *arg), void *arg);

/* What became of the file under its name since it was opened. */
enum logfile_change {
	LOGFILE_SAME,    /* it may have grown */
	LOGFILE_ROTATED, /* another file has its name, or none */
	LOGFILE_CUT,     /* it was emptied and written anew */
};
enum logfile_change logfile_change(const struct logfile *file, const char *path);
/* After LOGFILE_END: what was written meanwhile is read as well. */
void logfile_go_on(struct logfile *file);
/* Whether it can grow: it is a plain file, not compressed, not standard input. */
bool logfile_can_grow(struct logfile *file, const char *path);

/* How much of the file on disk is behind, 0 to 1. */
double logfile_share(const struct logfile *file);
/* Why reading ended early (a damaged or cut compressed file), or "". */
const char *logfile_damage(const struct logfile *file);

#endif
