/* SPDX-License-Identifier: BSD-2-Clause */
/* The data model of every answer of the command line. Holds values; how they are written is for the renderings. */
#include "cli/table.h"

#include <assert.h>

#include "show/counts.h"

void
table_init(struct table *table, const struct column *columns, size_t count)
{
	assert(count <= TABLE_COLUMNS_MAX);
	*table = (struct table){.column_count = count};
	memcpy(table->columns, columns, count * sizeof *columns);
}

void
table_release(struct table *table)
{
	for (size_t i = 0; i < table->row_count * table->column_count; i++) {
		free(table->cells[i].text);
		free(table->cells[i].shown);
	}
	free(table->cells);
	*table = (struct table){0};
}

/* Rows grow in one array: a table is written once, row by row, and then only read. */
struct cell *
table_row(struct table *table)
{
	if (table->row_count == table->row_room) {
		table->row_room = table->row_room ? 2 * table->row_room : 32;
		table->cells = xrealloc(table->cells, table->row_room * table->column_count *
							      sizeof *table->cells);
	}
	struct cell *row = table->cells + table->row_count++ * table->column_count;
	memset(row, 0, table->column_count * sizeof *row);
	return row;
}

const struct cell *
table_cell(const struct table *table, size_t row, size_t column)
{
	return &table->cells[row * table->column_count + column];
}

void
cell_number(struct cell *cell, int64_t value)
{
	cell->state = CELL_NUMBER;
	cell->number = value;
}

void
cell_count(struct cell *cell, int64_t value)
{
	cell->state = value == COUNT_UNKNOWN ? CELL_UNKNOWN : CELL_NUMBER;
	cell->number = value;
}

void
cell_adjusted(struct cell *cell, int64_t counted, int64_t adjusted)
{
	cell_count(cell, counted == COUNT_UNKNOWN ? counted : count_shown(counted, adjusted));
	cell->adjusted = counted == COUNT_UNKNOWN ? 0 : adjusted;
}

void
cell_text(struct cell *cell, struct slice text)
{
	cell->state = CELL_TEXT;
	cell->text = xmalloc(text.len);
	cell->len = text.len;
	if (text.len > 0)
		memcpy(cell->text, text.ptr, text.len);
}

void
cell_shown(struct cell *cell, struct slice words)
{
	cell->shown = xstrndup(words.ptr, words.len);
}

struct slice
cell_slice(const struct cell *cell)
{
	return (struct slice){cell->text, cell->len};
}

const char *
table_site(const struct table *table, enum conf_language language)
{
	return strcmp(table->site, TABLE_TOTAL) == 0 ? label_word(language, WORD_TOTAL)
						     : table->site;
}

int
table_find(const struct table *table, enum column_type type)
{
	for (size_t i = 0; i < table->column_count; i++)
		if (table->columns[i].type == type)
			return (int)i;
	return -1;
}

void
tables_render(struct buf *out, const struct table *tables, size_t count, enum rendering rendering,
	      const struct look *look)
{
	static render_fn *const renderings[RENDERINGS] = {
		[RENDER_TABLE] = render_table,   [RENDER_TSV] = render_tsv,
		[RENDER_CSV] = render_csv,       [RENDER_JSON] = render_json,
		[RENDER_NDJSON] = render_ndjson, [RENDER_ONELINE] = render_oneline,
		[RENDER_PROM] = render_prom,
	};
	renderings[rendering](out, tables, count, look);
}

void
table_render(struct buf *out, const struct table *table, enum rendering rendering,
	     const struct look *look)
{
	tables_render(out, table, 1, rendering, look);
}
