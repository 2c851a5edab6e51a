/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The private redis-server: a child of thongked on <state_dir>/redis/redis.sock, append-only file everysec, noeviction.
 * Never two on one directory (an inherited flock), it ends with its daemon even on kill -9 (PR_SET_PDEATHSIG), has a
 * session of its own so that Ctrl-C reaches thongked first, and is started again when it dies.
 * Main thread only: PR_SET_PDEATHSIG fires when the thread that forked ends.
 */
#ifndef STORE_REDIS_SERVER_H
#define STORE_REDIS_SERVER_H

#include "base/base.h"

struct redis_server;

/* How much nicer than its parent it is, as is whoever gives it work: those who answer visitors go first. */
enum { REDIS_SERVER_NICE = 5 };

/* Checks redis-server's presence and the path's length, makes the directory. NULL: one sentence in error. */
struct redis_server *redis_server_new(const char *state_dir, char *error, size_t error_size);
/* Starts it if it does not run and the lock is free; called again by a timer (every 100 ms or so) until it does. */
void redis_server_tend(struct redis_server *server);
/* SIGTERM, then SIGKILL after timeout_ms; reaps it. */
void redis_server_stop(struct redis_server *server, int timeout_ms);
void redis_server_free(struct redis_server *server);

/* "unix:/path", for store_options. */
const char *redis_server_target(const struct redis_server *server);
uint64_t redis_server_restarts(const struct redis_server *server);

#endif
