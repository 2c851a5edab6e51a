/* SPDX-License-Identifier: BSD-2-Clause */
/* Who was seen when: an open-addressing table, swept of what is too old whenever it is half full. */
#include "cli/visits.h"

enum {
	FIRST_SLOTS = 4096, /* powers of two */
	MOST_SLOTS = 2 * VISITS_MAX,
	SWEEP_EVERY_MS = 60 * 1000, /* of a full table, of the log's time */
};

struct seen {
	uint64_t visitor; /* 0: free */
	int64_t last_ms;
};

struct visits {
	struct seen *slots;
	size_t mask, count;
	int64_t gap_ms, swept_ms;
};

struct visits *
visits_new(int64_t gap_ms)
{
	struct visits *visits = xcalloc(1, sizeof(*visits));
	visits->gap_ms = gap_ms;
	visits->mask = FIRST_SLOTS - 1;
	visits->slots = xcalloc(FIRST_SLOTS, sizeof(*visits->slots));
	return visits;
}

void
visits_free(struct visits *visits)
{
	if (!visits)
		return;
	free(visits->slots);
	free(visits);
}

void
visits_clear(struct visits *visits)
{
	memset(visits->slots, 0, (visits->mask + 1) * sizeof(*visits->slots));
	visits->count = 0;
}

/* The visitor's slot, or the free one where it belongs. Ids are keyed hashes already. */
static struct seen *
find(const struct visits *visits, uint64_t visitor)
{
	for (size_t at = (size_t)visitor;; at++) {
		struct seen *seen = &visits->slots[at & visits->mask];
		if (seen->visitor == visitor || seen->visitor == 0)
			return seen;
	}
}

static bool
matters(const struct visits *visits, const struct seen *seen, int64_t now_ms)
{
	int64_t apart = now_ms > seen->last_ms ? now_ms - seen->last_ms : seen->last_ms - now_ms;
	return seen->visitor != 0 && apart <= visits->gap_ms + VISITS_KEEP_MS;
}

/* Into a table twice as large where more than a quarter of this one still matters. */
static void
sweep(struct visits *visits, int64_t now_ms)
{
	struct seen *old = visits->slots;
	size_t slots = visits->mask + 1, left = 0;
	for (size_t i = 0; i < slots; i++)
		left += matters(visits, &old[i], now_ms);
	if (left * 4 > slots && slots < MOST_SLOTS)
		visits->mask = visits->mask * 2 + 1;
	visits->slots = xcalloc(visits->mask + 1, sizeof(*visits->slots));
	for (size_t i = 0; i < slots; i++)
		if (matters(visits, &old[i], now_ms))
			*find(visits, old[i].visitor) = old[i];
	visits->count = left;
	visits->swept_ms = now_ms;
	free(old);
}

bool
visits_note(struct visits *visits, uint64_t visitor, int64_t time_ms)
{
	struct seen *seen = find(visits, visitor);
	if (seen->visitor == 0 && visits->count >= VISITS_MAX) {
		if (llabs((long long)(time_ms - visits->swept_ms)) >= SWEEP_EVERY_MS)
			sweep(visits, time_ms);
		if (visits->count >= VISITS_MAX)
			return false;
		seen = find(visits, visitor);
	}
	int64_t since = time_ms - seen->last_ms;
	bool begins = seen->visitor == 0 || since >= visits->gap_ms ||
		      -since > visits->gap_ms + VISITS_KEEP_MS;
	visits->count += seen->visitor == 0;
	seen->visitor = visitor;
	if (begins || since > 0)
		seen->last_ms = time_ms;
	if (visits->count * 2 > visits->mask && visits->mask + 1 < MOST_SLOTS)
		sweep(visits, time_ms);
	return begins;
}
