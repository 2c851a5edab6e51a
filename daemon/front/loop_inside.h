/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of a loop share and nobody else sees: pass.c answers, accept.c lets in, loop.c does the rest. */
#ifndef FRONT_LOOP_INSIDE_H
#define FRONT_LOOP_INSIDE_H

#include "base/log.h"
#include "front/connection.h"
#include "front/loop.h"
#include "journal/record.h"

/* So the hits of a pass always fit one frame. */
_Static_assert(LOOP_PENDING_MAX *RECORD_MAX <= FRAME_PAYLOAD_MAX, "a pass is one frame");
_Static_assert((int)LOOP_INPUT_MAX > (int)HTTP_REQUEST_MAX, "any request fits");

struct loop_listener {
	struct event event;
	struct loop *loop;
	int fd;
	bool proxy;
};

/* Answers of one connection that wait for something, and all behind them. */
struct parked {
	int64_t since; /* monotonic ms */
	size_t first, count;
	struct pending list[];
};

struct loop {
	struct loop_options options;
	const struct service *service;
	struct front_counters *counters;
	struct connection_set set;
	size_t limit;
	int64_t now;  /* monotonic ms at the pass's start */
	bool in_pass; /* its end is scheduled */
	bool retry;   /* it tries again to give the answers that wait */
	bool draining;
	struct event end, sweep, again, resume, waiting;
	struct loop_listener *listeners;
	size_t listener_count;
	struct log_limit accept_limit;
	struct answer_date date;
	struct buf out;
	size_t pending_count;
	struct pending pending[LOOP_PENDING_MAX];
	char scratch[LOOP_INPUT_MAX];
};

/* --- pass.c --- */

/*
 * Every callback begins with this. The end is queued behind all callbacks that are ready now, so it runs when each
 * of them has read its socket.
 */
void loop_begin_pass(struct loop *loop);
void loop_end_pass(struct loop *loop);
/* Before a connection is read: a full pass ends first. */
void loop_make_room(struct loop *loop);
/* A request of this pass, to be filled in. */
struct pending *loop_pend(struct loop *loop, struct connection *connection);
/* Answers an error that no route has to do with; nothing of the connection is looked at after it. */
void loop_refuse(struct loop *loop, struct connection *connection, int status);
/* Where a connection goes when its answers have been handed to the kernel as far as it takes them. */
void loop_settle(struct loop *loop, struct connection *connection, bool alive);
void loop_end_cb(evutil_socket_t fd, short what, void *loop);
void loop_waiting_cb(evutil_socket_t fd, short what, void *loop);

/* --- accept.c --- */

void loop_accept_cb(evutil_socket_t fd, short what, void *listener);
void loop_resume_cb(evutil_socket_t fd, short what, void *loop);

/* --- loop.c --- */

/* Reads what a connection has sent, as part of this pass. */
void loop_read(struct loop *loop, struct connection *connection);
void loop_connection_cb(evutil_socket_t fd, short what, void *connection);

#endif
