/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What other counters counted: which of their tables a file's rows are of, and what the rows say. One table names the
 * counters, their tables and columns.
 */
#ifndef CLI_COUNTERS_H
#define CLI_COUNTERS_H

#include "base/buf.h"
#include "base/conf.h"
#include "cli/tabular.h"
#include "store/store.h"

struct counters;
struct counters *counters_new(const struct conf *conf, const struct conf_site *site);
void counters_free(struct counters *counters);

/* Whether it is the name of a counter; and all of them, each followed by ", ". */
bool counters_is_name(const char *name);
void counters_names(struct buf *out);
/* Whether the row is of one: of `name`, or where that is NULL of any. */
bool counters_know(const struct tabular_row *row, const char *name);

enum counters_verdict {
	COUNTERS_TAKEN,
	COUNTERS_OTHER, /* of no counter's table, or of another site */
	COUNTERS_BAD,   /* says what is no number, date or path */
};
enum counters_verdict counters_add(struct counters *counters, const struct tabular_row *row,
				   const char *name);

/*
 * All that the rows said, in the order that store_bring() wants, and whose it is (the name of the counter, NULL: nobody's).
 * Where several tables tell of one day, the largest number counts. Borrowed until the next call.
 */
const struct brought *counters_all(struct counters *counters, size_t *count, const char **source);

#endif
