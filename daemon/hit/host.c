/* SPDX-License-Identifier: BSD-2-Clause */
/* Host names in their one form. Lets nothing through that means something in a log, a page or a key. */
#include "hit/host.h"

#include <arpa/inet.h>

#define NONE ((struct slice){0})

static struct slice
normalise_v6(struct slice host, char out[HIT_VALUE_MAX])
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr address;
	if (host.len < 2 || host.len - 2 >= sizeof(text) || host.ptr[host.len - 1] != ']')
		return NONE;
	memcpy(text, host.ptr + 1, host.len - 2);
	text[host.len - 2] = '\0';
	if (inet_pton(AF_INET6, text, &address) != 1 ||
	    !inet_ntop(AF_INET6, &address, out, HIT_VALUE_MAX))
		return NONE;
	return slice_of(out);
}

struct slice
host_normalise(struct slice host, char out[HIT_VALUE_MAX])
{
	if (host.len > 0 && host.ptr[0] == '[')
		return normalise_v6(host, out);
	if (host.len > 1 && host.ptr[host.len - 1] == '.')
		host.len--;
	if (host.len == 0 || host.len > HIT_VALUE_MAX)
		return NONE;
	bool begins = true; /* a label */
	for (size_t i = 0; i < host.len; i++) {
		char c = host.ptr[i];
		if (c >= 'A' && c <= 'Z')
			c |= 0x20;
		bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
		if (!plain && (begins || (c != '.' && c != '-')))
			return NONE;
		begins = c == '.';
		out[i] = c;
	}
	return begins ? NONE : (struct slice){out, host.len};
}
