/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who the client of a request is. The rows for X-Forwarded-For are what nginx says with real_ip_recursive, but that it
 * takes no brackets without a port and walks without end; tests/system/test_client.py asks it. Those for Forwarded
 * follow from RFC 7239.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/un.h>

#include "guard.h"
#include "hit/client.h"

#define PEER "127.0.0.1"
#define MANY_8 "10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4, 10.0.0.5, 10.0.0.6, 10.0.0.7, 10.0.0.8"

struct row {
	const char *header;
	const char *client; /* NULL: lost */
};

static const struct row forwarded_for[] = {
	{"192.0.2.1", "192.0.2.1"},
	{"2001:db8::1", "2001:db8::1"},
	{"192.0.2.1:4711", "192.0.2.1"},
	{"[2001:db8::1]:4711", "2001:db8::1"},
	{"[2001:db8::1]", "2001:db8::1"},
	/* What the client wrote itself stands to the left. */
	{"198.51.100.9, 192.0.2.1", "192.0.2.1"},
	{"127.0.0.1, 192.0.2.1", "192.0.2.1"},
	{"10.0.0.1, 192.0.2.1", "192.0.2.1"},
	{"unknown, 192.0.2.1", "192.0.2.1"},
	{"\", 192.0.2.1", "192.0.2.1"},
	{",,,192.0.2.1", "192.0.2.1"},
	/* Trusted ones are skipped. */
	{"192.0.2.1, 10.0.0.1", "192.0.2.1"},
	{"198.51.100.9, 192.0.2.1, 10.0.0.1, 127.0.0.1", "192.0.2.1"},
	{"192.0.2.1, ::ffff:10.0.0.1", "192.0.2.1"},
	{"192.0.2.1, ::1", "192.0.2.1"},
	{"::ffff:192.0.2.1, 10.0.0.1", "192.0.2.1"},
	/* All trusted: the leftmost. */
	{"10.0.0.1", "10.0.0.1"},
	{"10.0.0.2, 10.0.0.1", "10.0.0.2"},
	/* No address: the walk ends at the one behind it. */
	{"192.0.2.1, unknown, 10.0.0.1", "10.0.0.1"},
	{"192.0.2.1, 300.0.0.1, 10.0.0.2, 10.0.0.1", "10.0.0.2"},
	{"192.0.2.1, unknown", NULL},
	{"192.0.2.1, unix:", NULL},
	{"192.0.2.1, 192.0.2.01", NULL},
	{"unknown", NULL},
	{"fe80::1%eth0", NULL},
	{"", NULL},
	{" ", NULL},
	{",", NULL},
	{", ,,", NULL},
	/* Gaps: commas and blanks, as many as there are. */
	{"192.0.2.1,10.0.0.1", "192.0.2.1"},
	{"192.0.2.1 10.0.0.1", "192.0.2.1"},
	{"192.0.2.1 , ,10.0.0.1,", "192.0.2.1"},
	/* Thirty-two entries are walked. */
	{"192.0.2.1, " MANY_8 "," MANY_8 "," MANY_8 ",10.0.1.2,10.0.1.3,10.0.1.4,10.0.1.5,"
	 "10.0.1.6,10.0.1.7,10.0.1.8",
	 "192.0.2.1"},
	{"192.0.2.1, " MANY_8 "," MANY_8 "," MANY_8 "," MANY_8, "10.0.0.1"},
};

static const struct row forwarded[] = {
	/* The examples of RFC 7239. */
	{"for=\"_gazonk\"", NULL},
	{"For=\"[2001:db8:cafe::17]:4711\"", "2001:db8:cafe::17"},
	{"for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"},
	{"for=192.0.2.43, for=198.51.100.17", "198.51.100.17"},
	{"for=192.0.2.43, for=\"[2001:db8:cafe::17]\"", "2001:db8:cafe::17"},
	{"for=192.0.2.43, for=\"[2001:db8:cafe::17]\", for=unknown", NULL},
	{"for=_hidden, for=_SEVKISEK", NULL},
	{"for=192.0.2.43,for=\"[2001:db8:cafe::17]\",for=unknown", NULL},
	{"for=_hidden", NULL},
	{"for=unknown", NULL},
	/* Trusted ones are skipped; an entry that is no address ends the walk at the one behind it. */
	{"for=192.0.2.1, for=10.0.0.1", "192.0.2.1"},
	{"for=192.0.2.1;by=_a,for=\"10.0.0.1:80\";by=_b;proto=https", "192.0.2.1"},
	{"for=10.0.0.2, for=10.0.0.1", "10.0.0.2"},
	{"for=192.0.2.1, for=_x, for=10.0.0.1", "10.0.0.1"},
	{"for=192.0.2.1, proto=https, for=10.0.0.1", "10.0.0.1"},
	{"for=192.0.2.1, , for=10.0.0.1, ,", "192.0.2.1"},
	/* Ports, also made up ones; blanks; other pairs before it. */
	{"for=\"192.0.2.1:4711\"", "192.0.2.1"},
	{"for=\"192.0.2.1:_x.y-z\"", "192.0.2.1"},
	{"for=\"[2001:db8::1]:_x\"", "2001:db8::1"},
	{"proto=http;host=\"a.example\"; for=192.0.2.1 ;by=_x", "192.0.2.1"},
	{"by=\"for=1.2.3.4;for=1.2.3.4\";for=192.0.2.1", "192.0.2.1"},
	{"host=\"a\\\";for=1.2.3.4\";for=192.0.2.1", "192.0.2.1"},
	{"host=\"a,b\";for=192.0.2.1", "192.0.2.1"},
	{";;for=192.0.2.1;", "192.0.2.1"},
	/* A client's open quote swallows nothing. */
	{"for=\", for=192.0.2.1", "192.0.2.1"},
	{"for=\"a\\, for=192.0.2.1", "192.0.2.1"},
	{"\\\", for=\"192.0.2.1:80\"", "192.0.2.1"},
	/* None. */
	{"", NULL},
	{"for", NULL},
	{"for=", NULL},
	{"for=\"", NULL},
	{"for=\"\"", NULL},
	{"for=\"192.0.2.1", NULL},
	{"for =192.0.2.1", NULL},
	{"before=192.0.2.1", NULL},
	{"192.0.2.1", NULL},
	{"proto=http", NULL},
	{",;,", NULL},
};

static struct network networks[5];

static struct conf
conf_with(enum conf_forwarded which)
{
	static const char *const texts[] = {"127.0.0.0/8", "::1/128", "unix:", "10.0.0.0/8",
					    "2001:db8:ffff::/48"};
	for (size_t i = 0; i < COUNT_OF(texts); i++)
		assert_true(network_parse(texts[i], &networks[i]));
	return (struct conf){.trusted_proxies = networks,
			     .trusted_proxy_count = COUNT_OF(networks),
			     .forwarded = which};
}

static struct client
find(const struct conf *conf, const char *peer, struct slice header, struct slice other)
{
	bool standard = conf->forwarded == CONF_FORWARDED;
	struct http_request request = {.forwarded_for = standard ? other : header,
				       .forwarded = standard ? header : other};
	struct client client;
	union address from = {.any.sa_family = AF_UNSPEC};
	if (*peer)
		assert_true(address_parse(slice_of(peer), &from));
	client_find(&client, conf, &from.any, &request);
	return client;
}

static void
assert_client(const struct client *client, enum client_how how, const char *address,
	      struct slice header)
{
	char shown[ADDRESS_TEXT_MAX];
	address_format(&client->address, shown);
	if (client->how != how || strcmp(shown, address) != 0)
		fail_msg("\"%.*s\": %d, %s", SLICE_ARG(header), client->how, shown);
}

static void
assert_rows(enum conf_forwarded which, const struct row *rows, size_t count)
{
	struct conf conf = conf_with(which);
	struct guard guard = guard_new();
	const struct slice other = SLICE("203.0.113.9"), other_standard = SLICE("for=203.0.113.9");
	for (size_t i = 0; i < count; i++) {
		struct slice header = slice_of(rows[i].header);
		struct client client = find(&conf, PEER, guard_copy(&guard, header),
					    which == CONF_FORWARDED ? other : other_standard);
		assert_client(&client, rows[i].client ? CLIENT_FORWARDED : CLIENT_LOST,
			      rows[i].client ? rows[i].client : PEER, header);
		/* The same words from a stranger mean nothing. */
		client = find(&conf, "198.51.100.1", header, other);
		assert_client(&client, CLIENT_PEER, "198.51.100.1", header);
	}
	guard_release(&guard);
}

static void
test_forwarded_for(void **state)
{
	(void)state;
	assert_rows(CONF_FORWARDED_FOR, forwarded_for, COUNT_OF(forwarded_for));
}

static void
test_forwarded(void **state)
{
	(void)state;
	assert_rows(CONF_FORWARDED, forwarded, COUNT_OF(forwarded));
}

/* Every beginning and every end of every row, at a guard page and with it before: what matters is what is read. */
static void
test_every_part_at_a_guard_page(void **state)
{
	(void)state;
	struct guard guard = guard_new();
	struct slice none = {NULL, 0};
	for (int which = 0; which < 2; which++) {
		struct conf conf = conf_with((enum conf_forwarded)which);
		const struct row *rows = which == CONF_FORWARDED ? forwarded : forwarded_for;
		size_t count =
			which == CONF_FORWARDED ? COUNT_OF(forwarded) : COUNT_OF(forwarded_for);
		for (size_t i = 0; i < count; i++)
			for (size_t len = 0; len <= strlen(rows[i].header); len++) {
				struct slice part = {rows[i].header, len};
				struct client want = find(&conf, PEER, part, none);
				struct client got =
					find(&conf, PEER, guard_copy(&guard, part), none);
				assert_memory_equal(&want, &got, sizeof(want));
			}
	}
	guard_release(&guard);
}

/* Whatever stands before it, what the trusted proxy has added is believed. */
static void
test_nothing_before_it_changes_what_a_proxy_has_added(void **state)
{
	(void)state;
	for (int which = 0; which < 2; which++) {
		struct conf conf = conf_with((enum conf_forwarded)which);
		const char *added = which == CONF_FORWARDED ? ", for=\"192.0.2.77:1\", for=10.0.0.1"
							    : ", 192.0.2.77, 10.0.0.1";
		for (int byte = 1; byte < 256; byte++) {
			char text[128];
			snprintf(text, sizeof(text), "for=%c\"x\\%c;%c%s", byte, byte, byte, added);
			struct client client =
				find(&conf, PEER, slice_of(text), (struct slice){NULL, 0});
			assert_client(&client, CLIENT_FORWARDED, "192.0.2.77", slice_of(text));
		}
	}
}

/* Of several lines the last was added last; each continues the one before it. */
static void
test_lines(void **state)
{
	(void)state;
	static const struct {
		const char *lines, *client;
	} cases[] = {
		{"X-Forwarded-For: 198.51.100.9\r\nX-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1"},
		{"X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 10.0.0.1\r\n", "192.0.2.1"},
		{"X-Forwarded-For: 198.51.100.9\r\nX-Forwarded-For: 192.0.2.1, 10.0.0.2\r\n"
		 "Forwarded: for=198.51.100.8\r\nX-Forwarded-For: 127.0.0.1, 10.0.0.1\r\n",
		 "192.0.2.1"},
		{"X-Forwarded-For: 10.0.0.3\r\nX-Forwarded-For: 10.0.0.2\r\n", "10.0.0.3"},
		{"X-Forwarded-For: unknown\r\nX-Forwarded-For: 10.0.0.2\r\n", "10.0.0.2"},
		{"X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: ,10.0.0.2\r\n", "192.0.2.1"},
		{"X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: \r\nX-Forwarded-For: 10.0.0.2\r\n",
		 "10.0.0.2"},
	};
	struct conf conf = conf_with(CONF_FORWARDED_FOR);
	union address from;
	assert_true(address_parse(SLICE(PEER), &from));
	for (size_t i = 0; i < COUNT_OF(cases); i++) {
		char text[400];
		struct http_request request;
		struct client client;
		int len = snprintf(text, sizeof(text), "GET / HTTP/1.0\r\n%s\r\n", cases[i].lines);
		assert_int_equal(http_parse(&request, text, (size_t)len), len);
		client_find(&client, &conf, &from.any, &request);
		assert_client(&client, CLIENT_FORWARDED, cases[i].client, slice_of(text));
	}
}

static void
test_peers(void **state)
{
	(void)state;
	struct conf conf = conf_with(CONF_FORWARDED_FOR);
	struct slice header = SLICE("192.0.2.1"), none = {NULL, 0};
	static const char *const trusted[] = {"", "::1", "::ffff:127.0.0.1", "10.1.2.3",
					      "2001:db8:ffff::9"};
	for (size_t i = 0; i < COUNT_OF(trusted); i++) {
		struct client client = find(&conf, trusted[i], header, none);
		assert_client(&client, CLIENT_FORWARDED, "192.0.2.1", header);
	}
	struct client client = find(&conf, "2001:db8:fffe::9", header, none);
	assert_client(&client, CLIENT_PEER, "2001:db8:fffe::9", header);
	/* A unix socket has no address, and a lost client keeps the proxy's. */
	client = find(&conf, "", none, none);
	assert_client(&client, CLIENT_LOST, "", none);
	assert_int_equal(client.address.any.sa_family, AF_UNSPEC);
	client = find(&conf, "10.1.2.3:80", none, none);
	assert_client(&client, CLIENT_LOST, "10.1.2.3", none);
	const struct sockaddr_un socket = {.sun_family = AF_UNIX, .sun_path = "/x"};
	const struct http_request request = {.forwarded_for = header};
	client_find(&client, &conf, (const struct sockaddr *)&socket, &request);
	assert_client(&client, CLIENT_FORWARDED, "192.0.2.1", header);
	client_find(&client, &conf, NULL, &request);
	assert_client(&client, CLIENT_FORWARDED, "192.0.2.1", header);
	/* Where nobody is trusted everybody is himself. */
	conf.trusted_proxy_count = 0;
	client_find(&client, &conf, (const struct sockaddr *)&socket, &request);
	assert_client(&client, CLIENT_PEER, "", header);
	assert_int_equal(client.address.any.sa_family, AF_UNSPEC);
	client = find(&conf, PEER, header, none);
	assert_client(&client, CLIENT_PEER, PEER, header);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forwarded_for),
		cmocka_unit_test(test_forwarded),
		cmocka_unit_test(test_every_part_at_a_guard_page),
		cmocka_unit_test(test_nothing_before_it_changes_what_a_proxy_has_added),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_peers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
