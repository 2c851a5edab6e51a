/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes answers into a buffer. Only fixed text, lengths and bodies made by the show folder leave here: no answer
 * repeats what a client sent.
 */
#include "front/answer.h"

#include "base/http.h"
#include "base/period.h"

#define NO_STORE "Cache-Control: no-store\r\n"
#define NO_SNIFF "X-Content-Type-Options: nosniff\r\n"
#define AN_HOUR "Cache-Control: public, max-age=3600\r\n"
#define FOR_EVER "Cache-Control: public, max-age=31536000, immutable\r\n"
#define ASK_AGAIN "Cache-Control: no-cache\r\n"
/* Lets pages that ask for cross-origin isolation embed it. */
#define ANY_PAGE "Cross-Origin-Resource-Policy: cross-origin\r\n"
/* Counts that were only read are as good a few seconds later. */
#define BRIEFLY "Cache-Control: public, max-age=5\r\n"
/* For who opens the image as a page of its own. */
#define ONLY_STYLE "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'\r\n"
#define OK(type, lines) SLICE("HTTP/1.1 200 OK\r\nContent-Type: " type "\r\n" NO_SNIFF lines)

static const struct slice answer_heads[ANSWER_FORMS] = {
	[ANSWER_JSON] = OK("application/json; charset=utf-8", NO_STORE),
	[ANSWER_TEXT] = OK("text/plain; charset=utf-8", NO_STORE),
	[ANSWER_GIF] = OK("image/gif", NO_STORE ANY_PAGE),
	[ANSWER_SCRIPT] = OK("text/javascript; charset=utf-8", AN_HOUR ANY_PAGE),
	[ANSWER_SCRIPT_FROZEN] = OK("text/javascript; charset=utf-8", FOR_EVER ANY_PAGE),
	[ANSWER_STYLE] = OK("text/css; charset=utf-8", AN_HOUR ANY_PAGE),
	[ANSWER_SVG] = OK("image/svg+xml", NO_STORE ANY_PAGE ONLY_STYLE),
	[ANSWER_SVG_READ] = OK("image/svg+xml", BRIEFLY ANY_PAGE ONLY_STYLE),
	[ANSWER_FRAGMENT] = OK("text/html; charset=utf-8", BRIEFLY),
	[ANSWER_STATS] = OK("text/html; charset=utf-8", BRIEFLY),
	[ANSWER_FRAME] = OK("text/html; charset=utf-8", NO_STORE),
	[ANSWER_SHIELD] = OK("application/json; charset=utf-8", BRIEFLY),
	[ANSWER_PAGE] = OK("text/html; charset=utf-8", ASK_AGAIN),
	[ANSWER_METRICS] = OK("text/plain; version=0.0.4; charset=utf-8", NO_STORE),
};

/* How long a 304 lets the stored answer live: as long as the 200 did. */
static const struct slice answer_lives[ANSWER_FORMS] = {
	[ANSWER_SCRIPT] = SLICE(AN_HOUR),
	[ANSWER_SCRIPT_FROZEN] = SLICE(FOR_EVER),
	[ANSWER_PAGE] = SLICE(ASK_AGAIN),
};

/* The statuses without a body, and what they say instead. */
static const struct {
	int status;
	struct slice head;
} answer_bare[] = {
	{204, SLICE("HTTP/1.1 204 No Content\r\n" NO_STORE)},
	{304, SLICE("HTTP/1.1 304 Not Modified\r\n")},
};

static bool
answer_bare_head(struct buf *out, int status)
{
	for (size_t i = 0; i < COUNT_OF(answer_bare); i++)
		if (answer_bare[i].status == status) {
			buf_add_slice(out, answer_bare[i].head);
			return true;
		}
	return false;
}

/* An error's head; its body is the reason phrase unless it brings one. */
static struct slice
answer_error_head(struct buf *out, const struct answer *answer)
{
	const char *reason = http_reason(answer->status);
	const char *type = answer->body.ptr ? "application/json" : "text/plain";
	buf_addf(out, "HTTP/1.1 %d %s\r\nContent-Type: %s; charset=utf-8\r\n" NO_SNIFF NO_STORE,
		 answer->status, reason, type);
	if (answer->status == 503)
		buf_add_literal(out, "Retry-After: 1\r\n");
	if (answer->status == 429)
		buf_add_literal(out, "Retry-After: 60\r\n");
	return answer->body.ptr ? answer->body : slice_of(reason);
}

void
answer_put(struct buf *out, const struct answer *answer, const struct answer_date *date)
{
	struct slice body = answer->body;
	bool bare = answer->status != 200 && answer_bare_head(out, answer->status);
	if (answer->status == 200)
		buf_add_slice(out, answer_heads[answer->form]);
	else if (!bare)
		body = answer_error_head(out, answer);
	if (answer->status == 304)
		buf_add_slice(out, answer_lives[answer->form]);
	if (answer->cors)
		buf_add_literal(out, "Access-Control-Allow-Origin: *\r\n");
	buf_add_slice(out, answer->extra);
	buf_add(out, date->line, date->len);
	if (!bare) {
		buf_add_literal(out, "Content-Length: ");
		buf_add_int(out, (int64_t)body.len);
		buf_add_literal(out, "\r\n");
	}
	if (answer->last)
		buf_add_literal(out, "Connection: close\r\n");
	buf_add_literal(out, "\r\n");
	if (!bare && !answer->head_only)
		buf_add_slice(out, body);
}

/* RFC 9110 section 5.6.7: names in English, whatever the locale. */
void
answer_date_set(struct answer_date *date, int64_t utc)
{
	static const char days[7][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
	static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	if (date->len > 0 && date->second == utc)
		return;
	int32_t day = (int32_t)(utc / 86400);
	int second = (int)(utc % 86400);
	struct civil civil = civil_of_day(day);
	date->second = utc;
	date->len = (size_t)snprintf(
		date->line, sizeof(date->line), "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n",
		days[weekday_of_day(day) - 1], civil.day, months[civil.month - 1],
		(int)civil.year % 10000, second / 3600, second / 60 % 60, second % 60);
	if (date->len >= sizeof(date->line))
		date->len = 0;
}

static struct slice
trimmed(struct slice text)
{
	while (text.len > 0 && (*text.ptr == ' ' || *text.ptr == '\t'))
		text = (struct slice){text.ptr + 1, text.len - 1};
	while (text.len > 0 && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
		text.len--;
	return text;
}

/* Cuts what stands before the next `mark` off the front of the text, without spaces around it. */
static struct slice
next_part(struct slice *text, char mark)
{
	const char *end = memchr(text->ptr, mark, text->len);
	struct slice part = {text->ptr, end ? (size_t)(end - text->ptr) : text->len};
	size_t taken = part.len + (end != NULL);
	*text = (struct slice){text->ptr + taken, text->len - taken};
	return trimmed(part);
}

/* "q=0", "q=0.000": a weight that means never. */
static bool
weighs_nothing(struct slice weight)
{
	if (weight.len < 3 || (*weight.ptr | 0x20) != 'q' || weight.ptr[1] != '=')
		return false;
	for (size_t i = 2; i < weight.len; i++)
		if (weight.ptr[i] != '0' && weight.ptr[i] != '.')
			return false;
	return true;
}

bool
answer_takes_gzip(struct slice field)
{
	bool any = false;
	while (field.len > 0) {
		struct slice item = next_part(&field, ',');
		struct slice coding = next_part(&item, ';');
		bool taken = !weighs_nothing(trimmed(item));
		if (slice_case_eq(coding, SLICE("gzip")) || slice_case_eq(coding, SLICE("x-gzip")))
			return taken;
		any |= taken && slice_eq(coding, SLICE("*"));
	}
	return any;
}

bool
answer_etag_matches(struct slice field, struct slice etag)
{
	while (field.len > 0) {
		struct slice item = next_part(&field, ',');
		if (item.len > 2 && memcmp(item.ptr, "W/", 2) == 0)
			item = (struct slice){item.ptr + 2, item.len - 2};
		if (slice_eq(item, etag) || slice_eq(item, SLICE("*")))
			return true;
	}
	return false;
}
