/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The strict HTTP/1.x request parser. Reads strictly from left to right: every step looks only at
 * bytes before it and at bounds counted from the start, so that more bytes can turn "more" into
 * anything, but never change an accepted request or a refusal. Never copies, never allocates, never
 * reads past the end of the buffer.
 */
#include "base/http.h"

#include "base/form.h"
#include "base/http_scan.h"

/* What a step of the parser returns, beside the negative of a status. */
enum { MORE = 0, DONE = 1 };

struct method {
	struct slice name;
	enum http_method method;
};

/*
 * What is not here is 501; CONNECT too, where a Content-Length is a body to some parsers and nothing
 * to others.
 */
static const struct method methods[] = {
	{{"GET", 3}, HTTP_GET},         {{"POST", 4}, HTTP_POST},   {{"HEAD", 4}, HTTP_HEAD},
	{{"OPTIONS", 7}, HTTP_OPTIONS}, {{"PUT", 3}, HTTP_OTHER},   {{"DELETE", 6}, HTTP_OTHER},
	{{"PATCH", 5}, HTTP_OTHER},     {{"TRACE", 5}, HTTP_OTHER},
};

enum lines { ONCE, FIRST, LAST };
static const uint8_t field_lines[HTTP_FIELD_COUNT] = {
#define X(member, id, lines) [HTTP_FIELD_##id] = lines,
	HTTP_FIELDS(X)
#undef X
};

struct known_field {
	const char *name;
	enum http_field id;
};

/* By the length of their names. */
enum { FIELDS_OF_LENGTH = 4 };
static const struct known_field known_fields[][FIELDS_OF_LENGTH] = {
	[3] = {{"dnt", HTTP_FIELD_DNT}},
	[4] = {{"host", HTTP_FIELD_HOST}},
	[5] = {{"x-moz", HTTP_FIELD_PURPOSE}},
	[6] = {{"origin", HTTP_FIELD_ORIGIN}, {"expect", HTTP_FIELD_EXPECT}},
	[7] = {{"referer", HTTP_FIELD_REFERER},
	       {"purpose", HTTP_FIELD_PURPOSE},
	       {"sec-gpc", HTTP_FIELD_GPC}},
	[9] = {{"sec-ch-ua", HTTP_FIELD_CH_UA}, {"forwarded", HTTP_FIELD_FORWARDED}},
	[10] = {{"user-agent", HTTP_FIELD_USER_AGENT}, {"connection", HTTP_FIELD_CONNECTION}},
	[11] = {{"sec-purpose", HTTP_FIELD_PURPOSE}},
	[12] = {{"content-type", HTTP_FIELD_CONTENT_TYPE}},
	[13] = {{"if-none-match", HTTP_FIELD_IF_NONE_MATCH}},
	[14] = {{"content-length", HTTP_FIELD_CONTENT_LENGTH}},
	[15] = {{"accept-language", HTTP_FIELD_ACCEPT_LANGUAGE},
		{"accept-encoding", HTTP_FIELD_ACCEPT_ENCODING},
		{"x-forwarded-for", HTTP_FIELD_FORWARDED_FOR},
		{"thongke-explain", HTTP_FIELD_EXPLAIN}},
	[16] = {{"sec-ch-ua-mobile", HTTP_FIELD_CH_UA_MOBILE}},
	[17] = {{"transfer-encoding", HTTP_FIELD_TRANSFER_ENCODING}},
	[18] = {{"sec-ch-ua-platform", HTTP_FIELD_CH_UA_PLATFORM}},
};

/* One line being read. */
struct cursor {
	const char *at;
	const char *edge;  /* of what may be scanned: the nearer of limit and end */
	const char *limit; /* where the line must end at the latest; NULL: behind the end */
	const char *end;   /* of the buffer */
	int too_long;      /* the refusal of a line that goes past its limit */
};

struct request_line {
	const struct method *method;
	struct slice target;
	const char *question; /* the first '?' of the target; NULL: none */
	const char *version;  /* "HTTP/1.1" */
};

static struct cursor
line_at(const char *at, const char *end, size_t max, int too_long)
{
	const char *limit = (size_t)(end - at) > max ? at + max : NULL;
	return (struct cursor){at, limit ? limit : end, limit, end, too_long};
}

/* A scan has used up the line's bytes: either they are still to come or there are too many. */
static int
at_edge(const struct cursor *c)
{
	return c->limit ? c->too_long : MORE;
}

static int
take_crlf(struct cursor *c)
{
	if (c->at == c->end)
		return MORE;
	if (*c->at != '\r')
		return c->at == c->limit ? c->too_long : -400;
	if (c->end - c->at < 2)
		return MORE;
	if (c->at[1] != '\n')
		return -400;
	c->at += 2;
	return DONE;
}

static int
take_method(struct cursor *c, struct slice *method)
{
	const char *start = c->at;
	c->at = skip_class(start, c->edge, TOKEN);
	if (c->at == c->edge)
		return at_edge(c);
	if (*c->at != ' ' || c->at == start)
		return -400;
	*method = (struct slice){start, (size_t)(c->at - start)};
	c->at++;
	return DONE;
}

static int
take_escape(struct cursor *c)
{
	if (c->edge - c->at < 3)
		return at_edge(c);
	int high = hex_value(c->at[1]), low = hex_value(c->at[2]);
	if (high < 0 || low < 0 || high + low == 0)
		return -400;
	c->at += 3;
	return DONE;
}

static int
take_target(struct cursor *c, struct request_line *line)
{
	const char *start = c->at;
	for (;;) {
		c->at = skip_class(c->at, c->edge, TARGET);
		if (c->at == c->edge)
			return at_edge(c);
		if (*c->at == '%') {
			int got = take_escape(c);
			if (got != DONE)
				return got;
		} else if (*c->at == '?') {
			if (!line->question)
				line->question = c->at;
			c->at++;
		} else {
			break;
		}
	}
	if (*c->at != ' ' || c->at == start)
		return -400;
	line->target = (struct slice){start, (size_t)(c->at - start)};
	c->at++;
	return DONE;
}

static int
take_version(struct cursor *c, struct request_line *line)
{
	static const char name[] = "HTTP/";
	size_t left = (size_t)(c->edge - c->at);
	if (memcmp(c->at, name, left < 5 ? left : 5) != 0)
		return -400;
	if (left < 8)
		return at_edge(c);
	const char *digits = c->at + 5;
	if (digits[0] < '1' || digits[0] > '9' || digits[1] != '.' || digits[2] < '0' ||
	    digits[2] > '9')
		return -400;
	if (digits[0] != '1' || digits[2] > '1')
		return -505;
	line->version = c->at;
	c->at += 8;
	return DONE;
}

static int
find_method(struct slice name, const struct method **out)
{
	for (size_t i = 0; i < COUNT_OF(methods); i++) {
		if (!slice_eq(methods[i].name, name))
			continue;
		*out = &methods[i];
		return DONE;
	}
	return -501;
}

static int
take_request_line(struct cursor *c, struct request_line *line)
{
	struct slice method;
	int got = take_method(c, &method);
	if (got == DONE)
		got = take_target(c, line);
	if (got == DONE)
		got = take_version(c, line);
	if (got == DONE)
		got = take_crlf(c);
	if (got == DONE)
		got = find_method(method, &line->method);
	return got;
}

static bool
starts_with_scheme(struct slice target, size_t *len)
{
	*len = target.len > 4 && (target.ptr[4] == 's' || target.ptr[4] == 'S') ? 8 : 7;
	return target.len > *len &&
	       strncasecmp(target.ptr, *len == 8 ? "https://" : "http://", *len) == 0;
}

/* RFC 9112 section 3.2: path and query; authority for the absolute form alone. */
static int
split_target(struct http_request *request, const struct request_line *line, struct slice *authority)
{
	const char *at = line->target.ptr, *end = at + line->target.len;
	const char *path_end = line->question ? line->question : end;
	/*
	 * The slash of "HTTP/" serves as the path where the target has none: slices stay within the
	 * buffer.
	 */
	request->path = (struct slice){line->version + 4, 1};
	if (line->target.len == 1 && *at == '*' && line->method->method == HTTP_OPTIONS) {
		request->path = line->target;
		return DONE;
	}
	if (*at != '/') {
		size_t scheme;
		if (!starts_with_scheme(line->target, &scheme))
			return -400;
		const char *host = at + scheme;
		at = path_end > host ? memchr(host, '/', (size_t)(path_end - host)) : NULL;
		*authority = (struct slice){host, (size_t)((at ? at : path_end) - host)};
	}
	if (at)
		request->path = (struct slice){at, (size_t)(path_end - at)};
	if (line->question)
		request->query = (struct slice){path_end + 1, (size_t)(end - path_end - 1)};
	return DONE;
}

/* "close" in a list of tokens; it wins over anything else there. */
static bool
says_close(struct slice list)
{
	const char *at = list.ptr, *end = at + list.len;
	while (at < end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		const char *stop = comma ? comma : end;
		while (at < stop && (*at == ' ' || *at == '\t'))
			at++;
		const char *last = stop;
		while (last > at && (last[-1] == ' ' || last[-1] == '\t'))
			last--;
		if (slice_case_eq((struct slice){at, (size_t)(last - at)}, SLICE("close")))
			return true;
		at = stop + 1;
	}
	return false;
}

/*
 * The name is a token, so setting the bit of lower case makes no other byte equal to a letter or
 * '-'.
 */
static inline bool
name_is(const char *name, const char *lower, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((name[i] | 0x20) != lower[i])
			return false;
	return true;
}

/* HTTP_FIELD_COUNT: none that means something here. */
static inline enum http_field
field_of(struct slice name)
{
	if (name.len >= COUNT_OF(known_fields))
		return HTTP_FIELD_COUNT;
	const struct known_field *known = known_fields[name.len];
	for (int i = 0; i < FIELDS_OF_LENGTH && known[i].name; i++)
		if (name_is(name.ptr, known[i].name, name.len))
			return known[i].id;
	return HTTP_FIELD_COUNT;
}

static int
note_field(struct http_request *request, struct slice name, struct slice value)
{
	enum http_field id = field_of(name);
	if (id == HTTP_FIELD_COUNT)
		return DONE;
	/* "close" wins, in whichever line it stands. */
	if (id == HTTP_FIELD_CONNECTION && says_close(value))
		request->keep_alive = false;
	if (!request->fields[id].ptr || field_lines[id] == LAST)
		request->fields[id] = value;
	else if (field_lines[id] == ONCE)
		return -400;
	return DONE;
}

/*
 * One field line; the name runs up to the colon, so that a space there or a folded line is refused.
 */
static int
take_field(struct cursor *c, struct http_request *request)
{
	const char *start = c->at;
	c->at = skip_class(start, c->edge, TOKEN);
	if (c->at == c->edge)
		return at_edge(c);
	if (*c->at != ':' || c->at == start)
		return -400;
	struct slice name = {start, (size_t)(c->at - start)};
	c->at++;
	while (c->at < c->edge && (*c->at == ' ' || *c->at == '\t'))
		c->at++;
	start = c->at;
	c->at = skip_value(start, c->edge);
	const char *last = c->at;
	int got = take_crlf(c);
	if (got != DONE)
		return got;
	while (last > start && (last[-1] == ' ' || last[-1] == '\t'))
		last--;
	return note_field(request, name, (struct slice){start, (size_t)(last - start)});
}

static int
take_fields(struct cursor *c, struct http_request *request)
{
	const char *start = c->at, *end = c->end;
	for (int count = 0;; count++) {
		size_t used = (size_t)(c->at - start);
		if (c->at == end)
			return MORE;
		if (*c->at == '\r')
			return take_crlf(c);
		if (count == HTTP_FIELDS_MAX)
			return -431;
		size_t left = HTTP_HEADER_MAX - (used < HTTP_HEADER_MAX ? used : HTTP_HEADER_MAX);
		*c = line_at(c->at, end, left < HTTP_LINE_MAX ? left : HTTP_LINE_MAX, -431);
		int got = take_field(c, request);
		if (got != DONE)
			return got;
	}
}

/* RFC 3986 section 3.2 without user information: a name or address, or [v6], and perhaps a port. */
static bool
authority_valid(struct slice text)
{
	const char *at = text.ptr, *end = at + text.len;
	if (at < end && *at == '[') {
		const char *start = ++at;
		while (at < end && (hex_value(*at) >= 0 || *at == ':' || *at == '.'))
			at++;
		if (at == start || at == end || *at++ != ']')
			return false;
	} else {
		at = skip_class(at, end, HOST);
		if (at == text.ptr)
			return false;
	}
	if (at == end)
		return true;
	if (*at++ != ':' || end - at > 5)
		return false;
	while (at < end && *at >= '0' && *at <= '9')
		at++;
	return at == end;
}

static int
check_host(struct http_request *request, struct slice authority)
{
	if (!request->host.ptr) {
		if (request->minor > 0)
			return -400;
		request->host = authority;
		return authority.ptr && !authority_valid(authority) ? -400 : DONE;
	}
	if (!authority_valid(request->host))
		return -400;
	if (authority.ptr && !slice_case_eq(authority, request->host))
		return -400;
	return DONE;
}

/* Digits and nothing else: no sign, no list. Counts no further than it needs to be refused. */
static int
read_length(struct slice text, size_t *length)
{
	*length = 0;
	if (text.len == 0)
		return -400;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return -400;
		if (*length <= HTTP_BODY_MAX)
			*length = *length * 10 + (size_t)(text.ptr[i] - '0');
	}
	return DONE;
}

static int
check_body(const struct http_request *request, size_t *length)
{
	struct slice text = request->content_length;
	*length = 0;
	if (request->transfer_encoding.ptr)
		return text.ptr ? -400 : -501;
	int got = text.ptr ? read_length(text, length) : DONE;
	if (got != DONE)
		return got;
	if (request->expect.ptr)
		return -417;
	if (*length > 0 && (request->method == HTTP_GET || request->method == HTTP_HEAD))
		return -400;
	return *length > HTTP_BODY_MAX ? -413 : DONE;
}

int
http_parse(struct http_request *request, const char *buf, size_t len)
{
	struct cursor c = line_at(buf, buf + len, HTTP_LINE_MAX, -414);
	struct request_line line = {0};
	struct slice authority = {0};
	size_t length;
	*request = (struct http_request){0};

	if (len > 0 && *buf == '\r') {
		int got = take_crlf(&c);
		if (got != DONE)
			return got;
		c = line_at(c.at, buf + len, HTTP_LINE_MAX, -414);
	}
	int got = take_request_line(&c, &line);
	if (got == DONE)
		got = split_target(request, &line, &authority);
	if (got != DONE)
		return got;
	request->method = line.method->method;
	request->minor = line.version[7] - '0';
	request->keep_alive = request->minor == 1;
	const char *lines = c.at;
	got = take_fields(&c, request);
	if (got != DONE)
		return got;
	request->lines = (struct slice){lines, (size_t)(c.at - lines)};
	got = check_body(request, &length);
	if (got == DONE)
		got = check_host(request, authority);
	if (got != DONE)
		return got;
	if ((size_t)(c.end - c.at) < length)
		return MORE;
	request->body = (struct slice){c.at, length};
	return (int)(c.at - buf) + (int)length;
}

/* Cuts the first of some sound field lines off. False at the empty one. */
static bool
next_field(struct slice *lines, struct slice *name, struct slice *value)
{
	const char *colon = memchr(lines->ptr, ':', lines->len);
	if (!colon)
		return false;
	const char *end = lines->ptr + lines->len, *at = colon + 1;
	const char *stop = memchr(at, '\r', (size_t)(end - at)), *next = stop + 2;
	while (*at == ' ' || *at == '\t')
		at++;
	while (stop > at && (stop[-1] == ' ' || stop[-1] == '\t'))
		stop--;
	*name = (struct slice){lines->ptr, (size_t)(colon - lines->ptr)};
	*value = (struct slice){at, (size_t)(stop - at)};
	*lines = (struct slice){next, (size_t)(end - next)};
	return true;
}

struct slice
http_line_before(const struct http_request *request, struct slice value)
{
	struct slice rest = request->lines, name = {0}, other, at = {0}, found = {0};
	while (rest.len > 0 && at.ptr != value.ptr)
		if (!next_field(&rest, &name, &at))
			return found;
	rest = request->lines;
	while (rest.len > 0 && next_field(&rest, &other, &at) && at.ptr != value.ptr)
		if (slice_case_eq(other, name))
			found = at;
	return found;
}

static const struct {
	int status;
	const char *reason;
} reasons[] = {
	{200, "OK"},
	{204, "No Content"},
	{304, "Not Modified"},
	{400, "Bad Request"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{408, "Request Timeout"},
	{413, "Content Too Large"},
	{414, "URI Too Long"},
	{415, "Unsupported Media Type"},
	{417, "Expectation Failed"},
	{429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"},
	{500, "Internal Server Error"},
	{501, "Not Implemented"},
	{503, "Service Unavailable"},
	{505, "HTTP Version Not Supported"},
};

const char *
http_reason(int status)
{
	for (size_t i = 0; i < COUNT_OF(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Unknown";
}
