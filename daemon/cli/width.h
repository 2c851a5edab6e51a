/* SPDX-License-Identifier: BSD-2-Clause */
/* Text by the columns that it takes on a screen, in any locale (pure). What acts or is no UTF-8 is shown as '?'. */
#ifndef CLI_WIDTH_H
#define CLI_WIDTH_H

#include "base/buf.h"

/* 0, 1 or 2. */
int width_of(uint32_t code);
/* The next character's bytes and columns; ptr NULL: to be shown as '?', `len` bytes of the text. */
struct slice width_next(struct slice text, int *width);
int width_text(struct slice text);

/* Adds at most `room` columns of the text; one that is cut ends in an ellipsis. Returns the columns taken. */
int width_add_clipped(struct buf *out, struct slice text, int room);
void width_pad(struct buf *out, int columns);
/* Exactly `width` columns, the text at their left or their right. */
void width_add_cell(struct buf *out, struct slice text, int width, bool left);
/* No line ends in blanks. */
void width_end_line(struct buf *out);

#endif
