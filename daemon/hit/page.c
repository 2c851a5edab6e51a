/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page paths in their one stored form. The text is read as bytes, escaped or not, and written again
 * from those bytes alone, segment by segment: that is what makes the result its own normal form.
 * Never allocates.
 */
#include "hit/page.h"

#include "base/form.h"

enum {
	FIRST_TEXT = 0xa0,                           /* U+0080 to U+009F are controls */
	ROOM = HIT_PAGE_MAX + sizeof("/index.html"), /* for an ending that is folded away */
};

enum byte_kind {
	BYTE_ESCAPED,    /* kept, or made, %XX */
	BYTE_RESERVED,   /* left as it came: raw or %XX */
	BYTE_UNRESERVED, /* RFC 3986 section 2.3: raw, however it came */
	BYTE_QUERY,      /* reserved in a query, escaped in a path */
};

static const uint8_t kinds[256] = {
	['!'] = BYTE_RESERVED,
	['$'] = BYTE_RESERVED,
	['&' ... ','] = BYTE_RESERVED,
	['-' ... '.'] = BYTE_UNRESERVED,
	['/'] = BYTE_RESERVED,
	['0' ... '9'] = BYTE_UNRESERVED,
	[':' ... ';'] = BYTE_RESERVED,
	['='] = BYTE_RESERVED,
	['?'] = BYTE_QUERY,
	['@'] = BYTE_RESERVED,
	['A' ... 'Z'] = BYTE_UNRESERVED,
	['_'] = BYTE_UNRESERVED,
	['a' ... 'z'] = BYTE_UNRESERVED,
	['~'] = BYTE_UNRESERVED,
};

/* Text being written; once it overflows it stays so, until it is cut back. */
struct path {
	size_t len;
	bool overflowed;
	size_t lost; /* segments beyond the room, which ".." may still take away */
	char text[ROOM];
};

static void
put(struct path *path, const char *bytes, size_t len)
{
	path->overflowed |= ROOM - path->len < len;
	if (path->overflowed)
		return;
	memcpy(path->text + path->len, bytes, len);
	path->len += len;
}

static void
put_escaped(struct path *path, unsigned char byte)
{
	static const char digits[] = "0123456789ABCDEF";
	put(path, (char[3]){'%', digits[byte >> 4], digits[byte & 15]}, 3);
}

/* The byte at the start of `text`, and how many characters it is written with: 1 or 3. */
static unsigned char
next_byte(struct slice text, size_t *width)
{
	*width = 1;
	if (text.ptr[0] != '%' || text.len < 3)
		return (unsigned char)text.ptr[0];
	int high = hex_value(text.ptr[1]), low = hex_value(text.ptr[2]);
	if (high < 0 || low < 0)
		return '%';
	*width = 3;
	return (unsigned char)(high << 4 | low);
}

static struct slice
slice_after(struct slice text, size_t used)
{
	return (struct slice){text.ptr + used, text.len - used};
}

/*
 * A sequence that begins with a byte of 0x80 or more. Returns how many characters of `text` it
 * took.
 */
static size_t
put_sequence(struct path *path, struct slice text)
{
	char bytes[4];
	size_t widths[4], count = 0;
	for (struct slice rest = text; rest.len > 0 && count < 4; count++) {
		bytes[count] = (char)next_byte(rest, &widths[count]);
		rest = slice_after(rest, widths[count]);
	}
	uint32_t point = 0;
	size_t len = utf8_decode((struct slice){bytes, count}, &point);
	if (len == 0 || point < FIRST_TEXT) {
		put_escaped(path, (unsigned char)bytes[0]);
		return widths[0];
	}
	put(path, bytes, len);
	size_t used = 0;
	for (size_t i = 0; i < len; i++)
		used += widths[i];
	return used;
}

/* One byte of ASCII, or one sequence. `query`: '?' may stand as it is. */
static size_t
put_special(struct path *path, struct slice text, bool query)
{
	size_t width;
	unsigned char byte = next_byte(text, &width);
	if (byte >= 0x80)
		return put_sequence(path, text);
	bool raw = kinds[byte] == BYTE_UNRESERVED ||
		   (width == 1 &&
		    (kinds[byte] == BYTE_RESERVED || (query && kinds[byte] == BYTE_QUERY)));
	if (raw)
		put(path, (char *)&byte, 1);
	else
		put_escaped(path, byte);
	return width;
}

static void
put_text(struct path *path, struct slice text, bool query)
{
	while (text.len > 0) {
		size_t plain = 0;
		while (plain < text.len &&
		       (kinds[(unsigned char)text.ptr[plain]] == BYTE_UNRESERVED ||
			kinds[(unsigned char)text.ptr[plain]] == BYTE_RESERVED))
			plain++;
		put(path, text.ptr, plain);
		text = slice_after(text, plain);
		if (text.len > 0)
			text = slice_after(text, put_special(path, text, query));
	}
}

/* 1 for ".", 2 for "..", however they are escaped; 0 for any other segment. */
static int
count_dots(struct slice segment)
{
	int dots = 0;
	while (segment.len > 0) {
		size_t width;
		if (next_byte(segment, &width) != '.' || ++dots > 2)
			return 0;
		segment = slice_after(segment, width);
	}
	return dots;
}

static void
drop_segment(struct path *path)
{
	if (path->lost > 0) {
		path->lost--;
		return;
	}
	while (path->len > 0 && path->text[--path->len] != '/')
		;
}

/* RFC 3986 section 5.2.4, a segment at a time: what is before it is resolved already. */
static void
add_segment(struct path *path, struct slice segment)
{
	int dots = count_dots(segment);
	if (dots == 2)
		drop_segment(path);
	if (dots > 0)
		return;
	size_t before = path->len;
	if (path->lost == 0) {
		put(path, "/", 1);
		put_text(path, segment, false);
	}
	if (path->lost > 0 || path->overflowed) {
		path->len = before;
		path->overflowed = false;
		path->lost++;
	}
}

/* `text` starts with '/'. */
static void
add_path(struct path *path, struct slice text)
{
	while (text.len > 0) {
		text = slice_after(text, 1);
		const char *slash = memchr(text.ptr, '/', text.len);
		size_t len = slash ? (size_t)(slash - text.ptr) : text.len;
		add_segment(path, (struct slice){text.ptr, len});
		text = slice_after(text, len);
	}
}

/* The ending that goes, with its slash: 0 when there is none. */
static size_t
folded_ending(const struct path *path)
{
	static const struct slice endings[] = {
		{"/", 1},
		{"/index.html", 11},
		{"/index.htm", 10},
		{"/index.php", 10},
	};
	for (size_t i = 0; i < COUNT_OF(endings); i++) {
		struct slice ending = endings[i];
		if (path->len >= ending.len &&
		    memcmp(path->text + path->len - ending.len, ending.ptr, ending.len) == 0)
			return ending.len;
	}
	return 0;
}

static void
fold_ending(struct path *path)
{
	for (size_t ending = 1; ending > 0 && path->len > 0;) {
		ending = folded_ending(path);
		path->len -= ending;
	}
	if (path->len == 0)
		put(path, "/", 1);
}

/* `key` as a URL has it, perhaps escaped; `plain` as the configuration does. */
static bool
key_is(struct slice key, const char *plain)
{
	for (; key.len > 0; plain++) {
		size_t width;
		if (*plain == '\0' || next_byte(key, &width) != (unsigned char)*plain)
			return false;
		key = slice_after(key, width);
	}
	return *plain == '\0';
}

static bool
key_wanted(struct slice key, char *const *query, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (key_is(key, query[i]))
			return true;
	return false;
}

static void
add_query(struct path *path, struct slice text, char *const *query, size_t count)
{
	struct slice key, value;
	char mark = '?';
	while (form_next(&text, &key, &value)) {
		if (!key_wanted(key, query, count))
			continue;
		put(path, &mark, 1);
		put_text(path, key, true);
		if (value.ptr) {
			put(path, "=", 1);
			put_text(path, value, true);
		}
		mark = '&';
	}
}

/*
 * Leaves of an absolute URL what follows the authority. False when `url` is neither that nor a
 * path.
 */
static bool
skip_authority(struct slice *url)
{
	if (url->len == 0 || url->ptr[0] == '/')
		return url->len > 0;
	size_t scheme = 0;
	if (url->len > 8 && strncasecmp(url->ptr, "https://", 8) == 0)
		scheme = 8;
	else if (url->len > 7 && strncasecmp(url->ptr, "http://", 7) == 0)
		scheme = 7;
	*url = slice_after(*url, scheme);
	size_t host = 0;
	while (host < url->len && url->ptr[host] != '/' && url->ptr[host] != '?' &&
	       url->ptr[host] != '#')
		host++;
	*url = slice_after(*url, host);
	return scheme > 0 && host > 0;
}

static struct slice
cut_at(struct slice *text, char mark)
{
	const char *at = text->len > 0 ? memchr(text->ptr, mark, text->len) : NULL;
	if (!at)
		return (struct slice){0};
	size_t before = (size_t)(at - text->ptr);
	struct slice after = slice_after(*text, before + 1);
	text->len = before;
	return after;
}

size_t
page_normalise(struct slice url, char *const *query, size_t query_count, char out[HIT_PAGE_MAX])
{
	struct path path;
	path.len = path.lost = 0;
	path.overflowed = false;
	if (!skip_authority(&url))
		return 0;
	(void)cut_at(&url, '#');
	struct slice pairs = cut_at(&url, '?');
	add_path(&path, url);
	fold_ending(&path);
	if (query_count > 0)
		add_query(&path, pairs, query, query_count);
	if (path.lost > 0 || path.overflowed || path.len > HIT_PAGE_MAX)
		return 0;
	memcpy(out, path.text, path.len);
	return path.len;
}
