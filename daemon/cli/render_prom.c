/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rendering for Prometheus (text format 0.0.4, as node_exporter's textfile collector takes it): every column of
 * numbers is a gauge, thongke_COMMAND_COLUMN, texts are labels. What is not known has no sample.
 */
#include "base/inert.h"
#include "cli/table.h"

/* One `key="value"`, behind a brace or a comma. */
static void
add_label(struct buf *out, bool *first, const char *key, struct slice value)
{
	struct buf sound = {0};
	inert_add(&sound, value);
	buf_addf(out, "%s%s=\"", *first ? "{" : ",", key);
	*first = false;
	for (size_t i = 0; i < sound.len; i++) {
		if (sound.data[i] == '"' || sound.data[i] == '\\')
			buf_add_literal(out, "\\");
		buf_add(out, sound.data + i, 1);
	}
	buf_add_literal(out, "\"");
	buf_release(&sound);
}

static void
add_labels(struct buf *out, const struct table *table, size_t row)
{
	bool first = true;
	if (table->site)
		add_label(out, &first, "site", slice_of(table->site));
	if (table->dimension)
		add_label(out, &first, "dimension", slice_of(table->dimension));
	for (size_t i = 0; i < table->column_count; i++) {
		const struct cell *cell = table_cell(table, row, i);
		if (cell->state == CELL_TEXT)
			add_label(out, &first, table->columns[i].key, cell_slice(cell));
	}
	if (!first)
		buf_add_literal(out, "}");
}

static void
add_value(struct buf *out, const struct column *column, const struct cell *cell)
{
	char number[TABLE_NUMBER_SIZE];
	if (column->type == COLUMN_FLAG || column->type == COLUMN_COMPLETE)
		buf_addf(out, " %d\n", cell->number != 0);
	else
		buf_addf(out, " %.*s\n", SLICE_ARG(table_plain(column, cell, number)));
}

/* The samples of one column; false when it has none. */
static bool
add_metric(struct buf *out, const struct table *tables, size_t count, size_t column)
{
	const struct column *of = &tables->columns[column];
	bool any = false;
	for (const struct table *table = tables; table < tables + count; table++)
		for (size_t row = 0; row < table->row_count; row++) {
			const struct cell *cell = table_cell(table, row, column);
			if (cell->state != CELL_NUMBER)
				continue;
			if (!any)
				buf_addf(out,
					 "# HELP thongke_%s_%s %s\n# TYPE thongke_%s_%s gauge\n",
					 table->name, of->key, label_word(CONF_EN, of->word),
					 table->name, of->key);
			any = true;
			buf_addf(out, "thongke_%s_%s", table->name, of->key);
			add_labels(out, table, row);
			add_value(out, of, cell);
		}
	return any;
}

/* Rows of texts alone are what Prometheus calls an info: labels, and the number 1. */
static void
add_info(struct buf *out, const struct table *table)
{
	if (table->row_count > 0)
		buf_addf(out, "# TYPE thongke_%s_info gauge\n", table->name);
	for (size_t row = 0; row < table->row_count; row++) {
		buf_addf(out, "thongke_%s_info", table->name);
		add_labels(out, table, row);
		buf_add_literal(out, " 1\n");
	}
}

void
render_prom(struct buf *out, const struct table *tables, size_t count, const struct look *look)
{
	bool any = false;
	(void)look;
	for (size_t i = 0; count > 0 && i < tables->column_count; i++)
		any = add_metric(out, tables, count, i) || any;
	for (size_t i = 0; !any && i < count; i++)
		add_info(out, &tables[i]);
}
