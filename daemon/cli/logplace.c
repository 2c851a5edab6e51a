/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding a log's stream and position. Counts nothing; asks Redis on a connection of its own. */
#include "cli/logplace.h"

#include <xxhash.h>

#include "base/clock.h"
#include "cli/redial.h"

enum {
	SAME_FIRST_LINE_MAX =
		1000, /* files that begin with one line, told apart by "~2", "~3", ... */
	OPTIONS_SIZE = 8,
	READ_ON_MAX = 4 * 1024 * 1024, /* bytes that are rather judged than passed over */
};

void
logplace_release(struct logplace *place)
{
	landmarks_release(&place->landmarks);
}

/* --- the stream --- */

static void
name_stream(struct logplace *place)
{
	struct slice line;
	logfile_peek(place->file, &line);
	XXH3_state_t *state = XXH3_createState();
	XXH3_128bits_reset(state);
	XXH3_128bits_update(state, place->site->key, strlen(place->site->key));
	XXH3_128bits_update(state, "\n", 1);
	XXH3_128bits_update(state, line.ptr, line.len);
	if (place->forgotten)
		XXH3_128bits_update(state, &place->forgotten, sizeof(place->forgotten));
	XXH128_hash_t hash = XXH3_128bits_digest(state);
	XXH3_freeState(state);
	snprintf(place->first, sizeof place->first, "i:%016" PRIx64 "%016" PRIx64, hash.high64,
		 hash.low64);
}

void
logplace_ask(struct logplace *place, struct position *position)
{
	const char *names[] = {place->stream};
	struct position *all = xcalloc(CONF_SHARDS, sizeof *all);
	int64_t deadline = clock_mono_ms() + REDIAL_MS;
	int status;
	while ((status = store_positions(place->asks, names, 1, all)) == STORE_UNAVAILABLE)
		redial(place->asks, deadline, CLI_COUNTED_SO_FAR);
	cli_check(place->asks, status);
	*position = all[place->site->shard];
	free(all);
}

/* --- where the file stands, and who was seen before --- */

static void
show_line_cb(uint64_t offset, struct slice line, void *arg)
{
	struct logplace *place = arg;
	struct access access;
	if (logformat_parse(place->format, &place->log, line, &access))
		landmarks_note(&place->landmarks, offset, access.utc);
}

/* Judges the next line only for who was seen; false: there is none. */
static bool
pass_line(struct logplace *place)
{
	struct slice line;
	struct hit hit;
	enum logfile_line got = logfile_peek(place->file, &line);
	if (got == LOGFILE_END)
		return false;
	if (got == LOGFILE_LINE && logjudge_line(place->judge, line, &hit) == LOGJUDGE_VIEW) {
		landmarks_note(&place->landmarks, logfile_offset(place->file), hit.time_ms / 1000);
		(void)visits_note(place->visits, hit.visitor, hit.time_ms);
	}
	return logfile_take(place->file);
}

static bool
pass_lines(struct logplace *place, uint64_t offset)
{
	while (logfile_offset(place->file) < offset && pass_line(place))
		;
	return logfile_offset(place->file) == offset;
}

/* Moves to any offset; who was seen before it is known then only if it is near, or the beginning. */
static bool
go_to(struct logplace *place, uint64_t offset)
{
	uint64_t here = logfile_offset(place->file);
	if (place->visits_fit && offset >= here && offset - here <= READ_ON_MAX &&
	    pass_lines(place, offset))
		return true;
	visits_clear(place->visits);
	place->visits_fit = offset == 0;
	return logfile_seek(place->file, offset);
}

/* Reads again what lies so little before the position that a visit may have begun there. Counts nothing. */
static void
look_back(struct logplace *place)
{
	uint64_t position = place->position;
	int64_t seconds = place->site->visit_gap + VISITS_KEEP_MS / 1000;
	if (place->visits_fit)
		return;
	visits_clear(place->visits);
	if (!logfile_seek(place->file, landmarks_before(&place->landmarks, position, seconds)) ||
	    !pass_lines(place, position))
		cli_fail(CLI_NO, "%s changes while it is read", place->path);
	place->visits_fit = true;
}

enum match { MATCH_SAME, MATCH_OTHER, MATCH_SHORTER };

/* Whether the file's bytes before the position are those that were imported. If so the file stands there. */
static enum match
match_position(struct logplace *place, const struct position *position)
{
	char stored[LOGFILE_HASH_SIZE] = "", options[OPTIONS_SIZE] = "", hash[LOGFILE_HASH_SIZE];
	if (sscanf(position->rest, "%*8[0-9]:%32[0-9a-f]:%7[a-z]", stored, options) != 2)
		cli_fail(CLI_NO, "the position of %s in Redis is \"%s\", which no import wrote",
			 place->stream, position->rest);
	if (!go_to(place, position->offset))
		return MATCH_SHORTER;
	logfile_hash(place->file, hash);
	if (strcmp(hash, stored) != 0)
		return MATCH_OTHER;
	if (strcmp(options, place->options) != 0)
		cli_fail(CLI_NO, "%s was imported into %s %s --all before, and must be again",
			 place->path, place->site->key,
			 strcmp(options, "all") == 0 ? "with" : "without");
	place->position = position->offset;
	look_back(place);
	return MATCH_SAME;
}

/* Finds the stream that is this file, or a name for a new one, and moves the file to the position. */
void
logplace_find(struct logplace *place)
{
	bool shorter = false;
	if (!*place->first) {
		cli_check(place->asks, store_site_forgotten(place->asks, place->site->key_slice,
							    &place->forgotten));
		logfile_watch(place->file, show_line_cb, place);
		name_stream(place);
	}
	for (int i = 1; i <= SAME_FIRST_LINE_MAX; i++) {
		struct position position;
		snprintf(place->stream, sizeof place->stream, i > 1 ? "%s~%d" : "%s", place->first,
			 i);
		logplace_ask(place, &position);
		if (!position.present && !shorter) {
			place->position = 0;
			if (!go_to(place, 0))
				break;
			return;
		}
		if (!position.present)
			cli_fail(CLI_NO,
				 "%s is shorter than what was imported from a file with the same "
				 "first line: nothing is new in it",
				 place->path);
		enum match match = match_position(place, &position);
		if (match == MATCH_SAME)
			return;
		shorter = shorter || match == MATCH_SHORTER;
	}
	cli_fail(CLI_NO, "%d other files with the same first line were imported",
		 SAME_FIRST_LINE_MAX);
}

void
logplace_describe(struct logplace *place, char rest[LOGPLACE_REST_SIZE])
{
	char hash[LOGFILE_HASH_SIZE];
	int64_t day = clock_wall_ms() / 1000 / 86400;
	struct civil today = civil_of_day((int32_t)day);
	logfile_hash(place->file, hash);
	snprintf(rest, LOGPLACE_REST_SIZE, "%04d%02d%02d:%s:%s", (int)today.year, today.month,
		 today.day, hash, place->options);
}

/*
 * Somebody else moved the position, or Redis lost it: believe what it holds if the file agrees, else look again. A site
 * that is forgotten while it is filled takes no more of this run: the file is another stream from then on.
 */
void
logplace_take(struct logplace *place, const struct position *stored)
{
	int64_t forgotten;
	cli_check(place->asks,
		  store_site_forgotten(place->asks, place->site->key_slice, &forgotten));
	if (forgotten != place->forgotten)
		cli_fail(CLI_NO, "%s was forgotten meanwhile: run it again to count all of %s",
			 place->site->key, place->path);
	if (!stored->present || match_position(place, stored) != MATCH_SAME)
		logplace_find(place);
}
