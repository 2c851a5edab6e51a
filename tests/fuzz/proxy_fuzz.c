/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes at all as a PROXY protocol header. Holds that an answer does not change when bytes follow, that only a
 * whole header names anybody, and that what it names is an address.
 */
#include "front/proxy.h"

#define HOLD(condition)                                      \
	do {                                                 \
		if (!(condition)) {                          \
			fprintf(stderr, "%s\n", #condition); \
			abort();                             \
		}                                            \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int
parse(const uint8_t *data, size_t len, union address *source)
{
	char *copy = malloc(len ? len : 1); /* so that the sanitizer sees its end */
	if (len > 0)
		memcpy(copy, data, len);
	*source = (union address){.any.sa_family = AF_UNSPEC};
	int got = proxy_parse((struct slice){copy, len}, source);
	free(copy);
	return got;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	union address source, part;
	int got = parse(data, size, &source);
	sa_family_t family = source.any.sa_family;
	HOLD(got >= -1 && got <= PROXY_BINARY_MAX && got <= (int)size);
	HOLD(got > 0 || family == AF_UNSPEC);
	HOLD(family == AF_UNSPEC || family == AF_INET || family == AF_INET6 || family == AF_UNIX);
	HOLD(got != 0 || size < PROXY_BINARY_MAX);
	HOLD(got <= 0 || memcmp(data, "PROXY ", 6) == 0 || data[0] == '\r');
	HOLD(got <= PROXY_LINE_MAX || data[0] == '\r');
	for (size_t len = 0; len < size && len < 600; len++) {
		int of_part = parse(data, len, &part);
		if (got > 0 && len >= (size_t)got)
			HOLD(of_part == got && memcmp(&part, &source, sizeof(part)) == 0);
		else
			HOLD(of_part == 0 || (got < 0 && of_part == got));
	}
	return 0;
}
