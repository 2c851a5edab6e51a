/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers as bytes in a fixed order, little-endian, for what goes to disk. */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include "base/buf.h"

static inline void
put_le(struct buf *out, uint64_t value, size_t bytes)
{
	unsigned char *to = (unsigned char *)buf_reserve(out, bytes);
	for (size_t i = 0; i < bytes; i++)
		to[i] = (unsigned char)(value >> (8 * i));
	out->len += bytes;
}

/* Takes a number off the front of `in`; when it is too short, empties it, clears *ok and returns 0. */
static inline uint64_t
get_le(struct slice *in, size_t bytes, bool *ok)
{
	if (in->len < bytes) {
		in->len = 0;
		*ok = false;
		return 0;
	}
	uint64_t value = 0;
	for (size_t i = 0; i < bytes; i++)
		value |= (uint64_t)(unsigned char)in->ptr[i] << (8 * i);
	in->ptr += bytes;
	in->len -= bytes;
	return value;
}

/* The same for bytes as they are; absent when too short. */
static inline struct slice
get_bytes(struct slice *in, size_t len, bool *ok)
{
	if (in->len < len) {
		in->len = 0;
		*ok = false;
		return (struct slice){0};
	}
	struct slice bytes = {in->ptr, len};
	in->ptr += len;
	in->len -= len;
	return bytes;
}

#endif
