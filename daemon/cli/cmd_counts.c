/* SPDX-License-Identifier: BSD-2-Clause */
/* `counts`: what the counter in a page shows now, from Redis, in the site's language, rows and metric. */
#include "cli/cli.h"
#include "show/counts.h"

/* With what operators added, which stays in numbers->adjusted as well. */
static void
read_counts(const struct cli *cli, const struct conf_site *site, struct site_numbers *numbers,
	    struct counts *counts)
{
	struct store *store = cli_store(cli);
	cli_check(store, store_read(store, site->shard, numbers, 1, NULL, 0, NULL));
	store_free(store);
	*counts = (struct counts){.online = numbers->online, .bots = numbers->bots};
	for (int metric = 0; metric < METRIC_COUNT; metric++)
		for (int i = 0; i < SHOWN_PERIODS; i++) {
			int64_t counted = numbers->counts[metric][i];
			counts->numbers[metric][i] =
				counted < 0 ? COUNT_UNKNOWN
					    : count_shown(counted, numbers->adjusted[metric][i]);
		}
}

/* ,"adjusted":{"hits":{"year":166733,"total":166733}}: of what operators added all that is not 0. */
static void
add_adjusted(struct buf *out, const struct site_numbers *numbers)
{
	const char *before = ",\"adjusted\":{";
	for (int metric = 0; metric < METRIC_COUNT; metric++) {
		bool any = false;
		for (int i = 0; i < SHOWN_PERIODS; i++) {
			int64_t adjusted = numbers->adjusted[metric][i];
			if (!adjusted)
				continue;
			if (!any)
				buf_addf(out, "%s\"%s\":{", before, metric_names[metric]);
			buf_addf(out, "%s\"%s\":%" PRId64, any ? "," : "", shown_periods[i].name,
				 adjusted);
			any = true;
			before = ",";
		}
		if (any)
			buf_add_literal(out, "}");
	}
	if (strcmp(before, ",") == 0)
		buf_add_literal(out, "}");
}

enum { ROW_NAME, ROW_LABEL, ROW_VALUE, ROW_TEXT, ROW_METRICS };

/* The rows of the JSON form, for CSV and TSV; and every metric of those that are periods. */
static void
print_rows(const struct cli *cli, const struct counts_view *view, const struct counts *counts)
{
	static const struct column columns[] = {
		[ROW_NAME] = {"row", WORD_HITS, COLUMN_TEXT, NULL},
		[ROW_LABEL] = {"label", WORD_HITS, COLUMN_TEXT, NULL},
		[ROW_VALUE] = {"value", WORD_HITS, COLUMN_COUNT, NULL},
		[ROW_TEXT] = {"text", WORD_HITS, COLUMN_TEXT, NULL},
#define X(id, name) [ROW_METRICS + METRIC_##id] = {name, WORD_##id, COLUMN_COUNT, NULL},
		METRICS(X)
#undef X
	};
	struct table table;
	struct buf words = {0};
	table_init(&table, columns, COUNT_OF(columns));
	for (size_t i = 0; i < view->row_count; i++) {
		int row = view->rows[i];
		int64_t value = counts_row(view, counts, row);
		struct cell *cells = table_row(&table);
		cell_text(&cells[ROW_NAME], slice_of(conf_row_names[row]));
		buf_clear(&words);
		label_row(&words, view->language, row, view->date->civil);
		cell_text(&cells[ROW_LABEL], buf_slice(&words));
		cell_count(&cells[ROW_VALUE], value);
		buf_clear(&words);
		if (value != COUNT_UNKNOWN)
			label_number(&words, view->language, value);
		cell_text(&cells[ROW_TEXT], buf_slice(&words));
		for (int metric = 0; metric < METRIC_COUNT && row < SHOWN_PERIODS; metric++)
			cell_count(&cells[ROW_METRICS + metric], counts->numbers[metric][row]);
	}
	buf_release(&words);
	table.site = view->site->key;
	table.brief = TABLE_COLUMN(ROW_LABEL) | TABLE_COLUMN(ROW_TEXT);
	cli_print(cli, view->site, &table);
}

int
cmd_counts(struct cli *cli)
{
	const struct conf_site *site = cli_site(cli);
	struct counts_view view;
	struct counts counts;
	struct date date = {0};
	counts_view_init(&view, site);
	/* What the site lets anyone read does not bind whoever may ask Redis itself. */
	view.metrics = view.pages = true;
	if (cli->metric_text)
		view.metric = cli->metric;
	view.language = cli_language(cli, site);
	view.local = cli_now(site, &view.utc);
	date_fill(&date, view.local.day);
	view.date = &date;
	view.counted = COUNTS_READ;
	struct site_numbers numbers = {.site = site->key_slice, .day = view.local.day};
	read_counts(cli, site, &numbers, &counts);
	if (cli->rendering != RENDER_JSON && cli->rendering != RENDER_TABLE) {
		print_rows(cli, &view, &counts);
		return CLI_FINE;
	}
	struct buf out = {0};
	if (cli->rendering == RENDER_JSON) {
		counts_json(&out, &view, &counts);
		out.len--; /* its closing brace */
		add_adjusted(&out, &numbers);
		buf_add_literal(&out, "}");
	} else {
		counts_text(&out, &view, &counts);
	}
	if (out.len > 0 && out.data[out.len - 1] != '\n')
		buf_add_literal(&out, "\n");
	cli_write(&out);
	buf_release(&out);
	return CLI_FINE;
}
