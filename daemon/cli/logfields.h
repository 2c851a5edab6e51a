/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Log lines whose parts have names (pure): nginx' variables, the keys of JSON logs. One table says which name is which
 * part of a line.
 */
#ifndef CLI_LOGFIELDS_H
#define CLI_LOGFIELDS_H

#include "cli/accesslog.h"

enum logfield {
	LOGFIELD_HOST,
	LOGFIELD_TIME,
	LOGFIELD_REQUEST, /* "GET /page HTTP/1.1" */
	LOGFIELD_METHOD,
	LOGFIELD_TARGET,
	LOGFIELD_STATUS,
	LOGFIELD_REFERRER,
	LOGFIELD_AGENT,
	LOGFIELD_VHOST,
	LOGFIELDS,
	LOGFIELD_NONE = LOGFIELDS, /* says nothing that is counted */
};

/* A row of the table, or -1. Of rows of one field the first goes before the others. */
int logfields_find(struct slice name);
enum logfield logfields_of(int row);

/* A line that is being put together. Zeroed but for access it is empty. */
struct logfields {
	struct access *access;
	uint8_t ranks[LOGFIELDS]; /* the row that set it, + 1; 0: none did */
	bool bad;                 /* a part is none of its kind */
};

/* Sets what the row stands for, unless a row that goes before did. */
void logfields_set(struct logfields *fields, struct accesslog *log, int row, struct slice value);
/* Whether it is a log line: a client, a time, a status and a request. */
bool logfields_complete(const struct logfields *fields);

#endif
