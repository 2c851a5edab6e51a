/* SPDX-License-Identifier: BSD-2-Clause */
/* The words and number formats that users were promised, letter by letter. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "show/labels.h"

static void
assert_buf(struct buf *out, const char *expected)
{
	buf_add(out, "", 1);
	assert_string_equal(out->data, expected);
	buf_clear(out);
}

static void
titles(void **state)
{
	(void)state;
	assert_string_equal(label_title(CONF_VI), "Thống kê truy cập");
	assert_string_equal(label_title(CONF_EN), "Visitor statistics");
}

static void
rows_in_both_languages(void **state)
{
	(void)state;
	static const struct {
		const char *row, *vi, *en;
	} rows[] = {
		{"today", "Hôm nay", "Today"},     {"yesterday", "Hôm qua", "Yesterday"},
		{"week", "Tuần này", "This week"}, {"last_week", "Tuần trước", "Last week"},
		{"month", "Tháng 05", "Month 05"}, {"last_month", "Tháng trước", "Last month"},
		{"year", "Năm 2020", "Year 2020"}, {"last_year", "Năm trước", "Last year"},
		{"total", "Tổng", "Total"},        {"online", "Đang trực tuyến", "Online"},
		{"bots", "Máy tìm kiếm", "Bots"},
	};
	struct buf out = {0};
	assert_int_equal(COUNT_OF(rows), CONF_ROW_NAMES);
	for (int i = 0; i < CONF_ROW_NAMES; i++) {
		assert_string_equal(conf_row_names[i], rows[i].row);
		label_row(&out, CONF_VI, i, (struct civil){2020, 5, 20});
		assert_buf(&out, rows[i].vi);
		label_row(&out, CONF_EN, i, (struct civil){2020, 5, 20});
		assert_buf(&out, rows[i].en);
	}
	buf_release(&out);
}

static void
month_and_year_follow_the_date(void **state)
{
	(void)state;
	struct buf out = {0};
	label_row(&out, CONF_VI, SHOWN_THIS_MONTH, (struct civil){2020, 12, 31});
	assert_buf(&out, "Tháng 12");
	label_row(&out, CONF_VI, SHOWN_THIS_YEAR, (struct civil){2020, 12, 31});
	assert_buf(&out, "Năm 2020");
	label_row(&out, CONF_VI, SHOWN_THIS_MONTH, (struct civil){2021, 1, 1});
	assert_buf(&out, "Tháng 01");
	label_row(&out, CONF_EN, SHOWN_THIS_YEAR, (struct civil){2021, 1, 1});
	assert_buf(&out, "Year 2021");
	buf_release(&out);
}

static void
numbers_in_both_languages(void **state)
{
	(void)state;
	static const struct {
		int64_t value;
		const char *vi, *en;
	} rows[] = {
		{0, "0", "0"},
		{7, "7", "7"},
		{10, "10", "10"},
		{99, "99", "99"},
		{100, "100", "100"},
		{653, "653", "653"},
		{999, "999", "999"},
		{1000, "1.000", "1,000"},
		{1508, "1.508", "1,508"},
		{20571, "20.571", "20,571"},
		{167386, "167.386", "167,386"},
		{1000000, "1.000.000", "1,000,000"},
		{1002003, "1.002.003", "1,002,003"},
		{-1, "-1", "-1"},
		{-1508, "-1.508", "-1,508"},
		{INT64_MAX, "9.223.372.036.854.775.807", "9,223,372,036,854,775,807"},
		{INT64_MIN, "-9.223.372.036.854.775.808", "-9,223,372,036,854,775,808"},
	};
	struct buf out = {0};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		label_number(&out, CONF_VI, rows[i].value);
		assert_buf(&out, rows[i].vi);
		label_number(&out, CONF_EN, rows[i].value);
		assert_buf(&out, rows[i].en);
	}
	buf_release(&out);
}

/* printf is the other opinion about plain numbers; these stand in the same answers. */
static void
plain_numbers_agree_with_printf(void **state)
{
	(void)state;
	struct buf out = {0};
	char expected[32];
	unsigned short seed[3] = {1, 2, 3};
	static const int64_t ends[] = {0,        9,         10,        99,        100, 9999, 10000,
				       99999999, 100000000, INT64_MAX, INT64_MIN, -1,  -10};
	for (size_t i = 0; i < 20000; i++) {
		int64_t value = (int64_t)((uint64_t)nrand48(seed) << 33 ^ (uint64_t)nrand48(seed));
		value = i < COUNT_OF(ends) ? ends[i] : value >> (i % 64);
		snprintf(expected, sizeof(expected), "%" PRId64, value);
		buf_add_int(&out, value);
		assert_buf(&out, expected);
	}
	buf_release(&out);
}

static void
every_word_is_there_in_every_language(void **state)
{
	(void)state;
	for (int word = 0; word < LABEL_WORDS; word++)
		for (int language = 0; language < CONF_LANGUAGES; language++) {
			const char *text =
				label_word((enum conf_language)language, (enum label_word)word);
			assert_non_null(text);
			assert_true(strlen(text) > 0);
		}
	assert_string_equal(label_word(CONF_VI, WORD_HITS), "Lượt xem");
	assert_string_equal(label_word(CONF_EN, WORD_HITS), "Views");
	assert_string_equal(LABEL_UNKNOWN, "–");
}

static void
languages_by_name(void **state)
{
	(void)state;
	enum conf_language language = CONF_EN;
	assert_true(label_language(slice_of("vi"), &language));
	assert_int_equal(language, CONF_VI);
	assert_true(label_language(slice_of("en"), &language));
	assert_int_equal(language, CONF_EN);
	static const char *const bad[] = {"", "VI", "v", "vie", "fr", "en-US"};
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		assert_false(label_language(slice_of(bad[i]), &language));
	assert_int_equal(language, CONF_EN);
}

static void
countries_in_both_languages(void **state)
{
	(void)state;
	static const struct {
		const char *code, *vi, *en;
	} rows[] = {
		{"VN", "Việt Nam", "Vietnam"},
		{"US", "Hoa Kỳ", "United States"},
		{"JP", "Nhật Bản", "Japan"},
		{"KR", "Hàn Quốc", "South Korea"},
		{"CN", "Trung Quốc", "China"},
		{"DE", "Đức", "Germany"},
		{"FR", "Pháp", "France"},
		{"LA", "Lào", "Laos"},
		{"KH", "Campuchia", "Cambodia"},
		{"AD", "Andorra", "Andorra"},
		{"XK", "Kosovo", "Kosovo"},
		{"ZW", "Zimbabwe", "Zimbabwe"},
		/* What is no country's code stays what it is. */
		{"ZZ", "ZZ", "ZZ"},
		{"vn", "vn", "vn"},
		{"V", "V", "V"},
		{"VNM", "VNM", "VNM"},
		{"V[", "V[", "V["},
		{"(other)", "(other)", "(other)"},
		{"", "", ""},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct slice code = slice_of(rows[i].code);
		assert_true(slice_eq(label_country(CONF_VI, code), slice_of(rows[i].vi)));
		assert_true(slice_eq(label_country(CONF_EN, code), slice_of(rows[i].en)));
	}
	assert_null(label_country(CONF_VI, (struct slice){0}).ptr);
}

/* The list of ISO 3166 that comes with tzdata, and nothing else but XK. */
static void
exactly_the_countries_of_iso_3166(void **state)
{
	(void)state;
	FILE *list = fopen("/usr/share/zoneinfo/iso3166.tab", "r");
	char line[256], code[3];
	int listed = 0, named = 0;
	assert_non_null(list);
	while (fgets(line, sizeof(line), list)) {
		if (line[0] == '#')
			continue;
		struct slice text = {line, 2};
		for (int language = 0; language < CONF_LANGUAGES; language++)
			if (slice_eq(label_country((enum conf_language)language, text), text))
				fail_msg("%.2s has no name", line);
		listed++;
	}
	fclose(list);
	for (int i = 0; i < 26 * 26; i++) {
		snprintf(code, sizeof(code), "%c%c", 'A' + i / 26, 'A' + i % 26);
		named += !slice_eq(label_country(CONF_VI, slice_of(code)), slice_of(code));
	}
	assert_int_equal(listed, 249);
	assert_int_equal(named, listed + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(titles),
		cmocka_unit_test(rows_in_both_languages),
		cmocka_unit_test(month_and_year_follow_the_date),
		cmocka_unit_test(numbers_in_both_languages),
		cmocka_unit_test(plain_numbers_agree_with_printf),
		cmocka_unit_test(every_word_is_there_in_every_language),
		cmocka_unit_test(languages_by_name),
		cmocka_unit_test(countries_in_both_languages),
		cmocka_unit_test(exactly_the_countries_of_iso_3166),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
