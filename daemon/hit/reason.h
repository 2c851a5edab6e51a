/* SPDX-License-Identifier: BSD-2-Clause */
/* Why a well-formed hit of a known site is not counted as a view. */
#ifndef HIT_REASON_H
#define HIT_REASON_H

/* X(id, name): the name in answers, metrics and the table of what was refused. */
#define REASONS(X)                \
	X(BOT, "bot")             \
	X(PREFETCH, "prefetch")   \
	X(RATE, "rate")           \
	X(REPEAT, "repeat")       \
	X(DUPLICATE, "duplicate") \
	X(EXCLUDED, "excluded")   \
	X(LOCAL, "local")         \
	X(OPTOUT, "optout")       \
	X(ORIGIN, "origin")

#define X(id, name) REASON_##id,
enum reason { REASON_NONE, REASONS(X) REASON_COUNT };
#undef X

/* NULL for REASON_NONE. */
extern const char *const reason_names[REASON_COUNT];

#endif
