/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The renderings that programs read: JSON, CSV (RFC 4180: CRLF, quotes doubled) and TSV (no header). Numbers are plain
 * digits in all of them, whatever the language. What strangers wrote is inert in all of them; JSON alone loses nothing.
 */
#include <jansson.h>

#include "base/inert.h"
#include "base/metric.h"
#include "cli/table.h"

enum { SHARE_WHOLE = 10000, SHARE_DIGITS = 4 };

static bool
is_flag(const struct column *column)
{
	return column->type == COLUMN_FLAG || column->type == COLUMN_COMPLETE;
}

/* jansson takes nothing but UTF-8. */
static json_t *
text_json(struct slice text)
{
	struct buf sound = {0};
	inert_add_utf8(&sound, text);
	json_t *string = json_stringn(buf_slice(&sound).ptr, sound.len);
	buf_release(&sound);
	return string;
}

static json_t *
cell_json(const struct column *column, const struct cell *cell)
{
	if (cell->state == CELL_UNKNOWN)
		return json_null();
	if (cell->state == CELL_TEXT)
		return text_json(cell_slice(cell));
	if (column->type == COLUMN_SHARE)
		return json_real((double)cell->number / SHARE_WHOLE);
	return is_flag(column) ? json_boolean(cell->number) : json_integer(cell->number);
}

/* What is adjusted stands beside its number: of hits as "adjusted", of all else as "adjusted_visits" and so on. */
static void
add_adjusted(json_t *object, const struct column *column, int64_t adjusted)
{
	struct buf key = {0};
	buf_add_literal(&key, "adjusted");
	if (strcmp(column->key, metric_names[METRIC_HITS]) != 0)
		buf_addf(&key, "_%s", column->key);
	json_object_setn_new(object, key.data, key.len, json_integer(adjusted));
	buf_release(&key);
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
		if (cell->state == CELL_NUMBER && cell->adjusted)
			add_adjusted(object, column, cell->adjusted);
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
	if (table->dimension)
		json_object_set_new(root, "dimension", json_string(table->dimension));
	if (*table->from) {
		json_object_set_new(root, "from", json_string(table->from));
		json_object_set_new(root, "to", json_string(table->to));
	}
	json_object_set_new(root, "rows", rows);
	char *text = json_dumps(root, JSON_COMPACT | JSON_REAL_PRECISION(SHARE_DIGITS));
	inert_add_json(out, slice_of(text));
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
	int len = column->type == COLUMN_SHARE ? snprintf(number, 24, "%.*g", SHARE_DIGITS,
							  (double)cell->number / SHARE_WHOLE)
					       : snprintf(number, 24, "%" PRId64, cell->number);
	return (struct slice){number, (size_t)len};
}

/* No value has a line end by now: commas and quotes are what needs quotes around it. */
static void
csv_add(struct buf *out, struct slice value)
{
	if (!memchr(value.ptr, ',', value.len) && !memchr(value.ptr, '"', value.len)) {
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

/* A spreadsheet shows a cell that begins with an apostrophe as text, without it. */
static void
csv_add_cell(struct buf *out, const struct column *column, const struct cell *cell)
{
	char number[24];
	struct buf text = {0};
	if (cell->state == CELL_TEXT && inert_is_formula(cell_slice(cell)))
		buf_add_literal(&text, "'");
	inert_add(&text, cell_plain(column, cell, number));
	csv_add(out, buf_slice(&text));
	buf_release(&text);
}

void
render_csv(struct buf *out, const struct table *table, const struct look *look)
{
	(void)look;
	for (size_t i = 0; i < table->column_count; i++) {
		csv_add(out, slice_of(table->columns[i].key));
		buf_addf(out, "%s", i + 1 < table->column_count ? "," : "\r\n");
	}
	for (size_t row = 0; row < table->row_count; row++)
		for (size_t i = 0; i < table->column_count; i++) {
			csv_add_cell(out, &table->columns[i], table_cell(table, row, i));
			buf_addf(out, "%s", i + 1 < table->column_count ? "," : "\r\n");
		}
}

void
render_tsv(struct buf *out, const struct table *table, const struct look *look)
{
	(void)look;
	char number[24];
	for (size_t row = 0; row < table->row_count; row++)
		for (size_t i = 0; i < table->column_count; i++) {
			inert_add(out, cell_plain(&table->columns[i], table_cell(table, row, i),
						  number));
			buf_addf(out, "%s", i + 1 < table->column_count ? "\t" : "\n");
		}
}
