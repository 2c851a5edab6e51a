/* SPDX-License-Identifier: BSD-2-Clause */
/* Splits a line of CSV and names its parts. Allocates nothing. */
#include "cli/goatcounter.h"

struct cells {
	struct slice of[GOATCOUNTER_COLUMNS_MAX];
	size_t count;
};

/* Takes a cell and the comma behind it off; quotes go, doubled ones stay. */
static bool
take_cell(struct slice *rest, struct slice *cell)
{
	const char *end = rest->ptr + rest->len, *at = rest->ptr;
	bool quoted = rest->len > 0 && *at == '"';
	if (quoted) {
		for (at++; at < end && !(*at == '"' && (at + 1 == end || at[1] != '"')); at++)
			at += *at == '"';
		if (at >= end)
			return false;
		*cell = (struct slice){rest->ptr + 1, (size_t)(at - rest->ptr - 1)};
		at++;
	} else {
		const char *comma = rest->len ? memchr(at, ',', rest->len) : NULL;
		at = comma ? comma : end;
		*cell = (struct slice){rest->ptr, (size_t)(at - rest->ptr)};
	}
	if (at < end && *at != ',')
		return false;
	at += at < end;
	*rest = (struct slice){at, (size_t)(end - at)};
	return true;
}

static bool
split(struct slice line, struct cells *cells)
{
	cells->count = 0;
	if (line.len == 0 || memchr(line.ptr, '\0', line.len))
		return false;
	bool last = false;
	while (!last) {
		if (cells->count == GOATCOUNTER_COLUMNS_MAX)
			return false;
		const char *end = line.ptr + line.len;
		if (!take_cell(&line, &cells->of[cells->count++]))
			return false;
		last = line.len == 0 && end[-1] != ',';
		if (line.len == 0 && end[-1] == ',' && cells->count < GOATCOUNTER_COLUMNS_MAX) {
			cells->of[cells->count++] = (struct slice){end, 0};
			last = true;
		}
	}
	return true;
}

/* The first name has the version of the format before it. */
static bool
is_header(const struct cells *cells)
{
	return slice_eq(cells->of[0], SLICE("2Path")) || slice_eq(cells->of[0], SLICE("1Path"));
}

bool
goatcounter_header(struct goatcounter *columns, struct slice line)
{
	const struct {
		struct slice name;
		uint8_t *column;
	} names[] = {
		{SLICE("Event"), &columns->event},
		{SLICE("Session"), &columns->session},
		{SLICE("Bot"), &columns->bot},
		{SLICE("Referrer"), &columns->referrer},
		{SLICE("Browser"), &columns->browser},
		{SLICE("Referrer scheme"), &columns->scheme},
		{SLICE("System"), &columns->system},
		{SLICE("Screen size"), &columns->screen},
		{SLICE("Location"), &columns->location},
		{SLICE("Date"), &columns->date},
	};
	struct cells cells;
	*columns = (struct goatcounter){0};
	if (!split(line, &cells) || !is_header(&cells))
		return false;
	columns->path = 1;
	for (size_t i = 1; i < cells.count; i++)
		for (size_t k = 0; k < COUNT_OF(names); k++)
			if (slice_eq(cells.of[i], names[k].name))
				*names[k].column = (uint8_t)(i + 1);
	return columns->session && columns->date && columns->bot && columns->event;
}

static struct slice
cell(const struct cells *cells, uint8_t column)
{
	return column > 0 && column <= cells->count ? cells->of[column - 1] : (struct slice){0};
}

/* "Firefox 128.0" is Firefox. */
static struct slice
without_version(struct slice name)
{
	size_t len = name.len;
	while (len > 0 &&
	       (name.ptr[len - 1] == '.' || (name.ptr[len - 1] >= '0' && name.ptr[len - 1] <= '9')))
		len--;
	if (len > 1 && len < name.len && name.ptr[len - 1] == ' ')
		name.len = len - 1;
	return name.len ? name : (struct slice){0};
}

/* "VN", or with a region, "VN-HN". */
static struct slice
country_of(struct slice location)
{
	bool good = location.len == 2 || (location.len > 2 && location.ptr[2] == '-');
	for (size_t i = 0; good && i < 2; i++)
		good = location.ptr[i] >= 'A' && location.ptr[i] <= 'Z';
	return good ? (struct slice){location.ptr, 2} : (struct slice){0};
}

/* "1920,1080,1" is 1920 wide; 0 is not known. */
static struct slice
width_of(struct slice size)
{
	size_t len = 0;
	while (len < size.len && size.ptr[len] >= '0' && size.ptr[len] <= '9')
		len++;
	return len > 0 && size.ptr[0] != '0' ? (struct slice){size.ptr, len} : (struct slice){0};
}

/* Those of the scheme "h" are addresses; the others are words of GoatCounter's own, and not known here. */
static struct slice
referrer_of(const struct goatcounter *columns, const struct cells *cells)
{
	struct slice referrer = cell(cells, columns->referrer);
	bool address = slice_eq(cell(cells, columns->scheme), SLICE("h"));
	return referrer.len == 0 || address ? referrer : (struct slice){0};
}

bool
goatcounter_parse(const struct goatcounter *columns, struct accesslog *log, struct slice line,
		  struct access *access)
{
	struct cells cells;
	*access = (struct access){.escape = ACCESS_DOUBLED};
	if (!split(line, &cells))
		return false;
	if (is_header(&cells))
		return true;
	struct slice bot = cell(&cells, columns->bot), path = cell(&cells, columns->path);
	if (!accesslog_time(log, cell(&cells, columns->date), &access->utc) || bot.len == 0 ||
	    path.len == 0)
		return false;
	access->host = cell(&cells, columns->session);
	access->counted = !slice_eq(cell(&cells, columns->event), SLICE("true"));
	access->bot = !slice_eq(bot, SLICE("0"));
	if (access->counted)
		access->target = path;
	access->referrer = referrer_of(columns, &cells);
	access->browser = without_version(cell(&cells, columns->browser));
	access->system = without_version(cell(&cells, columns->system));
	access->country = country_of(cell(&cells, columns->location));
	access->screen = width_of(cell(&cells, columns->screen));
	return true;
}
