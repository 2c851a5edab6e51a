/* SPDX-License-Identifier: BSD-2-Clause */
/* The markup. What looks how is said by client-js/thongke.css, which the frame brings along and a page may link to. */
#include "show/html.h"

#include "show/labels.h"
#include "show/tint.h"

static void
add_class(struct buf *out, const struct counts_look *look)
{
	buf_add_literal(out, " class=\"thongke");
	if (look->style != COUNTS_PLAIN) {
		buf_add_literal(out, " thongke-");
		buf_add_slice(out, slice_of(counts_style_names[look->style]));
	}
	buf_add_literal(out, "\"");
}

static void
add_list(struct buf *out, const struct counts_view *view, const struct counts *counts)
{
	buf_add_literal(out, "<dl>\n");
	for (size_t i = 0; i < view->row_count; i++) {
		buf_add_literal(out, "<dt>");
		label_row(out, view->language, view->rows[i], view->date->civil);
		buf_add_literal(out, "</dt><dd>");
		counts_row_text(out, view, counts, view->rows[i]);
		buf_add_literal(out, "</dd>\n");
	}
	buf_add_literal(out, "</dl>\n");
}

/* The title names the section for those who hear it; a page has its own heading for those who see it. */
void
html_fragment(struct buf *out, const struct counts_view *view, const struct counts *counts)
{
	buf_add_literal(out, "<section");
	add_class(out, &view->look);
	buf_add_literal(out, " lang=\"");
	buf_add_slice(out, label_language_name(view->language));
	if (view->title) {
		buf_add_literal(out, "\" aria-label=\"");
		buf_add_xml(out, slice_of(label_title(view->language)));
	}
	buf_add_literal(out, "\">");
	add_list(out, view, counts);
	buf_add_literal(out, "</section>\n");
}

void
html_frame_accent(struct buf *out, const struct counts_look *look)
{
	if (!look->colored)
		return;
	buf_add_literal(out, ":root{--thongke-accent:");
	tint_add(out, look->color);
	buf_add_literal(out, ";--thongke-on-accent:");
	tint_add(out, tint_on(look->color));
	buf_add_literal(out, "}");
	if (look->style == COUNTS_PLAIN) {
		buf_add_literal(out, "body{color:");
		tint_add(out, look->color);
		buf_add_literal(out, ";text-shadow:0 0 2px ");
		tint_add(out, tint_on(look->color));
		buf_add_literal(out, "}");
	}
}

static void
add_head(struct buf *out, const struct counts_view *view, struct slice style)
{
	buf_add_literal(out, "<!DOCTYPE html>\n<html lang=\"");
	buf_add_slice(out, label_language_name(view->language));
	buf_add_literal(out, "\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
			     "content=\"width=device-width, initial-scale=1\">\n<meta "
			     "name=\"robots\" content=\"noindex\">\n<title>");
	buf_add_xml(out, slice_of(label_title(view->language)));
	buf_add_literal(out, "</title>\n<style>");
	buf_add_slice(out, style);
	buf_add_literal(out, "</style>\n");
	if (view->look.colored) {
		buf_add_literal(out, "<style>");
		html_frame_accent(out, &view->look);
		buf_add_literal(out, "</style>\n");
	}
	buf_add_literal(out, "</head>\n");
}

static void
add_link(struct buf *out, const struct counts_view *view)
{
	buf_add_literal(out, "<p class=\"thongke-more\"><a href=\"stats?s=");
	buf_add_xml(out, view->site->key_slice);
	buf_add_literal(out, "&amp;lang=");
	buf_add_slice(out, label_language_name(view->language));
	buf_add_literal(out, "\" target=\"_blank\" rel=\"noopener\">");
	buf_add_xml(out, slice_of(label_word(view->language, WORD_VIEW_STATS)));
	buf_add_literal(out, "</a></p>\n");
}

void
html_frame(struct buf *out, const struct counts_view *view, const struct counts *counts,
	   struct slice style)
{
	add_head(out, view, style);
	buf_add_literal(out, "<body>\n<main");
	add_class(out, &view->look);
	buf_add_literal(out, ">\n");
	if (view->title) {
		buf_add_literal(out, "<h1 class=\"thongke-title\">");
		buf_add_xml(out, slice_of(label_title(view->language)));
		buf_add_literal(out, "</h1>\n");
	}
	add_list(out, view, counts);
	if (view->stats)
		add_link(out, view);
	buf_add_literal(out, "</main>\n</body>\n</html>\n");
}
