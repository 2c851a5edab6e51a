/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a parsed request to what it says about a page view. Decodes only the parameters that mean
 * something here; never judges whether the hit is to be counted.
 */
#include "hit/beacon.h"

#include "base/form.h"
#include "hit/page.h"

struct parameter {
	struct slice name;
	size_t member; /* of struct beacon, a slice */
};

static const struct parameter parameters[] = {
	{{"s", 1}, offsetof(struct beacon, site)},
	{{"site", 4}, offsetof(struct beacon, site)},
	{{"u", 1}, offsetof(struct beacon, url)},
	{{"r", 1}, offsetof(struct beacon, referrer)},
	{{"w", 1}, offsetof(struct beacon, width)},
	{{"l", 1}, offsetof(struct beacon, tongue)},
	{{"a", 1}, offsetof(struct beacon, automated)},
	{{"scope", 5}, offsetof(struct beacon, scope)},
	{{"metric", 6}, offsetof(struct beacon, metric)},
	{{"n", 1}, offsetof(struct beacon, nonce)},
	{{"q", 1}, offsetof(struct beacon, quiet)},
	{{"rows", 4}, offsetof(struct beacon, rows)},
	{{"lang", 4}, offsetof(struct beacon, lang)},
	{{"title", 5}, offsetof(struct beacon, title)},
	{{"style", 5}, offsetof(struct beacon, style)},
	{{"color", 5}, offsetof(struct beacon, color)},
	{{"width", 5}, offsetof(struct beacon, drawn_width)},
};

static struct slice *
find_parameter(struct beacon *beacon, struct slice name)
{
	for (size_t i = 0; i < COUNT_OF(parameters); i++) {
		const struct parameter *row = &parameters[i];
		if (row->name.len == name.len && row->name.ptr[0] == name.ptr[0] &&
		    memcmp(row->name.ptr, name.ptr, name.len) == 0)
			return (struct slice *)((char *)beacon + row->member);
	}
	return NULL;
}

static int
read_pairs(struct beacon *beacon, struct slice pairs)
{
	struct slice name, value;
	while (form_next(&pairs, &name, &value)) {
		struct slice *known = name.len > 0 ? find_parameter(beacon, name) : NULL;
		if (name.len == 1 && name.ptr[0] == 'p') {
			if (beacon->page_count == BEACON_PAGES_MAX)
				return -400;
			known = &beacon->pages[beacon->page_count++];
			known->ptr = NULL;
		}
		if (!known || known->ptr)
			continue;
		char *to = beacon->text + beacon->text_len;
		int len = form_decode(value, to, BEACON_TEXT_MAX - beacon->text_len);
		if (len < 0)
			return -400;
		*known = (struct slice){to, (size_t)len};
		beacon->text_len += (size_t)len;
	}
	return 0;
}

/* The media type without its parameters, RFC 9110 section 8.3.1. */
static bool
body_type_known(struct slice type)
{
	const char *semicolon = type.len > 0 ? memchr(type.ptr, ';', type.len) : NULL;
	if (semicolon)
		type.len = (size_t)(semicolon - type.ptr);
	while (type.len > 0 && (type.ptr[type.len - 1] == ' ' || type.ptr[type.len - 1] == '\t'))
		type.len--;
	return slice_case_eq(type, SLICE("text/plain")) ||
	       slice_case_eq(type, SLICE("application/x-www-form-urlencoded"));
}

int
beacon_read(struct beacon *beacon, const struct http_request *request)
{
	/* All but the pages and the text, which are large and need no zeroes. */
	memset(beacon, 0, offsetof(struct beacon, pages));
	beacon->page_count = 0;
	beacon->text_len = 0;
	int status = read_pairs(beacon, request->query);
	if (status < 0 || request->method != HTTP_POST || request->body.len == 0)
		return status;
	if (!body_type_known(request->content_type))
		return -415;
	return read_pairs(beacon, request->body);
}

/* The length of "scheme://", RFC 3986 section 3.1; 0 when `url` does not begin with one. */
static size_t
scheme_length(struct slice url)
{
	size_t len = 0;
	while (len < url.len && ((url.ptr[len] | 0x20) >= 'a' && (url.ptr[len] | 0x20) <= 'z'))
		len++;
	return len > 0 && url.len - len >= 3 && memcmp(url.ptr + len, "://", 3) == 0 ? len + 3 : 0;
}

/* What stands between "scheme://" and the path, user information taken away. */
static struct slice
url_authority(struct slice url)
{
	size_t scheme = scheme_length(url);
	if (scheme == 0)
		return (struct slice){0};
	const char *start = url.ptr + scheme, *end = url.ptr + url.len, *at;
	for (at = start; at < end && *at != '/' && *at != '?' && *at != '#'; at++)
		if (*at == '@')
			start = at + 1;
	return (struct slice){start, (size_t)(at - start)};
}

struct slice
url_host(struct slice url)
{
	struct slice host = url_authority(url);
	if (host.len == 0)
		return (struct slice){0};
	const char *bracket = host.ptr[0] == '[' ? memchr(host.ptr, ']', host.len) : NULL;
	const char *colon = bracket ? bracket + 1 : memchr(host.ptr, ':', host.len);
	if (colon)
		host.len = (size_t)(colon - host.ptr);
	return host.len > 0 ? host : (struct slice){0};
}

const struct conf_site *
beacon_site(const struct beacon *beacon, const struct http_request *request,
	    const struct conf *conf)
{
	if (beacon->site.len > 0)
		return conf_site_by_key(conf, beacon->site);
	const struct slice urls[] = {request->origin, request->referer, beacon->url};
	/*
	 * The first that names a host decides: a known host in `u` must not speak for an unknown
	 * Origin.
	 */
	for (size_t i = 0; i < COUNT_OF(urls); i++) {
		struct slice host = url_host(urls[i]);
		if (host.len > 0)
			return conf_site_by_host(conf, host);
	}
	return NULL;
}

/* What a browser sends across origins by default: "https://host/" and no more. */
static bool
only_another_origin(struct slice referer, struct slice host)
{
	struct slice authority = url_authority(referer);
	if (authority.len == 0 || slice_case_eq(authority, host))
		return false;
	const char *path = authority.ptr + authority.len, *end = referer.ptr + referer.len;
	return path == end || (end - path == 1 && *path == '/');
}

size_t
beacon_page(const struct beacon *beacon, const struct http_request *request,
	    const struct conf_site *site, char out[])
{
	struct slice url = beacon->url;
	if (url.len == 0) {
		url = request->referer;
		if (url.len == 0 || only_another_origin(url, request->host))
			return 0;
	}
	return page_normalise(url, site->query, site->query_count, out);
}
