/* SPDX-License-Identifier: BSD-2-Clause */
/* Log lines by a format in nginx' notation (pure): $remote_addr [$time_local] "$request" $status ... */
#ifndef CLI_LOGPATTERN_H
#define CLI_LOGPATTERN_H

#include "cli/accesslog.h"

enum { LOGPATTERN_PARTS_MAX = 64 };

/* Borrows the text that it was read from. */
struct logpattern {
	struct logpattern_part {
		struct slice before; /* stands in the line before the value */
		int row;             /* of cli/logfields.h; -1: the value is passed over */
	} parts[LOGPATTERN_PARTS_MAX];
	size_t count;
	struct slice after; /* the last value */
	bool vhosts;        /* the lines name whom they were sent to */
};

/* False: a sentence in error says what the format lacks. */
bool logpattern_read(struct logpattern *pattern, const char *text, char *error, size_t error_size);
/* The same contract as accesslog_parse(). What follows the format's end is ignored. */
bool logpattern_parse(const struct logpattern *pattern, struct accesslog *log, struct slice line,
		      struct access *access);

#endif
