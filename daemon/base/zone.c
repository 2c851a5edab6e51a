/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time zones from TZif files (RFC 8536): the table of offset changes and, after its end, the rule of the footer. Keeps
 * offsets only: abbreviations, the DST flag, leap seconds and the standard/UT marks are checked for room and skipped.
 * Never uses the C library's own zone, of which there is one per process.
 */
#include "base/zone.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/period.h"

enum {
	FILE_MAX = 256 * 1024, /* the largest of tzdata's has 6 KiB */
	NAME_MAX_LEN = 255,
	HEADER_SIZE = 44,
	TYPE_SIZE = 6,
	TYPES_MAX = 256,        /* an index is one byte */
	MAX_OFFSET = 26 * 3600, /* RFC 8536 section 3.2: between -25 and +26 hours */
	MINUTE = 60,
	HOUR = 3600,
	DAY = 86400,
	JULIAN_FEBRUARY_28 = 59,
	LAST_WEEK = 5,  /* of a month, also when it is the fourth */
	RULE_YEARS = 5, /* those around a moment whose changes can touch its span */
};

static const int64_t big_bang =
	-((int64_t)1 << 59); /* RFC 8536 section 3.2: no change is earlier */
/* Daylight saving is computed for the years 1 to 9998, outside of which no site lives. */
static const int64_t rule_first = -62135596800, rule_last = 253370764800 - 1;

/* From `at` on, `offset` holds. */
struct change {
	int64_t at;
	int32_t offset;
};

/* When a rule changes the clock: a day of the year and seconds after its local midnight. */
struct rule_date {
	enum { RULE_MONTH_WEEK_DAY, RULE_JULIAN, RULE_ZERO_BASED } form;
	int month, week, weekday; /* Mm.w.d: 1 to 12, 1 to LAST_WEEK, 0 (Sunday) to 6 */
	int day;                  /* Jn: 1 to 365 without February 29; n: 0 to 365 with it */
	int32_t seconds;
};

struct rule {
	int32_t standard, daylight; /* offsets */
	bool changes;               /* false: standard all the year */
	struct rule_date to_daylight, to_standard;
};

struct zone {
	struct rule rule;
	int64_t rule_from; /* the rule holds from here on; INT64_MAX: the last change goes on */
	size_t count;
	struct change changes[]; /* ascending; the first one holds since ever */
};

/* --- the footer: a TZ string as POSIX has it, hours widened by RFC 8536 section 3.3.1 --- */

/* A cursor over text; an unsuccessful read leaves it anywhere. */
static bool
take_char(struct slice *text, char wanted)
{
	if (text->len == 0 || text->ptr[0] != wanted)
		return false;
	text->ptr++;
	text->len--;
	return true;
}

static bool
take_number(struct slice *text, int least, int most, int *out)
{
	size_t digits = 0;
	int value = 0;
	while (digits < text->len && digits < 4 && text->ptr[digits] >= '0' &&
	       text->ptr[digits] <= '9')
		value = value * 10 + (text->ptr[digits++] - '0');
	text->ptr += digits;
	text->len -= digits;
	*out = value;
	return digits > 0 && value >= least && value <= most;
}

/* [+-]hh[:mm[:ss]] */
static bool
take_time(struct slice *text, int most_hours, int32_t *seconds)
{
	int hours, minutes = 0, rest = 0;
	bool negative = take_char(text, '-');
	if (!negative)
		(void)take_char(text, '+');
	if (!take_number(text, 0, most_hours, &hours))
		return false;
	if (take_char(text, ':')) {
		if (!take_number(text, 0, 59, &minutes))
			return false;
		if (take_char(text, ':') && !take_number(text, 0, 59, &rest))
			return false;
	}
	*seconds = hours * HOUR + minutes * MINUTE + rest;
	if (negative)
		*seconds = -*seconds;
	return true;
}

static bool
is_letter(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool
is_name_char(char c, bool quoted)
{
	return is_letter(c) || (quoted && ((c >= '0' && c <= '9') || c == '+' || c == '-'));
}

/* "EST" or "<+0330>": three characters at least; the name itself is of no use here. */
static bool
skip_abbreviation(struct slice *text)
{
	bool quoted = take_char(text, '<');
	size_t len = 0;
	while (len < text->len && is_name_char(text->ptr[len], quoted))
		len++;
	text->ptr += len;
	text->len -= len;
	return len >= 3 && (!quoted || take_char(text, '>'));
}

/* "Mm.w.d", "Jn" or "n", then perhaps "/time"; 02:00 without. */
static bool
take_rule_date(struct slice *text, struct rule_date *date)
{
	*date = (struct rule_date){.form = RULE_ZERO_BASED, .seconds = 2 * HOUR};
	if (take_char(text, 'M')) {
		date->form = RULE_MONTH_WEEK_DAY;
		if (!take_number(text, 1, 12, &date->month) || !take_char(text, '.') ||
		    !take_number(text, 1, 5, &date->week) || !take_char(text, '.') ||
		    !take_number(text, 0, 6, &date->weekday))
			return false;
	} else if (take_char(text, 'J')) {
		date->form = RULE_JULIAN;
		if (!take_number(text, 1, 365, &date->day))
			return false;
	} else if (!take_number(text, 0, 365, &date->day)) {
		return false;
	}
	return !take_char(text, '/') || take_time(text, 167, &date->seconds);
}

static bool
parse_rule(struct slice text, struct rule *rule)
{
	int32_t west;
	*rule = (struct rule){0};
	if (!skip_abbreviation(&text) || !take_time(&text, 24, &west))
		return false;
	rule->standard = -west;
	if (text.len == 0)
		return true;
	rule->changes = true;
	rule->daylight = rule->standard + HOUR;
	if (!skip_abbreviation(&text))
		return false;
	if (text.len > 0 && text.ptr[0] != ',') {
		if (!take_time(&text, 24, &west))
			return false;
		rule->daylight = -west;
	}
	return take_char(&text, ',') && take_rule_date(&text, &rule->to_daylight) &&
	       take_char(&text, ',') && take_rule_date(&text, &rule->to_standard) && text.len == 0;
}

/* --- the file --- */

/* Bytes yet to be read. Reading past the end sets `bad` and gives zeros. */
struct input {
	const unsigned char *at;
	size_t left;
	bool bad;
};

/* `size` bytes, or NULL when there are not so many. */
static const unsigned char *
take_bytes(struct input *in, uint64_t size)
{
	const unsigned char *bytes = in->at;
	if (in->bad || size > in->left) {
		in->bad = true;
		return NULL;
	}
	in->at += size;
	in->left -= (size_t)size;
	return bytes;
}

static uint64_t
big_endian(const unsigned char *bytes, size_t size)
{
	uint64_t value = 0;
	for (size_t i = 0; i < size; i++)
		value = value << 8 | bytes[i];
	return value;
}

struct header {
	int version; /* 1 to 4 */
	uint32_t ut_marks, standard_marks, leaps, times, types, chars;
};

static bool
take_header(struct input *in, struct header *header)
{
	const unsigned char *bytes = take_bytes(in, HEADER_SIZE);
	if (!bytes || memcmp(bytes, "TZif", 4) != 0)
		return false;
	if (bytes[4] != '\0' && (bytes[4] < '2' || bytes[4] > '4'))
		return false;
	header->version = bytes[4] ? bytes[4] - '0' : 1;
	uint32_t *const counts[] = {&header->ut_marks, &header->standard_marks, &header->leaps,
				    &header->times,    &header->types,          &header->chars};
	for (size_t i = 0; i < COUNT_OF(counts); i++)
		*counts[i] = (uint32_t)big_endian(bytes + 20 + 4 * i, 4);
	return true;
}

static bool
counts_are_sound(const struct header *header)
{
	return header->types >= 1 && header->types <= TYPES_MAX && header->chars >= 1 &&
	       (header->ut_marks == 0 || header->ut_marks == header->types) &&
	       (header->standard_marks == 0 || header->standard_marks == header->types);
}

/* The data that follow a header, in their order. */
struct block {
	const unsigned char *times, *indices, *types, *chars;
};

static bool
take_block(struct input *in, const struct header *header, size_t time_size, struct block *block)
{
	block->times = take_bytes(in, (uint64_t)header->times * time_size);
	block->indices = take_bytes(in, header->times);
	block->types = take_bytes(in, (uint64_t)header->types * TYPE_SIZE);
	block->chars = take_bytes(in, header->chars);
	take_bytes(in, (uint64_t)header->leaps * (time_size + 4));
	take_bytes(in, header->standard_marks);
	take_bytes(in, header->ut_marks);
	return !in->bad;
}

static bool
read_offsets(const struct header *header, const struct block *block, int32_t offsets[TYPES_MAX])
{
	for (size_t i = 0; i < header->types; i++) {
		const unsigned char *type = block->types + i * TYPE_SIZE;
		offsets[i] = (int32_t)(uint32_t)big_endian(type, 4);
		if (offsets[i] <= -MAX_OFFSET || offsets[i] >= MAX_OFFSET || type[4] > 1 ||
		    type[5] >= header->chars)
			return false;
	}
	return block->chars[header->chars - 1] == '\0';
}

static int64_t
read_time(const struct block *block, size_t index, size_t time_size)
{
	uint64_t bits = big_endian(block->times + index * time_size, time_size);
	return time_size == 4 ? (int32_t)(uint32_t)bits : (int64_t)bits;
}

/* Changes of nothing but the abbreviation are left out. */
static bool
read_changes(struct zone *zone, const struct header *header, const struct block *block,
	     size_t time_size)
{
	int32_t offsets[TYPES_MAX];
	if (!counts_are_sound(header) || !read_offsets(header, block, offsets))
		return false;
	int64_t before = big_bang - 1;
	zone->changes[0] = (struct change){INT64_MIN, offsets[0]};
	zone->count = 1;
	for (size_t i = 0; i < header->times; i++) {
		int64_t at = read_time(block, i, time_size);
		if (at <= before || block->indices[i] >= header->types)
			return false;
		before = at;
		int32_t offset = offsets[block->indices[i]];
		if (offset != zone->changes[zone->count - 1].offset)
			zone->changes[zone->count++] = (struct change){at, offset};
	}
	zone->rule_from = header->times ? before : INT64_MIN;
	return true;
}

/* For ever: no rule is needed, and zone_at() need not end a span where the file's last entry stands. */
static void
keep_last_offset(struct zone *zone)
{
	zone->rule = (struct rule){.standard = zone->changes[zone->count - 1].offset};
	zone->rule_from = INT64_MAX;
}

/* "\n<TZ string>\n"; an empty one says nothing about the time after the last change. */
static bool
read_footer(struct zone *zone, struct input *in)
{
	const unsigned char *start = take_bytes(in, 1);
	if (!start || *start != '\n')
		return false;
	const unsigned char *end = memchr(in->at, '\n', in->left);
	if (!end)
		return false;
	struct slice text = {(const char *)in->at, (size_t)(end - in->at)};
	if (text.len > 0 && !parse_rule(text, &zone->rule))
		return false;
	bool same = zone->rule.standard == zone->changes[zone->count - 1].offset;
	if (text.len == 0 || (same && !zone->rule.changes))
		keep_last_offset(zone);
	return true;
}

int
zone_parse(const void *bytes, size_t len, struct zone **out)
{
	struct input in = {.at = bytes, .left = len};
	struct header header;
	struct block block;
	size_t time_size = 4;
	*out = NULL;
	if (len > FILE_MAX || !take_header(&in, &header) || !take_block(&in, &header, 4, &block))
		return ZONE_BAD;
	if (header.version >= 2) {
		time_size = 8;
		if (!take_header(&in, &header) || header.version < 2 ||
		    !take_block(&in, &header, 8, &block))
			return ZONE_BAD;
	}
	struct zone *zone =
		xcalloc(1, sizeof(*zone) + ((size_t)header.times + 1) * sizeof(zone->changes[0]));
	bool good = read_changes(zone, &header, &block, time_size);
	if (good && time_size == 4)
		keep_last_offset(zone);
	else
		good = good && read_footer(zone, &in);
	if (!good) {
		zone_free(zone);
		return ZONE_BAD;
	}
	*out = zone;
	return 0;
}

void
zone_free(struct zone *zone)
{
	free(zone);
}

/* Letters, digits, "+-_." and single slashes between parts that do not begin with a dot. */
static bool
name_is_safe(const char *name)
{
	size_t len = strlen(name);
	char before = '/';
	if (len == 0 || len > NAME_MAX_LEN)
		return false;
	for (size_t i = 0; i < len; before = name[i++]) {
		if (before == '/' && (name[i] == '/' || name[i] == '.'))
			return false;
		if (!is_name_char(name[i], true) && !strchr("_./", name[i]))
			return false;
	}
	return before != '/';
}

/* Reads at most FILE_MAX + 1 bytes, so that zone_parse sees when a file is too large. */
static ssize_t
read_file(const char *path, char *bytes)
{
	struct stat status;
	size_t len = 0;
	ssize_t got = -1;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -1;
	if (fstat(fd, &status) == 0 && S_ISREG(status.st_mode))
		while ((got = read(fd, bytes + len, FILE_MAX + 1 - len)) > 0)
			len += (size_t)got;
	close(fd);
	return got < 0 ? -1 : (ssize_t)len;
}

int
zone_load(const char *dir, const char *name, struct zone **out)
{
	char path[4096];
	*out = NULL;
	if (!dir)
		dir = getenv("TZDIR");
	if (!dir || !*dir)
		dir = "/usr/share/zoneinfo";
	if (!name_is_safe(name))
		return ZONE_UNKNOWN;
	int path_len = snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (path_len < 0 || (size_t)path_len >= sizeof(path))
		return ZONE_UNKNOWN;
	char *bytes = xmalloc(FILE_MAX + 1);
	ssize_t len = read_file(path, bytes);
	int result = len < 0 ? ZONE_UNKNOWN : zone_parse(bytes, (size_t)len, out);
	free(bytes);
	return result;
}

/* --- moments --- */

/* The first day from `day` on that is the weekday (0 Sunday). */
static int32_t
next_weekday(int32_t day, int weekday)
{
	return day + (weekday - weekday_of_day(day) + 7) % 7;
}

/* The day on which a rule's date falls in a year. */
static int32_t
rule_day(const struct rule_date *date, int32_t year)
{
	struct civil start = {year, 1, 1};
	if (date->form == RULE_ZERO_BASED)
		return day_of_civil(start) + date->day;
	if (date->form == RULE_JULIAN && date->day <= JULIAN_FEBRUARY_28)
		return day_of_civil(start) + date->day - 1;
	if (date->form == RULE_JULIAN) {
		start.month = 3;
		return day_of_civil(start) + date->day - JULIAN_FEBRUARY_28 - 1;
	}
	start.month = date->month;
	if (date->week < LAST_WEEK)
		return next_weekday(day_of_civil(start), date->weekday) + (date->week - 1) * 7;
	start.month = date->month % 12 + 1;
	start.year += date->month == 12;
	return next_weekday(day_of_civil(start) - 7, date->weekday);
}

/* Puts a change into its place; of two at one moment the later put one is last, and wins. */
static void
insert_change(struct change *changes, size_t *count, struct change change)
{
	size_t place = (*count)++;
	for (; place > 0 && changes[place - 1].at > change.at; place--)
		changes[place] = changes[place - 1];
	changes[place] = change;
}

/* The rule's changes of the years around `utc`: far enough that the first lies before it and the last after. */
static size_t
rule_changes(const struct rule *rule, int64_t utc, struct change out[2 * RULE_YEARS])
{
	int32_t year = civil_of_day((int32_t)(utc / DAY)).year - RULE_YEARS / 2;
	size_t count = 0;
	for (int i = 0; i < RULE_YEARS; i++, year++) {
		int64_t begin = (int64_t)rule_day(&rule->to_daylight, year) * DAY;
		int64_t end = (int64_t)rule_day(&rule->to_standard, year) * DAY;
		begin += rule->to_daylight.seconds - rule->standard;
		end += rule->to_standard.seconds - rule->daylight;
		insert_change(out, &count, (struct change){begin, rule->daylight});
		insert_change(out, &count, (struct change){end, rule->standard});
	}
	return count;
}

static struct zone_span
rule_span(const struct zone *zone, int64_t utc)
{
	const struct rule *rule = &zone->rule;
	if (!rule->changes)
		return (struct zone_span){zone->rule_from, INT64_MAX, rule->standard};
	if (utc < rule_first || utc > rule_last)
		return (struct zone_span){utc, utc < INT64_MAX ? utc + 1 : utc, rule->standard};
	struct change changes[2 * RULE_YEARS];
	size_t count = rule_changes(rule, utc, changes), next = 1;
	while (next + 1 < count && changes[next].at <= utc)
		next++;
	int64_t from = changes[next - 1].at;
	return (struct zone_span){
		.from = from > zone->rule_from ? from : zone->rule_from,
		.to = changes[next].at,
		.offset = changes[next - 1].offset,
	};
}

struct zone_span
zone_at(const struct zone *zone, int64_t utc)
{
	if (utc >= zone->rule_from)
		return rule_span(zone, utc);
	size_t low = 0, high = zone->count; /* changes[low].at <= utc < changes[high].at */
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (zone->changes[middle].at <= utc)
			low = middle;
		else
			high = middle;
	}
	return (struct zone_span){
		.from = zone->changes[low].at,
		.to = high < zone->count ? zone->changes[high].at : zone->rule_from,
		.offset = zone->changes[low].offset,
	};
}

struct local_time
zone_span_local(struct zone_span span, int64_t utc)
{
	int64_t local = utc + span.offset;
	int64_t day = local / DAY - (local % DAY < 0);
	int32_t second = (int32_t)(local - day * DAY);
	return (struct local_time){
		.day = (int32_t)day,
		.hour = second / HOUR,
		.minute = second / MINUTE % 60,
		.second = second % MINUTE,
		.offset = span.offset,
	};
}

struct local_time
zone_local(const struct zone *zone, int64_t utc)
{
	return zone_span_local(zone_at(zone, utc), utc);
}
