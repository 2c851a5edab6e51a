/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `import`: counts access logs into the days that their lines tell, and what other counters counted; each once per site.
 * Goes through the files, site by site where the lines tell whose they are; says what became of them.
 */
#include <sodium.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/change.h"
#include "cli/counters.h"
#include "cli/export.h"
#include "cli/follow.h"
#include "cli/logimport.h"
#include "cli/tableimport.h"

/* What is reported of a file, and why not all of it was counted: the first reason decides how the command ends. */
struct importing {
	const struct cli *cli;
	struct table table;
	struct store *store, *asks;
	struct delta *delta;
	int signals;
	bool sites; /* more than one: rows name theirs */
	enum cli_exit code;
	char reason[512];
};

/* One site's turn. */
struct turn {
	struct importing *command;
	struct visits *visits;
	struct logimport import;
};

enum { LINES, VERDICTS, ALREADY = VERDICTS + LOGJUDGE_BAD + 1, FILE_NAME, SITE, COLUMNS };

static void fail_later(struct importing *command, enum cli_exit code, const char *format, ...)
	PRINTF(3, 4);

static void
fail_later(struct importing *command, enum cli_exit code, const char *format, ...)
{
	va_list args;
	if (command->code != CLI_FINE)
		return;
	command->code = code;
	va_start(args, format);
	vsnprintf(command->reason, sizeof(command->reason), format, args);
	va_end(args);
}

/* --- what became of a file --- */

static void
report(struct importing *command, const struct logimport *import)
{
	const struct sums *done = &import->done;
	const struct logplace *place = &import->place;
	uint64_t lines = logfile_lines(place->file), ours = 0;
	struct cell *row = table_row(&command->table);
	cell_number(&row[LINES], (int64_t)lines);
	for (size_t i = 0; i < COUNT_OF(done->of); i++) {
		cell_number(&row[VERDICTS + i], (int64_t)done->of[i]);
		ours += done->of[i];
	}
	/* After Redis lost its tail some lines were counted again. */
	cell_number(&row[ALREADY], lines > ours ? (int64_t)(lines - ours) : 0);
	cell_text(&row[FILE_NAME], slice_of(place->path));
	if (command->sites)
		cell_text(&row[SITE], place->site->key_slice);
	if (done->of[LOGJUDGE_BAD] > 0)
		fprintf(stderr,
			"thongke: %s: %" PRIu64
			" lines are no log lines, the first is line %" PRIu64 "\n",
			place->path, done->of[LOGJUDGE_BAD], done->first_bad);
}

/* Why not all of the file was counted; what comes before is. */
static void
explain_end(struct importing *command, const struct logimport *import)
{
	const struct logplace *place = &import->place;
	char day[PERIOD_NAME_SIZE];
	if (*logfile_damage(place->file))
		fail_later(command, CLI_NO, "%s ends early (%s): what comes before is counted",
			   place->path, logfile_damage(place->file));
	if (import->refused > 0)
		fail_later(command, CLI_REFUSED, "Redis refused %" PRIu64 " fields: %s",
			   import->refused, import->refusal);
	if (import->stopped)
		fail_later(command, CLI_NO,
			   "%s holds hits that were counted as they came: the log up to there is "
			   "counted; --overlap adds the rest to them",
			   period_name(PERIOD_DAY, import->full_day, day));
}

/* --- one file of one site --- */

static struct logfile *
open_file(const char *path)
{
	char error[512];
	struct logfile *file = logfile_open(path, error, sizeof(error));
	if (!file)
		cli_fail(CLI_NO, "%s", error);
	return file;
}

static void
choose_format(const struct cli *cli, const char *path, struct logfile *file,
	      struct logformat *format)
{
	char error[512];
	if (!logformat_choose(format, cli->format_text, file, error, sizeof(error)))
		cli_fail(cli->format_text ? CLI_USAGE : CLI_NO, "%s: %s", path, error);
}

/* A file that the daemon would not start with is the configuration's fault. */
static struct logjudge *
new_judge(const struct importing *command, struct logimport *import)
{
	const struct logjudge_options options = {
		.conf = command->cli->conf,
		.site = import->place.site,
		.all = command->cli->all,
		.format = import->place.format,
		.named = command->sites,
		.ask_day = logimport_day_cb,
		.arg = import,
	};
	log_set_level(LOG_ERROR);
	die_as("thongke", CLI_CONF);
	return logjudge_new(&options);
}

/* A log that begins: nobody was seen before it but in the files before. */
static void
begin(struct turn *turn, const char *path, struct logfile *file, const struct logformat *format,
      const struct conf_site *site)
{
	const struct importing *command = turn->command;
	const struct cli *cli = command->cli;
	turn->import = (struct logimport){
		.place = {.path = path,
			  .site = site,
			  .asks = command->asks,
			  .file = file,
			  .visits = turn->visits,
			  .format = format,
			  .options = cli->all ? "all" : "views",
			  .visits_fit = true},
		.store = command->store,
		.delta = command->delta,
		.overlap = cli->overlap,
		.dry = cli->dry_run,
		.signals = command->signals,
		.progress = isatty(STDERR_FILENO),
	};
	turn->import.place.judge = new_judge(command, &turn->import);
}

static void
finish(struct turn *turn)
{
	report(turn->command, &turn->import);
	explain_end(turn->command, &turn->import);
	logjudge_free(turn->import.place.judge);
	logimport_release(&turn->import);
}

/* --- a file that is written to meanwhile --- */

/* The file that has the name now; NULL: there is none yet. */
static struct logfile *
reopen(const char *path)
{
	char error[512];
	return access(path, R_OK) == 0 ? logfile_open(path, error, sizeof(error)) : NULL;
}

/* False: it is time to end. */
static bool
take_over(struct turn *turn, struct logfile **file, const struct logformat *format)
{
	const struct logplace place = turn->import.place;
	struct logfile *fresh = NULL;
	while (!fresh && follow_wait(turn->command->signals))
		fresh = reopen(place.path);
	if (!fresh)
		return false;
	finish(turn);
	logfile_free(*file);
	*file = fresh;
	begin(turn, place.path, fresh, format, place.site);
	return true;
}

static void
follow(struct turn *turn, struct logfile **file, struct logformat *format)
{
	struct logimport *import = &turn->import;
	const struct cli *cli = turn->command->cli;
	while (!import->stopped && !logimport_is_ended(import)) {
		enum logfile_change change = logfile_change(*file, import->place.path);
		/* What was written before it was renamed is read first. */
		if (change != LOGFILE_CUT) {
			logfile_go_on(*file);
			if (!format->row && import->place.position == 0)
				choose_format(cli, import->place.path, *file, format);
			logimport_run(import);
		}
		if (change == LOGFILE_SAME ? !follow_wait(turn->command->signals)
					   : !take_over(turn, file, format))
			break;
	}
}

static void
import_file(struct turn *turn, const char *path, const struct conf_site *site)
{
	struct logformat format;
	struct logfile *file = open_file(path);
	/* Asked now: by the time that it is read it may have been rotated. */
	if (turn->command->cli->follow && !logfile_can_grow(file, path))
		cli_fail(CLI_NO, "%s does not grow: --follow takes a plain file", path);
	choose_format(turn->command->cli, path, file, &format);
	begin(turn, path, file, &format, site);
	logimport_run(&turn->import);
	if (turn->command->cli->follow)
		follow(turn, &file, &format);
	finish(turn);
	logfile_free(file);
}

static void
import_files(struct importing *command, const struct conf_site *site)
{
	const struct cli *cli = command->cli;
	struct turn turn = {.command = command, .visits = visits_new(site->visit_gap * 1000)};
	for (size_t i = 0; i < cli->arg_count; i++)
		import_file(&turn, cli->args[i], site);
	visits_free(turn.visits);
}

/* On the list of what was changed, before anything is. */
static void
note_change(struct importing *command)
{
	const struct cli *cli = command->cli;
	struct change change = {
		.command = "import",
		.site = command->sites ? NULL : cli_site(cli)->key,
	};
	for (size_t i = 0; i < cli->arg_count; i++)
		buf_addf(&change.what, "%s%s", i ? ", " : "", cli->args[i]);
	change_begin(cli, command->store, &change);
	change_release(&change);
}

static void
open_redis(struct importing *command)
{
	const struct cli *cli = command->cli;
	command->store = cli_store(cli);
	command->asks = cli_store(cli);
	/* Names no site, but notes the schema and refuses another one before anything is written in it. */
	cli_check(command->store, cli->dry_run ? store_check_schema(command->store)
					       : store_note_sites(command->store, NULL, NULL, 0));
	if (!cli->dry_run)
		note_change(command);
}

/* --- what other counters counted --- */

enum {
	TABLE_ROWS,
	TABLE_METRICS,
	TABLE_OTHER = TABLE_METRICS + METRIC_STORED,
	TABLE_BAD,
	TABLE_FILE,
	TABLE_COLUMNS
};

static void
import_table(struct importing *command, const struct conf_site *site, const char *path)
{
	const struct cli *cli = command->cli;
	struct tableimport import = {
		.site = site,
		.store = command->store,
		.format = cli->format_text,
		.overlap = cli->overlap,
		.dry = cli->dry_run,
	};
	tableimport_run(&import, cli, path);
	struct cell *row = table_row(&command->table);
	cell_number(&row[TABLE_ROWS], (int64_t)import.rows);
	for (int metric = 0; metric < METRIC_STORED; metric++)
		cell_number(&row[TABLE_METRICS + metric], import.brought.added[metric]);
	cell_number(&row[TABLE_OTHER], (int64_t)import.other);
	cell_number(&row[TABLE_BAD], (int64_t)import.bad);
	cell_text(&row[TABLE_FILE], slice_of(path));
	if (import.brought.refused > 0)
		fail_later(command, CLI_REFUSED, "Redis refused %" PRId64 " fields: %s",
			   import.brought.refused, import.brought.refusal);
}

static void
import_tables(struct importing *command)
{
	static const struct column columns[TABLE_COLUMNS] = {
		[TABLE_ROWS] = {"rows", WORD_RECORDS, COLUMN_COUNT, NULL},
		[TABLE_METRICS + METRIC_HITS] = {"hits", WORD_HITS, COLUMN_COUNT, NULL},
		[TABLE_METRICS + METRIC_VISITS] = {"visits", WORD_VISITS, COLUMN_COUNT, NULL},
		[TABLE_METRICS + METRIC_VISITORS] = {"visitors", WORD_VISITORS, COLUMN_COUNT, NULL},
		[TABLE_METRICS + METRIC_BOTS] = {"bots", WORD_BOTS, COLUMN_COUNT, NULL},
		[TABLE_OTHER] = {"skipped", WORD_SKIPPED, COLUMN_COUNT, NULL},
		[TABLE_BAD] = {"bad", WORD_BAD, COLUMN_COUNT, NULL},
		[TABLE_FILE] = {"file", WORD_FILE, COLUMN_TEXT, NULL},
	};
	const struct cli *cli = command->cli;
	const struct conf_site *site = cli_site(cli);
	if (cli->all || cli->follow)
		cli_fail(CLI_USAGE, "--all and --follow are for logs");
	table_init(&command->table, columns, TABLE_COLUMNS);
	command->table.site = site->key;
	command->table.timezone = site->timezone;
	open_redis(command);
	for (size_t i = 0; i < cli->arg_count; i++)
		import_table(command, site, cli->args[i]);
}

/* Files of one call are of one kind: what is reported of them differs. */
static bool
are_tables(const struct cli *cli)
{
	size_t tables = 0;
	for (size_t i = 0; i < cli->arg_count; i++)
		tables += tableimport_is(cli->args[i], cli->format_text);
	if (tables > 0 && tables < cli->arg_count)
		cli_fail(CLI_USAGE, "logs and other counters' numbers are imported apart");
	return tables > 0;
}

/* --- the command --- */

/* Whether each line tells whose it is, so that no site need be named. */
static bool
all_have_vhosts(const struct cli *cli)
{
	bool all = true;
	for (size_t i = 0; i < cli->arg_count && all; i++) {
		struct logformat format;
		struct logfile *file =
			strcmp(cli->args[i], "-") == 0 ? NULL : open_file(cli->args[i]);
		if (file)
			choose_format(cli, cli->args[i], file, &format);
		all = file && logformat_has_vhosts(&format);
		logfile_free(file);
	}
	return all;
}

static void
check_options(const struct cli *cli)
{
	struct buf names = {0};
	if (cli->format_text && !logformat_is_name(cli->format_text) &&
	    !counters_is_name(cli->format_text)) {
		logformat_names(&names);
		counters_names(&names);
		cli_fail(CLI_USAGE,
			 "--format is one of %.*sor lines in nginx' notation, not \"%s\"",
			 SLICE_ARG(buf_slice(&names)), cli->format_text);
	}
	if (cli->follow && (cli->arg_count != 1 || cli->dry_run))
		cli_fail(CLI_USAGE, "--follow takes one file, and no --dry-run");
}

static void
import_sites(struct importing *command)
{
	const struct cli *cli = command->cli;
	command->sites =
		!cli->site_key && cli->conf->site_count > 1 && !cli->follow && all_have_vhosts(cli);
	if (!command->sites) {
		import_files(command, cli_site(cli));
		return;
	}
	for (size_t i = 0; i < cli->conf->site_count; i++)
		import_files(command, &cli->conf->sites[i]);
}

static void
import_logs(struct importing *command)
{
	static const struct column columns[COLUMNS] = {
		[LINES] = {"lines", WORD_LINES, COLUMN_COUNT, NULL},
		[VERDICTS + LOGJUDGE_VIEW] = {"counted", WORD_COUNTED, COLUMN_COUNT, NULL},
		[VERDICTS + LOGJUDGE_BOT] = {"bots", WORD_BOTS, COLUMN_COUNT, NULL},
		[VERDICTS + LOGJUDGE_EXCLUDED] = {"excluded", WORD_EXCLUDED, COLUMN_COUNT, NULL},
		[VERDICTS + LOGJUDGE_SKIPPED] = {"skipped", WORD_SKIPPED, COLUMN_COUNT, NULL},
		[VERDICTS + LOGJUDGE_BAD] = {"bad", WORD_BAD, COLUMN_COUNT, NULL},
		[ALREADY] = {"already", WORD_ALREADY, COLUMN_COUNT, NULL},
		[FILE_NAME] = {"file", WORD_FILE, COLUMN_TEXT, NULL},
		[SITE] = {"site", WORD_SITE, COLUMN_TEXT, NULL},
	};
	const struct cli *cli = command->cli;
	command->sites =
		!cli->site_key && cli->conf->site_count > 1 && !cli->follow && all_have_vhosts(cli);
	table_init(&command->table, columns, command->sites ? COLUMNS : SITE);
	if (!command->sites) {
		command->table.site = cli_site(cli)->key;
		command->table.timezone = cli_site(cli)->timezone;
	}
	open_redis(command);
	import_sites(command);
}

/* What export wrote, else NULL. A pipe could not be read from its beginning again, and is never one. */
static struct logfile *
open_export(const struct cli *cli)
{
	struct stat status;
	if (cli->arg_count != 1 || stat(cli->args[0], &status) != 0 || !S_ISREG(status.st_mode))
		return NULL;
	struct logfile *file = open_file(cli->args[0]);
	if (export_is_one(file))
		return file;
	logfile_free(file);
	return NULL;
}

int
cmd_import(struct cli *cli)
{
	struct logfile *export = open_export(cli);
	if (export && (cli->dry_run || cli->follow || cli->format_text))
		cli_fail(
			CLI_USAGE,
			"an export is restored as it is, without --dry-run, --follow and --format");
	if (export)
		return export_restore(cli, export);
	struct importing command = {.cli = cli, .signals = -1, .delta = delta_new()};
	check_options(cli);
	if (sodium_init() < 0)
		cli_fail(CLI_NO, "libsodium does not start");
	if (cli->follow)
		command.signals = follow_signals();
	if (are_tables(cli))
		import_tables(&command);
	else
		import_logs(&command);
	cli_print(cli, command.sites ? NULL : cli_site(cli), &command.table);
	if (cli->dry_run)
		fprintf(stderr, "thongke: nothing was written\n");
	else
		change_end(command.store);
	delta_free(command.delta);
	store_free(command.asks);
	store_free(command.store);
	if (command.code != CLI_FINE)
		cli_fail(command.code, "%s", command.reason);
	return CLI_FINE;
}
