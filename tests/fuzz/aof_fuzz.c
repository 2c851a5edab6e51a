/* SPDX-License-Identifier: BSD-2-Clause */
/* An append-only file of any bytes: what is called whole is whole, also alone, and stays so when bytes follow. */
#include <assert.h>

#include "store/aof.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool damaged, alone;
	size_t whole = aof_whole((struct slice){(const char *)data, size}, &damaged);
	assert(whole <= size);
	assert(!damaged || whole < size);
	assert(aof_whole((struct slice){(const char *)data, whole}, &alone) == whole && !alone);
	if (size > 0)
		assert(aof_whole((struct slice){(const char *)data, size - 1}, &alone) <= whole);
	return 0;
}
