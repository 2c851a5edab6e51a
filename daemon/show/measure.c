/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of widths, and which letter a letter with marks is as wide as. Knows no shaping and no kerning. */
#include "show/measure.h"

#include "base/form.h"

enum {
	AVERAGE = 556, /* of a digit, and of most letters */
	WIDE = 1000,   /* of a Chinese, Japanese or Korean character */
	HORN = 100,    /* what a horn adds to o and u */
	BOLD_PERCENT = 107,
};

/* Of U+0020 to U+007E. */
static const uint16_t ascii_widths[] = {
	278,  278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, /* to / */
	556,  556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, /* to ? */
	1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, /* to O */
	667,  778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, /* to _ */
	333,  556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, /* to o */
	556,  556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
};

/* ASCII characters as wide as those of U+00C0 to U+017F; an i with marks is as wide as t. */
static const char latin_bases[] =
	"AAAAAAWCEEEEIIIIDNOOOOO+OUUUUYPFaaaaaamceeeettttonooooo+ouuuuypy"
	"AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhItItItItItMnJjKkkLlLlLlL"
	"lLlNnNnNnnNnOoOoOoWmRrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzf";

/* The Vietnamese letters of U+1EA0 to U+1EF9, where capitals and small letters take turns. */
static const struct {
	uint32_t first, last;
	char capital, small;
} vietnamese_bases[] = {
	{0x1ea0, 0x1eb7, 'A', 'a'}, {0x1eb8, 0x1ec7, 'E', 'e'}, {0x1ec8, 0x1ecb, 'I', 't'},
	{0x1ecc, 0x1ee3, 'O', 'o'}, {0x1ee4, 0x1ef1, 'U', 'u'}, {0x1ef2, 0x1ef9, 'Y', 'y'},
};

static int
width_of_ascii(char c)
{
	return ascii_widths[c - ' '];
}

static int
width_of_vietnamese(uint32_t code)
{
	for (size_t i = 0; i < COUNT_OF(vietnamese_bases); i++)
		if (code >= vietnamese_bases[i].first && code <= vietnamese_bases[i].last)
			return width_of_ascii(code % 2 ? vietnamese_bases[i].small
						       : vietnamese_bases[i].capital);
	return AVERAGE;
}

static int
width_of(uint32_t code)
{
	if (code >= ' ' && code <= '~')
		return width_of_ascii((char)code);
	if (code >= 0xc0 && code <= 0x17f)
		return width_of_ascii(latin_bases[code - 0xc0]);
	if (code == 0xa0)
		return width_of_ascii(' ');
	if (code == 0x1a0 || code == 0x1a1)
		return width_of_ascii(code % 2 ? 'o' : 'O') + HORN;
	if (code == 0x1af || code == 0x1b0)
		return width_of_ascii(code % 2 ? 'U' : 'u') + HORN;
	if (code >= 0x300 && code <= 0x36f)
		return 0;
	return code >= 0x2e80 ? WIDE : width_of_vietnamese(code);
}

int
measure_text(struct slice text, bool bold)
{
	int width = 0;
	while (text.len > 0) {
		uint32_t code = 0;
		size_t len = utf8_decode(text, &code);
		width += len ? width_of(code) : AVERAGE;
		len += len == 0;
		text = (struct slice){text.ptr + len, text.len - len};
	}
	return bold ? width * BOLD_PERCENT / 100 : width;
}
