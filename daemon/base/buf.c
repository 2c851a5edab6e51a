/* SPDX-License-Identifier: BSD-2-Clause */
/* The growable byte buffer, numbers, and text made inert for JSON and XML. */
#include "base/buf.h"

#include <stdarg.h>

void
buf_release(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}

char *
buf_reserve(struct buf *b, size_t more)
{
	if (b->cap - b->len < more) {
		size_t cap = b->cap ? b->cap : 256;
		while (cap - b->len < more)
			cap *= 2;
		b->data = xrealloc(b->data, cap);
		b->cap = cap;
	}
	return b->data + b->len;
}

void
buf_addf(struct buf *b, const char *format, ...)
{
	va_list args, again;
	va_start(args, format);
	va_copy(again, args);
	int len = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (len > 0) {
		vsnprintf(buf_reserve(b, (size_t)len + 1), (size_t)len + 1, format, again);
		b->len += (size_t)len;
	}
	va_end(again);
}

static size_t
digits_of(uint64_t value)
{
	size_t digits = 1;
	for (; value >= 10000; value /= 10000)
		digits += 4;
	return digits + (value >= 10) + (value >= 100) + (value >= 1000);
}

/* Two digits a step: an answer holds some fifteen numbers. */
char *
buf_put_int(char *to, int64_t value)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";
	uint64_t rest = value < 0 ? -(uint64_t)value : (uint64_t)value;
	if (value < 0)
		*to++ = '-';
	char *end = to + digits_of(rest), *at = end;
	for (; rest >= 100; rest /= 100)
		memcpy(at -= 2, pairs + rest % 100 * 2, 2);
	if (rest >= 10)
		memcpy(at - 2, pairs + rest * 2, 2);
	else
		at[-1] = (char)('0' + rest);
	return end;
}

void
buf_add_int(struct buf *b, int64_t value)
{
	char *to = buf_reserve(b, BUF_INT_MAX);
	b->len += (size_t)(buf_put_int(to, value) - to);
}

static void
add_json_special(struct buf *b, unsigned char c)
{
	if (c == '"' || c == '\\') {
		char pair[2] = {'\\', (char)c};
		buf_add(b, pair, 2);
	} else {
		buf_addf(b, "\\u%04x", c);
	}
}

void
buf_add_json(struct buf *b, struct slice text)
{
	size_t start = 0;
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		if (c >= 0x20 && c != '"' && c != '\\' && c != '<' && c != 0x7f)
			continue;
		buf_add(b, text.ptr + start, i - start);
		add_json_special(b, c);
		start = i + 1;
	}
	buf_add(b, text.ptr + start, text.len - start);
}

void
buf_add_xml(struct buf *b, struct slice text)
{
	static const struct {
		char byte;
		struct slice reference;
	} references[] = {
		{'&', {"&amp;", 5}}, {'<', {"&lt;", 4}},   {'>', {"&gt;", 4}},
		{'"', {"&#34;", 5}}, {'\'', {"&#39;", 5}},
	};
	size_t start = 0;
	for (size_t i = 0; i < text.len; i++)
		for (size_t j = 0; j < COUNT_OF(references); j++)
			if (text.ptr[i] == references[j].byte) {
				buf_add(b, text.ptr + start, i - start);
				buf_add_slice(b, references[j].reference);
				start = i + 1;
			}
	buf_add(b, text.ptr + start, text.len - start);
}
