/* SPDX-License-Identifier: BSD-2-Clause */
/* What operators are told of a hit, line by line; and that nothing a stranger sent reaches their terminal as it is. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "hit/explain.h"
#include "judge_here.h"

static void
explain_cb(const struct judge_case *hit, const struct judgement *judgement, void *arg)
{
	explain_text(arg, &judge, hit, judgement);
}

/* Asked without a past, as operators ask. The caller frees it. */
static char *
explained(struct asked asked)
{
	struct judgement out;
	struct buf text = {0};
	judge.nonces = judge.repeats = NULL;
	judge_with(&judge, &asked, &out, explain_cb, &text);
	char *copy = xstrndup(text.data, text.len);
	buf_release(&text);
	return copy;
}

/* The tables are the set-up's to free. */
static struct judge all;

static int
set_up_alone(void **state)
{
	int result = set_up(state);
	all = judge;
	return result;
}

static int
tear_down_alone(void **state)
{
	judge = all;
	return tear_down(state);
}

static void
assert_explained(struct asked asked, const char *expected)
{
	char *text = explained(asked);
	assert_string_equal(text, expected);
	free(text);
}

static void
a_view(void **state)
{
	(void)state;
	assert_explained(
		(struct asked){.origin = "https://portal.example.vn",
			       .referrer = "https://www.google.com/",
			       .page = "/tin-tuc"},
		"site      portal\n"
		"page      /tin-tuc\n"
		"address   192.0.2.1 (the connection's own: it comes from no trusted proxy)\n"
		"origin    the site's own, or none is given\n"
		"agent     a person\n"
		"browser   Firefox\n"
		"system    Linux\n"
		"device    desktop\n"
		"country   unknown\n"
		"referrer  Google\n"
		"language  vi\n"
		"screen    1920+\n"
		"visitor   yes\n"
		"counted   yes, unless it comes too often or again\n");
}

static void
assert_line(struct asked asked, const char *line)
{
	char *text = explained(asked);
	if (!strstr(text, line))
		fail_msg("no line %sin\n%s", line, text);
	free(text);
}

/* Why not; steps that were not taken are not spoken of. */
static void
refusals(void **state)
{
	(void)state;
	assert_explained((struct asked){.site = "careful", .peer = "198.51.100.7"},
			 "site      careful\n"
			 "page      /\n"
			 "address   198.51.100.7 (the connection's own: it comes from no trusted "
			 "proxy)\n"
			 "counted   no, excluded\n");
	assert_explained((struct asked){.origin = "https://evil.example",
					.peer = "127.0.0.1",
					.forwarded_for = "192.0.2.7"},
			 "site      portal\n"
			 "page      /\n"
			 "address   192.0.2.7 (named by a trusted proxy in X-Forwarded-For)\n"
			 "origin    another site's, by Origin or Referer: evil.example\n"
			 "counted   no, origin\n");
	assert_line((struct asked){.agent = "Googlebot/2.1 (+http://www.google.com/bot.html)"},
		    "\nagent     bot Googlebot: line 1 of bots.txt\n");
	assert_line((struct asked){.agent = ""},
		    "\nagent     bot (no user agent): no user agent\n");
	assert_line((struct asked){.automated = "1"},
		    "\nagent     bot: the browser says that a program drives it (a=1)\n");
	assert_line((struct asked){.automated = "1"}, "\ncounted   no, bot\n");
	assert_line((struct asked){.origin = "http://localhost:3000"},
		    "\norigin    a local or private address, or a file: localhost\n");
	assert_line((struct asked){.site = "strict"},
		    "\norigin    none is given, and the site requires one\n");
	assert_line((struct asked){.url = "https://evil.example/x"},
		    "\norigin    another site's, by the page's address: evil.example\n");
	assert_line((struct asked){.peer = "127.0.0.1"},
		    "\naddress   127.0.0.1 (a trusted proxy's own: it names no client)\n");
	assert_line((struct asked){.site = "shy", .gpc = "1"}, "\nvisitor   anonymous\n");
}

/* Nobody knows what a terminal does with it: no byte of a stranger's but printable ASCII, and no line of their own. */
static void
strangers_bytes_are_inert(void **state)
{
	(void)state;
	char bytes[256], origin[300] = "https://";
	size_t len = 0;
	for (int i = 1; i < 256; i++)
		bytes[len++] = (char)i;
	bytes[len] = '\0';
	memcpy(origin + 8,
	       "a\x1b[2J\r\ncounted   yes\x9b"
	       "b\x7f\\",
	       24);
	const struct asked asked = {.page = bytes, .origin = origin};
	char *text = explained(asked);
	size_t lines = 0;
	for (const char *at = text; *at; at++) {
		assert_true(*at == '\n' || (*at >= ' ' && *at <= '~'));
		lines += *at == '\n';
	}
	assert_int_equal(lines, 5); /* site, page, address, origin, counted */
	assert_non_null(strstr(text, "\\x01\\x02\\x03\\x04\\x05\\x06\\x07\\x08\\x09\\x0a"));
	assert_non_null(strstr(text, "[\\x5c]"));
	assert_non_null(strstr(text, "}~\\x7f\\x80"));
	assert_non_null(strstr(text, "\\xfe\\xff\n"));
	assert_non_null(strstr(text, ": a\\x1b[2J\\x0d\\x0acounted   yes\\x9bb\\x7f\\x5c\n"));
	free(text);
}

#define TEST_ALONE(name) cmocka_unit_test_setup_teardown(name, set_up_alone, tear_down_alone)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_ALONE(a_view),
		TEST_ALONE(refusals),
		TEST_ALONE(strangers_bytes_are_inert),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
