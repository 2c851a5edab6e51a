/* SPDX-License-Identifier: BSD-2-Clause */
/* Ranges of days as operators write them (pure). */
#ifndef CLI_RANGE_H
#define CLI_RANGE_H

#include "base/base.h"

struct range {
	int32_t first, last; /* days, base/period.h; both belong to it */
};

/*
 * "today", "yesterday", "7d" (that many days, today the last of them), or a period's name: "2020-05-20", "2020-W21",
 * "2020-05", "2020". False when it is none of them.
 */
bool range_parse(struct slice text, int32_t today, struct range *out);

#endif
