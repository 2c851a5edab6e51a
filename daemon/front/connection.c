/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One client connection: states, input and output. A connection between requests owns no buffer, so that ten
 * thousand idle ones cost little. It never closes itself: the loop frees what is CLOSED at the end of its pass.
 */
#include "front/connection.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "front/proxy.h"

#define TO(state) (1u << CONNECTION_##state)

/*
 * The states that may follow each, and how long it may last. A fresh connection gets as long for its first byte as
 * a request for all of it: browsers that connect ahead reconnect without harm, and silent crowds go soon.
 */
static const struct {
	unsigned next;
	int patience_ms;
} connection_states[CONNECTION_STATES] = {
	[CONNECTION_FRESH] = {TO(IDLE) | TO(READING) | TO(BACKLOG) | TO(ANSWERING) | TO(CLOSED),
			      5000},
	[CONNECTION_IDLE] = {TO(READING) | TO(BACKLOG) | TO(ANSWERING) | TO(CLOSED), 75000},
	[CONNECTION_READING] = {TO(BACKLOG) | TO(ANSWERING) | TO(CLOSED), 5000},
	[CONNECTION_BACKLOG] = {TO(ANSWERING) | TO(READING) | TO(IDLE) | TO(CLOSED), 5000},
	[CONNECTION_ANSWERING] = {TO(IDLE) | TO(READING) | TO(BACKLOG) | TO(WAITING) | TO(SENDING) |
					  TO(DRAINING) | TO(CLOSED),
				  0},
	[CONNECTION_WAITING] = {TO(IDLE) | TO(READING) | TO(BACKLOG) | TO(WAITING) | TO(SENDING) |
					TO(DRAINING) | TO(CLOSED),
				0},
	[CONNECTION_SENDING] = {TO(IDLE) | TO(READING) | TO(BACKLOG) | TO(WAITING) | TO(DRAINING) |
					TO(CLOSED),
				10000},
	[CONNECTION_DRAINING] = {TO(CLOSED), 2000},
	[CONNECTION_CLOSED] = {0, 0},
};

void
connection_set_init(struct connection_set *set)
{
	*set = (struct connection_set){.open = 0};
	for (int state = 0; state < CONNECTION_STATES; state++)
		TAILQ_INIT(&set->in[state]);
}

struct connection *
connection_new(struct connection_set *set, int fd, int64_t now)
{
	struct connection *connection = xcalloc(1, sizeof(*connection));
	connection->fd = fd;
	connection->since = now;
	TAILQ_INSERT_TAIL(&set->in[CONNECTION_FRESH], connection, entry);
	set->count[CONNECTION_FRESH]++;
	set->open++;
	return connection;
}

void
connection_free(struct connection_set *set, struct connection *connection)
{
	assert(connection->state == CONNECTION_CLOSED);
	TAILQ_REMOVE(&set->in[CONNECTION_CLOSED], connection, entry);
	set->count[CONNECTION_CLOSED]--;
	connection_unwatch(connection);
	close(connection->fd);
	buf_release(&connection->input);
	buf_release(&connection->output);
	free(connection);
}

void
connection_move(struct connection_set *set, struct connection *connection, enum connection_state to,
		int64_t now)
{
	assert(connection_states[connection->state].next & 1u << to);
	TAILQ_REMOVE(&set->in[connection->state], connection, entry);
	TAILQ_INSERT_TAIL(&set->in[to], connection, entry);
	set->count[connection->state]--;
	set->count[to]++;
	set->open -= to == CONNECTION_CLOSED;
	connection->state = to;
	connection->since = now;
}

int64_t
connection_patience(enum connection_state state)
{
	return connection_states[state].patience_ms;
}

void
connection_watch(struct connection *connection, struct event_base *base, short what,
		 event_callback_fn cb)
{
	if (connection->watched && (event_get_events(&connection->event) & what))
		return;
	connection_unwatch(connection);
	/*
	 * Edge-triggered: a level-triggered socket is looked at a second time for every request, only to be found empty
	 * (120 ns of a hit). So whoever reads must know what is left: see unread, and hung_up.
	 */
	short closed = what & EV_READ ? EV_CLOSED : 0;
	event_assign(&connection->event, base, connection->fd,
		     (short)(what | closed | EV_PERSIST | EV_ET), cb, connection);
	connection->watched = event_add(&connection->event, NULL) == 0;
}

void
connection_unwatch(struct connection *connection)
{
	if (connection->watched)
		event_del(&connection->event);
	connection->watched = false;
}

enum received
connection_receive(struct connection *connection, char *scratch, size_t room, size_t *len)
{
	struct buf *input = &connection->input;
	assert(input->len <= room);
	*len = input->len;
	if (input->len > 0)
		memcpy(scratch, input->data, input->len);
	if (*len == room)
		return RECEIVED_NOTHING;
	ssize_t got;
	do
		got = recv(connection->fd, scratch + *len, room - *len, 0);
	while (got < 0 && errno == EINTR);
	bool again = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
	*len += got > 0 ? (size_t)got : 0;
	connection->unread = got > 0 && *len == room;
	connection->ended |= (got <= 0 && !again) || (connection->hung_up && !connection->unread);
	return got > 0 ? RECEIVED_BYTES : RECEIVED_NOTHING;
}

int
connection_take_proxy(struct connection *connection, struct slice *bytes)
{
	int taken = connection->proxy ? proxy_parse(*bytes, &connection->peer) : 0;
	if (connection->proxy && taken <= 0)
		return taken;
	*bytes = (struct slice){bytes->ptr + taken, bytes->len - (size_t)taken};
	connection->proxy = false;
	return 1;
}

void
connection_keep(struct connection *connection, struct slice rest)
{
	buf_clear(&connection->input);
	if (rest.len > 0)
		buf_add_slice(&connection->input, rest);
	else if (connection->input.cap > 0)
		buf_release(&connection->input);
}

/* What the kernel takes now, or -1 when the connection is broken. */
static ssize_t
connection_write(int fd, const char *bytes, size_t len)
{
	ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent >= 0)
		return sent;
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -1;
}

bool
connection_send(struct connection *connection, struct slice bytes)
{
	struct buf *output = &connection->output;
	bool direct = output->len == 0;
	buf_add(output, bytes.ptr, direct ? 0 : bytes.len);
	const char *from = direct ? bytes.ptr : output->data + connection->sent;
	size_t len = direct ? bytes.len : output->len - connection->sent;
	ssize_t sent = len > 0 ? connection_write(connection->fd, from, len) : 0;
	if (sent < 0)
		return false;
	if (direct)
		buf_add(output, from + sent, len - (size_t)sent);
	else
		connection->sent += (size_t)sent;
	if (output->cap > 0 && connection->sent == output->len) {
		buf_release(output);
		connection->sent = 0;
	}
	return true;
}

size_t
connection_unsent(const struct connection *connection)
{
	return connection->output.len - connection->sent;
}
