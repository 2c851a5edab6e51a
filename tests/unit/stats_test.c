/* SPDX-License-Identifier: BSD-2-Clause */
/* The page of statistics by hand-made numbers, and the exchange between workers and the reader. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "show/stats_cache.h"

static char host[] = "*.portal.example", *hosts[] = {host};
static const struct conf_site portal = {
	.key = "portal",
	.key_slice = {"portal", 6},
	.hosts = hosts,
	.host_count = 1,
	.language = CONF_VI,
	.timezone = host,
	.rows = {SHOWN_TODAY},
	.row_count = 1,
	.publics = {CONF_PUBLIC_METRICS, CONF_PUBLIC_PAGES, CONF_PUBLIC_STATS},
	.public_count = 3,
};

static const struct counts numbers = {
	.numbers = {[METRIC_HITS] = {653, 1508, 5123, 9001, 20571, 31999, 167386, COUNT_UNKNOWN,
				     1371953},
		    [METRIC_VISITS] = {401, 802}},
	.online = 12,
};

/* 2020-05-20 is day 18402. */
enum { DAY = 18402, FRESH_DAY = 5 };

static struct counts_view
view_of(const struct conf_site *site)
{
	static struct date date;
	struct counts_view view;
	counts_view_init(&view, site);
	date_fill(&date, DAY);
	view.date = &date;
	view.local = (struct local_time){DAY, 14, 32, 7, 7 * 3600};
	return view;
}

static void
set_row(struct stats_row *row, const char *value, int64_t hits, bool other)
{
	row->len = (uint16_t)strlen(value);
	memcpy(row->value, value, row->len);
	row->hits = hits;
	row->other = other;
}

static struct stats *
some_stats(void)
{
	struct stats *stats = stats_new();
	stats->day = DAY;
	stats->days[STATS_THIS_MONTH][METRIC_HITS][0] = 1000;
	stats->days[STATS_THIS_MONTH][METRIC_HITS][18] = 1508;
	stats->days[STATS_THIS_MONTH][METRIC_HITS][19] = 1;
	stats->days[STATS_THIS_MONTH][METRIC_VISITS][19] = COUNT_UNKNOWN;
	stats->months[METRIC_HITS][4] = 20000;
	stats->first_year = 2019;
	stats->year_count = 2;
	stats->years[METRIC_HITS][1] = 167386;
	stats->hours[0][9] = 40;
	stats->hours[1][23] = 7;
	struct stats_table *pages = &stats->tables[STATS_PAGES];
	set_row(&pages->rows[0], "(other)", 5000, true);
	set_row(&pages->rows[1], "/<b>\"x\" &\xe2\x80\xae.exe", 2000, false);
	pages->count = 2;
	set_row(&stats->tables[STATS_COUNTRIES].rows[0], "VN", 30000, false);
	stats->tables[STATS_COUNTRIES].count = 1;
	return stats;
}

static char *
page_of(const struct counts_view *view, const struct stats *stats)
{
	struct buf out = {0};
	stats_page(&out, &(struct stats_page){.view = view,
					      .counts = &numbers,
					      .stats = stats,
					      .style = SLICE("p{}")});
	buf_add(&out, "", 1);
	return out.data;
}

static void
assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in %s", part, text);
}

static void
bars_and_their_tables(void **state)
{
	(void)state;
	struct counts_view view = view_of(&portal);
	struct stats *stats = some_stats();
	char *text = page_of(&view, stats);
	assert_has(text, "<html lang=\"vi\">");
	assert_has(text, "<title>Thống kê truy cập - portal.example</title>\n<style>p{}</style>");
	assert_has(text,
		   "<tr><th scope=\"row\">Hôm nay</th><td>653</td><td>401</td><td>0</td></tr>");
	assert_has(text, "<tr><th scope=\"row\">Năm trước</th><td>–</td>");
	assert_has(text, "<div><dt>Trực tuyến</dt><dd>12</dd></div>");
	/* Of a thousand: 1000 * 1000 / 1508 = 663, and the least is seen. */
	assert_has(text,
		   "<svg class=\"bars\" viewBox=\"0 0 310 1000\" preserveAspectRatio=\"none\" "
		   "role=\"img\" aria-label=\"Theo ngày, Tháng 05/2020\"><rect x=\"1\" "
		   "y=\"337\" width=\"8\" height=\"663\"><title>01/05/2020: 1.000</title></rect>"
		   "<rect x=\"181\" y=\"0\" width=\"8\" height=\"1000\">"
		   "<title>19/05/2020: 1.508</title></rect><rect x=\"191\" y=\"988\" width=\"8\" "
		   "height=\"12\"><title>20/05/2020: 1</title></rect></svg>");
	assert_has(text, "Cao nhất: <b>1.508</b> (19/05/2020)");
	assert_has(text,
		   "<tr><th scope=\"row\">20/05/2020</th><td>1</td><td>–</td><td>0</td></tr>\n"
		   "</tbody>");
	assert_has(text,
		   "<h2>Theo ngày <span>Tháng 04/2020</span></h2>\n<p class=\"quiet\">Chưa có "
		   "số liệu</p>");
	assert_has(text, "<tr><th scope=\"row\">Tháng 05/2020</th><td>20.000</td>");
	assert_has(text, "<tr><th scope=\"row\">2019</th><td>0</td><td>0</td><td>0</td></tr>\n<tr>"
			 "<th scope=\"row\">2020</th><td>167.386</td>");
	assert_has(text, "<tr><th scope=\"row\">09:00</th><td>40</td><td>0</td></tr>");
	assert_has(text, "<tr><th scope=\"row\">23:00</th><td>0</td><td>7</td></tr>");
	assert_has(text, "<time datetime=\"2020-05-20T14:32:07+07:00\">14:32:07 20/05/2020</time>");
	free(text);
	stats_unref(stats);
}

/* 2000 of 20000 are 10 %; what is more than the whole is the whole; what found no place comes last. */
static void
ranks_and_what_visitors_wrote(void **state)
{
	(void)state;
	struct counts_view view = view_of(&portal);
	struct stats *stats = some_stats();
	view.language = CONF_EN;
	char *text = page_of(&view, stats);
	assert_has(text,
		   "<tr><th scope=\"row\"><bdi>/&lt;b&gt;&#34;x&#34; &amp;\xef\xbf\xbd.exe</bdi>"
		   "<svg class=\"bar\" viewBox=\"0 0 1000 1\" preserveAspectRatio=\"none\" "
		   "aria-hidden=\"true\"><rect width=\"400\" height=\"1\"/></svg></th>"
		   "<td>2,000</td><td>10.0 %</td></tr>\n<tr><th scope=\"row\">(other)<svg");
	assert_has(text, "<bdi>Vietnam</bdi>");
	assert_has(text, "<td>30,000</td><td>100.0 %</td>");
	assert_has(text, "<h2>Browsers <span>Month 05/2020</span></h2>\n<p class=\"quiet\">Nothing "
			 "counted yet</p>");
	assert_has(text, "<li><a href=\"?s=portal&amp;lang=vi&amp;metric=hits\" lang=\"vi\" "
			 "hreflang=\"vi\">Tiếng Việt</a></li>");
	free(text);
	stats_unref(stats);
}

static void
what_is_not_public_is_not_shown(void **state)
{
	(void)state;
	struct conf_site site = portal;
	site.publics[0] = CONF_PUBLIC_STATS;
	site.public_count = 1;
	struct counts_view view = view_of(&site);
	struct stats *stats = some_stats();
	char *text = page_of(&view, stats);
	assert_has(text, "<tr><th scope=\"row\">Hôm nay</th><td>653</td></tr>");
	static const char *const hidden[] = {"Lượt truy cập", "Khách", "Trực tuyến", ".exe",
					     "metric=visits"};
	for (size_t i = 0; i < COUNT_OF(hidden); i++)
		assert_null(strstr(text, hidden[i]));
	free(text);
	stats_unref(stats);
	text = page_of(&view, NULL);
	assert_has(text, "<td>653</td>");
	assert_has(text, "Hiện chưa lấy được số liệu chi tiết");
	assert_null(strstr(text, "<svg"));
	free(text);
}

/* --- the exchange --- */

static enum stats_state
get(struct stats_cache *cache, const char *site, const struct stats **stats, bool *asked)
{
	return stats_cache_get(cache, slice_of(site), FRESH_DAY, stats, asked);
}

static struct stats *
of_day(int32_t day)
{
	struct stats *stats = stats_new();
	stats->day = day;
	return stats;
}

static void
asked_once_however_many_ask(void **state)
{
	(void)state;
	struct stats_cache *cache = stats_cache_new();
	struct stats_want want, other;
	const struct stats *stats;
	bool asked;
	assert_false(stats_cache_wanted(cache, &want));
	assert_int_equal(get(cache, "a", &stats, &asked), STATS_COMING);
	assert_true(asked);
	assert_null(stats);
	assert_int_equal(get(cache, "a", &stats, &asked), STATS_COMING);
	assert_false(asked);
	assert_true(stats_cache_wanted(cache, &want));
	assert_int_equal(want.day, FRESH_DAY);
	assert_memory_equal(want.site, "a", want.len);
	assert_false(stats_cache_wanted(cache, &other));
	assert_int_equal(get(cache, "a", &stats, &asked), STATS_COMING);
	stats_cache_put(cache, &want, of_day(FRESH_DAY));
	assert_int_equal(get(cache, "a", &stats, &asked), STATS_FRESH);
	assert_int_equal(stats->day, FRESH_DAY);
	/* Who has them keeps them, whatever happens to the table. */
	stats_cache_free(cache);
	assert_int_equal(stats->day, FRESH_DAY);
	stats_unref(stats);
}

static void
another_day_and_a_failure(void **state)
{
	(void)state;
	struct stats_cache *cache = stats_cache_new();
	struct stats_want want;
	const struct stats *stats;
	bool asked;
	(void)get(cache, "a", &stats, &asked);
	assert_true(stats_cache_wanted(cache, &want));
	stats_cache_put(cache, &want, of_day(FRESH_DAY - 1));
	assert_int_equal(get(cache, "a", &stats, &asked), STATS_COMING);
	assert_true(asked);
	assert_int_equal(stats->day, FRESH_DAY - 1);
	stats_unref(stats);
	assert_true(stats_cache_wanted(cache, &want));
	stats_cache_put(cache, &want, NULL);
	assert_int_equal(get(cache, "a", &stats, &asked), STATS_UNKNOWN);
	assert_false(asked);
	assert_non_null(stats);
	stats_unref(stats);
	stats_cache_free(cache);
}

/* When all places are taken by sites that are being fetched, one more is refused; else the longest unused goes. */
static void
a_limited_number_of_sites(void **state)
{
	(void)state;
	struct stats_cache *cache = stats_cache_new();
	struct stats_want wants[STATS_SITES_MAX];
	const struct stats *stats;
	char site[8];
	bool asked;
	for (int i = 0; i < STATS_SITES_MAX; i++) {
		snprintf(site, sizeof(site), "s%d", i);
		assert_int_equal(get(cache, site, &stats, &asked), STATS_COMING);
		assert_true(stats_cache_wanted(cache, &wants[i]));
	}
	assert_int_equal(get(cache, "more", &stats, &asked), STATS_UNKNOWN);
	assert_false(asked);
	for (int i = 0; i < STATS_SITES_MAX; i++)
		stats_cache_put(cache, &wants[i], of_day(FRESH_DAY));
	assert_int_equal(get(cache, "more", &stats, &asked), STATS_COMING);
	assert_true(asked);
	assert_true(stats_cache_wanted(cache, &wants[0]));
	stats_cache_put(cache, &wants[0], of_day(FRESH_DAY));
	assert_int_equal(get(cache, "more", &stats, &asked), STATS_FRESH);
	stats_unref(stats);
	stats_cache_free(cache);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bars_and_their_tables),
		cmocka_unit_test(ranks_and_what_visitors_wrote),
		cmocka_unit_test(what_is_not_public_is_not_shown),
		cmocka_unit_test(asked_once_however_many_ask),
		cmocka_unit_test(another_day_and_a_failure),
		cmocka_unit_test(a_limited_number_of_sites),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
