/* SPDX-License-Identifier: BSD-2-Clause */
/* The endpoint's JSON, schema version 1. Has one row, since a badge has one. */
#include "show/shield.h"

#include "show/labels.h"
#include "show/tint.h"

/* Of shields.io's cache, which takes no less. */
#define CACHE_SECONDS "300"

void
shield_json(struct buf *out, const struct counts_view *view, const struct counts *counts)
{
	int row = view->rows[0];
	buf_add_literal(out, "{\"schemaVersion\":1,\"label\":\"");
	label_row(out, view->language, row, view->date->civil);
	buf_add_literal(out, "\",\"message\":\"");
	counts_row_text(out, view, counts, row);
	buf_add_literal(out, "\",\"color\":\"");
	if (view->look.colored)
		tint_add(out, view->look.color);
	else if (counts_row(view, counts, row) == COUNT_UNKNOWN)
		buf_add_literal(out, "lightgrey");
	else
		buf_add_literal(out, "blue");
	buf_add_literal(out, "\",\"cacheSeconds\":" CACHE_SECONDS "}");
}
