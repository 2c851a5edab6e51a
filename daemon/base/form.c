/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The k=v&k=v syntax, percent escapes and UTF-8 (RFC 3629). Never writes past the room it is given.
 */
#include "base/form.h"

const int8_t hex_values[256] = {
	[0 ... '0' - 1] = -1,
	['0'] = 0,
	['1'] = 1,
	['2'] = 2,
	['3'] = 3,
	['4'] = 4,
	['5'] = 5,
	['6'] = 6,
	['7'] = 7,
	['8'] = 8,
	['9'] = 9,
	['9' + 1 ... 'A' - 1] = -1,
	['A'] = 10,
	['B'] = 11,
	['C'] = 12,
	['D'] = 13,
	['E'] = 14,
	['F'] = 15,
	['F' + 1 ... 'a' - 1] = -1,
	['a'] = 10,
	['b'] = 11,
	['c'] = 12,
	['d'] = 13,
	['e'] = 14,
	['f'] = 15,
	['f' + 1 ... 255] = -1,
};

bool
form_next(struct slice *rest, struct slice *key, struct slice *value)
{
	while (rest->len > 0 && *rest->ptr == '&') {
		rest->ptr++;
		rest->len--;
	}
	if (rest->len == 0)
		return false;
	const char *at = rest->ptr, *end = at + rest->len, *stop = at;
	while (stop < end && *stop != '=' && *stop != '&')
		stop++;
	*key = (struct slice){at, (size_t)(stop - at)};
	*value = (struct slice){0};
	if (stop < end && *stop == '=') {
		at = stop + 1;
		stop = memchr(at, '&', (size_t)(end - at));
		if (!stop)
			stop = end;
		*value = (struct slice){at, (size_t)(stop - at)};
	}
	*rest = (struct slice){stop, (size_t)(end - stop)};
	return true;
}

/* The controls of U+0080 to U+009F, which some terminals obey, as UTF-8. */
static bool
has_c1_control(struct slice text)
{
	for (size_t i = 0; i + 1 < text.len; i++)
		if ((unsigned char)text.ptr[i] == 0xc2 && (unsigned char)text.ptr[i + 1] < 0xa0)
			return true;
	return false;
}

static bool
text_clean(const char *text, size_t len)
{
	struct slice slice = {text, len};
	return utf8_valid(slice) && !has_c1_control(slice);
}

/* The bytes that stand for themselves. */
static const bool plain[256] = {
	[' ' ... '$'] = true,
	['&' ... '*'] = true,
	[',' ... '~'] = true,
};

/* Copies what stands for itself; returns how much. */
static size_t
copy_plain(const char *in, char *out, size_t most)
{
	size_t len = 0;
	for (; len < most && plain[(unsigned char)in[len]]; len++)
		out[len] = in[len];
	return len;
}

/* The one byte that is written with '+', an escape or more than ASCII, and its width; -1: none. */
static int
decode_special(const char *in, size_t left, size_t *width)
{
	*width = 1;
	if (*in == '+')
		return ' ';
	if (*in != '%')
		return (unsigned char)*in;
	if (left < 3 || hex_value(in[1]) < 0 || hex_value(in[2]) < 0)
		return -1;
	*width = 3;
	return hex_value(in[1]) << 4 | hex_value(in[2]);
}

int
form_decode(struct slice encoded, char *out, size_t room)
{
	const char *in = encoded.len > 0 ? encoded.ptr : "";
	int any = 0;
	size_t len = 0, i = 0;
	for (;;) {
		size_t left = encoded.len - i, most = room - len;
		size_t copied = copy_plain(in + i, out + len, left < most ? left : most);
		i += copied;
		len += copied;
		if (i == encoded.len)
			break;
		size_t width;
		int byte = decode_special(in + i, encoded.len - i, &width);
		if (byte < 0x20 || byte == 0x7f || len == room)
			return -1;
		any |= byte;
		out[len++] = (char)byte;
		i += width;
	}
	if (any >= 0x80 && !text_clean(out, len))
		return -1;
	return (int)len;
}

/*
 * By the length of a sequence: the lead byte's mark and mask, and the first code point that needs
 * it.
 */
static const struct {
	uint8_t mask, mark;
	uint32_t least;
} sequences[5] = {
	[1] = {0x80, 0x00, 0},
	[2] = {0xe0, 0xc0, 0x80},
	[3] = {0xf0, 0xe0, 0x800},
	[4] = {0xf8, 0xf0, 0x10000},
};

static size_t
sequence_length(unsigned char lead)
{
	for (size_t len = 1; len <= 4; len++)
		if ((lead & sequences[len].mask) == sequences[len].mark)
			return len;
	return 0;
}

size_t
utf8_decode(struct slice text, uint32_t *code_point)
{
	if (text.len == 0)
		return 0;
	unsigned char lead = (unsigned char)text.ptr[0];
	size_t len = sequence_length(lead);
	if (len == 0 || len > text.len)
		return 0;
	uint32_t point = lead & (uint8_t)~sequences[len].mask;
	for (size_t i = 1; i < len; i++) {
		unsigned char next = (unsigned char)text.ptr[i];
		if ((next & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (next & 0x3f);
	}
	if (point < sequences[len].least || point > 0x10ffff ||
	    (point >= 0xd800 && point <= 0xdfff))
		return 0;
	*code_point = point;
	return len;
}

bool
utf8_valid(struct slice text)
{
	while (text.len > 0) {
		uint32_t point;
		size_t len = utf8_decode(text, &point);
		if (len == 0)
			return false;
		text.ptr += len;
		text.len -= len;
	}
	return true;
}
