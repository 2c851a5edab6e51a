/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pairs, escapes and UTF-8; the sequences are those of RFC 3629 and of its bounds, worked out by
 * hand.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/form.h"

#define TEXT(literal)                          \
	{                                      \
		(literal), sizeof(literal) - 1 \
	}

static void
test_pairs(void **state)
{
	(void)state;
	struct slice rest = SLICE("&&a=1&b=&c&&=d&e=f=g%26&"), key, value;
	static const struct {
		const char *key, *value;
	} want[] = {{"a", "1"}, {"b", ""}, {"c", NULL}, {"", "d"}, {"e", "f=g%26"}};
	for (size_t i = 0; i < COUNT_OF(want); i++) {
		assert_true(form_next(&rest, &key, &value));
		assert_true(slice_eq(key, slice_of(want[i].key)));
		assert_true(slice_eq(value, slice_of(want[i].value)));
		assert_int_equal(value.ptr != NULL, want[i].value != NULL);
	}
	assert_false(form_next(&rest, &key, &value));
	assert_false(form_next(&rest, &key, &value));
	rest = (struct slice){0};
	assert_false(form_next(&rest, &key, &value));
}

static void
test_decode(void **state)
{
	(void)state;
	static const struct {
		struct slice in;
		const char *out; /* NULL: refused */
	} rows[] = {
		{TEXT(""), ""},
		{TEXT("a+b%20c"), "a b c"},
		{TEXT("%2B%2b%25"), "++%"},
		{TEXT("https%3A%2F%2Fa.org%2F"), "https://a.org/"},
		{TEXT("t%E1%BB%A9c t\xe1\xbb\xa9"
		      "c"),
		 "t\xe1\xbb\xa9"
		 "c t\xe1\xbb\xa9"
		 "c"},
		{TEXT("\xc2%a0"), "\xc2\xa0"},
		{TEXT("%"), NULL},
		{TEXT("%4"), NULL},
		{TEXT("%4g"), NULL},
		{TEXT("%g4"), NULL},
		{TEXT("%%41"), NULL},
		{TEXT("%00"), NULL},
		{TEXT("%0a"), NULL},
		{TEXT("%1F"), NULL},
		{TEXT("%7f"), NULL},
		{TEXT("a\tb"), NULL},
		{TEXT("%C2%85"), NULL},
		{TEXT("a%C2%9Fb"), NULL},
		{TEXT("%E1%BB"), NULL},
		{TEXT("%C0%AF"), NULL},
		{TEXT("%FF"), NULL},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char out[64];
		int len = form_decode(rows[i].in, out, sizeof(out));
		if (!rows[i].out)
			assert_int_equal(len, -1);
		else
			assert_true(len >= 0 && slice_eq((struct slice){out, (size_t)len},
							 slice_of(rows[i].out)));
	}
}

static void
test_decode_room(void **state)
{
	(void)state;
	char out[4] = "...";
	assert_int_equal(form_decode(SLICE("%41b"), out, 2), 2);
	assert_memory_equal(out, "Ab.", 3);
	assert_int_equal(form_decode(SLICE("abc"), out, 2), -1);
	assert_int_equal(form_decode(SLICE(""), out, 0), 0);
	assert_int_equal(form_decode(SLICE("a"), out, 0), -1);
	assert_int_equal(out[2], '.');
	assert_int_equal(form_decode((struct slice){0}, out, 0), 0);
}

static void
test_hex(void **state)
{
	(void)state;
	const char *upper = "0123456789ABCDEF", *lower = "0123456789abcdef";
	int digits = 0;
	for (int i = 0; i < 16; i++) {
		assert_int_equal(hex_value(upper[i]), i);
		assert_int_equal(hex_value(lower[i]), i);
	}
	for (int c = 0; c < 256; c++)
		digits += hex_value((char)c) >= 0;
	assert_int_equal(digits, 22);
}

static void
test_utf8(void **state)
{
	(void)state;
	static const struct {
		struct slice in;
		size_t len; /* 0: invalid */
		uint32_t point;
	} rows[] = {
		{TEXT("A"), 1, 'A'},
		{TEXT("\x7f"), 1, 0x7f},
		{TEXT("\xc2\x80"), 2, 0x80},
		{TEXT("\xdf\xbf"), 2, 0x7ff},
		{TEXT("\xe0\xa0\x80"), 3, 0x800},
		{TEXT("\xe1\xbb\xa9"), 3, 0x1ee9},
		{TEXT("\xed\x9f\xbf"), 3, 0xd7ff},
		{TEXT("\xee\x80\x80"), 3, 0xe000},
		{TEXT("\xef\xbf\xbf"), 3, 0xffff},
		{TEXT("\xf0\x90\x80\x80"), 4, 0x10000},
		{TEXT("\xf4\x8f\xbf\xbf"), 4, 0x10ffff},
		{TEXT(""), 0, 0},
		{TEXT("\x80"), 0, 0},
		{TEXT("\xbf"), 0, 0},
		{TEXT("\xc0\x80"), 0, 0},
		{TEXT("\xc1\xbf"), 0, 0},
		{TEXT("\xc2"), 0, 0},
		{TEXT("\xc2\x41"), 0, 0},
		{TEXT("\xe0\x9f\xbf"), 0, 0},
		{TEXT("\xe1\xbb"), 0, 0},
		{TEXT("\xe1\xbb\xc0"), 0, 0},
		{TEXT("\xed\xa0\x80"), 0, 0},
		{TEXT("\xed\xbf\xbf"), 0, 0},
		{TEXT("\xf0\x8f\xbf\xbf"), 0, 0},
		{TEXT("\xf4\x90\x80\x80"), 0, 0},
		{TEXT("\xf5\x80\x80\x80"), 0, 0},
		{TEXT("\xf8\x88\x80\x80\x80"), 0, 0},
		{TEXT("\xff"), 0, 0},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		uint32_t point = 0;
		assert_int_equal(utf8_decode(rows[i].in, &point), rows[i].len);
		assert_int_equal(point, rows[i].point);
		assert_int_equal(utf8_valid(rows[i].in), rows[i].len > 0 || rows[i].in.len == 0);
	}
	assert_true(utf8_valid(SLICE("a\xc3\xa9\xf0\x9f\x98\x80z")));
	assert_false(utf8_valid(SLICE("abc\xe1\xbb")));
}

/* Every code point there is, encoded as the table of RFC 3629 section 3 says. */
static void
test_utf8_all(void **state)
{
	(void)state;
	for (uint32_t point = 0x800; point <= 0x10ffff; point++) {
		char text[4];
		size_t len = 0;
		uint32_t got = 0;
		if (point >= 0x10000)
			text[len++] = (char)(0xf0 | point >> 18);
		text[len++] =
			(char)(point >= 0x10000 ? 0x80 | (point >> 12 & 0x3f) : 0xe0 | point >> 12);
		text[len++] = (char)(0x80 | (point >> 6 & 0x3f));
		text[len++] = (char)(0x80 | (point & 0x3f));
		bool surrogate = point >= 0xd800 && point <= 0xdfff;
		assert_int_equal(utf8_decode((struct slice){text, len}, &got), surrogate ? 0 : len);
		assert_true(surrogate || got == point);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),       cmocka_unit_test(test_decode),
		cmocka_unit_test(test_decode_room), cmocka_unit_test(test_hex),
		cmocka_unit_test(test_utf8),        cmocka_unit_test(test_utf8_all),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
