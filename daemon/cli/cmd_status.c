/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `status`: what the running daemon says of itself, a row for each thing, and whether Redis can be reached from here. Ends
 * with 1 where no daemon answers, or it does not show counts yet.
 */
#include <jansson.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "base/inert.h"
#include "cli/measure.h"
#include "cli/width.h"

enum { ITEM, VALUE, STATUS_COLUMNS };

static struct cell *
add_item(struct table *table, const char *item)
{
	struct cell *row = table_row(table);
	cell_text(&row[ITEM], slice_of(item));
	return &row[VALUE];
}

static void
add_text(struct table *table, const char *item, const char *value)
{
	cell_text(add_item(table, item), slice_of(value));
}

/* --- numbers in its metrics --- */

/* How a number is shown to people. */
enum unit { UNIT_COUNT, UNIT_BYTES, UNIT_SECONDS };

static void
show_number(struct cell *cell, int64_t number, enum unit unit, enum conf_language language)
{
	struct buf words = {0};
	cell_count(cell, number);
	if (number < 0 || unit == UNIT_COUNT)
		return;
	if (unit == UNIT_BYTES)
		label_bytes(&words, language, number);
	else
		label_duration(&words, number);
	cell_shown(cell, buf_slice(&words));
	buf_release(&words);
}

static const struct measured_item {
	const char *item, *metric, *label;
	enum unit unit;
} measured_items[] = {
	{"hits_counted", "thongke_hits_total", "outcome=\"counted\"", UNIT_COUNT},
	{"connections", "thongke_connections", NULL, UNIT_COUNT},
	{"memory", "thongke_resident_memory_bytes", NULL, UNIT_BYTES},
	{"redis_age", "thongke_age_seconds", NULL, UNIT_SECONDS},
	{"journal_behind", "thongke_journal_lag_bytes", NULL, UNIT_BYTES},
	{"journal_on_disk", "thongke_journal_allocated_bytes", NULL, UNIT_BYTES},
	{"journal_reaches_back", "thongke_journal_kept_seconds", NULL, UNIT_SECONDS},
	{"gap_hits", "thongke_gap_hits_total", NULL, UNIT_COUNT},
};

/* The value of the label, which stands in quotes behind its name. */
static struct slice
version_of(struct slice metrics)
{
	static const char before[] = "thongke_build_info{version=\"";
	const char *at = memmem(metrics.ptr, metrics.len, before, sizeof(before) - 1);
	if (!at)
		return (struct slice){0};
	at += sizeof(before) - 1;
	const char *end = memchr(at, '"', (size_t)(metrics.ptr + metrics.len - at));
	return end ? (struct slice){at, (size_t)(end - at)} : (struct slice){0};
}

static void
add_measured(struct table *table, struct slice metrics, enum conf_language language)
{
	double value;
	struct slice version = version_of(metrics);
	if (version.ptr)
		cell_text(add_item(table, "version"), version);
	if (measure_value(metrics, "thongke_start_time_seconds", NULL, &value))
		show_number(add_item(table, "uptime"), clock_wall_ms() / 1000 - (int64_t)value,
			    UNIT_SECONDS, language);
	for (size_t i = 0; i < COUNT_OF(measured_items); i++) {
		const struct measured_item *item = &measured_items[i];
		if (measure_value(metrics, item->metric, item->label, &value))
			show_number(add_item(table, item->item), (int64_t)value, item->unit,
				    language);
	}
}

/* --- what it says about being ready --- */

static void
add_problem(struct table *table, const json_t *entry)
{
	struct buf text = {0};
	const char *name = json_string_value(json_object_get(entry, "problem"));
	const char *more = json_string_value(json_object_get(entry, "text"));
	json_int_t count = json_integer_value(json_object_get(entry, "count"));
	buf_addf(&text, "%s", name ? name : "?");
	if (count > 0)
		buf_addf(&text, " %" JSON_INTEGER_FORMAT, count);
	if (more)
		buf_addf(&text, ": %s", more);
	cell_text(add_item(table, "problem"), buf_slice(&text));
	buf_release(&text);
}

/* Whether counts are shown. */
static bool
add_ready(struct table *table, const struct conf *conf)
{
	char error[512];
	struct buf body = {0};
	int status = measure_ask(conf, "/readyz", &body, error, sizeof(error));
	struct slice text = buf_slice(&body);
	json_t *answer = status < 0 ? NULL : json_loadb(text.ptr, text.len, 0, NULL);
	const char *state = json_string_value(json_object_get(answer, "status"));
	const json_t *problems = json_object_get(answer, "problems");
	add_text(table, "daemon", state ? state : "absent");
	if (!state)
		add_text(table, "problem", status < 0 ? error : "what answers is no thongked");
	for (size_t i = 0; i < json_array_size(problems); i++)
		add_problem(table, json_array_get(problems, i));
	json_decref(answer);
	buf_release(&body);
	return state && status == 200;
}

static void
add_redis(struct table *table, const struct cli *cli)
{
	char error[512];
	struct store *store = cli_store_new(cli, error, sizeof(error));
	int status = store ? store_connect(store) : STORE_REFUSED;
	if (store && status != STORE_OK)
		snprintf(error, sizeof(error), "%s", store_error(store));
	add_text(table, "redis", status == STORE_OK ? "ok" : error);
	if (status == STORE_OK && *store_server(store)->version)
		add_text(table, "redis_version", store_server(store)->version);
	if (status == STORE_OK && *store_warning(store))
		add_text(table, "problem", store_warning(store));
	store_free(store);
}

/* Whole sentences in lines of their own: a table would cut them. */
static void
print_lines(const struct table *table, enum conf_language language)
{
	enum { ITEM_WIDTH = 20 };
	struct buf out = {0}, words = {0};
	for (size_t row = 0; row < table->row_count; row++) {
		const struct cell *cells = table_cell(table, row, 0);
		width_add_cell(&out, cell_slice(&cells[ITEM]), ITEM_WIDTH, true);
		buf_clear(&words);
		table_words(&words, &table->columns[VALUE], &cells[VALUE], language);
		buf_add_literal(&out, "  ");
		inert_add(&out, buf_slice(&words));
		width_end_line(&out);
	}
	cli_write(&out);
	buf_release(&out);
	buf_release(&words);
}

int
cmd_status(struct cli *cli)
{
	static const struct column columns[STATUS_COLUMNS] = {
		[ITEM] = {"item", WORD_CHECK, COLUMN_TEXT, NULL},
		[VALUE] = {"value", WORD_VALUE, COLUMN_TEXT, NULL},
	};
	struct table table;
	struct buf metrics = {0};
	char error[512];
	table_init(&table, columns, STATUS_COLUMNS);
	bool ready = add_ready(&table, cli->conf);
	if (measure_ask(cli->conf, "/metrics", &metrics, error, sizeof(error)) == 200)
		add_measured(&table, buf_slice(&metrics), cli_language(cli, NULL));
	add_redis(&table, cli);
	buf_release(&metrics);
	if (cli->rendering == RENDER_TABLE)
		print_lines(&table, cli_language(cli, NULL));
	else
		cli_print(cli, NULL, &table);
	if (ready)
		return CLI_FINE;
	fprintf(stderr, "thongke: no thongked shows counts; thongke doctor says what to do\n");
	return CLI_NO;
}
