/* SPDX-License-Identifier: BSD-2-Clause */
/* The columns that characters take, held against the C library's wcwidth in a UTF-8 locale; and text made to fit. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <locale.h>
#include <wchar.h>

#include "base/inert.h"
#include "cli/width.h"

/*
 * Where the two differ, neither is wrong: what is not assigned, what is not seen at all, vowels of Hangul written alone. A
 * C library of another Unicode version knows other new characters, so a few may differ.
 */
static void
agrees_with_the_c_library(void **state)
{
	(void)state;
	enum { FEW = 400 };
	int differ = 0, known = 0;
	assert_non_null(setlocale(LC_CTYPE, "C.UTF-8"));
	for (uint32_t code = 0x20; code < 0x110000; code++) {
		int width = wcwidth((wchar_t)code);
		if (width < 0 || inert_acts(code))
			continue;
		known++;
		differ += width_of(code) != width;
	}
	setlocale(LC_CTYPE, "C");
	assert_true(known > 100000);
	if (differ > FEW)
		fail_msg("%d of %d characters have another width", differ, known);
}

/* In the C locale: Vietnamese composed and decomposed, wide characters, what acts. */
static void
counts_columns_in_the_c_locale(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int width;
	} rows[] = {
		{"", 0},          {"abc", 3},
		{"Lượt xem", 8},  {"Lươ\xcc\xa3t", 4},
		{"日本", 4},      {"\xf0\x9f\x98\x80", 2},
		{"\033[m", 3},    {"\xff", 1},
		{"e\xcc\x81", 1}, {"·–▒█", 4},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(width_text(slice_of(rows[i].text)), rows[i].width);
}

static void
assert_clipped(const char *text, int room, const char *expected)
{
	struct buf out = {0};
	width_add_clipped(&out, slice_of(text), room);
	buf_add(&out, "", 1);
	assert_string_equal(out.data, expected);
	buf_release(&out);
}

/* A wide character that does not fit whole is not there; a mark stays with what it stands on. */
static void
clips_by_columns(void **state)
{
	(void)state;
	assert_clipped("abcdef", 6, "abcdef");
	assert_clipped("abcdef", 5, "abcd…");
	assert_clipped("日本語", 5, "日本…");
	assert_clipped("日本語", 4, "日…");
	assert_clipped("ae\xcc\x81xx", 3, "ae\xcc\x81…");
	assert_clipped("a\033b", 3, "a?b");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(agrees_with_the_c_library),
		cmocka_unit_test(counts_columns_in_the_c_locale),
		cmocka_unit_test(clips_by_columns),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
