/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The journal's bytes (pure): records and frames to bytes and back. Believes nothing it reads: every length is held
 * against the slice it came in, and a frame counts only with its checksum. Never allocates but in the caller's buffer.
 */
#include "journal/record.h"

#include <assert.h>
#include <endian.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
	FRAME_VERSION = 1,
	FRAME_SUMMED = 16, /* the bytes of the header that stand before the checksum */
	RECORD_HIT = 1,
	PAGE_ABSENT = 0xffff,
	RECORD_LENGTH = 2,
	HIT_FIXED = 1 + 8 + 4 + 1 + 8 + 8,
	HIT_LEAST = HIT_FIXED + 1 + 2, /* with the lengths of both texts */
};

_Static_assert(RECORD_LENGTH + HIT_LEAST + UINT8_MAX + HIT_PAGE_MAX <= RECORD_MAX,
	       "RECORD_MAX is too small for a hit");

#define LITTLE_ENDIAN_FIELD(bits)                                                  \
	static unsigned char *put_u##bits(unsigned char *to, uint##bits##_t value) \
	{                                                                          \
		value = htole##bits(value);                                        \
		memcpy(to, &value, sizeof(value));                                 \
		return to + sizeof(value);                                         \
	}                                                                          \
	static uint##bits##_t get_u##bits(const unsigned char **from)              \
	{                                                                          \
		uint##bits##_t value;                                              \
		memcpy(&value, *from, sizeof(value));                              \
		*from += sizeof(value);                                            \
		return le##bits##toh(value);                                       \
	}

LITTLE_ENDIAN_FIELD(16)
LITTLE_ENDIAN_FIELD(32)
LITTLE_ENDIAN_FIELD(64)

static unsigned char *
put_text(unsigned char *to, struct slice text)
{
	if (text.len)
		memcpy(to, text.ptr, text.len);
	return to + text.len;
}

void
record_put(struct buf *payload, const struct hit *hit)
{
	assert(hit->site.len <= UINT8_MAX && hit->page.len <= HIT_PAGE_MAX && hit->hour < 24);
	unsigned char *start = (unsigned char *)buf_reserve(payload, RECORD_MAX);
	unsigned char *at = put_u16(
		start, (uint16_t)(HIT_LEAST + hit->site.len + (hit->page.ptr ? hit->page.len : 0)));
	*at++ = RECORD_HIT;
	at = put_u64(at, (uint64_t)hit->time_ms);
	at = put_u32(at, (uint32_t)hit->day);
	*at++ = hit->hour;
	at = put_u64(at, hit->visitor);
	at = put_u64(at, hit->nonce);
	*at++ = (uint8_t)hit->site.len;
	at = put_text(at, hit->site);
	at = put_u16(at, hit->page.ptr ? (uint16_t)hit->page.len : PAGE_ABSENT);
	if (hit->page.ptr)
		at = put_text(at, hit->page);
	payload->len += (size_t)(at - start);
}

int
record_get(struct slice payload, struct hit *hit)
{
	const unsigned char *at = (const unsigned char *)payload.ptr;
	if (payload.len < RECORD_LENGTH + HIT_LEAST)
		return -1;
	size_t len = get_u16(&at);
	if (len < HIT_LEAST || len > RECORD_MAX - RECORD_LENGTH ||
	    len > payload.len - RECORD_LENGTH || *at++ != RECORD_HIT)
		return -1;
	hit->time_ms = (int64_t)get_u64(&at);
	hit->day = (int32_t)get_u32(&at);
	hit->hour = *at++;
	hit->visitor = get_u64(&at);
	hit->nonce = get_u64(&at);
	size_t texts = len - HIT_LEAST;
	hit->site.len = *at++;
	if (hit->hour > 23 || hit->site.len > texts)
		return -1;
	hit->site.ptr = (const char *)at;
	at += hit->site.len;
	size_t page_len = get_u16(&at);
	bool absent = page_len == PAGE_ABSENT;
	hit->page = absent ? (struct slice){0} : (struct slice){(const char *)at, page_len};
	if (hit->page.len > HIT_PAGE_MAX || hit->site.len + hit->page.len != texts)
		return -1;
	return (int)(RECORD_LENGTH + len);
}

/* A frame that lies in another stream, or elsewhere in this one, must not verify. */
static uint64_t
seed_of(const struct stream_id *stream, uint64_t offset)
{
	const unsigned char *at = stream->bytes;
	uint64_t low = get_u64(&at), high = get_u64(&at);
	return (low ^ high) + offset;
}

static uint64_t
checksum(const unsigned char *header, struct slice payload, uint64_t seed)
{
	uint64_t of_header = XXH3_64bits_withSeed(header, FRAME_SUMMED, seed);
	return XXH3_64bits_withSeed(payload.ptr, payload.len, of_header);
}

void
frame_header(unsigned char out[FRAME_HEADER_SIZE], const struct stream_id *stream,
	     const struct frame *frame)
{
	assert(frame->payload.len <= FRAME_PAYLOAD_MAX);
	memcpy(out, FRAME_MAGIC, FRAME_MAGIC_SIZE);
	unsigned char *at = put_u16(out + FRAME_MAGIC_SIZE, FRAME_VERSION);
	at = put_u16(at, 0);
	at = put_u32(at, (uint32_t)frame->payload.len);
	at = put_u32(at, frame->count);
	put_u64(at, checksum(out, frame->payload, seed_of(stream, frame->offset)));
}

int64_t
frame_parse(struct slice bytes, const struct stream_id *stream, uint64_t offset,
	    struct frame *frame)
{
	const unsigned char *start = (const unsigned char *)bytes.ptr, *at = start;
	size_t magic = bytes.len < FRAME_MAGIC_SIZE ? bytes.len : FRAME_MAGIC_SIZE;
	if (magic && memcmp(start, FRAME_MAGIC, magic) != 0)
		return -1;
	if (bytes.len < FRAME_HEADER_SIZE)
		return 0;
	at += FRAME_MAGIC_SIZE;
	bool known = get_u16(&at) == FRAME_VERSION;
	known = get_u16(&at) == 0 && known;
	frame->payload.len = get_u32(&at);
	frame->count = get_u32(&at);
	if (!known || frame->payload.len > FRAME_PAYLOAD_MAX)
		return -1;
	if (frame->payload.len > bytes.len - FRAME_HEADER_SIZE)
		return 0;
	frame->offset = offset;
	frame->payload.ptr = bytes.ptr + FRAME_HEADER_SIZE;
	if (get_u64(&at) != checksum(start, frame->payload, seed_of(stream, offset)))
		return -1;
	return (int64_t)(FRAME_HEADER_SIZE + frame->payload.len);
}
