/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which bytes may stand where in a request, and the scans over them: pure, never past `edge`. For
 * base/http.c.
 */
#ifndef BASE_HTTP_SCAN_H
#define BASE_HTTP_SCAN_H

#include <endian.h>

#include "base/base.h"

enum byte_class {
	TOKEN = 1,  /* RFC 9110 section 5.6.2 */
	TARGET = 2, /* visible ASCII, without those that need a look: % ? # */
	VALUE = 4,  /* RFC 9110 section 5.5: HTAB, SP, visible ASCII, obs-text */
	HOST = 8,   /* RFC 3986 section 2.3, all that a host name or IPv4 address is made of */
};

/* The set of classes of each byte. */
extern const uint8_t byte_classes[256];

static inline bool
is_class(char byte, enum byte_class class)
{
	return byte_classes[(unsigned char)byte] & class;
}

/* The first byte that is not of the class, or edge. */
static inline const char *
skip_class(const char *at, const char *edge, enum byte_class class)
{
	/* Four at a time, which halves the work: one check of the edge, one step. */
	for (; edge - at >= 4; at += 4) {
		if (!is_class(at[0], class))
			return at;
		if (!is_class(at[1], class))
			return at + 1;
		if (!is_class(at[2], class))
			return at + 2;
		if (!is_class(at[3], class))
			return at + 3;
	}
	while (at < edge && is_class(*at, class))
		at++;
	return at;
}

/*
 * Eight bytes at a time: the top bit of every byte below 0x20 and of every DEL; exact for the
 * lowest one.
 */
static inline uint64_t
control_bytes(const char *at)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), tops = ones << 7;
	uint64_t word;
	memcpy(&word, at, sizeof(word));
	word = le64toh(word);
	uint64_t del = word ^ ones * 0x7f;
	return (((word - ones * 0x20) & ~word) | ((del - ones) & ~del)) & tops;
}

/* The same for VALUE, whose lines are long. */
static inline const char *
skip_value(const char *at, const char *edge)
{
	for (; edge - at >= 8; at += 8) {
		uint64_t control = control_bytes(at);
		if (control) {
			at += __builtin_ctzll(control) / 8;
			break;
		}
	}
	/* The last bytes, or all that follow an HTAB. */
	return skip_class(at, edge, VALUE);
}

#endif
