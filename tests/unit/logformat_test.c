/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Log lines that are not Apache's. The samples are those of the manuals of Caddy, nginx and GoatCounter; expected times
 * were worked out with `date -ud`.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "cli/goatcounter.h"
#include "cli/logjson.h"
#include "cli/logpattern.h"
#include "guard.h"

struct good {
	const char *line;
	const char *host, *vhost;
	int64_t utc;
	const char *method, *target;
	int status;
	const char *referrer, *agent; /* unescaped; NULL: absent */
};

#define CADDY                                                                                 \
	"{\"level\":\"info\",\"ts\":1646861401.5241024,\"logger\":\"http.log.access\","       \
	"\"msg\":\"handled request\",\"request\":{\"remote_ip\":\"127.0.0.1\","               \
	"\"remote_port\":\"41342\",\"client_ip\":\"203.0.113.7\",\"proto\":\"HTTP/2.0\","     \
	"\"method\":\"GET\",\"host\":\"localhost:8443\",\"uri\":\"/a?b=1\",\"headers\":{"     \
	"\"User-Agent\":[\"curl/7.82.0\",\"second\"],\"Referer\":[\"https://r.example/\"]},"  \
	"\"tls\":{\"server_name\":\"example.com\",\"method\":\"x\"}},\"user_id\":\"\","       \
	"\"duration\":0.000929675,\"size\":10900,\"status\":200,\"resp_headers\":{\"Host\":[" \
	"\"no\"],\"Uri\":[\"/no\"]}}"

static const struct good json_lines[] = {
	{CADDY, "203.0.113.7", "localhost:8443", 1646861401, "GET", "/a?b=1", 200,
	 "https://r.example/", "curl/7.82.0"},
	/* nginx, as in many a log_format with escape=json */
	{"{\"time\":\"2020-05-20T14:32:07+07:00\", \"remote_addr\": \"2001:db8::1\",\"request\":"
	 "\"GET /tin HTTP/1.1\",\"status\":\"304\",\"http_user_agent\":\"a \\\"b\\\" \\u00e9"
	 "\\ud83d\\ude00\\/\",\"http_referer\":\"-\",\"server_name\":\"a.example\",\"x\":null}",
	 "2001:db8::1", "a.example", 1589959927, "GET", "/tin", 304, "",
	 "a \"b\" \xc3\xa9\xf0\x9f\x98\x80/"},
	{"{\"msec\":\"1589959927.123\",\"remote_addr\":\"h\",\"request_method\":\"POST\","
	 "\"request_uri\":\"/\",\"status\":500}",
	 "h", NULL, 1589959927, "POST", "/", 500, NULL, NULL},
	{"{\"@timestamp\":\"2020-05-20T07:32:07.5Z\",\"clientip\":\"h\",\"method\":\"GET\","
	 "\"uri\":\"/\",\"status\":200,\"list\":[],\"none\":{}}",
	 "h", NULL, 1589959927, "GET", "/", 200, NULL, NULL},
};

static const char *const bad_json[] = {
	"",
	"{}",
	"[]",
	"{\"status\":200}",
	CADDY "}",
	CADDY ",",
	"{\"ts\":1,\"remote_ip\":\"h\",\"method\":\"GET\",\"uri\":\"/\",\"status\":\"2x0\"}",
	"{\"ts\":\"soon\",\"remote_ip\":\"h\",\"method\":\"GET\",\"uri\":\"/\",\"status\":200}",
	"{\"ts\":1,\"remote_ip\":\"h\",\"method\":\"GET\",\"uri\":\"/\",\"status\":200",
	"{\"ts\":1 \"remote_ip\":\"h\",\"method\":\"GET\",\"uri\":\"/\",\"status\":200}",
	"{\"a\":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]],\"ts\":1,\"remote_ip\":\"h\",\"method\":"
	"\"GET\",\"uri\":\"/\",\"status\":200}",
	"127.0.0.1 - - [20/May/2020:14:32:07 +0700] \"GET / HTTP/1.1\" 200 5",
};

static const struct {
	const char *format;
	struct good good;
} patterns[] = {
	/* nginx' own "combined", and its manual's "compression" */
	{"$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent "
	 "\"$http_referer\" \"$http_user_agent\"",
	 {"203.0.113.7 - an [20/May/2020:14:32:07 +0700] \"GET /a HTTP/1.1\" 200 5 "
	  "\"https://r.example/\" \"a \\\"b\\\"\" more",
	  "203.0.113.7", NULL, 1589959927, "GET", "/a", 200, "https://r.example/", "a \"b\""}},
	{"$remote_addr - $remote_user [$time_local] \"$request\" $status $bytes_sent "
	 "\"$http_referer\" \"$http_user_agent\" \"$gzip_ratio\"",
	 {"h - - [20/May/2020:14:32:07 +0700] \"GET / HTTP/1.1\" 200 5 \"-\" \"-\" \"-\"", "h",
	  NULL, 1589959927, "GET", "/", 200, "", ""}},
	{"${time_iso8601}|$host|$remote_addr|$request_method|$request_uri|$status",
	 {"2020-05-20T14:32:07+07:00|a.example|h|GET|/x?y|404", "h", "a.example", 1589959927, "GET",
	  "/x?y", 404, NULL, NULL}},
	{"$msec $remote_addr $status $request",
	 {"1589959927.001 h 200 GET /a b HTTP/1.1", "h", NULL, 1589959927, "GET", "/a b", 200, NULL,
	  NULL}},
};

#define HEADER                                                                             \
	"2Path,Title,Event,UserAgent,Browser,System,Session,Bot,Referrer,Referrer scheme," \
	"Screen size,Location,FirstVisit,Date"

static void
assert_text(enum access_escape escape, struct slice got, const char *expected, const char *line)
{
	char text[512];
	if (!got.ptr && !expected)
		return;
	size_t len = got.ptr ? accesslog_unescape(escape, got, text, sizeof(text)) : 0;
	if (!got.ptr || !expected || !slice_eq((struct slice){text, len}, slice_of(expected)))
		fail_msg("%s: got \"%.*s\", expected \"%s\"", line, (int)len, text,
			 expected ? expected : "(absent)");
}

static void
assert_good(const struct access *access, const struct good *good)
{
	assert_text(access->escape, access->host, good->host, good->line);
	assert_text(access->escape, access->vhost, good->vhost, good->line);
	assert_text(access->escape, access->method, good->method, good->line);
	assert_text(access->escape, access->target, good->target, good->line);
	assert_text(access->escape, access->referrer, good->referrer, good->line);
	assert_text(access->escape, access->agent, good->agent, good->line);
	assert_int_equal(access->utc, good->utc);
	assert_int_equal(access->status, good->status);
}

/* No prefix of a line is read beyond its end, whatever it is taken for. */
static void
read_json(const struct guard *guard, struct slice line, bool good, struct access *access)
{
	struct accesslog log = {0};
	for (size_t len = 0; len < line.len; len++)
		(void)logjson_parse(&log, guard_copy(guard, (struct slice){line.ptr, len}), access);
	if (logjson_parse(&log, guard_copy(guard, line), access) != good)
		fail_msg("%s: %s", good ? "refused" : "taken", line.ptr);
}

static void
reads_json(void **state)
{
	(void)state;
	struct guard guard = guard_new();
	struct access access;
	for (size_t i = 0; i < COUNT_OF(json_lines); i++) {
		read_json(&guard, slice_of(json_lines[i].line), true, &access);
		assert_good(&access, &json_lines[i]);
	}
	for (size_t i = 0; i < COUNT_OF(bad_json); i++)
		read_json(&guard, slice_of(bad_json[i]), false, &access);
	guard_release(&guard);
}

static void
reads_by_a_pattern(void **state)
{
	(void)state;
	struct guard guard = guard_new();
	char error[256];
	for (size_t i = 0; i < COUNT_OF(patterns); i++) {
		struct accesslog log = {0};
		struct access access;
		struct logpattern pattern;
		struct slice line = slice_of(patterns[i].good.line);
		if (!logpattern_read(&pattern, patterns[i].format, error, sizeof(error)))
			fail_msg("%s", error);
		assert_int_equal(pattern.vhosts, patterns[i].good.vhost != NULL);
		for (size_t len = 0; len < line.len; len++)
			(void)logpattern_parse(&pattern, &log,
					       guard_copy(&guard, (struct slice){line.ptr, len}),
					       &access);
		assert_true(logpattern_parse(&pattern, &log, guard_copy(&guard, line), &access));
		assert_good(&access, &patterns[i].good);
		assert_false(logpattern_parse(&pattern, &log, SLICE("something else"), &access));
	}
	guard_release(&guard);
}

static void
refuses_patterns_that_say_too_little(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"$remote_addr",
		"$remote_addr$time_local \"$request\" $status",
		"$remote_addr [$time_local] \"$request\"",
		"$remote_addr \"$request\" $status",
		"[$time_local] \"$request\" $status",
		"$remote_addr [$time_local] $request_method $status",
		"${remote_addr [$time_local] \"$request\" $status",
		"$ $remote_addr [$time_local] \"$request\" $status",
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		struct logpattern pattern;
		char error[256] = "";
		if (logpattern_read(&pattern, bad[i], error, sizeof(error)))
			fail_msg("taken: %s", bad[i]);
		assert_string_not_equal(error, "");
	}
}

static void
reads_goatcounter(void **state)
{
	(void)state;
	struct goatcounter columns;
	struct accesslog log = {0};
	struct access access;
	struct guard guard = guard_new();
	assert_true(goatcounter_header(&columns, SLICE(HEADER)));
	assert_true(goatcounter_parse(&columns, &log, SLICE(HEADER), &access));
	assert_false(access.counted);
	struct slice line =
		SLICE("/a.html,\"A \"\"title\"\", long\",false,,Firefox 128.0,Linux,s-1,0,"
		      "r.example/x,h,\"1920,1080,1\",VN-HN,true,2020-05-20T07:32:07Z");
	for (size_t len = 0; len < line.len; len++)
		(void)goatcounter_parse(&columns, &log,
					guard_copy(&guard, (struct slice){line.ptr, len}), &access);
	assert_true(goatcounter_parse(&columns, &log, guard_copy(&guard, line), &access));
	assert_true(access.counted);
	assert_false(access.bot);
	assert_int_equal(access.utc, 1589959927);
	assert_text(access.escape, access.target, "/a.html", line.ptr);
	assert_text(access.escape, access.host, "s-1", line.ptr);
	assert_text(access.escape, access.browser, "Firefox", line.ptr);
	assert_text(access.escape, access.system, "Linux", line.ptr);
	assert_text(access.escape, access.country, "VN", line.ptr);
	assert_text(access.escape, access.screen, "1920", line.ptr);
	assert_text(access.escape, access.referrer, "r.example/x", line.ptr);
	guard_release(&guard);
}

static void
knows_what_goatcounter_does_not_count(void **state)
{
	(void)state;
	static const struct {
		const char *line;
		bool good, counted, bot;
	} rows[] = {
		{"/b,,false,,,,s,3,,,,,false,2020-05-20T07:32:07Z", true, true, true},
		{"click,,true,,,,s,0,,,,,false,2020-05-20T07:32:07Z", true, false, false},
		{"/c,,false,,,,s,0,Hacker News,g,,,false,", false, false, false},
		{"/c,,false,,,,s,0", false, false, false},
		{"/c,\"open,false,,,,s,0,,,,,false,2020-05-20T07:32:07Z", false, false, false},
	};
	struct goatcounter columns;
	struct accesslog log = {0};
	struct access access;
	assert_true(goatcounter_header(&columns, SLICE(HEADER)));
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		if (goatcounter_parse(&columns, &log, slice_of(rows[i].line), &access) !=
		    rows[i].good)
			fail_msg("%s", rows[i].line);
		if (rows[i].good) {
			assert_int_equal(access.counted, rows[i].counted);
			assert_int_equal(access.bot, rows[i].bot);
		}
	}
	assert_false(goatcounter_header(&columns, SLICE("3Path,Session,Date,Bot,Event")));
	assert_false(goatcounter_header(&columns, SLICE("2Path,Title")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_json),
		cmocka_unit_test(reads_by_a_pattern),
		cmocka_unit_test(refuses_patterns_that_say_too_little),
		cmocka_unit_test(reads_goatcounter),
		cmocka_unit_test(knows_what_goatcounter_does_not_count),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
