/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses and networks: what is one (RFC 3986, 4291, 5952), which it is, and what a network has. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <sys/un.h>

#include "base/network.h"
#include "guard.h"

struct row {
	const char *text;
	const char *address; /* its shortest form; NULL: none */
	int port;
	sa_family_t family;
};

static const struct row rows[] = {
	{"192.0.2.1", "192.0.2.1", 0, AF_INET},
	{"0.0.0.0", "0.0.0.0", 0, AF_INET},
	{"255.255.255.255", "255.255.255.255", 0, AF_INET},
	{"192.0.2.1:80", "192.0.2.1", 80, AF_INET},
	{"192.0.2.1:65535", "192.0.2.1", 65535, AF_INET},
	{"2001:db8::1", "2001:db8::1", 0, AF_INET6},
	{"2001:DB8:0:0::0:1", "2001:db8::1", 0, AF_INET6},
	{"::", "::", 0, AF_INET6},
	{"1::", "1::", 0, AF_INET6},
	{"12::34", "12::34", 0, AF_INET6},
	{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0,
	 AF_INET6},
	{"[2001:db8::1]", "2001:db8::1", 0, AF_INET6},
	{"[2001:db8::1]:443", "2001:db8::1", 443, AF_INET6},
	{"::ffff:192.0.2.1", "192.0.2.1", 0, AF_INET6},
	{"::ffff:c000:201", "192.0.2.1", 0, AF_INET6},
	{"[::ffff:192.0.2.1]:80", "192.0.2.1", 80, AF_INET6},
	{"::192.0.2.1", "::192.0.2.1", 0, AF_INET6},
	{"", NULL, 0, 0},
	{"1", NULL, 0, 0},
	{"1.2.3", NULL, 0, 0},
	{"1.2.3.", NULL, 0, 0},
	{"1.2.3.4.", NULL, 0, 0},
	{"1.2.3.4.5", NULL, 0, 0},
	{"1..3.4", NULL, 0, 0},
	{".1.2.3.4", NULL, 0, 0},
	{"256.0.0.1", NULL, 0, 0},
	{"1.2.3.256", NULL, 0, 0},
	{"4294967297.2.3.4", NULL, 0, 0},
	{"01.2.3.4", NULL, 0, 0},
	{"1.2.3.04", NULL, 0, 0},
	{"1.2.3.00", NULL, 0, 0},
	{"0x1.2.3.4", NULL, 0, 0},
	{"+1.2.3.4", NULL, 0, 0},
	{"1.2.3.4 ", NULL, 0, 0},
	{" 1.2.3.4", NULL, 0, 0},
	{"1.2.3.4:", NULL, 0, 0},
	{"1.2.3.4:080", NULL, 0, 0},
	{"1.2.3.4:65536", NULL, 0, 0},
	{"1.2.3.4:80:80", NULL, 0, 0},
	{"1.2.3.4:http", NULL, 0, 0},
	{"[1.2.3.4]", NULL, 0, 0},
	{"[1.2.3.4]:80", NULL, 0, 0},
	{"[", NULL, 0, 0},
	{"[]", NULL, 0, 0},
	{"[::1", NULL, 0, 0},
	{"::1]", NULL, 0, 0},
	{"[[::1]]", NULL, 0, 0},
	{"[::1]443", NULL, 0, 0},
	{"[::1]:", NULL, 0, 0},
	{"[::1]:x", NULL, 0, 0},
	{"[::1%eth0]", NULL, 0, 0},
	{"fe80::1%eth0", NULL, 0, 0},
	{"fe80::1%25eth0", NULL, 0, 0},
	{":", NULL, 0, 0},
	{":::", NULL, 0, 0},
	{"1::2::3", NULL, 0, 0},
	{"1:2:3:4:5:6:7", NULL, 0, 0},
	{"1:2:3:4:5:6:7:8:9", NULL, 0, 0},
	{"12345::", NULL, 0, 0},
	{"::g", NULL, 0, 0},
	{"::1.2.3", NULL, 0, 0},
	{"::ffff:1.2.3.04", NULL, 0, 0},
	{"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", NULL, 0, 0},
	{"unknown", NULL, 0, 0},
	{"unix:", NULL, 0, 0},
};

/* "" when the text is no address, else its shortest form. */
static const char *
parsed(struct slice text, union address *out)
{
	static char shown[ADDRESS_TEXT_MAX];
	union address untouched;
	memset(&untouched, 0x5a, sizeof(untouched));
	*out = untouched;
	if (!address_parse(text, out)) {
		assert_memory_equal(out, &untouched, sizeof(*out));
		return "";
	}
	int len = address_format(out, shown);
	assert_int_equal(len, strlen(shown));
	return shown;
}

static void
test_every_row(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct row *row = &rows[i];
		union address at;
		const char *got = parsed(slice_of(row->text), &at);
		if (strcmp(got, row->address ? row->address : "") != 0)
			fail_msg("\"%s\" is \"%s\"", row->text, got);
		if (!row->address)
			continue;
		assert_int_equal(at.any.sa_family, row->family);
		in_port_t port = row->family == AF_INET ? at.v4.sin_port : at.v6.sin6_port;
		assert_int_equal(ntohs(port), row->port);
	}
}

/* Alone means: neither brackets nor a port. */
static void
test_bare(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++) {
		const struct row *row = &rows[i];
		union address at, same;
		bool bare = row->address && row->text[0] != '[' && row->port == 0;
		assert_int_equal(address_parse_bare(slice_of(row->text), &at), bare);
		if (!bare)
			continue;
		assert_true(address_parse(slice_of(row->text), &same));
		assert_memory_equal(&at, &same, sizeof(at));
	}
}

/* The system's own parser is the judge of IPv4: every number of up to four digits at every place. */
static void
test_every_octet(void **state)
{
	(void)state;
	static const char *const places[] = {"%s.0.0.0", "9.%s.9.9", "9.9.%s.9", "255.255.255.%s"};
	char number[8], text[32];
	for (int digits = 1; digits <= 4; digits++)
		for (int n = 0; n < 1100; n++)
			for (size_t place = 0; place < COUNT_OF(places); place++) {
				union address at;
				struct in_addr bytes;
				snprintf(number, sizeof(number), "%0*d", digits, n);
				const char *gap = strstr(places[place], "%s");
				snprintf(text, sizeof(text), "%.*s%s%s", (int)(gap - places[place]),
					 places[place], number, gap + 2);
				bool want = inet_pton(AF_INET, text, &bytes) == 1;
				assert_int_equal(address_parse(slice_of(text), &at), want);
				if (want)
					assert_memory_equal(&at.v4.sin_addr, &bytes, 4);
			}
}

/* A beginning is judged by its own bytes, whatever follows, and nothing behind it is read. */
static void
test_every_prefix_at_a_guard_page(void **state)
{
	(void)state;
	struct guard guard = guard_new();
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		for (size_t len = 0; len <= strlen(rows[i].text); len++) {
			union address at, same;
			char alone[64];
			snprintf(alone, sizeof(alone), "%.*s", (int)len, rows[i].text);
			struct slice beginning = {rows[i].text, len};
			bool want = address_parse(slice_of(alone), &at);
			assert_int_equal(address_parse(beginning, &same), want);
			assert_int_equal(address_parse(guard_copy(&guard, beginning), &same), want);
			if (want)
				assert_memory_equal(&at, &same, sizeof(at));
		}
	guard_release(&guard);
}

static void
test_a_nul_ends_no_address(void **state)
{
	(void)state;
	union address at;
	assert_false(address_parse(SLICE("::1\0"), &at));
	assert_false(address_parse(SLICE("::1\0::"), &at));
	assert_false(address_parse(SLICE("1.2.3.4\0"), &at));
	assert_false(address_parse((struct slice){NULL, 0}, &at));
}

/* --- networks --- */

static void
test_networks_that_are_none(void **state)
{
	(void)state;
	static const char *const bad[] = {
		"",
		"/",
		"/8",
		"10.0.0.0/",
		"10.0.0.0/33",
		"10.0.0.0/8x",
		"10.0.0.0/08",
		"10.0.0.0/-1",
		"10.0.0.0/8/8",
		"10.0.0.0 /8",
		"10.1.0.0/8",
		"10.0.0.1/31",
		"10.0.0/8",
		"10.0.0.0:80",
		"[::1]",
		"[::1]/128",
		"::1/127",
		"::1/0",
		"2001:db8::/16",
		"::/129",
		"unix",
		"unix:/x",
		"unix:/8",
		"localhost",
		"::ffff:10.0.0.1/95",
		"*",
		"::/",
		"10.0.0.0/ 8",
		"fe80::1%eth0",
		"::ffff:0:0/95",
		"10.0.0.0/8 ",
	};
	struct network network;
	for (size_t i = 0; i < COUNT_OF(bad); i++)
		if (network_parse(bad[i], &network))
			fail_msg("\"%s\" is no network", bad[i]);
}

static const struct {
	const char *network, *has, *lacks;
} memberships[] = {
	{"10.0.0.0/8", "10.0.0.0", "9.255.255.255"},
	{"10.0.0.0/8", "10.255.255.255", "11.0.0.0"},
	{"10.0.0.0/8", "::ffff:10.1.2.3", "::ffff:11.1.2.3"},
	{"10.0.0.0/8", "10.1.2.3", "a00::"},
	{"192.0.2.1", "192.0.2.1", "192.0.2.0"},
	{"192.0.2.1/32", "192.0.2.1", "192.0.2.3"},
	{"192.0.2.128/25", "192.0.2.128", "192.0.2.127"},
	{"192.0.2.0/31", "192.0.2.1", "192.0.2.2"},
	{"172.16.0.0/12", "172.31.255.255", "172.32.0.0"},
	{"0.0.0.0/0", "255.255.255.255", "::"},
	{"::/0", "ffff::", "192.0.2.1"},
	{"::/0", "::1", "::ffff:192.0.2.1"},
	{"::1/128", "::1", "::2"},
	{"::1", "::1", "0.0.0.1"},
	{"2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"},
	{"2001:db8::/65", "2001:db8::7fff:0:0:1", "2001:db8::8000:0:0:0"},
	{"2001:db8::8000:0:0:0/65", "2001:db8::8000:0:0:0", "2001:db8::"},
	{"fe80::/10", "febf::", "fec0::"},
	{"::ffff:10.0.0.0/104", "10.1.2.3", "11.0.0.0"},
	{"::ffff:0:0/96", "1.2.3.4", "::1.2.3.4"},
	{"::ffff:192.0.2.1", "192.0.2.1", "192.0.2.2"},
};

static bool
has(const struct network *network, const char *text)
{
	union address at;
	assert_true(address_parse(slice_of(text), &at));
	return networks_have(network, 1, &at.any);
}

static void
test_who_is_in_a_network(void **state)
{
	(void)state;
	const struct sockaddr_un socket = {.sun_family = AF_UNIX};
	for (size_t i = 0; i < COUNT_OF(memberships); i++) {
		struct network network;
		assert_true(network_parse(memberships[i].network, &network));
		if (!has(&network, memberships[i].has))
			fail_msg("%s has %s", memberships[i].network, memberships[i].has);
		if (has(&network, memberships[i].lacks))
			fail_msg("%s lacks %s", memberships[i].network, memberships[i].lacks);
		assert_false(networks_have(&network, 1, (const struct sockaddr *)&socket));
		assert_false(networks_have(&network, 1, NULL));
	}
}

/* Every length of prefix: the address with only the bit behind it changed is in, with its last one is not. */
static void
test_every_prefix_length(void **state)
{
	(void)state;
	for (int bits = 1; bits <= 128; bits++) {
		union address at = {.v6.sin6_family = AF_INET6};
		char text[80], shown[ADDRESS_TEXT_MAX];
		struct network network;
		unsigned char *bytes = at.v6.sin6_addr.s6_addr;
		bytes[(bits - 1) / 8] = (unsigned char)(0x80 >> (bits - 1) % 8);
		address_format(&at, shown);
		snprintf(text, sizeof(text), "%s/%d", shown, bits);
		assert_true(network_parse(text, &network));
		assert_true(networks_have(&network, 1, &at.any));
		if (bits < 128) {
			bytes[bits / 8] |= (unsigned char)(0x80 >> bits % 8);
			assert_true(networks_have(&network, 1, &at.any));
		}
		bytes[(bits - 1) / 8] &= (unsigned char)~(0x80 >> (bits - 1) % 8);
		assert_false(networks_have(&network, 1, &at.any));
	}
}

static void
test_several_networks(void **state)
{
	(void)state;
	static const char *const texts[] = {"127.0.0.0/8", "::1/128", "unix:"};
	const struct sockaddr_un socket = {.sun_family = AF_UNIX};
	const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
	struct network networks[COUNT_OF(texts)];
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		assert_true(network_parse(texts[i], &networks[i]));
	for (size_t count = 0; count <= COUNT_OF(texts); count++) {
		union address v4, v6;
		assert_true(address_parse(SLICE("127.0.0.1"), &v4));
		assert_true(address_parse(SLICE("::1"), &v6));
		assert_int_equal(networks_have(networks, count, &v4.any), count > 0);
		assert_int_equal(networks_have(networks, count, &v6.any), count > 1);
		assert_int_equal(networks_have(networks, count, (const struct sockaddr *)&socket),
				 count > 2);
		assert_int_equal(networks_have(networks, count, &nobody), count > 2);
		assert_int_equal(networks_have(networks, count, NULL), count > 2);
	}
}

static void
test_format_of_none(void **state)
{
	(void)state;
	char text[ADDRESS_TEXT_MAX] = "x";
	union address none = {.any.sa_family = AF_UNSPEC};
	assert_int_equal(address_format(&none, text), 0);
	assert_string_equal(text, "");
}

/* RFC 5952 for what is IPv6; a mapped IPv4 network is that of its IPv4 addresses. */
static void
test_networks_as_text(void **state)
{
	(void)state;
	static const struct {
		const char *text, *written;
	} pairs[] = {
		{"10.0.0.0/8", "10.0.0.0/8"},
		{"192.0.2.1", "192.0.2.1"},
		{"192.0.2.1/32", "192.0.2.1"},
		{"0.0.0.0/0", "0.0.0.0/0"},
		{"2001:db8:0:0::/32", "2001:db8::/32"},
		{"::1/128", "::1"},
		{"::/0", "::/0"},
		{"::ffff:10.0.0.0/104", "10.0.0.0/8"},
		{"unix:", "unix:"},
	};
	for (size_t i = 0; i < COUNT_OF(pairs); i++) {
		char text[NETWORK_TEXT_MAX];
		struct network network;
		assert_true(network_parse(pairs[i].text, &network));
		assert_int_equal(network_format(&network, text), strlen(pairs[i].written));
		assert_string_equal(text, pairs[i].written);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_row),
		cmocka_unit_test(test_bare),
		cmocka_unit_test(test_every_octet),
		cmocka_unit_test(test_every_prefix_at_a_guard_page),
		cmocka_unit_test(test_a_nul_ends_no_address),
		cmocka_unit_test(test_networks_that_are_none),
		cmocka_unit_test(test_who_is_in_a_network),
		cmocka_unit_test(test_every_prefix_length),
		cmocka_unit_test(test_several_networks),
		cmocka_unit_test(test_format_of_none),
		cmocka_unit_test(test_networks_as_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
