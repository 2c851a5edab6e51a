/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers as bytes: heads by form, the fixed texts of errors, CORS, caching. Knows no connection. */
#ifndef FRONT_ANSWER_H
#define FRONT_ANSWER_H

#include "base/buf.h"

/* What a 200 carries. */
enum answer_form {
	ANSWER_JSON,
	ANSWER_TEXT,
	ANSWER_GIF,
	ANSWER_SCRIPT,
	ANSWER_SCRIPT_FROZEN, /* under a name that another content will not have */
	ANSWER_STYLE,
	ANSWER_PAGE,
	ANSWER_SVG,      /* of a hit */
	ANSWER_SVG_READ, /* of a reading, which front servers may keep for a moment */
	ANSWER_FRAGMENT,
	ANSWER_FRAME,
	ANSWER_SHIELD,
	ANSWER_STATS,
	ANSWER_METRICS,
	ANSWER_FORMS
};

struct answer {
	int status;
	enum answer_form form; /* of a 200 and of any 503 with a body of its own */
	bool cors;             /* any origin may read it, without credentials */
	bool head_only;        /* answers HEAD: the length is said, the body left out */
	bool last;             /* the connection closes after it */
	struct slice extra;    /* more header lines, each with its CRLF */
	struct slice body;     /* of an error: absent for the fixed text */
};

/* The Date line, made once a second. Zeroed is a valid start. */
struct answer_date {
	int64_t second;
	char line[40];
	size_t len;
};
void answer_date_set(struct answer_date *date, int64_t utc);

void answer_put(struct buf *out, const struct answer *answer, const struct answer_date *date);

/* Whether an Accept-Encoding field (RFC 9110 section 12.5.3; absent: no) takes gzip. */
bool answer_takes_gzip(struct slice accept_encoding);

/* Whether an If-None-Match field (RFC 9110 section 13.1.2) names `etag`, which is given with its quotes. */
bool answer_etag_matches(struct slice if_none_match, struct slice etag);

#endif
