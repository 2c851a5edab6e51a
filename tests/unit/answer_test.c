/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers as bytes, against the grammar and the examples of RFC 9110. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "front/answer.h"

/* The moment of RFC 9110 section 5.6.7. */
enum { RFC_MOMENT = 784111777 };
#define RFC_DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

static void
check(const struct answer *answer, const char *expected)
{
	struct buf out = {0};
	struct answer_date date = {0};
	answer_date_set(&date, RFC_MOMENT);
	answer_put(&out, answer, &date);
	buf_add(&out, "", 1);
	assert_string_equal(out.data, expected);
	buf_release(&out);
}

static void
counts_may_be_read_by_any_page_and_are_never_stored(void **state)
{
	(void)state;
	check(
		&(struct answer){
			.status = 200, .form = ANSWER_JSON, .cors = true, .body = SLICE("{}\n")},
		"HTTP/1.1 200 OK\r\nContent-Type: application/json; charset=utf-8\r\n"
		"X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n"
		"Access-Control-Allow-Origin: *\r\n" RFC_DATE "Content-Length: 3\r\n\r\n{}\n");
}

static void
head_says_the_length_and_leaves_the_body_out(void **state)
{
	(void)state;
	check(&(struct answer){.status = 200,
			       .form = ANSWER_TEXT,
			       .head_only = true,
			       .last = true,
			       .body = SLICE("123")},
	      "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
	      "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\n" RFC_DATE
	      "Content-Length: 3\r\nConnection: close\r\n\r\n");
}

/* RFC 9110 section 8.6: a 204 has no Content-Length. */
static void
no_content_has_no_length(void **state)
{
	(void)state;
	check(&(struct answer){.status = 204, .body = SLICE("never seen")},
	      "HTTP/1.1 204 No Content\r\nCache-Control: no-store\r\n" RFC_DATE "\r\n");
}

static void
errors_are_fixed_texts(void **state)
{
	(void)state;
	check(&(struct answer){.status = 503, .last = true},
	      "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n"
	      "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\nRetry-After: "
	      "1\r\n" RFC_DATE
	      "Content-Length: 19\r\nConnection: close\r\n\r\nService Unavailable");
	check(&(struct answer){.status = 429, .last = true},
	      "HTTP/1.1 429 Too Many Requests\r\nContent-Type: text/plain; charset=utf-8\r\n"
	      "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\nRetry-After: "
	      "60\r\n" RFC_DATE "Content-Length: 17\r\nConnection: close\r\n\r\nToo Many Requests");
}

/* The examples of RFC 9110 section 13.1.2, which compares weakly. */
static void
etags_match_as_the_rfc_says(void **state)
{
	static const struct {
		const char *field;
		bool matches;
	} rows[] = {
		{"\"xyzzy\"", true},
		{"W/\"xyzzy\"", true},
		{"\"xyzzy\", \"r2d2xxxx\", \"c3piozzzz\"", true},
		{"W/\"r2d2xxxx\",\tW/\"xyzzy\" , W/\"c3piozzzz\"", true},
		{"*", true},
		{"\"r2d2xxxx\"", false},
		{"xyzzy", false},
		{"\"xyzzy", false},
		{",,", false},
		{"", false},
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(answer_etag_matches(slice_of(rows[i].field), SLICE("\"xyzzy\"")),
				 rows[i].matches);
}

/* RFC 9110 section 12.5.3, the examples among them; an absent field may mean anything, and a plain file is always right. */
static void
gzip_is_taken_as_the_rfc_says(void **state)
{
	static const struct {
		const char *field;
		bool taken;
	} rows[] = {
		{"compress, gzip", true},
		{"", false},
		{"*", true},
		{"compress;q=0.5, gzip;q=1.0", true},
		{"gzip;q=1.0, identity; q=0.5, *;q=0", true},
		{"gzip, deflate, br, zstd", true},
		{"deflate,\tGZIP ; Q=0.001", true},
		{"x-gzip", true},
		{"gzip;q=0", false},
		{"gzip; q=0.000, *", false},
		{"*;q=0", false},
		{"identity", false},
		{"br", false},
		{"gzipped", false},
		{"br;gzip", false},
		{",;,", false},
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(answer_takes_gzip(slice_of(rows[i].field)), rows[i].taken);
	assert_false(answer_takes_gzip((struct slice){NULL, 0}));
}

/* RFC 9110 section 15.4.5: a 304 has the Cache-Control that the 200 would have. */
static void
a_file_lives_as_long_after_a_304_as_after_a_200(void **state)
{
	(void)state;
	static const struct {
		enum answer_form form;
		const char *lives;
	} rows[] = {
		{ANSWER_SCRIPT, "Cache-Control: public, max-age=3600\r\n"},
		{ANSWER_SCRIPT_FROZEN, "Cache-Control: public, max-age=31536000, immutable\r\n"},
		{ANSWER_PAGE, "Cache-Control: no-cache\r\n"},
	};
	struct answer_date date = {0};
	answer_date_set(&date, RFC_MOMENT);
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		for (int status = 200; status <= 304; status += 104) {
			struct buf out = {0};
			answer_put(&out, &(struct answer){.status = status, .form = rows[i].form},
				   &date);
			buf_add(&out, "", 1);
			assert_non_null(strstr(out.data, rows[i].lives));
			buf_release(&out);
		}
}

static void
the_date_follows_the_second(void **state)
{
	(void)state;
	struct answer_date date = {0};
	answer_date_set(&date, 0);
	assert_string_equal(date.line, "Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n");
	answer_date_set(&date, RFC_MOMENT);
	assert_string_equal(date.line, RFC_DATE);
	answer_date_set(&date, 1582934400); /* date -ud @1582934400 */
	assert_string_equal(date.line, "Date: Sat, 29 Feb 2020 00:00:00 GMT\r\n");
	assert_int_equal(date.len, strlen(date.line));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_may_be_read_by_any_page_and_are_never_stored),
		cmocka_unit_test(head_says_the_length_and_leaves_the_body_out),
		cmocka_unit_test(no_content_has_no_length),
		cmocka_unit_test(errors_are_fixed_texts),
		cmocka_unit_test(etags_match_as_the_rfc_says),
		cmocka_unit_test(gzip_is_taken_as_the_rfc_says),
		cmocka_unit_test(a_file_lives_as_long_after_a_304_as_after_a_200),
		cmocka_unit_test(the_date_follows_the_second),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
