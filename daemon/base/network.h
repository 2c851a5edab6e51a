/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses and networks (pure): what a text names, and whether an address is in a network. An IPv4 address in its
 * IPv6 form (::ffff:192.0.2.1) keeps that form and is the IPv4 address to everybody who asks about it.
 */
#ifndef BASE_NETWORK_H
#define BASE_NETWORK_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "base/base.h"

/* Of a client; AF_UNSPEC or AF_UNIX: none. The port is 0 where none was said. */
union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* AF_INET with 4 bytes, AF_INET6 with 16, AF_UNSPEC with none: what the address is told apart by. */
sa_family_t address_bytes(const struct sockaddr *address, const unsigned char **bytes);

/*
 * "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]" or "[2001:db8::1]:443", and nothing around it. IPv4 is
 * four decimal numbers without leading zeros; a zone id is refused. False: *out is as it was.
 */
bool address_parse(struct slice text, union address *out) MUST_CHECK;
/* The same without brackets and without a port. */
bool address_parse_bare(struct slice text, union address *out) MUST_CHECK;
/* 0 to 65535 without leading zeros. */
bool port_parse(struct slice text, in_port_t *network_order) MUST_CHECK;

/* The shortest form (RFC 5952), without the port; "" for none. Returns its length. */
enum { ADDRESS_TEXT_MAX = INET6_ADDRSTRLEN };
int address_format(const union address *address, char out[ADDRESS_TEXT_MAX]);

/* Addresses that agree with `bytes` where `mask` is set; of a shorter family the rest is 0. */
struct network {
	uint64_t family; /* AF_INET, AF_INET6, or AF_UNIX: every unix socket */
	uint64_t bytes[2], mask[2];
};

/*
 * "10.0.0.0/8", "2001:db8::/32", a single address, or "unix:". Bits beyond the prefix are refused: whoever writes
 * 10.1.2.3/8 means one or the other.
 */
bool network_parse(const char *text, struct network *out) MUST_CHECK;
/* The inverse, in the shortest form: a prefix of all bits is left out. Returns its length. */
enum { NETWORK_TEXT_MAX = ADDRESS_TEXT_MAX + 4 };
int network_format(const struct network *network, char out[NETWORK_TEXT_MAX]);
bool networks_have(const struct network *networks, size_t count, const struct sockaddr *address);

#endif
