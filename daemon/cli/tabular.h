/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows of named cells out of a file, plain or gzipped: an SQL dump (INSERT and CREATE TABLE of MySQL and its like), CSV with
 * a line of names (RFC 4180; semicolons and tabs part cells too), or lines of a key and a value.
 */
#ifndef CLI_TABULAR_H
#define CLI_TABULAR_H

#include "base/base.h"

enum {
	TABULAR_COLUMNS_MAX = 64,     /* more are passed over */
	TABULAR_CELL_MAX = 64 * 1024, /* bytes; what is longer ends there */
};

struct tabular;
/* NULL: a sentence in error. "-" is standard input. */
struct tabular *tabular_open(const char *path, char *error, size_t error_size);
void tabular_free(struct tabular *file);

/* Whether it is SQL, which may hold any tables. */
bool tabular_is_sql(const struct tabular *file);

/* Borrowed until the next one. */
struct tabular_row {
	struct slice table; /* of SQL; absent elsewhere */
	const struct slice *names, *cells;
	size_t name_count, cell_count;
};

/* False: there is none left. Of lines of keys and values the names are "key" and "value". */
bool tabular_next(struct tabular *file, struct tabular_row *row);
/* The cell of that name in any case of letters; absent: there is none, or it is NULL. */
struct slice tabular_cell(const struct tabular_row *row, const char *name);
bool tabular_has(const struct tabular_row *row, const char *name);

/* Rows read so far; why reading ended early, or "". */
uint64_t tabular_rows(const struct tabular *file);
const char *tabular_damage(const struct tabular *file);

#endif
