/* SPDX-License-Identifier: BSD-2-Clause */
/* The formats that log lines come in: one table of names, how each is read, and which of them a file is in. */
#ifndef CLI_LOGFORMAT_H
#define CLI_LOGFORMAT_H

#include "base/buf.h"
#include "cli/goatcounter.h"
#include "cli/logfile.h"
#include "cli/logpattern.h"

struct logformat {
	const struct logformat_row *row;
	struct logpattern pattern;
	struct goatcounter goatcounter;
};

/*
 * Reads --format: a name of the table, or a format in nginx' notation, which has a "$". `text` NULL: the format that most
 * of the file's first lines are in; the file, which stands at its beginning, does so again. False: a sentence in error.
 * row NULL: the file has no lines yet.
 */
bool logformat_choose(struct logformat *format, const char *text, struct logfile *file, char *error,
		      size_t error_size);
/* The same contract as accesslog_parse(). */
bool logformat_parse(const struct logformat *format, struct accesslog *log, struct slice line,
		     struct access *access);
/* Whether lines say whom they were sent to, so that each can be counted for its own site. */
bool logformat_has_vhosts(const struct logformat *format);
/* "combined, vhost, ..." */
void logformat_names(struct buf *out);
bool logformat_is_name(const char *text);

#endif
