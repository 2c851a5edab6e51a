/* SPDX-License-Identifier: BSD-2-Clause */
/* The drawing's widths by the published metrics of Helvetica, its geometry by hand, and colours by WCAG's own examples. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "show/measure.h"
#include "show/svg.h"
#include "show/tint.h"

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
	.online = 12,
	.bots = 2345,
};

/* 2020-05-20 is day 18402. */
static struct counts_view
view_of_portal(enum counts_style style)
{
	static struct date date;
	struct counts_view view;
	counts_view_init(&view, &portal);
	date_fill(&date, 18402);
	view.date = &date;
	view.look.style = style;
	return view;
}

static char *
drawn(const struct counts_view *view)
{
	struct buf out = {0};
	svg_counter(&out, view, &numbers);
	buf_add(&out, "", 1);
	return out.data;
}

static void
assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in %s", part, text);
}

/* Helvetica's AFM: H 722, o 556, m 833, space 278, n 556, a 556, y 500; a digit 556; i 222, with an accent 278. */
static void
widths(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		int width;
	} rows[] = {
		{"", 0},
		{"653", 3 * 556},
		{"1.508", 4 * 556 + 278},
		{"Hôm nay", 722 + 556 + 833 + 278 + 556 + 556 + 500},
		{"Tổng", 611 + 556 + 556 + 556},
		{"ì", 278},
		{"i", 222},
		{"Đ", 722},
		{"Ế", 667},
		{"ế", 556},
		{"ỹ", 500},
		{"ệ", 556},
		{"e\xcc\x82", 556},
		{"\xff", 556},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		assert_int_equal(measure_text(slice_of(rows[i].text), false), rows[i].width);
	assert_int_equal(measure_text(SLICE("0000000000"), true), 5949);
}

/* Red on black is 5.25 to 1 and on white 4.00; #767676 is the lightest grey that white allows with 4.54. */
static void
what_is_legible(void **state)
{
	(void)state;
	assert_int_equal(tint_on(0xffffff), 0x000000);
	assert_int_equal(tint_on(0x000000), 0xffffff);
	assert_int_equal(tint_on(0xff0000), 0x000000);
	assert_int_equal(tint_on(0x0000ff), 0xffffff);
	assert_int_equal(tint_on(0x707070), 0xffffff);
	assert_int_equal(tint_on(0x7a7a7a), 0x000000);
}

/* Two lines and the title of 20 px each, 2 px around: 64. The title of 17 letters is the widest: see below. */
static void
plain_text(void **state)
{
	(void)state;
	struct counts_view view = view_of_portal(COUNTS_PLAIN);
	char *text = drawn(&view);
	assert_has(text, "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"123.9\" height=\"64\" "
			 "viewBox=\"0 0 123.9 64\" role=\"img\" lang=\"vi\"><title>Thống kê truy "
			 "cập. Hôm nay : 653; Tháng 05 : 20.571</title><style>");
	/* 4001 for "Hôm nay", " : " 834, "653" 1668: 6503 thousandths of 14 px are 91.1. */
	assert_has(text, "<text class=\"r\" x=\"2\" y=\"36.5\" textLength=\"91.1\" "
			 "lengthAdjust=\"spacingAndGlyphs\">Hôm nay : 653</text>");
	assert_has(text, "<text class=\"t\" x=\"2\" y=\"16.5\"");
	free(text);
	view.title = false;
	text = drawn(&view);
	assert_has(text, "height=\"44\"");
	assert_has(text, "<title>Thống kê truy cập. ");
	assert_null(strstr(text, "class=\"t\""));
	free(text);
}

static void
panel(void **state)
{
	(void)state;
	struct counts_view view = view_of_portal(COUNTS_PANEL);
	char *text = drawn(&view);
	/* 34 for the heading, 6 above and below, 26 a row. */
	assert_has(text, "width=\"160\" height=\"98\"");
	assert_has(text, "lang=\"vi\"");
	assert_has(text, ">Thống kê truy cập</text>");
	assert_has(text, "<text class=\"n\" x=\"148\" y=\"84\"");
	free(text);
	view.look.width = 320;
	text = drawn(&view);
	assert_has(text, "width=\"320\" height=\"98\" viewBox=\"0 0 320 98\"");
	assert_has(text, "<text class=\"n\" x=\"308\"");
	free(text);
	view.look.width = 80;
	text = drawn(&view);
	assert_has(text, "width=\"80\" height=\"49\" viewBox=\"0 0 160 98\"");
	free(text);
}

/* "Hôm nay": 4001 * 12 px = 48.1; "653" bold: 1784 * 12 px = 21.5; four paddings of 8 px: 101.6. */
static void
badges(void **state)
{
	(void)state;
	struct counts_view view = view_of_portal(COUNTS_BADGE);
	char *text = drawn(&view);
	assert_has(text, "height=\"22\"");
	assert_has(text,
		   "<rect class=\"k\" x=\"0\" y=\"0\" width=\"101.6\" height=\"22\" rx=\"3\"/>");
	assert_has(text, "<rect class=\"k\" x=\"105.6\" y=\"0\"");
	assert_has(text, "<title>Thống kê truy cập. ");
	assert_null(strstr(text, ">Thống kê truy cập</text>"));
	free(text);
	view.look.width = 150;
	text = drawn(&view);
	assert_has(text, "width=\"150\" height=\"48\" viewBox=\"0 0 150 48\"");
	assert_has(text, "<rect class=\"k\" x=\"0\" y=\"26\"");
	free(text);
}

static void
colors_and_the_unknown(void **state)
{
	(void)state;
	struct counts_view view = view_of_portal(COUNTS_BADGE);
	view.look.colored = true;
	view.look.color = 0xffaa33;
	view.rows[0] = SHOWN_LAST_YEAR;
	view.language = CONF_EN;
	char *text = drawn(&view);
	assert_has(text, ".v{fill:#ffaa33}.n{fill:#000000}@media(prefers-contrast:more)");
	assert_has(text,
		   "lang=\"en\"><title>Visitor statistics. Last year : –; Month 05 : 20,571<");
	assert_has(text, ">–</text>");
	free(text);
	static const char *const always[] = {"forced-colors:active", "CanvasText",
					     "prefers-contrast:more"};
	for (int style = 0; style < COUNTS_STYLE_COUNT; style++) {
		view.look.style = (enum counts_style)style;
		text = drawn(&view);
		for (size_t i = 0; i < COUNT_OF(always); i++)
			assert_has(text, always[i]);
		free(text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(widths),     cmocka_unit_test(what_is_legible),
		cmocka_unit_test(plain_text), cmocka_unit_test(panel),
		cmocka_unit_test(badges),     cmocka_unit_test(colors_and_the_unknown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
