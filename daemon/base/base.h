/* SPDX-License-Identifier: BSD-2-Clause */
/* The few words every file uses: checked results, borrowed text, memory that cannot run out. */
#ifndef BASE_BASE_H
#define BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))
#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* Borrowed bytes: never owned, not NUL-terminated. {NULL, 0} is "absent", {"", 0} "present, empty". */
struct slice {
	const char *ptr;
	size_t len;
};

#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})
/* The same in a static table, where the above is no constant expression. */
#define SLICE_TEXT(literal)                    \
	{                                      \
		(literal), sizeof(literal) - 1 \
	}
/* For printf's "%.*s". */
#define SLICE_ARG(s) (int)(s).len, (s).ptr

static inline struct slice
slice_of(const char *text)
{
	return (struct slice){text, text ? strlen(text) : 0};
}

static inline bool
slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* ASCII case folded; the text must hold no NUL. */
static inline bool
slice_case_eq(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || strncasecmp(a.ptr, b.ptr, a.len) == 0);
}

/* Out of memory is fatal: these never return NULL. base/alloc.c */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t len);

#endif
