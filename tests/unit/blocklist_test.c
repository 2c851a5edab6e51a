/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of blocked hosts: what is in them, what is not, and what makes a line a bad one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "conf_files.h"
#include "hit/blocklist.h"

static struct blocklist *
read_text(const char *text)
{
	char error[512] = "";
	write_file("list.txt", text);
	struct blocklist *list = blocklist_read(path_of("list.txt"), error, sizeof(error));
	if (!list)
		fail_msg("%s", error);
	return list;
}

static void
hosts_and_what_is_below_them(void **state)
{
	(void)state;
	static const char *const blocked[] = {
		"spam.example", "www.spam.example", "a.b.SPAM.example", "spam.example.", "b.a.vn",
		"x.b.a.vn",     "203.0.113.9",      "[2001:DB8:0::9]",  "last.example",
	};
	static const char *const others[] = {
		"",      "example",       "notspam.example", "spam.example.org",
		"a.vn",  "c.a.vn",        "203.0.113.90",    "[2001:db8::8]",
		"[::1]", "spam.example/", "comment.example", "spam..example",
	};
	struct blocklist *list = read_text("# comment.example\n\nspam.example\n"
					   "  B.A.vn \t# and a comment\r\n"
					   "203.0.113.9\n2001:db8::9\nspam.example\nlast.example");
	for (size_t i = 0; i < COUNT_OF(blocked); i++)
		if (!blocklist_has(list, slice_of(blocked[i])))
			fail_msg("%s is not blocked", blocked[i]);
	for (size_t i = 0; i < COUNT_OF(others); i++)
		if (blocklist_has(list, slice_of(others[i])))
			fail_msg("%s is blocked", others[i]);
	assert_false(blocklist_has(list, (struct slice){0}));
	struct blocklist *again = blocklist_ref(list);
	blocklist_unref(list);
	assert_true(blocklist_has(again, SLICE("spam.example")));
	blocklist_unref(again);
}

static void
an_empty_list_blocks_nobody(void **state)
{
	(void)state;
	struct blocklist *list = read_text("# nothing yet\n");
	assert_false(blocklist_has(list, SLICE("spam.example")));
	blocklist_unref(list);
}

static void
many_hosts(void **state)
{
	(void)state;
	enum { MANY = 5000 };
	struct buf text = {0};
	for (int i = 0; i < MANY; i++)
		buf_addf(&text, "h%d.example\n", i);
	buf_add(&text, "", 1);
	struct blocklist *list = read_text(text.data);
	for (int i = 0; i < 2 * MANY; i++) {
		char host[64];
		snprintf(host, sizeof(host), "h%d.example", i);
		assert_int_equal(blocklist_has(list, slice_of(host)), i < MANY);
	}
	blocklist_unref(list);
	buf_release(&text);
}

static void
bad_lines_are_refused_with_their_number(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"http://spam.example",
		"spam.example/x",
		"*.spam.example",
		"*",
		"spam example",
		"spam.example:80",
		"sp\xc3\xa1m.vn",
		".spam.example",
		"a..b.org",
		"::g",
	};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		char text[256], error[512] = "", expected[300];
		snprintf(text, sizeof(text), "good.example\n\n%s\n", bad[i]);
		write_file("bad.txt", text);
		assert_null(blocklist_read(path_of("bad.txt"), error, sizeof(error)));
		snprintf(expected, sizeof(expected),
			 "%s:3: \"%s\" is no host; allowed: ", path_of("bad.txt"), bad[i]);
		if (strncmp(error, expected, strlen(expected)) != 0)
			fail_msg("\"%s\" does not begin with \"%s\"", error, expected);
	}
}

static void
files_that_cannot_be_read(void **state)
{
	(void)state;
	char error[512] = "";
	assert_null(blocklist_read("/nowhere.txt", error, sizeof(error)));
	assert_string_equal(error, "cannot open the referrer blocklist /nowhere.txt: No such file "
				   "or directory");
	assert_null(blocklist_read("/", error, sizeof(error)));
	assert_string_equal(error, "cannot read the referrer blocklist /: Is a directory");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_and_what_is_below_them),
		cmocka_unit_test(an_empty_list_blocks_nobody),
		cmocka_unit_test(many_hosts),
		cmocka_unit_test(bad_lines_are_refused_with_their_number),
		cmocka_unit_test(files_that_cannot_be_read),
	};
	return cmocka_run_group_tests(tests, make_directory, remove_directory);
}
