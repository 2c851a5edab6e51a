/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `journal list` and `journal verify`: what lies in the journal, and whether every frame of it is sound. Looks on
 * beside a running daemon: locks, seals and writes nothing.
 */
#include "cli/cli.h"
#include "journal/journal.h"

struct job {
	struct journal *journal;
	struct table table;
	uint64_t damaged;
};

/* Every record of a sound frame must be one, and nothing else may be in it. */
static bool
frame_is_sound(const struct frame *frame)
{
	struct slice rest = frame->payload;
	uint32_t count = 0;
	for (; rest.len > 0; count++) {
		struct hit hit;
		int taken = record_get(rest, &hit);
		if (taken <= 0)
			return false;
		rest.ptr += taken;
		rest.len -= (size_t)taken;
	}
	return count == frame->count;
}

static void
list_cb(struct stream *stream, void *arg)
{
	struct job *job = arg;
	uint64_t first = stream_first(stream), end = stream_end(stream);
	struct cell *row = table_row(&job->table);
	cell_text(&row[0], slice_of(stream_name(stream)));
	cell_number(&row[1], (int64_t)(end - first));
	cell_number(&row[2], (int64_t)first);
	cell_number(&row[3], (int64_t)end);
	cell_number(&row[4], stream_idle(stream));
}

static void
verify_cb(struct stream *stream, void *arg)
{
	struct job *job = arg;
	struct stream_reader *reader = stream_reader_new(stream);
	struct frame frame;
	int64_t frames = 0, records = 0;
	uint64_t unsound = 0, before = journal_damaged(job->journal);
	for (; stream_reader_next(reader, &frame); frames++) {
		records += frame.count;
		unsound += !frame_is_sound(&frame);
	}
	unsound += stream_reader_failed(reader);
	unsound += journal_damaged(job->journal) - before;
	stream_reader_free(reader);
	struct cell *row = table_row(&job->table);
	cell_text(&row[0], slice_of(stream_name(stream)));
	cell_number(&row[1], frames);
	cell_number(&row[2], records);
	cell_number(&row[3], (int64_t)(stream_end(stream) - stream_first(stream)));
	cell_number(&row[4], (int64_t)unsound);
	job->damaged += unsound;
}

static const struct view {
	const char *name;
	struct column columns[5];
	void (*each)(struct stream *stream, void *arg);
} views[] = {
	{"list",
	 {{"stream", WORD_STREAM, COLUMN_TEXT, NULL},
	  {"bytes", WORD_BYTES, COLUMN_COUNT, NULL},
	  {"first", WORD_FIRST, COLUMN_COUNT, NULL},
	  {"end", WORD_END, COLUMN_COUNT, NULL},
	  {"age", WORD_AGE, COLUMN_COUNT, NULL}},
	 list_cb},
	{"verify",
	 {{"stream", WORD_STREAM, COLUMN_TEXT, NULL},
	  {"frames", WORD_FRAMES, COLUMN_COUNT, NULL},
	  {"records", WORD_RECORDS, COLUMN_COUNT, NULL},
	  {"bytes", WORD_BYTES, COLUMN_COUNT, NULL},
	  {"damaged", WORD_DAMAGED, COLUMN_COUNT, NULL}},
	 verify_cb},
};

static const struct view *
find_view(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(views); i++)
		if (strcmp(views[i].name, name) == 0)
			return &views[i];
	cli_fail(CLI_USAGE, "journal does list or verify, not \"%s\"", name);
}

static struct journal *
open_journal(const struct conf *conf)
{
	struct buf dir = {0};
	char error[512];
	buf_addf(&dir, "%s/journal", conf->state_dir);
	buf_add(&dir, "", 1);
	struct journal_options options = {
		.dir = dir.data,
		.sync = conf->sync,
		.max_size = conf->journal_max_size,
		.workers = 1,
		.read_only = true,
	};
	struct journal *journal = journal_open(&options, error, sizeof error);
	if (!journal)
		cli_fail(CLI_NO, "%s", error);
	buf_release(&dir);
	return journal;
}

int
cmd_journal(struct cli *cli)
{
	const struct view *view = find_view(cli->args[0]);
	log_set_level(LOG_ERROR);
	struct job job = {.journal = open_journal(cli->conf)};
	table_init(&job.table, view->columns, COUNT_OF(view->columns));
	journal_each(job.journal, view->each, &job);
	cli_print(cli, NULL, &job.table);
	journal_close(job.journal);
	if (job.damaged > 0)
		cli_fail(CLI_NO, "the journal is damaged in %" PRIu64 " places", job.damaged);
	return CLI_FINE;
}
