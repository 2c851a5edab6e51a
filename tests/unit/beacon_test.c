/* SPDX-License-Identifier: BSD-2-Clause */
/* What requests say: parameters of query and body, and which site and page they speak of. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <unistd.h>

#include "hit/beacon.h"
#include "hit/hit.h"

#define TEXT(literal)                          \
	{                                      \
		(literal), sizeof(literal) - 1 \
	}

static const char configuration[] = "site \"a\" { hosts = {\"a.org\", \"::1\"} query = {\"id\"} }\n"
				    "site \"b\" { hosts = {\"b.org\", \"*.b.org\"} }\n";

static int
load(void **state)
{
	char path[] = "/tmp/beacon_test.XXXXXX", error[512];
	int fd = mkstemp(path);
	if (fd < 0 || write(fd, configuration, sizeof(configuration) - 1) < 0 || close(fd) < 0)
		return -1;
	*state = conf_load(path, NULL, 0, error, sizeof(error));
	unlink(path);
	if (!*state)
		print_error("%s\n", error);
	return *state ? 0 : -1;
}

static int
unload(void **state)
{
	conf_unref(*state);
	return 0;
}

static int
read_query(struct beacon *beacon, struct slice query)
{
	struct http_request request = {.method = HTTP_GET, .query = query};
	return beacon_read(beacon, &request);
}

static int
read_post(struct beacon *beacon, const char *query, struct slice type, const char *body)
{
	struct http_request request = {.method = HTTP_POST,
				       .query = slice_of(query),
				       .content_type = type,
				       .body = slice_of(body)};
	return beacon_read(beacon, &request);
}

static void
test_every_parameter(void **state)
{
	(void)state;
	struct beacon b;
	assert_int_equal(
		read_query(&b,
			   SLICE("s=a&u=https%3A%2F%2Fa.org%2Ft%25E1&n=x1&q=1&rows=today%2Cyear&"
				 "lang=vi&title=0&w=1920&r=x&zz=%ff&=%ff")),
		0);
	assert_true(slice_eq(b.site, SLICE("a")));
	assert_true(slice_eq(b.url, SLICE("https://a.org/t%E1")));
	assert_true(slice_eq(b.nonce, SLICE("x1")));
	assert_true(slice_eq(b.quiet, SLICE("1")));
	assert_true(slice_eq(b.rows, SLICE("today,year")));
	assert_true(slice_eq(b.lang, SLICE("vi")));
	assert_true(slice_eq(b.title, SLICE("0")));
}

static void
test_absent_and_empty(void **state)
{
	(void)state;
	struct beacon b;
	memset(&b, 'x', sizeof(b));
	assert_int_equal(read_query(&b, (struct slice){0}), 0);
	assert_null(b.site.ptr);
	assert_null(b.url.ptr);
	assert_null(b.nonce.ptr);
	assert_null(b.rows.ptr);
	assert_null(b.lang.ptr);
	assert_null(b.title.ptr);
	assert_null(b.quiet.ptr);
	assert_int_equal(read_query(&b, SLICE("s=&u&q=+")), 0);
	assert_true(b.site.ptr && b.site.len == 0);
	assert_true(b.url.ptr && b.url.len == 0);
	assert_true(slice_eq(b.quiet, SLICE(" ")));
}

static void
test_first_counts(void **state)
{
	(void)state;
	struct beacon b;
	assert_int_equal(read_query(&b, SLICE("s=a&s=b&s=%ff&u=&u=/x")), 0);
	assert_true(slice_eq(b.site, SLICE("a")));
	assert_int_equal(b.url.len, 0);
	assert_int_equal(read_query(&b, SLICE("site=a&s=b")), 0);
	assert_true(slice_eq(b.site, SLICE("a")));
	assert_int_equal(read_post(&b, "s=a", SLICE("text/plain"), "s=b&u=/x&u=/y"), 0);
	assert_true(slice_eq(b.site, SLICE("a")));
	assert_true(slice_eq(b.url, SLICE("/x")));
}

static void
test_bad_values(void **state)
{
	(void)state;
	static const struct slice bad[] = {
		TEXT("s=%"),      TEXT("s=%4"),   TEXT("u=%zz"),
		TEXT("n=%00"),    TEXT("u=/%0a"), TEXT("q=%7F"),
		TEXT("u=%C2%85"), TEXT("u=%ff"),  TEXT("s=a&lang=%c0%80"),
		TEXT("u=\x01"),
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct beacon b;
		assert_int_equal(read_query(&b, bad[i]), -400);
		char body[32] = {0};
		memcpy(body, bad[i].ptr, bad[i].len);
		assert_int_equal(read_post(&b, NULL, SLICE("text/plain"), body), -400);
	}
}

static void
test_body_types(void **state)
{
	(void)state;
	static const struct {
		struct slice type;
		int want;
	} rows[] = {
		{TEXT("text/plain"), 0},
		{TEXT("text/plain;charset=UTF-8"), 0},
		{TEXT("Text/Plain ; charset=utf-8"), 0},
		{TEXT("application/x-www-form-urlencoded"), 0},
		{TEXT("application/x-www-form-urlencoded; charset=UTF-8"), 0},
		{TEXT("application/json"), -415},
		{TEXT("text/plain2"), -415},
		{TEXT("text/plai"), -415},
		{TEXT("text/plain, text/plain"), -415},
		{TEXT("multipart/form-data; boundary=x"), -415},
		{TEXT(";text/plain"), -415},
		{TEXT(""), -415},
		{{NULL, 0}, -415},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct beacon b;
		assert_int_equal(read_post(&b, "s=a", rows[i].type, "u=/x"), rows[i].want);
		assert_int_equal(read_post(&b, "s=a", rows[i].type, ""), 0);
	}
}

/* The most text that a request can carry, all of it decoded. */
static void
test_longest_text(void **state)
{
	(void)state;
	static char query[HTTP_LINE_MAX], body[HTTP_BODY_MAX];
	memset(query, 'q', sizeof(query));
	memset(body, 'b', sizeof(body));
	memcpy(query, "u=", 2);
	memcpy(body, "n=", 2);
	struct http_request request = {.method = HTTP_POST,
				       .query = {query, sizeof(query)},
				       .content_type = SLICE("text/plain"),
				       .body = {body, sizeof(body)}};
	struct beacon b;
	assert_int_equal(beacon_read(&b, &request), 0);
	assert_int_equal(b.url.len, HTTP_LINE_MAX - 2);
	assert_int_equal(b.nonce.len, HTTP_BODY_MAX - 2);
	assert_int_equal(b.nonce.ptr[0], 'b');
}

static void
test_url_host(void **state)
{
	(void)state;
	static const struct {
		const char *url, *host;
	} rows[] = {
		{"https://a.org", "a.org"},
		{"https://a.org:8443", "a.org"},
		{"HTTP://A.org/x", "A.org"},
		{"http://a.org?x", "a.org"},
		{"http://a.org#x", "a.org"},
		{"http://u:p@a.org:1/x@y:2", "a.org"},
		{"http://evil@good@a.org/", "a.org"},
		{"http://[::1]:80/x", "[::1]"},
		{"http://[::1", "["},
		{"null", ""},
		{"", ""},
		{"/x?u=http://a.org/", ""},
		{"//a.org/x", ""},
		{"a.org/x", ""},
		{"://a.org", ""},
		{"http:/a.org", ""},
		{"http://", ""},
		{"http:///x", ""},
		{"http://:80/x", ""},
		{"http://u@/x", ""},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_true(slice_eq(url_host(slice_of(rows[i].url)), slice_of(rows[i].host)));
	assert_null(url_host((struct slice){0}).ptr);
}

struct question {
	const char *query, *host, *origin, *referer;
};

static struct http_request
request_of(const struct question *q)
{
	return (struct http_request){.query = slice_of(q->query),
				     .host = slice_of(q->host),
				     .origin = slice_of(q->origin),
				     .referer = slice_of(q->referer)};
}

static void
test_site(void **state)
{
	static const struct {
		struct question question;
		const char *site; /* NULL: unknown */
	} rows[] = {
		{{.query = "s=a"}, "a"},
		{{.query = "s=b", .origin = "https://a.org"}, "b"},
		{{.query = "s=nobody", .origin = "https://a.org"}, NULL},
		{{.query = "s=A"}, NULL},
		{{.query = "s="}, NULL},
		{{.query = "s=", .origin = "https://a.org"}, "a"},
		{{.origin = "https://A.ORG:8443"}, "a"},
		{{.origin = "https://www.b.org"}, "b"},
		{{.origin = "http://[::1]:8080"}, "a"},
		{{.origin = "https://a.org", .referer = "https://b.org/"}, "a"},
		{{.origin = "null", .referer = "https://b.org/x"}, "b"},
		{{.origin = "null", .query = "u=https://b.org/x"}, "b"},
		{{.origin = "", .referer = "", .query = "u=https://a.org/x"}, "a"},
		{{.referer = "https://b.org/x", .query = "u=https://a.org/x"}, "b"},
		{{.query = "u=https://www.b.org:80/x"}, "b"},
		{{.query = "u=/x"}, NULL},
		{{.query = "u=/x?https://a.org/"}, NULL},
		{{.host = "a.org"}, NULL},
		/* A stranger's origin is not made up for by a claim in `u`. */
		{{.origin = "https://evil.org", .query = "u=https://a.org/x"}, NULL},
		{{.referer = "https://evil.org/", .query = "u=https://a.org/x"}, NULL},
		{{.query = "u=https://a.org@evil.org/x"}, NULL},
		{{.query = ""}, NULL},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct beacon b;
		struct http_request request = request_of(&rows[i].question);
		assert_int_equal(beacon_read(&b, &request), 0);
		const struct conf_site *site = beacon_site(&b, &request, *state);
		if (!rows[i].site != !site || (site && strcmp(site->key, rows[i].site) != 0))
			fail_msg("row %zu is site %s", i, site ? site->key : "unknown");
	}
}

static void
test_page(void **state)
{
	static const struct {
		struct question question;
		const char *page; /* "": none */
	} rows[] = {
		{{.query = "u=/x/"}, "/x"},
		{{.query = "u=https://a.org/x?id=5%26y=6"}, "/x?id=5"},
		{{.query = "u=/t%25E1%25BB%25A9c"},
		 "/t\xe1\xbb\xa9"
		 "c"},
		{{.query = "u=/t%E1%BB%A9c"},
		 "/t\xe1\xbb\xa9"
		 "c"},
		{{.query = "u=/x", .referer = "https://a.org/y"}, "/x"},
		{{.query = "u=x", .referer = "https://a.org/y"}, ""},
		{{.query = "u=", .referer = "https://a.org/y"}, "/y"},
		{{.referer = "https://a.org/y?id=5&x=6#z"}, "/y?id=5"},
		{{.referer = "https://a.org/", .host = "a.org"}, "/"},
		{{.referer = "https://A.org", .host = "a.ORG"}, "/"},
		{{.referer = "https://a.org/", .host = "stats.org"}, ""},
		{{.referer = "https://a.org", .host = "stats.org"}, ""},
		{{.referer = "https://a.org:8443/", .host = "a.org"}, ""},
		{{.referer = "https://a.org/"}, ""},
		{{.referer = "https://a.org/y", .host = "stats.org"}, "/y"},
		{{.referer = "https://a.org/?id=5", .host = "stats.org"}, "/?id=5"},
		{{.referer = "about:blank"}, ""},
		{{.referer = ""}, ""},
		{{.query = ""}, ""},
	};
	const struct conf_site *site = conf_site_by_key(*state, SLICE("a"));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct beacon b;
		char out[HIT_PAGE_MAX];
		struct http_request request = request_of(&rows[i].question);
		assert_int_equal(beacon_read(&b, &request), 0);
		size_t len = beacon_page(&b, &request, site, out);
		if (!slice_eq((struct slice){out, len}, slice_of(rows[i].page)))
			fail_msg("row %zu is page %.*s", i, (int)len, out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_parameter),
		cmocka_unit_test(test_absent_and_empty),
		cmocka_unit_test(test_first_counts),
		cmocka_unit_test(test_bad_values),
		cmocka_unit_test(test_body_types),
		cmocka_unit_test(test_longest_text),
		cmocka_unit_test(test_url_host),
		cmocka_unit_test_setup_teardown(test_site, load, unload),
		cmocka_unit_test_setup_teardown(test_page, load, unload),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
