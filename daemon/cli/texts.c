/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts in one block of bytes. */
#include "cli/texts.h"

void
texts_release(struct texts *texts)
{
	buf_release(&texts->bytes);
}

void
texts_clear(struct texts *texts)
{
	buf_clear(&texts->bytes);
	texts->count = 0;
}

bool
texts_begin(struct texts *texts, bool null)
{
	if (texts->count == TABULAR_COLUMNS_MAX)
		return false;
	texts->starts[texts->count] = texts->bytes.len;
	texts->null[texts->count] = null;
	return true;
}

void
texts_put(struct texts *texts, int byte)
{
	char c = (char)byte;
	if (texts->count < TABULAR_COLUMNS_MAX &&
	    texts->bytes.len - texts->starts[texts->count] < TABULAR_CELL_MAX)
		buf_add(&texts->bytes, &c, 1);
}

void
texts_end(struct texts *texts)
{
	if (texts->count < TABULAR_COLUMNS_MAX) {
		texts->lens[texts->count] = texts->bytes.len - texts->starts[texts->count];
		texts->count++;
	}
}

const struct slice *
texts_slices(struct texts *texts)
{
	const char *bytes = texts->bytes.data ? texts->bytes.data : "";
	for (size_t i = 0; i < texts->count; i++)
		texts->slices[i] =
			texts->null[i] ? (struct slice){0}
				       : (struct slice){bytes + texts->starts[i], texts->lens[i]};
	return texts->slices;
}
