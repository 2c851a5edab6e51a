/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `config`: the configuration in force, every key with its value and where it comes from: a line of a file, the
 * environment, -o, or nobody, so that it has its default. That of thongke itself, which need not be the daemon's.
 */
#include <stdlib.h>

#include "cli/cli.h"

struct origin {
	char *name; /* "journal.sync", "site.KEY.language" */
	char *where;
	size_t order;
};

struct origins {
	struct origin *list;
	size_t count, room;
};

/* For programs one table with whole names; for people one for each site, with a site's keys by their own names. */
struct job {
	struct origins origins;
	struct table *tables; /* of keys of no site, then of each site */
	const char *site;     /* of the last one; NULL: of none */
	size_t table_count;
	bool for_people, changed_alone;
};

enum { KEY, VALUE, ORIGIN, CONFIG_COLUMNS };

static void
note_cb(const char *site, const char *section, const char *name, const char *where, void *arg)
{
	struct origins *origins = arg;
	struct buf full = {0};
	if (origins->count == origins->room) {
		origins->room = origins->room ? 2 * origins->room : 64;
		origins->list = xrealloc(origins->list, origins->room * sizeof(*origins->list));
	}
	buf_addf(&full, "%s%s%s%s%s", section, *section ? "." : "", site ? site : "",
		 site ? "." : "", name);
	buf_add(&full, "", 1);
	origins->list[origins->count] = (struct origin){full.data, xstrdup(where), origins->count};
	origins->count++;
}

/* By name, the last note first. */
static int
compare(const void *a, const void *b)
{
	const struct origin *left = a, *right = b;
	int order = strcmp(left->name, right->name);
	return order ? order : (left->order < right->order) - (left->order > right->order);
}

/* Of several notes the last counts: the first here. NULL: nobody set it. */
static const char *
find(const struct origins *origins, const char *name)
{
	size_t low = 0, high = origins->count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (strcmp(origins->list[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	bool found = low < origins->count && strcmp(origins->list[low].name, name) == 0;
	return found ? origins->list[low].where : NULL;
}

static struct table *
add_table(struct job *job, const char *site)
{
	static const struct column columns[CONFIG_COLUMNS] = {
		[KEY] = {"key", WORD_KEY, COLUMN_TEXT, NULL},
		[VALUE] = {"value", WORD_VALUE, COLUMN_TEXT, NULL},
		[ORIGIN] = {"origin", WORD_ORIGIN, COLUMN_TEXT, NULL},
	};
	struct table *table = &job->tables[job->table_count++];
	table_init(table, columns, CONFIG_COLUMNS);
	table->site = job->site = site;
	return table;
}

static void
show_cb(const struct conf_shown *shown, void *arg)
{
	struct job *job = arg;
	const char *where = find(&job->origins, shown->full);
	if (job->changed_alone && !shown->changed)
		return;
	struct table *table = job->tables + job->table_count - 1;
	if (job->for_people && shown->site && shown->site != job->site)
		table = add_table(job, shown->site);
	bool bare = job->for_people && shown->site;
	struct cell *row = table_row(table);
	cell_text(&row[KEY], slice_of(bare ? shown->name : shown->full));
	cell_text(&row[VALUE], slice_of(shown->value));
	cell_text(&row[ORIGIN], slice_of(where ? where : "default"));
}

int
cmd_config(struct cli *cli)
{
	struct job job = {.for_people = cli->rendering == RENDER_TABLE, .changed_alone = cli->diff};
	char error[1024];
	cli->conf = conf_load_noting(cli_conf_file(cli), cli->overrides, cli->override_count,
				     note_cb, &job.origins, error, sizeof(error));
	if (!cli->conf)
		cli_fail(CLI_CONF, "%s", error);
	qsort(job.origins.list, job.origins.count, sizeof(*job.origins.list), compare);
	job.tables = xcalloc(cli->conf->site_count + 1, sizeof(*job.tables));
	add_table(&job, NULL);
	conf_show(cli->conf, show_cb, &job);
	cli_print_all(cli, NULL, job.tables, job.table_count);
	free(job.tables);
	for (size_t i = 0; i < job.origins.count; i++) {
		free(job.origins.list[i].name);
		free(job.origins.list[i].where);
	}
	free(job.origins.list);
	return CLI_FINE;
}
