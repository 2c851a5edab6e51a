/* SPDX-License-Identifier: BSD-2-Clause */
/* A page that cannot be read behind a copy of what a parser is given: reading past its end is a crash. */
#ifndef UNIT_GUARD_H
#define UNIT_GUARD_H

#include <sys/mman.h>
#include <unistd.h>

#include "base/base.h"

struct guard {
	char *pages;
	size_t page;
};

static inline struct guard
guard_new(void)
{
	struct guard guard = {.page = (size_t)sysconf(_SC_PAGESIZE)};
	guard.pages = mmap(NULL, 2 * guard.page, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(guard.pages, MAP_FAILED);
	assert_int_equal(mprotect(guard.pages + guard.page, guard.page, PROT_NONE), 0);
	return guard;
}

/* The copy that ends where the page does. */
static inline struct slice
guard_copy(const struct guard *guard, struct slice text)
{
	char *at = guard->pages + guard->page - text.len;
	assert_true(text.len <= guard->page);
	if (text.len > 0)
		memcpy(at, text.ptr, text.len);
	return (struct slice){at, text.len};
}

static inline void
guard_release(const struct guard *guard)
{
	munmap(guard->pages, 2 * guard->page);
}

#endif
