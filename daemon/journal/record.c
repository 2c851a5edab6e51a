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

#include "base/conf.h"

enum {
	FRAME_VERSION = 1,
	FRAME_SUMMED = 16, /* the bytes of the header that stand before the checksum */
	RECORD_HIT = 2,
	FLAG_PAGE_ONLY = 1,
	RECORD_LENGTH = 2,
	HIT_LEAST = 1 + 8 + 4 + 1 + 1 + 4 + 8 + 8 + 1 + 2, /* all but the texts and their lengths */
	VALUE_LENGTH = 2,
};

/* A view has neither a bot nor a reason; all of its values but page and referrer are words of ours. */
_Static_assert(RECORD_LENGTH + HIT_LEAST + CONF_SITE_KEY_MAX + HIT_PAGE_MAX + HIT_VALUE_MAX +
			       (HIT_DIMENSION_COUNT - 4) * HIT_WORD_MAX +
			       (HIT_DIMENSION_COUNT - 2) * VALUE_LENGTH <=
		       RECORD_MAX,
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

static size_t
value_max(int dimension)
{
	if (dimension == HIT_PAGES)
		return HIT_PAGE_MAX;
	return dimension == HIT_REFERRERS ? HIT_VALUE_MAX : HIT_WORD_MAX;
}

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
	assert(hit->site.len <= CONF_SITE_KEY_MAX && hit->hour < 24);
	unsigned char *start = (unsigned char *)buf_reserve(payload, RECORD_MAX);
	unsigned char *at = start + RECORD_LENGTH;
	unsigned present = 0;
	*at++ = RECORD_HIT;
	at = put_u64(at, (uint64_t)hit->time_ms);
	at = put_u32(at, (uint32_t)hit->day);
	*at++ = hit->hour;
	*at++ = hit->page_only ? FLAG_PAGE_ONLY : 0;
	at = put_u32(at, hit->count);
	at = put_u64(at, hit->visitor);
	at = put_u64(at, hit->nonce);
	*at++ = (uint8_t)hit->site.len;
	at = put_text(at, hit->site);
	unsigned char *mask = at;
	at += sizeof(uint16_t);
	for (int i = 0; i < HIT_DIMENSION_COUNT; i++) {
		struct slice value = hit->values[i];
		if (!value.ptr)
			continue;
		assert(value.len <= value_max(i));
		present |= 1u << i;
		at = put_text(put_u16(at, (uint16_t)value.len), value);
	}
	put_u16(mask, (uint16_t)present);
	put_u16(start, (uint16_t)(at - start - RECORD_LENGTH));
	payload->len += (size_t)(at - start);
}

/* The values from `at` on, which must end at `end`. */
static bool
get_values(const unsigned char *at, const unsigned char *end, unsigned present, struct hit *hit)
{
	for (int i = 0; i < HIT_DIMENSION_COUNT; i++) {
		hit->values[i] = (struct slice){0};
		if (!(present >> i & 1))
			continue;
		if (end - at < VALUE_LENGTH)
			return false;
		size_t len = get_u16(&at);
		if (len > value_max(i) || len > (size_t)(end - at))
			return false;
		hit->values[i] = (struct slice){(const char *)at, len};
		at += len;
	}
	return at == end && present >> HIT_DIMENSION_COUNT == 0;
}

int
record_get(struct slice payload, struct hit *hit)
{
	const unsigned char *at = (const unsigned char *)payload.ptr;
	if (payload.len < RECORD_LENGTH + HIT_LEAST)
		return -1;
	size_t len = get_u16(&at);
	const unsigned char *end = at + len;
	if (len < HIT_LEAST || len > RECORD_MAX - RECORD_LENGTH ||
	    len > payload.len - RECORD_LENGTH || *at++ != RECORD_HIT)
		return -1;
	hit->time_ms = (int64_t)get_u64(&at);
	hit->day = (int32_t)get_u32(&at);
	hit->hour = *at++;
	unsigned flags = *at++;
	hit->page_only = flags & FLAG_PAGE_ONLY;
	hit->count = get_u32(&at);
	hit->visitor = get_u64(&at);
	hit->nonce = get_u64(&at);
	hit->site.len = *at++;
	hit->site.ptr = (const char *)at;
	if (hit->hour > 23 || flags > FLAG_PAGE_ONLY || hit->site.len > CONF_SITE_KEY_MAX ||
	    hit->site.len > len - HIT_LEAST)
		return -1;
	at += hit->site.len;
	unsigned present = get_u16(&at);
	return get_values(at, end, present, hit) ? (int)(RECORD_LENGTH + len) : -1;
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
