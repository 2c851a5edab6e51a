/* SPDX-License-Identifier: BSD-2-Clause */
/* The values of a dimension with their hits, summed over any number of tables, then in order. */
#ifndef CLI_RANKING_H
#define CLI_RANKING_H

#include "base/base.h"

struct ranked {
	struct slice value; /* borrowed from the ranking */
	int64_t hits;
};

struct ranking;
struct ranking *ranking_new(void);
void ranking_free(struct ranking *ranking);

void ranking_add(struct ranking *ranking, struct slice value, int64_t hits);
/* Most hits first, of equal ones by value; "(other)" last. Nothing may be added any more. */
const struct ranked *ranking_sort(struct ranking *ranking, size_t *count);
/* Of all values. */
int64_t ranking_sum(const struct ranking *ranking);

#endif
