/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The drawing: texts are measured, then laid out, then written. Every text says how long it is (textLength), so that no
 * font of the reader's makes it run into another. Lengths are tenths of a pixel. Loads nothing and moves nothing.
 */
#include "show/svg.h"

#include "show/labels.h"
#include "show/measure.h"
#include "show/tint.h"

enum {
	FONT = 140,
	MARGIN = 20, /* of plain: the halo needs it */
	LINE = 200,
	BASELINE = 145, /* of a line */
	PANEL_PAD = 120,
	PANEL_GAP = 240, /* between a label and its number, at least */
	PANEL_WIDTH = 1600,
	PANEL_HEAD = 340,
	PANEL_LINE = 260,
	PANEL_BASELINE = 180,
	PANEL_EDGE = 60, /* above the first row and below the last */
	BADGE_FONT = 120,
	BADGE_HEIGHT = 220,
	BADGE_PAD = 80,
	BADGE_GAP = 40,
	BADGE_BASELINE = 152,
	BADGE_CORNER = 30,
	TEXT_ROOM = 4096, /* of all labels and numbers together */
};

struct row {
	struct slice label, value; /* with " : " between them they are `line` */
	struct slice line;
	int label_width, value_width;
	int x, y; /* of a badge */
};

struct drawing {
	const struct counts_view *view;
	struct buf text;
	struct row rows[CONF_ROWS_MAX];
	size_t count;
	struct slice title; /* absent: none is shown */
	int title_width;
	int width, height;
};

/* --- what is drawn, measured --- */

static int
length_of(struct slice text, int font, bool bold)
{
	return (measure_text(text, bold) * font + 999) / 1000;
}

static struct slice
from(const struct drawing *drawing, size_t start)
{
	return (struct slice){drawing->text.data + start, drawing->text.len - start};
}

static void
measure_row(struct drawing *drawing, struct row *row, const struct counts *counts, int which)
{
	const struct counts_view *view = drawing->view;
	int font = view->look.style == COUNTS_BADGE ? BADGE_FONT : FONT;
	size_t start = drawing->text.len;
	label_row(&drawing->text, view->language, which, view->date->civil);
	row->label = from(drawing, start);
	buf_add_literal(&drawing->text, " : ");
	size_t middle = drawing->text.len;
	counts_row_text(&drawing->text, view, counts, which);
	row->value = from(drawing, middle);
	row->line = from(drawing, start);
	row->label_width = length_of(row->label, font, false);
	row->value_width = length_of(row->value, font, true);
}

static void
measure(struct drawing *drawing, const struct counts *counts)
{
	const struct counts_view *view = drawing->view;
	buf_reserve(&drawing->text, TEXT_ROOM); /* slices into it stay where they are */
	for (size_t i = 0; i < view->row_count; i++)
		measure_row(drawing, &drawing->rows[drawing->count++], counts, view->rows[i]);
	if (view->title && view->look.style != COUNTS_BADGE) {
		drawing->title = slice_of(label_title(view->language));
		drawing->title_width = length_of(drawing->title, FONT, true);
	}
}

/* --- where it goes --- */

static int
larger(int a, int b)
{
	return a > b ? a : b;
}

static void
lay_out_plain(struct drawing *drawing)
{
	drawing->width = drawing->title_width;
	for (size_t i = 0; i < drawing->count; i++)
		drawing->width =
			larger(drawing->width, length_of(drawing->rows[i].line, FONT, false));
	drawing->width += 2 * MARGIN;
	drawing->height = ((int)drawing->count + (drawing->title.ptr != NULL)) * LINE + 2 * MARGIN;
}

static void
lay_out_panel(struct drawing *drawing)
{
	drawing->width = larger(drawing->title_width, PANEL_WIDTH - 2 * PANEL_PAD);
	for (size_t i = 0; i < drawing->count; i++)
		drawing->width = larger(drawing->width, drawing->rows[i].label_width + PANEL_GAP +
								drawing->rows[i].value_width);
	drawing->width += 2 * PANEL_PAD;
	drawing->height = (drawing->title.ptr ? PANEL_HEAD : 0) + 2 * PANEL_EDGE +
			  (int)drawing->count * PANEL_LINE;
}

static int
badge_width(const struct row *row)
{
	return row->label_width + row->value_width + 4 * BADGE_PAD;
}

/* Side by side; where a width is wished, as many in a line as it takes. */
static void
lay_out_badges(struct drawing *drawing)
{
	int limit = drawing->view->look.width * 10, x = 0, y = 0;
	for (size_t i = 0; i < drawing->count; i++) {
		struct row *row = &drawing->rows[i];
		if (limit > 0 && x > 0 && x + badge_width(row) > limit) {
			x = 0;
			y += BADGE_HEIGHT + BADGE_GAP;
		}
		row->x = x;
		row->y = y;
		x += badge_width(row) + BADGE_GAP;
		drawing->width = larger(drawing->width, x - BADGE_GAP);
	}
	drawing->height = y + BADGE_HEIGHT;
}

/* --- how it is written --- */

static void
add_length(struct buf *out, int tenths)
{
	buf_add_int(out, tenths / 10);
	if (tenths % 10) {
		const char fraction[] = {'.', (char)('0' + tenths % 10)};
		buf_add(out, fraction, sizeof(fraction));
	}
}

#define add_attribute(out, name, tenths)                \
	do {                                            \
		buf_add_literal((out), " " name "=\""); \
		add_length((out), (tenths));            \
		buf_add_literal((out), "\"");           \
	} while (0)

static void
add_text(struct buf *out, const char *class, int x, int y, int length, struct slice text)
{
	buf_add_literal(out, "<text class=\"");
	buf_add_slice(out, slice_of(class));
	buf_add_literal(out, "\"");
	add_attribute(out, "x", x);
	add_attribute(out, "y", y);
	add_attribute(out, "textLength", length);
	buf_add_literal(out, " lengthAdjust=\"spacingAndGlyphs\">");
	buf_add_xml(out, text);
	buf_add_literal(out, "</text>");
}

static void
add_rect(struct buf *out, const char *class, int x, int y, int width, int height, int corner)
{
	buf_add_literal(out, "<rect class=\"");
	buf_add_slice(out, slice_of(class));
	buf_add_literal(out, "\"");
	add_attribute(out, "x", x);
	add_attribute(out, "y", y);
	add_attribute(out, "width", width);
	add_attribute(out, "height", height);
	add_attribute(out, "rx", corner);
	buf_add_literal(out, "/>");
}

static void
draw_plain(struct buf *out, const struct drawing *drawing)
{
	int y = MARGIN;
	if (drawing->title.ptr) {
		add_text(out, "t", MARGIN, y + BASELINE, drawing->title_width, drawing->title);
		y += LINE;
	}
	for (size_t i = 0; i < drawing->count; i++, y += LINE)
		add_text(out, "r", MARGIN, y + BASELINE,
			 length_of(drawing->rows[i].line, FONT, false), drawing->rows[i].line);
}

/* The border lies inside the image, half a pixel from its edge. */
static void
draw_panel(struct buf *out, const struct drawing *drawing)
{
	int y = PANEL_EDGE, right = drawing->width - PANEL_PAD;
	add_rect(out, "b", 5, 5, drawing->width - 10, drawing->height - 10, 60);
	if (drawing->title.ptr) {
		buf_add_literal(out, "<path class=\"h\" d=\"M.5 34V6.5a6 6 0 0 1 6-6h");
		add_length(out, drawing->width - 130);
		buf_add_literal(out, "a6 6 0 0 1 6 6V34z\"/>");
		add_text(out, "t", PANEL_PAD, 222, drawing->title_width, drawing->title);
		y += PANEL_HEAD;
	}
	for (size_t i = 0; i < drawing->count; i++, y += PANEL_LINE) {
		const struct row *row = &drawing->rows[i];
		if (i > 0)
			add_rect(out, "l", PANEL_PAD, y, right - PANEL_PAD, 10, 0);
		add_text(out, "r", PANEL_PAD, y + PANEL_BASELINE, row->label_width, row->label);
		add_text(out, "n", right, y + PANEL_BASELINE, row->value_width, row->value);
	}
}

/* The right half has square corners on its left. */
static void
draw_badges(struct buf *out, const struct drawing *drawing)
{
	for (size_t i = 0; i < drawing->count; i++) {
		const struct row *row = &drawing->rows[i];
		int split = row->x + row->label_width + 2 * BADGE_PAD;
		int value = row->value_width + 2 * BADGE_PAD - BADGE_CORNER;
		add_rect(out, "k", row->x, row->y, badge_width(row), BADGE_HEIGHT, BADGE_CORNER);
		buf_add_literal(out, "<path class=\"v\" d=\"M");
		add_length(out, split);
		buf_add_literal(out, " ");
		add_length(out, row->y);
		buf_add_literal(out, "h");
		add_length(out, value);
		buf_add_literal(out, "a3 3 0 0 1 3 3v16a3 3 0 0 1-3 3h-");
		add_length(out, value);
		buf_add_literal(out, "z\"/>");
		add_text(out, "r", row->x + BADGE_PAD, row->y + BADGE_BASELINE, row->label_width,
			 row->label);
		add_text(out, "n", split + BADGE_PAD, row->y + BADGE_BASELINE, row->value_width,
			 row->value);
	}
}

/*
 * Light first, then dark, the wished accent, more contrast, and colours that the reader forces. An image cannot know what
 * it lies on: plain text has a halo of the other shade, which is seen only where the page is not as it was taken to be.
 */
#define DARK "@media(prefers-color-scheme:dark)"
#define CONTRAST "@media(prefers-contrast:more)"
#define CONTRAST_DARK "@media(prefers-contrast:more)and (prefers-color-scheme:dark)"
#define FORCED "@media(forced-colors:active)"
#define FACE(size) \
	"text{font:" size "px Arial,Helvetica,sans-serif;font-variant-numeric:tabular-nums;"

static const struct {
	void (*lay_out)(struct drawing *drawing);
	void (*draw)(struct buf *out, const struct drawing *drawing);
	struct slice style;
	struct slice accent, on_accent; /* of a wished colour and of what is legible with it */
	struct slice contrast;
} styles[COUNTS_STYLE_COUNT] = {
	[COUNTS_PLAIN] =
		{
			lay_out_plain,
			draw_plain,
			SLICE_TEXT(FACE("14") "fill:#1f2328;stroke:#fff;stroke-width:3px;"
					      "stroke-linejoin:round;paint-order:stroke}"
					      ".t{font-weight:700}" DARK
					      "{text{fill:#e9edf1;stroke:#16191d}}"),
			SLICE_TEXT("text{fill:"),
			SLICE_TEXT(";stroke:"),
			SLICE_TEXT(CONTRAST "{text{fill:#000;stroke:#fff}}" CONTRAST_DARK
					    "{text{fill:#fff;stroke:#000}}" FORCED
					    "{text{fill:CanvasText;stroke:Canvas}}"),
		},
	[COUNTS_BADGE] =
		{
			lay_out_badges,
			draw_badges,
			SLICE_TEXT(FACE("12") "fill:#fff}.n{font-weight:700}"
					      ".k{fill:#4a5159}.v{fill:#1b5e9b}"),
			SLICE_TEXT(".v{fill:"),
			SLICE_TEXT("}.n{fill:"),
			SLICE_TEXT(CONTRAST "{.k,.v{fill:#000}.n,.r{fill:#fff}}" FORCED
					    "{.k,.v{fill:Canvas;stroke:CanvasText}"
					    ".n,.r{fill:CanvasText}}"),
		},
	[COUNTS_PANEL] =
		{
			lay_out_panel,
			draw_panel,
			SLICE_TEXT(FACE("14") "fill:#1f2328}.t,.n{font-weight:700}"
					      ".n{text-anchor:end}.b{fill:#fff;stroke:#c4cbd2}"
					      ".l{fill:#e4e8ec}.h{fill:#1b5e9b}.t{fill:#fff}" DARK
					      "{text{fill:#e9edf1}.t{fill:#fff}"
					      ".b{fill:#1d2125;stroke:#4a5159}.l{fill:#343a40}}"),
			SLICE_TEXT(".h{fill:"),
			SLICE_TEXT("}.t{fill:"),
			SLICE_TEXT(CONTRAST
				   "{.r,.n{fill:#000}.b{stroke:#000}}" CONTRAST_DARK
				   "{.r,.n{fill:#fff}.b{fill:#000;stroke:#fff}}" FORCED
				   "{.b,.h{fill:Canvas;stroke:CanvasText}.l{fill:CanvasText}"
				   ".r,.n,.t{fill:CanvasText}}"),
		},
};

static void
add_style(struct buf *out, const struct counts_look *look)
{
	buf_add_literal(out, "<style>");
	buf_add_slice(out, styles[look->style].style);
	if (look->colored) {
		buf_add_slice(out, styles[look->style].accent);
		tint_add(out, look->color);
		buf_add_slice(out, styles[look->style].on_accent);
		tint_add(out, tint_on(look->color));
		buf_add_literal(out, "}");
	}
	buf_add_slice(out, styles[look->style].contrast);
	buf_add_literal(out, "</style>");
}

/* What a reader who does not see it is told. */
static void
add_title(struct buf *out, const struct drawing *drawing)
{
	buf_add_literal(out, "<title>");
	buf_add_xml(out, slice_of(label_title(drawing->view->language)));
	for (size_t i = 0; i < drawing->count; i++) {
		buf_add_slice(out, i == 0 ? SLICE(". ") : SLICE("; "));
		buf_add_xml(out, drawing->rows[i].line);
	}
	buf_add_literal(out, "</title>");
}

/* A width beyond what is needed is room, one below makes the whole smaller. */
static void
add_root(struct buf *out, struct drawing *drawing)
{
	int wished = drawing->view->look.width * 10, height = drawing->height;
	if (wished > drawing->width)
		drawing->width = wished;
	else if (wished > 0)
		height = (int)((int64_t)height * wished / drawing->width);
	buf_add_literal(out, "<svg xmlns=\"http://www.w3.org/2000/svg\"");
	add_attribute(out, "width", wished > 0 ? wished : drawing->width);
	add_attribute(out, "height", height);
	buf_add_literal(out, " viewBox=\"0 0 ");
	add_length(out, drawing->width);
	buf_add_literal(out, " ");
	add_length(out, drawing->height);
	buf_add_literal(out, "\" role=\"img\" lang=\"");
	buf_add_slice(out, label_language_name(drawing->view->language));
	buf_add_literal(out, "\">");
}

void
svg_counter(struct buf *out, const struct counts_view *view, const struct counts *counts)
{
	struct drawing drawing = {.view = view};
	measure(&drawing, counts);
	styles[view->look.style].lay_out(&drawing);
	add_root(out, &drawing);
	add_title(out, &drawing);
	add_style(out, &view->look);
	styles[view->look.style].draw(out, &drawing);
	buf_add_literal(out, "</svg>\n");
	buf_release(&drawing.text);
}
