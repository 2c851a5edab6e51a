/* SPDX-License-Identifier: BSD-2-Clause */
/* The HTML forms letter by letter, their policy against a hash that openssl made, and the badge's JSON. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "show/html.h"
#include "show/policy.h"
#include "show/shield.h"

static const struct conf_site portal = {
	.key = "portal",
	.key_slice = {"portal", 6},
	.language = CONF_VI,
	.rows = {SHOWN_TODAY, SHOWN_THIS_MONTH},
	.row_count = 2,
};

static const struct counts numbers = {
	.numbers = {[METRIC_HITS] = {653, 1508, 5123, 9001, 20571, 31999, 167386, COUNT_UNKNOWN,
				     1371953}},
};

/* 2020-05-20 is day 18402. */
static struct counts_view
view_of_portal(void)
{
	static struct date date;
	struct counts_view view;
	counts_view_init(&view, &portal);
	date_fill(&date, 18402);
	view.date = &date;
	return view;
}

static void
assert_buf(struct buf *out, const char *expected)
{
	buf_add(out, "", 1);
	assert_string_equal(out->data, expected);
	buf_release(out);
}

static void
fragment(void **state)
{
	(void)state;
	struct counts_view view = view_of_portal();
	struct buf out = {0};
	html_fragment(&out, &view, &numbers);
	assert_buf(&out, "<section class=\"thongke\" lang=\"vi\" aria-label=\"Thống kê truy cập\">"
			 "<dl>\n<dt>Hôm nay</dt><dd>653</dd>\n<dt>Tháng 05</dt><dd>20.571</dd>\n"
			 "</dl>\n</section>\n");
	view.title = false;
	view.look.style = COUNTS_PANEL;
	view.language = CONF_EN;
	view.rows[1] = SHOWN_LAST_YEAR;
	html_fragment(&out, &view, &numbers);
	assert_buf(&out, "<section class=\"thongke thongke-panel\" lang=\"en\"><dl>\n"
			 "<dt>Today</dt><dd>653</dd>\n<dt>Last year</dt><dd>–</dd>\n"
			 "</dl>\n</section>\n");
}

static void
frame(void **state)
{
	(void)state;
	struct counts_view view = view_of_portal();
	struct buf out = {0};
	view.stats = true;
	html_frame(&out, &view, &numbers, SLICE("p{}"));
	assert_buf(&out,
		   "<!DOCTYPE html>\n<html lang=\"vi\">\n<head>\n<meta charset=\"utf-8\">\n"
		   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		   "<meta name=\"robots\" content=\"noindex\">\n"
		   "<title>Thống kê truy cập</title>\n<style>p{}</style>\n</head>\n<body>\n"
		   "<main class=\"thongke\">\n<h1 class=\"thongke-title\">Thống kê truy cập</h1>\n"
		   "<dl>\n<dt>Hôm nay</dt><dd>653</dd>\n<dt>Tháng 05</dt><dd>20.571</dd>\n</dl>\n"
		   "<p class=\"thongke-more\"><a href=\"stats?s=portal&amp;lang=vi\" "
		   "target=\"_blank\" rel=\"noopener\">Xem thống kê truy cập</a></p>\n"
		   "</main>\n</body>\n</html>\n");
	view.stats = view.title = false;
	view.look = (struct counts_look){COUNTS_BADGE, 0, true, 0x1b5e9b};
	html_frame(&out, &view, &numbers, SLICE("p{}"));
	assert_buf(&out,
		   "<!DOCTYPE html>\n<html lang=\"vi\">\n<head>\n<meta charset=\"utf-8\">\n"
		   "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		   "<meta name=\"robots\" content=\"noindex\">\n"
		   "<title>Thống kê truy cập</title>\n<style>p{}</style>\n"
		   "<style>:root{--thongke-accent:#1b5e9b;--thongke-on-accent:#ffffff}</style>\n"
		   "</head>\n<body>\n<main class=\"thongke thongke-badge\">\n"
		   "<dl>\n<dt>Hôm nay</dt><dd>653</dd>\n<dt>Tháng 05</dt><dd>20.571</dd>\n</dl>\n"
		   "</main>\n</body>\n</html>\n");
}

/* printf 'p{}' | openssl dgst -sha256 -binary | base64 */
static void
policies(void **state)
{
	(void)state;
	char hash[POLICY_HASH_SIZE];
	policy_hash(hash, SLICE("p{}"));
	assert_string_equal(hash, "'sha256-gG2yISYereRMiG2lMXrbiUgi0Ubw9p7QCeWcroOvy9Y='");
	char *hosts[] = {"a.example", "*.a.example", "::1"};
	struct conf_site site = {.hosts = hosts, .host_count = COUNT_OF(hosts)};
	const char *const hashes[] = {"'sha256-A'", "'sha256-B'"};
	struct buf out = {0};
	policy_line(&out, &site, hashes, COUNT_OF(hashes));
	assert_buf(&out,
		   "Content-Security-Policy: default-src 'none'; style-src 'sha256-A' 'sha256-B'; "
		   "base-uri 'none'; form-action 'none'; frame-ancestors 'self' "
		   "http://a.example:* https://a.example:* http://*.a.example:* "
		   "https://*.a.example:*\r\n");
	hosts[1] = "*";
	policy_line(&out, &site, hashes, 1);
	assert_buf(&out, "Content-Security-Policy: default-src 'none'; style-src 'sha256-A'; "
			 "base-uri 'none'; form-action 'none'; frame-ancestors *\r\n");
}

/* More hosts than a line may name. */
static void
a_long_policy_is_a_short_one(void **state)
{
	(void)state;
	char *hosts[200];
	for (size_t i = 0; i < COUNT_OF(hosts); i++)
		hosts[i] = "a.example";
	struct conf_site site = {.hosts = hosts, .host_count = COUNT_OF(hosts)};
	struct buf out = {0};
	policy_line(&out, &site, NULL, 0);
	assert_buf(&out, "Content-Security-Policy: default-src 'none'; style-src; base-uri 'none'; "
			 "form-action 'none'; frame-ancestors *\r\n");
}

static void
shields(void **state)
{
	(void)state;
	struct counts_view view = view_of_portal();
	struct buf out = {0};
	shield_json(&out, &view, &numbers);
	assert_buf(&out, "{\"schemaVersion\":1,\"label\":\"Hôm nay\",\"message\":\"653\","
			 "\"color\":\"blue\",\"cacheSeconds\":300}");
	view.rows[0] = SHOWN_LAST_YEAR;
	shield_json(&out, &view, &numbers);
	assert_buf(&out, "{\"schemaVersion\":1,\"label\":\"Năm trước\",\"message\":\"–\","
			 "\"color\":\"lightgrey\",\"cacheSeconds\":300}");
	view.look.colored = true;
	view.look.color = 0x00c0ff;
	shield_json(&out, &view, &numbers);
	assert_buf(&out, "{\"schemaVersion\":1,\"label\":\"Năm trước\",\"message\":\"–\","
			 "\"color\":\"#00c0ff\",\"cacheSeconds\":300}");
}

static void
what_means_something_is_escaped(void **state)
{
	(void)state;
	struct buf out = {0};
	buf_add_xml(&out, SLICE("/a?b=1&c=<script>\"it's\" ê"));
	assert_buf(&out, "/a?b=1&amp;c=&lt;script&gt;&#34;it&#39;s&#34; ê");
	buf_add_xml(&out, SLICE(""));
	assert_int_equal(out.len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fragment), cmocka_unit_test(frame),
		cmocka_unit_test(policies), cmocka_unit_test(a_long_policy_is_a_short_one),
		cmocka_unit_test(shields),  cmocka_unit_test(what_means_something_is_escaped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
