/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rendering for status bars and prompts: one short line a site. Of consecutive periods a sparkline and the newest, of
 * a ranking its first values, of anything else the columns that its command calls brief.
 */
#include "cli/spark.h"
#include "cli/table.h"
#include "cli/width.h"
#include "show/counts.h"

enum { SPARK_MAX = 30, RANKED_MAX = 3, TEXT_MAX = 24 };

/* Two blanks part what stands on a line. */
static void
add_part(struct buf *out, size_t line)
{
	if (out->len > line)
		buf_add_literal(out, "  ");
}

static void
add_words(struct buf *out, const struct column *column, const struct cell *cell,
	  enum conf_language language)
{
	struct buf words = {0};
	table_words(&words, column, cell, language);
	width_add_clipped(out, buf_slice(&words), TEXT_MAX);
	buf_release(&words);
}

static void
add_site(struct buf *out, const struct table *table, size_t line, enum conf_language language)
{
	if (!table->site)
		return;
	add_part(out, line);
	buf_addf(out, "%s", table_site(table, language));
}

/* The last row that is not all ahead: the one with an estimate, where there is one. */
static size_t
newest(const struct table *table, size_t estimate)
{
	for (size_t row = 0; row < table->row_count; row++)
		if (table_cell(table, row, estimate)->state == CELL_NUMBER)
			return row;
	return table->row_count - 1;
}

static void
add_series(struct buf *out, const struct table *table, size_t barred, size_t estimate,
	   enum conf_language language)
{
	int64_t numbers[SPARK_MAX];
	size_t line = out->len, last = newest(table, estimate), count = 0;
	add_site(out, table, line, language);
	for (size_t row = last < SPARK_MAX ? 0 : last + 1 - SPARK_MAX; row <= last; row++) {
		const struct cell *cell = table_cell(table, row, barred);
		numbers[count++] = cell->state == CELL_NUMBER ? cell->number : COUNT_UNKNOWN;
	}
	add_part(out, line);
	spark_add(out, numbers, count);
	add_part(out, line);
	add_words(out, &table->columns[barred], table_cell(table, last, barred), language);
	const struct cell *guess = table_cell(table, last, estimate);
	if (guess->state == CELL_NUMBER) {
		buf_add_literal(out, " ~");
		label_number(out, language, guess->number);
	}
	buf_add_literal(out, "\n");
}

static void
add_ranked(struct buf *out, const struct table *table, size_t barred, enum conf_language language)
{
	size_t line = out->len;
	add_site(out, table, line, language);
	for (size_t row = 0; row < table->row_count && row < RANKED_MAX; row++) {
		add_part(out, line);
		add_words(out, &table->columns[0], table_cell(table, row, 0), language);
		buf_add_literal(out, " ");
		add_words(out, &table->columns[barred], table_cell(table, row, barred), language);
	}
	buf_add_literal(out, "\n");
}

/* "Views 653 (+12.3 %)": a number stands behind the text before it, and behind its label where it has one. */
static void
add_part_of_row(struct buf *out, const struct table *table, size_t column, const struct cell *cell,
		bool behind_text, size_t line, enum conf_language language)
{
	const struct column *of = &table->columns[column];
	bool change = of->type == COLUMN_CHANGE;
	if (behind_text || change)
		buf_add_literal(out, " ");
	else
		add_part(out, line);
	if (table->named & TABLE_COLUMN(column))
		buf_addf(out, "%s ", label_word(language, of->word));
	buf_addf(out, "%s", change ? "(" : "");
	add_words(out, of, cell, language);
	buf_addf(out, "%s", change ? ")" : "");
}

/* The row's brief columns, without changes that are not known; of a table that has none, all. */
static void
add_brief(struct buf *out, const struct table *table, size_t row, size_t line,
	  enum conf_language language)
{
	bool behind_text = false;
	for (size_t i = 0; i < table->column_count; i++) {
		const struct cell *cell = table_cell(table, row, i);
		bool change = table->columns[i].type == COLUMN_CHANGE;
		if ((table->brief && !(table->brief & TABLE_COLUMN(i))) ||
		    cell->state == CELL_ABSENT || (change && cell->state == CELL_UNKNOWN))
			continue;
		add_part_of_row(out, table, i, cell, behind_text, line, language);
		behind_text = table->brief && cell->state == CELL_TEXT && !behind_text;
	}
}

/* Whether the row is of another site than the one before; rows of no site have lines of their own. */
static bool
begins_line(const struct table *table, size_t row)
{
	if (row == 0 || table->site)
		return row == 0;
	if (strcmp(table->columns[0].key, "site") != 0)
		return true;
	return !slice_eq(cell_slice(table_cell(table, row, 0)),
			 cell_slice(table_cell(table, row - 1, 0)));
}

/* A line for each site. Its name stands first, once. */
static void
add_lines(struct buf *out, const struct table *table, enum conf_language language)
{
	size_t line = out->len;
	bool of_sites = strcmp(table->columns[0].key, "site") == 0;
	for (size_t row = 0; row < table->row_count; row++) {
		if (begins_line(table, row)) {
			if (row > 0)
				buf_add_literal(out, "\n");
			line = out->len;
			add_site(out, table, line, language);
			if (of_sites && table->brief)
				add_words(out, &table->columns[0], table_cell(table, row, 0),
					  language);
		}
		add_brief(out, table, row, line, language);
	}
	if (table->row_count > 0)
		buf_add_literal(out, "\n");
}

void
render_oneline(struct buf *out, const struct table *tables, size_t count, const struct look *look)
{
	for (const struct table *table = tables; table < tables + count; table++) {
		int barred = table_find(table, COLUMN_BAR);
		int estimate = table_find(table, COLUMN_ESTIMATE);
		if (barred < 0)
			add_lines(out, table, look->language);
		else if (estimate < 0)
			add_ranked(out, table, (size_t)barred, look->language);
		else if (table->row_count > 0)
			add_series(out, table, (size_t)barred, (size_t)estimate, look->language);
	}
}
