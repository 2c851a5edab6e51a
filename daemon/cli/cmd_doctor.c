/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `doctor`: what is not as it should be, a line each, and what to do. Looks at the files of the configuration, at Redis,
 * and asks the running daemon; changes nothing.
 */
#include <stdarg.h>

#include "base/inert.h"
#include "cli/doctor.h"

static const char *const state_names[] = {
	[STATE_OK] = "ok",
	[STATE_WARN] = "warn",
	[STATE_BAD] = "bad",
};

void
doctor_found(struct doctor *doctor, const char *check, enum state state, const char *advice,
	     const char *format, ...)
{
	char finding[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(finding, sizeof(finding), format, args);
	va_end(args);
	struct cell *row = table_row(&doctor->table);
	cell_text(&row[CHECK_NAME], slice_of(check));
	cell_text(&row[CHECK_STATE], slice_of(state_names[state]));
	cell_text(&row[CHECK_FINDING], slice_of(finding));
	if (state != STATE_OK)
		cell_text(&row[CHECK_ADVICE], slice_of(advice));
	doctor->bad += state == STATE_BAD;
}

static void
check_conf(struct doctor *doctor, const char *error)
{
	const struct conf *conf = doctor->cli->conf;
	if (conf)
		doctor_found(doctor, "configuration", STATE_OK, "", "%s, sites: %zu", conf->path,
			     conf->site_count);
	else
		doctor_found(doctor, "configuration", STATE_BAD,
			     "mend it; thongked -t -c FILE checks a file", "%s", error);
}

/* Whose address the front server forgets counts wrongly as long as it does: that stands first. */
static void
check_all(struct doctor *doctor)
{
	char error[1024];
	struct cli *cli = doctor->cli;
	cli->conf = cli_load_conf(cli, error, sizeof(error));
	if (cli->conf)
		doctor_daemon(doctor);
	check_conf(doctor, error);
	if (!cli->conf)
		return;
	doctor_files(doctor);
	doctor_redis(doctor);
}

/* --- the command --- */

/* Whole sentences in lines of their own: a table would cut them. */
static void
print_lines(const struct table *table)
{
	enum { NAME_WIDTH = 20 };
	struct buf out = {0};
	for (size_t i = 0; i < table->row_count; i++) {
		const struct cell *row = table_cell(table, i, 0);
		struct slice name = cell_slice(&row[CHECK_NAME]);
		buf_addf(&out, "%-4.*s  ", SLICE_ARG(cell_slice(&row[CHECK_STATE])));
		buf_addf(&out, "%-*.*s  ", NAME_WIDTH, SLICE_ARG(name));
		inert_add(&out, cell_slice(&row[CHECK_FINDING]));
		buf_add_literal(&out, "\n");
		if (row[CHECK_ADVICE].state == CELL_TEXT)
			buf_addf(&out, "      -> %.*s\n",
				 SLICE_ARG(cell_slice(&row[CHECK_ADVICE])));
	}
	cli_write(&out);
	buf_release(&out);
}

int
cmd_doctor(struct cli *cli)
{
	static const struct column columns[CHECK_COLUMNS] = {
		[CHECK_NAME] = {"check", WORD_CHECK, COLUMN_TEXT, NULL},
		[CHECK_STATE] = {"state", WORD_STATE, COLUMN_TEXT, NULL},
		[CHECK_FINDING] = {"finding", WORD_FINDING, COLUMN_TEXT, NULL},
		[CHECK_ADVICE] = {"advice", WORD_ADVICE, COLUMN_TEXT, NULL},
	};
	struct doctor doctor = {.cli = cli};
	log_set_level(LOG_ERROR);
	table_init(&doctor.table, columns, CHECK_COLUMNS);
	check_all(&doctor);
	if (cli->rendering == RENDER_TABLE)
		print_lines(&doctor.table);
	else
		cli_print(cli, NULL, &doctor.table);
	if (doctor.bad == 0)
		return CLI_FINE;
	fprintf(stderr, "thongke: checks that are bad: %zu\n", doctor.bad);
	return CLI_NO;
}
