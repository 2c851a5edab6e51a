/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes at all as a URL for page_normalise, as a query and body for beacon_read, and as a form
 * value. Holds that a page is its own normal form, short and inert, and that decoded values are
 * clean text within the beacon.
 */
#include "base/form.h"
#include "hit/beacon.h"
#include "hit/page.h"

#define HOLD(condition)                                      \
	do {                                                 \
		if (!(condition)) {                          \
			fprintf(stderr, "%s\n", #condition); \
			abort();                             \
		}                                            \
	} while (0)

static char *const keys[] = {"id", "p", "a[]", "%", "\xc3\xa9"};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* No control of ASCII, and none of U+0080 to U+009F. */
static void
hold_clean(struct slice text)
{
	HOLD(utf8_valid(text));
	while (text.len > 0) {
		uint32_t point;
		size_t len = utf8_decode(text, &point);
		HOLD(point >= 0x20 && (point < 0x7f || point >= 0xa0));
		text.ptr += len;
		text.len -= len;
	}
}

static void
hold_page_form(struct slice page)
{
	HOLD(page.len <= HIT_PAGE_MAX);
	HOLD(page.ptr[0] == '/');
	hold_clean(page);
	const char *question = memchr(page.ptr, '?', page.len);
	struct slice path = {page.ptr, question ? (size_t)(question - page.ptr) : page.len};
	HOLD(path.len == 1 || path.ptr[path.len - 1] != '/');
	HOLD(!memmem(path.ptr, path.len, "/./", 3) && !memmem(path.ptr, path.len, "/../", 4));
	HOLD(!memchr(page.ptr, '#', page.len) && !memchr(page.ptr, ' ', page.len));
	for (size_t i = 0; i < page.len; i++)
		if (page.ptr[i] == '%')
			HOLD(i + 2 < page.len && hex_value(page.ptr[i + 1]) >= 0 &&
			     hex_value(page.ptr[i + 2]) >= 0);
}

static void
try_page(struct slice url, char *const *query, size_t count)
{
	char out[HIT_PAGE_MAX], again[HIT_PAGE_MAX];
	struct slice page = {out, page_normalise(url, query, count, out)};
	if (page.len == 0)
		return;
	hold_page_form(page);
	HOLD(page_normalise(page, query, count, again) == page.len);
	HOLD(memcmp(out, again, page.len) == 0);
	if (count == 0)
		HOLD(!memchr(page.ptr, '?', page.len));
}

static void
hold_value(const struct beacon *beacon, struct slice value)
{
	if (!value.ptr)
		return;
	HOLD(value.ptr >= beacon->text && value.ptr + value.len <= beacon->text + beacon->text_len);
	hold_clean(value);
}

static void
try_beacon(struct slice query, struct slice body)
{
	struct beacon b;
	struct http_request request = {.method = HTTP_POST, .query = query, .body = body};
	request.content_type = SLICE("text/plain");
	int got = beacon_read(&b, &request);
	HOLD(got == 0 || got == -400);
	if (got < 0)
		return;
	HOLD(b.text_len <= query.len + body.len);
	const struct slice values[] = {b.site, b.url, b.nonce, b.rows, b.lang, b.title, b.quiet};
	for (size_t i = 0; i < COUNT_OF(values); i++)
		hold_value(&b, values[i]);
	try_page(b.url, keys, COUNT_OF(keys));
}

static void
try_host(struct slice url)
{
	struct slice host = url_host(url);
	if (!host.ptr)
		return;
	HOLD(host.len > 0 && host.ptr > url.ptr && host.ptr + host.len <= url.ptr + url.len);
	HOLD(!memchr(host.ptr, '/', host.len) && !memchr(host.ptr, '@', host.len));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > HTTP_LINE_MAX)
		return 0;
	struct slice all = {(const char *)data, size};
	size_t half = size / 2 < HTTP_BODY_MAX ? size / 2 : HTTP_BODY_MAX;
	try_page(all, NULL, 0);
	try_page(all, keys, COUNT_OF(keys));
	try_host(all);
	try_beacon(all, (struct slice){0});
	try_beacon((struct slice){all.ptr, size - half},
		   (struct slice){all.ptr + (size - half), half});
	return 0;
}
