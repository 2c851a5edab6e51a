/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as a log line: what is taken lies inside the line, and no date changes the reading of the next line. */
#include <stdlib.h>

#include "cli/accesslog.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
expect_inside(struct slice part, struct slice line)
{
	if (part.ptr && (part.ptr < line.ptr || part.ptr + part.len > line.ptr + line.len))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char known[] = "h - - [02/Jan/1970:00:00:00 +0000] \"GET / HTTP/1.1\" 200 5";
	struct accesslog log = {0};
	struct access access;
	struct slice line = {(const char *)data, size};
	char out[4096];
	if (accesslog_parse(&log, line, &access)) {
		expect_inside(access.host, line);
		expect_inside(access.method, line);
		expect_inside(access.target, line);
		expect_inside(access.referrer, line);
		expect_inside(access.agent, line);
		accesslog_is_view(&access);
		if (access.target.ptr && accesslog_unescape(access.escape, access.target, out,
							    sizeof out) > access.target.len)
			abort();
	}
	if (!accesslog_parse(&log, SLICE(known), &access) || access.utc != 86400)
		abort();
	return 0;
}
