/* SPDX-License-Identifier: BSD-2-Clause */
/* Renderings of one table, written down by hand; and the ranges of days. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/period.h"
#include "cli/range.h"
#include "cli/ranking.h"
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
	struct look look = {CONF_VI, 80, false, true};
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
	assert_renders(
		&table, RENDER_NDJSON, &look,
		"{\"site\":\"sotttt\",\"period\":\"2020-05-17\",\"hits\":null,\"complete\":true}\n"
		"{\"site\":\"sotttt\",\"period\":\"2020-05-18\",\"hits\":2000,\"complete\":true}\n"
		"{\"site\":\"sotttt\",\"period\":\"2020-05-19\",\"hits\":1000,\"complete\":true}\n"
		"{\"site\":\"sotttt\",\"period\":\"2020-05-20\",\"hits\":653,\"complete\":false,"
		"\"estimate\":1210}\n");
	assert_renders(&table, RENDER_TSV, &look,
		       "2020-05-17\t\ttrue\t\n"
		       "2020-05-18\t2000\ttrue\t\n"
		       "2020-05-19\t1000\ttrue\t\n"
		       "2020-05-20\t653\tfalse\t1210\n");
	table_release(&table);
}

/* Of 2000, 1000 is four of the seven steps from an eighth to a whole, and 653 two. */
static void
renders_a_line_for_status_bars(void **state)
{
	(void)state;
	struct look look = {CONF_VI, 80, false, false};
	struct table table;
	fill_series(&table);
	assert_renders(&table, RENDER_ONELINE, &look, "sotttt  ·█▅▃  653 ~1.210\n");
	table_release(&table);
}

static void
renders_gauges(void **state)
{
	(void)state;
	struct look look = {CONF_VI, 80, false, false};
	struct table table;
	fill_series(&table);
	table.name = "days";
	table.site = "a\"b\\c";
	table.row_count = 2;
	assert_renders(&table, RENDER_PROM, &look,
		       "# HELP thongke_days_hits Day\n"
		       "# TYPE thongke_days_hits gauge\n"
		       "thongke_days_hits{site=\"a\\\"b\\\\c\",period=\"2020-05-18\"} 2000\n"
		       "# HELP thongke_days_complete Day\n"
		       "# TYPE thongke_days_complete gauge\n"
		       "thongke_days_complete{site=\"a\\\"b\\\\c\",period=\"2020-05-17\"} 1\n"
		       "thongke_days_complete{site=\"a\\\"b\\\\c\",period=\"2020-05-18\"} 1\n");
	table.row_count = 4;
	table_release(&table);
}

/* Two sites: their rows begin with their names, JSON's and NDJSON's too. */
static void
renders_several_sites(void **state)
{
	(void)state;
	static const struct column columns[] = {{"period", WORD_DAY, COLUMN_TEXT, "Ngày"},
						{"hits", WORD_DAY, COLUMN_BAR, "Lượt"}};
	static const struct {
		enum rendering rendering;
		const char *expected;
	} rows[] = {
		{RENDER_TSV, "a\t2020\t7\n(total)\t2020\t7\n"},
		{RENDER_CSV, "site,period,hits\r\na,2020,7\r\n(total),2020,7\r\n"},
		{RENDER_JSON,
		 "{\"schema\":1,\"rows\":[{\"site\":\"a\",\"period\":\"2020\",\"hits\":7},"
		 "{\"site\":\"(total)\",\"period\":\"2020\",\"hits\":7}]}\n"},
		{RENDER_ONELINE, "a  2020 7\nTổng  2020 7\n"},
		{RENDER_TABLE,
		 "a\n\nNgày        Lượt\n2020           7\n\nTổng           7\nTrung bình     7\n"
		 "\nTổng\n\nNgày        Lượt\n2020           7\n\nTổng           7\nTrung bình     "
		 "7\n"},
	};
	struct look look = {CONF_VI, 80, false, false};
	struct table tables[2];
	for (size_t i = 0; i < 2; i++) {
		table_init(&tables[i], columns, COUNT_OF(columns));
		tables[i].site = i ? TABLE_TOTAL : "a";
		struct cell *row = table_row(&tables[i]);
		cell_text(&row[0], SLICE("2020"));
		cell_number(&row[1], 7);
	}
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct buf out = {0};
		tables_render(&out, tables, 2, rows[i].rendering, &look);
		buf_add(&out, "", 1);
		assert_string_equal(out.data, rows[i].expected);
		buf_release(&out);
	}
	table_release(&tables[0]);
	table_release(&tables[1]);
}

static void
quotes_what_would_break_a_row(void **state)
{
	(void)state;
	static const struct column columns[] = {{"a", WORD_DAY, COLUMN_TEXT, "a"},
						{"b", WORD_DAY, COLUMN_FLAG, "b"}};
	struct look look = {CONF_EN, 80, false, true};
	struct table table;
	table_init(&table, columns, 2);
	struct cell *row = table_row(&table);
	cell_text(&row[0], SLICE("x,\"y\"\tz\n"));
	cell_number(&row[1], 1);
	assert_renders(&table, RENDER_CSV, &look, "a,b\r\n\"x,\"\"y\"\" z \",true\r\n");
	assert_renders(&table, RENDER_TSV, &look, "x,\"y\" z \ttrue\n");
	assert_renders(&table, RENDER_JSON, &look,
		       "{\"schema\":1,\"rows\":[{\"a\":\"x,\\\"y\\\"\\tz\\n\",\"b\":true}]}\n");
	table_release(&table);
}

static void
renders_no_rows(void **state)
{
	(void)state;
	struct look look = {CONF_EN, 80, false, true};
	struct table table;
	table_init(&table, series_columns, COUNT_OF(series_columns));
	assert_renders(&table, RENDER_TSV, &look, "");
	assert_renders(&table, RENDER_JSON, &look, "{\"schema\":1,\"rows\":[]}\n");
	table_release(&table);
}

/*
 * 40 columns: 10 for the period and 2 for its mark, 5 for the hits, two gaps of 2; the longest bar has the other 19. 1000 of
* 2000 is 9.5 of them, 653 is 6.2; the running day is in half-tone, by whole blocks. The average is that of the two days that are over.
 */
static void
draws_bars_in_the_width_of_the_terminal(void **state)
{
	(void)state;
	struct look look = {CONF_VI, 40, false, true};
	struct table table;
	struct buf out = {0};
	fill_series(&table);
	render_table(&out, &table, 1, &look);
	buf_add(&out, "", 1);
	assert_non_null(strstr(out.data, "2020-05-17        ·\n"));
	assert_non_null(strstr(out.data, "2020-05-18    2.000  ███████████████████\n"));
	assert_non_null(strstr(out.data, "2020-05-19    1.000  █████████▌\n"));
	assert_non_null(strstr(out.data, "2020-05-20 *    653  ▒▒▒▒▒▒\n"));
	assert_non_null(strstr(out.data, "  3.653\n"));
	assert_non_null(strstr(out.data, "  1.500\n"));
	assert_non_null(strstr(out.data, ": 1.210\n"));
	buf_release(&out);
	look.color = true;
	render_table(&out, &table, 1, &look);
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
	struct look look = {CONF_EN, 80, false, true};
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
	struct look look = {CONF_EN, 20, false, true};
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
	struct look look = {CONF_EN, 20, false, true};
	struct table table;
	table_init(&table, columns, 1);
	cell_text(&table_row(&table)[0], SLICE("a\033[31m\xff"));
	assert_renders(&table, RENDER_TABLE, &look, "t\na?[31m?\n");
	table_release(&table);
}

/*
 * ESC, NUL, C1, an override that turns text around, a tag beyond the first plane, bytes that are no UTF-8, a formula. JSON
 * escapes by hand: RFC 8259 section 7; U+E0041 is the surrogates DB40 DC41.
 */
static void
what_strangers_wrote_is_inert(void **state)
{
	(void)state;
	static const struct column columns[] = {{"t", WORD_DAY, COLUMN_TEXT, "t"}};
	const struct {
		struct slice text;
		const char *table, *tsv, *csv, *json;
	} rows[] = {
		{SLICE("\033[2J"), "?[2J", "\xef\xbf\xbd[2J", "\xef\xbf\xbd[2J", "\\u001B[2J"},
		{SLICE("a\0b"), "a?b",
		 "a\xef\xbf\xbd"
		 "b",
		 "a\xef\xbf\xbd"
		 "b",
		 "a\\u0000b"},
		{SLICE("\xc2\x9b"), "?", "\xef\xbf\xbd", "\xef\xbf\xbd", "\\u009B"},
		{SLICE("\x7f"), "?", "\xef\xbf\xbd", "\xef\xbf\xbd", "\\u007F"},
		{SLICE("\xe2\x80\xae"), "?", "\xef\xbf\xbd", "\xef\xbf\xbd", "\\u202E"},
		{SLICE("\xf3\xa0\x81\x81"), "?", "\xef\xbf\xbd", "\xef\xbf\xbd", "\\uDB40\\uDC41"},
		{SLICE("\xff"), "?", "\xef\xbf\xbd", "\xef\xbf\xbd", "\xef\xbf\xbd"},
		{SLICE("=1"), "=1", "=1", "'=1", "=1"},
		{SLICE(" \t@a"), " ?@a", "  @a", "'  @a", " \\t@a"},
		{SLICE("\xef\xbc\x8d"
		       "1"),
		 "\xef\xbc\x8d"
		 "1",
		 "\xef\xbc\x8d"
		 "1",
		 "'\xef\xbc\x8d"
		 "1",
		 "\xef\xbc\x8d"
		 "1"},
		{SLICE("/\xe1\xbb\xa9-1"), "/\xe1\xbb\xa9-1", "/\xe1\xbb\xa9-1", "/\xe1\xbb\xa9-1",
		 "/\xe1\xbb\xa9-1"},
	};
	struct look look = {CONF_EN, 20, false, true};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct table table;
		char expected[128];
		table_init(&table, columns, 1);
		cell_text(&table_row(&table)[0], rows[i].text);
		snprintf(expected, sizeof(expected), "t\n%s\n", rows[i].table);
		assert_renders(&table, RENDER_TABLE, &look, expected);
		snprintf(expected, sizeof(expected), "%s\n", rows[i].tsv);
		assert_renders(&table, RENDER_TSV, &look, expected);
		snprintf(expected, sizeof(expected), "t\r\n%s\r\n", rows[i].csv);
		assert_renders(&table, RENDER_CSV, &look, expected);
		snprintf(expected, sizeof(expected), "{\"schema\":1,\"rows\":[{\"t\":\"%s\"}]}\n",
			 rows[i].json);
		assert_renders(&table, RENDER_JSON, &look, expected);
		snprintf(expected, sizeof(expected), "{\"t\":\"%s\"}\n", rows[i].json);
		assert_renders(&table, RENDER_NDJSON, &look, expected);
		snprintf(expected, sizeof(expected), "%s\n", rows[i].table);
		assert_renders(&table, RENDER_ONELINE, &look, expected);
		table.name = "x";
		snprintf(expected, sizeof(expected),
			 "# TYPE thongke_x_info gauge\nthongke_x_info{t=\"%s\"} 1\n", rows[i].tsv);
		assert_renders(&table, RENDER_PROM, &look, expected);
		table_release(&table);
	}
}

/* 3, 2 and 1 of 8: 37.5, 25 and 12.5 %; the whole is more than what is shown. 24 columns leave no room for a bar. */
static void
shares_are_of_the_whole(void **state)
{
	(void)state;
	static const struct column columns[] = {{"value", WORD_DAY, COLUMN_TEXT, "v"},
						{"hits", WORD_DAY, COLUMN_BAR, "n"},
						{"share", WORD_DAY, COLUMN_SHARE, "s"}};
	static const int64_t shares[] = {3750, 2500, 1250};
	static const char *const names[] = {"VN", "b", "c"};
	struct look look = {CONF_VI, 24, false, true};
	struct table table;
	table_init(&table, columns, COUNT_OF(columns));
	table.has_whole = true;
	table.whole = 8;
	table.dimension = "countries";
	period_name(PERIOD_DAY, day_of_civil((struct civil){2020, 5, 1}), table.from);
	period_name(PERIOD_DAY, day_of_civil((struct civil){2020, 5, 20}), table.to);
	for (size_t i = 0; i < COUNT_OF(shares); i++) {
		struct cell *row = table_row(&table);
		cell_text(&row[0], slice_of(names[i]));
		cell_number(&row[1], (int64_t)(3 - i));
		cell_number(&row[2], shares[i]);
	}
	cell_shown(&table.cells[0], SLICE("Việt Nam"));
	assert_renders(&table, RENDER_TABLE, &look,
		       "  2020-05-01 – 2020-05-20\n\n"
		       "v           n       s\n"
		       "Việt Nam    3  37,5 %\n"
		       "b           2  25,0 %\n"
		       "c           1  12,5 %\n"
		       "\n"
		       "Tổng        8\n");
	assert_renders(&table, RENDER_TSV, &look, "VN\t3\t0.375\nb\t2\t0.25\nc\t1\t0.125\n");
	assert_renders(&table, RENDER_JSON, &look,
		       "{\"schema\":1,\"dimension\":\"countries\",\"from\":\"2020-05-01\","
		       "\"to\":\"2020-05-20\",\"rows\":["
		       "{\"value\":\"VN\",\"hits\":3,\"share\":0.375},"
		       "{\"value\":\"b\",\"hits\":2,\"share\":0.25},"
		       "{\"value\":\"c\",\"hits\":1,\"share\":0.125}]}\n");
	table_release(&table);
}

static void
ranks_sums_of_many_tables(void **state)
{
	(void)state;
	struct ranking *ranking = ranking_new();
	char name[16];
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < 3000; i++) {
			int len = snprintf(name, sizeof(name), "/%d", i);
			ranking_add(ranking, (struct slice){name, (size_t)len}, i % 7 + 1);
		}
	ranking_add(ranking, SLICE("(other)"), 100000);
	ranking_add(ranking, SLICE("/6"), 1);
	size_t count;
	const struct ranked *ranked = ranking_sort(ranking, &count);
	assert_int_equal(count, 3001);
	/* 428 times 1 to 7, then 1 to 4 once, twice over. */
	assert_int_equal(ranking_sum(ranking), 2 * (428 * 28 + 10) + 100000 + 1);
	assert_true(slice_eq(ranked[0].value, SLICE("/6")) && ranked[0].hits == 15);
	assert_true(slice_eq(ranked[1].value, SLICE("/1000")) && ranked[1].hits == 14);
	assert_true(slice_eq(ranked[3000].value, SLICE("(other)")));
	for (size_t i = 1; i < 2999; i++)
		assert_true(ranked[i].hits >= ranked[i + 1].hits);
	ranking_free(ranking);
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
		cmocka_unit_test(renders_a_line_for_status_bars),
		cmocka_unit_test(renders_gauges),
		cmocka_unit_test(renders_several_sites),
		cmocka_unit_test(quotes_what_would_break_a_row),
		cmocka_unit_test(renders_no_rows),
		cmocka_unit_test(draws_bars_in_the_width_of_the_terminal),
		cmocka_unit_test(aligns_by_what_is_seen),
		cmocka_unit_test(cuts_text_that_does_not_fit),
		cmocka_unit_test(control_characters_never_reach_a_terminal),
		cmocka_unit_test(what_strangers_wrote_is_inert),
		cmocka_unit_test(shares_are_of_the_whole),
		cmocka_unit_test(ranks_sums_of_many_tables),
		cmocka_unit_test(reads_ranges),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
