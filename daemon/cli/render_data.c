/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The renderings that programs read: JSON, NDJSON (an object a line, with its site), CSV (RFC 4180: CRLF, quotes doubled)
 * and TSV (no header). Numbers are plain digits in all of them, whatever the language. What strangers wrote is inert in
 * all of them; JSON alone loses nothing.
 */
#include <jansson.h>

#include "base/inert.h"
#include "base/metric.h"
#include "cli/table.h"

enum { SHARE_WHOLE = 10000, SHARE_DIGITS = 4, MICROS = 1000000 };

static bool
is_flag(const struct column *column)
{
	return column->type == COLUMN_FLAG || column->type == COLUMN_COMPLETE;
}

/* What a number is divided by to be what it is called; 0: it is whole. */
static int
divisor(const struct column *column)
{
	if (column->type == COLUMN_MICROS)
		return MICROS;
	return column->type == COLUMN_SHARE || column->type == COLUMN_CHANGE ? SHARE_WHOLE : 0;
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
	if (divisor(column))
		return json_real((double)cell->number / divisor(column));
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

static void
row_json(json_t *object, const struct table *table, size_t row)
{
	for (size_t i = 0; i < table->column_count; i++) {
		const struct cell *cell = table_cell(table, row, i);
		const struct column *column = &table->columns[i];
		if (cell->state != CELL_ABSENT)
			json_object_set_new(object, column->key, cell_json(column, cell));
		if (cell->state == CELL_NUMBER && cell->adjusted)
			add_adjusted(object, column, cell->adjusted);
	}
}

static void
set_text(json_t *object, const char *key, const char *text)
{
	if (text && *text)
		json_object_set_new(object, key, json_string(text));
}

static void
add_json_line(struct buf *out, json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(SHARE_DIGITS));
	inert_add_json(out, slice_of(text));
	buf_add_literal(out, "\n");
	free(text);
	json_decref(object);
}

/* What one table says of itself stands once; of several each row names its site. */
void
render_json(struct buf *out, const struct table *tables, size_t count, const struct look *look)
{
	(void)look;
	json_t *rows = json_array(), *root = json_object();
	for (size_t i = 0; i < count; i++)
		for (size_t row = 0; row < tables[i].row_count; row++) {
			json_t *object = json_object();
			set_text(object, "site", count > 1 ? tables[i].site : NULL);
			row_json(object, &tables[i], row);
			json_array_append_new(rows, object);
		}
	json_object_set_new(root, "schema", json_integer(1));
	if (count > 0) {
		set_text(root, "site", count == 1 ? tables->site : NULL);
		set_text(root, "timezone", count == 1 ? tables->timezone : NULL);
		set_text(root, "dimension", tables->dimension);
		set_text(root, "from", count == 1 ? tables->from : NULL);
		set_text(root, "to", count == 1 ? tables->to : NULL);
	}
	json_object_set_new(root, "rows", rows);
	add_json_line(out, root);
}

void
render_ndjson(struct buf *out, const struct table *tables, size_t count, const struct look *look)
{
	(void)look;
	for (size_t i = 0; i < count; i++)
		for (size_t row = 0; row < tables[i].row_count; row++) {
			json_t *object = json_object();
			set_text(object, "site", tables[i].site);
			set_text(object, "dimension", tables[i].dimension);
			row_json(object, &tables[i], row);
			add_json_line(out, object);
		}
}

struct slice
table_plain(const struct column *column, const struct cell *cell, char number[TABLE_NUMBER_SIZE])
{
	if (cell->state == CELL_TEXT)
		return cell_slice(cell);
	if (cell->state != CELL_NUMBER)
		return SLICE("");
	if (is_flag(column))
		return slice_of(cell->number ? "true" : "false");
	int len = divisor(column) ? snprintf(number, TABLE_NUMBER_SIZE, "%.*g", SHARE_DIGITS,
					     (double)cell->number / divisor(column))
				  : snprintf(number, TABLE_NUMBER_SIZE, "%" PRId64, cell->number);
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
	char number[TABLE_NUMBER_SIZE];
	struct buf text = {0};
	if (cell->state == CELL_TEXT && inert_is_formula(cell_slice(cell)))
		buf_add_literal(&text, "'");
	inert_add(&text, table_plain(column, cell, number));
	csv_add(out, buf_slice(&text));
	buf_release(&text);
}

static const char *
csv_end(const struct table *table, size_t column)
{
	return column + 1 < table->column_count ? "," : "\r\n";
}

void
render_csv(struct buf *out, const struct table *tables, size_t count, const struct look *look)
{
	(void)look;
	if (count > 1)
		buf_add_literal(out, "site,");
	for (size_t i = 0; count > 0 && i < tables->column_count; i++) {
		csv_add(out, slice_of(tables->columns[i].key));
		buf_addf(out, "%s", csv_end(tables, i));
	}
	for (const struct table *table = tables; table < tables + count; table++)
		for (size_t row = 0; row < table->row_count; row++) {
			if (count > 1)
				buf_addf(out, "%s,", table->site);
			for (size_t i = 0; i < table->column_count; i++) {
				csv_add_cell(out, &table->columns[i], table_cell(table, row, i));
				buf_addf(out, "%s", csv_end(table, i));
			}
		}
}

void
render_tsv(struct buf *out, const struct table *tables, size_t count, const struct look *look)
{
	(void)look;
	char number[TABLE_NUMBER_SIZE];
	for (const struct table *table = tables; table < tables + count; table++)
		for (size_t row = 0; row < table->row_count; row++) {
			if (count > 1)
				buf_addf(out, "%s\t", table->site);
			for (size_t i = 0; i < table->column_count; i++) {
				inert_add(out, table_plain(&table->columns[i],
							   table_cell(table, row, i), number));
				buf_addf(out, "%s", i + 1 < table->column_count ? "\t" : "\n");
			}
		}
}
