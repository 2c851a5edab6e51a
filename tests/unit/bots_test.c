/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists of bots: what a line may be, which line names a bot, and that nobody can make a match take long. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <unistd.h>

#include "base/buf.h"
#include "hit/bots.h"

/* Reads a list from a file with that content. */
static struct bots *
list_of(struct slice content, char error[512])
{
	char path[] = "/tmp/bots-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, content.ptr, content.len), (ssize_t)content.len);
	close(fd);
	struct bots *bots = bots_read(path, error, 512);
	unlink(path);
	return bots;
}

/* The name, or "" for a person. */
static const char *
name_of(const struct bots *bots, struct bots_scratch *scratch, struct slice user_agent, int *line)
{
	static char name[HIT_WORD_MAX + 1];
	struct bots_match match = {.line = 0};
	name[0] = '\0';
	if (bots_find(bots, scratch, user_agent, &match))
		snprintf(name, sizeof(name), "%.*s", SLICE_ARG(match.name));
	if (line)
		*line = match.line;
	return name;
}

struct named {
	const char *user_agent;
	const char *name;
};

/* User agents as their makers document them. */
static const struct named documented[] = {
	{"Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "Googlebot"},
	{"Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, "
	 "like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; "
	 "+http://www.google.com/bot.html)",
	 "Googlebot"},
	{"Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", "Bingbot"},
	{"Mozilla/5.0 (compatible; coccocbot-web/1.0; +http://help.coccoc.com/searchengine)",
	 "Coc Coc bot"},
	{"Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)", "YandexBot"},
	{"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.1; "
	 "+https://openai.com/gptbot)",
	 "OpenAI"},
	{"Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; ClaudeBot/1.0; "
	 "+claudebot@anthropic.com)",
	 "Anthropic"},
	{"facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", "Facebook"},
	{"Twitterbot/1.0", "Twitter"},
	{"TelegramBot (like TwitterBot)", "Telegram"},
	{"WhatsApp/2.23.20.0", "WhatsApp"},
	{"Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", "AhrefsBot"},
	{"Mozilla/5.0+(compatible; UptimeRobot/2.0; http://www.uptimerobot.com/)", "UptimeRobot"},
	{"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
	 "HeadlessChrome/120.0.0.0 Safari/537.36",
	 "HeadlessChrome"},
	{"curl/7.88.1", "curl"},
	{"python-requests/2.31.0", "Python"},
	{"Go-http-client/1.1", "Go"},
	{"Mozilla/5.0 (compatible; ExampleThing/1.0)", "other program"},
	/* People. */
	{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
	 "Chrome/124.0.0.0 Safari/537.36",
	 ""},
	{"Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) "
	 "coc_coc_browser/94.0.202 Chrome/88.0.4324.202 Safari/537.36",
	 ""},
	{"Mozilla/5.0 (Linux; Android 10; CUBOT X30) AppleWebKit/537.36 (KHTML, like Gecko) "
	 "Chrome/96.0.4664.45 Mobile Safari/537.36",
	 ""},
};

static void
test_installed_list(void **state)
{
	(void)state;
	char error[512] = "";
	struct bots *bots = bots_read("conf/bots.txt", error, sizeof(error));
	assert_string_equal(error, "");
	assert_non_null(bots);
	struct bots_scratch *scratch = bots_scratch_new();
	for (size_t i = 0; i < COUNT_OF(documented); i++)
		assert_string_equal(
			name_of(bots, scratch, slice_of(documented[i].user_agent), NULL),
			documented[i].name);
	bots_scratch_free(scratch);
	bots_scratch_free(NULL);
	bots_unref(bots);
}

static void
test_first_line_names(void **state)
{
	(void)state;
	char error[512];
	struct bots *bots = list_of(SLICE("# what\r\n\r\nsecond word\ttwo\\b\r\nFirst  one\r\n"
					  "third\t \tt(?:h|w)[o-r]?  \n"
					  "At start  ^zero|^nought\nlast  one hundred"),
				    error);
	struct bots_scratch *scratch = bots_scratch_new();
	static const struct {
		const char *user_agent, *name;
		int line;
	} cases[] = {
		{"one and two", "second word", 3},
		{"TWO", "second word", 3},
		{"twoo one", "First", 4},
		{"twoo", "third", 5},
		{"a th", "third", 5},
		{"one hundred", "First", 4},
		{"ZERO", "At start", 6},
		{"a zero", "", 0},
		{"nought", "At start", 6},
		{"", "", 0},
	};
	assert_int_equal(bots_count(bots), 5);
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		int line;
		assert_string_equal(name_of(bots, scratch, slice_of(cases[i].user_agent), &line),
				    cases[i].name);
		assert_int_equal(line, cases[i].line);
	}
	assert_string_equal(name_of(bots, scratch, (struct slice){0}, NULL), "");
	bots_scratch_free(scratch);
	bots_unref(bots);
}

static void
test_no_list(void **state)
{
	(void)state;
	char error[512];
	struct bots_scratch *scratch = bots_scratch_new();
	assert_string_equal(name_of(NULL, scratch, SLICE("Googlebot"), NULL), "");
	assert_null(bots_ref(NULL));
	bots_unref(NULL);
	assert_int_equal(bots_count(NULL), 0);
	struct bots *bots = list_of(SLICE("# nobody\n\n"), error);
	assert_int_equal(bots_count(bots), 0);
	assert_string_equal(name_of(bots, scratch, SLICE("Googlebot"), NULL), "");
	bots_unref(bots);
	bots_scratch_free(scratch);
}

struct refused {
	const char *content;
	const char *where; /* behind the path */
	const char *what;
};

static const struct refused refused[] = {
	{"a  b\n\nGooglebot\n", ":3: ", "there is no pattern"},
	{"one blank\n", ":1: ", "there is no pattern"},
	{"a  b\n  c\n", ":2: ", "no name"},
	{" a  b\n", ":1: ", "no name"},
	{"\tb\n", ":1: ", "no name"},
	{"(other)  b\n", ":1: ", "no name"},
	{"a name of 24 characters.  b\n", ":1: ", "no name"},
	{"t\x7fs  b\n", ":1: ", "no name"},
	{"C\xe1\xbb\x91"
	 "c  b\n",
	 ":1: ", "no name"},
	{"a  b\nc  a(b\n", ":2: ", "missing closing parenthesis, at character 4 "},
	{"c  a)b\n", ":1: ", "unmatched closing parenthesis"},
	{"c  a[b\n", ":1: ", "missing terminating ]"},
	{"c  a)|(?:b\n", ":1: ", "unmatched closing parenthesis"},
	{"c  (?<=a+)b\n", ":1: ", "lookbehind"},
	{"c  +\n", ":1: ", "quantifier"},
	{"c  a\\\n", ":1: ", "at end of pattern"},
	{"c  (a)\\1\n", ":1: ", "non-existent subpattern"},
	{"c  (?<n>a)\n", ":1: ", "captures"},
	{"c  (?-n)(a)b\n", ":1: ", "captures"},
	{"c  x*\n", ":1: ", "everybody"},
	{"c  a|\n", ":1: ", "everybody"},
	{"c  ^(?!Mozilla)\n", ":1: ", "everybody"},
	{"c  \\b\n", ":1: ", "everybody"},
	{"c  a(?R)?b\n", ":1: ", "(?R"},
	{"c  a(?0)?b\n", ":1: ", "(?0"},
	{"c  a\\g<0>?b\n", ":1: ", "\\g"},
	{"c  (*COMMIT)a\n", ":1: ", "(*"},
	{"c  (?x)a # b\n", ":1: ", "does not end"},
	{"c  \\Qa\n", ":1: ", "does not end"},
};

static void
test_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(refused); i++) {
		char error[512] = "";
		assert_null(list_of(slice_of(refused[i].content), error));
		const char *where = strchr(error, ':');
		assert_true(strncmp(error, "/tmp/bots-", 10) == 0 && where);
		if (strncmp(where, refused[i].where, strlen(refused[i].where)) != 0 ||
		    !strstr(error, refused[i].what) || !strstr(error, "; allowed: "))
			fail_msg("%s: %s", refused[i].content, error);
	}
}

static void
expect_refused(struct buf *content, const char *what)
{
	char error[512] = "";
	assert_null(list_of(buf_slice(content), error));
	if (!strstr(error, what))
		fail_msg("%s", error);
	buf_clear(content);
}

static void
add_lines(struct buf *content, int count, size_t pattern_len)
{
	for (int i = 0; i < count; i++) {
		buf_addf(content, "name  %c", 'a' + i % 26);
		memset(buf_reserve(content, pattern_len), 'x', pattern_len);
		content->len += pattern_len;
		buf_add_literal(content, "\n");
	}
}

static void
test_caps(void **state)
{
	(void)state;
	char error[512] = "";
	struct buf content = {0};
	add_lines(&content, 1, BOTS_LINE_MAX - 7);
	buf_addf(&content, "A name of 23 characters  b\n");
	struct bots *bots = list_of(buf_slice(&content), error);
	assert_string_equal(error, "");
	assert_int_equal(bots_count(bots), 2);
	bots_unref(bots);
	buf_clear(&content);
	add_lines(&content, 1, BOTS_LINE_MAX - 6);
	expect_refused(&content, ":1: the line is too long");
	add_lines(&content, BOTS_LINES_MAX + 1, 1);
	expect_refused(&content, ":2001: there are too many patterns");
	add_lines(&content, 100, BOTS_LINE_MAX - 7);
	expect_refused(&content, ": all patterns together are too large");
	buf_add(&content, "a  b\0c\nd  e\n", 12);
	expect_refused(&content, ":1: the line is too long or has a zero byte");
	buf_release(&content);
}

static void
test_no_file(void **state)
{
	(void)state;
	char error[512];
	assert_null(bots_read("/tmp/no/such/list", error, sizeof(error)));
	assert_string_equal(error, "/tmp/no/such/list: cannot be opened: No such file or "
				   "directory; allowed: a readable file, or no list at all");
	assert_null(bots_read("/tmp", error, sizeof(error)));
	assert_non_null(strstr(error, "/tmp: cannot be read: Is a directory; allowed: "));
}

/*
 * The second half of this pattern matches every such text, but the first is tried before, in 2^n ways: without a
 * limit the longer text would keep us until the end of days.
 */
static void
test_steps(void **state)
{
	(void)state;
	char error[512], text[8192];
	struct bots *bots = list_of(SLICE("slow  ^(?:(?:a+)+$|a+!)\n"), error);
	struct bots_scratch *scratch = bots_scratch_new();
	memset(text, 'a', sizeof(text));
	text[10] = '!';
	assert_string_equal(name_of(bots, scratch, (struct slice){text, 11}, NULL), "slow");
	text[10] = 'a';
	/* Few enough for the limit that PCRE2 has of its own, ten million. */
	text[18] = '!';
	assert_string_equal(name_of(bots, scratch, (struct slice){text, 19}, NULL), "");
	text[18] = 'a';
	text[BOTS_AGENT_MAX - 1] = '!';
	assert_string_equal(name_of(bots, scratch, (struct slice){text, sizeof(text)}, NULL), "");
	assert_string_equal(name_of(bots, scratch, (struct slice){text, 100}, NULL), "slow");
	bots_scratch_free(scratch);
	bots_unref(bots);
}

static void
test_length(void **state)
{
	(void)state;
	char error[512], text[8192];
	struct bots *bots = list_of(SLICE("bot  bot\n"), error);
	struct bots_scratch *scratch = bots_scratch_new();
	memset(text, 'b', sizeof(text));
	memcpy(text + BOTS_AGENT_MAX - 3, "bot", 3);
	assert_string_equal(name_of(bots, scratch, (struct slice){text, sizeof(text)}, NULL),
			    "bot");
	memcpy(text + BOTS_AGENT_MAX - 3, "bbot", 4);
	assert_string_equal(name_of(bots, scratch, (struct slice){text, sizeof(text)}, NULL), "");
	bots_scratch_free(scratch);
	bots_unref(bots);
}

enum { THREADS = 4, FINDS = 2000 };

static void *
find_often(void *argument)
{
	struct bots *bots = argument;
	struct bots_scratch *scratch = bots_scratch_new();
	struct bots_match match;
	intptr_t found = 0;
	for (int i = 0; i < FINDS; i++) {
		struct bots *mine = bots_ref(bots);
		found += bots_find(mine, scratch, i % 2 ? SLICE("abot") : SLICE("human"), &match);
		bots_unref(mine);
	}
	bots_unref(bots);
	bots_scratch_free(scratch);
	return (void *)found;
}

static void
test_threads(void **state)
{
	(void)state;
	char error[512];
	pthread_t threads[THREADS];
	struct bots *bots = list_of(SLICE("bot  bot\nagain  bo.\n"), error);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, find_often, bots_ref(bots)), 0);
	bots_unref(bots);
	for (int i = 0; i < THREADS; i++) {
		void *found;
		pthread_join(threads[i], &found);
		assert_int_equal((intptr_t)found, FINDS / 2);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_installed_list), cmocka_unit_test(test_first_line_names),
		cmocka_unit_test(test_no_list),        cmocka_unit_test(test_refused),
		cmocka_unit_test(test_caps),           cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_steps),          cmocka_unit_test(test_length),
		cmocka_unit_test(test_threads),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
