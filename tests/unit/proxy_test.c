/* SPDX-License-Identifier: BSD-2-Clause */
/* PROXY protocol headers, by HAProxy's doc/proxy-protocol.txt: its examples, its longest lines, its constants. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>

#include "front/proxy.h"
#include "guard.h"

struct row {
	struct slice bytes;
	bool bad;
	const char *address; /* of the source; NULL: the peer's own stays, "": a unix socket */
	int port;
};

#define TEXT(literal)                          \
	{                                      \
		(literal), sizeof(literal) - 1 \
	}
#define FINE(literal, address, port)                \
	{                                           \
		TEXT(literal), false, address, port \
	}
#define BAD(literal)                         \
	{                                    \
		TEXT(literal), true, NULL, 0 \
	}
#define SIGNATURE "\x0D\x0A\x0D\x0A\x00\x0D\x0A\x51\x55\x49\x54\x0A"
#define V6_FULL "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
#define IPV4 \
	"\xC0\xA8\x00\x01\xC0\xA8\x00\x0B\xDC\x04\x01\xBB" /* 192.168.0.1:56324 to 192.168.0.11:443 */
#define IPV6                                                         \
	"\x20\x01\x0D\xB8\0\0\0\0\0\0\0\0\0\0\0\x01\x20\x01\x0D\xB8" \
	"\0\0\0\0\0\0\0\0\0\0\0\x02\xDC\x04\x01\xBB"
#define ZEROS_36 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define UNIX                              \
	"/run/a.sock\0" ZEROS_36 ZEROS_36 \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" /* 108 */
/* A certificate's name, a checksum and padding, as TLVs; 27 bytes. */
#define TLVS                                   \
	"\x20\x00\x0D\x05\0\0\0\0\x22\x00\x05" \
	"a.org"                                \
	"\x03\x00\x04\xFD\x16\xEE\x60"         \
	"\x04\x00\x01x"

static const struct row rows[] = {
	/* Version 1. */
	FINE("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n", "192.168.0.1", 56324),
	FINE("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", "255.255.255.255",
	     65535),
	FINE("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", "0.0.0.0", 0),
	FINE("PROXY TCP6 " V6_FULL " " V6_FULL " 65535 65535\r\n", V6_FULL, 65535),
	FINE("PROXY TCP6 2001:DB8::1 ::1 1 2\r\n", "2001:db8::1", 1),
	FINE("PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n", "192.0.2.1", 1),
	FINE("PROXY UNKNOWN\r\n", NULL, 0),
	FINE("PROXY UNKNOWN \r\n", NULL, 0),
	FINE("PROXY UNKNOWN " V6_FULL " " V6_FULL " 65535 65535\r\n", NULL, 0),
	FINE("PROXY UNKNOWN what\rever \0 this is\r\n", NULL, 0),
	BAD("PROXY\r\n"),
	BAD("PROXY \r\n"),
	BAD("PROXY TCP4\r\n"),
	BAD("PROXY TCP4 192.168.0.1 192.168.0.11 56324\r\n"),
	BAD("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443 \r\n"),
	BAD("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443 1\r\n"),
	BAD("PROXY TCP4  192.168.0.1 192.168.0.11 56324 443\r\n"),
	BAD("PROXY TCP4\t192.168.0.1 192.168.0.11 56324 443\r\n"),
	BAD("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\n"),
	BAD("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\r\n"),
	BAD("PROXY TCP4 192.168.0.1 192.168.0.11 056324 443\r\n"),
	BAD("PROXY TCP4 192.168.0.1 192.168.0.11 65536 443\r\n"),
	BAD("PROXY TCP4 192.168.0.1 192.168.0.11 -1 443\r\n"),
	BAD("PROXY TCP4 192.168.000.1 192.168.0.11 56324 443\r\n"),
	BAD("PROXY TCP4 192.168.0.1:1 192.168.0.11 56324 443\r\n"),
	BAD("PROXY TCP4 192.168.0.256 192.168.0.11 56324 443\r\n"),
	BAD("PROXY TCP4 192.168.0.1 192.168.0.256 56324 443\r\n"),
	BAD("PROXY TCP4 ::1 ::2 56324 443\r\n"),
	BAD("PROXY TCP4 192.168.0.1 ::2 56324 443\r\n"),
	BAD("PROXY TCP6 192.168.0.1 192.168.0.11 56324 443\r\n"),
	BAD("PROXY TCP6 [::1] [::2] 56324 443\r\n"),
	BAD("PROXY TCP6 fe80::1%1 ::2 56324 443\r\n"),
	BAD("PROXY TCP5 192.168.0.1 192.168.0.11 56324 443\r\n"),
	BAD("PROXY tcp4 192.168.0.1 192.168.0.11 56324 443\r\n"),
	BAD("PROXY UNKNOWNS\r\n"),
	BAD("PROXY UNKNOWN\n"),
	BAD("PROXY  UNKNOWN\r\n"),
	BAD("PROXY UNKNOWN " V6_FULL " " V6_FULL " 65535 65535 \r\n"), /* 108 bytes */
	BAD("proxy TCP4 192.168.0.1 192.168.0.11 56324 443\r\n"),
	BAD(" PROXY UNKNOWN\r\n"),
	BAD("PROXX"),
	BAD("GET / HTTP/1.1\r\n"),
	BAD("POST /hit HTTP/1.1\r\n"),
	BAD("\0"),
	/* Version 2. */
	FINE(SIGNATURE "\x21\x11\x00\x0C" IPV4, "192.168.0.1", 56324),
	FINE(SIGNATURE "\x21\x21\x00\x24" IPV6, "2001:db8::1", 56324),
	FINE(SIGNATURE "\x21\x31\x00\xD8" UNIX UNIX, "", 0),
	FINE(SIGNATURE "\x21\x11\x00\x27" IPV4 TLVS, "192.168.0.1", 56324),
	FINE(SIGNATURE "\x21\x21\x00\x3F" IPV6 TLVS, "2001:db8::1", 56324),
	FINE(SIGNATURE "\x20\x00\x00\x00", NULL, 0),
	FINE(SIGNATURE "\x20\x11\x00\x0C" IPV4, NULL, 0),
	FINE(SIGNATURE "\x20\xFF\x00\x04xxxx", NULL, 0),
	FINE(SIGNATURE "\x21\x00\x00\x00", NULL, 0),
	FINE(SIGNATURE "\x21\x00\x00\x0C" IPV4, NULL, 0),
	FINE(SIGNATURE "\x21\x01\x00\x0C" IPV4, NULL, 0),
	FINE(SIGNATURE "\x21\x10\x00\x0C" IPV4, NULL, 0),
	FINE(SIGNATURE "\x21\x12\x00\x0C" IPV4, NULL, 0),
	FINE(SIGNATURE "\x21\x22\x00\x24" IPV6, NULL, 0),
	FINE(SIGNATURE "\x21\x32\x00\x00", NULL, 0),
	BAD(SIGNATURE "\x21\x11\x00\x0B" IPV4),
	BAD(SIGNATURE "\x21\x21\x00\x23" IPV6),
	BAD(SIGNATURE "\x21\x31\x00\xD7" UNIX UNIX),
	BAD(SIGNATURE "\x21\x41\x00\x0C" IPV4),
	BAD(SIGNATURE "\x21\x13\x00\x0C" IPV4),
	BAD(SIGNATURE "\x22\x11\x00\x0C" IPV4),
	BAD(SIGNATURE "\x11\x11\x00\x0C" IPV4),
	BAD(SIGNATURE "\x31\x11\x00\x0C" IPV4),
	BAD(SIGNATURE "\x01\x11\x00\x0C" IPV4),
	BAD(SIGNATURE "\x21\x11\xFF\xFF" IPV4),
	BAD(SIGNATURE "\x20\x00\x02\x09"), /* 537 bytes in all */
	BAD("\r\n\r\nGET / HTTP/1.1\r\n"),
	BAD("\x0D\x0A\x0D\x0A\x00\x0D\x0A\x51\x55\x49\x54\x0D\x21\x11\x00\x0C" IPV4),
};

static const union address peer = {
	.v4 = {.sin_family = AF_INET, .sin_port = 1, .sin_addr = {0x01020304}}};

static void
assert_source(const struct row *row, const union address *source)
{
	char shown[ADDRESS_TEXT_MAX];
	if (!row->address) {
		assert_memory_equal(source, &peer, sizeof(peer));
		return;
	}
	address_format(source, shown);
	assert_string_equal(shown, row->address);
	if (!*shown)
		assert_int_equal(source->any.sa_family, AF_UNIX);
	else
		assert_int_equal(ntohs(source->any.sa_family == AF_INET ? source->v4.sin_port
									: source->v6.sin6_port),
				 row->port);
}

static void
test_every_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		union address source = peer;
		int want = rows[i].bad ? -1 : (int)rows[i].bytes.len;
		int got = proxy_parse(rows[i].bytes, &source);
		if (got != want)
			fail_msg("row %zu: wanted %d, got %d: %.*s", i, want, got,
				 SLICE_ARG(rows[i].bytes));
		assert_source(&rows[i], &source);
	}
}

/* A header needs all its bytes and no more; a refusal stands whatever follows; until the end the peer is the peer. */
static void
test_every_prefix_at_a_guard_page(void **state)
{
	(void)state;
	struct guard guard = guard_new();
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		int before = 0;
		for (size_t len = 0; len <= rows[i].bytes.len; len++) {
			union address source = peer;
			struct slice part = {rows[i].bytes.ptr, len};
			int got = proxy_parse(guard_copy(&guard, part), &source);
			if (before != 0)
				assert_int_equal(got, before);
			if (got <= 0)
				assert_memory_equal(&source, &peer, sizeof(peer));
			else
				assert_int_equal(len, rows[i].bytes.len);
			before = got;
		}
		assert_int_equal(before > 0, !rows[i].bad);
	}
	guard_release(&guard);
}

/* What follows a header is not looked at. */
static void
test_a_request_behind_it(void **state)
{
	(void)state;
	static const char request[] = "GET / HTTP/1.1\r\nHost: 192.168.0.11\r\n\r\n";
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		char both[600];
		union address source = peer;
		struct slice bytes = rows[i].bytes;
		memcpy(both, bytes.ptr, bytes.len);
		memcpy(both + bytes.len, request, sizeof(request));
		struct slice all = {both, bytes.len + sizeof(request) - 1};
		if (!rows[i].bad)
			assert_int_equal(proxy_parse(all, &source), bytes.len);
	}
}

/* 107 bytes are a line at the most, 536 a binary header. */
static void
test_longest(void **state)
{
	(void)state;
	char bytes[600];
	union address source = peer;
	memset(bytes, 'x', sizeof(bytes));
	memcpy(bytes, "PROXY UNKNOWN ", 14);
	assert_int_equal(proxy_parse((struct slice){bytes, 106}, &source), 0);
	assert_int_equal(proxy_parse((struct slice){bytes, 107}, &source), -1);
	memcpy(bytes + 105, "\r\n", 2);
	assert_int_equal(proxy_parse((struct slice){bytes, 106}, &source), 0);
	assert_int_equal(proxy_parse((struct slice){bytes, 600}, &source), 107);
	memcpy(bytes, SIGNATURE "\x21\x11\x02\x08" IPV4, 28);
	assert_int_equal(proxy_parse((struct slice){bytes, 535}, &source), 0);
	assert_memory_equal(&source, &peer, sizeof(peer));
	assert_int_equal(proxy_parse((struct slice){bytes, 600}, &source), 536);
	assert_int_equal(ntohs(source.v4.sin_port), 56324);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_row),
		cmocka_unit_test(test_every_prefix_at_a_guard_page),
		cmocka_unit_test(test_a_request_behind_it),
		cmocka_unit_test(test_longest),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
