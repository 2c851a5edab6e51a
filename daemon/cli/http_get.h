/* SPDX-License-Identifier: BSD-2-Clause */
/* One question to a running thongked, over TCP or a unix socket; blocking, bounded in time and size. */
#ifndef CLI_HTTP_GET_H
#define CLI_HTTP_GET_H

#include "base/buf.h"
#include "base/conf.h"

enum {
	HTTP_GET_MS = 3000, /* for each step; an answer comes in a few */
	HTTP_GET_MAX = 1024 * 1024,
};

/* The answer's status, its body added to `body`; negative: a sentence in error. */
int http_get(const struct conf_listen *where, const char *path, struct buf *body, char *error,
	     size_t error_size) MUST_CHECK;

#endif
