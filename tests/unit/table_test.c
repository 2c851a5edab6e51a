/* SPDX-License-Identifier: BSD-2-Clause */
/* Renderings of one table, written down by hand; and the ranges of days. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <locale.h>

#include "base/period.h"
#include "cli/range.h"
#include "cli/table.h"
#include "show/counts.h"

static const struct column series_columns[] = {{"period", WORD_DAY, COLUMN_TEXT, "Ngày"},
					       {"hits", WORD_DAY, COLUMN_BAR, "Lượt"},
					       {"complete", WORD_DAY, COLUMN_COMPLETE, "complete"},
					       {"estimate", WORD_DAY, COLUMN_ESTIMATE, "estimate"}};

static void
add_day(struct table *table, const char *name, int64_t hits, int64_t estimate)
{
	struct cell *row = table_row(table);
	cell_text(&row[0], slice_of(name));
	cell_count(&row[1], hits);
	cell_number(&row[2], estimate < 0);
	if (estimate >= 0)
		cell_number(&row[3], estimate);
}

/* A period that nobody knows, two that are over, one that runs. */
static void
fill_series(struct table *table)
{
	table_init(table, series_columns, COUNT_OF(series_columns));
	table->site = "sotttt";
	table->timezone = "Asia/Ho_Chi_Minh";
	add_day(table, "2020-05-17", COUNT_UNKNOWN, -1);
	add_day(table, "2020-05-18", 2000, -1);
	add_day(table, "2020-05-19", 1000, -1);
	add_day(table, "2020-05-20", 653, 1210);
}

static void
assert_renders(const struct table *table, enum rendering rendering, const struct look *look,
	       const char *expected)
{
	struct buf out = {0};
	table_render(&out, table, rendering, look);
	buf_add(&out, "", 1);
	assert_string_equal(out.data, expected);
	buf_release(&out);
}

static void
renders_data(void **state)
{
	(void)state;
	struct look look = {CONF_VI, 80, false};
	struct table table;
	fill_series(&table);
	assert_renders(&table, RENDER_JSON, &look,
		       "{\"schema\":1,\"site\":\"sotttt\",\"timezone\":\"Asia/Ho_Chi_Minh\","
		       "\"rows\":["
		       "{\"period\":\"2020-05-17\",\"hits\":null,\"complete\":true},"
		       "{\"period\":\"2020-05-18\",\"hits\":2000,\"complete\":true},"
		       "{\"period\":\"2020-05-19\",\"hits\":1000,\"complete\":true},"
		       "{\"period\":\"2020-05-20\",\"hits\":653,\"complete\":false,"
		       "\"estimate\":1210}]}\n");
	assert_renders(&table, RENDER_CSV, &look,
		       "period,hits,complete,estimate\r\n"
		       "2020-05-17,,true,\r\n"
		       "2020-05-18,2000,true,\r\n"
		       "2020-05-19,1000,true,\r\n"
		       "2020-05-20,653,false,1210\r\n");
	assert_renders(&table, RENDER_TSV, &look,
		       "2020-05-17\t\ttrue\t\n"
		       "2020-05-18\t2000\ttrue\t\n"
		       "2020-05-19\t1000\ttrue\t\n"
		       "2020-05-20\t653\tfalse\t1210\n");
	table_release(&table);
}

static void
quotes_what_would_break_a_row(void **state)
{
	(void)state;
	static const struct column columns[] = {{"a", WORD_DAY, COLUMN_TEXT, "a"},
						{"b", WORD_DAY, COLUMN_FLAG, "b"}};
	struct look look = {CONF_EN, 80, false};
	struct table table;
	table_init(&table, columns, 2);
	struct cell *row = table_row(&table);
	cell_text(&row[0], SLICE("x,\"y\"\tz\n"));
	cell_number(&row[1], 1);
	assert_renders(&table, RENDER_CSV, &look, "a,b\r\n\"x,\"\"y\"\"\tz\n\",true\r\n");
	assert_renders(&table, RENDER_TSV, &look, "x,\"y\" z \ttrue\n");
	assert_renders(&table, RENDER_JSON, &look,
		       "{\"schema\":1,\"rows\":[{\"a\":\"x,\\\"y\\\"\\tz\\n\",\"b\":true}]}\n");
	table_release(&table);
}

static void
renders_no_rows(void **state)
{
	(void)state;
	struct look look = {CONF_EN, 80, false};
	struct table table;
	table_init(&table, series_columns, COUNT_OF(series_columns));
	assert_renders(&table, RENDER_TSV, &look, "");
	assert_renders(&table, RENDER_JSON, &look, "{\"schema\":1,\"rows\":[]}\n");
	table_release(&table);
}

/*
 * 40 columns: 10 for the period and 2 for its mark, 5 for the hits, two gaps of 2; the longest bar has the other 19. 1000 of
 * 2000 is 9.5 of them, 653 is 6.2 or 6 and two eighths. The average is that of the two days that are over.
 */
static void
draws_bars_in_the_width_of_the_terminal(void **state)
{
	(void)state;
	struct look look = {CONF_VI, 40, false};
	struct table table;
	struct buf out = {0};
	fill_series(&table);
	render_table(&out, &table, &look);
	buf_add(&out, "", 1);
	assert_non_null(strstr(out.data, "2020-05-17        –\n"));
	assert_non_null(strstr(out.data, "2020-05-18    2.000  ███████████████████\n"));
	assert_non_null(strstr(out.data, "2020-05-19    1.000  █████████▌\n"));
	assert_non_null(strstr(out.data, "2020-05-20 *    653  ██████▎\n"));
	assert_non_null(strstr(out.data, "  3.653\n"));
	assert_non_null(strstr(out.data, "  1.500\n"));
	assert_non_null(strstr(out.data, ": 1.210\n"));
	buf_release(&out);
	look.color = true;
	render_table(&out, &table, &look);
	buf_add(&out, "", 1);
	assert_non_null(strstr(out.data, "  \033[36m█████████▌\033[0m\n"));
	buf_release(&out);
	table_release(&table);
}

/* Vietnamese takes more bytes than columns; East Asian characters take two columns each. */
static void
aligns_by_what_is_seen(void **state)
{
	(void)state;
	static const struct column columns[] = {{"a", WORD_DAY, COLUMN_TEXT, "Đường"},
						{"b", WORD_DAY, COLUMN_COUNT, "Số"}};
	static const char *const texts[] = {"/tin-tức", "/日本", "/a"};
	struct look look = {CONF_EN, 80, false};
	struct table table;
	table_init(&table, columns, 2);
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		struct cell *row = table_row(&table);
		cell_text(&row[0], slice_of(texts[i]));
		cell_number(&row[1], 1234);
	}
	assert_renders(&table, RENDER_TABLE, &look,
		       "Đường        Số\n"
		       "/tin-tức  1,234\n"
		       "/日本     1,234\n"
		       "/a        1,234\n");
	table_release(&table);
}

static void
cuts_text_that_does_not_fit(void **state)
{
	(void)state;
	static const struct column columns[] = {{"n", WORD_DAY, COLUMN_COUNT, "n"},
						{"t", WORD_DAY, COLUMN_TEXT, "t"}};
	struct look look = {CONF_EN, 20, false};
	struct table table;
	table_init(&table, columns, 2);
	struct cell *row = table_row(&table);
	cell_number(&row[0], 7);
	cell_text(&row[1], SLICE("a.example b.example c.example"));
	assert_renders(&table, RENDER_TABLE, &look, "n  t\n7  a.example b.exam…\n");
	table_release(&table);
}

static void
control_characters_never_reach_a_terminal(void **state)
{
	(void)state;
	static const struct column columns[] = {{"t", WORD_DAY, COLUMN_TEXT, "t"}};
	struct look look = {CONF_EN, 20, false};
	struct table table;
	table_init(&table, columns, 1);
	cell_text(&table_row(&table)[0], SLICE("a\033[31m\xff"));
	assert_renders(&table, RENDER_TABLE, &look, "t\na?[31m?\n");
	table_release(&table);
}

static int32_t
day(int32_t year, int month, int date)
{
	return day_of_civil((struct civil){year, month, date});
}

/* 2020-05-20 was a Wednesday of ISO week 21; February 2020 had 29 days. */
static void
reads_ranges(void **state)
{
	(void)state;
	int32_t today = day(2020, 5, 20);
	const struct {
		const char *text;
		int32_t first, last;
	} rows[] = {
		{"today", today, today},
		{"yesterday", today - 1, today - 1},
		{"1d", today, today},
		{"7d", day(2020, 5, 14), today},
		{"2020-02", day(2020, 2, 1), day(2020, 2, 29)},
		{"2020", day(2020, 1, 1), day(2020, 12, 31)},
		{"2020-W21", day(2020, 5, 18), day(2020, 5, 24)},
		{"2020-05-20", today, today},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct range range;
		if (!range_parse(slice_of(rows[i].text), today, &range))
			fail_msg("refused: %s", rows[i].text);
		assert_int_equal(range.first, rows[i].first);
		assert_int_equal(range.last, rows[i].last);
	}
	static const char *const bad[] = {
		"",         "d",       "0d",         "7",   "7dd",
		"tomorrow", "2020-13", "2020-02-30", "all", "99999999999999999999d",
		"7 d",      "-7d"};
	struct range range;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		if (range_parse(slice_of(bad[i]), today, &range))
			fail_msg("taken: %s", bad[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(renders_data),
		cmocka_unit_test(quotes_what_would_break_a_row),
		cmocka_unit_test(renders_no_rows),
		cmocka_unit_test(draws_bars_in_the_width_of_the_terminal),
		cmocka_unit_test(aligns_by_what_is_seen),
		cmocka_unit_test(cuts_text_that_does_not_fit),
		cmocka_unit_test(control_characters_never_reach_a_terminal),
		cmocka_unit_test(reads_ranges),
	};
	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
