/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Listening sockets. A TCP address has one socket per loop (SO_REUSEPORT, so that the kernel spreads connections), a
 * unix path one socket that all loops share. Everything is bound before anything is served, so that a port in use is
 * one sentence at the start.
 */
#ifndef FRONT_LISTENER_H
#define FRONT_LISTENER_H

#include "base/conf.h"

struct listeners;

/*
 * Binds every entry for `loops` loops and listens. A name may stand for several addresses. A stale unix socket file is
 * replaced when nothing answers on it; the new one has mode 0666 less the umask. NULL: error holds one sentence.
 */
struct listeners *listeners_new(const struct conf_listen *listens, size_t count, int loops,
				char *error, size_t error_size);
/* Closes what is still open and removes the unix socket files. */
void listeners_free(struct listeners *listeners);
/* Closes one loop's own sockets, by its own thread: the kernel then sends nobody there. Shared ones stay open. */
void listeners_close_loop(struct listeners *listeners, int loop);

/* How many sockets each loop has, and the i-th of one loop. Non-blocking. */
size_t listeners_count(const struct listeners *listeners);
int listeners_fd(const struct listeners *listeners, size_t i, int loop);
/* Whether connections to the i-th begin with a PROXY protocol header. */
bool listeners_proxy(const struct listeners *listeners, size_t i);
/* Logs where clients may connect, with the real port where 0 was asked for. */
void listeners_log(const struct listeners *listeners, const char *what);

#endif
