/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a command answers, once: columns with types and rows of cells. Every rendering is made from it, so that all of
 * them say the same. Column keys are the JSON keys and the header of CSV; labels are for the table that people read.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "base/buf.h"
#include "base/conf.h"
#include "base/period.h"
#include "show/labels.h"

enum { TABLE_COLUMNS_MAX = 20 };

enum column_type {
	COLUMN_TEXT,
	COLUMN_COUNT,  /* a number, written with the language's thousands in the table */
	COLUMN_BAR,    /* a count with a bar at the line's end and its sum and average below */
	COLUMN_BESIDE, /* the same without a bar, shown where there is room for it */
	COLUMN_CHANGE, /* ten thousandths more (or fewer) than before; shown where there is room for it */
	COLUMN_MICROS, /* microseconds: seconds for programs */
	COLUMN_SHARE, /* ten thousandths of the whole: 0.25 for programs, a percentage for people */
	COLUMN_FLAG,  /* true or false */
	COLUMN_COMPLETE, /* a flag of a period; the table marks rows where it is false */
	COLUMN_ESTIMATE, /* a count that the table shows once, below, where a row has it */
};

struct column {
	const char *key;
	enum label_word word; /* what the table that people read calls it */
	enum column_type type;
	const char *label; /* in place of the word, if not NULL */
};

enum cell_state {
	CELL_ABSENT,  /* not said: no key in JSON, empty in CSV */
	CELL_UNKNOWN, /* null in JSON, empty in CSV, LABEL_NO_DATA in the table */
	CELL_NUMBER,  /* also flags */
	CELL_TEXT,
};

struct cell {
	enum cell_state state;
	int64_t number;
	int64_t adjusted; /* how much of the number an operator added: JSON says it beside it */
	char *text;       /* `len` bytes, owned by the table, as is what follows */
	size_t len;
	char *shown; /* what people read in place of text or number; NULL: those themselves */
};

/* The site of a table that sums up several. */
#define TABLE_TOTAL "(total)"
/* A bit of `brief` or `named`. */
#define TABLE_COLUMN(index) (1u << (index))

struct table {
	const char *site; /* NULL: of many sites, or of none */
	const char *timezone;
	const char *dimension;                             /* NULL: of none */
	char from[PERIOD_NAME_SIZE], to[PERIOD_NAME_SIZE]; /* "": of no days in particular */
	const char *name; /* of the command: what metrics are called after it */
	const char *note; /* said beside the site, to people; NULL: nothing */
	unsigned brief;   /* columns that one line has room for */
	unsigned named;   /* those of them that need their label there */
	bool has_whole;
	int64_t whole; /* what shares are of: stands below the rows in place of their sum */
	struct column columns[TABLE_COLUMNS_MAX];
	size_t column_count;
	struct cell *cells; /* row after row */
	size_t row_count;
	size_t row_room;
};

void table_init(struct table *table, const struct column *columns, size_t count);
void table_release(struct table *table);

/* Adds a row of absent cells and returns the first of them, valid until the next row. */
struct cell *table_row(struct table *table);
const struct cell *table_cell(const struct table *table, size_t row, size_t column);

void cell_number(struct cell *cell, int64_t value);
/* The number, or unknown where it is COUNT_UNKNOWN. */
void cell_count(struct cell *cell, int64_t value);
/* The same of what is counted and what an operator added to it, of which no less than 0 is shown. */
void cell_adjusted(struct cell *cell, int64_t counted, int64_t adjusted);
void cell_text(struct cell *cell, struct slice text);
/* Beside its text or number: what it is called in the table that people read. */
void cell_shown(struct cell *cell, struct slice words);
struct slice cell_slice(const struct cell *cell);

/* How what people read looks. */
struct look {
	enum conf_language language;
	int width; /* columns of the terminal */
	bool color, bars;
};

/* What people read in a cell, and what they call the site. */
void table_words(struct buf *out, const struct column *column, const struct cell *cell,
		 enum conf_language language);
const char *table_site(const struct table *table, enum conf_language language);
/* The column of that type, or -1. */
int table_find(const struct table *table, enum column_type type);

enum rendering {
	RENDER_TABLE,
	RENDER_TSV,
	RENDER_CSV,
	RENDER_JSON,
	RENDER_NDJSON,
	RENDER_ONELINE,
	RENDER_PROM,
	RENDERINGS
};
/* Tables of several sites have the same columns; of more than one, rows for programs begin with their site. */
void tables_render(struct buf *out, const struct table *tables, size_t count,
		   enum rendering rendering, const struct look *look);
void table_render(struct buf *out, const struct table *table, enum rendering rendering,
		  const struct look *look);

/* The renderings themselves (render_text.c, render_data.c, render_line.c, render_prom.c). */
typedef void render_fn(struct buf *out, const struct table *tables, size_t count,
		       const struct look *look);
render_fn render_table, render_tsv, render_csv, render_json, render_ndjson, render_oneline,
	render_prom;

/* A cell as programs that know no types take it; absent and unknown ones are empty. */
enum { TABLE_NUMBER_SIZE = 32 };
struct slice table_plain(const struct column *column, const struct cell *cell,
			 char number[TABLE_NUMBER_SIZE]);

#endif
