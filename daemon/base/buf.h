/* SPDX-License-Identifier: BSD-2-Clause */
/* A growable byte buffer. Zeroed is a valid empty one; _clear keeps the memory, _release frees it. */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include "base/base.h"

struct buf {
	char *data;
	size_t len;
	size_t cap;
};

void buf_release(struct buf *b);
/* Makes room for `more` bytes past len and returns where they go; the caller raises len. */
char *buf_reserve(struct buf *b, size_t more);
void buf_addf(struct buf *b, const char *format, ...) PRINTF(2, 3);
/* A decimal number. */
void buf_add_int(struct buf *b, int64_t value);
/* The same into room the caller has reserved; returns its end. */
enum { BUF_INT_MAX = 20 };
char *buf_put_int(char *to, int64_t value);
/* `text` as the inside of a JSON string (RFC 8259 section 7); "<" is escaped as well, so that it may stand in a page. */
void buf_add_json(struct buf *b, struct slice text);

/* `text` as the content of an element or of a quoted attribute, in XML and HTML alike. */
void buf_add_xml(struct buf *b, struct slice text);

static inline void
buf_clear(struct buf *b)
{
	b->len = 0;
}

static inline void
buf_add(struct buf *b, const void *bytes, size_t len)
{
	if (len == 0)
		return;
	char *to = b->cap - b->len >= len ? b->data + b->len : buf_reserve(b, len);
	memcpy(to, bytes, len);
	b->len += len;
}

static inline void
buf_add_slice(struct buf *b, struct slice s)
{
	buf_add(b, s.ptr, s.len);
}

#define buf_add_literal(b, literal) buf_add((b), (literal), sizeof(literal) - 1)

static inline struct slice
buf_slice(const struct buf *b)
{
	return (struct slice){b->data ? b->data : "", b->len};
}

#endif
