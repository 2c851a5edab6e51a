/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random histories of two sites over midnight, cut into deltas at random places, with Redis set back to what it held
 * before and the hits read again in other cuts: after every call the numbers are those of a model that looks at one hit
 * after the other. It knows neither deltas, positions nor Redis.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store_here.h"

enum { GAP = 60000, HITS = 80, HISTORIES = 25, SITES = 2, DAYS = 2, VISITORS = 5, PAGES = 4 };

/* 2020-05-20T16:50:00Z: ten minutes before midnight in Hanoi. */
static const int64_t start_ms = INT64_C(1589993400000), midnight_ms = INT64_C(1589994000000);

static const char *const site_keys[SITES] = {SITE, "other"};
static const char *const page_paths[PAGES] = {NULL, "/a", "/b", "/c"};

struct event {
	int64_t time_ms;
	int site, visitor, page; /* visitor 0: none is known; page 0: likewise */
};

static unsigned
random_below(unsigned *seed, unsigned most)
{
	*seed = *seed * 1103515245 + 12345;
	return (*seed >> 16) % most;
}

static int
day_of(const struct event *event)
{
	return event->time_ms >= midnight_ms;
}

/* In the order of time. Steps around the gap, and ones so long that visitors are forgotten. */
static void
make_history(struct event events[HITS], unsigned *seed)
{
	static const int64_t steps[] = {0,       0,       1,       500, GAP / 5, GAP - 1,   GAP,
					GAP / 3, GAP + 1, 7 * GAP, 0,   GAP / 5, GAP - 500, 20};
	int64_t now = start_ms;
	for (int i = 0; i < HITS; i++) {
		now += steps[random_below(seed, COUNT_OF(steps))];
		events[i] = (struct event){now, (int)random_below(seed, SITES),
					   (int)random_below(seed, VISITORS + 1),
					   (int)random_below(seed, PAGES)};
	}
}

static struct hit
hit_of(const struct event *event)
{
	/* Ids change with the day, as the salt does. */
	uint64_t id =
		(uint64_t)event->visitor * UINT64_C(0x9e3779b97f4a7c15) + (uint64_t)day_of(event);
	return (struct hit){.site = slice_of(site_keys[event->site]),
			    .time_ms = event->time_ms,
			    .day = DAY + day_of(event),
			    .hour = day_of(event) ? 0 : 23,
			    .count = 1,
			    .visitor = event->visitor ? id : 0,
			    .values[HIT_PAGES] = slice_of(page_paths[event->page])};
}

/* --- the model --- */

struct model {
	int hits[SITES][DAYS], visits[SITES][DAYS], visitors[SITES][DAYS];
	int page_visits[SITES][DAYS][PAGES];
	int64_t last[SITES][DAYS][VISITORS + 1]; /* 0: never seen */
};

static void
model_add(struct model *model, const struct event *event)
{
	int day = day_of(event), site = event->site;
	int64_t *last = &model->last[site][day][event->visitor];
	model->hits[site][day]++;
	if (event->visitor == 0)
		return;
	model->visitors[site][day] += *last == 0;
	if (*last == 0 || event->time_ms - *last >= GAP) {
		model->visits[site][day]++;
		model->page_visits[site][day][event->page]++;
	}
	*last = event->time_ms;
}

/* Where a history stands, for who has to find out why. */
static struct {
	unsigned history;
	uint64_t hits;
} standing;

static void
expect(struct redis_here *here, const char *command, int site, const char *tail, const char *field,
       int expected)
{
	struct words answer =
		ask(here, "%s thongke:{03}:%s:%s %s", command, site_keys[site], tail, field);
	bool none = strcmp(answer.text, "nil") == 0;
	if ((none ? 0 : strtol(answer.text, NULL, 10)) != expected)
		fail_msg("history %u after %" PRIu64 " hits: %s %s of %s is %s, not %d",
			 standing.history, standing.hits, tail, field, site_keys[site], answer.text,
			 expected);
}

static void
check_site(struct redis_here *here, const struct model *model, int site, int day)
{
	const char *field = day ? "05-21" : "05-20";
	char tail[32];
	expect(here, "HGET", site, "hits:2020", field, model->hits[site][day]);
	expect(here, "HGET", site, "visits:2020", field, model->visits[site][day]);
	expect(here, "HGET", site, "visitors:2020", field, model->visitors[site][day]);
	snprintf(tail, sizeof(tail), "pagevisits:2020-%s", field);
	for (int page = 1; page < PAGES; page++)
		expect(here, "ZSCORE", site, tail, page_paths[page],
		       model->page_visits[site][day][page]);
}

static void
check(struct redis_here *here, const struct event *events, uint64_t count)
{
	struct model model = {0};
	standing.hits = count;
	for (uint64_t i = 0; i < count; i++)
		model_add(&model, &events[i]);
	for (int site = 0; site < SITES; site++) {
		const int *visits = model.visits[site], *visitors = model.visitors[site];
		int(*pages)[PAGES] = model.page_visits[site];
		for (int day = 0; day < DAYS; day++)
			check_site(here, &model, site, day);
		expect(here, "HGET", site, "visits", "all", visits[0] + visits[1]);
		expect(here, "HGET", site, "visitors", "2020-W21", visitors[0] + visitors[1]);
		for (int page = 1; page < PAGES; page++)
			expect(here, "ZSCORE", site, "pagevisits", page_paths[page],
			       pages[0][page] + pages[1][page]);
	}
}

/* --- what Redis held --- */

struct copy {
	redisReply *keys, *values[64];
	uint64_t at; /* the position in it */
};

static void
copy_release(struct copy *copy)
{
	for (size_t i = 0; copy->keys && i < copy->keys->elements; i++)
		freeReplyObject(copy->values[i]);
	freeReplyObject(copy->keys);
	*copy = (struct copy){0};
}

static void
copy_make(struct redis_here *here, struct copy *copy, uint64_t at)
{
	copy_release(copy);
	copy->at = at;
	copy->keys = redisCommand(here->plain, "KEYS *");
	assert_in_range(copy->keys->elements, 0, COUNT_OF(copy->values));
	for (size_t i = 0; i < copy->keys->elements; i++)
		copy->values[i] = redisCommand(here->plain, "DUMP %s", copy->keys->element[i]->str);
}

static void
copy_restore(struct redis_here *here, const struct copy *copy)
{
	assert_answer(here, "OK", "FLUSHALL");
	for (size_t i = 0; i < copy->keys->elements; i++)
		assert_answer(here, "OK", "RESTORE %s 0 %b", copy->keys->element[i]->str,
			      copy->values[i]->str, copy->values[i]->len);
}

/* --- a history --- */

/* The next hits as one delta from where this caller believes Redis to be; returns where Redis is. */
static uint64_t
apply_some(struct store *store, const struct event *events, uint64_t at, unsigned *seed)
{
	struct delta *delta = delta_new();
	struct apply_reply reply;
	uint64_t next = at + 1 + random_below(seed, random_below(seed, 2) ? 3 : 30);
	next = next > HITS ? HITS : next;
	for (uint64_t i = at; i < next; i++) {
		struct hit hit = hit_of(&events[i]);
		delta_add(delta, &hit, GAP, true);
	}
	int status = apply(store, SHARD, at, next, delta, &reply);
	if (status == STORE_MISMATCH)
		next = reply.stored[0].offset;
	else
		assert_int_equal(status, STORE_OK);
	assert_int_equal(reply.refused, 0);
	apply_reply_release(&reply);
	delta_free(delta);
	return next;
}

static void
run_history(struct redis_here *here, struct store *store, unsigned *seed)
{
	struct event events[HITS];
	struct copy copy = {0};
	uint64_t at = 0;
	int rollbacks = 3;
	make_history(events, seed);
	assert_answer(here, "OK", "FLUSHALL");
	copy_make(here, &copy, 0);
	while (at < HITS) {
		if (rollbacks > 0 && random_below(seed, 6) == 0) {
			/* It is not told: the first call finds out, and is not applied. */
			copy_restore(here, &copy);
			uint64_t stored = apply_some(store, events, at, seed);
			assert_true(at == copy.at || stored == copy.at);
			at = stored;
			rollbacks--;
		} else {
			at = apply_some(store, events, at, seed);
		}
		check(here, events, at);
		if (random_below(seed, 4) == 0)
			copy_make(here, &copy, at);
	}
	copy_release(&copy);
}

static void
test_histories(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, PAGES_PER_DAY);
	for (unsigned history = 1; history <= HISTORIES; history++) {
		unsigned seed = history;
		standing.history = history;
		run_history(here, store, &seed);
	}
	store_free(store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_histories, redis_here_empty),
	};
	return cmocka_run_group_tests_name("store_history", tests, redis_here_start,
					   redis_here_stop);
}
