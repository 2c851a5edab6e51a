/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `live`: a row a second of what has happened since the row before. Counts come from Redis, the rest from the running
 * daemon; what is not known, because one of them does not answer or does not measure it, is no data, not 0.
 */
#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/keyboard.h"
#include "cli/measure.h"
#include "cli/spark.h"
#include "cli/width.h"
#include "show/counts.h"

enum {
	TICK_MS = 1000,
	ASK_AGAIN_TICKS = 5, /* a daemon that does not answer is asked that often */
	SPARK_MAX = 200,
	SPARK_MIN = 8,
	SITE_MAX = 20, /* columns of a site's name */
	GAP = 2,
};

/* What a row shows beside time and site, as it stands in one. */
enum column_of {
	LIVE_HITS,
	LIVE_VISITS,
	LIVE_ONLINE,
	LIVE_REFUSED,
	LIVE_BOTS,
	LIVE_LAG,
	LIVE_P99,
	LIVE_NUMBERS
};

static const struct {
	const char *key;
	enum label_word word, shown; /* for programs' help; for people, shorter */
	enum column_type type;
	int width;
} numbers_of[LIVE_NUMBERS] = {
	[LIVE_HITS] = {"hits", WORD_HITS, WORD_LIVE_HITS, COLUMN_COUNT, 6},
	[LIVE_VISITS] = {"visits", WORD_VISITS, WORD_LIVE_VISITS, COLUMN_COUNT, 8},
	[LIVE_ONLINE] = {"online", WORD_ONLINE, WORD_LIVE_ONLINE, COLUMN_COUNT, 7},
	[LIVE_REFUSED] = {"refused", WORD_REFUSED, WORD_REFUSED, COLUMN_COUNT, 7},
	[LIVE_BOTS] = {"bots", WORD_BOTS, WORD_LIVE_BOTS, COLUMN_COUNT, 5},
	[LIVE_LAG] = {"lag", WORD_LAG, WORD_LAG, COLUMN_COUNT, 5},
	[LIVE_P99] = {"p99", WORD_P99, WORD_P99, COLUMN_MICROS, 8},
};

/* What Redis says of a site at one moment. Bots and refused hits are those of a day. */
struct sample {
	bool known;
	int32_t day;
	int64_t hits, visits, online, bots, refused;
};

/* One row a second: a site, or all that are shown together. */
struct lane {
	const char *key;
	const struct conf_site *site; /* NULL: the sum of the others */
	struct sample last;
	int64_t numbers[LIVE_NUMBERS];
	int64_t recent[SPARK_MAX]; /* hits, the newest last */
	size_t recent_count;
};

struct live {
	const struct cli *cli;
	struct store *store;
	struct keyboard *keyboard;
	struct lane *lanes;
	size_t lane_count; /* with the sum, where there is one */
	size_t first;      /* the first that is shown: the sites themselves may be too many */
	bool sum;
	int64_t lag, p99; /* of the daemon */
	struct measure_histogram waits;
	int ask_again;     /* ticks until a daemon that did not answer is asked */
	int64_t rows_left; /* -1: no end */
	bool head;         /* is to be written before the next row */
	int rows_below;    /* rows since the head */
};

/* --- what there is --- */

static void
add_refused_cb(struct slice reason, int64_t hits, void *arg)
{
	(void)reason;
	*(int64_t *)arg += hits;
}

static int
take_sample(struct live *live, const struct conf_site *site, struct sample *sample)
{
	int64_t utc, rows;
	struct site_numbers numbers = {.site = site->key_slice, .day = cli_now(site, &utc).day};
	*sample = (struct sample){.day = numbers.day};
	int status = store_read(live->store, site->shard, &numbers, 1, NULL, 0, NULL);
	if (status == STORE_OK)
		status = store_top(live->store, site->key_slice, HIT_REFUSED, PERIOD_DAY,
				   numbers.day, 0, add_refused_cb, &sample->refused, &rows);
	sample->known = status == STORE_OK;
	sample->hits = numbers.counts[METRIC_HITS][SHOWN_TOTAL];
	sample->visits = numbers.counts[METRIC_VISITS][SHOWN_TOTAL];
	sample->online = numbers.online;
	sample->bots = numbers.bots;
	return status;
}

/* What an operator took away is no negative hit. */
static int64_t
grown(int64_t now, int64_t before)
{
	if (now < 0 || before < 0)
		return COUNT_UNKNOWN;
	return now > before ? now - before : 0;
}

static void
take_lane(struct live *live, struct lane *lane)
{
	struct sample last = lane->last;
	int64_t *numbers = lane->numbers;
	if (!store_connected(live->store) && store_connect(live->store) != STORE_OK)
		lane->last = (struct sample){0};
	else if (take_sample(live, lane->site, &lane->last) != STORE_OK)
		lane->last.known = false;
	for (int i = 0; i < LIVE_NUMBERS; i++)
		numbers[i] = COUNT_UNKNOWN;
	if (!lane->last.known)
		return;
	numbers[LIVE_ONLINE] = lane->last.online;
	if (!last.known)
		return;
	bool same_day = lane->last.day == last.day;
	numbers[LIVE_HITS] = grown(lane->last.hits, last.hits);
	numbers[LIVE_VISITS] = grown(lane->last.visits, last.visits);
	numbers[LIVE_BOTS] = grown(lane->last.bots, same_day ? last.bots : 0);
	numbers[LIVE_REFUSED] = grown(lane->last.refused, same_day ? last.refused : 0);
}

/* What is not known of one is not known of all. */
static void
sum_lanes(struct live *live)
{
	struct lane *sum = &live->lanes[live->lane_count - 1];
	memset(sum->numbers, 0, sizeof(sum->numbers));
	for (struct lane *lane = live->lanes; lane < sum; lane++)
		for (int i = 0; i < LIVE_LAG; i++)
			sum->numbers[i] = sum->numbers[i] < 0 || lane->numbers[i] < 0
						  ? COUNT_UNKNOWN
						  : sum->numbers[i] + lane->numbers[i];
}

/* Seconds since Redis last confirmed anything to it; how long 99 of 100 replies took at most. */
static void
ask_daemon(struct live *live)
{
	char error[256];
	double age;
	struct buf text = {0};
	struct measure_histogram waits = {.count = 0};
	live->lag = live->p99 = COUNT_UNKNOWN;
	if (live->ask_again > 0 && live->ask_again-- > 0)
		return;
	if (measure_ask(live->cli->conf, "/metrics", &text, error, sizeof(error)) == 200) {
		struct slice metrics = buf_slice(&text);
		if (measure_value(metrics, "thongke_age_seconds", NULL, &age))
			live->lag = (int64_t)age;
		measure_histogram(metrics, "thongke_redis_wait_seconds", &waits);
		live->p99 = measure_quantile(&live->waits, &waits, 0.99);
	} else {
		live->ask_again = ASK_AGAIN_TICKS;
	}
	live->waits = waits;
	buf_release(&text);
}

static void
remember(struct lane *lane)
{
	if (lane->recent_count == SPARK_MAX)
		memmove(lane->recent, lane->recent + 1, (SPARK_MAX - 1) * sizeof(lane->recent[0]));
	else
		lane->recent_count++;
	lane->recent[lane->recent_count - 1] = lane->numbers[LIVE_HITS];
}

static void
take_all(struct live *live)
{
	size_t sites = live->lane_count - live->sum;
	for (size_t i = 0; i < sites; i++)
		take_lane(live, &live->lanes[i]);
	if (live->sum)
		sum_lanes(live);
	ask_daemon(live);
	for (size_t i = 0; i < live->lane_count; i++) {
		live->lanes[i].numbers[LIVE_LAG] = live->lag;
		live->lanes[i].numbers[LIVE_P99] = live->p99;
	}
}

/* --- for people --- */

/* The columns that a width has room for, from the left, and what is left for the sparkline. */
struct layout {
	int site;  /* 0: there is one alone */
	int shown; /* how many of numbers_of */
	int spark;
};

static struct layout
lay_out(const struct live *live, int width)
{
	enum { TIME = 8 };
	struct layout layout = {.shown = LIVE_NUMBERS};
	for (size_t i = live->first; live->lane_count - live->first > 1 && i < live->lane_count;
	     i++) {
		int taken = width_text(slice_of(live->lanes[i].key));
		layout.site = taken > layout.site ? taken : layout.site;
	}
	layout.site = layout.site > SITE_MAX ? SITE_MAX : layout.site;
	int left = width - TIME - (layout.site ? layout.site + GAP : 0);
	for (int i = 0; i < LIVE_NUMBERS; i++)
		left -= numbers_of[i].width + GAP;
	while (left < SPARK_MIN + GAP && layout.shown > 1)
		left += numbers_of[--layout.shown].width + GAP;
	layout.spark = left - GAP > SPARK_MAX ? SPARK_MAX : left - GAP;
	return layout;
}

static void
add_number(struct buf *out, int64_t number, enum column_of column, enum conf_language language)
{
	struct buf text = {0};
	if (number == COUNT_UNKNOWN)
		buf_add_literal(&text, LABEL_NO_DATA);
	else if (column == LIVE_P99)
		label_millis(&text, language, number);
	else
		label_number(&text, language, number);
	if (column == LIVE_LAG && number != COUNT_UNKNOWN)
		buf_add_literal(&text, " s");
	width_pad(out, GAP);
	width_add_cell(out, buf_slice(&text), numbers_of[column].width, false);
	buf_release(&text);
}

static void
add_head(struct buf *out, const struct layout *layout, enum conf_language language)
{
	width_add_cell(out, slice_of(label_word(language, WORD_TIME)), 8, true);
	if (layout->site) {
		width_pad(out, GAP);
		width_add_cell(out, slice_of(label_word(language, WORD_SITE)), layout->site, true);
	}
	for (int i = 0; i < layout->shown; i++) {
		width_pad(out, GAP);
		width_add_cell(out, slice_of(label_word(language, numbers_of[i].shown)),
			       numbers_of[i].width, false);
	}
	width_end_line(out);
}

static void
add_lane(struct buf *out, const struct lane *lane, const struct layout *layout, const char *time,
	 const struct look *look)
{
	size_t count = lane->recent_count;
	if (layout->spark < (int)count)
		count = layout->spark > 0 ? (size_t)layout->spark : 0;
	buf_addf(out, "%s", time);
	if (layout->site) {
		const char *name = lane->site ? lane->key : label_word(look->language, WORD_TOTAL);
		width_pad(out, GAP);
		width_add_cell(out, slice_of(name), layout->site, true);
	}
	for (int i = 0; i < layout->shown; i++)
		add_number(out, lane->numbers[i], (enum column_of)i, look->language);
	width_pad(out, GAP);
	buf_addf(out, "%s", look->color ? "\033[36m" : "");
	spark_add(out, lane->recent + lane->recent_count - count, count);
	buf_addf(out, "%s\n", look->color ? "\033[0m" : "");
}

/* The head comes again when the last one has left the screen. */
static bool
head_is_due(const struct live *live)
{
	struct winsize size;
	int lines =
		ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 2 ? size.ws_row : 25;
	return live->head || live->rows_below + (int)(live->lane_count - live->first) >= lines - 1;
}

static void
add_people(struct buf *out, struct live *live, const struct local_time *now)
{
	struct look look = cli_look(live->cli, live->lanes[0].site);
	struct layout layout = lay_out(live, look.width);
	char time[16];
	snprintf(time, sizeof(time), "%02d:%02d:%02d", now->hour, now->minute, now->second);
	if (head_is_due(live)) {
		add_head(out, &layout, look.language);
		live->rows_below = 0;
		live->head = false;
	}
	for (size_t i = live->first; i < live->lane_count; i++, live->rows_below++)
		add_lane(out, &live->lanes[i], &layout, time, &look);
}

/* --- for programs --- */

static void
add_program(struct buf *out, struct live *live, const struct local_time *now)
{
	enum { TIME, SITE, NUMBERS };
	struct column columns[NUMBERS + LIVE_NUMBERS] = {
		[TIME] = {"time", WORD_TIME, COLUMN_TEXT, NULL},
		[SITE] = {"site", WORD_SITE, COLUMN_TEXT, NULL},
	};
	for (int i = 0; i < LIVE_NUMBERS; i++)
		columns[NUMBERS + i] = (struct column){numbers_of[i].key, numbers_of[i].word,
						       numbers_of[i].type, NULL};
	struct table table;
	struct look look = {.width = 80};
	char day[PERIOD_NAME_SIZE], time[64];
	int offset = now->offset / 60, ahead = offset < 0 ? -offset : offset;
	snprintf(time, sizeof(time), "%sT%02d:%02d:%02d%c%02d:%02d",
		 period_name(PERIOD_DAY, now->day, day), now->hour, now->minute, now->second,
		 offset < 0 ? '-' : '+', ahead / 60, ahead % 60);
	table_init(&table, columns, COUNT_OF(columns));
	for (size_t i = live->first; i < live->lane_count; i++) {
		struct cell *row = table_row(&table);
		cell_text(&row[TIME], slice_of(time));
		cell_text(&row[SITE], slice_of(live->lanes[i].key));
		for (int j = 0; j < LIVE_NUMBERS; j++)
			cell_count(&row[NUMBERS + j], live->lanes[i].numbers[j]);
	}
	table_render(out, &table, live->cli->rendering, &look);
	const char *head_end = memmem(out->data, out->len, "\r\n", 2);
	if (live->cli->rendering == RENDER_CSV && !live->head && head_end) {
		size_t head = (size_t)(head_end + 2 - out->data);
		memmove(out->data, out->data + head, out->len - head);
		out->len -= head;
	}
	live->head = false;
	table_release(&table);
}

/* --- the loop --- */

/* Whoever read along and has left ends the program as it would any other. */
static void
write_rows(const struct buf *out)
{
	if (fwrite(out->data, 1, out->len, stdout) == out->len && fflush(stdout) == 0)
		return;
	if (errno == EPIPE) {
		signal(SIGPIPE, SIG_DFL);
		raise(SIGPIPE);
	}
	cli_fail(CLI_NO, "cannot write to standard output: %s", strerror(errno));
}

static void
show(struct live *live)
{
	struct buf out = {0};
	int64_t utc;
	struct local_time now = cli_now(live->lanes[0].site, &utc);
	for (size_t i = 0; i < live->lane_count; i++)
		remember(&live->lanes[i]);
	if (live->cli->rendering == RENDER_TABLE)
		add_people(&out, live, &now);
	else
		add_program(&out, live, &now);
	write_rows(&out);
	buf_release(&out);
	if (live->rows_left > 0)
		live->rows_left--;
}

/* Rows come at whole seconds after the first look, however long each takes. Returns the signal that ended it, or 0. */
static int
run(struct live *live)
{
	int64_t next = clock_mono_ms() + TICK_MS;
	while (live->rows_left != 0) {
		switch (keyboard_wait(live->keyboard, next)) {
		case KEYBOARD_QUIT:
			return 0;
		case KEYBOARD_SIGNAL:
			return keyboard_signal(live->keyboard);
		case KEYBOARD_RESIZE:
			live->head = true;
			break;
		case KEYBOARD_TIME:
			take_all(live);
			show(live);
			next += TICK_MS;
			if (next < clock_mono_ms())
				next = clock_mono_ms() + TICK_MS;
			break;
		}
	}
	return 0;
}

/* Of several sites that nobody named, their sum alone is shown. */
static void
init_lanes(struct live *live)
{
	size_t count;
	const struct cli *cli = live->cli;
	const struct conf_site **sites = cli_sites(cli, true, &count);
	live->sum = count > 1 && cli->site_key_count == 0;
	live->lane_count = count + live->sum;
	live->first = live->sum && !cli->all ? count : 0;
	live->lanes = xcalloc(live->lane_count, sizeof(*live->lanes));
	for (size_t i = 0; i < count; i++)
		live->lanes[i] = (struct lane){.key = sites[i]->key, .site = sites[i]};
	if (live->sum)
		live->lanes[count] = (struct lane){.key = TABLE_TOTAL};
	free(sites);
}

int
cmd_live(struct cli *cli)
{
	struct live live = {.cli = cli, .rows_left = cli->limit ? cli->limit : -1, .head = true};
	if (cli->rendering == RENDER_ONELINE || cli->rendering == RENDER_PROM)
		cli_fail(CLI_USAGE,
			 "live has rows without an end: --table, --tsv, --csv or --ndjson");
	if (cli->rendering == RENDER_JSON)
		cli->rendering = RENDER_NDJSON;
	init_lanes(&live);
	live.store = cli_store(cli);
	live.keyboard = keyboard_new();
	take_all(&live);
	int ended_by = run(&live);
	keyboard_free(live.keyboard);
	store_free(live.store);
	free(live.lanes);
	if (ended_by) {
		signal(ended_by, SIG_DFL);
		raise(ended_by);
	}
	return CLI_FINE;
}
