/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A scanner of JSON that reads what it knows by name and passes over the rest. It takes some texts that are no JSON, but
 * none for another one.
 */
#include "cli/logjson.h"

#include "cli/logfields.h"

enum { DEPTH_MAX = 16 };

struct scan {
	const char *at, *end;
	struct accesslog *log;
	struct logfields fields;
	int muted; /* depth from which on nothing is meant: headers of the response; 0: none */
};

static bool scan_value(struct scan *scan, struct slice key, int depth);

static void
skip_blanks(struct scan *scan)
{
	while (scan->at < scan->end && (*scan->at == ' ' || *scan->at == '\t'))
		scan->at++;
}

static bool
take(struct scan *scan, char sign)
{
	skip_blanks(scan);
	if (scan->at == scan->end || *scan->at != sign)
		return false;
	scan->at++;
	return true;
}

/* What stands between the quotes, escapes included. */
static bool
scan_text(struct scan *scan, struct slice *text)
{
	if (!take(scan, '"'))
		return false;
	const char *start = scan->at;
	for (; scan->at < scan->end && *scan->at != '"'; scan->at++)
		if (*scan->at == '\\' && ++scan->at == scan->end)
			return false;
	if (scan->at == scan->end)
		return false;
	*text = (struct slice){start, (size_t)(scan->at - start)};
	scan->at++;
	return true;
}

/* A number, true, false or null. */
static bool
scan_word(struct scan *scan, struct slice *word)
{
	const char *start = scan->at;
	while (scan->at < scan->end && !strchr(",]} \t", *scan->at))
		scan->at++;
	*word = (struct slice){start, (size_t)(scan->at - start)};
	return word->len > 0;
}

static bool
is_unmeant(struct slice key)
{
	return slice_eq(key, SLICE("resp_headers")) || slice_eq(key, SLICE("tls"));
}

static bool
scan_object(struct scan *scan, int depth)
{
	if (take(scan, '}'))
		return true;
	do {
		struct slice key;
		if (!scan_text(scan, &key) || !take(scan, ':'))
			return false;
		if (!scan->muted && is_unmeant(key))
			scan->muted = depth;
		if (!scan_value(scan, key, depth + 1))
			return false;
		scan->muted = scan->muted == depth ? 0 : scan->muted;
	} while (take(scan, ','));
	return take(scan, '}');
}

/* The first of several values has the array's name, the others none. */
static bool
scan_array(struct scan *scan, struct slice key, int depth)
{
	if (take(scan, ']'))
		return true;
	do {
		if (!scan_value(scan, key, depth + 1))
			return false;
		key = SLICE("");
	} while (take(scan, ','));
	return take(scan, ']');
}

static bool
scan_value(struct scan *scan, struct slice key, int depth)
{
	struct slice value;
	if (depth > DEPTH_MAX)
		return false;
	if (take(scan, '{'))
		return scan_object(scan, depth);
	if (take(scan, '['))
		return scan_array(scan, key, depth);
	bool text = scan->at < scan->end && *scan->at == '"';
	if (text ? !scan_text(scan, &value) : !scan_word(scan, &value))
		return false;
	if (!scan->muted && (text || !slice_eq(value, SLICE("null"))))
		logfields_set(&scan->fields, scan->log, logfields_find(key), value);
	return true;
}

bool
logjson_parse(struct accesslog *log, struct slice line, struct access *access)
{
	struct scan scan = {.at = line.ptr, .end = line.ptr + line.len, .log = log};
	*access = (struct access){.escape = ACCESS_JSON};
	scan.fields.access = access;
	if (line.len == 0 || memchr(line.ptr, '\0', line.len) || !take(&scan, '{') ||
	    !scan_object(&scan, 1))
		return false;
	skip_blanks(&scan);
	return scan.at == scan.end && logfields_complete(&scan.fields);
}
