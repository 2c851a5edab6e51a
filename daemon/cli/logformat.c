/* SPDX-License-Identifier: BSD-2-Clause */
/* Formats of log lines. A new one is a row; what it reads is its own file's. */
#include "cli/logformat.h"

#include <stdio.h>

#include "base/network.h"
#include "cli/logjson.h"

enum { LOOK_AT = 50 }; /* lines, to tell the format */

struct logformat_row {
	const char *name;
	bool (*parse)(const struct logformat *format, struct accesslog *log, struct slice line,
		      struct access *access);
	bool vhosts;
};

static bool
parse_combined(const struct logformat *format, struct accesslog *log, struct slice line,
	       struct access *access)
{
	(void)format;
	return accesslog_parse(log, line, access);
}

static struct slice
first_word(struct slice text)
{
	const char *blank = text.len ? memchr(text.ptr, ' ', text.len) : NULL;
	return (struct slice){text.ptr, blank ? (size_t)(blank - text.ptr) : text.len};
}

static bool
ends_in_port(struct slice word)
{
	size_t at = word.len;
	while (at > 0 && word.ptr[at - 1] >= '0' && word.ptr[at - 1] <= '9')
		at--;
	return at > 1 && at < word.len && word.ptr[at - 1] == ':';
}

/* Apache's vhost_combined, "host:port" before a line of the combined format, or the host alone. */
static bool
parse_vhost(const struct logformat *format, struct accesslog *log, struct slice line,
	    struct access *access)
{
	(void)format;
	union address address;
	struct slice vhost = first_word(line);
	if (vhost.len == 0 || vhost.len == line.len)
		return false;
	struct slice rest = {line.ptr + vhost.len + 1, line.len - vhost.len - 1};
	bool server = ends_in_port(vhost) && !address_parse_bare(vhost, &address);
	if (!server && !address_parse_bare(first_word(rest), &address))
		return false;
	if (!accesslog_parse(log, rest, access))
		return false;
	access->vhost = vhost;
	return true;
}

static bool
parse_json(const struct logformat *format, struct accesslog *log, struct slice line,
	   struct access *access)
{
	(void)format;
	return logjson_parse(log, line, access);
}

static bool
parse_goatcounter(const struct logformat *format, struct accesslog *log, struct slice line,
		  struct access *access)
{
	return goatcounter_parse(&format->goatcounter, log, line, access);
}

static bool
parse_pattern(const struct logformat *format, struct accesslog *log, struct slice line,
	      struct access *access)
{
	return logpattern_parse(&format->pattern, log, line, access);
}

/* Where two read as many lines, the first is meant: a line with a host before it looks like a common one, too. */
static const struct logformat_row rows[] = {
	{"vhost", parse_vhost, true},
	{"combined", parse_combined, false}, /* and common, which is its beginning */
	{"json", parse_json, true},
	{"goatcounter", parse_goatcounter, false},
};
static const struct logformat_row pattern_row = {"$", parse_pattern, false};

static struct slice
without_return(struct slice line)
{
	line.len -= line.len > 0 && line.ptr[line.len - 1] == '\r';
	return line;
}

/* Counts for each row how many of the first lines it reads; false: there is no line. */
static bool
try_lines(const struct logformat *format, struct logfile *file, size_t read[COUNT_OF(rows)])
{
	struct accesslog log = {0};
	struct access access;
	struct slice line;
	size_t lines = 0;
	enum logfile_line got;
	while (lines < LOOK_AT && (got = logfile_peek(file, &line)) != LOGFILE_END) {
		for (size_t i = 0; got == LOGFILE_LINE && i < COUNT_OF(rows); i++)
			read[i] += rows[i].parse(format, &log, without_return(line), &access);
		lines++;
		if (!logfile_take(file))
			break;
	}
	return lines > 0;
}

static const struct logformat_row *
find_row(const char *name)
{
	if (strcmp(name, "common") == 0)
		name = "combined";
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

/* The columns of a GoatCounter export stand in its first line alone. */
static void
read_header(struct logformat *format, struct logfile *file)
{
	struct slice line;
	if (logfile_peek(file, &line) == LOGFILE_LINE)
		(void)goatcounter_header(&format->goatcounter, without_return(line));
}

bool
logformat_choose(struct logformat *format, const char *text, struct logfile *file, char *error,
		 size_t error_size)
{
	size_t read[COUNT_OF(rows)] = {0}, best = 0;
	*format = (struct logformat){0};
	if (text && strchr(text, '$')) {
		format->row = &pattern_row;
		return logpattern_read(&format->pattern, text, error, error_size);
	}
	read_header(format, file);
	if (text) {
		format->row = find_row(text);
		return true;
	}
	bool any = try_lines(format, file, read);
	if (!logfile_seek(file, 0)) {
		snprintf(error, error_size, "the file changes while it is read");
		return false;
	}
	for (size_t i = 1; i < COUNT_OF(rows); i++)
		best = read[i] > read[best] ? i : best;
	if (any && read[best] == 0) {
		snprintf(error, error_size,
			 "none of the first lines is of a known format: say with --format which it "
			 "is (see INSTALL)");
		return false;
	}
	format->row = any ? &rows[best] : NULL;
	return true;
}

bool
logformat_parse(const struct logformat *format, struct accesslog *log, struct slice line,
		struct access *access)
{
	return format->row ? format->row->parse(format, log, line, access)
			   : accesslog_parse(log, line, access);
}

bool
logformat_has_vhosts(const struct logformat *format)
{
	return format->pattern.vhosts || (format->row && format->row->vhosts);
}

void
logformat_names(struct buf *out)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		buf_addf(out, "%s, ", rows[i].name);
}

bool
logformat_is_name(const char *text)
{
	return strchr(text, '$') || find_row(text);
}
