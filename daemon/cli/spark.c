/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers as little bars: U+2581, an eighth of a block, to U+2588, a whole one. */
#include "cli/spark.h"

#include "show/counts.h"
#include "show/labels.h"

void
spark_add(struct buf *out, const int64_t *numbers, size_t count)
{
	enum { LEVELS = 8 };
	int64_t greatest = 1;
	for (size_t i = 0; i < count; i++)
		greatest = numbers[i] > greatest ? numbers[i] : greatest;
	for (size_t i = 0; i < count; i++) {
		if (numbers[i] == COUNT_UNKNOWN) {
			buf_add_literal(out, LABEL_NO_DATA);
			continue;
		}
		double share = numbers[i] > 0 ? (double)numbers[i] / (double)greatest : 0;
		int level = (int)(share * (LEVELS - 1) + 0.5);
		const char block[3] = {'\xe2', '\x96', (char)(0x81 + level)};
		buf_add(out, block, sizeof(block));
	}
}
