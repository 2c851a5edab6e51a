/* SPDX-License-Identifier: BSD-2-Clause */
/* The log and the last words. Holds the only mutable state of its kind: the level and the program's name. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <unistd.h>

#include "base/clock.h"

enum { LINE_MAX_BYTES = 2048 };

const char *const log_level_names[4] = {
	[LOG_ERROR] = "error",
	[LOG_WARN] = "warn",
	[LOG_INFO] = "info",
	[LOG_DEBUG] = "debug",
};

static _Atomic int threshold = LOG_INFO;
static const char *program_name = "thongked";
static int death_code = 1;

void
log_set_level(enum log_level level)
{
	threshold = (int)level;
}

static void
write_line(char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[len] = '\n';
	/* A log that cannot be written has nobody left to tell. */
	ssize_t written = write(STDERR_FILENO, line, len + 1);
	(void)written;
}

static size_t
clipped(int wanted, size_t room)
{
	if (wanted < 0)
		return 0;
	return (size_t)wanted < room ? (size_t)wanted : room - 1;
}

void
log_line(enum log_level level, const char *format, ...)
{
	if ((int)level > threshold)
		return;
	int saved = errno;
	char line[LINE_MAX_BYTES + 1];
	struct tm utc;
	int64_t now = clock_wall_ms();
	time_t seconds = (time_t)(now / 1000);
	gmtime_r(&seconds, &utc);
	size_t len = strftime(line, LINE_MAX_BYTES, "%Y-%m-%dT%H:%M:%S", &utc);
	len += clipped(snprintf(line + len, LINE_MAX_BYTES - len, ".%03dZ %s ", (int)(now % 1000),
				log_level_names[level]),
		       LINE_MAX_BYTES - len);
	errno = saved;
	va_list args;
	va_start(args, format);
	len += clipped(vsnprintf(line + len, LINE_MAX_BYTES - len, format, args),
		       LINE_MAX_BYTES - len);
	va_end(args);
	write_line(line, len);
	errno = saved;
}

bool
log_again(struct log_limit *limit, int64_t every_ms, uint64_t *held_back)
{
	int64_t now = clock_mono_ms();
	if (now < limit->next_ms) {
		limit->held_back++;
		return false;
	}
	*held_back = limit->held_back;
	limit->held_back = 0;
	limit->next_ms = now + every_ms;
	return true;
}

void
die_as(const char *program, int exit_code)
{
	program_name = program;
	death_code = exit_code;
}

void
die(const char *format, ...)
{
	char line[LINE_MAX_BYTES + 1];
	size_t len = clipped(snprintf(line, LINE_MAX_BYTES, "%s: ", program_name), LINE_MAX_BYTES);
	va_list args;
	va_start(args, format);
	len += clipped(vsnprintf(line + len, LINE_MAX_BYTES - len, format, args),
		       LINE_MAX_BYTES - len);
	va_end(args);
	write_line(line, len);
	exit(death_code);
}
