/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The journal's bytes (pure): records, and the frames that carry the records of one pass. Every field is put and
 * got one by one, little-endian.
 *
 *   frame   magic u32 "TKJ1" · version u16 · reserved u16 · payload length u32 · record count u32 ·
 *           checksum u64: XXH3-64 of the payload, seeded with the XXH3-64 of the 16 bytes before it, which is seeded
 *           with (first half of the stream's id XOR second half) + offset
 *   record  length u16 of what follows · type u8 (2: hit) · time u64 · day u32 · hour u8 · flags u8 (1: page only) ·
 *           count u32 · visitor u64 · nonce u64 · site with a u8 length · mask u16 of the dimensions that have a value ·
 *           each of those with a u16 length
 */
#ifndef JOURNAL_RECORD_H
#define JOURNAL_RECORD_H

#include "base/buf.h"
#include "hit/hit.h"

#define FRAME_MAGIC "TKJ1"

enum {
	FRAME_MAGIC_SIZE = sizeof(FRAME_MAGIC) - 1,
	FRAME_HEADER_SIZE = 24,
	FRAME_PAYLOAD_MAX = 256 * 1024,
	FRAME_SIZE_MAX = FRAME_HEADER_SIZE + FRAME_PAYLOAD_MAX,
	RECORD_MAX = 1024, /* more than any hit needs */
	STREAM_ID_SIZE = 16,
	STREAM_NAME_SIZE = 2 * STREAM_ID_SIZE + 1, /* hexadecimal, with its NUL */
};

struct stream_id {
	unsigned char bytes[STREAM_ID_SIZE];
};

void record_put(struct buf *payload, const struct hit *hit);

/* The bytes that the record at the start of payload takes, or -1 when it is none. hit borrows from payload. */
int record_get(struct slice payload, struct hit *hit) MUST_CHECK;

struct frame {
	uint64_t offset; /* of the frame's first byte in its stream */
	uint32_t count;  /* records */
	struct slice payload;
};

/* Writes the header of a frame whose payload is given, to be put right before it. */
void frame_header(unsigned char out[FRAME_HEADER_SIZE], const struct stream_id *stream,
		  const struct frame *frame);

/*
 * The bytes that the frame at the start of `bytes` takes; 0 when it does not end within them; -1 when there is no
 * valid frame of this stream and offset here.
 */
int64_t frame_parse(struct slice bytes, const struct stream_id *stream, uint64_t offset,
		    struct frame *frame) MUST_CHECK;

#endif
