/* SPDX-License-Identifier: BSD-2-Clause */
/* A row of numbers as a row of little bars, each a character (pure). */
#ifndef CLI_SPARK_H
#define CLI_SPARK_H

#include "base/buf.h"

/* Up to a full block for the greatest; COUNT_UNKNOWN (show/counts.h) as LABEL_NO_DATA. */
void spark_add(struct buf *out, const int64_t *numbers, size_t count);

#endif
