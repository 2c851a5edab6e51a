/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What base/http.c makes of any bytes. Reads cases (a length as uint32_t, and so many bytes) and takes
 * each for all that one connection brings. Prints a JSON line for each: its requests, and why there
 * are no more. A byte stands as the code point of its number.
 */
#include <stdio.h>

#include "base/http.h"

static void
print_text(const char *name, struct slice text)
{
	printf(",\"%s\":%s", name, text.ptr ? "\"" : "null");
	for (size_t i = 0; i < text.len; i++)
		printf("\\u%04x", (unsigned char)text.ptr[i]);
	fputs(text.ptr ? "\"" : "", stdout);
}

static void
print_request(const struct http_request *request, size_t end)
{
	static const char *const methods[] = {"GET", "HEAD", "POST", "OPTIONS", "OTHER"};
	printf("{\"end\":%zu,\"method\":\"%s\",\"minor\":%d", end, methods[request->method],
	       request->minor);
	print_text("path", request->path);
	print_text("query", request->query);
	print_text("host", request->host);
	print_text("body", request->body);
	putchar('}');
}

/* Ends as thongked does: at a refusal, and with a request whose answer closes (404 and 405 do). */
static void
print_case(const char *buf, size_t len)
{
	struct http_request request;
	bool closed = false;
	size_t at = 0;
	int got = 0;
	printf("{\"requests\":[");
	while (!closed && (got = http_parse(&request, buf + at, len - at)) > 0) {
		fputs(at > 0 ? "," : "", stdout);
		at += (size_t)got;
		print_request(&request, at);
		closed = !request.keep_alive || request.method == HTTP_OTHER;
	}
	printf("],\"stop\":\"%s\"}\n", closed ? "closed" : got < 0 ? "refused" : "more");
}

int
main(void)
{
	uint32_t len;
	while (fread(&len, sizeof(len), 1, stdin) == 1) {
		char *buf = malloc(len + !len); /* so that the sanitizer sees its end */
		if (!buf || fread(buf, 1, len, stdin) != len)
			return 1;
		print_case(buf, len);
		free(buf);
	}
	return ferror(stdin) || fflush(stdout) != 0;
}
