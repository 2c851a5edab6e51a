/* SPDX-License-Identifier: BSD-2-Clause */
/* The sum of many tables: an open-addressing table over one array. What is "(other)" in Redis stays last, however much. */
#include "cli/ranking.h"

#include <stdlib.h>
#include <xxhash.h>

#include "store/keys.h"

enum { FIRST_SLOTS = 1024 /* a power of two */ };

struct ranking {
	struct ranked *rows;
	size_t count, room;
	uint32_t *slots; /* index of a row + 1; 0: free */
	size_t mask;
	int64_t sum;
};

struct ranking *
ranking_new(void)
{
	struct ranking *ranking = xcalloc(1, sizeof(*ranking));
	ranking->slots = xcalloc(FIRST_SLOTS, sizeof(*ranking->slots));
	ranking->mask = FIRST_SLOTS - 1;
	return ranking;
}

void
ranking_free(struct ranking *ranking)
{
	if (!ranking)
		return;
	for (size_t i = 0; i < ranking->count; i++)
		free((char *)ranking->rows[i].value.ptr);
	free(ranking->rows);
	free(ranking->slots);
	free(ranking);
}

/* The slot of the value, or the free one where it belongs. */
static uint32_t *
find(const struct ranking *ranking, struct slice value)
{
	size_t at = XXH3_64bits(value.ptr, value.len);
	for (;; at++) {
		uint32_t *slot = &ranking->slots[at & ranking->mask];
		if (*slot == 0 || slice_eq(ranking->rows[*slot - 1].value, value))
			return slot;
	}
}

/* At most half of the slots are ever taken. */
static void
grow(struct ranking *ranking)
{
	if (ranking->count * 2 <= ranking->mask)
		return;
	ranking->mask = ranking->mask * 2 + 1;
	free(ranking->slots);
	ranking->slots = xcalloc(ranking->mask + 1, sizeof(*ranking->slots));
	for (size_t i = 0; i < ranking->count; i++)
		*find(ranking, ranking->rows[i].value) = (uint32_t)i + 1;
}

void
ranking_add(struct ranking *ranking, struct slice value, int64_t hits)
{
	uint32_t *slot = find(ranking, value);
	ranking->sum += hits;
	if (*slot) {
		ranking->rows[*slot - 1].hits += hits;
		return;
	}
	if (ranking->count == ranking->room) {
		ranking->room = ranking->room ? 2 * ranking->room : FIRST_SLOTS;
		ranking->rows = xrealloc(ranking->rows, ranking->room * sizeof(*ranking->rows));
	}
	char *text = xmalloc(value.len);
	memcpy(text, value.ptr, value.len);
	ranking->rows[ranking->count++] = (struct ranked){{text, value.len}, hits};
	*slot = (uint32_t)ranking->count;
	grow(ranking);
}

static int
compare(const void *a, const void *b)
{
	const struct ranked *left = a, *right = b;
	bool left_other = slice_eq(left->value, SLICE(KEY_OTHER));
	bool right_other = slice_eq(right->value, SLICE(KEY_OTHER));
	if (left_other != right_other)
		return left_other - right_other;
	if (left->hits != right->hits)
		return left->hits < right->hits ? 1 : -1;
	size_t len = left->value.len < right->value.len ? left->value.len : right->value.len;
	int order = memcmp(left->value.ptr, right->value.ptr, len);
	return order ? order : (left->value.len > len) - (right->value.len > len);
}

const struct ranked *
ranking_sort(struct ranking *ranking, size_t *count)
{
	if (ranking->count > 0)
		qsort(ranking->rows, ranking->count, sizeof(*ranking->rows), compare);
	*count = ranking->count;
	return ranking->rows;
}

int64_t
ranking_sum(const struct ranking *ranking)
{
	return ranking->sum;
}
