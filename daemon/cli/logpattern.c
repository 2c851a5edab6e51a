/* SPDX-License-Identifier: BSD-2-Clause */
/* A value ends where the text that follows it in the format stands. Allocates nothing. */
#include "cli/logpattern.h"

#include <stdio.h>

#include "cli/logfields.h"

static bool
is_name(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_';
}

/* Behind the "$": "name" or "{name}". */
static struct slice
take_name(const char **text)
{
	bool braces = **text == '{';
	const char *start = *text + braces, *end = start;
	while (is_name(*end))
		end++;
	if (braces && *end != '}')
		return (struct slice){0};
	*text = end + braces;
	return (struct slice){start, (size_t)(end - start)};
}

/* Whether lines of it can be complete: the fields, each set to what is one of its kind. */
static bool
says_enough(const struct logpattern *pattern)
{
	static const struct slice samples[LOGFIELDS] = {
		[LOGFIELD_HOST] = {"h", 1},    [LOGFIELD_TIME] = {"0", 1},
		[LOGFIELD_REQUEST] = {"-", 1}, [LOGFIELD_METHOD] = {"-", 1},
		[LOGFIELD_TARGET] = {"/", 1},  [LOGFIELD_STATUS] = {"200", 3},
	};
	struct access access = {0};
	struct accesslog log = {0};
	struct logfields fields = {.access = &access};
	for (size_t i = 0; i < pattern->count; i++)
		if (pattern->parts[i].row >= 0)
			logfields_set(&fields, &log, pattern->parts[i].row,
				      samples[logfields_of(pattern->parts[i].row)]);
	return logfields_complete(&fields);
}

bool
logpattern_read(struct logpattern *pattern, const char *text, char *error, size_t error_size)
{
	*pattern = (struct logpattern){0};
	const char *start = text;
	for (const char *sign; (sign = strchr(start, '$'));) {
		struct slice before = {start, (size_t)(sign - start)};
		const char *at = sign + 1;
		struct slice name = take_name(&at);
		if (name.len == 0 || pattern->count == LOGPATTERN_PARTS_MAX ||
		    (pattern->count > 0 && before.len == 0)) {
			snprintf(error, error_size,
				 "--format: \"%.20s\" cannot be read: a variable is $name, at most "
				 "%d of them, with something between any two",
				 sign, LOGPATTERN_PARTS_MAX);
			return false;
		}
		int row = logfields_find(name);
		pattern->parts[pattern->count++] = (struct logpattern_part){before, row};
		pattern->vhosts = pattern->vhosts || logfields_of(row) == LOGFIELD_VHOST;
		start = at;
	}
	pattern->after = slice_of(start);
	if (says_enough(pattern))
		return true;
	snprintf(error, error_size,
		 "--format: a line must tell the client ($remote_addr), the time ($time_local, "
		 "$time_iso8601 or $msec), the request ($request, or $request_method and "
		 "$request_uri) and its $status");
	return false;
}

/* The next place of `text` where it is not escaped; NULL: none. */
static const char *
find_end(struct slice rest, struct slice text)
{
	const char *at = rest.ptr, *end = rest.ptr + rest.len;
	while ((at = memmem(at, (size_t)(end - at), text.ptr, text.len))) {
		const char *before = at;
		while (before > rest.ptr && before[-1] == '\\')
			before--;
		if (text.ptr[0] != '"' || (at - before) % 2 == 0)
			return at;
		at++;
	}
	return NULL;
}

static bool
take_text(struct slice *rest, struct slice text)
{
	if (rest->len < text.len || (text.len && memcmp(rest->ptr, text.ptr, text.len) != 0))
		return false;
	*rest = (struct slice){rest->ptr + text.len, rest->len - text.len};
	return true;
}

bool
logpattern_parse(const struct logpattern *pattern, struct accesslog *log, struct slice line,
		 struct access *access)
{
	*access = (struct access){0};
	struct logfields fields = {.access = access};
	struct slice rest = line;
	if (line.len == 0 || memchr(line.ptr, '\0', line.len))
		return false;
	for (size_t i = 0; i < pattern->count; i++) {
		struct slice next =
			i + 1 < pattern->count ? pattern->parts[i + 1].before : pattern->after;
		if (!take_text(&rest, pattern->parts[i].before))
			return false;
		const char *end = next.len ? find_end(rest, next) : rest.ptr + rest.len;
		if (!end)
			return false;
		struct slice value = {rest.ptr, (size_t)(end - rest.ptr)};
		logfields_set(&fields, log, pattern->parts[i].row, value);
		rest = (struct slice){end, rest.len - value.len};
	}
	return take_text(&rest, pattern->after) && logfields_complete(&fields);
}
