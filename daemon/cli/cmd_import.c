/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `import`: counts an access log into the days its lines tell, each line once per site. The file is a stream like the
 * journal's: its position in Redis moves in the same call as the counts, and is only believed where the hash that is
 * kept beside it is that of the file's bytes before it. Nothing is remembered anywhere else: which hits begin a visit,
 * the lines before the position tell again.
 */
#include <sodium.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/clock.h"
#include "cli/accesslog.h"
#include "cli/cli.h"
#include "cli/landmarks.h"
#include "cli/logfile.h"
#include "cli/logjudge.h"
#include "cli/visits.h"

enum {
	SAME_FIRST_LINE_MAX =
		1000, /* files that begin with one line, told apart by "~2", "~3", ... */
	RECONNECT_MS = 30 * 1000,
	RECONNECT_STEP_MS = 50,
	RECONNECT_STEP_MAX_MS = 1000,
	PROGRESS_EVERY_MS = 100,
	PROGRESS_EVERY_LINES = 1024,
	PROGRESS_BAR = 30,
	OPTIONS_SIZE = 8,
	READ_ON_MAX = 4 * 1024 * 1024, /* bytes that are rather judged than passed over */
};

/* What became of lines. Those of a batch only count when the batch is applied: it may have to be read again. */
struct sums {
	uint64_t of[LOGJUDGE_BAD + 1];
	uint64_t first_bad; /* number of the first bad line, from 1 on */
};

struct import {
	const struct cli *cli;
	const struct conf_site *site;
	struct store *store;
	struct logfile *file;
	struct logjudge *judge;
	struct visits *visits;
	bool visits_fit; /* all lines before the file's offset that matter were noted in them */
	struct landmarks landmarks;
	struct accesslog log; /* of the lines that seeking shows */
	struct delta *delta;
	struct sums batch; /* of the delta */
	struct sums done;  /* of all that was applied */
	const char *options;
	char first[40]; /* the stream's name without "~2" */
	char stream[STORE_STREAM_MAX];
	uint64_t position; /* where the batch begins: what Redis holds */
	int32_t full_day;  /* the day that ended it: it holds hits of beacons */
	bool stopped;
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

static void
ask_day_cb(int32_t day, struct logday *out, void *arg)
{
	struct import *import = arg;
	struct slice site = import->site->key_slice;
	int64_t deadline = clock_mono_ms() + RECONNECT_MS;
	int status;
	do {
		randombytes_buf(out->salt.bytes, sizeof(out->salt.bytes));
		status = store_import_salt(import->store, site, day, out->salt.bytes);
		if (status == STORE_OK)
			status = store_beacon_hits(import->store, site, day, &out->beacon_hits);
		if (status == STORE_REFUSED && is_loading(import->store))
			status = STORE_UNAVAILABLE;
		if (status == STORE_UNAVAILABLE)
			reconnect(import->store, deadline);
	} while (status == STORE_UNAVAILABLE);
	cli_check(import->store, status);
}

/* --- where the file stands, and who was seen before --- */

static void
show_line_cb(uint64_t offset, struct slice line, void *arg)
{
	struct import *import = arg;
	struct access access;
	if (accesslog_parse(&import->log, line, &access))
		landmarks_note(&import->landmarks, offset, access.utc);
}

/* Judges the next line only for who was seen; false: there is none. */
static bool
pass_line(struct import *import)
{
	struct slice line;
	struct hit hit;
	enum logfile_line got = logfile_peek(import->file, &line);
	if (got == LOGFILE_END)
		return false;
	if (got == LOGFILE_LINE && logjudge_line(import->judge, line, &hit) == LOGJUDGE_VIEW) {
		landmarks_note(&import->landmarks, logfile_offset(import->file),
			       hit.time_ms / 1000);
		(void)visits_note(import->visits, hit.visitor, hit.time_ms);
	}
	return logfile_take(import->file);
}

static bool
pass_lines(struct import *import, uint64_t offset)
{
	while (logfile_offset(import->file) < offset && pass_line(import))
		;
	return logfile_offset(import->file) == offset;
}

/* Moves to any offset; who was seen before it is known then only if it is near, or the beginning. */
static bool
go_to(struct import *import, uint64_t offset)
{
	uint64_t here = logfile_offset(import->file);
	if (import->visits_fit && offset >= here && offset - here <= READ_ON_MAX &&
	    pass_lines(import, offset))
		return true;
	visits_clear(import->visits);
	import->visits_fit = offset == 0;
	return logfile_seek(import->file, offset);
}

/* Reads again what lies so little before the position that a visit may have begun there. Counts nothing. */
static void
look_back(struct import *import)
{
	uint64_t position = import->position;
	int64_t seconds = import->site->visit_gap + VISITS_KEEP_MS / 1000;
	if (import->visits_fit)
		return;
	visits_clear(import->visits);
	if (!logfile_seek(import->file, landmarks_before(&import->landmarks, position, seconds)) ||
	    !pass_lines(import, position))
		cli_fail(CLI_NO, "%s changes while it is read", import->cli->args[0]);
	import->visits_fit = true;
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
	if (!go_to(import, position->offset))
		return MATCH_SHORTER;
	logfile_hash(import->file, hash);
	if (strcmp(hash, stored) != 0)
		return MATCH_OTHER;
	if (strcmp(options, import->options) != 0)
		cli_fail(CLI_NO, "%s was imported into %s %s --all before, and must be again",
			 import->cli->args[0], import->site->key,
			 strcmp(options, "all") == 0 ? "with" : "without");
	import->position = position->offset;
	look_back(import);
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
			if (!go_to(import, 0))
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
note(struct import *import, enum logjudge_verdict verdict, uint64_t line_number)
{
	if (import->batch.of[verdict]++ == 0 && verdict == LOGJUDGE_BAD)
		import->batch.first_bad = line_number;
}

/* Days that beacons counted have this log's views already, unless the operator knows better. */
static bool
may_count(struct import *import, const struct hit *hit)
{
	if (import->cli->overlap || logjudge_beacon_hits(import->judge, hit) == 0)
		return true;
	import->full_day = hit->day;
	import->stopped = true;
	return false;
}

/* Judges one line and adds it to the batch; false when the batch has no room for it, or its day must not be added to. */
static bool
add_line(struct import *import, struct slice line)
{
	struct hit hit;
	enum logjudge_verdict verdict = logjudge_line(import->judge, line, &hit);
	if (verdict <= LOGJUDGE_EXCLUDED) {
		if (!may_count(import, &hit) || !delta_has_room(import->delta, &hit))
			return false;
		bool begins = verdict == LOGJUDGE_VIEW &&
			      visits_note(import->visits, hit.visitor, hit.time_ms);
		delta_add_decided(import->delta, &hit, begins);
		landmarks_note(&import->landmarks, logfile_offset(import->file),
			       hit.time_ms / 1000);
	}
	note(import, verdict, logfile_lines(import->file) + 1);
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
			note(import, LOGJUDGE_BAD, logfile_lines(import->file));
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
	if (done->of[LOGJUDGE_BAD] == 0)
		done->first_bad = batch->first_bad;
	for (size_t i = 0; i < COUNT_OF(done->of); i++)
		done->of[i] += batch->of[i];
	import->position = next;
}

/* Somebody else moved the position, or Redis lost it: believe what it holds if the file agrees, else look again. */
static void
take_position(struct import *import, const struct position *stored)
{
	import->stopped = false;
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
	uint64_t lines = logfile_lines(import->file), ours = 0;
	struct table table;
	table_init(&table, columns, COLUMNS);
	table.site = import->site->key;
	table.timezone = import->site->timezone;
	struct cell *row = table_row(&table);
	cell_number(&row[LINES], (int64_t)lines);
	for (size_t i = 0; i < COUNT_OF(done->of); i++) {
		cell_number(&row[VERDICTS + i], (int64_t)done->of[i]);
		ours += done->of[i];
	}
	/* After Redis lost its tail some lines were counted again. */
	cell_number(&row[ALREADY], lines > ours ? (int64_t)(lines - ours) : 0);
	cli_print(import->cli, import->site, &table);
	if (done->of[LOGJUDGE_BAD] > 0)
		fprintf(stderr,
			"thongke: %" PRIu64 " lines are no log lines, the first is line %" PRIu64
			"\n",
			done->of[LOGJUDGE_BAD], done->first_bad);
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
		more = more && !import->stopped;
	}
	if (import->progress)
		fprintf(stderr, "\r\033[K");
}

/* Why not all of the file was counted; what comes before is. */
static void
explain_end(const struct import *import)
{
	const char *file = import->cli->args[0];
	char day[PERIOD_NAME_SIZE];
	if (*logfile_damage(import->file))
		cli_fail(CLI_NO, "%s ends early (%s): what comes before is counted", file,
			 logfile_damage(import->file));
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
new_judge(struct import *import)
{
	const struct logjudge_options options = {
		.conf = import->cli->conf,
		.site = import->site,
		.all = import->cli->all,
		.ask_day = ask_day_cb,
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
	struct import import = {
		.cli = cli,
		.site = cli_site(cli),
		.options = cli->all ? "all" : "views",
		.progress = isatty(STDERR_FILENO),
		.visits_fit = true, /* nobody was seen before the beginning */
	};
	if (sodium_init() < 0)
		cli_fail(CLI_NO, "libsodium does not start");
	import.file = logfile_open(cli->args[0], error, sizeof error);
	if (!import.file)
		cli_fail(CLI_NO, "%s", error);
	logfile_watch(import.file, show_line_cb, &import);
	import.judge = new_judge(&import);
	import.visits = visits_new(import.site->visit_gap * 1000);
	import.store = cli_store(cli);
	/* Names no site, but notes the schema and refuses another one before anything is written in it. */
	cli_check(import.store, store_note_sites(import.store, NULL, NULL, 0));
	import.delta = delta_new();
	run(&import);
	report(&import);
	explain_end(&import);
	delta_free(import.delta);
	store_free(import.store);
	visits_free(import.visits);
	logjudge_free(import.judge);
	landmarks_release(&import.landmarks);
	logfile_free(import.file);
	return CLI_FINE;
}
