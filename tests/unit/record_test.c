/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The journal's bytes: records and frames against bytes written by hand (checksums by the installed libxxhash, called
 * here directly), and against every way of cutting and flipping them.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/mman.h>
#include <xxhash.h>

#include "journal/record.h"

/* Two readable pages' worth of room whose end touches an unreadable page. */
enum { GUARDED = 8192 };

struct guarded {
	char *base;
	char *end;
};

static struct guarded
guarded_new(void)
{
	char *base = mmap(NULL, GUARDED + 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			  -1, 0);
	assert_ptr_not_equal(base, MAP_FAILED);
	assert_int_equal(mprotect(base + GUARDED, 4096, PROT_NONE), 0);
	return (struct guarded){base, base + GUARDED};
}

/* The bytes, placed so that reading one past them dies. */
static struct slice
at_the_edge(struct guarded *guarded, const void *bytes, size_t len)
{
	memcpy(guarded->end - len, bytes, len);
	return (struct slice){guarded->end - len, len};
}

static void
guarded_release(struct guarded *guarded)
{
	munmap(guarded->base, GUARDED + 4096);
}

/* 2020-05-20T07:32:07.123Z = 1589959927123 ms = 0x17230ff2553; day 18402 = 0x47E2. */
static const unsigned char known_record[] = {
	0x36, 0x00,                                     /* 54 bytes follow */
	0x02,                                           /* a hit */
	0x53, 0x25, 0xff, 0x30, 0x72, 0x01, 0x00, 0x00, /* time */
	0xe2, 0x47, 0x00, 0x00,                         /* day */
	0x0e,                                           /* hour 14 */
	0x01,                                           /* its page only */
	0x0d, 0x0c, 0x0b, 0x0a,                         /* count */
	0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, /* visitor */
	0xef, 0xbe, 0xad, 0xde, 0x00, 0x00, 0x00, 0x80, /* nonce */
	0x06, 's',  'o',  't',  't',  't',  't',        /* site */
	0x05, 0x00,                                     /* the first dimension and the third */
	0x04, 0x00, '/',  't',  'i',  'n',              /* page */
	0x02, 0x00, 'V',  'N',                          /* country */
};

static const struct hit known_hit = {
	.time_ms = 1589959927123,
	.day = 18402,
	.hour = 14,
	.page_only = true,
	.count = 0x0a0b0c0d,
	.visitor = 0x1122334455667788,
	.nonce = 0x80000000deadbeef,
	.site = {"sotttt", 6},
	.values = {[HIT_PAGES] = {"/tin", 4}, [HIT_COUNTRIES] = {"VN", 2}},
};

static const struct stream_id known_id = {{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}};

static void
assert_hits_equal(const struct hit *a, const struct hit *b)
{
	assert_int_equal(a->time_ms, b->time_ms);
	assert_int_equal(a->day, b->day);
	assert_int_equal(a->hour, b->hour);
	assert_int_equal(a->page_only, b->page_only);
	assert_int_equal(a->count, b->count);
	assert_int_equal(a->visitor, b->visitor);
	assert_int_equal(a->nonce, b->nonce);
	assert_true(slice_eq(a->site, b->site));
	for (int i = 0; i < HIT_DIMENSION_COUNT; i++) {
		assert_true(slice_eq(a->values[i], b->values[i]));
		assert_int_equal(a->values[i].ptr == NULL, b->values[i].ptr == NULL);
	}
}

static void
test_known_record(void **state)
{
	(void)state;
	struct buf payload = {0};
	record_put(&payload, &known_hit);
	assert_int_equal(payload.len, sizeof(known_record));
	assert_memory_equal(payload.data, known_record, sizeof(known_record));
	struct hit hit;
	struct slice bytes = {(const char *)known_record, sizeof(known_record)};
	assert_int_equal(record_get(bytes, &hit), sizeof(known_record));
	assert_hits_equal(&hit, &known_hit);
	assert_ptr_equal(hit.site.ptr, known_record + 38);
	buf_release(&payload);
}

static void
test_round_trip(void **state)
{
	(void)state;
	static char long_text[HIT_PAGE_MAX];
	memset(long_text, 'x', sizeof(long_text));
	const struct hit hits[] = {
		{.site = {"a", 1}},
		{.site = {"a", 1}, .values[HIT_PAGES] = {"", 0}},
		{.time_ms = INT64_MIN, .day = INT32_MIN, .hour = 23, .site = {long_text, 63}},
		{.time_ms = INT64_MAX,
		 .day = INT32_MAX,
		 .visitor = UINT64_MAX,
		 .nonce = UINT64_MAX,
		 .count = UINT32_MAX,
		 .page_only = true,
		 .site = {long_text, 63},
		 .values = {[HIT_PAGES] = {long_text, HIT_PAGE_MAX},
			    [HIT_REFERRERS] = {long_text, HIT_VALUE_MAX},
			    [HIT_COUNTRIES] = {long_text, HIT_WORD_MAX},
			    [HIT_BROWSERS] = {long_text, HIT_WORD_MAX},
			    [HIT_SYSTEMS] = {long_text, HIT_WORD_MAX},
			    [HIT_DEVICES] = {"", 0},
			    [HIT_LANGUAGES] = {long_text, HIT_WORD_MAX},
			    [HIT_SCREENS] = {long_text, HIT_WORD_MAX}}},
		{.count = 7, .site = {"a", 1}, .values[HIT_BOTS] = {long_text, HIT_WORD_MAX}},
		{.count = 7, .site = {"a", 1}, .values[HIT_REFUSED] = {"rate", 4}},
	};
	struct buf payload = {0};
	for (size_t i = 0; i < COUNT_OF(hits); i++)
		record_put(&payload, &hits[i]);
	struct slice rest = buf_slice(&payload);
	for (size_t i = 0; i < COUNT_OF(hits); i++) {
		struct hit hit;
		int taken = record_get(rest, &hit);
		assert_true(taken > 0 && taken <= RECORD_MAX);
		assert_hits_equal(&hit, &hits[i]);
		rest = (struct slice){rest.ptr + taken, rest.len - (size_t)taken};
	}
	assert_int_equal(rest.len, 0);
	buf_release(&payload);
}

static void
test_record_prefixes(void **state)
{
	(void)state;
	struct guarded guarded = guarded_new();
	struct hit hit;
	for (size_t len = 0; len < sizeof(known_record); len++)
		assert_int_equal(record_get(at_the_edge(&guarded, known_record, len), &hit), -1);
	struct slice whole = at_the_edge(&guarded, known_record, sizeof(known_record));
	assert_int_equal(record_get(whole, &hit), sizeof(known_record));
	guarded_release(&guarded);
}

static int
bits(unsigned value)
{
	return value ? (int)(value & 1) + bits(value >> 1) : 0;
}

/*
 * Every byte of a record set to every value: never read past the end, never out of bounds. Lengths fit one way only;
 * the two values may be those of any two dimensions.
 */
static void
test_record_bounds(void **state)
{
	(void)state;
	struct guarded guarded = guarded_new();
	for (size_t at = 0; at < sizeof(known_record); at++) {
		for (int value = 0; value < 256; value++) {
			struct slice bytes =
				at_the_edge(&guarded, known_record, sizeof(known_record));
			((unsigned char *)guarded.end - sizeof(known_record))[at] =
				(unsigned char)value;
			struct hit hit;
			int taken = record_get(bytes, &hit);
			bool is_length =
				at < 2 || at == 37 || at == 46 || at == 47 || at == 52 || at == 53;
			bool bad = (is_length && value != known_record[at]) ||
				   (at == 2 && value != 2) || (at == 15 && value > 23) ||
				   (at == 16 && value > 1) ||
				   (at == 44 && bits((unsigned)value) != 2) ||
				   (at == 45 && value != 0);
			assert_int_equal(taken, bad ? -1 : (int)sizeof(known_record));
		}
	}
	guarded_release(&guarded);
}

/* A record of an empty site and one value: what record_get makes of it. */
static int
get_with_value(int dimension, size_t len)
{
	/* 38 bytes of fields, the value's length and the value. */
	unsigned char bytes[2 + 38 + 2 + 1024] = {0};
	struct hit hit;
	size_t follows = 38 + 2 + len;
	bytes[0] = follows & 0xff;
	bytes[1] = (unsigned char)(follows >> 8);
	bytes[2] = 2;
	bytes[38] = (unsigned char)(1 << dimension & 0xff);
	bytes[39] = (unsigned char)(1 << dimension >> 8);
	bytes[40] = len & 0xff;
	bytes[41] = (unsigned char)(len >> 8);
	return record_get((struct slice){(char *)bytes, 2 + follows}, &hit);
}

/* What could not have been put is not got: its reader has made room for no more. */
static void
test_record_too_long_a_value(void **state)
{
	(void)state;
	static const size_t most[HIT_DIMENSION_COUNT] = {
		[HIT_PAGES] = 512,    [HIT_REFERRERS] = 253, [HIT_COUNTRIES] = 23,
		[HIT_BROWSERS] = 23,  [HIT_SYSTEMS] = 23,    [HIT_DEVICES] = 23,
		[HIT_LANGUAGES] = 23, [HIT_SCREENS] = 23,    [HIT_BOTS] = 23,
		[HIT_REFUSED] = 23,
	};
	for (int i = 0; i < HIT_DIMENSION_COUNT; i++) {
		assert_int_equal(get_with_value(i, most[i]), 2 + 38 + 2 + most[i]);
		assert_int_equal(get_with_value(i, most[i] + 1), -1);
	}
	assert_int_equal(get_with_value(HIT_DIMENSION_COUNT, 1), -1);
}

/* --- frames --- */

static void
put_64(unsigned char *to, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		to[i] = (unsigned char)(value >> (8 * i));
}

enum { KNOWN_FRAME_SIZE = FRAME_HEADER_SIZE + sizeof(known_record) };

/* By hand, but for the checksum, which is the library's. */
static void
known_frame(unsigned char out[KNOWN_FRAME_SIZE], uint64_t offset)
{
	static const unsigned char header[16] = {
		'T', 'K', 'J', '1', 1, 0, 0, 0, 56, 0, 0, 0, 1, 0, 0, 0,
	};
	memcpy(out, header, sizeof(header));
	/* The id's halves: 0x0706050403020100 XOR 0x0f0e0d0c0b0a0908. */
	uint64_t of_header = XXH3_64bits_withSeed(out, 16, 0x0808080808080808 + offset);
	put_64(out + 16, XXH3_64bits_withSeed(known_record, sizeof(known_record), of_header));
	memcpy(out + FRAME_HEADER_SIZE, known_record, sizeof(known_record));
}

static void
test_known_frame(void **state)
{
	(void)state;
	unsigned char expected[KNOWN_FRAME_SIZE], header[FRAME_HEADER_SIZE];
	struct frame frame = {
		123456789012345, 1, {(const char *)known_record, sizeof(known_record)}};
	known_frame(expected, frame.offset);
	frame_header(header, &known_id, &frame);
	assert_memory_equal(header, expected, sizeof(header));
	struct slice bytes = {(const char *)expected, sizeof(expected)};
	struct frame got;
	assert_int_equal(frame_parse(bytes, &known_id, frame.offset, &got), sizeof(expected));
	assert_int_equal(got.offset, frame.offset);
	assert_int_equal(got.count, 1);
	assert_true(slice_eq(got.payload, frame.payload));
	assert_ptr_equal(got.payload.ptr, expected + FRAME_HEADER_SIZE);
}

static void
test_frame_elsewhere(void **state)
{
	(void)state;
	unsigned char bytes[KNOWN_FRAME_SIZE];
	known_frame(bytes, 4096);
	struct slice slice = {(const char *)bytes, sizeof(bytes)};
	struct frame frame;
	assert_true(frame_parse(slice, &known_id, 4096, &frame) > 0);
	assert_int_equal(frame_parse(slice, &known_id, 4097, &frame), -1);
	assert_int_equal(frame_parse(slice, &known_id, 0, &frame), -1);
	struct stream_id other = known_id;
	other.bytes[9] ^= 1;
	assert_int_equal(frame_parse(slice, &other, 4096, &frame), -1);
}

static void
test_frame_prefixes(void **state)
{
	(void)state;
	struct guarded guarded = guarded_new();
	unsigned char bytes[KNOWN_FRAME_SIZE];
	struct frame frame;
	known_frame(bytes, 0);
	for (size_t len = 0; len < sizeof(bytes); len++) {
		struct slice prefix = at_the_edge(&guarded, bytes, len);
		assert_int_equal(frame_parse(prefix, &known_id, 0, &frame), 0);
	}
	struct slice whole = at_the_edge(&guarded, bytes, sizeof(bytes));
	assert_int_equal(frame_parse(whole, &known_id, 0, &frame), sizeof(bytes));
	guarded_release(&guarded);
}

static void
test_frame_bit_flips(void **state)
{
	(void)state;
	struct guarded guarded = guarded_new();
	unsigned char bytes[KNOWN_FRAME_SIZE];
	struct frame frame;
	known_frame(bytes, 0);
	for (size_t bit = 0; bit < sizeof(bytes) * 8; bit++) {
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
		struct slice slice = at_the_edge(&guarded, bytes, sizeof(bytes));
		assert_true(frame_parse(slice, &known_id, 0, &frame) <= 0);
		bytes[bit / 8] ^= (unsigned char)(1 << bit % 8);
	}
	guarded_release(&guarded);
}

/* With a right checksum, but of a version that is not ours, or with something in the reserved field. */
static void
test_frame_of_another_version(void **state)
{
	(void)state;
	static const size_t at[] = {4, 5, 6, 7};
	for (size_t i = 0; i < COUNT_OF(at); i++) {
		unsigned char bytes[KNOWN_FRAME_SIZE];
		struct frame frame;
		known_frame(bytes, 0);
		bytes[at[i]] ^= 2;
		uint64_t of_header = XXH3_64bits_withSeed(bytes, 16, 0x0808080808080808);
		put_64(bytes + 16,
		       XXH3_64bits_withSeed(known_record, sizeof(known_record), of_header));
		struct slice slice = {(const char *)bytes, sizeof(bytes)};
		assert_int_equal(frame_parse(slice, &known_id, 0, &frame), -1);
	}
}

static void
test_frame_sizes(void **state)
{
	(void)state;
	static char bytes[FRAME_SIZE_MAX];
	static const size_t sizes[] = {1, 240, 241, 4096, FRAME_PAYLOAD_MAX};
	for (size_t i = 0; i < COUNT_OF(sizes); i++) {
		struct frame frame = {7, 3, {bytes + FRAME_HEADER_SIZE, sizes[i]}}, got;
		frame_header((unsigned char *)bytes, &known_id, &frame);
		struct slice slice = {bytes, FRAME_HEADER_SIZE + sizes[i]};
		assert_int_equal(frame_parse(slice, &known_id, 7, &got), slice.len);
		assert_int_equal(got.count, 3);
	}
	/* One byte more than the most: refused without waiting for the rest. */
	put_64((unsigned char *)bytes + 8, FRAME_PAYLOAD_MAX + 1);
	struct frame frame;
	struct slice slice = {bytes, FRAME_HEADER_SIZE};
	assert_int_equal(frame_parse(slice, &known_id, 7, &frame), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_record),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_record_prefixes),
		cmocka_unit_test(test_record_bounds),
		cmocka_unit_test(test_record_too_long_a_value),
		cmocka_unit_test(test_known_frame),
		cmocka_unit_test(test_frame_elsewhere),
		cmocka_unit_test(test_frame_prefixes),
		cmocka_unit_test(test_frame_bit_flips),
		cmocka_unit_test(test_frame_of_another_version),
		cmocka_unit_test(test_frame_sizes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
