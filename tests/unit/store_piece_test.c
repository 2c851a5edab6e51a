/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Pieces of keys out of a real Redis and into it: what each kind adds, and that a piece is put once. Every number is a sum
 * done by hand.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "store/piece.h"
#include "store_here.h"

enum { CAP = 2 };

static const struct slice hits[] = {{"2020", 4}, {"5", 1}, {"all", 3}, {"7", 1}};

static int
put(struct store *store, uint64_t previous, uint64_t next, const struct piece *piece,
    struct position *stored, size_t *refused)
{
	const struct piece_target target = {.site = SLICE(SITE)};
	const struct advance advance = {"x:1", previous, next, "20200520"};
	return piece_put(store, &target, &advance, piece, stored, refused);
}

static void
a_piece_is_put_once(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, CAP);
	const struct piece piece = {
		.tail = SLICE("hits"), .kind = PIECE_COUNTS, .parts = hits, .count = 4};
	struct position stored;
	size_t refused = 0;
	assert_int_equal(put(store, 3, 4, &piece, &stored, &refused), STORE_MISMATCH);
	assert_false(stored.present);
	assert_answer(here, "", "KEYS *");
	assert_int_equal(put(store, 0, 3, &piece, &stored, &refused), STORE_OK);
	assert_int_equal(put(store, 0, 3, &piece, &stored, &refused), STORE_MISMATCH);
	assert_true(stored.present && stored.offset == 3);
	assert_answer(here, "5 7", "HMGET " KEY ":hits 2020 all");
	assert_answer(here, "3:20200520", "HGET thongke:{03}:streams x:1");
	assert_int_equal(put(store, 3, 9, &piece, &stored, &refused), STORE_OK);
	assert_answer(here, "10 14", "HMGET " KEY ":hits 2020 all");
	(void)ask(here, "HSET " KEY ":hits all poison");
	assert_int_equal(put(store, 9, 10, &piece, &stored, &refused), STORE_OK);
	assert_int_equal(refused, 1);
	assert_answer(here, "15 poison", "HMGET " KEY ":hits 2020 all");
	store_free(store);
}

static void
a_mark_is_set_with_it(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, CAP);
	const struct piece piece = {.tail = SLICE(""), .kind = PIECE_NONE};
	const struct advance advance = {"x:1", 0, 1, "20200520"};
	struct piece_target target = {
		.site = SLICE(SITE), .mark = SLICE(SITE " restored"), .mark_ms = 1000};
	struct position stored;
	size_t refused = 0;
	(void)ask(here, "HSET thongke:{03}:forgotten : 2000");
	assert_int_equal(piece_put(store, &target, &advance, &piece, &stored, &refused), STORE_OK);
	assert_answer(here, "1000", "HGET thongke:{03}:forgotten %s", SITE " restored");
	assert_answer(here, "2000", "HGET thongke:{03}:forgotten :");
	store_free(store);
}

/* Room for two of a day: the third goes with the others; a month's has room for 40. */
static void
tables_stay_within_their_room(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, CAP);
	static const struct slice values[] = {{"/a", 2}, {"1", 1}, {"/b", 2},      {"2", 1},
					      {"/c", 2}, {"4", 1}, {"(other)", 7}, {"8", 1}};
	struct piece piece = {.tail = SLICE("pages:2020-05-20"),
			      .kind = PIECE_TABLE,
			      .seconds = 1000,
			      .parts = values,
			      .count = 8};
	struct position stored;
	size_t refused = 0;
	assert_int_equal(put(store, 0, 1, &piece, &stored, &refused), STORE_OK);
	assert_answer(here, "/a 1 /b 2 (other) 12",
		      "ZRANGE " KEY ":pages:2020-05-20 0 -1 WITHSCORES");
	assert_in_range(strtoll(ask(here, "TTL " KEY ":pages:2020-05-20").text, NULL, 10), 990,
			1000);
	(void)ask(here, "EXPIRE " KEY ":pages:2020-05-20 5000");
	assert_int_equal(put(store, 1, 2, &piece, &stored, &refused), STORE_OK);
	assert_in_range(strtoll(ask(here, "TTL " KEY ":pages:2020-05-20").text, NULL, 10), 4990,
			5000);
	piece.tail = SLICE("pages:2020-05");
	piece.seconds = 0;
	assert_int_equal(put(store, 2, 3, &piece, &stored, &refused), STORE_OK);
	assert_answer(here, "4", "ZCARD " KEY ":pages:2020-05");
	assert_answer(here, "-1", "TTL " KEY ":pages:2020-05");
	store_free(store);
}

static void
the_later_visit_and_all_visitors(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, CAP);
	static const struct slice seen[] = {{"v1", 2}, {"1000", 4}, {"v2", 2}, {"500", 3}};
	struct piece piece = {
		.tail = SLICE("seen"), .kind = PIECE_LATEST, .parts = seen, .count = 4};
	struct position stored;
	size_t refused = 0;
	(void)ask(here, "ZADD " KEY ":seen 700 v2");
	assert_int_equal(put(store, 0, 1, &piece, &stored, &refused), STORE_OK);
	assert_answer(here, "v2 700 v1 1000", "ZRANGE " KEY ":seen 0 -1 WITHSCORES");
	(void)ask(here, "PFADD other a b c");
	redisReply *reply = redisCommand(here->plain, "GET other");
	const struct slice hll[] = {{reply->str, reply->len}};
	piece = (struct piece){.tail = SLICE("unique:2020-05-20"),
			       .kind = PIECE_VISITORS,
			       .parts = hll,
			       .count = 1};
	(void)ask(here, "PFADD " KEY ":unique:2020-05-20 c d");
	assert_int_equal(put(store, 1, 2, &piece, &stored, &refused), STORE_OK);
	assert_answer(here, "4", "PFCOUNT " KEY ":unique:2020-05-20");
	assert_answer(here, "0", "EXISTS " KEY ":~");
	assert_int_equal(refused, 0);
	freeReplyObject(reply);
	store_free(store);
}

static void
names_of_keys(void **state)
{
	static const struct {
		const char *tail;
		int kind; /* -1: none */
	} cases[] = {
		{"hits", PIECE_COUNTS},
		{"bots:2020", PIECE_COUNTS},
		{"bots:2020-05", PIECE_TABLE},
		{"bots", PIECE_COUNTS},
		{"hits:2020-05", -1},
		{"hours:2020-05-20", PIECE_COUNTS},
		{"hours", -1},
		{"base", PIECE_COUNTS},
		{"base:2020", -1},
		{"seen", PIECE_LATEST},
		{"unique:2020-05-20", PIECE_VISITORS},
		{"unique", -1},
		{"pages", PIECE_TABLE},
		{"countries", -1},
		{"countries:2020-05-20", PIECE_TABLE},
		{"pagevisits", PIECE_TABLE},
		{"pages:2020", -1},
		{"streams", -1},
		{"", -1},
		{"~", -1},
	};
	(void)state;
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		enum piece_kind kind = PIECE_NONE;
		bool known = piece_kind_of(slice_of(cases[i].tail), &kind);
		if ((known ? (int)kind : -1) != cases[i].kind)
			fail_msg("%s", cases[i].tail);
	}
}

struct got {
	char text[256];
	size_t pieces;
};

static int
take_cb(const struct piece *piece, void *arg)
{
	struct got *got = arg;
	size_t len = strlen(got->text);
	snprintf(got->text + len, sizeof(got->text) - len, "%.*s@%zu+%zu%s ",
		 SLICE_ARG(piece->tail), piece->first, piece->count, piece->last ? "." : "");
	return STORE_OK;
}

/* 700 pages are two whole pieces and one of 100; begun behind 300 of them it is the rest. */
static void
keys_come_in_pieces(void **state)
{
	struct redis_here *here = *state;
	struct store *store = store_at(here, TIMEOUT_MS, CAP);
	struct piece_place from = {"", 0};
	struct got got = {0};
	for (int i = 0; i < 700; i++)
		(void)ask(here, "ZADD " KEY ":pages %d /%d", i + 1, i);
	(void)ask(here, "HSET " KEY ":hits all 3 2020 3");
	(void)ask(here, "SET " KEY ":foreign x");
	(void)ask(here, "PFADD " KEY ":unique:2020-05-20 v");
	assert_int_equal(piece_each(store, SHARD, SLICE(SITE), &from, take_cb, &got), STORE_OK);
	assert_string_equal(got.text, "hits@0+4. pages@0+600 pages@300+600 pages@600+200. "
				      "unique:2020-05-20@0+1. ");
	got = (struct got){0};
	from = (struct piece_place){"pages", 300};
	assert_int_equal(piece_each(store, SHARD, SLICE(SITE), &from, take_cb, &got), STORE_OK);
	assert_string_equal(got.text, "pages@300+600 pages@600+200. unique:2020-05-20@0+1. ");
	store_free(store);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_piece_is_put_once, redis_here_empty),
		cmocka_unit_test_setup(a_mark_is_set_with_it, redis_here_empty),
		cmocka_unit_test_setup(tables_stay_within_their_room, redis_here_empty),
		cmocka_unit_test_setup(the_later_visit_and_all_visitors, redis_here_empty),
		cmocka_unit_test(names_of_keys),
		cmocka_unit_test_setup(keys_come_in_pieces, redis_here_empty),
	};
	return cmocka_run_group_tests_name("store_piece", tests, redis_here_start, redis_here_stop);
}
