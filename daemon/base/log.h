/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The log: one line per event on stderr, "TIME LEVEL event key=value ...". Threads may log at once.
 * A line is written with one write(2); control characters in it are replaced by '?'.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/base.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* The names of the levels, in order, for the configuration: "error", "warn", "info", "debug". */
extern const char *const log_level_names[4];

void log_set_level(enum log_level level);
void log_line(enum log_level level, const char *format, ...) PRINTF(2, 3);

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...) log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

/*
 * Limits a repeated failure: at most one line in `every_ms`. A caller keeps one of these, zeroed,
 * beside what fails; log_again() says whether to log now and how many were held back since.
 */
struct log_limit {
	int64_t next_ms;
	uint64_t held_back;
};

bool log_again(struct log_limit *limit, int64_t every_ms, uint64_t *held_back);

/* Says "thongked: SENTENCE" on stderr and exits with 1. For start-up and for what cannot go on. */
void die(const char *format, ...) PRINTF(1, 2) __attribute__((noreturn));
/* The program's name and exit code that die() uses; "thongked" and 1 unless set. */
void die_as(const char *program, int exit_code);

#endif
