/* SPDX-License-Identifier: BSD-2-Clause */
/* A configuration's memory: pieces of large blocks that are freed all at once. Never gives a piece back alone. */
#include "base/conf_box.h"

enum { BLOCK_SIZE = 16 * 1024, ALIGN = sizeof(void *) };

struct conf_block {
	struct conf_block *older;
	size_t used, size;
	char bytes[];
};

static void *
take(struct conf_pool *pool, size_t size)
{
	struct conf_block *block = pool->newest;
	if (!block || block->size - block->used < size) {
		size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
		block = xmalloc(sizeof(*block) + room);
		*block = (struct conf_block){.older = pool->newest, .size = room};
		pool->newest = block;
	}
	void *piece = block->bytes + block->used;
	block->used += size;
	return piece;
}

void *
conf_pool_alloc(struct conf_pool *pool, size_t size)
{
	struct conf_block *block = pool->newest;
	if (block) {
		size_t aligned = (block->used + ALIGN - 1) & ~(size_t)(ALIGN - 1);
		block->used = aligned < block->size ? aligned : block->size;
	}
	return take(pool, size);
}

char *
conf_pool_text(struct conf_pool *pool, struct slice text)
{
	char *copy = take(pool, text.len + 1);
	if (text.len > 0)
		memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	return copy;
}

void
conf_pool_release(struct conf_pool *pool)
{
	while (pool->newest) {
		struct conf_block *block = pool->newest;
		pool->newest = block->older;
		free(block);
	}
}
