/* SPDX-License-Identifier: BSD-2-Clause */
/* A file's rows to numbers, those to calls. A call whose outcome is not known is made again: it brings nothing twice. */
#include "cli/tableimport.h"

#include "base/clock.h"
#include "cli/counters.h"
#include "cli/redial.h"
#include "cli/tabular.h"

static struct tabular *
open_table(const char *path)
{
	char error[512];
	struct tabular *file = tabular_open(path, error, sizeof(error));
	if (!file)
		cli_fail(CLI_NO, "%s", error);
	return file;
}

/* Standard input can be read once: there only the name of the format tells. */
bool
tableimport_is(const char *path, const char *format)
{
	struct tabular_row row;
	if (format || strcmp(path, "-") == 0)
		return format && counters_is_name(format);
	struct tabular *file = open_table(path);
	bool is = tabular_is_sql(file) || (tabular_next(file, &row) && counters_know(&row, NULL));
	tabular_free(file);
	return is;
}

static void
read_rows(struct tableimport *import, struct counters *counters, const char *path)
{
	struct tabular_row row;
	struct tabular *file = open_table(path);
	while (tabular_next(file, &row)) {
		enum counters_verdict verdict = counters_add(counters, &row, import->format);
		import->other += verdict == COUNTERS_OTHER;
		import->bad += verdict == COUNTERS_BAD;
	}
	import->rows = tabular_rows(file);
	/* Half of a table would look like the smaller numbers of an earlier day. */
	if (*tabular_damage(file))
		cli_fail(CLI_NO, "%s ends early (%s): nothing of it is counted", path,
			 tabular_damage(file));
	tabular_free(file);
}

/* Waits for a Redis that is away. */
static bool
try_again(const struct tableimport *import, int *status, int64_t deadline)
{
	*status = redial_status(import->store, *status);
	if (*status == STORE_UNAVAILABLE)
		redial(import->store, deadline, CLI_COUNTED_SO_FAR);
	else
		cli_check(import->store, *status);
	return *status != STORE_OK;
}

static void
check_days(const struct tableimport *import, const struct brought *rows, size_t count)
{
	char day[PERIOD_NAME_SIZE];
	for (size_t i = 0; i < count && !import->overlap; i++) {
		int64_t hits = 0, deadline = clock_mono_ms() + REDIAL_MS;
		int status;
		if (rows[i].kind != PERIOD_DAY || rows[i].metric != METRIC_HITS)
			continue;
		do
			status = store_beacon_hits(import->store, import->site->key_slice,
						   rows[i].id, &hits);
		while (try_again(import, &status, deadline));
		if (hits > 0)
			cli_fail(CLI_NO,
				 "%s holds hits that were counted as they came: nothing was "
				 "counted; --overlap adds to them",
				 period_name(PERIOD_DAY, rows[i].id, day));
	}
}

static void
bring(struct tableimport *import, const struct brought *rows, size_t count, const char *source)
{
	for (size_t i = 0; i < count; i += STORE_BROUGHT_MAX) {
		size_t some = count - i < STORE_BROUGHT_MAX ? count - i : STORE_BROUGHT_MAX;
		int64_t deadline = clock_mono_ms() + REDIAL_MS;
		int status;
		do
			status = store_bring(import->store, import->site->key_slice, source,
					     rows + i, some, &import->brought);
		while (try_again(import, &status, deadline));
	}
}

/* Whether a is of a period that lies in b's, of the same metric. */
static bool
lies_in(const struct brought *a, const struct brought *b)
{
	int32_t first = a->kind == PERIOD_ALL ? 0 : period_first_day(a->kind, a->id);
	return a->metric == b->metric && a->path.len == 0 && b->path.len == 0 &&
	       a->kind < b->kind && period_of_day(b->kind, first) == b->id;
}

/* What bring() would come to: the script's arithmetic, with nothing written. */
static void
pretend(struct tableimport *import, const struct brought *rows, size_t count, const char *source)
{
	int64_t *held = xcalloc(count + 1, sizeof(*held));
	for (size_t i = 0; i < count; i += STORE_BROUGHT_MAX) {
		size_t some = count - i < STORE_BROUGHT_MAX ? count - i : STORE_BROUGHT_MAX;
		cli_check(import->store, store_brought(import->store, import->site->key_slice,
						       source, rows + i, some, held + i));
	}
	size_t longer = 0;
	while (longer < count && rows[longer].kind == PERIOD_DAY)
		longer++;
	for (size_t i = 0; i < count; i++) {
		int64_t by = rows[i].number - held[i];
		if (by <= 0)
			continue;
		import->brought.rows++;
		import->brought.added[rows[i].metric] += rows[i].path.len ? 0 : by;
		for (size_t k = longer; k < count; k++)
			held[k] += lies_in(&rows[i], &rows[k]) ? by : 0;
	}
	free(held);
}

void
tableimport_run(struct tableimport *import, const struct cli *cli, const char *path)
{
	struct counters *counters = counters_new(cli->conf, import->site);
	const char *source;
	size_t count;
	read_rows(import, counters, path);
	const struct brought *rows = counters_all(counters, &count, &source);
	if (!source)
		cli_fail(CLI_NO, "%s has no rows of a counter that is known (see INSTALL)", path);
	check_days(import, rows, count);
	if (import->dry)
		pretend(import, rows, count, source);
	else
		bring(import, rows, count, source);
	counters_free(counters);
}
