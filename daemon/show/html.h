/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counter as HTML (pure): a fragment for server-side includes, and a page for a frame. Both are the markup that the
 * script makes, without a style attribute or a script, so that no content security policy minds.
 */
#ifndef SHOW_HTML_H
#define SHOW_HTML_H

#include "show/counts.h"

/* <section class="thongke" lang="vi" aria-label="..."><dl>...</dl></section> */
void html_fragment(struct buf *out, const struct counts_view *view, const struct counts *counts);
/* A page that needs nothing but itself; `style` is its style sheet. */
void html_frame(struct buf *out, const struct counts_view *view, const struct counts *counts,
		struct slice style);
/* The second style sheet of the frame, where a colour is wished; else nothing is added. */
void html_frame_accent(struct buf *out, const struct counts_look *look);

#endif
