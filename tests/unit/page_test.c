/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page paths: every case worked out by hand, the dot segments after RFC 3986 sections 5.2.4 and
 * 5.4.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "hit/page.h"

/* "" in place of a page: none. */
static const struct {
	const char *url, *page;
} rows[] = {
	/* Forms. */
	{"/", "/"},
	{"/a", "/a"},
	{"https://a.org", "/"},
	{"https://a.org/", "/"},
	{"https://a.org?x", "/"},
	{"https://a.org#x", "/"},
	{"https://a.org#x/y", "/"},
	{"HTTP://A.ORG/Tin-Tuc", "/Tin-Tuc"},
	{"http://u:p@a.org:8080/a/b", "/a/b"},
	{"http://[::1]:80/a", "/a"},
	{"/a?b=c#d", "/a"},
	{"/a#b?c", "/a"},
	{"/a?", "/a"},
	{"/a#", "/a"},
	{"/a?b/c/../d", "/a"},
	{"", ""},
	{"a", ""},
	{"?a", ""},
	{"#a", ""},
	{"a.org/b", ""},
	{"./a", ""},
	{" /a", ""},
	{"http:/a", ""},
	{"http://", ""},
	{"http:///a", ""},
	{"https://?a", ""},
	{"ftp://a.org/b", ""},
	{"file:///etc/passwd", ""},
	{"javascript:alert(1)", ""},
	{"data:text/html,x", ""},
	{"about:blank", ""},
	{"android-app://com.example/", ""},
	/* Trailing slashes and empty segments. */
	{"/a/", "/a"},
	{"/a//", "/a"},
	{"//", "/"},
	{"///", "/"},
	{"//a", "//a"},
	{"/a//b", "/a//b"},
	{"//a.org/b", "//a.org/b"},
	{"https://a.org//b//c/", "//b//c"},
	/* Dot segments. */
	{"/a/b/c/./../../g", "/a/g"},
	{"/mid/content=5/../6", "/mid/6"},
	{"http://a/b/c/./g", "/b/c/g"},
	{"http://a/b/c/g/", "/b/c/g"},
	{"http://a/b/c/../g", "/b/g"},
	{"http://a/b/c/../../g", "/g"},
	{"http://a/b/c/../../../g", "/g"},
	{"http://a/b/c/../../../../g", "/g"},
	{"http://a/./g", "/g"},
	{"http://a/../g", "/g"},
	{"http://a/b/c/g.", "/b/c/g."},
	{"http://a/b/c/.g", "/b/c/.g"},
	{"http://a/b/c/g..", "/b/c/g.."},
	{"http://a/b/c/..g", "/b/c/..g"},
	{"http://a/b/c/./g/.", "/b/c/g"},
	{"http://a/b/c/g/./h", "/b/c/g/h"},
	{"http://a/b/c/g/../h", "/b/c/h"},
	{"http://a/b/c/g;x=1/./y", "/b/c/g;x=1/y"},
	{"http://a/b/c/g;x=1/../y", "/b/c/y"},
	{"http://a/b/c/g?y/../x", "/b/c/g"},
	{"/.", "/"},
	{"/..", "/"},
	{"/./", "/"},
	{"/../", "/"},
	{"/a/..", "/"},
	{"/a/b/..", "/a"},
	{"/a/b/.", "/a/b"},
	{"/...", "/..."},
	{"/a/.../b", "/a/.../b"},
	{"/a//../b", "/a/b"},
	{"//..", "/"},
	{"/%2e%2e/a", "/a"},
	{"/a/%2E/b", "/a/b"},
	{"/a/.%2e/b", "/b"},
	{"/a/%2e./b", "/b"},
	{"/a/%2e%2e%2e/b", "/a/.../b"},
	{"/a/%2e%2e%2fb", "/a/..%2Fb"},
	{"/a/%252e%252e/b", "/a/%252e%252e/b"},
	/* Index files. */
	{"/index.html", "/"},
	{"/index.htm", "/"},
	{"/index.php", "/"},
	{"/a/b/index.html", "/a/b"},
	{"/a/index.htm?x=1", "/a"},
	{"/a/index.php#x", "/a"},
	{"/a/%69ndex%2Ehtml", "/a"},
	{"/a/index.html/", "/a"},
	{"/a/index.html/.", "/a"},
	{"/a/index.php/index.html", "/a"},
	{"//index.html", "/"},
	{"/a/index.html/b", "/a/index.html/b"},
	{"/a/index.php/tin/5", "/a/index.php/tin/5"},
	{"/a/myindex.html", "/a/myindex.html"},
	{"/a/Index.html", "/a/Index.html"},
	{"/index.html5", "/index.html5"},
	{"/index.asp", "/index.asp"},
	{"/x/../index.php", "/"},
	/* Unreserved characters are decoded, reserved ones left as they came. */
	{"/%61%5a%30%2d%2E%5F%7e", "/aZ0-._~"},
	{"/a%2Fb%2fc", "/a%2Fb%2Fc"},
	{"/a%3fb%23c%25d%26e", "/a%3Fb%23c%25d%26e"},
	{"/!$&'()*+,;=:@", "/!$&'()*+,;=:@"},
	{"/%21%24%26%27%28%29%2a%2b%2c%3b%3d%3a%40", "/%21%24%26%27%28%29%2A%2B%2C%3B%3D%3A%40"},
	{"/a b\"<>[\\]^`{|}", "/a%20b%22%3C%3E%5B%5C%5D%5E%60%7B%7C%7D"},
	{"/a%20b", "/a%20b"},
	{"/a+b", "/a+b"},
	/* Bad escapes are a percent sign and whatever follows. */
	{"/%", "/%25"},
	{"/%4", "/%254"},
	{"/%zz", "/%25zz"},
	{"/100%/x", "/100%25/x"},
	{"/%%41", "/%25A"},
	{"/%%34%31", "/%2541"},
	{"/%2541", "/%2541"},
	/* Text from U+00A0 on. */
	{"/tin-t%E1%BB%A9c", "/tin-t\xe1\xbb\xa9"
			     "c"},
	{"/tin-t%e1%bb%a9c", "/tin-t\xe1\xbb\xa9"
			     "c"},
	{"/tin-t\xe1\xbb\xa9"
	 "c",
	 "/tin-t\xe1\xbb\xa9"
	 "c"},
	{"/tin-t\xe1%BB\xa9"
	 "c",
	 "/tin-t\xe1\xbb\xa9"
	 "c"},
	{"/gi%E1%BB%9Bi-thi%E1%BB%87u/%C4%91%E1%BA%A1i-h%E1%BB%99i/",
	 "/gi\xe1\xbb\x9bi-thi\xe1\xbb\x87u/\xc4\x91\xe1\xba\xa1i-h\xe1\xbb\x99i"},
	{"/%C2%A0", "/\xc2\xa0"},
	{"/%F0%9F%98%80", "/\xf0\x9f\x98\x80"},
	{"/%F4%8F%BF%BF", "/\xf4\x8f\xbf\xbf"},
	/*
	 * Not text: controls, Latin-1, overlong forms, surrogates, what is above U+10FFFF, what
	 * breaks off.
	 */
	{"/%00%09%0a%1F%7f", "/%00%09%0A%1F%7F"},
	{"/a\x01\t\x7f", "/a%01%09%7F"},
	{"/%c2%80%C2%9f", "/%C2%80%C2%9F"},
	{"/\xc2\x85", "/%C2%85"},
	{"/caf%E9", "/caf%E9"},
	{"/caf\xe9s", "/caf%E9s"},
	{"/%c0%af", "/%C0%AF"},
	{"/%e0%80%af", "/%E0%80%AF"},
	{"/%ed%a0%80", "/%ED%A0%80"},
	{"/%f4%90%80%80", "/%F4%90%80%80"},
	{"/%e1%bb", "/%E1%BB"},
	{"/%e1%bb/%a9", "/%E1%BB/%A9"},
	{"/%e1%c3%a9", "/%E1\xc3\xa9"},
	{"/\xe1"
	 "A",
	 "/%E1A"},
	{"/%ff\xfe", "/%FF%FE"},
};

static size_t
normalise(struct slice url, char out[HIT_PAGE_MAX])
{
	return page_normalise(url, NULL, 0, out);
}

static void
check(struct slice url, char *const *query, size_t count, struct slice want)
{
	char out[HIT_PAGE_MAX], again[HIT_PAGE_MAX];
	size_t len = page_normalise(url, query, count, out);
	if (!slice_eq((struct slice){out, len}, want))
		fail_msg("%.*s gives \"%.*s\", not \"%.*s\"", SLICE_ARG(url), (int)len, out,
			 SLICE_ARG(want));
	size_t len_again = page_normalise((struct slice){out, len}, query, count, again);
	assert_int_equal(len_again, len);
	assert_memory_equal(again, out, len);
}

static void
test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		check(slice_of(rows[i].url), NULL, 0, slice_of(rows[i].page));
	check((struct slice){0}, NULL, 0, SLICE(""));
	check(SLICE("/a\0b"), NULL, 0, SLICE("/a%00b"));
	check(SLICE("http://a\0/b"), NULL, 0, SLICE("/b"));
}

static void
test_query(void **state)
{
	(void)state;
	static const struct {
		const char *url, *page;
	} queries[] = {
		{"/a?id=5", "/a?id=5"},
		{"/a?x=1&id=5&y=2", "/a?id=5"},
		{"/a/?p=2&id=5", "/a?p=2&id=5"},
		{"/a?id=5&p=2", "/a?id=5&p=2"},
		{"/a?id=5&id=6", "/a?id=5&id=6"},
		{"/index.php?id=5#x", "/?id=5"},
		{"https://a.org?id=5", "/?id=5"},
		{"/a?id", "/a?id"},
		{"/a?id=", "/a?id="},
		{"/a?&&id=5&", "/a?id=5"},
		{"/a?ID=5", "/a"},
		{"/a?idx=5&xid=5&i=5", "/a"},
		{"/a?=5", "/a"},
		{"/a?%69%64=%35", "/a?id=5"},
		{"/a?id=x?y/z/../w", "/a?id=x?y/z/../w"},
		{"/a?id=b=c", "/a?id=b=c"},
		{"/a?id=b%3dc%26d%23", "/a?id=b%3Dc%26d%23"},
		{"/a?id=a b\"<", "/a?id=a%20b%22%3C"},
		{"/a?id=t%E1%BB%A9c%C2%85%", "/a?id=t\xe1\xbb\xa9"
					     "c%C2%85%25"},
		{"/a?a[]=1&a%5b%5D=2", "/a?a%5B%5D=1&a%5B%5D=2"},
		{"/a?utm_source=x", "/a"},
	};
	char *const keys[] = {"id", "p", "a[]"};
	for (size_t i = 0; i < COUNT_OF(queries); i++)
		check(slice_of(queries[i].url), keys, COUNT_OF(keys), slice_of(queries[i].page));
}

/* A path of exactly `len` bytes of 'x', with what comes before and behind it. */
static size_t
normalise_filled(const char *before, size_t fill, const char *after)
{
	char url[2048], out[HIT_PAGE_MAX];
	memset(url, 'x', sizeof(url));
	memcpy(url, before, strlen(before));
	memcpy(url + strlen(before) + fill, after, strlen(after));
	return normalise((struct slice){url, strlen(before) + fill + strlen(after)}, out);
}

static void
test_512_bytes(void **state)
{
	(void)state;
	assert_int_equal(normalise_filled("/", 511, ""), 512);
	assert_int_equal(normalise_filled("/", 512, ""), 0);
	assert_int_equal(normalise_filled("https://a.org/", 511, "?and=more#than-that"), 512);
	assert_int_equal(normalise_filled("/", 511, "/"), 512);
	assert_int_equal(normalise_filled("/", 511, "/index.html"), 512);
	assert_int_equal(normalise_filled("/", 512, "/"), 0);
	assert_int_equal(normalise_filled("/", 510, "%E1"), 0);
	assert_int_equal(normalise_filled("/", 508, "%E1"), 512);
	assert_int_equal(normalise_filled("/", 509, "%C3%A9"), 512);
	assert_int_equal(normalise_filled("/", 510, "%C3%A9"), 0);
	/* Only what is left counts. */
	assert_int_equal(normalise_filled("/", 1000, "/../a"), 2);
	assert_int_equal(normalise_filled("/b/", 1000, "/c/d/../../../a"), 4);
	assert_int_equal(normalise_filled("/b/", 1000, "/c/../a"), 0);
	assert_int_equal(normalise_filled("/b/", 1000, "/../../.."), 1);
}

static void
test_512_bytes_with_query(void **state)
{
	(void)state;
	char url[600], out[HIT_PAGE_MAX];
	char *const keys[] = {"id"};
	memset(url, 'x', sizeof(url));
	memcpy(url, "/?id=", 5);
	assert_int_equal(page_normalise((struct slice){url, 512}, keys, 1, out), 512);
	assert_int_equal(page_normalise((struct slice){url, 513}, keys, 1, out), 0);
	assert_int_equal(page_normalise((struct slice){url, 600}, keys, 1, out), 0);
	assert_int_equal(page_normalise((struct slice){url, 600}, NULL, 0, out), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_query),
		cmocka_unit_test(test_512_bytes),
		cmocka_unit_test(test_512_bytes_with_query),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
