/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The classes of bytes. What has none (controls, NUL, DEL) may stand nowhere in a request's head.
 */
#include "base/http_scan.h"

#define PUNCTUATION (TARGET | VALUE)
#define SYMBOL (TOKEN | TARGET | VALUE)
#define LETTER (TOKEN | TARGET | VALUE | HOST)

const uint8_t byte_classes[256] = {
	['\t'] = VALUE,
	[' '] = VALUE,
	['!'] = SYMBOL,
	['"'] = PUNCTUATION,
	['#'] = TOKEN | VALUE,
	['$'] = SYMBOL,
	['%'] = TOKEN | VALUE,
	['&' ... '\''] = SYMBOL,
	['(' ... ')'] = PUNCTUATION,
	['*' ... '+'] = SYMBOL,
	[','] = PUNCTUATION,
	['-' ... '.'] = LETTER,
	['/'] = PUNCTUATION,
	['0' ... '9'] = LETTER,
	[':' ... '>'] = PUNCTUATION,
	['?'] = VALUE,
	['@'] = PUNCTUATION,
	['A' ... 'Z'] = LETTER,
	['[' ... ']'] = PUNCTUATION,
	['^'] = SYMBOL,
	['_'] = LETTER,
	['`'] = SYMBOL,
	['a' ... 'z'] = LETTER,
	['{'] = PUNCTUATION,
	['|'] = SYMBOL,
	['}'] = PUNCTUATION,
	['~'] = LETTER,
	[0x80 ... 0xff] = VALUE,
};
