/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the address of a Redis. What it complains about is never quoted: it may be a password. */
#include "store/target.h"

#include <errno.h>
#include <sys/un.h>

#include "base/form.h"

#define ALLOWED "allowed are unix:/path and redis://[user:password@]host:port[/db]"

enum { DEFAULT_PORT = 6379, DB_MAX = 65535, PASSWORD_LINE_MAX = 1024 };

/* %XX decoded, and nothing else: a '+' in a password is a plus. NULL when an escape is bad. */
static char *
percent_decoded(struct slice text)
{
	char *out = xmalloc(text.len + 1);
	size_t len = 0;
	for (size_t i = 0; i < text.len; i++) {
		out[len] = text.ptr[i];
		if (text.ptr[i] == '%') {
			int high = i + 2 < text.len ? hex_value(text.ptr[i + 1]) : -1;
			int low = i + 2 < text.len ? hex_value(text.ptr[i + 2]) : -1;
			if (high < 0 || low < 0 || high + low == 0) {
				free(out);
				return NULL;
			}
			out[len] = (char)(high * 16 + low);
			i += 2;
		}
		len++;
	}
	out[len] = '\0';
	return out;
}

/* Digits only, 0 to max; -1 otherwise. */
static int
number(struct slice text, int max)
{
	int value = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			return -1;
		value = value * 10 + (text.ptr[i] - '0');
		if (value > max)
			return -1;
	}
	return text.len ? value : -1;
}

/* Cuts `text` at the first (or last) `at`; what follows it is returned, absent when there is none. */
static struct slice
cut(struct slice *text, char at, bool last)
{
	const char *found =
		last ? memrchr(text->ptr, at, text->len) : memchr(text->ptr, at, text->len);
	if (!found)
		return (struct slice){0};
	struct slice rest = {found + 1, text->len - (size_t)(found + 1 - text->ptr)};
	text->len = (size_t)(found - text->ptr);
	return rest;
}

static const char *
read_login(struct target *target, struct slice login)
{
	struct slice password = cut(&login, ':', false);
	if (login.len && !(target->user = percent_decoded(login)))
		return "the user has a bad % escape";
	if (password.len && !(target->password = percent_decoded(password)))
		return "the password has a bad % escape";
	return NULL;
}

static const char *
read_address(struct target *target, struct slice address)
{
	struct slice db = cut(&address, '/', false);
	if (db.len && (target->db = number(db, DB_MAX)) < 0)
		return "the database is not a number";
	struct slice port = {0};
	if (address.len && address.ptr[0] == '[') {
		struct slice after = cut(&address, ']', false);
		if (!after.ptr || (after.len && after.ptr[0] != ':'))
			return "the host is not [IPv6]:port";
		address = (struct slice){address.ptr + 1, address.len - 1};
		port = after.len ? (struct slice){after.ptr + 1, after.len - 1} : after;
	} else {
		port = cut(&address, ':', true);
	}
	target->port = port.len ? number(port, 65535) : DEFAULT_PORT;
	if (target->port <= 0)
		return "the port is not a number from 1 to 65535";
	if (address.len == 0)
		return "the host is missing";
	target->host = xstrndup(address.ptr, address.len);
	return NULL;
}

static const char *
read_url(struct target *target, struct slice url)
{
	struct slice address = cut(&url, '@', true);
	if (!address.ptr)
		return read_address(target, url);
	const char *wrong = read_login(target, url);
	return wrong ? wrong : read_address(target, address);
}

static const char *
read_target(struct target *target, const char *text)
{
	static const char unix_scheme[] = "unix:", redis_scheme[] = "redis://";
	if (strncmp(text, redis_scheme, sizeof(redis_scheme) - 1) == 0)
		return read_url(target, slice_of(text + sizeof(redis_scheme) - 1));
	if (strncmp(text, unix_scheme, sizeof(unix_scheme) - 1) != 0)
		return "the kind of address is unknown";
	target->path = xstrdup(text + sizeof(unix_scheme) - 1);
	size_t len = strlen(target->path);
	if (len == 0)
		return "the path is missing";
	if (len >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return "the path is longer than the 107 bytes of a unix socket's";
	return NULL;
}

/* 0 or an errno. */
static int
read_password(struct target *target, const char *file)
{
	char line[PASSWORD_LINE_MAX];
	FILE *in = fopen(file, "re");
	if (!in)
		return errno;
	int error = fgets(line, sizeof(line), in) ? 0 : ferror(in) ? errno : ENODATA;
	fclose(in);
	if (error == 0) {
		line[strcspn(line, "\r\n")] = '\0';
		target->password = xstrdup(line);
	}
	explicit_bzero(line, sizeof(line));
	return error;
}

bool
target_init(struct target *target, const char *text, const char *password_file, char *error,
	    size_t error_size)
{
	*target = (struct target){0};
	const char *wrong = read_target(target, text);
	bool file = password_file && *password_file;
	if (!wrong && target->user && !target->password && !file)
		wrong = "there is a user without a password";
	if (wrong) {
		snprintf(error, error_size, "redis: %s; " ALLOWED, wrong);
	} else if (!file) {
		return true;
	} else if (target->password) {
		snprintf(error, error_size,
			 "redis: there is a password in the address and a redis_password_file; "
			 "only one of them is allowed");
	} else {
		int failed = read_password(target, password_file);
		if (failed == 0)
			return true;
		snprintf(error, error_size, "redis_password_file: %s: %s", password_file,
			 failed == ENODATA ? "the first line is empty" : strerror(failed));
	}
	target_release(target);
	return false;
}

void
target_release(struct target *target)
{
	if (target->password)
		explicit_bzero(target->password, strlen(target->password));
	free(target->path);
	free(target->host);
	free(target->user);
	free(target->password);
	*target = (struct target){0};
}
