/* SPDX-License-Identifier: BSD-2-Clause */
/* The answers as users were promised them, byte by byte, and read again by a JSON parser that is not ours. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <jansson.h>

#include "show/counts.h"

static const struct conf_site portal = {
	.key = "sotttt",
	.key_slice = {"sotttt", 6},
	.language = CONF_VI,
	.rows = {SHOWN_TODAY, SHOWN_YESTERDAY, SHOWN_THIS_MONTH, SHOWN_THIS_YEAR},
	.row_count = 4,
	.publics = {CONF_PUBLIC_METRICS, CONF_PUBLIC_PAGES},
	.public_count = 2,
};

static const struct counts numbers = {
	.numbers = {[METRIC_HITS] = {653, 1508, 5123, 9001, 20571, 31999, 167386, 1204567, 1371953},
		    [METRIC_VISITS] = {401, 802, 3003, 4004, 10005, 16006, 80007, 600008, 680009},
		    [METRIC_VISITORS] = {377, 754, 2003, 3004, 9005, 15006, 70007, 500008, 570009}},
	.online = 12,
	.bots = 2345,
};

static const struct page_counts unknown_page = {COUNT_UNKNOWN, COUNT_UNKNOWN, COUNT_UNKNOWN,
						COUNT_UNKNOWN};

/* 2020-05-20T14:32:07+07:00: day 18402 by `date -u -d 2020-05-20 +%s` / 86400. */
static struct counts_view
view_of_portal(void)
{
	static struct date date;
	struct counts_view view;
	counts_view_init(&view, &portal);
	date_fill(&date, 18402);
	view.utc = 1589959927;
	view.local = (struct local_time){18402, 14, 32, 7, 7 * 3600};
	view.date = &date;
	view.page_counts = unknown_page;
	return view;
}

static char *
json_of(const struct counts_view *view, const struct counts *counts)
{
	struct buf out = {0};
	counts_json(&out, view, counts);
	char *text = xstrndup(out.data, out.len);
	assert_int_equal(strlen(text), out.len);
	buf_release(&out);
	return text;
}

static void
assert_json(const struct counts_view *view, const struct counts *counts, const char *expected)
{
	char *text = json_of(view, counts);
	assert_string_equal(text, expected);
	free(text);
}

static void
assert_text(const struct counts_view *view, const struct counts *counts, const char *expected)
{
	struct buf out = {0};
	counts_text(&out, view, counts);
	buf_add(&out, "", 1);
	assert_string_equal(out.data, expected);
	buf_release(&out);
}

static json_t *
parsed(const struct counts_view *view, const struct counts *counts)
{
	char *text = json_of(view, counts);
	json_error_t error;
	json_t *root = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		fail_msg("no JSON: %s in %s", error.text, text);
	free(text);
	return root;
}

/* NULL: no such wish. */
static bool
choose(struct counts_view *view, const char *rows, const char *language, const char *title)
{
	struct counts_wishes wishes = {
		.rows = slice_of(rows), .language = slice_of(language), .title = slice_of(title)};
	return counts_view_choose(view, &wishes);
}

static void
a_hit(void **state)
{
	(void)state;
	struct counts_view view = view_of_portal();
	view.counted = COUNTS_COUNTED;
	view.page = SLICE("/tin-tuc");
	view.page_counts = (struct page_counts){31, 4159, 26, COUNT_UNKNOWN};
	assert_json(
		&view, &numbers,
		"{\"site\":\"sotttt\",\"time\":\"2020-05-20T14:32:07+07:00\","
		"\"date\":\"2020-05-20\",\"counted\":true,"
		"\"hits\":{\"today\":653,\"yesterday\":1508,\"week\":5123,\"last_week\":9001,"
		"\"month\":20571,\"last_month\":31999,\"year\":167386,\"last_year\":1204567,"
		"\"total\":1371953},"
		"\"visits\":{\"today\":401,\"yesterday\":802,\"week\":3003,\"last_week\":4004,"
		"\"month\":10005,\"last_month\":16006,\"year\":80007,\"last_year\":600008,"
		"\"total\":680009},"
		"\"visitors\":{\"today\":377,\"yesterday\":754,\"week\":2003,\"last_week\":3004,"
		"\"month\":9005,\"last_month\":15006,\"year\":70007,\"last_year\":500008,"
		"\"total\":570009},\"online\":12,"
		"\"page\":{\"path\":\"/tin-tuc\",\"hits\":{\"today\":31,\"total\":4159},"
		"\"visits\":{\"today\":26,\"total\":null}},\"age\":0,\"lang\":\"vi\","
		"\"title\":\"Thống kê truy cập\",\"rows\":["
		"{\"row\":\"today\",\"label\":\"Hôm nay\",\"value\":653,\"text\":\"653\"},"
		"{\"row\":\"yesterday\",\"label\":\"Hôm qua\",\"value\":1508,\"text\":\"1.508\"},"
		"{\"row\":\"month\",\"label\":\"Tháng 05\",\"value\":20571,\"text\":\"20.571\"},"
		"{\"row\":\"year\",\"label\":\"Năm 2020\",\"value\":167386,"
		"\"text\":\"167.386\"}]}");
}

static void
the_footer_of_a_portal(void **state)
{
	(void)state;
	struct counts_view view = view_of_portal();
	assert_text(&view, &numbers,
		    "Thống kê truy cập\n"
		    "Hôm nay : 653\n"
		    "Hôm qua : 1.508\n"
		    "Tháng 05 : 20.571\n"
		    "Năm 2020 : 167.386\n");
	view.title = false;
	assert_text(&view, &numbers,
		    "Hôm nay : 653\n"
		    "Hôm qua : 1.508\n"
		    "Tháng 05 : 20.571\n"
		    "Năm 2020 : 167.386\n");
	view.language = CONF_EN;
	view.title = true;
	assert_text(&view, &numbers,
		    "Visitor statistics\n"
		    "Today : 653\n"
		    "Yesterday : 1,508\n"
		    "Month 05 : 20,571\n"
		    "Year 2020 : 167,386\n");
}

static void
reading_and_refusal(void **state)
{
	(void)state;
	struct counts_view view = view_of_portal();
	json_t *root = parsed(&view, &numbers);
	assert_null(json_object_get(root, "counted"));
	assert_null(json_object_get(root, "reason"));
	assert_true(json_is_null(json_object_get(root, "page")));
	json_decref(root);
	view.counted = COUNTS_REFUSED;
	view.reason = "duplicate";
	root = parsed(&view, &numbers);
	assert_true(json_is_false(json_object_get(root, "counted")));
	assert_string_equal(json_string_value(json_object_get(root, "reason")), "duplicate");
	json_decref(root);
}

static void
unknown_is_null_and_a_dash(void **state)
{
	(void)state;
	struct counts_view view = view_of_portal();
	struct counts unknown = {.online = COUNT_UNKNOWN, .bots = COUNT_UNKNOWN, .age = 86400};
	memset(unknown.numbers, COUNT_UNKNOWN, sizeof(unknown.numbers));
	assert_true(choose(&view, "today,online,bots", "en", "0"));
	assert_json(&view, &unknown,
		    "{\"site\":\"sotttt\",\"time\":\"2020-05-20T14:32:07+07:00\","
		    "\"date\":\"2020-05-20\","
		    "\"hits\":{\"today\":null,\"yesterday\":null,\"week\":null,\"last_week\":null,"
		    "\"month\":null,\"last_month\":null,\"year\":null,\"last_year\":null,"
		    "\"total\":null},"
		    "\"visits\":{\"today\":null,\"yesterday\":null,\"week\":null,"
		    "\"last_week\":null,\"month\":null,\"last_month\":null,\"year\":null,"
		    "\"last_year\":null,\"total\":null},"
		    "\"visitors\":{\"today\":null,\"yesterday\":null,\"week\":null,"
		    "\"last_week\":null,\"month\":null,\"last_month\":null,\"year\":null,"
		    "\"last_year\":null,\"total\":null},\"online\":null,"
		    "\"page\":null,\"age\":86400,\"lang\":\"en\",\"rows\":["
		    "{\"row\":\"today\",\"label\":\"Today\",\"value\":null,\"text\":\"–\"},"
		    "{\"row\":\"online\",\"label\":\"Online\",\"value\":null,\"text\":\"–\"},"
		    "{\"row\":\"bots\",\"label\":\"Bots\",\"value\":null,\"text\":\"–\"}]}");
	assert_text(&view, &unknown, "Today : –\nOnline : –\nBots : –\n");
	unknown.numbers[METRIC_HITS][SHOWN_TODAY] = 0;
	assert_text(&view, &unknown, "Today : 0\nOnline : –\nBots : –\n");
}

static void
every_row_in_any_order(void **state)
{
	(void)state;
	struct counts_view view = view_of_portal();
	assert_true(choose(&view,
			   "total,last_year,year,last_month,month,last_week,week,"
			   "yesterday,today,online,bots",
			   NULL, NULL));
	json_t *root = parsed(&view, &numbers);
	json_t *rows = json_object_get(root, "rows"), *hits = json_object_get(root, "hits");
	assert_int_equal(json_array_size(rows), 11);
	assert_int_equal(json_object_size(hits), 9);
	for (size_t i = 0; i < 9; i++) {
		json_t *row = json_array_get(rows, i);
		const char *name = json_string_value(json_object_get(row, "row"));
		assert_non_null(name);
		assert_int_equal(json_integer_value(json_object_get(row, "value")),
				 numbers.numbers[METRIC_HITS][8 - i]);
		assert_int_equal(json_integer_value(json_object_get(hits, name)),
				 numbers.numbers[METRIC_HITS][8 - i]);
	}
	json_decref(root);
	assert_text(&view, &numbers,
		    "Thống kê truy cập\nTổng : 1.371.953\nNăm trước : 1.204.567\n"
		    "Năm 2020 : 167.386\nTháng trước : 31.999\nTháng 05 : 20.571\n"
		    "Tuần trước : 9.001\nTuần này : 5.123\nHôm qua : 1.508\nHôm nay : 653\n"
		    "Đang trực tuyến : 12\nMáy tìm kiếm : 2.345\n");
}

/* The rows are of one metric; online and bots are what they are. */
static void
rows_of_a_metric(void **state)
{
	(void)state;
	struct counts_view view = view_of_portal();
	struct counts_wishes wishes = {.rows = SLICE("today,total,online,bots"),
				       .metric = SLICE("visits")};
	assert_true(counts_view_choose(&view, &wishes));
	view.title = false;
	assert_text(&view, &numbers,
		    "Hôm nay : 401\nTổng : 680.009\nĐang trực tuyến : 12\nMáy tìm kiếm : 2.345\n");
	wishes.metric = SLICE("visitors");
	assert_true(counts_view_choose(&view, &wishes));
	assert_int_equal(counts_row(&view, &numbers, SHOWN_YESTERDAY), 754);
	wishes.metric = SLICE("hits");
	assert_true(counts_view_choose(&view, &wishes));
	assert_int_equal(counts_row(&view, &numbers, SHOWN_YESTERDAY), 1508);
	static const char *const bad[] = {"", "bots", "Hits", "hit", "hits,visits"};
	for (size_t i = 0; i < COUNT_OF(bad); i++) {
		wishes.metric = slice_of(bad[i]);
		assert_false(counts_view_choose(&view, &wishes));
	}
}

/* The look is checked whatever the form, so that a mistake shows at once. */
static void
looks(void **state)
{
	(void)state;
	static const struct {
		const char *style, *width, *color;
		bool allowed;
		struct counts_look look;
	} rows[] = {
		{"plain", NULL, NULL, true, {COUNTS_PLAIN, 0, false, 0}},
		{"badge", "40", "#1b5e9b", true, {COUNTS_BADGE, 40, true, 0x1b5e9b}},
		{"panel", "2000", "fA3", true, {COUNTS_PANEL, 2000, true, 0xffaa33}},
		{NULL, "0320", "000", true, {COUNTS_PLAIN, 320, true, 0}},
		{"", NULL, NULL, false, {0}},
		{"Panel", NULL, NULL, false, {0}},
		{NULL, "", NULL, false, {0}},
		{NULL, "39", NULL, false, {0}},
		{NULL, "2001", NULL, false, {0}},
		{NULL, "4294967396", NULL, false, {0}},
		{NULL, "100px", NULL, false, {0}},
		{NULL, "-100", NULL, false, {0}},
		{NULL, NULL, "", false, {0}},
		{NULL, NULL, "#", false, {0}},
		{NULL, NULL, "red", false, {0}},
		{NULL, NULL, "ffff", false, {0}},
		{NULL, NULL, "##fff", false, {0}},
		{NULL, NULL, "1b5e9b0", false, {0}},
		{NULL, NULL, "12345g", false, {0}},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct counts_view view = view_of_portal();
		const struct counts_wishes wishes = {.style = slice_of(rows[i].style),
						     .width = slice_of(rows[i].width),
						     .color = slice_of(rows[i].color)};
		assert_int_equal(counts_view_choose(&view, &wishes), rows[i].allowed);
		if (!rows[i].allowed)
			continue;
		assert_int_equal(view.look.style, rows[i].look.style);
		assert_int_equal(view.look.width, rows[i].look.width);
		assert_int_equal(view.look.colored, rows[i].look.colored);
		assert_int_equal(view.look.color, rows[i].look.color);
	}
}

/* What a site does not publish is not in an answer, and cannot be wished for. */
static void
only_what_is_public(void **state)
{
	(void)state;
	struct conf_site site = portal;
	struct counts_view view = view_of_portal(), all = view;
	const struct counts_wishes visits = {.metric = SLICE("visits")},
				   hits = {.metric = SLICE("hits")};
	site.public_count = 0;
	counts_view_init(&view, &site);
	view.local = all.local;
	view.date = all.date;
	view.page = SLICE("/a");
	view.page_counts = (struct page_counts){1, 2, 3, 4};
	json_t *root = parsed(&view, &numbers);
	static const char *const hidden[] = {"hits", "visits", "visitors", "online", "bots"};
	for (size_t i = 0; i < COUNT_OF(hidden); i++)
		assert_null(json_object_get(root, hidden[i]));
	assert_int_equal(json_object_size(json_object_get(root, "page")), 1);
	assert_int_equal(json_array_size(json_object_get(root, "rows")), 4);
	json_decref(root);
	assert_false(counts_view_choose(&view, &visits));
	assert_true(counts_view_choose(&view, &hits));
	site.metric = METRIC_VISITS;
	counts_view_init(&view, &site);
	assert_true(counts_view_choose(&view, &visits));
	assert_false(counts_view_choose(&view, &hits));
}

/* In the order asked; an empty list where none of those asked for could be a page. */
static void
pages_that_were_asked_for(void **state)
{
	(void)state;
	static const struct page_shown asked[] = {{{"/b", 2}, {5, 60, 7, 80}},
						  {{"/a", 2}, {0, 1, 0, 1}}};
	struct counts_view view = view_of_portal();
	view.asked = asked;
	view.asked_count = 2;
	char *text = json_of(&view, &numbers);
	assert_non_null(strstr(text, "\"page\":null,\"pages\":["
				     "{\"path\":\"/b\",\"hits\":{\"today\":5,\"total\":60},"
				     "\"visits\":{\"today\":7,\"total\":80}},"
				     "{\"path\":\"/a\",\"hits\":{\"today\":0,\"total\":1},"
				     "\"visits\":{\"today\":0,\"total\":1}}],\"age\":0"));
	free(text);
	view.asked_count = 0;
	text = json_of(&view, &numbers);
	assert_non_null(strstr(text, "\"page\":null,\"pages\":[],"));
	free(text);
}

static void
hard_paths_stay_inert(void **state)
{
	(void)state;
	struct counts_view view = view_of_portal();
	view.page = SLICE("/a\"b\\c</script>/ti\xe1\xba\xbfng-vi\xe1\xbb\x87t");
	char *text = json_of(&view, &numbers);
	assert_null(strstr(text, "</script"));
	free(text);
	json_t *root = parsed(&view, &numbers);
	json_t *path = json_object_get(json_object_get(root, "page"), "path");
	assert_string_equal(json_string_value(path), "/a\"b\\c</script>/tiếng-việt");
	json_decref(root);
}

/* The room that each part reserves, with the longest of everything, in a buffer that has none to spare. */
static void
the_largest_answer(void **state)
{
	(void)state;
	static struct page_shown asked[50];
	char key[CONF_SITE_KEY_MAX + 1], page[512];
	memset(key, 'k', sizeof(key));
	key[sizeof(key) - 1] = '\0';
	memset(page, '"', sizeof(page));
	struct conf_site site = portal;
	site.key_slice = slice_of(key);
	site.row_count = CONF_ROWS_MAX;
	for (int i = 0; i < CONF_ROWS_MAX; i++)
		site.rows[i] = SHOWN_LAST_MONTH;
	struct counts most = {.online = INT64_MAX, .bots = INT64_MAX, .age = INT64_MAX};
	for (int i = 0; i < SHOWN_PERIODS; i++)
		for (int metric = 0; metric < METRIC_COUNT; metric++)
			most.numbers[metric][i] = INT64_MAX;
	struct counts_view view = view_of_portal();
	const struct date *date = view.date;
	counts_view_init(&view, &site);
	view.date = date;
	view.local = (struct local_time){18402, 23, 59, 59, -12 * 3600};
	view.page = (struct slice){page, sizeof(page)};
	view.page_counts = (struct page_counts){INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX};
	for (size_t i = 0; i < COUNT_OF(asked); i++)
		asked[i] = (struct page_shown){view.page, view.page_counts};
	view.asked = asked;
	view.asked_count = COUNT_OF(asked);
	view.counted = COUNTS_REFUSED;
	view.reason = "duplicate";
	json_t *root = parsed(&view, &most);
	assert_int_equal(json_array_size(json_object_get(root, "rows")), CONF_ROWS_MAX);
	assert_string_equal(json_string_value(json_object_get(root, "site")), key);
	assert_true(json_integer_value(json_object_get(root, "age")) == INT64_MAX);
	assert_int_equal(json_array_size(json_object_get(root, "pages")), 50);
	json_decref(root);
	view.row_count = 0;
	root = parsed(&view, &most);
	assert_int_equal(json_array_size(json_object_get(root, "rows")), 0);
	json_decref(root);
}

static void
times_carry_the_offset(void **state)
{
	(void)state;
	static const struct {
		struct local_time local;
		const char *time;
	} rows[] = {
		{{18402, 7, 32, 7, 0}, "2020-05-20T07:32:07+00:00"},
		{{18402, 0, 0, 0, 5 * 3600 + 45 * 60}, "2020-05-20T00:00:00+05:45"},
		{{18402, 23, 59, 59, -(3 * 3600 + 30 * 60)}, "2020-05-20T23:59:59-03:30"},
		{{18402, 1, 2, 3, 14 * 3600}, "2020-05-20T01:02:03+14:00"},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		struct counts_view view = view_of_portal();
		view.local = rows[i].local;
		json_t *root = parsed(&view, &numbers);
		assert_string_equal(json_string_value(json_object_get(root, "time")), rows[i].time);
		assert_string_equal(json_string_value(json_object_get(root, "date")), "2020-05-20");
		json_decref(root);
	}
}

static void
wishes(void **state)
{
	(void)state;
	static const struct {
		const char *rows, *language, *title; /* NULL: absent */
		bool allowed;
	} asked[] = {
		{NULL, NULL, NULL, true},
		{"today", "vi", "1", true},
		{"online,today", "en", "0", true},
		{"today,today", NULL, NULL, true},
		{"", NULL, NULL, false},
		{",", NULL, NULL, false},
		{"today,", NULL, NULL, false},
		{",today", NULL, NULL, false},
		{"today,,month", NULL, NULL, false},
		{"Today", NULL, NULL, false},
		{"today month", NULL, NULL, false},
		{"hits", NULL, NULL, false},
		{"toda", NULL, NULL, false},
		{NULL, "", NULL, false},
		{NULL, "fr", NULL, false},
		{NULL, NULL, "", false},
		{NULL, NULL, "2", false},
		{NULL, NULL, "true", false},
	};
	for (size_t i = 0; i < COUNT_OF(asked); i++) {
		struct counts_view view = view_of_portal();
		bool allowed = choose(&view, asked[i].rows, asked[i].language, asked[i].title);
		if (allowed != asked[i].allowed)
			fail_msg("wishes %zu are %s", i, allowed ? "allowed" : "refused");
	}
}

static void
no_more_rows_than_there_is_room_for(void **state)
{
	(void)state;
	struct buf names = {0};
	for (int i = 0; i < CONF_ROWS_MAX; i++)
		buf_add_slice(&names, slice_of(i ? ",total" : "total"));
	struct counts_view view = view_of_portal();
	struct counts_wishes names_only = {.rows = buf_slice(&names)};
	assert_true(counts_view_choose(&view, &names_only));
	assert_int_equal(view.row_count, CONF_ROWS_MAX);
	buf_add_literal(&names, ",total");
	names_only.rows = buf_slice(&names);
	view = view_of_portal();
	assert_false(counts_view_choose(&view, &names_only));
	assert_int_equal(view.row_count, 4);
	buf_release(&names);
}

static void
absent_wishes_change_nothing(void **state)
{
	(void)state;
	struct counts_view view = view_of_portal();
	assert_true(choose(&view, NULL, NULL, NULL));
	assert_int_equal(view.row_count, 4);
	assert_int_equal(view.language, CONF_VI);
	assert_true(view.title);
	assert_true(choose(&view, NULL, NULL, "0"));
	assert_false(view.title);
	assert_true(choose(&view, NULL, NULL, "1"));
	assert_true(view.title);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hit),
		cmocka_unit_test(the_footer_of_a_portal),
		cmocka_unit_test(reading_and_refusal),
		cmocka_unit_test(unknown_is_null_and_a_dash),
		cmocka_unit_test(every_row_in_any_order),
		cmocka_unit_test(rows_of_a_metric),
		cmocka_unit_test(looks),
		cmocka_unit_test(only_what_is_public),
		cmocka_unit_test(pages_that_were_asked_for),
		cmocka_unit_test(hard_paths_stay_inert),
		cmocka_unit_test(the_largest_answer),
		cmocka_unit_test(times_carry_the_offset),
		cmocka_unit_test(wishes),
		cmocka_unit_test(no_more_rows_than_there_is_room_for),
		cmocka_unit_test(absent_wishes_change_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
