/* SPDX-License-Identifier: BSD-2-Clause */
/* The syntax of single configuration values. Knows no key and no file, allocates nothing. */
#include "base/conf_value.h"

#include <arpa/inet.h>
#include <sys/un.h>

#include "base/conf.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

enum { QUERY_KEY_MAX = 64, LABEL_MAX = 63 };

struct unit {
	const char *name;
	int64_t factor;
};

/* Largest first, as the formatting wants them. */
static const struct unit size_units[] = {
	{"TiB", INT64_C(1) << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"", 1},
};
static const struct unit second_units[] = {
	{"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}, {"", 1},
};

static bool
starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool
only(const char *text, const char *allowed)
{
	return text[strspn(text, allowed)] == '\0';
}

/* At most 18 digits, so that nothing overflows. Returns what follows them, NULL when there are none or more. */
static const char *
read_digits(const char *text, int64_t *out)
{
	size_t len = strspn(text, DIGITS);
	if (len == 0 || len > 18)
		return NULL;
	*out = 0;
	for (size_t i = 0; i < len; i++)
		*out = *out * 10 + (text[i] - '0');
	return text + len;
}

bool
conf_parse_number(const char *text, int64_t *out)
{
	const char *rest = read_digits(text, out);
	return rest && *rest == '\0';
}

static bool
parse_scaled(const char *text, const struct unit *units, size_t count, int64_t *out)
{
	const char *rest = read_digits(text, out);
	if (!rest)
		return false;
	for (size_t i = 0; i < count; i++)
		if (strcmp(rest, units[i].name) == 0)
			return !__builtin_mul_overflow(*out, units[i].factor, out);
	return false;
}

bool
conf_parse_size(const char *text, int64_t *out)
{
	return parse_scaled(text, size_units, COUNT_OF(size_units), out);
}

bool
conf_parse_seconds(const char *text, int64_t *out)
{
	return parse_scaled(text, second_units, COUNT_OF(second_units), out);
}

static char *
format_scaled(int64_t value, const struct unit *unit, char *out, size_t size)
{
	while (unit->factor > 1 && (value < unit->factor || value % unit->factor != 0))
		unit++;
	snprintf(out, size, "%" PRId64 "%s", value / unit->factor, unit->name);
	return out;
}

char *
conf_format_size(int64_t bytes, char *out, size_t size)
{
	return format_scaled(bytes, size_units, out, size);
}

char *
conf_format_seconds(int64_t seconds, char *out, size_t size)
{
	return format_scaled(seconds, second_units, out, size);
}

bool
conf_parse_switch(const char *text, int64_t *out)
{
	static const char *const words[] = {"false", "true", "no", "yes", "off", "on"};
	for (size_t i = 0; i < COUNT_OF(words); i++) {
		if (strcmp(text, words[i]) != 0)
			continue;
		*out = (int64_t)(i % 2);
		return true;
	}
	return false;
}

/* Labels of 1 to 63 bytes between dots. */
static bool
labels_are_sound(const char *name)
{
	for (;;) {
		size_t len = strcspn(name, ".");
		if (len == 0 || len > LABEL_MAX)
			return false;
		if (name[len] == '\0')
			return true;
		name += len + 1;
	}
}

static bool
host_name_ok(const char *name)
{
	return only(name, LOWER DIGITS "._-") && labels_are_sound(name);
}

static bool
shorten_ipv6(char host[CONF_HOST_MAX + 1])
{
	struct in6_addr address;
	size_t len = strlen(host);
	if (host[0] == '[' && host[len - 1] == ']') {
		memmove(host, host + 1, len - 2);
		host[len - 2] = '\0';
	}
	return inet_pton(AF_INET6, host, &address) == 1 &&
	       inet_ntop(AF_INET6, &address, host, CONF_HOST_MAX);
}

bool
conf_parse_host(const char *text, char out[CONF_HOST_MAX + 1])
{
	size_t len = strlen(text);
	if (len == 0 || len > CONF_HOST_MAX)
		return false;
	for (size_t i = 0; i <= len; i++)
		out[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] | 0x20) : text[i];
	if (strchr(out, ':'))
		return shorten_ipv6(out);
	return strcmp(out, "*") == 0 || host_name_ok(starts_with(out, "*.") ? out + 2 : out);
}

static bool
listen_host_ok(struct slice host, bool bracketed)
{
	char name[CONF_HOST_MAX + 1];
	struct in6_addr address;
	if (host.len == 0 || host.len > CONF_HOST_MAX)
		return false;
	memcpy(name, host.ptr, host.len);
	name[host.len] = '\0';
	if (bracketed)
		return inet_pton(AF_INET6, name, &address) == 1;
	return only(name, LOWER UPPER DIGITS "._-") && labels_are_sound(name);
}

static bool
listen_path_ok(struct slice path)
{
	return path.len > 1 && path.ptr[0] == '/' &&
	       path.len < sizeof(((struct sockaddr_un *)0)->sun_path);
}

/* Cuts " proxy" off its end. */
static bool
take_proxy(struct slice *text)
{
	struct slice word = SLICE(" proxy");
	if (text->len < word.len ||
	    memcmp(text->ptr + text->len - word.len, word.ptr, word.len) != 0)
		return false;
	text->len -= word.len;
	return true;
}

bool
conf_parse_listen(const char *text, struct conf_address *out)
{
	struct slice rest = slice_of(text);
	*out = (struct conf_address){.proxy = take_proxy(&rest)};
	if (starts_with(text, "unix:")) {
		size_t scheme = strlen("unix:");
		out->path = (struct slice){text + scheme, rest.len - scheme};
		return listen_path_ok(out->path);
	}
	bool bracketed = text[0] == '[';
	const char *colon = bracketed ? strstr(text, "]:") : strchr(text, ':');
	if (!colon)
		return false;
	const char *start = colon + 1 + bracketed;
	out->host = (struct slice){text + bracketed, (size_t)(colon - text) - bracketed};
	out->port = (struct slice){start, (size_t)(text + rest.len - start)};
	in_port_t port;
	return listen_host_ok(out->host, bracketed) && port_parse(out->port, &port) && port != 0;
}

bool
conf_parse_base_path(const char *text, struct slice *out)
{
	*out = slice_of(text);
	while (out->len > 0 && out->ptr[out->len - 1] == '/')
		out->len--;
	return (text[0] == '\0' || text[0] == '/') && !strstr(text, "//") && !strstr(text, "/.") &&
	       only(text, LOWER UPPER DIGITS "/._~-");
}

bool
conf_parse_redis(const char *text)
{
	if (strcmp(text, "private") == 0)
		return true;
	if (starts_with(text, "unix:"))
		return listen_path_ok(slice_of(text + strlen("unix:")));
	return starts_with(text, "redis://") && text[strlen("redis://")];
}

bool
conf_parse_redis_prefix(const char *text)
{
	return text[0] && strchr(LOWER UPPER DIGITS, text[0]) &&
	       only(text, LOWER UPPER DIGITS ":._-");
}

bool
conf_parse_query_key(const char *text)
{
	size_t len = strlen(text);
	if (len == 0 || len > QUERY_KEY_MAX || strpbrk(text, "&=#?%+"))
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] <= 0x20 || text[i] == 0x7f)
			return false;
	return true;
}

bool
conf_parse_site_key(const char *text)
{
	return text[0] && strchr(LOWER DIGITS, text[0]) && only(text, LOWER DIGITS "._-") &&
	       strlen(text) <= CONF_SITE_KEY_MAX;
}
