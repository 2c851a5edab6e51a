/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts to addresses and networks, and back. Resolves no name, asks no system, allocates nothing. */
#include "base/network.h"

#include <stdio.h>

#include <arpa/inet.h>

sa_family_t
address_bytes(const struct sockaddr *address, const unsigned char **bytes)
{
	*bytes = NULL;
	if (!address || (address->sa_family != AF_INET && address->sa_family != AF_INET6))
		return AF_UNSPEC;
	if (address->sa_family == AF_INET) {
		*bytes = (const unsigned char *)&((const struct sockaddr_in *)address)->sin_addr;
		return AF_INET;
	}
	const struct in6_addr *v6 = &((const struct sockaddr_in6 *)address)->sin6_addr;
	bool mapped = IN6_IS_ADDR_V4MAPPED(v6);
	*bytes = v6->s6_addr + (mapped ? 12 : 0);
	return mapped ? AF_INET : AF_INET6;
}

/* --- texts --- */

/* Takes a decimal number of at most `most`, without leading zeros, off the front. */
static bool
take_number(struct slice *rest, unsigned most, unsigned *out)
{
	size_t len = 0;
	unsigned number = 0;
	for (; len < rest->len && rest->ptr[len] >= '0' && rest->ptr[len] <= '9'; len++) {
		number = number * 10 + (unsigned)(rest->ptr[len] - '0');
		if (number > most)
			return false;
	}
	if (len == 0 || (len > 1 && rest->ptr[0] == '0'))
		return false;
	*rest = (struct slice){rest->ptr + len, rest->len - len};
	*out = number;
	return true;
}

static bool
take_char(struct slice *rest, char c)
{
	if (rest->len == 0 || rest->ptr[0] != c)
		return false;
	*rest = (struct slice){rest->ptr + 1, rest->len - 1};
	return true;
}

static bool
take_v4(struct slice *rest, union address *out)
{
	unsigned char bytes[4];
	for (int i = 0; i < 4; i++) {
		unsigned number;
		if ((i > 0 && !take_char(rest, '.')) || !take_number(rest, 255, &number))
			return false;
		bytes[i] = (unsigned char)number;
	}
	*out = (union address){.v4.sin_family = AF_INET};
	memcpy(&out->v4.sin_addr, bytes, sizeof(bytes));
	return true;
}

static bool
parse_v6(struct slice text, union address *out)
{
	char copy[INET6_ADDRSTRLEN];
	struct in6_addr bytes;
	if (text.len >= sizeof(copy) || memchr(text.ptr, '\0', text.len))
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET6, copy, &bytes) != 1)
		return false;
	*out = (union address){.v6 = {.sin6_family = AF_INET6, .sin6_addr = bytes}};
	return true;
}

bool
port_parse(struct slice text, in_port_t *network_order)
{
	unsigned port;
	if (!take_number(&text, 65535, &port) || text.len > 0)
		return false;
	*network_order = htons((uint16_t)port);
	return true;
}

bool
address_parse_bare(struct slice text, union address *out)
{
	union address found;
	struct slice rest = text;
	if (text.len == 0)
		return false;
	if (take_v4(&rest, &found) ? rest.len > 0 : !parse_v6(text, &found))
		return false;
	*out = found;
	return true;
}

static bool
parse_bracketed(struct slice text, union address *out)
{
	const char *close = memchr(text.ptr, ']', text.len);
	if (!close)
		return false;
	struct slice inside = {text.ptr + 1, (size_t)(close - text.ptr) - 1};
	struct slice rest = {close + 1, text.len - inside.len - 2};
	return parse_v6(inside, out) &&
	       (rest.len == 0 || (take_char(&rest, ':') && port_parse(rest, &out->v6.sin6_port)));
}

bool
address_parse(struct slice text, union address *out)
{
	union address found;
	struct slice rest = text;
	bool sound;
	if (text.len == 0)
		return false;
	if (text.ptr[0] == '[')
		sound = parse_bracketed(text, &found);
	else if (take_v4(&rest, &found))
		sound = rest.len == 0 ||
			(take_char(&rest, ':') && port_parse(rest, &found.v4.sin_port));
	else
		sound = parse_v6(text, &found);
	if (sound)
		*out = found;
	return sound;
}

int
address_format(const union address *address, char out[ADDRESS_TEXT_MAX])
{
	const unsigned char *bytes;
	sa_family_t family = address_bytes(&address->any, &bytes);
	if (family == AF_UNSPEC || !inet_ntop(family, bytes, out, ADDRESS_TEXT_MAX))
		out[0] = '\0';
	return (int)strlen(out);
}

/* --- networks --- */

static void
network_mask(struct network *network, unsigned prefix)
{
	unsigned char mask[16];
	for (unsigned i = 0; i < sizeof(mask); i++) {
		unsigned left = prefix > 8 * i ? prefix - 8 * i : 0;
		mask[i] = (unsigned char)(left >= 8 ? 0xff : 0xff00 >> left);
	}
	memcpy(network->mask, mask, sizeof(mask));
}

static struct network
network_of(const struct sockaddr *address)
{
	const unsigned char *bytes;
	struct network network = {.family = address_bytes(address, &bytes)};
	if (network.family == AF_UNSPEC)
		network.family = AF_UNIX;
	else
		memcpy(network.bytes, bytes, network.family == AF_INET ? 4 : 16);
	return network;
}

bool
network_parse(const char *text, struct network *out)
{
	struct slice rest = slice_of(text), prefix = {0};
	const char *slash = strchr(text, '/');
	union address address = {.any.sa_family = AF_UNIX};
	if (slash) {
		prefix = slice_of(slash + 1);
		rest.len = (size_t)(slash - text);
	}
	bool any_unix = strcmp(text, "unix:") == 0;
	if (!any_unix && !address_parse_bare(rest, &address))
		return false;
	struct network network = network_of(&address.any);
	unsigned width = network.family == AF_INET ? 32 : network.family == AF_INET6 ? 128 : 0;
	/* Of an IPv4 address in its IPv6 form the prefix counts that form's bits. */
	unsigned before = address.any.sa_family == AF_INET6 && width == 32 ? 96 : 0;
	unsigned bits = before + width;
	if (slash && (!take_number(&prefix, before + width, &bits) || prefix.len > 0))
		return false;
	network_mask(&network, bits > before ? bits - before : 0);
	if (bits < before || (network.bytes[0] & ~network.mask[0]) ||
	    (network.bytes[1] & ~network.mask[1]))
		return false;
	*out = network;
	return true;
}

int
network_format(const struct network *network, char out[NETWORK_TEXT_MAX])
{
	unsigned width = network->family == AF_INET ? 32 : 128, bits = 0;
	unsigned char mask[16];
	if (network->family == AF_UNIX)
		return snprintf(out, NETWORK_TEXT_MAX, "unix:");
	memcpy(mask, network->mask, sizeof(mask));
	while (bits < width && mask[bits / 8] & (0x80 >> bits % 8))
		bits++;
	if (!inet_ntop((int)network->family, network->bytes, out, NETWORK_TEXT_MAX))
		return 0;
	size_t len = strlen(out);
	if (bits == width)
		return (int)len;
	return (int)len + snprintf(out + len, NETWORK_TEXT_MAX - len, "/%u", bits);
}

bool
networks_have(const struct network *networks, size_t count, const struct sockaddr *address)
{
	struct network at = network_of(address);
	for (size_t i = 0; i < count; i++) {
		const struct network *network = &networks[i];
		if (network->family == at.family &&
		    (at.bytes[0] & network->mask[0]) == network->bytes[0] &&
		    (at.bytes[1] & network->mask[1]) == network->bytes[1])
			return true;
	}
	return false;
}
