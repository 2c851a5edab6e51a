/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One client connection: its state, what it has sent of an unfinished request, what it has not yet taken of its
 * answers, and its deadline. Knows no HTTP and no route. Belongs to one loop and its thread.
 */
#ifndef FRONT_CONNECTION_H
#define FRONT_CONNECTION_H

#include <sys/queue.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/buf.h"
#include "base/network.h"

enum connection_state {
	CONNECTION_FRESH,     /* accepted; nothing has arrived */
	CONNECTION_IDLE,      /* between two requests */
	CONNECTION_READING,   /* part of a request has arrived */
	CONNECTION_BACKLOG,   /* requests wait in its input for the next pass */
	CONNECTION_ANSWERING, /* its requests are part of this pass */
	CONNECTION_WAITING,   /* an answer lacks something; nothing is read */
	CONNECTION_SENDING,   /* answers wait until the client takes them; nothing is read */
	CONNECTION_DRAINING,  /* half-closed; what still comes is thrown away */
	CONNECTION_CLOSED,    /* freed at the end of the pass */
	CONNECTION_STATES
};

enum { CONNECTION_DRAIN_MAX = 256 * 1024 /* bytes thrown away before the patience ends */ };

struct parked;

struct connection {
	struct event event;
	TAILQ_ENTRY(connection) entry; /* in the list of its state */
	void *loop;
	struct parked *parked; /* the loop's: answers that wait; NULL: none */
	int fd;
	enum connection_state state;
	int64_t since;    /* when it took this state, monotonic ms */
	bool watched;     /* its event is added */
	bool last;        /* no request after the ones read is looked at */
	bool linger;      /* the client may still be sending: drain before the close */
	bool backlog;     /* its input holds more requests than one pass takes */
	bool unread;      /* the last recv filled all the room: there may be more */
	bool hung_up;     /* the kernel says that the client sends no more */
	bool ended;       /* and all that it sent has been received; or the connection is broken */
	bool proxy;       /* a PROXY protocol header must come before the first request */
	uint32_t drained; /* bytes thrown away */
	size_t sent;      /* of output */
	struct buf input, output;
	union address peer; /* or whom its PROXY protocol header names */
};

TAILQ_HEAD(connection_list, connection);

/* All connections of one loop, each list in the order in which its members took the state. */
struct connection_set {
	struct connection_list in[CONNECTION_STATES];
	size_t count[CONNECTION_STATES];
	size_t open; /* all but the closed ones */
};

void connection_set_init(struct connection_set *set);

/* Takes over fd. The connection is FRESH. */
struct connection *connection_new(struct connection_set *set, int fd, int64_t now);
/* Closes the descriptor and frees; only a CLOSED one. */
void connection_free(struct connection_set *set, struct connection *connection);
/* The only way to change a state; asserts that the move is one of the table's. */
void connection_move(struct connection_set *set, struct connection *connection,
		     enum connection_state to, int64_t now);

/* How long a connection may stay in a state, in ms; 0: as long as it likes. */
int64_t connection_patience(enum connection_state state);

/* Calls `cb` with the connection when the socket is ready for `what` (EV_READ or EV_WRITE), until changed. */
void connection_watch(struct connection *connection, struct event_base *base, short what,
		      event_callback_fn cb);

/* Until it is watched again. */
void connection_unwatch(struct connection *connection);

enum received { RECEIVED_BYTES, RECEIVED_NOTHING };
/*
 * The kept input and then what one recv gives, in `room` bytes at `scratch`; *len is set in every case.
 * Notes in the connection whether there may be more, or never will be.
 */
enum received connection_receive(struct connection *connection, char *scratch, size_t room,
				 size_t *len);
/*
 * Takes the PROXY protocol header, where one must come first, off the front of what was received; the peer is then
 * whom it names. 1: requests follow, 0: more of it is needed, -1: it is something else.
 */
int connection_take_proxy(struct connection *connection, struct slice *bytes) MUST_CHECK;
/* Keeps the unused rest of what was received for the next time. */
void connection_keep(struct connection *connection, struct slice rest);

/* Sends, and keeps what the client does not take at once. False: the connection is broken. */
bool connection_send(struct connection *connection, struct slice bytes) MUST_CHECK;
/* Bytes that the client has not taken. */
size_t connection_unsent(const struct connection *connection);

#endif
