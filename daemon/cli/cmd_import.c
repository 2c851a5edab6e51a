/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `import`: counts an access log into the days its lines tell, each line once per site. The file is a stream like the
 * journal's: its position in Redis moves in the same call as the counts, and is only believed where the hash that is
 * kept beside it is that of the file's bytes before it. Nothing is remembered anywhere else.
 */
#include <unistd.h>
#include <xxhash.h>

#include "base/clock.h"
#include "cli/accesslog.h"
#include "cli/cli.h"
#include "cli/logfile.h"
#include "hit/page.h"

enum {
	SAME_FIRST_LINE_MAX =
		1000, /* files that begin with one line, told apart by "~2", "~3", ... */
	RECONNECT_MS = 30 * 1000,
	RECONNECT_STEP_MS = 50,
	RECONNECT_STEP_MAX_MS = 1000,
	PROGRESS_EVERY_MS = 100,
	PROGRESS_EVERY_LINES = 1024,
	PROGRESS_BAR = 30,
	TARGET_MAX = 8 * 1024,
	OPTIONS_SIZE = 8,
};

/* What became of lines. Those of a batch only count when the batch is applied: it may have to be read again. */
struct sums {
	uint64_t counted, skipped, bad;
	uint64_t first_bad; /* number of the first bad line, from 1 on */
};

struct import {
	const struct cli *cli;
	const struct conf_site *site;
	struct store *store;
	struct logfile *file;
	struct accesslog log;
	struct zone_span span; /* the last line's */
	struct delta *delta;
	struct sums batch; /* of the delta */
	struct sums done;  /* of all that was applied */
	const char *options;
	char first[40]; /* the stream's name without "~2" */
	char stream[STORE_STREAM_MAX];
	uint64_t position; /* where the batch begins: what Redis holds */
	uint64_t refused;
	char refusal[160];
	bool progress;
	int64_t progress_next;
};

/* --- Redis coming and going --- */

/* A server that is still reading its files refuses everything, but not for long. */
static bool
is_loading(const struct store *store)
{
	return strstr(store_error(store), "LOADING") != NULL;
}

static void
pause_ms(int64_t ms)
{
	struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
	nanosleep(&pause, NULL);
}

/* Connects again within the time that is left, or ends the program. */
static void
reconnect(struct store *store, int64_t deadline)
{
	int64_t step = RECONNECT_STEP_MS;
	for (;;) {
		if (clock_mono_ms() + step > deadline)
			cli_fail(CLI_UNREACHABLE,
				 "%s; what was imported so far is counted, run it again for the "
				 "rest",
				 store_error(store));
		store_disconnect(store);
		pause_ms(step);
		int status = store_connect(store);
		if (status == STORE_OK)
			return;
		if (status == STORE_REFUSED && !is_loading(store))
			cli_fail(CLI_REFUSED, "%s", store_error(store));
		step = 2 * step > RECONNECT_STEP_MAX_MS ? RECONNECT_STEP_MAX_MS : 2 * step;
	}
}

/* --- finding the stream --- */

static void
name_stream(struct import *import)
{
	struct slice line;
	logfile_peek(import->file, &line);
	XXH3_state_t *state = XXH3_createState();
	XXH3_128bits_reset(state);
	XXH3_128bits_update(state, import->site->key, strlen(import->site->key));
	XXH3_128bits_update(state, "\n", 1);
	XXH3_128bits_update(state, line.ptr, line.len);
	XXH128_hash_t hash = XXH3_128bits_digest(state);
	XXH3_freeState(state);
	snprintf(import->first, sizeof import->first, "i:%016" PRIx64 "%016" PRIx64, hash.high64,
		 hash.low64);
}

static void
read_position(struct import *import, struct position *position)
{
	const char *names[] = {import->stream};
	struct position *all = xcalloc(CONF_SHARDS, sizeof *all);
	int64_t deadline = clock_mono_ms() + RECONNECT_MS;
	int status;
	while ((status = store_positions(import->store, names, 1, all)) == STORE_UNAVAILABLE)
		reconnect(import->store, deadline);
	cli_check(import->store, status);
	*position = all[import->site->shard];
	free(all);
}

enum match { MATCH_SAME, MATCH_OTHER, MATCH_SHORTER };

/* Whether the file's bytes before the position are those that were imported. If so the file stands there. */
static enum match
match_position(struct import *import, const struct position *position)
{
	char stored[LOGFILE_HASH_SIZE] = "", options[OPTIONS_SIZE] = "", hash[LOGFILE_HASH_SIZE];
	if (sscanf(position->rest, "%*8[0-9]:%32[0-9a-f]:%7[a-z]", stored, options) != 2)
		cli_fail(CLI_NO, "the position of %s in Redis is \"%s\", which no import wrote",
			 import->stream, position->rest);
	if (!logfile_seek(import->file, position->offset))
		return MATCH_SHORTER;
	logfile_hash(import->file, hash);
	if (strcmp(hash, stored) != 0)
		return MATCH_OTHER;
	if (strcmp(options, import->options) != 0)
		cli_fail(CLI_NO, "%s was imported into %s %s --all before, and must be again",
			 import->cli->args[0], import->site->key,
			 strcmp(options, "all") == 0 ? "with" : "without");
	import->position = position->offset;
	return MATCH_SAME;
}

/* Finds the stream that is this file, or a name for a new one, and moves the file to the position. */
static void
locate(struct import *import)
{
	bool shorter = false;
	for (int i = 1; i <= SAME_FIRST_LINE_MAX; i++) {
		struct position position;
		snprintf(import->stream, sizeof import->stream, i > 1 ? "%s~%d" : "%s",
			 import->first, i);
		read_position(import, &position);
		if (!position.present && !shorter) {
			import->position = 0;
			if (!logfile_seek(import->file, 0))
				break;
			return;
		}
		if (!position.present)
			cli_fail(CLI_NO,
				 "%s is shorter than what was imported from a file with the same "
				 "first line: nothing is new in it",
				 import->cli->args[0]);
		enum match match = match_position(import, &position);
		if (match == MATCH_SAME)
			return;
		shorter = shorter || match == MATCH_SHORTER;
	}
	cli_fail(CLI_NO, "%d other files with the same first line were imported",
		 SAME_FIRST_LINE_MAX);
}

/* --- reading a batch --- */

static void
note_bad(struct import *import, uint64_t line_number)
{
	if (import->batch.bad++ == 0)
		import->batch.first_bad = line_number;
}

static void
make_hit(struct import *import, const struct access *access, struct hit *hit,
	 char page[HIT_PAGE_MAX])
{
	char text[TARGET_MAX];
	struct slice target = access->target;
	const struct conf_site *site = import->site;
	if (access->utc < import->span.from || access->utc >= import->span.to)
		import->span = zone_at(site->zone, access->utc);
	struct local_time local = zone_span_local(import->span, access->utc);
	if (memchr(target.ptr, '\\', target.len))
		target = (struct slice){text, accesslog_unescape(target, text, sizeof text)};
	size_t len = page_normalise(target, site->query, site->query_count, page);
	*hit = (struct hit){
		.time_ms = access->utc * 1000,
		.day = local.day,
		.hour = (uint8_t)local.hour,
		.site = site->key_slice,
		.count = 1,
		.values[HIT_PAGES] = len ? (struct slice){page, len} : (struct slice){0},
	};
}

/* Judges one line and adds it to the batch; false when the batch has no room for it. */
static bool
add_line(struct import *import, struct slice line)
{
	struct access access;
	struct hit hit;
	char page[HIT_PAGE_MAX];
	if (line.len > 0 && line.ptr[line.len - 1] == '\r')
		line.len--;
	if (!accesslog_parse(&import->log, line, &access)) {
		note_bad(import, logfile_lines(import->file) + 1);
		return true;
	}
	bool all = import->cli->all;
	if (all ? access.target.len == 0 : !accesslog_is_view(&access)) {
		import->batch.skipped++;
		return true;
	}
	make_hit(import, &access, &hit, page);
	if (!delta_has_room(import->delta, &hit))
		return false;
	delta_add_decided(import->delta, &hit, false);
	import->batch.counted++;
	return true;
}

static void
show_progress(struct import *import)
{
	int64_t now = clock_mono_ms();
	if (now < import->progress_next)
		return;
	import->progress_next = now + PROGRESS_EVERY_MS;
	double share = logfile_share(import->file);
	int full = (int)(share * PROGRESS_BAR);
	fprintf(stderr, "\r[");
	for (int i = 0; i < PROGRESS_BAR; i++)
		fputs(i < full ? "█" : " ", stderr);
	fprintf(stderr, "] %3d %% %" PRIu64 " lines", (int)(share * 100),
		logfile_lines(import->file));
}

/*
 * Reads lines until the batch is full (true) or no whole line is left (false). A line is taken after it was added, so
 * the file always stands where the batch ends.
 */
static bool
read_batch(struct import *import)
{
	for (;;) {
		struct slice line;
		enum logfile_line got = logfile_peek(import->file, &line);
		if (got == LOGFILE_END)
			return false;
		if (import->progress && logfile_lines(import->file) % PROGRESS_EVERY_LINES == 0)
			show_progress(import);
		if (got == LOGFILE_LINE && !add_line(import, line))
			return true;
		if (!logfile_take(import->file))
			return false;
		if (got == LOGFILE_LONG)
			note_bad(import, logfile_lines(import->file));
	}
}

/* --- applying it --- */

static void
describe(struct import *import, char *rest, size_t size)
{
	char hash[LOGFILE_HASH_SIZE];
	int64_t day = clock_wall_ms() / 1000 / 86400;
	struct civil today = civil_of_day((int32_t)day);
	logfile_hash(import->file, hash);
	snprintf(rest, size, "%04d%02d%02d:%s:%s", (int)today.year, today.month, today.day, hash,
		 import->options);
}

/* One call to Redis: the position and the counts together, or neither. */
static int
call(struct import *import, const struct advance *advance, struct apply_reply *reply)
{
	const struct delta *delta = delta_is_empty(import->delta) ? NULL : import->delta;
	int status = store_send(import->store, import->site->shard, advance, 1, delta);
	if (status == STORE_OK)
		status = store_receive(import->store, reply);
	return status == STORE_REFUSED && is_loading(import->store) ? STORE_UNAVAILABLE : status;
}

static void
accept_batch(struct import *import, uint64_t next)
{
	struct sums *done = &import->done, *batch = &import->batch;
	done->counted += batch->counted;
	done->skipped += batch->skipped;
	if (done->bad == 0)
		done->first_bad = batch->first_bad;
	done->bad += batch->bad;
	import->position = next;
}

/* Somebody else moved the position, or Redis lost it: believe what it holds if the file agrees, else look again. */
static void
take_position(struct import *import, const struct position *stored)
{
	if (!stored->present || match_position(import, stored) != MATCH_SAME)
		locate(import);
}

static void
apply_batch(struct import *import)
{
	char rest[sizeof((struct position *)0)->rest];
	struct apply_reply reply = {0};
	struct advance advance = {import->stream, import->position, logfile_offset(import->file),
				  rest};
	int64_t deadline = 0;
	int status;
	describe(import, rest, sizeof rest);
	while ((status = call(import, &advance, &reply)) == STORE_UNAVAILABLE) {
		int64_t now = clock_mono_ms();
		deadline = deadline ? deadline : now + RECONNECT_MS;
		reconnect(import->store, deadline);
		apply_reply_release(&reply);
	}
	if (status == STORE_REFUSED)
		cli_fail(CLI_REFUSED, "%s", store_error(import->store));
	/* After a lost reply the position tells whether the call had been applied: then this batch was ours. */
	bool unknown = deadline > 0 && status == STORE_MISMATCH && reply.stored_count == 1 &&
		       reply.stored[0].offset == advance.next &&
		       strcmp(reply.stored[0].rest, rest) == 0;
	if (status == STORE_OK || unknown)
		accept_batch(import, advance.next);
	else
		take_position(import, &reply.stored[0]);
	if (reply.refused > 0 && import->refused == 0)
		memcpy(import->refusal, reply.refusal, sizeof import->refusal);
	import->refused += reply.refused;
	apply_reply_release(&reply);
	delta_clear(import->delta);
	import->batch = (struct sums){0};
}

/* --- the command --- */

static void
report(struct import *import)
{
	static const struct column columns[] = {{"lines", WORD_LINES, COLUMN_COUNT, NULL},
						{"counted", WORD_COUNTED, COLUMN_COUNT, NULL},
						{"skipped", WORD_SKIPPED, COLUMN_COUNT, NULL},
						{"bad", WORD_BAD, COLUMN_COUNT, NULL},
						{"already", WORD_ALREADY, COLUMN_COUNT, NULL}};
	const struct sums *done = &import->done;
	uint64_t lines = logfile_lines(import->file);
	uint64_t ours = done->counted + done->skipped + done->bad;
	struct table table;
	table_init(&table, columns, COUNT_OF(columns));
	table.site = import->site->key;
	table.timezone = import->site->timezone;
	struct cell *row = table_row(&table);
	cell_number(&row[0], (int64_t)lines);
	cell_number(&row[1], (int64_t)done->counted);
	cell_number(&row[2], (int64_t)done->skipped);
	cell_number(&row[3], (int64_t)done->bad);
	/* After Redis lost its tail some lines were counted again. */
	cell_number(&row[4], lines > ours ? (int64_t)(lines - ours) : 0);
	cli_print(import->cli, import->site, &table);
	if (done->bad > 0)
		fprintf(stderr,
			"thongke: %" PRIu64 " lines are no log lines, the first is line %" PRIu64
			"\n",
			done->bad, done->first_bad);
}

static void
run(struct import *import)
{
	bool more = true;
	name_stream(import);
	locate(import);
	while (more) {
		more = read_batch(import);
		/* Lines that count nothing move the position too, or they would be judged again each time. */
		if (logfile_offset(import->file) > import->position) {
			uint64_t expected = logfile_offset(import->file);
			apply_batch(import);
			more = more || import->position != expected;
		}
	}
	if (import->progress)
		fprintf(stderr, "\r\033[K");
}

int
cmd_import(struct cli *cli)
{
	char error[512];
	struct import import = {
		.cli = cli,
		.site = cli_site(cli),
		.options = cli->all ? "all" : "views",
		.progress = isatty(STDERR_FILENO),
	};
	import.file = logfile_open(cli->args[0], error, sizeof error);
	if (!import.file)
		cli_fail(CLI_NO, "%s", error);
	import.store = cli_store(cli);
	/* Names no site, but notes the schema and refuses another one before anything is written in it. */
	cli_check(import.store, store_note_sites(import.store, NULL, NULL, 0));
	import.delta = delta_new();
	run(&import);
	report(&import);
	if (*logfile_damage(import.file))
		cli_fail(CLI_NO, "%s ends early (%s): what comes before is counted", cli->args[0],
			 logfile_damage(import.file));
	if (import.refused > 0)
		cli_fail(CLI_REFUSED, "Redis refused %" PRIu64 " fields: %s", import.refused,
			 import.refusal);
	delta_free(import.delta);
	store_free(import.store);
	logfile_free(import.file);
	return CLI_FINE;
}
