/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A reader of rows, byte by byte through zlib. It understands as much of SQL as a dump needs: quoted texts and names,
 * comments, lists in brackets. What it does not understand it passes over up to the next semicolon.
 */
#include "cli/tabular.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#include "cli/logfile.h"
#include "cli/texts.h"

enum { NAME_MAX_BYTES = 128, LOOK_AT = 4096 };
enum kind { KIND_SQL, KIND_CSV, KIND_KEYS };

/* What CREATE TABLE said, for an INSERT that names no columns. */
struct definition {
	char *table;
	struct texts names;
	struct definition *next;
};

struct tabular {
	gzFile gz;
	enum kind kind;
	char separator; /* of CSV */
	struct texts names, cells;
	struct definition *definitions;
	char table[NAME_MAX_BYTES]; /* of the INSERT that is being read; "": none is */
	uint64_t rows;
	char damage[160];
};

/* --- bytes --- */

static int
get(struct tabular *file)
{
	return gzgetc(file->gz);
}

static void
unget(struct tabular *file, int byte)
{
	if (byte >= 0)
		gzungetc(byte, file->gz);
}

static void
skip_line(struct tabular *file)
{
	int c;
	while ((c = get(file)) >= 0 && c != '\n')
		;
}

static void
skip_comment(struct tabular *file)
{
	int before = 0, c;
	while ((c = get(file)) >= 0 && !(before == '*' && c == '/'))
		before = c;
}

/* The next byte that is neither blank nor comment, which stays the next. */
static int
peek_meant(struct tabular *file)
{
	for (;;) {
		int c = get(file);
		if (c == '#') {
			skip_line(file);
		} else if (c == '-' || c == '/') {
			int next = get(file);
			if (c == '-' && next == '-') {
				skip_line(file);
			} else if (c == '/' && next == '*') {
				skip_comment(file);
			} else {
				unget(file, next);
				unget(file, c);
				return c;
			}
		} else if (c < 0 || !isspace(c)) {
			unget(file, c);
			return c;
		}
	}
}

static bool
take(struct tabular *file, int byte)
{
	if (peek_meant(file) != byte)
		return false;
	(void)get(file);
	return true;
}

/* --- SQL --- */

/* Behind the opening quote. */
static void
read_quoted(struct tabular *file, int quote, struct texts *to)
{
	static const char from[] = "0bnrtZ", meant[] = "\0\b\n\r\t\x1a";
	for (;;) {
		int c = get(file);
		if (c < 0)
			return;
		if (c == '\\' && quote == '\'') {
			c = get(file);
			const char *at = c > 0 ? strchr(from, c) : NULL;
			texts_put(to, at && *at ? meant[at - from] : c);
		} else if (c != quote) {
			texts_put(to, c);
		} else if ((c = get(file)) == quote) {
			texts_put(to, c);
		} else {
			unget(file, c);
			return;
		}
	}
}

static bool
is_quote(int c)
{
	return c == '\'' || c == '"' || c == '`';
}

/* A word or a quoted name, cut at `size`; false: the next byte begins neither. */
static bool
read_word(struct tabular *file, char *out, size_t size)
{
	struct texts text = {0};
	int c = peek_meant(file);
	if (!is_quote(c) && !isalnum(c) && c != '_')
		return false;
	texts_begin(&text, false);
	if (is_quote(c)) {
		(void)get(file);
		read_quoted(file, c, &text);
	} else {
		while ((c = get(file)) >= 0 && (isalnum(c) || c == '_' || c == '$'))
			texts_put(&text, c);
		unget(file, c);
	}
	snprintf(out, size, "%.*s", (int)text.bytes.len, text.bytes.data ? text.bytes.data : "");
	texts_release(&text);
	return true;
}

/* `base`.`table`: what stands behind the dot. */
static bool
read_table(struct tabular *file, char *out, size_t size)
{
	bool any = false;
	do
		any = read_word(file, out, size);
	while (any && take(file, '.'));
	return any;
}

static bool
is_word(const char *word, const char *wanted)
{
	return strcasecmp(word, wanted) == 0;
}

/* Up to and with the sign, outside of quotes and brackets; false: the file ends. */
static bool
skip_past(struct tabular *file, const char *signs, int *met)
{
	int depth = 0;
	for (;;) {
		int c = peek_meant(file);
		(void)get(file);
		if (c < 0)
			return false;
		if (is_quote(c)) {
			struct texts nowhere = {.count = TABULAR_COLUMNS_MAX};
			read_quoted(file, c, &nowhere);
		} else if (depth == 0 && strchr(signs, c)) {
			*met = c;
			return true;
		} else {
			depth += (c == '(') - (c == ')' && depth > 0);
		}
	}
}

/* A column is what no keyword of another kind of entry begins. */
static bool
is_column(const char *word)
{
	static const char *const others[] = {"PRIMARY",  "KEY",        "UNIQUE",
					     "INDEX",    "CONSTRAINT", "FOREIGN",
					     "FULLTEXT", "SPATIAL",    "CHECK"};
	for (size_t i = 0; i < COUNT_OF(others); i++)
		if (is_word(word, others[i]))
			return false;
	return true;
}

static void
put_name(struct texts *names, const char *name)
{
	if (!texts_begin(names, false))
		return;
	for (; *name; name++)
		texts_put(names, *name);
	texts_end(names);
}

/* CREATE [TEMPORARY] TABLE [IF NOT EXISTS] name ( */
static void
read_create(struct tabular *file)
{
	char word[NAME_MAX_BYTES] = "";
	int met = 0;
	while (!is_word(word, "TABLE"))
		if (!read_word(file, word, sizeof(word)))
			return;
	bool named = read_table(file, word, sizeof(word));
	while (named && (is_word(word, "IF") || is_word(word, "NOT") || is_word(word, "EXISTS")))
		named = read_table(file, word, sizeof(word));
	if (!named || !take(file, '('))
		return;
	struct definition *definition = xcalloc(1, sizeof(*definition));
	definition->table = xstrdup(word);
	definition->next = file->definitions;
	file->definitions = definition;
	do {
		bool quoted = peek_meant(file) == '`' || peek_meant(file) == '"';
		if (read_word(file, word, sizeof(word)) && (quoted || is_column(word)))
			put_name(&definition->names, word);
	} while (skip_past(file, ",)", &met) && met == ',');
}

static void
use_definition(struct tabular *file)
{
	struct definition *at = file->definitions;
	while (at && !is_word(at->table, file->table))
		at = at->next;
	for (size_t i = 0; at && i < at->names.count; i++) {
		const struct slice *slices = texts_slices(&at->names);
		if (!texts_begin(&file->names, false))
			return;
		for (size_t k = 0; k < slices[i].len; k++)
			texts_put(&file->names, slices[i].ptr[k]);
		texts_end(&file->names);
	}
}

/* INSERT [IGNORE] INTO name [(names)] VALUES; false: it is something else. */
static bool
read_insert(struct tabular *file)
{
	char word[NAME_MAX_BYTES] = "";
	while (!is_word(word, "INTO"))
		if (!read_word(file, word, sizeof(word)))
			return false;
	if (!read_table(file, file->table, sizeof(file->table)))
		return false;
	texts_clear(&file->names);
	if (take(file, '(')) {
		while (read_word(file, word, sizeof(word))) {
			put_name(&file->names, word);
			if (!take(file, ','))
				break;
		}
		if (!take(file, ')'))
			return false;
	} else {
		use_definition(file);
	}
	return read_word(file, word, sizeof(word)) && is_word(word, "VALUES");
}

/* A number, NULL, a text, or a text behind its kind (_binary '...'). */
static void
read_value(struct tabular *file)
{
	struct texts *cells = &file->cells;
	char word[NAME_MAX_BYTES];
	size_t len = 0;
	int c = peek_meant(file);
	if (!is_quote(c)) {
		while ((c = get(file)) >= 0 && !strchr(",) \t\r\n", c))
			if (len + 1 < sizeof(word))
				word[len++] = (char)c;
		unget(file, c);
		word[len] = '\0';
		c = peek_meant(file);
	}
	texts_begin(cells, !is_quote(c) && is_word(len ? word : "", "NULL"));
	if (is_quote(c)) {
		(void)get(file);
		read_quoted(file, c, cells);
	} else {
		for (size_t i = 0; i < len; i++)
			texts_put(cells, word[i]);
	}
	texts_end(cells);
}

/* One bracket of VALUES; false: there is no further one. */
static bool
read_values(struct tabular *file)
{
	int met;
	texts_clear(&file->cells);
	if (!take(file, '('))
		return false;
	do
		read_value(file);
	while (take(file, ','));
	if (!take(file, ')') && !skip_past(file, ")", &met))
		return false;
	take(file, ',');
	return true;
}

static bool
next_sql(struct tabular *file)
{
	char word[NAME_MAX_BYTES];
	int met;
	for (;;) {
		if (*file->table && read_values(file))
			return true;
		if (*file->table && !skip_past(file, ";", &met))
			return false;
		file->table[0] = '\0';
		while (take(file, ';'))
			;
		if (peek_meant(file) < 0)
			return false;
		bool insert = false;
		if (read_word(file, word, sizeof(word))) {
			insert = (is_word(word, "INSERT") || is_word(word, "REPLACE")) &&
				 read_insert(file);
			if (is_word(word, "CREATE"))
				read_create(file);
		}
		if (insert)
			continue;
		file->table[0] = '\0';
		if (!skip_past(file, ";", &met))
			return false;
	}
}

/* --- CSV, and lines of keys --- */

/* A cell and what ended it: the separator, '\n', or -1. */
static int
read_cell(struct tabular *file, struct texts *to)
{
	int c = get(file);
	texts_begin(to, false);
	if (c == '"') {
		read_quoted(file, '"', to);
		c = get(file);
	}
	for (; c >= 0 && c != '\n' && c != file->separator; c = get(file))
		if (c != '\r')
			texts_put(to, c);
	texts_end(to);
	return c;
}

/* Empty lines are none. */
static bool
read_record(struct tabular *file, struct texts *to)
{
	int end;
	do {
		texts_clear(to);
		while ((end = read_cell(file, to)) == file->separator)
			;
	} while (end == '\n' && to->count == 1 && to->bytes.len == 0);
	return end >= 0 || to->count > 1 || to->bytes.len > 0;
}

static bool
next_key(struct tabular *file)
{
	int c;
	do {
		texts_clear(&file->cells);
		texts_begin(&file->cells, false);
		while ((c = get(file)) >= 0 && c != '\n' && c != ' ' && c != '\t' && c != '\r')
			texts_put(&file->cells, c);
		texts_end(&file->cells);
		texts_begin(&file->cells, false);
		for (; c >= 0 && c != '\n'; c = get(file))
			if (!isspace(c) && c != '"')
				texts_put(&file->cells, c);
		texts_end(&file->cells);
	} while (c >= 0 && file->cells.bytes.len == 0);
	return file->cells.bytes.len > 0;
}

/* --- which of them it is --- */

static bool
begins_sql(const char *text)
{
	static const char *const words[] = {"--",       "/*",    "CREATE ", "INSERT ",
					    "REPLACE ", "DROP ", "LOCK ",   "SET ",
					    "START ",   "USE ",  "BEGIN",   "#"};
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (strncasecmp(text, words[i], strlen(words[i])) == 0)
			return true;
	return false;
}

/* "pv:site:host 12": a word with a colon, a blank, a number. */
static bool
begins_keys(const char *text)
{
	size_t word = strcspn(text, " \t\r\n");
	const char *value = text + word + strspn(text + word, " \t\"");
	return memchr(text, ':', word) && value > text + word && *value >= '0' && *value <= '9' &&
	       strcspn(text, ",;") > strcspn(text, "\n");
}

static void
tell_kind(struct tabular *file)
{
	char text[LOOK_AT + 1];
	int len = gzread(file->gz, text, LOOK_AT);
	text[len > 0 ? len : 0] = '\0';
	gzrewind(file->gz);
	const char *at = text + (strncmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0);
	for (const char *skip = text; skip < at; skip++)
		(void)get(file);
	at += strspn(at, " \t\r\n");
	size_t line = strcspn(at, "\n");
	file->kind = begins_sql(at) ? KIND_SQL : begins_keys(at) ? KIND_KEYS : KIND_CSV;
	file->separator = memchr(at, ',', line)    ? ','
			  : memchr(at, ';', line)  ? ';'
			  : memchr(at, '\t', line) ? '\t'
						   : ',';
	/* A log of JSON is no table, though there are commas in it. */
	if (file->kind == KIND_CSV && *at != '{')
		(void)read_record(file, &file->names);
	if (file->kind == KIND_KEYS) {
		put_name(&file->names, "key");
		put_name(&file->names, "value");
	}
}

/* --- the file --- */

struct tabular *
tabular_open(const char *path, char *error, size_t error_size)
{
	int fd = logfile_descriptor(path);
	gzFile gz = fd < 0 ? NULL : gzdopen(fd, "rb");
	if (!gz) {
		snprintf(error, error_size, "cannot read %s: %s", path, strerror(errno));
		return NULL;
	}
	gzbuffer(gz, 256 * 1024);
	struct tabular *file = xcalloc(1, sizeof(*file));
	file->gz = gz;
	tell_kind(file);
	return file;
}

void
tabular_free(struct tabular *file)
{
	if (!file)
		return;
	while (file->definitions) {
		struct definition *next = file->definitions->next;
		texts_release(&file->definitions->names);
		free(file->definitions->table);
		free(file->definitions);
		file->definitions = next;
	}
	texts_release(&file->names);
	texts_release(&file->cells);
	gzclose(file->gz);
	free(file);
}

bool
tabular_is_sql(const struct tabular *file)
{
	return file->kind == KIND_SQL;
}

/* What was read before it is good, but there may have been more. */
static void
note_damage(struct tabular *file)
{
	int code = Z_OK;
	const char *text = gzerror(file->gz, &code);
	if (code != Z_OK && code != Z_STREAM_END)
		snprintf(file->damage, sizeof(file->damage), "%s",
			 code == Z_ERRNO ? strerror(errno) : text);
}

bool
tabular_next(struct tabular *file, struct tabular_row *row)
{
	if (file->kind == KIND_CSV && file->names.count == 0)
		return false;
	bool any = file->kind == KIND_SQL   ? next_sql(file)
		   : file->kind == KIND_CSV ? read_record(file, &file->cells)
					    : next_key(file);
	if (!any) {
		note_damage(file);
		return false;
	}
	file->rows++;
	*row = (struct tabular_row){
		.table = file->kind == KIND_SQL ? slice_of(file->table) : (struct slice){0},
		.names = texts_slices(&file->names),
		.name_count = file->names.count,
		.cells = texts_slices(&file->cells),
		.cell_count = file->cells.count,
	};
	return true;
}

struct slice
tabular_cell(const struct tabular_row *row, const char *name)
{
	for (size_t i = 0; i < row->name_count && i < row->cell_count; i++)
		if (slice_case_eq(row->names[i], slice_of(name)))
			return row->cells[i];
	return (struct slice){0};
}

bool
tabular_has(const struct tabular_row *row, const char *name)
{
	for (size_t i = 0; i < row->name_count; i++)
		if (slice_case_eq(row->names[i], slice_of(name)))
			return true;
	return false;
}

uint64_t
tabular_rows(const struct tabular *file)
{
	return file->rows;
}

const char *
tabular_damage(const struct tabular *file)
{
	return file->damage;
}
