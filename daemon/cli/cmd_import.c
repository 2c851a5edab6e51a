/* SPDX-License-Identifier: BSD-2-Clause */
/* `import`: counts an access log into the days its lines tell, each line once per site. */
#include <sodium.h>
#include <unistd.h>

#include "cli/logimport.h"

static void
report(const struct cli *cli, struct logimport *import)
{
	enum { LINES, VERDICTS, ALREADY = VERDICTS + LOGJUDGE_BAD + 1, COLUMNS };
	static const struct column columns[COLUMNS] = {
		[LINES] = {"lines", WORD_LINES, COLUMN_COUNT, NULL},
		[VERDICTS + LOGJUDGE_VIEW] = {"counted", WORD_COUNTED, COLUMN_COUNT, NULL},
		[VERDICTS + LOGJUDGE_BOT] = {"bots", WORD_BOTS, COLUMN_COUNT, NULL},
		[VERDICTS + LOGJUDGE_EXCLUDED] = {"excluded", WORD_EXCLUDED, COLUMN_COUNT, NULL},
		[VERDICTS + LOGJUDGE_SKIPPED] = {"skipped", WORD_SKIPPED, COLUMN_COUNT, NULL},
		[VERDICTS + LOGJUDGE_BAD] = {"bad", WORD_BAD, COLUMN_COUNT, NULL},
		[ALREADY] = {"already", WORD_ALREADY, COLUMN_COUNT, NULL},
	};
	const struct sums *done = &import->done;
	uint64_t lines = logfile_lines(import->place.file), ours = 0;
	struct table table;
	table_init(&table, columns, COLUMNS);
	table.site = import->place.site->key;
	table.timezone = import->place.site->timezone;
	struct cell *row = table_row(&table);
	cell_number(&row[LINES], (int64_t)lines);
	for (size_t i = 0; i < COUNT_OF(done->of); i++) {
		cell_number(&row[VERDICTS + i], (int64_t)done->of[i]);
		ours += done->of[i];
	}
	/* After Redis lost its tail some lines were counted again. */
	cell_number(&row[ALREADY], lines > ours ? (int64_t)(lines - ours) : 0);
	cli_print(cli, import->place.site, &table);
	if (done->of[LOGJUDGE_BAD] > 0)
		fprintf(stderr,
			"thongke: %" PRIu64 " lines are no log lines, the first is line %" PRIu64
			"\n",
			done->of[LOGJUDGE_BAD], done->first_bad);
}

/* Why not all of the file was counted; what comes before is. */
static void
explain_end(const struct logimport *import)
{
	const char *file = import->place.path;
	char day[PERIOD_NAME_SIZE];
	if (*logfile_damage(import->place.file))
		cli_fail(CLI_NO, "%s ends early (%s): what comes before is counted", file,
			 logfile_damage(import->place.file));
	if (import->refused > 0)
		cli_fail(CLI_REFUSED, "Redis refused %" PRIu64 " fields: %s", import->refused,
			 import->refusal);
	if (import->stopped)
		cli_fail(CLI_NO,
			 "%s holds hits that were counted as they came: the log up to there is "
			 "counted; --overlap adds the rest to them",
			 period_name(PERIOD_DAY, import->full_day, day));
}

/* A file that the daemon would not start with is the configuration's fault. */
static struct logjudge *
new_judge(const struct cli *cli, struct logimport *import)
{
	const struct logjudge_options options = {
		.conf = cli->conf,
		.site = import->place.site,
		.all = cli->all,
		.ask_day = logimport_day_cb,
		.arg = import,
	};
	log_set_level(LOG_ERROR);
	die_as("thongke", CLI_CONF);
	return logjudge_new(&options);
}

int
cmd_import(struct cli *cli)
{
	char error[512];
	struct logimport import = {
		.place = {.path = cli->args[0],
			  .site = cli_site(cli),
			  .options = cli->all ? "all" : "views",
			  .visits_fit = true}, /* nobody was seen before the beginning */
		.overlap = cli->overlap,
		.progress = isatty(STDERR_FILENO),
	};
	struct logplace *place = &import.place;
	if (sodium_init() < 0)
		cli_fail(CLI_NO, "libsodium does not start");
	place->file = logfile_open(place->path, error, sizeof(error));
	if (!place->file)
		cli_fail(CLI_NO, "%s", error);
	place->judge = new_judge(cli, &import);
	place->visits = visits_new(place->site->visit_gap * 1000);
	import.store = cli_store(cli);
	place->asks = cli_store(cli);
	/* Names no site, but notes the schema and refuses another one before anything is written in it. */
	cli_check(import.store, store_note_sites(import.store, NULL, NULL, 0));
	import.delta = delta_new();
	logimport_run(&import);
	report(cli, &import);
	explain_end(&import);
	delta_free(import.delta);
	store_free(place->asks);
	store_free(import.store);
	visits_free(place->visits);
	logjudge_free(place->judge);
	logfile_free(place->file);
	logimport_release(&import);
	return CLI_FINE;
}
