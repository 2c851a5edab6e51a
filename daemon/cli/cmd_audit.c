/* SPDX-License-Identifier: BSD-2-Clause */
/* `audit`: what operators changed, oldest first, as the list in Redis has it. */
#include <jansson.h>

#include "base/clock.h"
#include "cli/window.h"
#include "store/change.h"

enum { AUDIT_TIME, AUDIT_USER, AUDIT_HOST, AUDIT_COMMAND, AUDIT_SITE, AUDIT_WHAT, AUDIT_WHY };

static const struct column columns[] = {
	[AUDIT_TIME] = {"time", WORD_WHEN, COLUMN_TEXT, NULL},
	[AUDIT_USER] = {"user", WORD_USER, COLUMN_TEXT, NULL},
	[AUDIT_HOST] = {"host", WORD_HOST, COLUMN_TEXT, NULL},
	[AUDIT_COMMAND] = {"command", WORD_COMMAND, COLUMN_TEXT, NULL},
	[AUDIT_SITE] = {"site", WORD_SITE, COLUMN_TEXT, NULL},
	[AUDIT_WHAT] = {"what", WORD_CHANGED, COLUMN_TEXT, NULL},
	[AUDIT_WHY] = {"why", WORD_WHY, COLUMN_TEXT, NULL},
};

struct listing {
	const struct cli *cli;
	const struct window *window; /* NULL: of all days */
	json_t **lines;
	size_t count, room;
};

static const char *
member(const json_t *line, int column)
{
	return json_string_value(json_object_get(line, columns[column].key));
}

static bool
is_wanted(const struct listing *listing, const json_t *line)
{
	enum { DATE_LEN = 10 };
	const char *site = member(line, AUDIT_SITE), *time = member(line, AUDIT_TIME);
	enum period_kind kind;
	int32_t day;
	if (listing->cli->site_key && (!site || strcmp(site, listing->cli->site_key) != 0))
		return false;
	if (!listing->window)
		return true;
	return time && strlen(time) > DATE_LEN &&
	       period_parse((struct slice){time, DATE_LEN}, &kind, &day) && kind == PERIOD_DAY &&
	       day >= listing->window->range.first && day <= listing->window->range.last;
}

/* What is no such line is somebody else's, and passed over. */
static void
take_line_cb(struct slice text, void *arg)
{
	struct listing *listing = arg;
	json_t *line = json_loadb(text.ptr, text.len, 0, NULL);
	if (!is_wanted(listing, line)) {
		json_decref(line);
		return;
	}
	if (listing->count == listing->room) {
		listing->room = listing->room ? 2 * listing->room : 64;
		listing->lines = xrealloc(listing->lines, listing->room * sizeof(json_t *));
	}
	listing->lines[listing->count++] = line;
}

static void
print(const struct cli *cli, const struct listing *listing)
{
	struct table table;
	size_t limit = (size_t)cli->limit, count = listing->count;
	table_init(&table, columns, COUNT_OF(columns));
	for (size_t i = limit && count > limit ? count - limit : 0; i < count; i++) {
		struct cell *row = table_row(&table);
		for (size_t column = 0; column < COUNT_OF(columns); column++) {
			const char *text = member(listing->lines[i], (int)column);
			if (text)
				cell_text(&row[column], slice_of(text));
		}
	}
	cli_print(cli, NULL, &table);
}

int
cmd_audit(struct cli *cli)
{
	struct window window = window_asked(cli, 0, (int32_t)(clock_wall_ms() / 1000 / 86400));
	bool given = cli->arg_count > 0 || cli->from || cli->to;
	if (given && !window.from_given)
		window.range.first = INT32_MIN;
	struct listing listing = {.cli = cli, .window = given ? &window : NULL};
	struct store *store = cli_store(cli);
	cli_check(store, change_list(store, take_line_cb, &listing));
	store_free(store);
	print(cli, &listing);
	for (size_t i = 0; i < listing.count; i++)
		json_decref(listing.lines[i]);
	free(listing.lines);
	return CLI_FINE;
}
