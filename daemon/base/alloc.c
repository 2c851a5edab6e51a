/* SPDX-License-Identifier: BSD-2-Clause */
/* Allocation that ends the process when memory is out: every size a stranger controls is capped elsewhere. */
#include "base/base.h"
#include "base/log.h"

static void *
checked(void *memory)
{
	if (!memory)
		die("out of memory");
	return memory;
}

void *
xmalloc(size_t size)
{
	return checked(malloc(size ? size : 1));
}

void *
xcalloc(size_t count, size_t size)
{
	return checked(calloc(count ? count : 1, size ? size : 1));
}

void *
xrealloc(void *old, size_t size)
{
	return checked(realloc(old, size ? size : 1));
}

char *
xstrdup(const char *text)
{
	return checked(strdup(text));
}

char *
xstrndup(const char *text, size_t len)
{
	return checked(strndup(text, len));
}
