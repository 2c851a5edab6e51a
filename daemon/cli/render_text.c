/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rendering that people read: aligned columns that fit the terminal, a bar at the line's end, sums and averages
 * below, and what the running period may come to. Widths are those of the characters on the screen, not of their bytes.
 */
#include "base/form.h"
#include "base/inert.h"
#include "cli/table.h"
#include "cli/width.h"

enum {
	GAP = 2,
	BAR_MIN = 5,
	BAR_MAX = 50,
	TEXT_MIN = 8,   /* a text column is not cut shorter than this */
	TEXT_WIDE = 24, /* nor than this for the sake of a bar of BAR_WIDE */
	BAR_WIDE = 12,
};

/* Of a column, for the lines below the rows. */
struct sums {
	int64_t sum, greatest, complete_sum;
	int64_t known,
		complete_rows; /* how many rows have a number; of those, periods that are over */
};

/* The columns of a table that are shown as such, and how wide. */
struct layout {
	int width[TABLE_COLUMNS_MAX]; /* 0: not shown */
	struct sums sums[TABLE_COLUMNS_MAX];
	int barred;             /* the column with the bar, or -1 */
	int complete, estimate; /* or -1 */
	int bar;                /* columns of the longest bar */
	bool beside;            /* a column beside the barred one is shown */
};

/* Has a sum and an average below. */
static bool
is_summed(const struct column *column)
{
	return column->type == COLUMN_BAR || column->type == COLUMN_BESIDE;
}

void
table_words(struct buf *out, const struct column *column, const struct cell *cell,
	    enum conf_language language)
{
	if (cell->shown)
		buf_addf(out, "%s", cell->shown);
	else if (cell->state == CELL_TEXT)
		buf_add_slice(out, cell_slice(cell));
	else if (cell->state == CELL_UNKNOWN)
		buf_add_literal(out, LABEL_NO_DATA);
	else if (cell->state == CELL_NUMBER && column->type == COLUMN_FLAG)
		buf_addf(out, "%s", cell->number ? "✓" : "–");
	else if (cell->state == CELL_NUMBER && column->type == COLUMN_SHARE)
		label_share(out, language, cell->number);
	else if (cell->state == CELL_NUMBER && column->type == COLUMN_CHANGE)
		label_change(out, language, cell->number);
	else if (cell->state == CELL_NUMBER)
		label_number(out, language, cell->number);
}

static struct slice
column_label(const struct column *column, enum conf_language language)
{
	return slice_of(column->label ? column->label : label_word(language, column->word));
}

static bool
is_complete(const struct table *table, const struct layout *layout, size_t row)
{
	return layout->complete < 0 || table_cell(table, row, (size_t)layout->complete)->number;
}

static void
measure(struct layout *layout, const struct table *table, size_t column)
{
	struct sums *sums = &layout->sums[column];
	for (size_t row = 0; row < table->row_count; row++) {
		const struct cell *cell = table_cell(table, row, column);
		if (cell->state != CELL_NUMBER)
			continue;
		sums->known++;
		sums->sum += cell->number;
		if (cell->number > sums->greatest)
			sums->greatest = cell->number;
		if (is_complete(table, layout, row)) {
			sums->complete_rows++;
			sums->complete_sum += cell->number;
		}
	}
}

static int
widest(struct buf *scratch, const struct table *table, size_t column, enum conf_language language)
{
	int width = width_text(column_label(&table->columns[column], language));
	for (size_t row = 0; row < table->row_count; row++) {
		buf_clear(scratch);
		table_words(scratch, &table->columns[column], table_cell(table, row, column),
			    language);
		int taken = width_text(buf_slice(scratch));
		width = taken > width ? taken : width;
	}
	return width;
}

static void
find_columns(struct layout *layout, const struct table *table)
{
	layout->barred = layout->complete = layout->estimate = -1;
	for (size_t i = 0; i < table->column_count; i++) {
		if (table->columns[i].type == COLUMN_BAR)
			layout->barred = (int)i;
		if (table->columns[i].type == COLUMN_COMPLETE)
			layout->complete = (int)i;
		if (table->columns[i].type == COLUMN_ESTIMATE)
			layout->estimate = (int)i;
	}
}

/* The lines below the rows stand in the same columns, so they count for the widths. */
static void
widen_for_foot(struct layout *layout, const struct table *table, struct buf *scratch,
	       const struct look *look)
{
	static const enum label_word words[] = {WORD_SUM, WORD_AVERAGE};
	if (layout->barred < 0)
		return;
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		int width = width_text(slice_of(label_word(look->language, words[i])));
		layout->width[0] = width > layout->width[0] ? width : layout->width[0];
	}
	for (size_t i = 1; i < table->column_count; i++) {
		if (!is_summed(&table->columns[i]))
			continue;
		buf_clear(scratch);
		label_number(scratch, look->language, layout->sums[i].sum);
		int width = width_text(buf_slice(scratch));
		layout->width[i] = width > layout->width[i] ? width : layout->width[i];
	}
}

static int
total_width(const struct layout *layout, const struct table *table)
{
	int total = 0;
	for (size_t i = 0; i < table->column_count; i++)
		total += layout->width[i] ? layout->width[i] + GAP : 0;
	return total > GAP ? total - GAP : total;
}

/* Takes what is too much, also for a bar to be of use, from the widest text column. */
static void
fit(struct layout *layout, const struct table *table, int room)
{
	int over = total_width(layout, table) - room;
	int over_bar = layout->barred < 0 ? over : over + GAP + BAR_WIDE;
	size_t at = 0;
	int width = 0;
	for (size_t i = 0; i < table->column_count; i++)
		if (table->columns[i].type == COLUMN_TEXT && layout->width[i] > width) {
			at = i;
			width = layout->width[i];
		}
	if (over_bar > 0 && width > TEXT_WIDE) {
		int cut = over_bar < width - TEXT_WIDE ? over_bar : width - TEXT_WIDE;
		layout->width[at] = width -= cut;
		over -= cut;
	}
	if (over > 0 && width > TEXT_MIN)
		layout->width[at] = width - over > TEXT_MIN ? width - over : TEXT_MIN;
}

/* Leaves out, from the right, what may be left out, until the rest has room, and a bar where there is one. */
static void
drop_beside(struct layout *layout, const struct table *table, int room)
{
	int bar = layout->barred < 0 ? 0 : GAP + BAR_MIN;
	for (size_t i = table->column_count; i-- > 0;) {
		enum column_type type = table->columns[i].type;
		if (type != COLUMN_BESIDE && type != COLUMN_CHANGE)
			continue;
		if (total_width(layout, table) + bar > room)
			layout->width[i] = 0;
		layout->beside = layout->beside || layout->width[i];
	}
}

static void
lay_out(struct layout *layout, const struct table *table, const struct look *look)
{
	struct buf scratch = {0};
	*layout = (struct layout){0};
	find_columns(layout, table);
	for (size_t i = 0; i < table->column_count; i++) {
		if ((int)i == layout->complete || (int)i == layout->estimate)
			continue;
		layout->width[i] = widest(&scratch, table, i, look->language);
		if (is_summed(&table->columns[i]))
			measure(layout, table, i);
	}
	if (table->has_whole && layout->barred >= 0)
		layout->sums[layout->barred].sum = table->whole;
	widen_for_foot(layout, table, &scratch, look);
	if (layout->complete >= 0)
		layout->width[0] += 2;
	drop_beside(layout, table, look->width);
	fit(layout, table, look->width);
	int room = look->bars ? look->width - total_width(layout, table) - GAP : 0;
	layout->bar = room > BAR_MAX ? BAR_MAX : room;
	buf_release(&scratch);
}

static bool
is_left(const struct column *column)
{
	return column->type == COLUMN_TEXT;
}

/* One column's text with its padding; `last` leaves no blanks at the line's end. */
static void
add_cell(struct buf *out, struct slice text, int width, bool left, bool last)
{
	width_add_cell(out, text, width, left);
	width_pad(out, last ? 0 : GAP);
}

static size_t
last_shown(const struct layout *layout, const struct table *table)
{
	size_t last = 0;
	for (size_t i = 0; i < table->column_count; i++)
		last = layout->width[i] ? i : last;
	return last;
}

/* U+2588 to U+258F are the full block and its eighths from seven down to one; U+2592 has half its tone. */
static void
add_blocks(struct buf *out, int eighths, bool half_tone)
{
	for (; half_tone && eighths > 0; eighths -= 8)
		buf_add_literal(out, "\xe2\x96\x92");
	for (; eighths >= 8; eighths -= 8)
		buf_add_literal(out, "\xe2\x96\x88");
	if (eighths > 0) {
		const char part[3] = {'\xe2', '\x96', (char)(0x90 - eighths)};
		buf_add(out, part, sizeof part);
	}
}

/* That of a period that is not over is in half-tone, in whole blocks. */
static void
add_bar(struct buf *out, const struct layout *layout, int64_t value, bool half_tone, bool color)
{
	int64_t greatest = layout->sums[layout->barred].greatest;
	if (layout->bar < BAR_MIN || greatest <= 0 || value <= 0)
		return;
	double share = (double)value / (double)greatest * layout->bar;
	int eighths = half_tone ? 8 * (int)(share + 0.5) : (int)(share * 8 + 0.5);
	if (eighths == 0)
		eighths = 1;
	width_pad(out, GAP);
	if (color)
		buf_add_literal(out, "\033[36m");
	add_blocks(out, eighths, half_tone);
	if (color)
		buf_add_literal(out, "\033[0m");
}

/* What grew is green, what fell is red; the rest has the terminal's own colour. */
static const char *
color_of(const struct column *column, const struct cell *cell, const struct look *look)
{
	if (!look->color || column->type != COLUMN_CHANGE || cell->state != CELL_NUMBER ||
	    cell->number == 0)
		return NULL;
	return cell->number > 0 ? "\033[32m" : "\033[31m";
}

static void
add_row(struct buf *out, const struct table *table, const struct layout *layout, size_t row,
	const struct look *look)
{
	struct buf words = {0};
	size_t last = last_shown(layout, table);
	for (size_t i = 0; i < table->column_count; i++) {
		if (!layout->width[i])
			continue;
		const struct column *column = &table->columns[i];
		const struct cell *cell = table_cell(table, row, i);
		buf_clear(&words);
		table_words(&words, column, cell, look->language);
		if (i == 0 && !is_complete(table, layout, row))
			buf_add_literal(&words, " *");
		const char *color = color_of(column, cell, look);
		buf_addf(out, "%s", color ? color : "");
		add_cell(out, buf_slice(&words), layout->width[i], is_left(column), i == last);
		buf_addf(out, "%s", color ? "\033[0m" : "");
	}
	if (layout->barred >= 0) {
		const struct cell *cell = table_cell(table, row, (size_t)layout->barred);
		add_bar(out, layout, cell->state == CELL_NUMBER ? cell->number : 0,
			!is_complete(table, layout, row), look->color);
	}
	width_end_line(out);
	buf_release(&words);
}

/* Whose table it is, in which zone, of which days. */
static void
add_title(struct buf *out, const struct table *table, const struct look *look)
{
	if (table->site)
		buf_addf(out, "%s", table_site(table, look->language));
	if (table->timezone)
		buf_addf(out, " (%s: %s)", label_word(look->language, WORD_TIMEZONE),
			 table->timezone);
	if (*table->from)
		buf_addf(out, "  %s", table->from);
	if (strcmp(table->from, table->to) != 0)
		buf_addf(out, " – %s", table->to);
	if (table->note)
		buf_addf(out, "  %s", table->note);
	if (table->site || *table->from)
		buf_add_literal(out, "\n\n");
}

static void
add_head(struct buf *out, const struct table *table, const struct layout *layout,
	 const struct look *look)
{
	add_title(out, table, look);
	size_t last = last_shown(layout, table);
	for (size_t i = 0; i < table->column_count; i++)
		if (layout->width[i])
			add_cell(out, column_label(&table->columns[i], look->language),
				 layout->width[i], is_left(&table->columns[i]), i == last);
	/* Of several columns one has the bar: its name stands above it. */
	if (layout->beside && layout->bar >= BAR_MIN) {
		width_pad(out, GAP);
		width_add_clipped(out,
				  column_label(&table->columns[layout->barred], look->language),
				  layout->bar);
	}
	width_end_line(out);
}

/* A period that is not over would pull the average down, so it counts only where nothing else is there. */
static int64_t
average(const struct sums *sums)
{
	int64_t rows = sums->complete_rows ? sums->complete_rows : sums->known;
	int64_t sum = sums->complete_rows ? sums->complete_sum : sums->sum;
	return rows ? (sum + rows / 2) / rows : 0;
}

/* Sums or averages below their columns. */
static void
add_foot_line(struct buf *out, const struct table *table, const struct layout *layout,
	      enum label_word word, enum conf_language language)
{
	struct buf number = {0};
	size_t last = 0;
	for (size_t i = 1; i < table->column_count; i++)
		last = is_summed(&table->columns[i]) && layout->width[i] ? i : last;
	add_cell(out, slice_of(label_word(language, word)), layout->width[0], true, false);
	for (size_t i = 1; i <= last; i++) {
		const struct sums *sums = &layout->sums[i];
		if (!layout->width[i])
			continue;
		buf_clear(&number);
		if (is_summed(&table->columns[i]))
			label_number(&number, language,
				     word == WORD_SUM ? sums->sum : average(sums));
		add_cell(out, buf_slice(&number), layout->width[i], false, i == last);
	}
	width_end_line(out);
	buf_release(&number);
}

static void
add_foot(struct buf *out, const struct table *table, const struct layout *layout,
	 const struct look *look)
{
	if (layout->barred < 1 || layout->sums[layout->barred].known == 0)
		return;
	buf_add_literal(out, "\n");
	add_foot_line(out, table, layout, WORD_SUM, look->language);
	if (table->has_whole)
		return;
	add_foot_line(out, table, layout, WORD_AVERAGE, look->language);
	for (size_t row = 0; layout->estimate >= 0 && row < table->row_count; row++) {
		const struct cell *estimate = table_cell(table, row, (size_t)layout->estimate);
		if (estimate->state != CELL_NUMBER)
			continue;
		buf_addf(out, "* %s, %s: ", label_word(look->language, WORD_RUNNING),
			 label_word(look->language, WORD_ESTIMATE));
		label_number(out, look->language, estimate->number);
		buf_add_literal(out, "\n");
	}
}

static void
add_table(struct buf *out, const struct table *table, const struct look *look)
{
	struct layout layout;
	lay_out(&layout, table, look);
	add_head(out, table, &layout, look);
	for (size_t row = 0; row < table->row_count; row++)
		add_row(out, table, &layout, row, look);
	add_foot(out, table, &layout, look);
}

void
render_table(struct buf *out, const struct table *tables, size_t count, const struct look *look)
{
	for (size_t i = 0; i < count; i++) {
		if (i > 0)
			buf_add_literal(out, "\n");
		add_table(out, &tables[i], look);
	}
}
