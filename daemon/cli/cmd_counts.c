/* SPDX-License-Identifier: BSD-2-Clause */
/* `counts`: what the counter in a page shows now, from Redis, in the site's language, rows and metric. */
#include "cli/cli.h"
#include "show/counts.h"

static void
read_counts(const struct cli *cli, const struct conf_site *site, int32_t day, struct counts *counts)
{
	struct site_numbers numbers = {.site = site->key_slice, .day = day};
	struct store *store = cli_store(cli);
	cli_check(store, store_read(store, site->shard, &numbers, 1, NULL, 0, NULL));
	store_free(store);
	*counts = (struct counts){.online = numbers.online, .bots = numbers.bots};
	memcpy(counts->numbers, numbers.counts, sizeof counts->numbers);
}

/* The rows of the JSON form, for CSV and TSV. */
static void
print_rows(const struct cli *cli, const struct counts_view *view, const struct counts *counts)
{
	static const struct column columns[] = {{"row", WORD_HITS, COLUMN_TEXT, NULL},
						{"label", WORD_HITS, COLUMN_TEXT, NULL},
						{"value", WORD_HITS, COLUMN_COUNT, NULL},
						{"text", WORD_HITS, COLUMN_TEXT, NULL}};
	struct table table;
	struct buf words = {0};
	table_init(&table, columns, COUNT_OF(columns));
	for (size_t i = 0; i < view->row_count; i++) {
		int row = view->rows[i];
		int64_t value = counts_row(view, counts, row);
		struct cell *cells = table_row(&table);
		cell_text(&cells[0], slice_of(conf_row_names[row]));
		buf_clear(&words);
		label_row(&words, view->language, row, view->date->civil);
		cell_text(&cells[1], buf_slice(&words));
		cell_count(&cells[2], value);
		buf_clear(&words);
		if (value != COUNT_UNKNOWN)
			label_number(&words, view->language, value);
		cell_text(&cells[3], buf_slice(&words));
	}
	buf_release(&words);
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
	view.language = cli_language(cli, site);
	view.local = cli_now(site, &view.utc);
	date_fill(&date, view.local.day);
	view.date = &date;
	view.counted = COUNTS_READ;
	read_counts(cli, site, view.local.day, &counts);
	if (cli->rendering == RENDER_CSV || cli->rendering == RENDER_TSV) {
		print_rows(cli, &view, &counts);
		return CLI_FINE;
	}
	struct buf out = {0};
	if (cli->rendering == RENDER_JSON)
		counts_json(&out, &view, &counts);
	else
		counts_text(&out, &view, &counts);
	if (out.len > 0 && out.data[out.len - 1] != '\n')
		buf_add_literal(&out, "\n");
	cli_write(&out);
	buf_release(&out);
	return CLI_FINE;
}
