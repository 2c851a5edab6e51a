/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of web servers' access logs (pure): the common and the combined format of Apache, nginx and others.
 *
 *   host ident user [20/May/2020:14:32:07 +0700] "GET /page HTTP/1.1" 200 1234 "referrer" "user agent"
 *
 * What follows the size is optional; what follows the user agent is ignored.
 */
#ifndef CLI_ACCESSLOG_H
#define CLI_ACCESSLOG_H

#include "base/base.h"

/* One line; the slices borrow from it and are as written, escapes included. */
struct access {
	struct slice host; /* the client: address or name */
	int64_t utc;       /* seconds since the epoch */
	struct slice method;
	struct slice target; /* absent: the request was none ("-", or bytes of another protocol) */
	int status;
	struct slice referrer, agent; /* absent in the common format, empty where they are "-" */
};

/* Keeps the last date read, since the next line has most often the same. Zeroed is a valid one. */
struct accesslog {
	char date[11]; /* "20/May/2020" */
	int32_t day;
};

/* The line is without its line end. False: it is no log line, and access is undefined. */
bool accesslog_parse(struct accesslog *log, struct slice line, struct access *access);

/* Undoes the escapes that servers write inside quotes (\", \\, \xHH); at most `room` bytes. Returns the length. */
size_t accesslog_unescape(struct slice text, char *out, size_t room);

/*
 * A page was looked at: GET, status 2xx or 304, and not a file that belongs to a page or is no page: style sheets,
 * scripts, images, fonts, sound, video, archives, data and documents to download (the list is in accesslog.c).
 */
bool accesslog_is_view(const struct access *access);

#endif
