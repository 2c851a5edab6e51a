/* SPDX-License-Identifier: BSD-2-Clause */
/* The page of statistics, from top to bottom. Figures are the board's, as every counter has them; the rest is Redis'. */
#include "show/chart.h"
#include "show/labels.h"

/* Of the metrics that may be shown, in a page whose bars are of one of them. */
struct drawing {
	struct buf *out;
	const struct stats_page *page;
	const struct counts_view *view;
	enum conf_language language;
	enum metric metrics[METRIC_COUNT];
	size_t metric_count;
};

static const enum label_word metric_words[METRIC_COUNT] = {
	[METRIC_HITS] = WORD_HITS,
	[METRIC_VISITS] = WORD_VISITS,
	[METRIC_VISITORS] = WORD_VISITORS,
};

static void
add_word(const struct drawing *drawing, enum label_word word)
{
	buf_add_xml(drawing->out, slice_of(label_word(drawing->language, word)));
}

/* --- names of periods --- */

static void
name_day(struct buf *out, const struct chart *chart, size_t index, bool brief)
{
	if (brief)
		buf_add_int(out, (int64_t)index + 1);
	else
		label_date(out, chart->language, civil_of_day(chart->first + (int32_t)index));
}

static void
name_month(struct buf *out, const struct chart *chart, size_t index, bool brief)
{
	int32_t day = period_first_day(PERIOD_MONTH, chart->first + (int32_t)index);
	if (brief)
		buf_addf(out, "%02zu", index + 1);
	else
		label_month(out, chart->language, civil_of_day(day));
}

static void
name_year(struct buf *out, const struct chart *chart, size_t index, bool brief)
{
	(void)brief;
	buf_addf(out, "%04d", (int)chart->first + (int)index);
}

static void
name_hour(struct buf *out, const struct chart *chart, size_t index, bool brief)
{
	(void)chart;
	buf_addf(out, brief ? "%02zu" : "%02zu:00", index);
}

/* --- the head --- */

/* The first host that is a name, as the site's readers know it. */
static struct slice
site_name(const struct conf_site *site)
{
	struct slice name = slice_of(site->host_count > 0 ? site->hosts[0] : "*");
	if (slice_eq(name, SLICE("*")))
		return site->key_slice;
	if (name.len > 2 && memcmp(name.ptr, "*.", 2) == 0)
		name = (struct slice){name.ptr + 2, name.len - 2};
	return name;
}

static void
add_link(const struct drawing *drawing, enum conf_language language, enum metric metric,
	 const char *text, bool current)
{
	struct buf *out = drawing->out;
	struct slice name = label_language_name(language);
	buf_add_literal(out, "<li><a href=\"?s=");
	buf_add_xml(out, drawing->view->site->key_slice);
	buf_addf(out, "&amp;lang=%.*s&amp;metric=%s\"", SLICE_ARG(name), metric_names[metric]);
	if (language != drawing->language)
		buf_addf(out, " lang=\"%.*s\" hreflang=\"%.*s\"", SLICE_ARG(name), SLICE_ARG(name));
	if (current)
		buf_add_literal(out, " aria-current=\"true\"");
	buf_add_literal(out, ">");
	buf_add_xml(out, slice_of(text));
	buf_add_literal(out, "</a></li>\n");
}

/* To the other metrics, where there are such, and to the other languages. */
static void
add_links(const struct drawing *drawing)
{
	enum metric shown = drawing->view->metric;
	buf_add_literal(drawing->out, "<nav><ul>\n");
	for (size_t i = 0; drawing->metric_count > 1 && i < drawing->metric_count; i++) {
		enum metric metric = drawing->metrics[i];
		add_link(drawing, drawing->language, metric,
			 label_word(drawing->language, metric_words[metric]), metric == shown);
	}
	for (int i = 0; i < CONF_LANGUAGES; i++)
		if ((enum conf_language)i != drawing->language)
			add_link(drawing, (enum conf_language)i, shown,
				 label_language_itself((enum conf_language)i), false);
	buf_add_literal(drawing->out, "</ul></nav>\n");
}

static void
add_head(const struct drawing *drawing)
{
	struct buf *out = drawing->out;
	struct slice name = site_name(drawing->view->site);
	buf_add_literal(out, "<!DOCTYPE html>\n<html lang=\"");
	buf_add_slice(out, label_language_name(drawing->language));
	buf_add_literal(out, "\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
			     "content=\"width=device-width, initial-scale=1\">\n<meta "
			     "name=\"robots\" content=\"noindex\">\n<title>");
	buf_add_xml(out, slice_of(label_title(drawing->language)));
	buf_add_literal(out, " - ");
	buf_add_xml(out, name);
	buf_add_literal(out, "</title>\n<style>");
	buf_add_slice(out, drawing->page->style);
	buf_add_literal(out, "</style>\n</head>\n<body>\n<header>\n<h1>");
	buf_add_xml(out, slice_of(label_title(drawing->language)));
	buf_add_literal(out, " <span>");
	buf_add_xml(out, name);
	buf_add_literal(out, "</span></h1>\n");
	add_links(drawing);
	buf_add_literal(out, "</header>\n<main>\n");
}

/* --- figures --- */

static void
add_tile(const struct drawing *drawing, int row, bool online)
{
	const struct counts_view *view = drawing->view;
	struct buf *out = drawing->out;
	buf_add_literal(out, "<div><dt>");
	if (online)
		add_word(drawing, WORD_ONLINE);
	else
		label_row(out, drawing->language, row, view->date->civil);
	buf_add_literal(out, "</dt><dd>");
	counts_row_text(out, view, drawing->page->counts, online ? CONF_ROW_ONLINE : row);
	buf_add_literal(out, "</dd></div>\n");
}

static void
add_figures_table(const struct drawing *drawing)
{
	struct buf *out = drawing->out;
	chart_table_start(out, label_word(drawing->language, WORD_OVERVIEW), "");
	add_word(drawing, WORD_PERIOD);
	buf_add_literal(out, "</th>");
	for (size_t i = 0; i < drawing->metric_count; i++) {
		buf_add_literal(out, "<th scope=\"col\">");
		add_word(drawing, metric_words[drawing->metrics[i]]);
		buf_add_literal(out, "</th>");
	}
	buf_add_literal(out, "</tr></thead>\n<tbody>\n");
	for (int row = 0; row < SHOWN_PERIODS; row++) {
		buf_add_literal(out, "<tr><th scope=\"row\">");
		label_row(out, drawing->language, row, drawing->view->date->civil);
		buf_add_literal(out, "</th>");
		for (size_t i = 0; i < drawing->metric_count; i++) {
			buf_add_literal(out, "<td>");
			chart_number(out, drawing->language,
				     drawing->page->counts->numbers[drawing->metrics[i]][row]);
			buf_add_literal(out, "</td>");
		}
		buf_add_literal(out, "</tr>\n");
	}
	buf_add_literal(out, CHART_TABLE_END);
}

static void
add_figures(const struct drawing *drawing)
{
	static const int tiles[] = {SHOWN_TODAY, SHOWN_THIS_MONTH, SHOWN_THIS_YEAR, SHOWN_TOTAL};
	struct buf *out = drawing->out;
	buf_add_literal(out, "<section class=\"wide\">\n<h2>");
	add_word(drawing, WORD_OVERVIEW);
	buf_add_literal(out, " <span>");
	add_word(drawing, metric_words[drawing->view->metric]);
	buf_add_literal(out, "</span></h2>\n<dl class=\"tiles\">\n");
	for (size_t i = 0; i < COUNT_OF(tiles); i++)
		add_tile(drawing, tiles[i], false);
	if (drawing->view->metrics)
		add_tile(drawing, 0, true);
	buf_add_literal(out, "</dl>\n");
	add_figures_table(drawing);
	buf_add_literal(out, "</section>\n");
}

/* --- over time --- */

/* What all charts of metrics have in common; `values` are those of every metric, `stride` numbers apart. */
static struct chart
metric_chart(const struct drawing *drawing, enum label_word heading, const int64_t *values,
	     size_t stride)
{
	struct chart chart = {
		.language = drawing->language,
		.heading = label_word(drawing->language, heading),
		.bars = values + (size_t)drawing->view->metric * stride,
		.column_count = drawing->metric_count,
	};
	for (size_t i = 0; i < drawing->metric_count; i++) {
		enum metric metric = drawing->metrics[i];
		chart.columns[i] = label_word(drawing->language, metric_words[metric]);
		chart.values[i] = values + (size_t)metric * stride;
	}
	return chart;
}

static void
add_days(const struct drawing *drawing, enum stats_month which)
{
	const struct stats *stats = drawing->page->stats;
	int32_t month = period_of_day(PERIOD_MONTH, stats->day) - (int32_t)which;
	int32_t first = period_first_day(PERIOD_MONTH, month);
	size_t count = (size_t)(period_first_day(PERIOD_MONTH, month + 1) - first);
	struct buf name = {0};
	label_month(&name, drawing->language, civil_of_day(first));
	struct chart chart = metric_chart(drawing, WORD_BY_DAY, stats->days[which][0], STATS_DAYS);
	chart.of = buf_slice(&name);
	chart.count = count;
	chart.rows = which == STATS_THIS_MONTH ? (size_t)(stats->day - first) + 1 : count;
	chart.marks = 5;
	chart.first_mark = 4;
	chart.first_column = label_word(drawing->language, WORD_DAY);
	chart.name = name_day;
	chart.first = first;
	chart_add(drawing->out, &chart);
	buf_release(&name);
}

static void
add_months(const struct drawing *drawing)
{
	const struct stats *stats = drawing->page->stats;
	struct civil today = civil_of_day(stats->day);
	struct buf name = {0};
	label_row(&name, drawing->language, SHOWN_THIS_YEAR, today);
	struct chart chart = metric_chart(drawing, WORD_BY_MONTH, stats->months[0], STATS_MONTHS);
	chart.of = buf_slice(&name);
	chart.count = STATS_MONTHS;
	chart.rows = (size_t)today.month;
	chart.marks = 1;
	chart.first_column = label_word(drawing->language, WORD_MONTH);
	chart.name = name_month;
	chart.first = period_of_day(PERIOD_MONTH, stats->day) - (today.month - 1);
	chart_add(drawing->out, &chart);
	buf_release(&name);
}

static void
add_years(const struct drawing *drawing)
{
	const struct stats *stats = drawing->page->stats;
	struct chart chart = metric_chart(drawing, WORD_BY_YEAR, stats->years[0], STATS_YEARS);
	chart.count = chart.rows = stats->year_count;
	chart.marks = stats->year_count > 10 ? 5 : 1;
	chart.first_column = label_word(drawing->language, WORD_YEAR);
	chart.name = name_year;
	chart.first = stats->first_year;
	chart_add(drawing->out, &chart);
}

static void
add_hours(const struct drawing *drawing)
{
	const struct stats *stats = drawing->page->stats;
	struct buf today = {0}, yesterday = {0};
	label_row(&today, drawing->language, SHOWN_TODAY, drawing->view->date->civil);
	buf_add(&today, "", 1);
	label_row(&yesterday, drawing->language, SHOWN_YESTERDAY, drawing->view->date->civil);
	buf_add(&yesterday, "", 1);
	chart_add(drawing->out, &(struct chart){
					.language = drawing->language,
					.heading = label_word(drawing->language, WORD_BY_HOUR),
					.of = slice_of(today.data),
					.wide = true,
					.bars = stats->hours[0],
					.count = STATS_HOURS,
					.rows = STATS_HOURS,
					.marks = 6,
					.first_column = label_word(drawing->language, WORD_HOUR),
					.columns = {today.data, yesterday.data},
					.values = {stats->hours[0], stats->hours[1]},
					.column_count = 2,
					.name = name_hour,
				});
	buf_release(&today);
	buf_release(&yesterday);
}

/* --- tables of the month --- */

static void
add_tables(const struct drawing *drawing)
{
	static const struct {
		enum label_word heading, column;
	} words[STATS_TABLE_COUNT] = {
		[STATS_PAGES] = {WORD_TOP_PAGES, WORD_PAGE},
		[STATS_COUNTRIES] = {WORD_TOP_COUNTRIES, WORD_COUNTRY},
		[STATS_REFERRERS] = {WORD_TOP_REFERRERS, WORD_REFERRER},
		[STATS_BROWSERS] = {WORD_TOP_BROWSERS, WORD_BROWSER},
	};
	const struct stats *stats = drawing->page->stats;
	struct civil today = civil_of_day(stats->day);
	struct buf month = {0};
	label_month(&month, drawing->language, today);
	for (int i = 0; i < STATS_TABLE_COUNT; i++) {
		if (i == STATS_PAGES && !drawing->view->pages)
			continue;
		ranks_add(drawing->out,
			  &(struct ranks){
				  .language = drawing->language,
				  .heading = label_word(drawing->language, words[i].heading),
				  .column = label_word(drawing->language, words[i].column),
				  .of = buf_slice(&month),
				  .table = &stats->tables[i],
				  .countries = i == STATS_COUNTRIES,
				  .whole = stats->months[METRIC_HITS][today.month - 1],
			  });
	}
	buf_release(&month);
}

/* --- the foot --- */

static void
add_credit(struct buf *out, const struct label_credit *credit)
{
	buf_add_literal(out, "<p><a href=\"");
	buf_add_xml(out, slice_of(credit->link));
	buf_add_literal(out, "\" lang=\"en\">");
	buf_add_xml(out, slice_of(credit->text));
	buf_add_literal(out, "</a></p>\n");
}

/* Each maker once, in the order of the files. */
static void
add_credits(const struct drawing *drawing)
{
	const struct geo *geo = drawing->page->geo;
	const char *type;
	for (size_t i = 0; geo && (type = geo_type(geo, i)) != NULL; i++) {
		const struct label_credit *credit = label_credit(type);
		bool said = false;
		for (size_t j = 0; j < i; j++)
			said |= label_credit(geo_type(geo, j)) == credit;
		if (credit && !said)
			add_credit(drawing->out, credit);
	}
}

static void
add_foot(const struct drawing *drawing)
{
	const struct local_time *local = &drawing->view->local;
	struct buf *out = drawing->out;
	buf_add_literal(out, "</main>\n<footer>\n<p>");
	add_word(drawing, WORD_AS_OF);
	buf_addf(out, " <time datetime=\"%sT%02d:%02d:%02d%c%02d:%02d\">%02d:%02d:%02d ",
		 drawing->view->date->name, local->hour, local->minute, local->second,
		 local->offset < 0 ? '-' : '+', abs(local->offset) / 3600,
		 abs(local->offset) / 60 % 60, local->hour, local->minute, local->second);
	label_date(out, drawing->language, drawing->view->date->civil);
	buf_add_literal(out, "</time>");
	if (drawing->view->site->timezone) {
		buf_add_literal(out, " (");
		buf_add_xml(out, slice_of(drawing->view->site->timezone));
		buf_add_literal(out, ")");
	}
	buf_add_literal(out, "</p>\n");
	add_credits(drawing);
	buf_add_literal(out, "</footer>\n</body>\n</html>\n");
}

static void
choose_metrics(struct drawing *drawing)
{
	for (int i = 0; i < METRIC_COUNT; i++)
		if (drawing->view->metrics || (enum metric)i == drawing->view->metric)
			drawing->metrics[drawing->metric_count++] = (enum metric)i;
}

void
stats_page(struct buf *out, const struct stats_page *page)
{
	struct drawing drawing = {
		.out = out,
		.page = page,
		.view = page->view,
		.language = page->view->language,
	};
	choose_metrics(&drawing);
	add_head(&drawing);
	add_figures(&drawing);
	if (page->stats) {
		add_days(&drawing, STATS_THIS_MONTH);
		add_days(&drawing, STATS_LAST_MONTH);
		add_months(&drawing);
		add_years(&drawing);
		add_hours(&drawing);
		add_tables(&drawing);
	} else {
		buf_add_literal(out, "<section class=\"wide\"><p>");
		add_word(&drawing, WORD_UNAVAILABLE);
		buf_add_literal(out, ".</p></section>\n");
	}
	add_foot(&drawing);
}
