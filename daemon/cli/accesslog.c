/* SPDX-License-Identifier: BSD-2-Clause */
/* The parser of access log lines: bytes in, slices out. Allocates nothing, knows no zone but the line's own offset. */
#include "cli/accesslog.h"

#include "base/form.h"
#include "base/period.h"

enum {
	DATE_SIZE = 11, /* "20/May/2020" */
	TIME_SIZE = 26, /* "20/May/2020:14:32:07 +0700" */
	EXTENSION_MAX = 16,
};

static const char month_names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/* Files that are no page view, by what follows the path's last dot. */
static const char *const static_extensions[] = {
	/* style and script */
	"css", "js", "mjs", "map", "wasm",
	/* images */
	"png", "jpg", "jpeg", "gif", "svg", "ico", "webp", "avif", "bmp", "tif", "tiff", "cur",
	/* fonts */
	"woff", "woff2", "ttf", "otf", "eot",
	/* sound and video */
	"mp3", "mp4", "m4a", "m4v", "ogg", "oga", "ogv", "wav", "webm", "avi", "mov", "flv", "swf",
	"m3u8", "ts",
	/* archives and programs */
	"zip", "gz", "bz2", "xz", "7z", "rar", "tar", "tgz", "exe", "msi", "apk", "dmg", "iso",
	"jar",
	/* documents to download */
	"pdf", "doc", "docx", "xls", "xlsx", "ppt", "pptx", "odt", "ods", "odp", "rtf", "epub",
	/* data */
	"txt", "xml", "json", "csv", "rss", "atom", "webmanifest", "appcache"};

/* Two decimal digits at p, or -1. */
static int
two_digits(const char *p)
{
	unsigned tens = (unsigned)(p[0] - '0'), ones = (unsigned)(p[1] - '0');
	return tens <= 9 && ones <= 9 ? (int)(tens * 10 + ones) : -1;
}

static int
month_number(const char *name)
{
	for (int i = 0; i < 12; i++)
		if (memcmp(month_names + 3 * i, name, 3) == 0)
			return i + 1;
	return 0;
}

/* A date that the calendar does not have comes back as another one. */
static bool
parse_date(const char *text, int32_t *day)
{
	int century = two_digits(text + 7), year = two_digits(text + 9);
	struct civil date = {century * 100 + year, month_number(text + 3), two_digits(text)};
	if (text[2] != '/' || text[6] != '/' || century < 0 || year < 0 || date.month == 0 ||
	    date.day < 1 || date.day > 31 || date.year < 1970)
		return false;
	*day = day_of_civil(date);
	return civil_of_day(*day).day == date.day;
}

static bool
date_of(struct accesslog *log, const char *text, int32_t *day)
{
	if (memcmp(log->date, text, DATE_SIZE) != 0) {
		if (!parse_date(text, &log->day)) {
			log->date[0] = '\0';
			return false;
		}
		memcpy(log->date, text, DATE_SIZE);
	}
	*day = log->day;
	return true;
}

/* "20/May/2020:14:32:07 +0700"; a leap second is the next minute's first. */
static bool
parse_time(struct accesslog *log, const char *text, int64_t *utc)
{
	int hour = two_digits(text + 12), minute = two_digits(text + 15);
	int second = two_digits(text + 18);
	int zone_hour = two_digits(text + 22), zone_minute = two_digits(text + 24);
	int32_t day;
	if (text[11] != ':' || text[14] != ':' || text[17] != ':' || text[20] != ' ' ||
	    (text[21] != '+' && text[21] != '-'))
		return false;
	if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60 ||
	    zone_hour < 0 || zone_hour > 23 || zone_minute < 0 || zone_minute > 59)
		return false;
	if (!date_of(log, text, &day))
		return false;
	int64_t offset = zone_hour * 3600 + zone_minute * 60;
	*utc = (int64_t)day * 86400 + hour * 3600 + minute * 60 + second -
	       (text[21] == '-' ? -offset : offset);
	return true;
}

/* "+07:00", "+0700" or "Z", and nothing behind it; seconds east of Greenwich. */
static bool
parse_offset(struct slice text, int64_t *seconds)
{
	*seconds = 0;
	if (slice_eq(text, SLICE("Z")))
		return true;
	bool colon = text.len == 6 && text.ptr[3] == ':';
	if ((!colon && text.len != 5) || (text.ptr[0] != '+' && text.ptr[0] != '-'))
		return false;
	int hours = two_digits(text.ptr + 1), minutes = two_digits(text.ptr + (colon ? 4 : 3));
	if (hours < 0 || hours > 23 || minutes < 0 || minutes > 59)
		return false;
	*seconds = hours * 3600 + minutes * 60;
	*seconds = text.ptr[0] == '-' ? -*seconds : *seconds;
	return true;
}

static bool
parse_clock(const char *text, int64_t *seconds)
{
	int hour = two_digits(text), minute = two_digits(text + 3), second = two_digits(text + 6);
	*seconds = hour * 3600 + minute * 60 + second;
	return text[2] == ':' && text[5] == ':' && hour >= 0 && hour <= 23 && minute >= 0 &&
	       minute <= 59 && second >= 0 && second <= 60;
}

/* "2020-05-20T14:32:07.123+07:00" */
static bool
parse_iso(struct slice text, int64_t *utc)
{
	enum { CLOCK = 11, END = 19 };
	enum period_kind kind;
	int32_t day;
	int64_t seconds, offset;
	if (text.len < END || (text.ptr[CLOCK - 1] != 'T' && text.ptr[CLOCK - 1] != ' ') ||
	    !period_parse((struct slice){text.ptr, CLOCK - 1}, &kind, &day) || kind != PERIOD_DAY ||
	    !parse_clock(text.ptr + CLOCK, &seconds))
		return false;
	size_t at = END;
	if (at < text.len && text.ptr[at] == '.')
		for (at++; at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9'; at++)
			;
	if (!parse_offset((struct slice){text.ptr + at, text.len - at}, &offset))
		return false;
	*utc = (int64_t)day * 86400 + seconds - offset;
	return true;
}

static bool
parse_epoch(struct slice text, int64_t *utc)
{
	enum { DIGITS_MAX = 11 };
	size_t at = 0;
	int64_t value = 0;
	for (; at < text.len && at < DIGITS_MAX && text.ptr[at] >= '0' && text.ptr[at] <= '9'; at++)
		value = value * 10 + (text.ptr[at] - '0');
	bool whole = at == text.len || text.ptr[at] == '.';
	for (size_t i = at + 1; i < text.len; i++)
		whole = whole && text.ptr[i] >= '0' && text.ptr[i] <= '9';
	*utc = value;
	return at > 0 && whole;
}

bool
accesslog_time(struct accesslog *log, struct slice text, int64_t *utc)
{
	if (text.len == TIME_SIZE && text.ptr[2] == '/')
		return parse_time(log, text.ptr, utc);
	return parse_iso(text, utc) || parse_epoch(text, utc);
}

/*
 * Finds "[time]" and moves rest behind it. The user before it is free text in some servers, so the first bracket
 * need not be the one.
 */
static bool
take_time(struct accesslog *log, struct slice *rest, int64_t *utc)
{
	const char *end = rest->ptr + rest->len;
	const char *at = rest->ptr;
	while ((at = memchr(at, '[', (size_t)(end - at)))) {
		at++;
		if (end - at <= TIME_SIZE)
			return false;
		if (at[TIME_SIZE] == ']' && parse_time(log, at, utc)) {
			*rest = (struct slice){at + TIME_SIZE + 1,
					       (size_t)(end - at - TIME_SIZE - 1)};
			return true;
		}
	}
	return false;
}

/* Takes ` "text"` off rest; a quote after a backslash does not end it. */
static bool
take_quoted(struct slice *rest, struct slice *text)
{
	if (rest->len < 3 || rest->ptr[0] != ' ' || rest->ptr[1] != '"')
		return false;
	const char *start = rest->ptr + 2, *end = rest->ptr + rest->len, *at = start;
	while ((at = memchr(at, '"', (size_t)(end - at)))) {
		const char *before = at;
		while (before > start && before[-1] == '\\')
			before--;
		if ((at - before) % 2 == 0)
			break;
		at++;
	}
	if (!at)
		return false;
	*text = (struct slice){start, (size_t)(at - start)};
	*rest = (struct slice){at + 1, (size_t)(end - at - 1)};
	return true;
}

/* Takes " 200 1234" off rest; the size may be "-". */
static bool
take_status_and_size(struct slice *rest, int *status)
{
	const char *p = rest->ptr, *end = p + rest->len;
	if (rest->len < 6 || p[0] != ' ' || p[1] < '1' || p[1] > '9' || two_digits(p + 2) < 0 ||
	    p[4] != ' ')
		return false;
	*status = (p[1] - '0') * 100 + two_digits(p + 2);
	const char *size = p + 5;
	p = size;
	if (*p == '-')
		p++;
	else
		while (p < end && *p >= '0' && *p <= '9')
			p++;
	*rest = (struct slice){p, (size_t)(end - p)};
	return p > size && (p == end || *p == ' ');
}

/* "GET /page HTTP/1.1"; HTTP/0.9 has no version. A target with blanks in it is one all the same. */
void
accesslog_request(struct slice request, struct access *access)
{
	const char *end = request.ptr + request.len;
	const char *blank = memchr(request.ptr, ' ', request.len);
	access->method = request;
	access->target = (struct slice){0};
	if (!blank || blank == request.ptr)
		return;
	for (const char *p = request.ptr; p < blank; p++)
		if (*p < 'A' || *p > 'Z')
			return;
	access->method.len = (size_t)(blank - request.ptr);
	const char *target = blank + 1;
	const char *last = memrchr(target, ' ', (size_t)(end - target));
	if (last && end - last > 6 && memcmp(last, " HTTP/", 6) == 0)
		end = last;
	if (end > target)
		access->target = (struct slice){target, (size_t)(end - target)};
}

struct slice
accesslog_dash(struct slice text)
{
	return slice_eq(text, SLICE("-")) ? (struct slice){text.ptr, 0} : text;
}

bool
accesslog_parse(struct accesslog *log, struct slice line, struct access *access)
{
	struct slice rest = line, request;
	*access = (struct access){0};
	const char *blank = memchr(line.ptr, ' ', line.len);
	if (!blank || blank == line.ptr || memchr(line.ptr, '\0', line.len))
		return false;
	access->host = (struct slice){line.ptr, (size_t)(blank - line.ptr)};
	rest = (struct slice){blank, line.len - access->host.len};
	if (!take_time(log, &rest, &access->utc) || !take_quoted(&rest, &request) ||
	    !take_status_and_size(&rest, &access->status))
		return false;
	accesslog_request(request, access);
	if (rest.len < 2 || rest.ptr[1] != '"')
		return true;
	if (!take_quoted(&rest, &access->referrer) || !take_quoted(&rest, &access->agent))
		return false;
	access->referrer = accesslog_dash(access->referrer);
	access->agent = accesslog_dash(access->agent);
	return true;
}

/* --- escapes --- */

/* Each takes the escape at `text` off and returns its bytes in `out`; 0: it is none. */

static size_t
take_backslash(struct slice text, size_t *taken, char out[4])
{
	if (text.len >= 4 && text.ptr[1] == 'x' && hex_value(text.ptr[2]) >= 0 &&
	    hex_value(text.ptr[3]) >= 0) {
		out[0] = (char)(hex_value(text.ptr[2]) * 16 + hex_value(text.ptr[3]));
		*taken = 4;
		return 1;
	}
	if (text.len < 2 || (text.ptr[1] != '"' && text.ptr[1] != '\\'))
		return 0;
	out[0] = text.ptr[1];
	*taken = 2;
	return 1;
}

static int
four_digits(const char *hex)
{
	int value = 0;
	for (int i = 0; i < 4; i++) {
		if (hex_value(hex[i]) < 0)
			return -1;
		value = value * 16 + hex_value(hex[i]);
	}
	return value;
}

static size_t
put_utf8(uint32_t point, char out[4])
{
	if (point < 0x80) {
		out[0] = (char)point;
		return 1;
	}
	size_t more = point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
	static const unsigned char leads[] = {0, 0xc0, 0xe0, 0xf0};
	for (size_t i = more; i > 0; i--, point >>= 6)
		out[i] = (char)(0x80 | (point & 0x3f));
	out[0] = (char)(leads[more] | point);
	return more + 1;
}

/* A half of a surrogate pair alone is no character. */
static size_t
take_unicode(struct slice text, size_t *taken, char out[4])
{
	int point = text.len >= 6 ? four_digits(text.ptr + 2) : -1;
	*taken = 6;
	if (point < 0xd800 || point > 0xdfff)
		return point < 0 ? 0 : put_utf8((uint32_t)point, out);
	int low = text.len >= 12 && text.ptr[6] == '\\' && text.ptr[7] == 'u'
			  ? four_digits(text.ptr + 8)
			  : -1;
	if (point > 0xdbff || low < 0xdc00 || low > 0xdfff)
		return put_utf8(0xfffd, out);
	*taken = 12;
	return put_utf8(0x10000 + ((uint32_t)(point - 0xd800) << 10) + (uint32_t)(low - 0xdc00),
			out);
}

static size_t
take_json(struct slice text, size_t *taken, char out[4])
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *at = text.len >= 2 && text.ptr[1] ? strchr(from, text.ptr[1]) : NULL;
	if (text.len >= 2 && text.ptr[1] == 'u')
		return take_unicode(text, taken, out);
	if (!at)
		return 0;
	out[0] = to[at - from];
	*taken = 2;
	return 1;
}

static size_t
take_doubled(struct slice text, size_t *taken, char out[4])
{
	if (text.len < 2 || text.ptr[1] != '"')
		return 0;
	out[0] = '"';
	*taken = 2;
	return 1;
}

static const struct escaping {
	char sign; /* what an escape begins with */
	size_t (*take)(struct slice text, size_t *taken, char out[4]);
} escapings[] = {
	[ACCESS_BACKSLASH] = {'\\', take_backslash},
	[ACCESS_JSON] = {'\\', take_json},
	[ACCESS_DOUBLED] = {'"', take_doubled},
};

bool
accesslog_is_escaped(enum access_escape escape, struct slice text)
{
	return text.len > 0 && memchr(text.ptr, escapings[escape].sign, text.len);
}

size_t
accesslog_unescape(enum access_escape escape, struct slice text, char *out, size_t room)
{
	const struct escaping *escaping = &escapings[escape];
	size_t len = 0;
	for (size_t i = 0; i < text.len && len < room;) {
		char bytes[4] = {text.ptr[i]};
		size_t taken = 1, count = 0;
		if (bytes[0] == escaping->sign)
			count = escaping->take((struct slice){text.ptr + i, text.len - i}, &taken,
					       bytes);
		if (count == 0)
			bytes[0] = text.ptr[i];
		taken = count ? taken : 1;
		count = count ? count : 1;
		if (room - len < count)
			break;
		memcpy(out + len, bytes, count);
		len += count;
		i += taken;
	}
	return len;
}

static bool
is_static(struct slice target)
{
	size_t len = 0;
	while (len < target.len && target.ptr[len] != '?' && target.ptr[len] != '#')
		len++;
	size_t dot = len;
	while (dot > 0 && len - dot <= EXTENSION_MAX && target.ptr[dot - 1] != '.' &&
	       target.ptr[dot - 1] != '/')
		dot--;
	if (dot == 0 || target.ptr[dot - 1] != '.')
		return false;
	struct slice extension = {target.ptr + dot, len - dot};
	char first = extension.len > 0 ? (char)(extension.ptr[0] | 0x20) : '\0';
	for (size_t i = 0; i < COUNT_OF(static_extensions); i++)
		if (static_extensions[i][0] == first &&
		    slice_case_eq(extension, slice_of(static_extensions[i])))
			return true;
	return false;
}

bool
accesslog_is_view(const struct access *access)
{
	return slice_eq(access->method, SLICE("GET")) && access->target.len > 0 &&
	       ((access->status >= 200 && access->status < 300) || access->status == 304) &&
	       !is_static(access->target);
}
