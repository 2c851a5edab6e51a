/* SPDX-License-Identifier: BSD-2-Clause */
/* PROXY protocol headers. Never reads past what it is given, takes nothing that only resembles one. */
#include "front/proxy.h"

enum { BINARY_HEAD = 16, IPV4_LEN = 12, IPV6_LEN = 36, UNIX_LEN = 216 };

/* Whether `bytes` begin with `word`, as far as there are any. */
static bool
may_be(struct slice bytes, struct slice word)
{
	size_t len = bytes.len < word.len ? bytes.len : word.len;
	return memcmp(bytes.ptr, word.ptr, len) == 0;
}

/* --- version 1: a line of text --- */

/* Cuts what stands before the next space off the front of a line, and the space. */
static struct slice
take_word(struct slice *line)
{
	const char *space = memchr(line->ptr, ' ', line->len);
	size_t len = space ? (size_t)(space - line->ptr) : line->len;
	struct slice word = {line->ptr, len};
	size_t taken = space ? len + 1 : len;
	*line = (struct slice){line->ptr + taken, line->len - taken};
	return word;
}

/* "192.0.2.1 192.0.2.2 56324 443" */
static bool
parse_ends(struct slice line, sa_family_t family, union address *source)
{
	union address from, to;
	in_port_t from_port, to_port;
	struct slice from_text = take_word(&line), to_text = take_word(&line);
	struct slice port_text = take_word(&line);
	if (!address_parse_bare(from_text, &from) || from.any.sa_family != family ||
	    !address_parse_bare(to_text, &to) || to.any.sa_family != family ||
	    !port_parse(port_text, &from_port) || !port_parse(line, &to_port))
		return false;
	*(family == AF_INET ? &from.v4.sin_port : &from.v6.sin6_port) = from_port;
	*source = from;
	return true;
}

static int
parse_line(struct slice bytes, union address *source)
{
	size_t room = bytes.len < PROXY_LINE_MAX ? bytes.len : PROXY_LINE_MAX;
	const char *end = memchr(bytes.ptr, '\n', room);
	if (!end)
		return room == PROXY_LINE_MAX ? -1 : 0;
	size_t len = (size_t)(end - bytes.ptr) + 1;
	if (end[-1] != '\r')
		return -1;
	struct slice line = {bytes.ptr, len - 2};
	(void)take_word(&line);
	struct slice protocol = take_word(&line);
	bool sound = slice_eq(protocol, SLICE("UNKNOWN"));
	if (slice_eq(protocol, SLICE("TCP4")))
		sound = parse_ends(line, AF_INET, source);
	else if (slice_eq(protocol, SLICE("TCP6")))
		sound = parse_ends(line, AF_INET6, source);
	return sound ? (int)len : -1;
}

/* --- version 2: binary --- */

enum { COMMAND_LOCAL = 0x20, COMMAND_PROXY = 0x21 };
enum { FAMILY_IPV4 = 1, FAMILY_IPV6, FAMILY_UNIX, FAMILIES };
enum { TRANSPORT_STREAM = 1, TRANSPORTS = 3 };

/* What follows the head, at least. */
static const int binary_lens[FAMILIES] = {
	[FAMILY_IPV4] = IPV4_LEN,
	[FAMILY_IPV6] = IPV6_LEN,
	[FAMILY_UNIX] = UNIX_LEN,
};

static void
read_source(const char *block, int family, union address *source)
{
	if (family == FAMILY_IPV4) {
		*source = (union address){.v4.sin_family = AF_INET};
		memcpy(&source->v4.sin_addr, block, 4);
		memcpy(&source->v4.sin_port, block + 8, 2);
	} else if (family == FAMILY_IPV6) {
		*source = (union address){.v6.sin6_family = AF_INET6};
		memcpy(&source->v6.sin6_addr, block, 16);
		memcpy(&source->v6.sin6_port, block + 32, 2);
	} else {
		*source = (union address){.any.sa_family = AF_UNIX};
	}
}

static int
parse_binary(struct slice bytes, union address *source)
{
	if (bytes.len < BINARY_HEAD)
		return 0;
	const unsigned char *head = (const unsigned char *)bytes.ptr;
	int command = head[12], family = head[13] >> 4, transport = head[13] & 15;
	int len = head[14] << 8 | head[15];
	bool proxied = command == COMMAND_PROXY;
	if ((!proxied && command != COMMAND_LOCAL) || BINARY_HEAD + len > PROXY_BINARY_MAX)
		return -1;
	if (proxied && (family >= FAMILIES || transport >= TRANSPORTS))
		return -1;
	bool named = proxied && family > 0 && transport == TRANSPORT_STREAM;
	if (named && len < binary_lens[family])
		return -1;
	if (bytes.len < (size_t)(BINARY_HEAD + len))
		return 0;
	if (named)
		read_source(bytes.ptr + BINARY_HEAD, family, source);
	return BINARY_HEAD + len;
}

int
proxy_parse(struct slice bytes, union address *source)
{
	static const struct slice text = {"PROXY ", 6};
	static const struct slice binary = {"\r\n\r\n\0\r\nQUIT\n", 12};
	if (bytes.len == 0)
		return 0;
	if (may_be(bytes, text))
		return parse_line(bytes, source);
	return may_be(bytes, binary) ? parse_binary(bytes, source) : -1;
}
