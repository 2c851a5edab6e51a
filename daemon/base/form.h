/* SPDX-License-Identifier: BSD-2-Clause */
/* The k=v&k=v syntax of queries and bodies (application/x-www-form-urlencoded), pure. */
#ifndef BASE_FORM_H
#define BASE_FORM_H

#include "base/base.h"

/*
 * Takes the next pair off *rest; both stay encoded. A pair without '=' has an absent value; empty pairs are
 * skipped. False at the end.
 */
bool form_next(struct slice *rest, struct slice *key, struct slice *value);

/*
 * Decodes '+' and %XX into out (at most `room` bytes). Returns the length, or -1 when an escape is bad, the
 * result does not fit, holds a control character (C0, DEL, C1) or is not valid UTF-8.
 */
int form_decode(struct slice encoded, char *out, size_t room) MUST_CHECK;

/* The value of a hexadecimal digit, or -1. */
extern const int8_t hex_values[256];
static inline int
hex_value(char digit)
{
	return hex_values[(unsigned char)digit];
}

/* RFC 3629: no overlong forms, no surrogates, at most U+10FFFF. */
bool utf8_valid(struct slice text);
/* The code point at the start of `text` and its length in bytes; 0 when invalid. */
size_t utf8_decode(struct slice text, uint32_t *code_point);

#endif
