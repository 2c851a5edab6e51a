/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An export on its way back into Redis. For each of its sites it is a stream whose position is the number of the last
 * line that was put: run again after an interruption it goes on there. It adds to what a site has. Into one that had
 * nothing it puts a mark as well: hits that the export contains are not counted once more from a journal.
 */
#include <jansson.h>
#include <sodium.h>
#include <xxhash.h>

#include "base/clock.h"
#include "base/conf_value.h"
#include "cli/change.h"
#include "cli/export.h"
#include "store/forget.h"
#include "store/piece.h"

struct restored {
	char key[CONF_SITE_KEY_MAX + 1];
	char mark[CONF_SITE_KEY_MAX + sizeof(" restored")]; /* "": none */
	char stream[STORE_STREAM_MAX];
	uint64_t position;
	uint64_t put, already; /* lines */
};

struct restore {
	struct cli *cli;
	struct logfile *file;
	struct store *store;
	int64_t ms; /* when it was made */
	struct restored *sites;
	size_t site_count;
	uint64_t line; /* its number */
	bool ended;
	size_t refused;
	char refusal[160];
	json_t *audit;
};

bool
export_is_one(struct logfile *file)
{
	struct slice line;
	size_t len = strlen(EXPORT_BEGIN);
	return logfile_peek(file, &line) == LOGFILE_LINE && line.len > len &&
	       memcmp(line.ptr, EXPORT_BEGIN, len) == 0;
}

static void
bad_line(const struct restore *restore)
{
	cli_fail(CLI_NO, "%s: line %" PRIu64 " is none of an export", restore->cli->args[0],
		 restore->line);
}

static const char *
text_of(const json_t *line, const char *name)
{
	return json_string_value(json_object_get(line, name));
}

/* --- sites --- */

static void
read_position(struct restore *restore, struct restored *site)
{
	const char *names[] = {site->stream};
	struct position *all = xcalloc(CONF_SHARDS, sizeof(*all));
	cli_check(restore->store, store_positions(restore->store, names, 1, all));
	int shard = crc16_xmodem(slice_of(site->key)) % CONF_SHARDS;
	struct forgetting asked = {.site = slice_of(site->key), .shard = shard};
	site->position = all[shard].offset;
	cli_check(restore->store, store_forget(restore->store, &asked, false));
	if (asked.keys == 0)
		snprintf(site->mark, sizeof(site->mark), "%s restored", site->key);
	free(all);
}

/* NULL: not asked for. */
static struct restored *
find_site(struct restore *restore, const char *key)
{
	const char *only = restore->cli->site_key;
	if (!key || !conf_parse_site_key(key))
		bad_line(restore);
	if (only && strcmp(only, key) != 0)
		return NULL;
	for (size_t i = 0; i < restore->site_count; i++)
		if (strcmp(restore->sites[i].key, key) == 0)
			return &restore->sites[i];
	restore->sites =
		xrealloc(restore->sites, (restore->site_count + 1) * sizeof(*restore->sites));
	struct restored *site = &restore->sites[restore->site_count++];
	*site = (struct restored){0};
	snprintf(site->key, sizeof(site->key), "%s", key);
	/* Two sites may be in one shard: the stream is of one of them alone. */
	XXH128_hash_t hash = XXH3_128bits_withSeed(key, strlen(key), (uint64_t)restore->ms);
	snprintf(site->stream, sizeof(site->stream), "x:%016" PRIx64 "%016" PRIx64, hash.high64,
		 hash.low64);
	read_position(restore, site);
	return site;
}

/* --- pieces --- */

/* The strings of a line's value, which lives as long as the line; numbers as text in `digits`. */
struct parts {
	struct slice *list;
	size_t count;
	char (*digits)[BUF_INT_MAX + 1];
	unsigned char *bytes;
};

static void
parts_release(struct parts *parts)
{
	free(parts->list);
	free(parts->digits);
	free(parts->bytes);
}

static void
take_pairs(const struct restore *restore, const json_t *value, struct parts *parts)
{
	size_t pairs = json_array_size(value);
	parts->list = xcalloc(2 * pairs + 1, sizeof(*parts->list));
	parts->digits = xcalloc(pairs + 1, sizeof(*parts->digits));
	for (size_t i = 0; i < pairs; i++) {
		const json_t *pair = json_array_get(value, i);
		const json_t *text = json_array_get(pair, 0), *number = json_array_get(pair, 1);
		if (!json_is_string(text) || !(json_is_string(number) || json_is_integer(number)))
			bad_line(restore);
		snprintf(parts->digits[i], sizeof(parts->digits[i]), "%" JSON_INTEGER_FORMAT,
			 json_integer_value(number));
		parts->list[parts->count++] =
			(struct slice){json_string_value(text), json_string_length(text)};
		parts->list[parts->count++] = json_is_string(number)
						      ? (struct slice){json_string_value(number),
								       json_string_length(number)}
						      : slice_of(parts->digits[i]);
	}
}

static void
take_base64(const struct restore *restore, const char *text, struct parts *parts)
{
	size_t len = text ? strlen(text) : 0, got = 0;
	parts->bytes = xmalloc(len + 1);
	if (!text || sodium_base642bin(parts->bytes, len + 1, text, len, NULL, &got, NULL,
				       sodium_base64_VARIANT_ORIGINAL) != 0)
		bad_line(restore);
	parts->list = xcalloc(1, sizeof(*parts->list));
	parts->list[parts->count++] = (struct slice){(const char *)parts->bytes, got};
}

/* One call: the position and the piece together, or neither. */
static void
put(struct restore *restore, struct restored *site, const struct piece *piece)
{
	char today[PERIOD_NAME_SIZE], rest[9];
	struct position stored;
	size_t before = restore->refused;
	period_name(PERIOD_DAY, (int32_t)(clock_wall_ms() / 86400000), today);
	snprintf(rest, sizeof(rest), "%.4s%.2s%.2s", today, today + 5, today + 8);
	const struct advance advance = {site->stream, site->position, restore->line, rest};
	const struct piece_target target = {
		.site = slice_of(site->key), .mark = slice_of(site->mark), .mark_ms = restore->ms};
	int status =
		piece_put(restore->store, &target, &advance, piece, &stored, &restore->refused);
	if (status == STORE_UNAVAILABLE)
		cli_fail(CLI_UNREACHABLE, "%s; run it again for the rest",
			 store_error(restore->store));
	if (status == STORE_MISMATCH)
		cli_fail(CLI_NO, "somebody else restores this export, or Redis went back: run it "
				 "again for the rest");
	cli_check(restore->store, status);
	if (before == 0 && restore->refused > 0)
		snprintf(restore->refusal, sizeof(restore->refusal), "%s",
			 store_error(restore->store));
	site->position = restore->line;
	site->mark[0] = '\0';
	site->put++;
}

static void
take_piece(struct restore *restore, const json_t *line)
{
	struct restored *site = find_site(restore, text_of(line, "site"));
	const char *key = text_of(line, "key");
	struct parts parts = {0};
	struct piece piece = {.tail = slice_of(key),
			      .seconds = json_integer_value(json_object_get(line, "seconds"))};
	if (!key || !piece_kind_of(piece.tail, &piece.kind) || piece.seconds < 0)
		bad_line(restore);
	if (!site)
		return;
	if (restore->line <= site->position) {
		site->already++;
		return;
	}
	if (piece.kind == PIECE_VISITORS)
		take_base64(restore, text_of(line, "base64"), &parts);
	else
		take_pairs(restore, json_object_get(line, "value"), &parts);
	if (parts.count > 2 * PIECE_PARTS_MAX)
		bad_line(restore);
	piece.parts = parts.list;
	piece.count = parts.count;
	put(restore, site, &piece);
	parts_release(&parts);
}

/* --- what belongs to no key --- */

struct known {
	const char *site;
	bool found;
};

static void
known_cb(struct slice site, struct slice settings, void *arg)
{
	struct known *known = arg;
	(void)settings;
	known->found = known->found || slice_eq(site, slice_of(known->site));
}

/* What a daemon noted is newer. */
static void
take_settings(struct restore *restore, const json_t *line)
{
	struct known known = {.site = text_of(line, "site")};
	const char *settings = text_of(line, "settings");
	if (!find_site(restore, known.site))
		return;
	cli_check(restore->store, store_sites(restore->store, known_cb, &known));
	if (!known.found)
		cli_check(restore->store,
			  store_note_sites(restore->store, &known.site, &settings, 1));
}

static void
take_trimmed(struct restore *restore, const char *text)
{
	enum period_kind kind;
	int32_t day, held;
	if (!period_parse(slice_of(text), &kind, &day) || kind != PERIOD_DAY)
		bad_line(restore);
	if (restore->cli->site_key)
		return;
	cli_check(restore->store, store_trimmed(restore->store, &held));
	if (held == INT32_MIN)
		cli_check(restore->store, store_note_trimmed(restore->store, day));
}

/* In front of the lines that are there, the last one first. */
static void
put_audit(struct restore *restore)
{
	for (size_t i = json_array_size(restore->audit); i-- > 0;)
		cli_check(restore->store,
			  change_note_before(
				  restore->store,
				  slice_of(json_string_value(json_array_get(restore->audit, i)))));
}

/* --- all of it --- */

static void
take_line(struct restore *restore, struct slice text)
{
	json_t *line = json_loadb(text.ptr, text.len, 0, NULL);
	if (!json_is_object(line) || restore->ended)
		bad_line(restore);
	if (json_object_get(line, "key"))
		take_piece(restore, line);
	else if (text_of(line, "settings"))
		take_settings(restore, line);
	else if (text_of(line, "trimmed"))
		take_trimmed(restore, text_of(line, "trimmed"));
	else if (json_integer_value(json_object_get(line, "end")) == (json_int_t)restore->line)
		restore->ended = true;
	else if (text_of(line, "audit") && !restore->cli->site_key)
		json_array_append(restore->audit, json_object_get(line, "audit"));
	else if (restore->line == 1 &&
		 json_integer_value(json_object_get(line, "thongke_export")) == EXPORT_SCHEMA)
		restore->ms = json_integer_value(json_object_get(line, "ms"));
	else if (!text_of(line, "audit"))
		bad_line(restore);
	json_decref(line);
}

static void
report(const struct restore *restore)
{
	static const struct column columns[] = {{"site", WORD_SITE, COLUMN_TEXT, NULL},
						{"lines", WORD_LINES, COLUMN_COUNT, NULL},
						{"already", WORD_ALREADY, COLUMN_COUNT, NULL}};
	struct table table;
	table_init(&table, columns, COUNT_OF(columns));
	for (size_t i = 0; i < restore->site_count; i++) {
		struct cell *row = table_row(&table);
		cell_text(&row[0], slice_of(restore->sites[i].key));
		cell_number(&row[1], (int64_t)restore->sites[i].put);
		cell_number(&row[2], (int64_t)restore->sites[i].already);
	}
	cli_print(restore->cli, NULL, &table);
}

static void
note(struct restore *restore)
{
	struct change change = {.command = "import", .site = restore->cli->site_key};
	buf_addf(&change.what, "restore %s from the export %s",
		 change.site ? change.site : "every site", restore->cli->args[0]);
	change_begin(restore->cli, restore->store, &change);
	change_release(&change);
}

int
export_restore(struct cli *cli, struct logfile *file)
{
	struct restore restore = {.cli = cli, .file = file, .store = cli_store(cli)};
	struct slice line;
	restore.audit = json_array();
	note(&restore);
	while (logfile_peek(file, &line) == LOGFILE_LINE) {
		restore.line = logfile_lines(file) + 1;
		take_line(&restore, line);
		if (!logfile_take(file))
			break;
	}
	put_audit(&restore);
	change_end(restore.store);
	report(&restore);
	if (!restore.ended)
		cli_fail(CLI_NO, "%s ends early: what comes before is restored", cli->args[0]);
	if (restore.refused > 0)
		cli_fail(CLI_REFUSED, "Redis refused %zu commands: %s", restore.refused,
			 restore.refusal);
	if (cli->site_key && restore.site_count == 0)
		cli_fail(CLI_NO, "%s holds no site \"%s\"", cli->args[0], cli->site_key);
	free(restore.sites);
	json_decref(restore.audit);
	store_free(restore.store);
	logfile_free(file);
	return CLI_FINE;
}
