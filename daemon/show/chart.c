/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bars are drawn in a picture that stretches to the width there is; words stand beside it, where they keep their size.
 * What visitors supplied is escaped, isolated from the direction of the text around it, and without invisible characters.
 */
#include "show/chart.h"

#include "base/inert.h"
#include "show/labels.h"

enum {
	BAR_STEP = 10, /* from bar to bar, of which one is empty on each side */
	BAR_HEIGHT = 1000,
	BAR_LEAST = 12, /* so that one hit is seen beside a million */
};

void
chart_number(struct buf *out, enum conf_language language, int64_t value)
{
	if (value == COUNT_UNKNOWN)
		buf_add_literal(out, LABEL_UNKNOWN);
	else
		label_number(out, language, value);
}

static void
add_word(struct buf *out, const char *word)
{
	buf_add_xml(out, slice_of(word));
}

/* Who has no mouse must be able to reach it, and to hear what it is. */
void
chart_table_start(struct buf *out, const char *name, const char *attributes)
{
	buf_add_literal(out, "<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"");
	add_word(out, name);
	buf_addf(out, "\"><table%s>\n<thead><tr><th scope=\"col\">", attributes);
}

/* "<h2>By day <span>Month 05/2020</span></h2>" */
static void
add_heading(struct buf *out, const char *heading, struct slice of)
{
	buf_add_literal(out, "<h2>");
	add_word(out, heading);
	if (of.ptr) {
		buf_add_literal(out, " <span>");
		buf_add_xml(out, of);
		buf_add_literal(out, "</span>");
	}
	buf_add_literal(out, "</h2>\n");
}

static size_t
highest(const struct chart *chart)
{
	size_t at = 0;
	for (size_t i = 1; i < chart->count; i++)
		if (chart->bars[i] > chart->bars[at])
			at = i;
	return at;
}

/* --- over time --- */

static void
add_bar(struct buf *out, const struct chart *chart, size_t i, int64_t most)
{
	int64_t height = chart->bars[i] > 0 ? chart->bars[i] * BAR_HEIGHT / most : 0;
	if (height == 0 && chart->bars[i] <= 0)
		return;
	height = height < BAR_LEAST ? BAR_LEAST : height;
	buf_addf(out, "<rect x=\"%zu\" y=\"%d\" width=\"%d\" height=\"%d\"><title>",
		 i * BAR_STEP + 1, (int)(BAR_HEIGHT - height), BAR_STEP - 2, (int)height);
	chart->name(out, chart, i, false);
	buf_add_literal(out, ": ");
	chart_number(out, chart->language, chart->bars[i]);
	buf_add_literal(out, "</title></rect>");
}

static void
add_picture(struct buf *out, const struct chart *chart, int64_t most)
{
	buf_addf(out,
		 "<svg class=\"bars\" viewBox=\"0 0 %zu %d\" preserveAspectRatio=\"none\" "
		 "role=\"img\" aria-label=\"",
		 chart->count * BAR_STEP, BAR_HEIGHT);
	add_word(out, chart->heading);
	if (chart->of.ptr) {
		buf_add_literal(out, ", ");
		buf_add_xml(out, chart->of);
	}
	buf_add_literal(out, "\">");
	for (size_t i = 0; i < chart->count; i++)
		add_bar(out, chart, i, most);
	buf_add_literal(out, "</svg>\n");
}

static void
add_axis(struct buf *out, const struct chart *chart)
{
	buf_add_literal(out, "<div class=\"axis\" aria-hidden=\"true\">");
	for (size_t i = 0; i < chart->count; i++) {
		buf_add_literal(out, "<span>");
		if (i == 0 ||
		    (i >= chart->first_mark && (i - chart->first_mark) % chart->marks == 0))
			chart->name(out, chart, i, true);
		buf_add_literal(out, "</span>");
	}
	buf_add_literal(out, "</div>\n");
}

static void
add_rows(struct buf *out, const struct chart *chart)
{
	for (size_t i = 0; i < chart->rows; i++) {
		buf_add_literal(out, "<tr><th scope=\"row\">");
		chart->name(out, chart, i, false);
		buf_add_literal(out, "</th>");
		for (size_t column = 0; column < chart->column_count; column++) {
			buf_add_literal(out, "<td>");
			chart_number(out, chart->language, chart->values[column][i]);
			buf_add_literal(out, "</td>");
		}
		buf_add_literal(out, "</tr>\n");
	}
}

static void
add_table(struct buf *out, const struct chart *chart)
{
	buf_add_literal(out, "<details><summary>");
	add_word(out, label_word(chart->language, WORD_NUMBERS));
	buf_add_literal(out, "</summary>\n");
	chart_table_start(out, chart->heading, "");
	add_word(out, chart->first_column);
	buf_add_literal(out, "</th>");
	for (size_t column = 0; column < chart->column_count; column++) {
		buf_add_literal(out, "<th scope=\"col\">");
		add_word(out, chart->columns[column]);
		buf_add_literal(out, "</th>");
	}
	buf_add_literal(out, "</tr></thead>\n<tbody>\n");
	add_rows(out, chart);
	buf_add_literal(out, CHART_TABLE_END "</details>\n");
}

void
chart_add(struct buf *out, const struct chart *chart)
{
	size_t top = highest(chart);
	buf_add_slice(out,
		      chart->wide ? SLICE("<section class=\"wide\">\n") : SLICE("<section>\n"));
	add_heading(out, chart->heading, chart->of);
	if (chart->bars[top] > 0) {
		buf_add_literal(out, "<p class=\"quiet\">");
		add_word(out, label_word(chart->language, WORD_HIGHEST));
		buf_add_literal(out, ": <b>");
		chart_number(out, chart->language, chart->bars[top]);
		buf_add_literal(out, "</b> (");
		chart->name(out, chart, top, false);
		buf_add_literal(out, ")</p>\n");
		add_picture(out, chart, chart->bars[top]);
		add_axis(out, chart);
		add_table(out, chart);
	} else {
		buf_add_literal(out, "<p class=\"quiet\">");
		add_word(out, label_word(chart->language, WORD_NOTHING));
		buf_add_literal(out, "</p>\n");
	}
	buf_add_literal(out, "</section>\n");
}

/* --- ranked --- */

static void
add_value(struct buf *out, const struct ranks *ranks, const struct stats_row *row)
{
	struct slice value = {row->value, row->len};
	struct buf inert = {0};
	if (row->other) {
		add_word(out, label_word(ranks->language, WORD_OTHERS));
		return;
	}
	if (ranks->countries)
		value = label_country(ranks->language, value);
	inert_add(&inert, value);
	buf_add_literal(out, "<bdi>");
	buf_add_xml(out, buf_slice(&inert));
	buf_add_literal(out, "</bdi>");
	buf_release(&inert);
}

/* Of ten thousand; what was counted a moment later than the whole is no more than that. */
static void
add_share(struct buf *out, const struct ranks *ranks, int64_t hits)
{
	if (ranks->whole <= 0)
		return;
	buf_add_literal(out, "<td>");
	label_share(out, ranks->language,
		    hits >= ranks->whole ? 10000 : hits * 10000 / ranks->whole);
	buf_add_literal(out, "</td>");
}

static void
add_rank(struct buf *out, const struct ranks *ranks, const struct stats_row *row, int64_t most)
{
	buf_add_literal(out, "<tr><th scope=\"row\">");
	add_value(out, ranks, row);
	buf_addf(out,
		 "<svg class=\"bar\" viewBox=\"0 0 1000 1\" preserveAspectRatio=\"none\" "
		 "aria-hidden=\"true\"><rect width=\"%d\" height=\"1\"/></svg></th><td>",
		 (int)(row->hits * BAR_HEIGHT / most));
	chart_number(out, ranks->language, row->hits);
	buf_add_literal(out, "</td>");
	add_share(out, ranks, row->hits);
	buf_add_literal(out, "</tr>\n");
}

static void
add_ranks_head(struct buf *out, const struct ranks *ranks)
{
	chart_table_start(out, ranks->heading, " class=\"ranks\"");
	add_word(out, ranks->column);
	buf_add_literal(out, "</th><th scope=\"col\">");
	add_word(out, label_word(ranks->language, WORD_HITS));
	buf_add_literal(out, "</th>");
	if (ranks->whole > 0) {
		buf_add_literal(out, "<th scope=\"col\">");
		add_word(out, label_word(ranks->language, WORD_SHARE));
		buf_add_literal(out, "</th>");
	}
	buf_add_literal(out, "</tr></thead>\n<tbody>\n");
}

/* The rest comes last, however much it is. */
void
ranks_add(struct buf *out, const struct ranks *ranks)
{
	const struct stats_table *table = ranks->table;
	int64_t most = 0;
	buf_add_literal(out, "<section>\n");
	add_heading(out, ranks->heading, ranks->of);
	for (size_t i = 0; i < table->count; i++)
		most = table->rows[i].hits > most ? table->rows[i].hits : most;
	if (most > 0) {
		add_ranks_head(out, ranks);
		for (int other = 0; other < 2; other++)
			for (size_t i = 0; i < table->count; i++)
				if (table->rows[i].other == (other != 0))
					add_rank(out, ranks, &table->rows[i], most);
		buf_add_literal(out, CHART_TABLE_END);
	} else {
		buf_add_literal(out, "<p class=\"quiet\">");
		add_word(out, label_word(ranks->language, WORD_NOTHING));
		buf_add_literal(out, "</p>\n");
	}
	buf_add_literal(out, "</section>\n");
}
