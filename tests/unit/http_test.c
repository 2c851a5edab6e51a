/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The request parser against hand-written requests (RFC 9110, RFC 9112): what it takes, what it
 * refuses and with which status, at every prefix, and that it never reads past its input.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/http.h"

enum { TAKEN = 1 }; /* the whole text is one request */

struct row {
	struct slice text;
	int want; /* TAKEN, or the negative of a status */
};

#define TEXT(literal)                          \
	{                                      \
		(literal), sizeof(literal) - 1 \
	}
#define ROW(status, literal)          \
	{                             \
		TEXT(literal), status \
	}
#define HOST "Host: a.org\r\n"
#define GET(target) "GET " target " HTTP/1.1\r\n" HOST "\r\n"
#define FIELD(line) "GET / HTTP/1.1\r\n" HOST line "\r\n"
#define POST(fields, body) "POST /hit HTTP/1.1\r\n" HOST fields "\r\n" body

static const struct row rows[] = {
	/* Taken. */
	ROW(TAKEN, GET("/")),
	ROW(TAKEN, "\r\n" GET("/")),
	ROW(TAKEN, "HEAD / HTTP/1.1\r\n" HOST "\r\n"),
	ROW(TAKEN, "OPTIONS * HTTP/1.1\r\n" HOST "\r\n"),
	ROW(TAKEN, "GET / HTTP/1.0\r\n\r\n"),
	ROW(TAKEN, "GET / HTTP/1.0\r\nHost: upstream\r\nConnection: close\r\n\r\n"),
	ROW(TAKEN, "GET http://a.org/x HTTP/1.0\r\n\r\n"),
	ROW(TAKEN, GET("/a%20b?c=%e1%BB%a9&d=[]{}|\\^`\"<>")),
	ROW(TAKEN, GET("http://a.org/x?y")),
	ROW(TAKEN, GET("HTTPS://A.ORG/x?y")),
	ROW(TAKEN, GET("http://a.org")),
	ROW(TAKEN, GET("http://a.org?y/z")),
	ROW(TAKEN, "GET / HTTP/1.1\r\nHost: [2001:db8::1]:8080\r\n\r\n"),
	ROW(TAKEN, "GET / HTTP/1.1\r\nHost:127.0.0.1:80\t\r\n\r\n"),
	ROW(TAKEN, "GET / HTTP/1.1\r\nhOsT: a_b-c.example.\r\n\r\n"),
	ROW(TAKEN, FIELD("X: a\tb \xe1\xbb\xa9 \xff\r\n")),
	ROW(TAKEN, FIELD("X:\r\nY:   \t \r\n")),
	ROW(TAKEN, FIELD("!#$%&'*+-.^_`|~09azAZ: every token\r\n")),
	ROW(TAKEN,
	    FIELD("Accept: a\r\nAccept: b\r\nIf-None-Match: \"a\"\r\nIf-None-Match: \"b\"\r\n")),
	ROW(TAKEN, FIELD("Content-Length: 0\r\n")),
	ROW(TAKEN, POST("Content-Length: 5\r\n", "s=a&u")),
	ROW(TAKEN, POST("Content-Length: 0005\r\n", "s=a&u")),
	ROW(TAKEN, "PUT / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\nhi"),
	ROW(TAKEN, "DELETE /x HTTP/1.1\r\n" HOST "\r\n"),
	ROW(TAKEN, "PATCH /x HTTP/1.1\r\n" HOST "\r\n"),
	ROW(TAKEN, "TRACE /x HTTP/1.1\r\n" HOST "\r\n"),
	/* Methods. */
	ROW(-501, "get / HTTP/1.1\r\n" HOST "\r\n"),
	ROW(-501, "PROPFIND / HTTP/1.1\r\n" HOST "\r\n"),
	ROW(-501, "GETS / HTTP/1.1\r\n" HOST "\r\n"),
	ROW(-501, "CONNECT a.org:443 HTTP/1.1\r\n" HOST "\r\n"),
	ROW(-400, " GET / HTTP/1.1\r\n" HOST "\r\n"),
	ROW(-400, "G(T / HTTP/1.1\r\n" HOST "\r\n"),
	ROW(-400, "\r\n\r\n" GET("/")),
	ROW(-400, "\n" GET("/")),
	ROW(-400, "\r" GET("/")),
	ROW(-400, "\x16\x03\x01\x02"), /* a TLS handshake on the wrong port */
	/* Versions. */
	ROW(-505, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
	ROW(-505, "GET / HTTP/2.0\r\n" HOST "\r\n"),
	ROW(-505, "GET / HTTP/1.2\r\n" HOST "\r\n"),
	ROW(-400, "GET /\r\n"),
	ROW(-400, "GET / \r\n"),
	ROW(-400, "GET / HTTP/0.9\r\n\r\n"),
	ROW(-400, "GET / HTTP/1.10\r\n" HOST "\r\n"),
	ROW(-400, "GET / HTTP/11\r\n" HOST "\r\n"),
	ROW(-400, "GET / HTTP/1.1 \r\n" HOST "\r\n"),
	ROW(-400, "GET / http/1.1\r\n" HOST "\r\n"),
	ROW(-400, "GET / HTTP/1.\xb2\r\n" HOST "\r\n"),
	ROW(-400, "GET / ICY/1.1\r\n" HOST "\r\n"),
	/* Targets. */
	ROW(-400, "GET  / HTTP/1.1\r\n" HOST "\r\n"),
	ROW(-400, "GET /  HTTP/1.1\r\n" HOST "\r\n"),
	ROW(-400, "GET\t/ HTTP/1.1\r\n" HOST "\r\n"),
	ROW(-400, GET("/a b")),
	ROW(-400, GET("/a\tb")),
	ROW(-400, GET("/a\0b")),
	ROW(-400, GET("/a\x7f")),
	ROW(-400, GET("/a\rb")),
	ROW(-400, GET("/a\nb")),
	ROW(-400, GET("/tin-t\xe1\xbb\xa9")),
	ROW(-400, GET("/a#b")),
	ROW(-400, GET("/%")),
	ROW(-400, GET("/%4")),
	ROW(-400, GET("/%4g")),
	ROW(-400, GET("/%g4")),
	ROW(-400, GET("/%00")),
	ROW(-400, GET("/?a=%00")),
	ROW(-400, GET("/?a=%zz")),
	ROW(-400, GET("*")),
	ROW(-400, GET("a")),
	ROW(-400, GET("?a")),
	ROW(-400, GET("a.org:80")),
	ROW(-400, GET("http://")),
	ROW(-400, GET("http:///x")),
	ROW(-400, GET("ftp://a.org/")),
	ROW(-400, GET("http:/a.org/")),
	ROW(-400, GET("http://b.org/x")),
	ROW(-400, GET("http://a.org:80/x")),
	ROW(-400, GET("http://u@a.org/x")),
	ROW(-400, "GET http://u@a.org/x HTTP/1.0\r\n\r\n"),
	/* Host. */
	ROW(-400, "GET / HTTP/1.1\r\n\r\n"),
	ROW(-400, "GET / HTTP/1.1\r\nHost:\r\n\r\n"),
	ROW(-400, "GET / HTTP/1.1\r\n" HOST HOST "\r\n"),
	ROW(-400, "GET / HTTP/1.0\r\n" HOST HOST "\r\n"),
	ROW(-400, "GET / HTTP/1.1\r\nHost: a b\r\n\r\n"),
	ROW(-400, "GET / HTTP/1.1\r\nHost: a.org, b.org\r\n\r\n"),
	ROW(-400, "GET / HTTP/1.1\r\nHost: u@a.org\r\n\r\n"),
	ROW(-400, "GET / HTTP/1.1\r\nHost: a.org/x\r\n\r\n"),
	ROW(-400, "GET / HTTP/1.1\r\nHost: a\xc3\xa9.org\r\n\r\n"),
	ROW(-400, "GET / HTTP/1.1\r\nHost: a.org:x\r\n\r\n"),
	ROW(-400, "GET / HTTP/1.1\r\nHost: a.org:123456\r\n\r\n"),
	ROW(-400, "GET / HTTP/1.1\r\nHost: :80\r\n\r\n"),
	ROW(-400, "GET / HTTP/1.1\r\nHost: []\r\n\r\n"),
	ROW(-400, "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n"),
	ROW(-400, "GET / HTTP/1.1\r\nHost: [::1]80\r\n\r\n"),
	ROW(-400, "GET / HTTP/1.1\r\nHost: ::1\r\n\r\n"),
	/* Fields. */
	ROW(-400, FIELD("X : y\r\n")),
	ROW(-400, FIELD("X\t: y\r\n")),
	ROW(-400, FIELD(" X: y\r\n")),
	ROW(-400, FIELD("X: y\r\n folded\r\n")),
	ROW(-400, FIELD("X: y\r\n\tfolded\r\n")),
	ROW(-400, "GET / HTTP/1.1\r\n " HOST "\r\n"),
	ROW(-400, FIELD(": y\r\n")),
	ROW(-400, FIELD("X\r\n")),
	ROW(-400, FIELD("X(Y): z\r\n")),
	ROW(-400, FIELD("\xc3\xa9: z\r\n")),
	ROW(-400, FIELD("X: a\0b\r\n")),
	ROW(-400, FIELD("X: a\x01"
			"b\r\n")),
	ROW(-400, FIELD("X: a\x7f"
			"b\r\n")),
	ROW(-400, FIELD("X: a\x1b[31m-a-long-value-behind-it\r\n")),
	ROW(-400, FIELD("X: a\rb\r\n")),
	ROW(-400, FIELD("X: a\r\r\n")),
	ROW(-400, FIELD("X: a\nY: b\r\n")),
	ROW(-400, "GET / HTTP/1.1\nHost: a.org\n\n"),
	ROW(-400, "GET / HTTP/1.1\r\n" HOST "\n"),
	ROW(-400, "GET / HTTP/1.1\r\n" HOST "\rX"),
	ROW(-400, FIELD("Origin: http://a.org\r\norigin: http://a.org\r\n")),
	ROW(-400, FIELD("Referer: /a\r\nReferer: /b\r\n")),
	ROW(-400, FIELD("User-Agent: a\r\nUser-Agent: b\r\n")),
	ROW(-400, FIELD("Content-Type: text/plain\r\nContent-Type: text/plain\r\n")),
	/* Bodies. */
	ROW(-501, POST("Transfer-Encoding: chunked\r\n", "0\r\n\r\n")),
	ROW(-501, POST("Transfer-Encoding: identity\r\n", "")),
	ROW(-501, POST("transfer-encoding:\r\n", "")),
	ROW(-400, POST("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n")),
	ROW(-400, POST("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")),
	ROW(-400, POST("Content-Length: 2\r\nContent-Length: 2\r\n", "hi")),
	ROW(-400, POST("Content-Length: 2\r\nContent-Length: 3\r\n", "hi!")),
	ROW(-400, POST("Content-Length: 2, 2\r\n", "hi")),
	ROW(-400, POST("Content-Length: +2\r\n", "hi")),
	ROW(-400, POST("Content-Length: -2\r\n", "hi")),
	ROW(-400, POST("Content-Length: 0x2\r\n", "hi")),
	ROW(-400, POST("Content-Length: 2 \xb2\r\n", "hi")),
	ROW(-400, POST("Content-Length: 2 2\r\n", "hi")),
	ROW(-400, POST("Content-Length:\r\n", "hi")),
	ROW(-400, POST("Content-Length: \"2\"\r\n", "hi")),
	ROW(-413, POST("Content-Length: 4097\r\n", "")),
	ROW(-413, POST("Content-Length: 18446744073709551618\r\n", "hi")),
	ROW(-400, FIELD("Content-Length: 1\r\n") "x"),
	ROW(-400, "HEAD / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx"),
	ROW(-417, POST("Expect: 100-continue\r\nContent-Length: 2\r\n", "hi")),
	ROW(-417, FIELD("expect: x\r\n")),
};

static int
parse(struct slice text, struct http_request *request)
{
	return http_parse(request, text.ptr, text.len);
}

static void
test_every_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct http_request request;
		int want = rows[i].want == TAKEN ? (int)rows[i].text.len : rows[i].want;
		int got = parse(rows[i].text, &request);
		if (got != want)
			fail_msg("wanted %d, got %d: %.*s", want, got, SLICE_ARG(rows[i].text));
	}
}

/* A request needs all its bytes; a refusal, once it is given, stands whatever follows. */
static void
test_every_prefix(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct slice text = rows[i].text;
		int before = 0;
		for (size_t len = 0; len < text.len; len++) {
			struct http_request request;
			int got = parse((struct slice){text.ptr, len}, &request);
			if (before != 0)
				assert_int_equal(got, before);
			else if (got != 0)
				assert_int_equal(got, rows[i].want);
			before = got;
		}
		if (rows[i].want == TAKEN)
			assert_int_equal(before, 0);
	}
}

/* The page behind the input cannot be read; neither can the input be read before it begins. */
static void
test_guard_page(void **state)
{
	(void)state;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *pages =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(pages, MAP_FAILED);
	assert_int_equal(mprotect(pages + page, page, PROT_NONE), 0);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		for (size_t len = 0; len <= rows[i].text.len; len++) {
			struct http_request request, same;
			char *at = pages + page - len;
			memcpy(at, rows[i].text.ptr, len);
			assert_int_equal(http_parse(&request, at, len),
					 http_parse(&same, rows[i].text.ptr, len));
		}
	munmap(pages, 2 * page);
}

/*
 * Every byte at every place of a field value: RFC 9110 section 5.5 allows HTAB, SP, visible ASCII
 * and obs-text.
 */
static void
test_every_byte_of_a_value(void **state)
{
	(void)state;
	for (int byte = 0; byte < 256; byte++)
		for (size_t at = 0; at < 20; at++) {
			char text[] = "GET / HTTP/1.0\r\nX:\xe1xxx xxx\txxx\xffxxx xxx\r\n\r\n";
			struct http_request request;
			text[sizeof("GET / HTTP/1.0\r\nX:") - 1 + at] = (char)byte;
			bool fine = byte == '\t' || (byte >= 0x20 && byte != 0x7f);
			int want = fine ? (int)sizeof(text) - 1 : -400;
			assert_int_equal(http_parse(&request, text, sizeof(text) - 1), want);
		}
}

static void
test_two_requests_in_one_buffer(void **state)
{
	(void)state;
	static const char both[] = POST("Content-Length: 2\r\n", "hi") GET("/second");
	struct http_request request;
	size_t first = sizeof(both) - sizeof(GET("/second"));
	assert_int_equal(http_parse(&request, both, sizeof(both) - 1), first);
	assert_true(slice_eq(request.body, SLICE("hi")));
	assert_int_equal(http_parse(&request, both + first, sizeof(both) - 1 - first),
			 sizeof(GET("/second")) - 1);
	assert_true(slice_eq(request.path, SLICE("/second")));
}

static void
test_every_slice(void **state)
{
	(void)state;
	struct http_request r;
	struct slice text = SLICE("POST /hit?s=a&u=?%2F HTTP/1.1\r\nHOST: \ta.org:80 \t\r\n"
				  "Origin:https://a.org\r\nReferer: https://a.org/x\r\nX: y\r\n"
				  "User-Agent: Mozilla/5.0 (X11)\tx  \r\nIf-None-Match: \"1\"\r\n"
				  "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: 3\r\n"
				  "\r\nq=1");
	assert_int_equal(parse(text, &r), text.len);
	assert_int_equal(r.method, HTTP_POST);
	assert_int_equal(r.minor, 1);
	assert_true(r.keep_alive);
	assert_true(slice_eq(r.path, SLICE("/hit")));
	assert_true(slice_eq(r.query, SLICE("s=a&u=?%2F")));
	assert_true(slice_eq(r.host, SLICE("a.org:80")));
	assert_true(slice_eq(r.origin, SLICE("https://a.org")));
	assert_true(slice_eq(r.referer, SLICE("https://a.org/x")));
	assert_true(slice_eq(r.user_agent, SLICE("Mozilla/5.0 (X11)\tx")));
	assert_true(slice_eq(r.content_type, SLICE("text/plain;charset=UTF-8")));
	assert_true(slice_eq(r.if_none_match, SLICE("\"1\"")));
	assert_true(slice_eq(r.body, SLICE("q=1")));
}

static void
test_lines_of_one_name(void **state)
{
	(void)state;
	struct http_request r;
	static const char *const before[] = {"d", "", "c", "a, b"};
	struct slice text = SLICE("GET / HTTP/1.1\r\nX-Forwarded-For:a, b \r\n" HOST
				  "x-forwarded-for: \tc\r\nX-Forwarded: x\r\n"
				  "X-FORWARDED-FOR:  \r\nX-Forwarded-For: d\r\n\r\nX-A: x\r\n");
	assert_true(parse(text, &r) > 0);
	struct slice value = r.forwarded_for;
	for (size_t i = 0; i < COUNT_OF(before); i++) {
		assert_true(slice_eq(value, slice_of(before[i])));
		value = http_line_before(&r, value);
	}
	assert_null(value.ptr);
	assert_null(http_line_before(&r, r.host).ptr);
	assert_null(http_line_before(&r, r.path).ptr);
	assert_null(http_line_before(&r, r.forwarded).ptr);
}

static void
test_absent_and_empty(void **state)
{
	(void)state;
	struct http_request r;
	assert_true(parse(SLICE(GET("/")), &r) > 0);
	assert_null(r.query.ptr);
	assert_null(r.origin.ptr);
	assert_null(r.referer.ptr);
	assert_int_equal(r.body.len, 0);
	assert_true(parse(SLICE("GET /? HTTP/1.0\r\nReferer: \r\n\r\n"), &r) > 0);
	assert_non_null(r.query.ptr);
	assert_int_equal(r.query.len, 0);
	assert_non_null(r.referer.ptr);
	assert_int_equal(r.referer.len, 0);
	assert_null(r.host.ptr);
}

static void
test_targets(void **state)
{
	(void)state;
	static const struct {
		struct slice text;
		enum http_method method;
		const char *path, *query, *host;
	} targets[] = {
		{TEXT(GET("/")), HTTP_GET, "/", NULL, "a.org"},
		{TEXT(GET("//x/../y?")), HTTP_GET, "//x/../y", "", "a.org"},
		{TEXT(GET("http://A.org/x/y?z?w")), HTTP_GET, "/x/y", "z?w", "a.org"},
		{TEXT(GET("http://a.org")), HTTP_GET, "/", NULL, "a.org"},
		{TEXT(GET("http://a.org?q/r")), HTTP_GET, "/", "q/r", "a.org"},
		{TEXT("OPTIONS * HTTP/1.1\r\n" HOST "\r\n"), HTTP_OPTIONS, "*", NULL, "a.org"},
		{TEXT("TRACE /t HTTP/1.1\r\n" HOST "\r\n"), HTTP_OTHER, "/t", NULL, "a.org"},
		{TEXT("GET http://b.org:81/x HTTP/1.0\r\n\r\n"), HTTP_GET, "/x", NULL, "b.org:81"},
	};
	for (size_t i = 0; i < COUNT_OF(targets); i++) {
		struct http_request r;
		assert_int_equal(parse(targets[i].text, &r), targets[i].text.len);
		assert_int_equal(r.method, targets[i].method);
		assert_true(slice_eq(r.path, slice_of(targets[i].path)));
		assert_true(slice_eq(r.query, slice_of(targets[i].query)));
		assert_true(slice_eq(r.host, slice_of(targets[i].host)));
	}
}

static void
test_keep_alive(void **state)
{
	(void)state;
	static const struct {
		struct slice text;
		bool keep_alive;
	} cases[] = {
		{TEXT(FIELD("Connection: keep-alive\r\n")), true},
		{TEXT(FIELD("Connection: Close\r\n")), false},
		{TEXT(FIELD("Connection: keep-alive , \tclose\r\n")), false},
		{TEXT(FIELD("Connection: close, keep-alive\r\n")), false},
		{TEXT(FIELD("Connection: keep-alive\r\nConnection: close\r\n")), false},
		{TEXT(FIELD("Connection: close\r\nConnection: keep-alive\r\n")), false},
		{TEXT(FIELD("Connection: enclose, closed,,\r\n")), true},
		{TEXT(FIELD("X-Connection: close\r\n")), true},
		{TEXT("GET / HTTP/1.0\r\n\r\n"), false},
		{TEXT("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"), false},
	};
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		struct http_request r;
		assert_true(parse(cases[i].text, &r) > 0);
		assert_int_equal(r.keep_alive, cases[i].keep_alive);
	}
}

static void
add_filler(struct buf *b, size_t count)
{
	memset(buf_reserve(b, count), 'x', count);
	b->len += count;
}

/* The answer to `before`, `count` fillers, `after`. */
static int
parse_filled(const char *before, size_t count, const char *after)
{
	struct http_request request;
	struct buf b = {0};
	buf_add_slice(&b, slice_of(before));
	add_filler(&b, count);
	buf_add_slice(&b, slice_of(after));
	int got = http_parse(&request, b.data, b.len);
	if (got > 0)
		assert_int_equal(got, b.len);
	buf_release(&b);
	return got;
}

static void
test_longest_lines(void **state)
{
	(void)state;
	const size_t request_room = 8192 - strlen("GET / HTTP/1.1"),
		     field_room = 8192 - strlen("X:");
	const char *rest = " HTTP/1.1\r\n" HOST "\r\n", *head = "GET / HTTP/1.1\r\n" HOST "X:";
	assert_true(parse_filled("GET /", request_room, rest) > 0);
	assert_int_equal(parse_filled("GET /", request_room + 1, rest), -414);
	assert_int_equal(parse_filled("GET /?", 8300, rest), -414);
	assert_true(parse_filled(head, field_room, "\r\n\r\n") > 0);
	assert_int_equal(parse_filled(head, field_room + 1, "\r\n\r\n"), -431);
	/* Without their end: refused as soon as they can only be too long. */
	assert_int_equal(parse_filled("", 8192, ""), 0);
	assert_int_equal(parse_filled("", 8193, ""), -414);
	assert_int_equal(parse_filled("GET /", 8187, ""), 0);
	assert_int_equal(parse_filled("GET /", 8188, ""), -414);
	assert_int_equal(parse_filled(head, field_room, ""), 0);
	assert_int_equal(parse_filled(head, field_room + 1, ""), -431);
	assert_int_equal(parse_filled("GET / HTTP/1.1\r\n", 8192, ""), 0);
	assert_int_equal(parse_filled("GET / HTTP/1.1\r\n", 8193, ""), -431);
}

static int
parse_fields(size_t count, const char *line, const char *after)
{
	struct http_request request;
	struct buf b = {0};
	buf_add_literal(&b, "GET / HTTP/1.1\r\n" HOST);
	for (size_t i = 0; i < count; i++)
		buf_add_slice(&b, slice_of(line));
	buf_add_slice(&b, slice_of(after));
	int got = http_parse(&request, b.data, b.len);
	buf_release(&b);
	return got;
}

static void
test_most_fields(void **state)
{
	(void)state;
	assert_true(parse_fields(63, "X: y\r\n", "\r\n") > 0);
	assert_int_equal(parse_fields(63, "X: y\r\n", ""), 0);
	assert_int_equal(parse_fields(64, "X: y\r\n", "\r\n"), -431);
	assert_int_equal(parse_fields(63, "X: y\r\n", "Z"), -431);
}

static void
test_largest_header(void **state)
{
	(void)state;
	char line[1025];
	memset(line, 'x', 1024);
	memcpy(line + 1022, "\r\n", 3);
	line[1] = ':';
	/* Host takes 13 bytes: fifteen lines of 1 KiB are within 16 KiB, sixteen are not. */
	assert_true(parse_fields(15, line, "\r\n") > 0);
	assert_int_equal(parse_fields(16, line, "\r\n"), -431);
	assert_int_equal(parse_fields(15, line, ""), 0);
}

static void
test_body_limits(void **state)
{
	(void)state;
	assert_true(parse_filled(POST("Content-Length: 4096\r\n", ""), 4096, "") > 0);
	assert_int_equal(parse_filled(POST("Content-Length: 4096\r\n", ""), 4095, ""), 0);
	assert_int_equal(parse_filled(POST("Content-Length: 4097\r\n", ""), 4097, ""), -413);
}

/* The largest request fits the buffer that a connection keeps for one. */
static void
test_request_max(void **state)
{
	(void)state;
	assert_true(HTTP_REQUEST_MAX >=
		    2 + HTTP_LINE_MAX + 2 + HTTP_HEADER_MAX + 2 + 2 + HTTP_BODY_MAX);
}

static void
test_reasons(void **state)
{
	(void)state;
	assert_string_equal(http_reason(200), "OK");
	assert_string_equal(http_reason(431), "Request Header Fields Too Large");
	assert_string_equal(http_reason(999), "Unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_row),
		cmocka_unit_test(test_every_prefix),
		cmocka_unit_test(test_guard_page),
		cmocka_unit_test(test_every_byte_of_a_value),
		cmocka_unit_test(test_two_requests_in_one_buffer),
		cmocka_unit_test(test_every_slice),
		cmocka_unit_test(test_lines_of_one_name),
		cmocka_unit_test(test_absent_and_empty),
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_keep_alive),
		cmocka_unit_test(test_longest_lines),
		cmocka_unit_test(test_most_fields),
		cmocka_unit_test(test_largest_header),
		cmocka_unit_test(test_body_limits),
		cmocka_unit_test(test_request_max),
		cmocka_unit_test(test_reasons),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
