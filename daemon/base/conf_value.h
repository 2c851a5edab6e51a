/* SPDX-License-Identifier: BSD-2-Clause */
/* The syntax of single configuration values (pure): text in, value out, false when it is none. */
#ifndef BASE_CONF_VALUE_H
#define BASE_CONF_VALUE_H

#include "base/base.h"

enum { CONF_HOST_MAX = 253 };

/* Decimal digits, nothing else. */
bool conf_parse_number(const char *text, int64_t *out);
/* "1GiB", "64MiB", "512KiB", or plain bytes. */
bool conf_parse_size(const char *text, int64_t *out);
/* "30d", "24h", "90m", "10s", or plain seconds. */
bool conf_parse_seconds(const char *text, int64_t *out);
bool conf_parse_switch(const char *text, int64_t *out);
/* The inverse of the two with units, in the largest that fits: "4MiB", "30d". Returns `out`. */
char *conf_format_size(int64_t bytes, char *out, size_t size);
char *conf_format_seconds(int64_t seconds, char *out, size_t size);

/*
 * A site's host in the form in which it is compared: lower case, an IPv6 address in its shortest spelling and
 * without brackets. "*" and "*.name" are allowed, a scheme, a port and a path are not.
 */
bool conf_parse_host(const char *text, char out[CONF_HOST_MAX + 1]);

/* The parts of "host:port", "[v6]:port" or "unix:/path", borrowed from `text`, and whether " proxy" follows. */
struct conf_address {
	struct slice host, port, path;
	bool proxy;
};
bool conf_parse_listen(const char *text, struct conf_address *out);

/* "" or "/prefix"; a trailing slash is left out of *out. */
bool conf_parse_base_path(const char *text, struct slice *out);
/* "private", "unix:/path" or "redis://..." with something after it. */
bool conf_parse_redis(const char *text);
/* [A-Za-z0-9][A-Za-z0-9:._-]*: nothing that means something in a key or a pattern. */
bool conf_parse_redis_prefix(const char *text);
bool conf_parse_query_key(const char *text);
/* [a-z0-9][a-z0-9._-]{0,62} */
bool conf_parse_site_key(const char *text);

#endif
