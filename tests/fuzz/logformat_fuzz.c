/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a log line of every format: what is taken lies inside the line, and no unescaping makes it longer. */
#include <stdlib.h>

#include "cli/logformat.h"
#include "cli/logjson.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
expect_sound(const struct access *access, struct slice line)
{
	const struct slice parts[] = {
		access->host,  access->vhost,   access->method, access->target,  access->referrer,
		access->agent, access->browser, access->system, access->country, access->screen};
	for (size_t i = 0; i < COUNT_OF(parts); i++) {
		struct slice part = parts[i];
		char out[4096];
		if (part.len == 0)
			continue;
		if (part.ptr < line.ptr || part.ptr + part.len > line.ptr + line.len)
			abort();
		if (accesslog_unescape(access->escape, part, out, sizeof(out)) > part.len)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char format[] =
		"$remote_addr [$time_local] \"$request\" $status \"$http_referer\"";
	static const struct slice header = {
		"2Path,Title,Event,UserAgent,Browser,System,Session,Bot,Referrer,Referrer scheme,"
		"Screen size,Location,FirstVisit,Date",
		sizeof("2Path,Title,Event,UserAgent,Browser,System,Session,Bot,Referrer,Referrer "
		       "scheme,Screen size,Location,FirstVisit,Date") -
			1};
	struct accesslog log = {0};
	struct access access;
	struct logpattern pattern;
	struct goatcounter columns;
	char error[256];
	struct slice line = {(const char *)data, size};
	if (!logpattern_read(&pattern, format, error, sizeof(error)) ||
	    !goatcounter_header(&columns, header))
		abort();
	if (logjson_parse(&log, line, &access))
		expect_sound(&access, line);
	if (logpattern_parse(&pattern, &log, line, &access))
		expect_sound(&access, line);
	if (goatcounter_parse(&columns, &log, line, &access))
		expect_sound(&access, line);
	return 0;
}
