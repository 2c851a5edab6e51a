/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The strict HTTP/1.x request parser (pure): bytes in, slices out, no allocation. RFC 9110 and 9112, with every
 * leniency that lets two parsers disagree about where a request ends refused.
 */
#ifndef BASE_HTTP_H
#define BASE_HTTP_H

#include "base/base.h"

enum {
	HTTP_LINE_MAX = 8 * 1024,    /* request line and each field line, without CRLF: 414, 431 */
	HTTP_HEADER_MAX = 16 * 1024, /* all field lines together: 431 */
	HTTP_FIELDS_MAX = 64,        /* 431 */
	HTTP_BODY_MAX = 4 * 1024,    /* 413 */
	HTTP_REQUEST_MAX = HTTP_LINE_MAX + HTTP_HEADER_MAX + HTTP_BODY_MAX + 64,
};

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_OPTIONS,
	HTTP_OTHER /* PUT and so on: 405 */
};

/*
 * The fields that mean something here: member of struct http_request, id, what several lines of one name mean. ONCE is
 * a refusal, FIRST and LAST say which one counts; of Purpose, X-Moz and Sec-Purpose it is the last of them all.
 */
#define HTTP_FIELDS(X)                                 \
	X(host, HOST, ONCE)                            \
	X(origin, ORIGIN, ONCE)                        \
	X(referer, REFERER, ONCE)                      \
	X(user_agent, USER_AGENT, ONCE)                \
	X(content_type, CONTENT_TYPE, ONCE)            \
	X(content_length, CONTENT_LENGTH, ONCE)        \
	X(transfer_encoding, TRANSFER_ENCODING, FIRST) \
	X(expect, EXPECT, FIRST)                       \
	X(if_none_match, IF_NONE_MATCH, FIRST)         \
	X(connection, CONNECTION, FIRST)               \
	X(accept_language, ACCEPT_LANGUAGE, FIRST)     \
	X(accept_encoding, ACCEPT_ENCODING, FIRST)     \
	X(ch_ua, CH_UA, FIRST)                         \
	X(ch_ua_mobile, CH_UA_MOBILE, FIRST)           \
	X(ch_ua_platform, CH_UA_PLATFORM, FIRST)       \
	X(gpc, GPC, FIRST)                             \
	X(dnt, DNT, FIRST)                             \
	X(explain, EXPLAIN, FIRST)                     \
	X(purpose, PURPOSE, LAST)                      \
	X(forwarded_for, FORWARDED_FOR, LAST)          \
	X(forwarded, FORWARDED, LAST)

#define X(member, id, lines) HTTP_FIELD_##id,
enum http_field { HTTP_FIELDS(X) HTTP_FIELD_COUNT };
#undef X

/* Every slice borrows from the parsed buffer; an absent field is {NULL, 0}. */
struct http_request {
	enum http_method method;
	int minor;          /* HTTP/1.minor: 0 or 1 */
	bool keep_alive;    /* what the client allows; always false in HTTP/1.0 */
	struct slice path;  /* raw (still percent-encoded), starts with '/'; "*" for OPTIONS * */
	struct slice query; /* raw, without '?'; absent when there is no '?' */
	struct slice lines; /* every field line, up to the empty one */
	struct slice body;
	union {
		struct slice fields[HTTP_FIELD_COUNT];
		struct {
#define X(member, id, lines) struct slice member;
			HTTP_FIELDS(X)
#undef X
		};
	};
};

/*
 * Parses one request at the start of buf. Returns the bytes it takes (header and body), 0 when more are needed,
 * or the negative of the status with which it must be refused: -400, -413, -414, -417, -431, -501, -505.
 * After a refusal nothing of the buffer may be read as another request.
 * One empty line (CRLF) before the request line is skipped (RFC 9112 section 2.2).
 */
int http_parse(struct http_request *request, const char *buf, size_t len) MUST_CHECK;

/*
 * The value of the field line that stands before the one which `value` was taken from and has the same name: absent
 * when there is none. For the few fields of which more than one line matters.
 */
struct slice http_line_before(const struct http_request *request, struct slice value);

/* The reason phrase of a status that thongked sends. */
const char *http_reason(int status);

#endif
