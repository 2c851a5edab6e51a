/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where a hit says it comes from. What is local: RFC 1122 (127/8), 1918 (10/8, 172.16/12, 192.168/16), 3927 (169.254/16),
 * 4193 (fc00::/7), 4291 (::1, fe80::/10), 6761 (localhost), 6762 (local).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "hit/origin.h"
#include "judge_here.h"

struct row {
	const char *site, *origin, *referer, *url;
	enum origin_sign expected;
	const char *host; /* that decided; NULL: not looked at */
};

static void
assert_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct row *row = &rows[i];
		const struct http_request request = {.origin = slice_of(row->origin),
						     .referer = slice_of(row->referer)};
		struct slice host;
		enum origin_sign got =
			origin_judge(conf, conf_site_by_key(conf, slice_of(row->site)), &request,
				     slice_of(row->url), &host);
		if (got != row->expected)
			fail_msg("%s: origin %s, referer %s, page %s: %d", row->site,
				 row->origin ? row->origin : "-", row->referer ? row->referer : "-",
				 row->url ? row->url : "-", got);
		if (row->host && !slice_eq(host, slice_of(row->host)))
			fail_msg("%s decided, not %s", host.ptr, row->host);
	}
}

#define OWN "https://portal.example.vn"
#define EVIL "https://evil.example"

static const struct row of_sites[] = {
	{"portal", NULL, NULL, NULL, ORIGIN_FINE, NULL},
	{"portal", OWN, NULL, NULL, ORIGIN_FINE, NULL},
	{"portal", "http://Portal.Example.VN:8080", NULL, NULL, ORIGIN_FINE, NULL},
	{"portal", "https://www.portal.example.vn", NULL, NULL, ORIGIN_FINE, NULL},
	{"portal", "https://a.b.portal.example.vn", NULL, NULL, ORIGIN_FINE, NULL},
	{"portal", NULL, OWN "/tin?x", NULL, ORIGIN_FINE, NULL},
	{"portal", NULL, NULL, OWN "/tin", ORIGIN_FINE, NULL},
	{"portal", OWN, EVIL "/x", "/tin", ORIGIN_FINE, NULL},
	{"portal", EVIL, NULL, NULL, ORIGIN_FOREIGN, "evil.example"},
	{"portal", EVIL, OWN "/", OWN "/", ORIGIN_FOREIGN, "evil.example"},
	{"portal", "https://portal.example.vn.evil.example", NULL, NULL, ORIGIN_FOREIGN, NULL},
	{"portal", "https://notportal.example.vn", NULL, NULL, ORIGIN_FOREIGN, NULL},
	{"portal", "https://other.example.vn", NULL, NULL, ORIGIN_FOREIGN, "other.example.vn"},
	{"portal", NULL, EVIL "/portal.example.vn", NULL, ORIGIN_FOREIGN, "evil.example"},
	{"portal", OWN, NULL, EVIL "/x", ORIGIN_FOREIGN_PAGE, "evil.example"},
	{"portal", NULL, NULL, EVIL "/x", ORIGIN_FOREIGN_PAGE, "evil.example"},
	/* "null" counts as absent. */
	{"portal", "null", NULL, NULL, ORIGIN_FINE, NULL},
	{"portal", "null", OWN "/", NULL, ORIGIN_FINE, NULL},
	{"portal", "null", EVIL "/", NULL, ORIGIN_FOREIGN, "evil.example"},
	/* The site of "*" takes any host, but those that others name. */
	{"any", EVIL, NULL, NULL, ORIGIN_FINE, NULL},
	{"any", EVIL, NULL, "https://another.example/", ORIGIN_FINE, NULL},
	{"any", OWN, NULL, NULL, ORIGIN_FOREIGN, "portal.example.vn"},
	{"any", EVIL, NULL, OWN "/x", ORIGIN_FOREIGN_PAGE, "portal.example.vn"},
	/* One that must be given, and is not given by the page's address alone. */
	{"strict", NULL, NULL, NULL, ORIGIN_MISSING, NULL},
	{"strict", "null", NULL, NULL, ORIGIN_MISSING, NULL},
	{"strict", NULL, NULL, "https://strict.example.vn/x", ORIGIN_MISSING, NULL},
	{"strict", NULL, NULL, "/x", ORIGIN_MISSING, NULL},
	{"strict", NULL, NULL, EVIL "/x", ORIGIN_FOREIGN_PAGE, NULL},
	{"strict", "https://strict.example.vn", NULL, NULL, ORIGIN_FINE, NULL},
	{"strict", "null", "https://strict.example.vn/", NULL, ORIGIN_FINE, NULL},
};

static const struct row of_machines[] = {
	/* Whatever else is said: it lies on somebody's own machine. */
	{"portal", "http://localhost:3000", NULL, NULL, ORIGIN_LOCAL, "localhost"},
	{"portal", "http://localhost", NULL, EVIL "/", ORIGIN_LOCAL, NULL},
	{"portal", EVIL, NULL, "http://localhost/x", ORIGIN_LOCAL, NULL},
	{"portal", OWN, NULL, "http://localhost/x", ORIGIN_LOCAL, "localhost"},
	{"portal", NULL, "http://127.0.0.1:8000/x", NULL, ORIGIN_LOCAL, "127.0.0.1"},
	{"strict", NULL, NULL, "http://localhost/x", ORIGIN_LOCAL, NULL},
	{"portal", NULL, NULL, "file:///C:/Users/x.html", ORIGIN_LOCAL, NULL},
	{"portal", "null", NULL, "FILE:///home/x.html", ORIGIN_LOCAL, NULL},
	{"portal", NULL, "file:///x", NULL, ORIGIN_LOCAL, NULL},
	{"portal", NULL, NULL, "/file:/x", ORIGIN_FINE, NULL},
	{"portal", NULL, NULL, "file", ORIGIN_FINE, NULL},
	/* "*" does not name a private address; a site that does is served from there. */
	{"any", "http://10.0.0.1", NULL, NULL, ORIGIN_LOCAL, "10.0.0.1"},
	{"any", "http://localhost", NULL, NULL, ORIGIN_LOCAL, "localhost"},
	{"portal", "http://10.9.8.7", NULL, NULL, ORIGIN_FINE, NULL},
	{"portal", "http://10.9.8.7:8080", NULL, "http://10.9.8.7:8080/x", ORIGIN_FINE, NULL},
	{"portal", "http://10.9.8.6", NULL, NULL, ORIGIN_LOCAL, NULL},
};

static const char *const local_hosts[] = {
	"localhost",         "LocalHost",   "app.localhost",   "printer.local",
	"127.0.0.0",         "127.0.0.1",   "127.255.255.255", "10.0.0.0",
	"10.255.255.255",    "172.16.0.0",  "172.31.255.255",  "192.168.0.0",
	"192.168.255.255",   "169.254.0.0", "169.254.255.255", "[::1]",
	"[fc00::]",          "[fdff::1]",   "[fe80::1]",       "[febf::1]",
	"[::ffff:10.0.0.1]",
};

static const char *const other_hosts[] = {
	"localhost.example", "mylocalhost",      "local",           "example.local.vn",
	"126.255.255.255",   "128.0.0.0",        "9.255.255.255",   "11.0.0.0",
	"172.15.255.255",    "172.32.0.0",       "192.167.255.255", "192.169.0.0",
	"169.253.255.255",   "169.255.0.0",      "[::2]",           "[fbff::1]",
	"[fe00::1]",         "[fe7f::1]",        "[fec0::1]",       "[2001:db8::1]",
	"[::ffff:11.0.0.1]", "10.0.0.1.example", "x10.0.0.1",
};

static void
sites(void **state)
{
	(void)state;
	assert_rows(of_sites, COUNT_OF(of_sites));
}

static void
machines(void **state)
{
	(void)state;
	assert_rows(of_machines, COUNT_OF(of_machines));
}

static void
assert_hosts(const char *const *hosts, size_t count, enum origin_sign expected)
{
	for (size_t i = 0; i < count; i++) {
		char origin[64];
		snprintf(origin, sizeof(origin), "http://%s:8080", hosts[i]);
		const struct row row = {"portal", origin, NULL, NULL, expected, hosts[i]};
		assert_rows(&row, 1);
	}
}

static void
private_hosts_and_just_not(void **state)
{
	(void)state;
	assert_hosts(local_hosts, COUNT_OF(local_hosts), ORIGIN_LOCAL);
	assert_hosts(other_hosts, COUNT_OF(other_hosts), ORIGIN_FOREIGN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sites),
		TEST(machines),
		TEST(private_hosts_and_just_not),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
