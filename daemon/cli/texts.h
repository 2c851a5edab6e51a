/* SPDX-License-Identifier: BSD-2-Clause */
/* The texts of a row, or of its names, put together byte by byte; kept for the next row by texts_clear. */
#ifndef CLI_TEXTS_H
#define CLI_TEXTS_H

#include "base/buf.h"
#include "cli/tabular.h"

/* Zeroed it has none. */
struct texts {
	struct buf bytes;
	size_t starts[TABULAR_COLUMNS_MAX], lens[TABULAR_COLUMNS_MAX];
	bool null[TABULAR_COLUMNS_MAX];
	struct slice slices[TABULAR_COLUMNS_MAX];
	size_t count;
};
void texts_release(struct texts *texts);
void texts_clear(struct texts *texts);

/* Begins a further one, which is absent or has the bytes that are put. False: there is no room, and nothing is kept of it. */
bool texts_begin(struct texts *texts, bool null);
void texts_put(struct texts *texts, int byte);
void texts_end(struct texts *texts);

/* Borrowed until something is put. */
const struct slice *texts_slices(struct texts *texts);

#endif
