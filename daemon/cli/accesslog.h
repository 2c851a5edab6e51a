/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of web servers' access logs (pure): what a line says, whatever its format; and the common and the combined format
 * of Apache, nginx and others. Other formats are in cli/logformat.h.
 *
 *   host ident user [20/May/2020:14:32:07 +0700] "GET /page HTTP/1.1" 200 1234 "referrer" "user agent"
 *
 * What follows the size is optional; what follows the user agent is ignored.
 */
#ifndef CLI_ACCESSLOG_H
#define CLI_ACCESSLOG_H

#include "base/base.h"

/* How a format writes what would end a text. */
enum access_escape {
	ACCESS_BACKSLASH, /* \", \\, \xHH */
	ACCESS_JSON,      /* RFC 8259 section 7 */
	ACCESS_DOUBLED,   /* RFC 4180: "" */
};

/* One line; the slices borrow from it and are as written, escapes included. */
struct access {
	enum access_escape escape;
	struct slice host; /* the client: address or name */
	struct slice
		vhost; /* whom the request was sent to, port and all; absent: the line does not say */
	int64_t utc;   /* seconds since the epoch */
	struct slice method;
	struct slice target; /* absent: the request was none ("-", or bytes of another protocol) */
	int status;
	struct slice referrer, agent; /* absent in the common format, empty where they are "-" */
	/* Of the export of a counter, which judged its hits itself: */
	bool counted; /* as a view, or of a bot */
	bool bot;
	struct slice browser, system, country, screen; /* absent: not known */
};

/* Keeps the last date read, since the next line has most often the same. Zeroed is a valid one. */
struct accesslog {
	char date[11]; /* "20/May/2020" */
	int32_t day;
};

/* The line is without its line end. False: it is no log line, and access is undefined. */
bool accesslog_parse(struct accesslog *log, struct slice line, struct access *access);

/* Undoes the escapes; at most `room` bytes. Returns the length. */
size_t accesslog_unescape(enum access_escape escape, struct slice text, char *out, size_t room);
/* Whether there may be any in it. */
bool accesslog_is_escaped(enum access_escape escape, struct slice text);

/* "20/May/2020:14:32:07 +0700", ISO 8601 with an offset, or seconds since the epoch with any fraction. */
bool accesslog_time(struct accesslog *log, struct slice text, int64_t *utc);
/* "GET /page HTTP/1.1" to method and target. */
void accesslog_request(struct slice request, struct access *access);
/* Empty where it is "-": the request had no such field. */
struct slice accesslog_dash(struct slice text);

/*
 * A page was looked at: GET, status 2xx or 304, and not a file that belongs to a page or is no page: style sheets,
 * scripts, images, fonts, sound, video, archives, data and documents to download (the list is in accesslog.c).
 */
bool accesslog_is_view(const struct access *access);

#endif
