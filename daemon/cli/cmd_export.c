/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `export`: everything that Redis holds of a site or of all, but for positions and salts; as JSON lines, which `import`
 * restores, or as tables in CSV, for other programs. Reads one key after the other: while hits are counted, keys that
 * are read later hold some more.
 */
#include <errno.h>
#include <sodium.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/conf_value.h"
#include "cli/export.h"
#include "store/change.h"
#include "store/forget.h"
#include "store/piece.h"

enum { TABLES_MAX = HIT_DIMENSION_COUNT + 4 };

/* A file of --dir. */
struct csv {
	char name[PIECE_TAIL_MAX];
	struct table table;
};

struct export
{
	const struct cli *cli;
	struct store *store;
	struct slice site; /* whose turn it is */
	struct buf line;
	uint64_t lines;
	struct csv tables[TABLES_MAX];
	size_t table_count;
	struct buf keys; /* of sites to be exported, NUL-terminated each */
};

/* --- JSON lines --- */

static void
write_line(struct export *export)
{
	buf_add_literal(&export->line, "}\n");
	cli_write(&export->line);
	buf_clear(&export->line);
	export->lines++;
}

static void
add_text(struct buf *line, struct slice text)
{
	buf_add_literal(line, "\"");
	buf_add_json(line, text);
	buf_add_literal(line, "\"");
}

static bool
is_number(struct slice text)
{
	size_t at = text.len > 1 && *text.ptr == '-';
	bool good = text.len > at && text.len < BUF_INT_MAX;
	for (; good && at < text.len; at++)
		good = text.ptr[at] >= '0' && text.ptr[at] <= '9';
	return good && (text.len == 1 || *text.ptr != '0');
}

static void
add_pairs(struct buf *line, const struct piece *piece)
{
	buf_add_literal(line, ",\"value\":[");
	for (size_t i = 0; i + 1 < piece->count; i += 2) {
		struct slice number = piece->parts[i + 1];
		buf_addf(line, "%s[", i ? "," : "");
		add_text(line, piece->parts[i]);
		buf_add_literal(line, ",");
		if (is_number(number))
			buf_add_slice(line, number);
		else
			add_text(line, number);
		buf_add_literal(line, "]");
	}
	buf_add_literal(line, "]");
}

static void
add_base64(struct buf *line, struct slice bytes)
{
	const int variant = sodium_base64_VARIANT_ORIGINAL;
	size_t room = sodium_base64_encoded_len(bytes.len, variant);
	char *text = xmalloc(room);
	sodium_bin2base64(text, room, (const unsigned char *)bytes.ptr, bytes.len, variant);
	buf_addf(line, ",\"base64\":\"%s\"", text);
	free(text);
}

static int
write_piece_cb(const struct piece *piece, void *arg)
{
	struct export *export = arg;
	buf_add_literal(&export->line, "{\"site\":");
	add_text(&export->line, export->site);
	buf_add_literal(&export->line, ",\"key\":");
	add_text(&export->line, piece->tail);
	buf_addf(&export->line, ",\"seconds\":%" PRId64 ",\"first\":%zu", piece->seconds,
		 piece->first);
	if (piece->kind == PIECE_VISITORS)
		add_base64(&export->line, piece->parts[0]);
	else
		add_pairs(&export->line, piece);
	write_line(export);
	return STORE_OK;
}

static void
write_named(struct export *export, const char *name, struct slice text)
{
	buf_addf(&export->line, "{\"%s\":", name);
	add_text(&export->line, text);
	write_line(export);
}

static void
write_audit_cb(struct slice line, void *arg)
{
	write_named(arg, "audit", line);
}

static void
write_settings_cb(struct slice site, struct slice settings, void *arg)
{
	struct export *export = arg;
	if (export->cli->site_key && !slice_eq(site, slice_of(export->cli->site_key)))
		return;
	buf_add_literal(&export->line, "{\"site\":");
	add_text(&export->line, site);
	buf_add_literal(&export->line, ",\"settings\":");
	add_text(&export->line, settings);
	write_line(export);
}

/* What belongs to no site goes with all of them alone. */
static void
write_lists(struct export *export)
{
	char name[PERIOD_NAME_SIZE];
	int32_t trimmed;
	cli_check(export->store, store_sites(export->store, write_settings_cb, export));
	if (export->cli->site_key)
		return;
	cli_check(export->store, change_list(export->store, write_audit_cb, export));
	cli_check(export->store, store_trimmed(export->store, &trimmed));
	if (trimmed != INT32_MIN)
		write_named(export, "trimmed", slice_of(period_name(PERIOD_DAY, trimmed, name)));
}

static void
write_begin(struct export *export)
{
	buf_addf(&export->line,
		 EXPORT_BEGIN "%d,\"version\":\"" THONGKE_VERSION "\",\"ms\":%" PRId64,
		 EXPORT_SCHEMA, clock_wall_ms());
	write_line(export);
}

static void
write_end(struct export *export)
{
	buf_addf(&export->line, "{\"end\":%" PRIu64, export->lines + 1);
	write_line(export);
}

/* --- tables --- */

static struct table *
csv_table(struct export *export, const char *name, const char *const *keys, size_t count)
{
	struct column columns[TABLE_COLUMNS_MAX];
	for (size_t i = 0; i < export->table_count; i++)
		if (strcmp(export->tables[i].name, name) == 0)
			return &export->tables[i].table;
	struct csv *csv = &export->tables[export->table_count++];
	snprintf(csv->name, sizeof(csv->name), "%s", name);
	for (size_t i = 0; i < count; i++)
		columns[i] = (struct column){keys[i], WORD_SITE,
					     i + 1 == count ? COLUMN_COUNT : COLUMN_TEXT, NULL};
	table_init(&csv->table, columns, count);
	return &csv->table;
}

#define CSV_TABLE(export, name, ...)                                    \
	csv_table((export), (name), (const char *const[]){__VA_ARGS__}, \
		  COUNT_OF(((const char *const[]){__VA_ARGS__})))

static void
add_row(struct table *table, const struct slice *texts, size_t count, struct slice number)
{
	char digits[BUF_INT_MAX + 1];
	struct cell *row = table_row(table);
	for (size_t i = 0; i < count; i++)
		cell_text(&row[i], texts[i]);
	if (!is_number(number))
		return;
	memcpy(digits, number.ptr, number.len);
	digits[number.len] = '\0';
	cell_number(&row[count], strtoll(digits, NULL, 10));
}

/* "hits" and "05-20" of its year, "hits 2020 /path" of what is adjusted, "14" of a day's hours. */
static void
add_counts(struct export *export, const char *head, const char *rest, struct slice field,
	   struct slice number)
{
	char name[PERIOD_NAME_SIZE + PIECE_TAIL_MAX];
	struct slice site = export->site;
	if (strcmp(head, "base") == 0) {
		const char *end = field.ptr + field.len, *at = memchr(field.ptr, ' ', field.len);
		const char *page = at ? memchr(at + 1, ' ', (size_t)(end - at - 1)) : NULL;
		if (!at)
			return;
		const struct slice texts[] = {
			site,
			{field.ptr, (size_t)(at - field.ptr)},
			{at + 1, (size_t)((page ? page : end) - at - 1)},
			page ? (struct slice){page + 1, (size_t)(end - page - 1)} : SLICE("")};
		add_row(CSV_TABLE(export, "adjusted", "site", "metric", "period", "page",
				  "adjusted"),
			texts, COUNT_OF(texts), number);
		return;
	}
	bool hours = strcmp(head, "hours") == 0;
	snprintf(name, sizeof(name), "%s%s%.*s", rest,
		 hours   ? "T"
		 : *rest ? "-"
			 : "",
		 SLICE_ARG(field));
	const struct slice texts[] = {site, slice_of(hours ? name : head), slice_of(name)};
	if (hours)
		add_row(CSV_TABLE(export, "hours", "site", "hour", "hits"), texts, 2, number);
	else
		add_row(CSV_TABLE(export, "counts", "site", "metric", "period", "count"), texts, 3,
			number);
}

static int
add_piece_cb(const struct piece *piece, void *arg)
{
	struct export *export = arg;
	char head[PIECE_TAIL_MAX];
	snprintf(head, sizeof(head), "%.*s", SLICE_ARG(piece->tail));
	char *colon = strchr(head, ':');
	const char *rest = colon ? colon + 1 : "";
	if (colon)
		*colon = '\0';
	/* What imports note for themselves is no table of counts. */
	if (strcmp(head, "brought") == 0 || strcmp(head, "imported") == 0)
		return STORE_OK;
	for (size_t i = 0; i + 1 < piece->count; i += 2) {
		const struct slice texts[] = {export->site, slice_of(*rest ? rest : "all"),
					      piece->parts[i]};
		bool visits = strcmp(head, "pagevisits") == 0;
		if (piece->kind == PIECE_COUNTS)
			add_counts(export, head, rest, piece->parts[i], piece->parts[i + 1]);
		else if (piece->kind == PIECE_TABLE)
			add_row(CSV_TABLE(export, head, "site", "period", "value",
					  visits ? "visits" : "hits"),
				texts, 3, piece->parts[i + 1]);
	}
	return STORE_OK;
}

static void
write_tables(struct export *export)
{
	const char *dir = export->cli->dir;
	if (mkdir(dir, 0777) < 0 && errno != EEXIST)
		cli_fail(CLI_NO, "%s: %s", dir, strerror(errno));
	for (size_t i = 0; i < export->table_count; i++) {
		struct csv *csv = &export->tables[i];
		struct buf path = {0}, text = {0};
		buf_addf(&path, "%s/%s.csv", dir, csv->name);
		table_render(&text, &csv->table, RENDER_CSV, &(struct look){0});
		FILE *file = fopen(path.data, "w");
		bool written = file && fwrite(text.data, 1, text.len, file) == text.len;
		if (!file || fclose(file) != 0 || !written)
			cli_fail(CLI_NO, "%s: %s", path.data, strerror(errno));
		table_release(&csv->table);
		buf_release(&path);
		buf_release(&text);
	}
}

/* --- the command --- */

static bool
has_key(const struct buf *keys, struct slice site)
{
	for (size_t at = 0; at < keys->len; at += strlen(keys->data + at) + 1)
		if (slice_eq(slice_of(keys->data + at), site))
			return true;
	return false;
}

static void
take_site_cb(struct slice site, struct slice settings, void *arg)
{
	struct export *export = arg;
	(void)settings;
	if (has_key(&export->keys, site))
		return;
	buf_add_slice(&export->keys, site);
	buf_add(&export->keys, "", 1);
}

/* What is not configured any more may be there all the same. */
static void
take_named_site(struct export *export)
{
	const struct cli *cli = export->cli;
	struct slice site = slice_of(cli->site_key);
	struct forgetting asked = {.site = site, .shard = crc16_xmodem(site) % CONF_SHARDS};
	if (!conf_parse_site_key(cli->site_key))
		cli_fail(CLI_NO, "\"%s\" is no site's key", cli->site_key);
	cli_check(export->store, store_forget(export->store, &asked, false));
	if (asked.keys == 0 && !conf_site_by_key(cli->conf, site))
		cli_fail(CLI_NO, "there is no site \"%s\", in %s or in Redis", cli->site_key,
			 cli->conf->path);
	take_site_cb(site, SLICE(""), export);
}

/* The one that is named, or all that the configuration or Redis know. */
static void
take_sites(struct export *export)
{
	const struct cli *cli = export->cli;
	if (cli->site_key) {
		take_named_site(export);
		return;
	}
	for (size_t i = 0; i < cli->conf->site_count; i++)
		take_site_cb(cli->conf->sites[i].key_slice, SLICE(""), export);
	cli_check(export->store, store_sites(export->store, take_site_cb, export));
}

int
cmd_export(struct cli *cli)
{
	struct export export = {.cli = cli, .store = cli_store(cli)};
	const struct piece_place beginning = {0};
	cli_check(export.store, store_check_schema(export.store));
	take_sites(&export);
	if (!cli->dir)
		write_begin(&export);
	for (size_t at = 0; at < export.keys.len; at += strlen(export.keys.data + at) + 1) {
		export.site = slice_of(export.keys.data + at);
		cli_check(export.store,
			  piece_each(export.store, crc16_xmodem(export.site) % CONF_SHARDS,
				     export.site, &beginning,
				     cli->dir ? add_piece_cb : write_piece_cb, &export));
	}
	if (cli->dir) {
		write_tables(&export);
	} else {
		write_lists(&export);
		write_end(&export);
	}
	store_free(export.store);
	buf_release(&export.line);
	buf_release(&export.keys);
	return CLI_FINE;
}
