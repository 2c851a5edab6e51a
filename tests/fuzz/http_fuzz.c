/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes at all through the request parser. Holds that slices stay within the request, that an
 * answer does not change when bytes follow, and that what is accepted has none of what two parsers
 * could read in two ways.
 */
#include "base/form.h"
#include "base/http.h"

#define HOLD(condition)                                      \
	do {                                                 \
		if (!(condition)) {                          \
			fprintf(stderr, "%s\n", #condition); \
			abort();                             \
		}                                            \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
hold_within(struct slice s, const char *buf, size_t len)
{
	if (!s.ptr) {
		HOLD(s.len == 0);
		return;
	}
	HOLD(s.ptr >= buf && s.ptr <= buf + len);
	HOLD(s.len <= len - (size_t)(s.ptr - buf));
}

static void
hold_printable(struct slice s, bool text)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		HOLD(c != 0x7f);
		HOLD(c >= 0x20 || (text && c == '\t'));
		HOLD(text || (c > 0x20 && c < 0x80 && c != '#'));
	}
}

static void
hold_escapes(struct slice s)
{
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] != '%')
			continue;
		HOLD(i + 2 < s.len && hex_value(s.ptr[i + 1]) >= 0 && hex_value(s.ptr[i + 2]) >= 0);
		HOLD(s.ptr[i + 1] != '0' || s.ptr[i + 2] != '0');
	}
}

/* Earlier lines of a name stand before it, in the request. */
static void
hold_lines(const struct http_request *r, struct slice value, const char *buf, size_t len)
{
	while (value.ptr) {
		struct slice before = http_line_before(r, value);
		hold_within(before, buf, len);
		hold_printable(before, true);
		HOLD(!before.ptr || before.ptr < value.ptr);
		value = before;
	}
}

static void
hold_request(const struct http_request *r, const char *buf, size_t len)
{
	const struct slice texts[] = {r->host,       r->origin,       r->referer,
				      r->user_agent, r->content_type, r->if_none_match};
	const struct slice targets[] = {r->path, r->query};
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		hold_within(texts[i], buf, len);
		hold_printable(texts[i], true);
	}
	for (size_t i = 0; i < COUNT_OF(targets); i++) {
		hold_within(targets[i], buf, len);
		hold_printable(targets[i], false);
		hold_escapes(targets[i]);
	}
	hold_lines(r, r->forwarded_for, buf, len);
	hold_lines(r, r->forwarded, buf, len);
	hold_within(r->lines, buf, len);
	hold_within(r->body, buf, len);
	HOLD(r->path.len > 0 && (r->path.ptr[0] == '/' || slice_eq(r->path, SLICE("*"))));
	HOLD(r->minor == 0 || r->minor == 1);
	HOLD(r->minor == 1 || !r->keep_alive);
	HOLD(r->minor == 0 || r->host.len > 0);
	HOLD(r->body.len <= HTTP_BODY_MAX);
	HOLD(r->body.len == 0 || (r->method != HTTP_GET && r->method != HTTP_HEAD));
	HOLD(r->body.len == 0 || r->body.ptr + r->body.len == buf + len);
}

static void
hold_status(int got, size_t size)
{
	static const int refusals[] = {-400, -413, -414, -417, -431, -501, -505};
	if (got >= 0) {
		HOLD((size_t)got <= size && got <= HTTP_REQUEST_MAX);
		return;
	}
	for (size_t i = 0; i < COUNT_OF(refusals); i++)
		if (got == refusals[i])
			return;
	abort();
}

/* The answer to the whole decides what the answer to any of its beginnings may be. */
static void
hold_prefix(const char *buf, size_t len, int whole)
{
	struct http_request request;
	char *copy = malloc(len ? len : 1); /* so that the sanitizer sees its end */
	if (len > 0)
		memcpy(copy, buf, len);
	int got = http_parse(&request, copy, len);
	free(copy);
	if (whole > 0 && len >= (size_t)whole)
		HOLD(got == whole);
	else if (whole >= 0)
		HOLD(got == 0);
	else
		HOLD(got == 0 || got == whole);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *buf = (const char *)data;
	struct http_request request;
	int got = http_parse(&request, buf, size);
	hold_status(got, size);
	if (got > 0)
		hold_request(&request, buf, (size_t)got);
	/* Every prefix of a short input; some of a long one. */
	for (size_t len = 0; len <= size; len += 1 + size / 512)
		hold_prefix(buf, len, got);
	if (got > 0) {
		hold_prefix(buf, (size_t)got, got);
		hold_prefix(buf, (size_t)got - 1, got);
	}
	return 0;
}
