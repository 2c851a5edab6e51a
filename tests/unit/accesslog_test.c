/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Access log lines. Expected times were worked out with `date -ud`; the sample lines are those of the Apache and nginx
 * manuals and what such servers write for odd requests.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/accesslog.h"

struct good {
	const char *line;
	const char *host;
	int64_t utc;
	const char *method, *target; /* NULL: absent */
	int status;
	const char *agent;
	bool view;
};

static const struct good good_lines[] = {
	/* common, from Apache's manual: 10/Oct/2000:13:55:36 -0700 is 20:55:36 UTC */
	{"127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] \"GET /apache_pb.gif HTTP/1.0\" 200 2326",
	 "127.0.0.1", 971211336, "GET", "/apache_pb.gif", 200, NULL, false},
	/* combined, the same page */
	{"127.0.0.1 - frank [10/Oct/2000:13:55:36 -0700] \"GET /apache_pb HTTP/1.0\" 200 2326 "
	 "\"http://www.example.com/start.html\" \"Mozilla/4.08 [en] (Win98; I ;Nav)\"",
	 "127.0.0.1", 971211336, "GET", "/apache_pb", 200, "Mozilla/4.08 [en] (Win98; I ;Nav)",
	 true},
	/* IPv6, more fields behind the agent */
	{"2001:db8::1 - - [20/May/2020:14:32:07 +0700] \"GET /tin-tuc?id=3 HTTP/1.1\" 304 0 \"-\" "
	 "\"-\" 0.003 upstream",
	 "2001:db8::1", 1589959927, "GET", "/tin-tuc?id=3", 304, "", true},
	/* odd offsets */
	{"h - - [20/May/2020:00:15:00 +0545] \"GET / HTTP/2.0\" 200 1", "h", 1589913000, "GET", "/",
	 200, NULL, true},
	{"h - - [20/May/2020:00:15:00 -0330] \"GET / HTTP/2.0\" 200 1", "h", 1589946300, "GET", "/",
	 200, NULL, true},
	{"h - - [29/Feb/2020:23:59:60 +1245] \"GET / HTTP/2.0\" 200 1", "h", 1582974900, "GET", "/",
	 200, NULL, true},
	/* escaped quotes and backslashes, a size of "-" */
	{"h - - [01/Jan/1970:00:00:00 +0000] \"GET /a\\\"b HTTP/1.1\" 200 - \"-\" \"a \\\"b\\\\\"",
	 "h", 0, "GET", "/a\\\"b", 200, "a \\\"b\\\\", true},
	/* a user with blanks and brackets */
	{"h - Nguyen [Van] A [01/Jan/1970:00:00:01 +0000] \"GET / HTTP/1.1\" 200 5", "h", 1, "GET",
	 "/", 200, NULL, true},
	/* no request, and bytes that are none */
	{"h - - [01/Jan/1970:00:00:01 +0000] \"-\" 408 -", "h", 1, "-", NULL, 408, NULL, false},
	{"h - - [01/Jan/1970:00:00:01 +0000] \"\" 400 0 \"-\" \"-\"", "h", 1, "", NULL, 400, "",
	 false},
	{"h - - [01/Jan/1970:00:00:01 +0000] \"\\x16\\x03\\x01 \\x02\" 400 0", "h", 1,
	 "\\x16\\x03\\x01 \\x02", NULL, 400, NULL, false},
	/* HTTP/0.9, blanks in the target */
	{"h - - [01/Jan/1970:00:00:01 +0000] \"GET /\" 200 5", "h", 1, "GET", "/", 200, NULL, true},
	{"h - - [01/Jan/1970:00:00:01 +0000] \"GET /a b HTTP/1.1\" 200 5", "h", 1, "GET", "/a b",
	 200, NULL, true},
	/* not views: method, status, file */
	{"h - - [01/Jan/1970:00:00:01 +0000] \"POST / HTTP/1.1\" 200 5", "h", 1, "POST", "/", 200,
	 NULL, false},
	{"h - - [01/Jan/1970:00:00:01 +0000] \"HEAD / HTTP/1.1\" 200 5", "h", 1, "HEAD", "/", 200,
	 NULL, false},
	{"h - - [01/Jan/1970:00:00:01 +0000] \"GET / HTTP/1.1\" 301 5", "h", 1, "GET", "/", 301,
	 NULL, false},
	{"h - - [01/Jan/1970:00:00:01 +0000] \"GET / HTTP/1.1\" 404 5", "h", 1, "GET", "/", 404,
	 NULL, false},
	{"h - - [01/Jan/1970:00:00:01 +0000] \"GET /A.JPG?v=1.html HTTP/1.1\" 200 5", "h", 1, "GET",
	 "/A.JPG?v=1.html", 200, NULL, false},
	{"h - - [01/Jan/1970:00:00:01 +0000] \"GET /x.css/y?f=a.css HTTP/1.1\" 206 5", "h", 1,
	 "GET", "/x.css/y?f=a.css", 206, NULL, true},
	{"h - - [01/Jan/1970:00:00:01 +0000] \"GET /index.php HTTP/1.1\" 200 5", "h", 1, "GET",
	 "/index.php", 200, NULL, true},
};

static const char *const bad_lines[] = {
	"",
	" ",
	"-",
	"h - - \"GET / HTTP/1.1\" 200 5",
	"h - - [20/Mai/2020:14:32:07 +0700] \"GET / HTTP/1.1\" 200 5",
	"h - - [31/Feb/2020:14:32:07 +0700] \"GET / HTTP/1.1\" 200 5",
	"h - - [29/Feb/2019:14:32:07 +0700] \"GET / HTTP/1.1\" 200 5",
	"h - - [00/May/2020:14:32:07 +0700] \"GET / HTTP/1.1\" 200 5",
	"h - - [20/May/1969:14:32:07 +0700] \"GET / HTTP/1.1\" 200 5",
	"h - - [20/May/2020:24:00:00 +0700] \"GET / HTTP/1.1\" 200 5",
	"h - - [20/May/2020:14:60:00 +0700] \"GET / HTTP/1.1\" 200 5",
	"h - - [20/May/2020:14:32:61 +0700] \"GET / HTTP/1.1\" 200 5",
	"h - - [20/May/2020:14:32:07 0700] \"GET / HTTP/1.1\" 200 5",
	"h - - [20/May/2020:14:32:07 +0790] \"GET / HTTP/1.1\" 200 5",
	"h - - [20/May/2020:14:32:07 +0700] GET / HTTP/1.1 200 5",
	"h - - [20/May/2020:14:32:07 +0700] \"GET / HTTP/1.1 200 5",
	"h - - [20/May/2020:14:32:07 +0700] \"GET / HTTP/1.1\\\" 200 5",
	"h - - [20/May/2020:14:32:07 +0700] \"GET / HTTP/1.1\"",
	"h - - [20/May/2020:14:32:07 +0700] \"GET / HTTP/1.1\" 2x0 5",
	"h - - [20/May/2020:14:32:07 +0700] \"GET / HTTP/1.1\" 20 5",
	"h - - [20/May/2020:14:32:07 +0700] \"GET / HTTP/1.1\" 200 ",
	"h - - [20/May/2020:14:32:07 +0700] \"GET / HTTP/1.1\" 200 5x",
	"h - - [20/May/2020:14:32:07 +0700] \"GET / HTTP/1.1\" 200 5 \"http://r/",
	"h - - [20/May/2020:14:32:07 +0700] \"GET / HTTP/1.1\" 200 5 \"-\"",
	"h - - [20/May/2020:14:32:07 +0700] \"GET / HTTP/1.1\" 200 5 \"-\" \"agen",
	"2020-05-20T14:32:07 h GET / 200",
};

static void
assert_slice(struct slice got, const char *expected, const char *line)
{
	bool same = expected ? got.ptr && slice_eq(got, slice_of(expected)) : !got.ptr;
	if (!same)
		fail_msg("%s: got \"%.*s\", expected \"%s\"", line, SLICE_ARG(got),
			 expected ? expected : "(absent)");
}

static void
reads_good_lines(void **state)
{
	(void)state;
	struct accesslog log = {0};
	for (size_t i = 0; i < COUNT_OF(good_lines); i++) {
		const struct good *good = &good_lines[i];
		struct access access;
		if (!accesslog_parse(&log, slice_of(good->line), &access))
			fail_msg("refused: %s", good->line);
		assert_slice(access.host, good->host, good->line);
		assert_slice(access.method, good->method, good->line);
		assert_slice(access.target, good->target, good->line);
		assert_slice(access.agent, good->agent, good->line);
		assert_int_equal(access.utc, good->utc);
		assert_int_equal(access.status, good->status);
		if (accesslog_is_view(&access) != good->view)
			fail_msg("view or not: %s", good->line);
	}
}

static void
refuses_bad_lines(void **state)
{
	(void)state;
	struct accesslog log = {0};
	struct access access;
	for (size_t i = 0; i < COUNT_OF(bad_lines); i++)
		if (accesslog_parse(&log, slice_of(bad_lines[i]), &access))
			fail_msg("taken: %s", bad_lines[i]);
	static const char nul[] = "h - - [20/May/2020:14:32:07 +0700] \"GET /\0 HTTP/1.1\" 200 5";
	assert_false(accesslog_parse(&log, (struct slice){nul, sizeof nul - 1}, &access));
}

/* A bad date must not be taken for the one that was kept, nor be kept itself. */
static void
keeps_the_last_date_only_when_it_was_one(void **state)
{
	(void)state;
	struct accesslog log = {0};
	struct access access;
	const char *good = "h - - [02/Jan/1970:00:00:00 +0000] \"GET / HTTP/1.1\" 200 5";
	const char *bad = "h - - [31/Feb/1970:00:00:00 +0000] \"GET / HTTP/1.1\" 200 5";
	for (int i = 0; i < 3; i++) {
		assert_true(accesslog_parse(&log, slice_of(good), &access));
		assert_int_equal(access.utc, 86400);
		assert_false(accesslog_parse(&log, slice_of(bad), &access));
		assert_false(accesslog_parse(&log, slice_of(bad), &access));
	}
}

/* Every prefix of every line, ending right before memory that cannot be read. */
static void
never_reads_past_the_end(void **state)
{
	(void)state;
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *memory =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	assert_int_equal(mprotect(memory + page, page, PROT_NONE), 0);
	for (size_t i = 0; i < COUNT_OF(good_lines) + COUNT_OF(bad_lines); i++) {
		const char *line = i < COUNT_OF(good_lines) ? good_lines[i].line
							    : bad_lines[i - COUNT_OF(good_lines)];
		for (size_t len = 0; len <= strlen(line); len++) {
			struct accesslog log = {0};
			struct access access;
			char out[512];
			char *at = memory + page - len;
			memcpy(at, line, len);
			if (!accesslog_parse(&log, (struct slice){at, len}, &access))
				continue;
			accesslog_is_view(&access);
			if (access.target.ptr)
				accesslog_unescape(access.escape, access.target, out, sizeof out);
		}
	}
	munmap(memory, 2 * page);
}

static void
undoes_escapes(void **state)
{
	(void)state;
	static const struct {
		const char *from, *to;
	} rows[] = {
		{"/a", "/a"},         {"/a\\\"b", "/a\"b"},
		{"/a\\\\b", "/a\\b"}, {"/\\xE1\\xba\\xA7", "/\xe1\xba\xa7"},
		{"/\\x4", "/\\x4"},   {"/\\n\\", "/\\n\\"},
	};
	char out[16];
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		size_t len = accesslog_unescape(ACCESS_BACKSLASH, slice_of(rows[i].from), out,
						sizeof out);
		assert_int_equal(len, strlen(rows[i].to));
		assert_memory_equal(out, rows[i].to, len);
	}
	assert_int_equal(accesslog_unescape(ACCESS_BACKSLASH, SLICE("abcdef"), out, 3), 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_good_lines),
		cmocka_unit_test(refuses_bad_lines),
		cmocka_unit_test(keeps_the_last_date_only_when_it_was_one),
		cmocka_unit_test(never_reads_past_the_end),
		cmocka_unit_test(undoes_escapes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
