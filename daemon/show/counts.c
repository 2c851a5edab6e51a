/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counts as JSON and as text. The JSON is written once per hit, so every part reserves its room once and then only
 * stores, and what the hits of one site in one pass have in common is made once: names are constants, words come from
 * show/labels.c. Never asks for a number that is not in struct counts.
 */
#include "show/counts.h"

#include "base/form.h"
#include "show/labels.h"

#define X(id, name) [COUNTS_##id] = name,
const char *const counts_style_names[COUNTS_STYLE_COUNT] = {COUNTS_STYLES(X)};
#undef X

/* Room for the parts of the JSON: all that is not the page's path, and a row without its words. */
enum {
	KEY_MAX = 16,
	ROW_START_MAX = 32,
	VALUE_MAX = BUF_INT_MAX,
	METRIC_MAX = 32 + SHOWN_PERIODS * (KEY_MAX + VALUE_MAX),
	HEAD_MAX = 256 + CONF_SITE_KEY_MAX,
	PAGE_MAX = 128 + 4 * VALUE_MAX,
	TAIL_MAX = 128,
	ROW_MAX = ROW_START_MAX + VALUE_MAX + 32,
};

static bool
is_public(const struct conf_site *site, enum conf_public what)
{
	for (size_t i = 0; i < site->public_count; i++)
		if (site->publics[i] == what)
			return true;
	return false;
}

void
counts_view_init(struct counts_view *view, const struct conf_site *site)
{
	*view = (struct counts_view){
		.site = site,
		.language = site->language,
		.row_count = site->row_count,
		.metric = site->metric,
		.title = true,
		.metrics = is_public(site, CONF_PUBLIC_METRICS),
		.pages = is_public(site, CONF_PUBLIC_PAGES),
		.stats = is_public(site, CONF_PUBLIC_STATS),
		.counted = COUNTS_READ,
	};
	memcpy(view->rows, site->rows, site->row_count * sizeof(site->rows[0]));
}

static bool
find_row(struct slice name, uint8_t *row)
{
	for (int i = 0; i < CONF_ROW_NAMES; i++)
		if (slice_eq(name, slice_of(conf_row_names[i]))) {
			*row = (uint8_t)i;
			return true;
		}
	return false;
}

/* Cuts the text before the next comma off the front; *more says whether there was one. */
static struct slice
next_name(struct slice *names, bool *more)
{
	const char *comma = memchr(names->ptr, ',', names->len);
	struct slice name = {names->ptr, comma ? (size_t)(comma - names->ptr) : names->len};
	size_t taken = name.len + (comma != NULL);
	*names = (struct slice){names->ptr + taken, names->len - taken};
	*more = comma != NULL;
	return name;
}

/* An empty list has one name, the empty one, and is refused with it. */
static bool
choose_rows(struct counts_view *view, struct slice names)
{
	uint8_t rows[CONF_ROWS_MAX];
	size_t count = 0;
	bool more = true;
	while (more)
		if (count == CONF_ROWS_MAX || !find_row(next_name(&names, &more), &rows[count++]))
			return false;
	memcpy(view->rows, rows, count * sizeof(rows[0]));
	view->row_count = count;
	return true;
}

static bool
choose_title(struct counts_view *view, struct slice title)
{
	view->title = slice_eq(title, SLICE("1"));
	return view->title || slice_eq(title, SLICE("0"));
}

static bool
choose_metric(struct counts_view *view, struct slice name)
{
	for (int i = 0; i < METRIC_COUNT; i++)
		if (slice_eq(name, slice_of(metric_names[i]))) {
			view->metric = (enum metric)i;
			return view->metrics || view->metric == view->site->metric;
		}
	return false;
}

static bool
choose_style(struct counts_look *look, struct slice name)
{
	for (int i = 0; i < COUNTS_STYLE_COUNT; i++)
		if (slice_eq(name, slice_of(counts_style_names[i]))) {
			look->style = (enum counts_style)i;
			return true;
		}
	return false;
}

static bool
choose_width(struct counts_look *look, struct slice digits)
{
	int width = 0;
	for (size_t i = 0; i < digits.len && width <= COUNTS_WIDTH_MAX; i++) {
		if (digits.ptr[i] < '0' || digits.ptr[i] > '9')
			return false;
		width = width * 10 + digits.ptr[i] - '0';
	}
	look->width = width;
	return width >= COUNTS_WIDTH_MIN && width <= COUNTS_WIDTH_MAX;
}

/* As CSS writes it, "#" or not: three digits, each of which stands for two, or six. */
static bool
choose_color(struct counts_look *look, struct slice text)
{
	uint32_t color = 0;
	if (text.len > 0 && text.ptr[0] == '#')
		text = (struct slice){text.ptr + 1, text.len - 1};
	if (text.len != 3 && text.len != 6)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		int digit = hex_value(text.ptr[i]);
		if (digit < 0)
			return false;
		color = color << 4 | (uint32_t)digit;
		if (text.len == 3)
			color = color << 4 | (uint32_t)digit;
	}
	look->color = color;
	look->colored = true;
	return true;
}

bool
counts_view_choose(struct counts_view *view, const struct counts_wishes *wishes)
{
	return (!wishes->rows.ptr || choose_rows(view, wishes->rows)) &&
	       (!wishes->metric.ptr || choose_metric(view, wishes->metric)) &&
	       (!wishes->language.ptr || label_language(wishes->language, &view->language)) &&
	       (!wishes->title.ptr || choose_title(view, wishes->title)) &&
	       (!wishes->style.ptr || choose_style(&view->look, wishes->style)) &&
	       (!wishes->width.ptr || choose_width(&view->look, wishes->width)) &&
	       (!wishes->color.ptr || choose_color(&view->look, wishes->color));
}

int64_t
counts_row(const struct counts_view *view, const struct counts *counts, int row)
{
	if (row < SHOWN_PERIODS)
		return counts->numbers[view->metric][row];
	return row == CONF_ROW_ONLINE ? counts->online : counts->bots;
}

void
counts_row_text(struct buf *out, const struct counts_view *view, const struct counts *counts,
		int row)
{
	int64_t value = counts_row(view, counts, row);
	if (value == COUNT_UNKNOWN)
		buf_add_literal(out, LABEL_UNKNOWN);
	else
		label_number(out, view->language, value);
}

/* Each put_ writes into reserved room and returns where it ended. */

#define PUT(to, literal) ((char *)mempcpy((to), (literal), sizeof(literal) - 1))

static char *
put_slice(char *to, struct slice text)
{
	return (char *)mempcpy(to, text.ptr, text.len);
}

static char *
put_value(char *to, int64_t value)
{
	return value == COUNT_UNKNOWN ? PUT(to, "null") : buf_put_int(to, value);
}

static char *
put_two(char *to, int value)
{
	to[0] = (char)('0' + value / 10);
	to[1] = (char)('0' + value % 10);
	return to + 2;
}

/* ISO 8601 knows no seconds of an offset: "time":"2020-05-20T14:32:07+07:00","date":"2020-05-20" */
static char *
put_time(char *to, const struct local_time *local, struct slice name)
{
	char clock[] = "T00:00:00+00:00";
	int east = local->offset / 60;
	put_two(clock + 1, local->hour);
	put_two(clock + 4, local->minute);
	put_two(clock + 7, local->second);
	clock[9] = east < 0 ? '-' : '+';
	put_two(clock + 10, abs(east) / 60);
	put_two(clock + 13, abs(east) % 60);
	to = PUT(to, ",\"time\":\"");
	to = put_slice(to, name);
	to = (char *)mempcpy(to, clock, sizeof(clock) - 1);
	to = PUT(to, "\",\"date\":\"");
	to = put_slice(to, name);
	return PUT(to, "\"");
}

/* A reading says nothing about a hit. */
static void
add_counted(struct buf *out, const struct counts_view *view)
{
	if (view->counted == COUNTS_COUNTED) {
		buf_add_literal(out, ",\"counted\":true");
	} else if (view->counted == COUNTS_REFUSED) {
		buf_add_literal(out, ",\"counted\":false,\"reason\":\"");
		buf_add_slice(out, slice_of(view->reason));
		buf_add_literal(out, "\"");
	}
}

/* The keys are copied in their fixed size, which costs less than their length does. */
static char *
put_periods(char *to, const int64_t values[SHOWN_PERIODS])
{
	static const struct {
		char text[KEY_MAX];
		size_t len;
	} keys[SHOWN_PERIODS] = {
#define X(id, name, kind, back) [SHOWN_##id] = {",\"" name "\":", sizeof(",\"" name "\":") - 1},
		PERIODS(X)
#undef X
	};
	char *start = to;
	for (int i = 0; i < SHOWN_PERIODS; i++) {
		memcpy(to, keys[i].text, KEY_MAX);
		to = put_value(to + keys[i].len, values[i]);
	}
	*start = '{'; /* where the first key has its comma */
	return PUT(to, "}");
}

static void
set_end(struct buf *out, const char *end)
{
	out->len = (size_t)(end - out->data);
}

static void
add_site(struct buf *out, const struct counts_view *view)
{
	char *to = buf_reserve(out, HEAD_MAX);
	to = PUT(to, "{\"site\":\"");
	to = put_slice(to, view->site->key_slice);
	to = PUT(to, "\"");
	to = put_time(to, &view->local, slice_of(view->date->name));
	set_end(out, to);
}

static void
add_metrics(struct buf *out, const struct counts_view *view, const struct counts *counts)
{
	char *to = buf_reserve(out, METRIC_COUNT * METRIC_MAX);
	if (!view->metrics)
		return;
	to = PUT(to, ",\"hits\":");
	to = put_periods(to, counts->numbers[METRIC_HITS]);
	to = PUT(to, ",\"visits\":");
	to = put_periods(to, counts->numbers[METRIC_VISITS]);
	to = PUT(to, ",\"visitors\":");
	to = put_periods(to, counts->numbers[METRIC_VISITORS]);
	to = PUT(to, ",\"online\":");
	to = put_value(to, counts->online);
	set_end(out, to);
}

/* {"path":"/tin","hits":{"today":1,"total":2},"visits":{...}} */
static void
add_page_object(struct buf *out, const struct counts_view *view, struct slice path,
		const struct page_counts *counts)
{
	buf_add_literal(out, "{\"path\":\"");
	buf_add_json(out, path);
	char *to = buf_reserve(out, PAGE_MAX);
	to = PUT(to, "\"");
	if (view->pages) {
		to = PUT(to, ",\"hits\":{\"today\":");
		to = put_value(to, counts->hits_today);
		to = PUT(to, ",\"total\":");
		to = put_value(to, counts->hits_total);
		to = PUT(to, "},\"visits\":{\"today\":");
		to = put_value(to, counts->visits_today);
		to = PUT(to, ",\"total\":");
		to = put_value(to, counts->visits_total);
		to = PUT(to, "}");
	}
	to = PUT(to, "}");
	set_end(out, to);
}

/* Paths are the only text of strangers in an answer. */
static void
add_pages(struct buf *out, const struct counts_view *view)
{
	buf_add_literal(out, ",\"page\":");
	if (view->page.ptr)
		add_page_object(out, view, view->page, &view->page_counts);
	else
		buf_add_literal(out, "null");
	if (!view->asked)
		return;
	buf_add_literal(out, ",\"pages\":[");
	for (size_t i = 0; i < view->asked_count; i++) {
		if (i > 0)
			buf_add_literal(out, ",");
		add_page_object(out, view, view->asked[i].path, &view->asked[i].counts);
	}
	buf_add_literal(out, "]");
}

static void
add_age_and_title(struct buf *out, const struct counts_view *view, const struct counts *counts)
{
	char *to = buf_reserve(out, TAIL_MAX);
	to = PUT(to, ",\"age\":");
	to = buf_put_int(to, counts->age);
	to = PUT(to, ",\"lang\":\"");
	to = put_slice(to, label_language_name(view->language));
	to = PUT(to, "\"");
	if (view->title) {
		to = PUT(to, ",\"title\":\"");
		to = put_slice(to, slice_of(label_title(view->language)));
		to = PUT(to, "\"");
	}
	set_end(out, to);
}

/* A buffer may move when a word is added, so the place to write is asked for again. */
static void
add_row(struct buf *out, const struct counts_view *view, const struct counts *counts, int row)
{
#define ROW_START(name)                                                   \
	{                                                                 \
		",{\"row\":\"" name "\",\"label\":\"",                    \
			sizeof(",{\"row\":\"" name "\",\"label\":\"") - 1 \
	}
#define X(id, name, kind, back) [SHOWN_##id] = ROW_START(name),
	static const struct {
		char text[ROW_START_MAX];
		size_t len;
	} starts[CONF_ROW_NAMES] = {
		PERIODS(X)[CONF_ROW_ONLINE] = ROW_START("online"), [CONF_ROW_BOTS] =
									   ROW_START("bots")};
#undef X
	int64_t value = counts_row(view, counts, row);
	char *to = buf_reserve(out, ROW_MAX);
	memcpy(to, starts[row].text, ROW_START_MAX);
	set_end(out, to + starts[row].len);
	label_row(out, view->language, row, view->date->civil);
	to = buf_reserve(out, ROW_MAX);
	to = PUT(to, "\",\"value\":");
	to = put_value(to, value);
	to = PUT(to, ",\"text\":\"");
	set_end(out, to);
	counts_row_text(out, view, counts, row);
	buf_add_literal(out, "\"}");
}

static void
add_rows(struct buf *out, const struct counts_view *view, const struct counts *counts)
{
	buf_add_literal(out, ",\"rows\":");
	size_t list = out->len;
	for (size_t i = 0; i < view->row_count; i++)
		add_row(out, view, counts, view->rows[i]);
	if (view->row_count == 0)
		buf_add_literal(out, "[");
	out->data[list] = '['; /* where the first row has its comma */
	buf_add_literal(out, "]}");
}

void
counts_frame_fill(struct counts_frame *frame, const struct counts_view *view,
		  const struct counts *counts)
{
	struct buf *text = &frame->text;
	buf_clear(text);
	add_site(text, view);
	frame->counted_at = text->len;
	add_metrics(text, view, counts);
	frame->pages_at = text->len;
	add_age_and_title(text, view, counts);
	add_rows(text, view, counts);
}

void
counts_frame_json(struct buf *out, const struct counts_frame *frame, const struct counts_view *view)
{
	const char *text = frame->text.data;
	buf_add(out, text, frame->counted_at);
	add_counted(out, view);
	buf_add(out, text + frame->counted_at, frame->pages_at - frame->counted_at);
	add_pages(out, view);
	buf_add(out, text + frame->pages_at, frame->text.len - frame->pages_at);
}

void
counts_json(struct buf *out, const struct counts_view *view, const struct counts *counts)
{
	struct counts_frame frame = {0};
	counts_frame_fill(&frame, view, counts);
	counts_frame_json(out, &frame, view);
	buf_release(&frame.text);
}

void
counts_text(struct buf *out, const struct counts_view *view, const struct counts *counts)
{
	if (view->title) {
		buf_add_slice(out, slice_of(label_title(view->language)));
		buf_add_literal(out, "\n");
	}
	for (size_t i = 0; i < view->row_count; i++) {
		label_row(out, view->language, view->rows[i], view->date->civil);
		buf_add_literal(out, " : ");
		counts_row_text(out, view, counts, view->rows[i]);
		buf_add_literal(out, "\n");
	}
}
