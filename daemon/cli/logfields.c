/* SPDX-License-Identifier: BSD-2-Clause */
/* The names of a log line's parts. Allocates nothing. */
#include "cli/logfields.h"

/* nginx' variables, Caddy's keys, and what people call them in logs of their own making. */
static const struct row {
	const char *name;
	enum logfield field;
} rows[] = {
	{"client_ip", LOGFIELD_HOST},
	{"remote_addr", LOGFIELD_HOST},
	{"remote_ip", LOGFIELD_HOST},
	{"clientip", LOGFIELD_HOST},
	{"http_x_real_ip", LOGFIELD_HOST},
	{"time_iso8601", LOGFIELD_TIME},
	{"time_local", LOGFIELD_TIME},
	{"msec", LOGFIELD_TIME},
	{"ts", LOGFIELD_TIME},
	{"@timestamp", LOGFIELD_TIME},
	{"timestamp", LOGFIELD_TIME},
	{"time", LOGFIELD_TIME},
	{"event_datetime", LOGFIELD_TIME},
	{"request", LOGFIELD_REQUEST},
	{"request_method", LOGFIELD_METHOD},
	{"method", LOGFIELD_METHOD},
	{"request_uri", LOGFIELD_TARGET},
	{"uri", LOGFIELD_TARGET},
	{"document_uri", LOGFIELD_TARGET},
	{"status", LOGFIELD_STATUS},
	{"http_referer", LOGFIELD_REFERRER},
	{"http_referrer", LOGFIELD_REFERRER},
	{"referer", LOGFIELD_REFERRER},
	{"referrer", LOGFIELD_REFERRER},
	{"http_user_agent", LOGFIELD_AGENT},
	{"user-agent", LOGFIELD_AGENT},
	{"user_agent", LOGFIELD_AGENT},
	{"http_host", LOGFIELD_VHOST},
	{"host", LOGFIELD_VHOST},
	{"server_name", LOGFIELD_VHOST},
};

int
logfields_find(struct slice name)
{
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (slice_case_eq(name, slice_of(rows[i].name)))
			return (int)i;
	return -1;
}

enum logfield
logfields_of(int row)
{
	return row < 0 ? LOGFIELD_NONE : rows[row].field;
}

static bool
set_status(struct access *access, struct slice value)
{
	access->status = 0;
	for (size_t i = 0; i < value.len; i++)
		if (value.ptr[i] >= '0' && value.ptr[i] <= '9' && i < 3)
			access->status = access->status * 10 + (value.ptr[i] - '0');
		else
			return false;
	return value.len == 3;
}

void
logfields_set(struct logfields *fields, struct accesslog *log, int row, struct slice value)
{
	struct access *access = fields->access;
	enum logfield field = logfields_of(row);
	if (field == LOGFIELD_NONE || (fields->ranks[field] && fields->ranks[field] <= row + 1))
		return;
	fields->ranks[field] = (uint8_t)(row + 1);
	struct slice *const texts[LOGFIELDS] = {
		[LOGFIELD_HOST] = &access->host,         [LOGFIELD_METHOD] = &access->method,
		[LOGFIELD_TARGET] = &access->target,     [LOGFIELD_AGENT] = &access->agent,
		[LOGFIELD_REFERRER] = &access->referrer, [LOGFIELD_VHOST] = &access->vhost,
	};
	if (texts[field])
		*texts[field] = accesslog_dash(value);
	else if (field == LOGFIELD_REQUEST && !fields->ranks[LOGFIELD_TARGET])
		accesslog_request(value, access);
	else if (field == LOGFIELD_TIME && !accesslog_time(log, value, &access->utc))
		fields->bad = true;
	else if (field == LOGFIELD_STATUS && !set_status(access, value))
		fields->bad = true;
}

bool
logfields_complete(const struct logfields *fields)
{
	const uint8_t *ranks = fields->ranks;
	return !fields->bad && fields->access->host.len > 0 && ranks[LOGFIELD_TIME] &&
	       ranks[LOGFIELD_STATUS] &&
	       (ranks[LOGFIELD_REQUEST] || (ranks[LOGFIELD_METHOD] && ranks[LOGFIELD_TARGET]));
}
