/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The renderings that programs read: JSON, CSV (RFC 4180: CRLF, quotes doubled) and TSV (no header; a value has no
 * tab or line end). Numbers are plain digits in all of them, whatever the language.
 */
#include <jansson.h>

#include "cli/table.h"

static bool
is_flag(const struct column *column)
{
	return column->type == COLUMN_FLAG || column->type == COLUMN_COMPLETE;
}

static json_t *
cell_json(const struct column *column, const struct cell *cell)
{
	if (cell->state == CELL_UNKNOWN)
		return json_null();
	if (cell->state == CELL_TEXT)
		return json_stringn(cell->text, cell->len);
	return is_flag(column) ? json_boolean(cell->number) : json_integer(cell->number);
}

static json_t *
row_json(const struct table *table, size_t row)
{
	json_t *object = json_object();
	for (size_t i = 0; i < table->column_count; i++) {
		const struct cell *cell = table_cell(table, row, i);
		const struct column *column = &table->columns[i];
		if (cell->state != CELL_ABSENT)
			json_object_set_new(object, column->key, cell_json(column, cell));
	}
	return object;
}

void
render_json(struct buf *out, const struct table *table, const struct look *look)
{
	(void)look;
	json_t *rows = json_array();
	for (size_t row = 0; row < table->row_count; row++)
		json_array_append_new(rows, row_json(table, row));
	json_t *root = json_object();
	json_object_set_new(root, "schema", json_integer(1));
	if (table->site)
		json_object_set_new(root, "site", json_string(table->site));
	if (table->timezone)
		json_object_set_new(root, "timezone", json_string(table->timezone));
	json_object_set_new(root, "rows", rows);
	char *text = json_dumps(root, JSON_COMPACT);
	buf_add_slice(out, slice_of(text));
	buf_add_literal(out, "\n");
	free(text);
	json_decref(root);
}

/* The plain form of a cell; absent and unknown ones are empty. */
static struct slice
cell_plain(const struct column *column, const struct cell *cell, char number[24])
{
	if (cell->state == CELL_TEXT)
		return cell_slice(cell);
	if (cell->state != CELL_NUMBER)
		return SLICE("");
	if (is_flag(column))
		return slice_of(cell->number ? "true" : "false");
	int len = snprintf(number, 24, "%" PRId64, cell->number);
	return (struct slice){number, (size_t)len};
}

static void
csv_add(struct buf *out, struct slice value)
{
	bool quoted = false;
	for (size_t i = 0; i < value.len; i++)
		quoted = quoted || memchr(",\"\r\n", value.ptr[i], 4);
	if (!quoted) {
		buf_add_slice(out, value);
		return;
	}
	buf_add_literal(out, "\"");
	for (size_t i = 0; i < value.len; i++) {
		if (value.ptr[i] == '"')
			buf_add_literal(out, "\"");
		buf_add(out, value.ptr + i, 1);
	}
	buf_add_literal(out, "\"");
}

void
render_csv(struct buf *out, const struct table *table, const struct look *look)
{
	(void)look;
	for (size_t i = 0; i < table->column_count; i++) {
		csv_add(out, slice_of(table->columns[i].key));
		buf_addf(out, "%s", i + 1 < table->column_count ? "," : "\r\n");
	}
	char number[24];
	for (size_t row = 0; row < table->row_count; row++)
		for (size_t i = 0; i < table->column_count; i++) {
			csv_add(out,
				cell_plain(&table->columns[i], table_cell(table, row, i), number));
			buf_addf(out, "%s", i + 1 < table->column_count ? "," : "\r\n");
		}
}

static void
tsv_add(struct buf *out, struct slice value)
{
	for (size_t i = 0; i < value.len; i++) {
		bool control = (unsigned char)value.ptr[i] < 0x20;
		buf_add(out, control ? " " : value.ptr + i, 1);
	}
}

void
render_tsv(struct buf *out, const struct table *table, const struct look *look)
{
	(void)look;
	char number[24];
	for (size_t row = 0; row < table->row_count; row++)
		for (size_t i = 0; i < table->column_count; i++) {
			tsv_add(out,
				cell_plain(&table->columns[i], table_cell(table, row, i), number));
			buf_addf(out, "%s", i + 1 < table->column_count ? "\t" : "\n");
		}
}
