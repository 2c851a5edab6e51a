/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The passes of one event loop. Nothing is answered outside a pass's end, nothing is freed elsewhere; what to answer
 * is the service's business, bytes and states are the connection's.
 */
#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "front/loop_inside.h"

/* --- requests --- */

static int
loop_dispatch(struct loop *loop, const struct call *call, struct pending *pending)
{
	void *context = loop->options.context;
	const struct route *route = loop->service->find(context, call->request->path);
	pending->route = route;
	if (!route)
		return 404;
	pending->form = route->form;
	if (!(route->methods & 1u << call->request->method)) {
		pending->extra = route->allow;
		return 405;
	}
	if (call->request->method == HTTP_OPTIONS) {
		pending->extra = loop->service->preflight;
		return 204;
	}
	return route->handle(context, call, pending);
}

/* False: no further request of this connection belongs to this pass. */
static bool
loop_handle(struct loop *loop, struct connection *connection, const struct http_request *request)
{
	struct pending *pending = loop_pend(loop, connection);
	struct call call = {request, &connection->peer.any};
	pending->status = loop_dispatch(loop, &call, pending);
	pending->head_only = request->method == HTTP_HEAD;
	pending->last = !request->keep_alive || loop->draining || pending->status >= 400;
	connection->last = pending->last;
	return !pending->last && !(pending->route && pending->route->large);
}

/* Handles the requests that `bytes` begins with; returns how many bytes they take. */
static size_t
loop_take_requests(struct loop *loop, struct connection *connection, struct slice bytes)
{
	size_t taken = 0;
	bool more = true;
	for (int n = 0; more && taken < bytes.len; n++) {
		struct http_request request;
		int size = http_parse(&request, bytes.ptr + taken, bytes.len - taken);
		if (size == 0 && bytes.len - taken < HTTP_REQUEST_MAX)
			return taken;
		if (size <= 0) {
			loop_refuse(loop, connection, size < 0 ? -size : 431);
			loop->pending[loop->pending_count - 1].head_only =
				bytes.len - taken > 5 && memcmp(bytes.ptr + taken, "HEAD ", 5) == 0;
			return bytes.len;
		}
		taken += (size_t)size;
		more = loop_handle(loop, connection, &request) && n + 1 < LOOP_PIPELINE_MAX;
	}
	if (taken == bytes.len)
		return taken;
	/* What follows a last request is not ours to read, but must not turn the answer into a reset. */
	connection->linger |= connection->last;
	connection->backlog = !connection->last;
	return connection->last ? bytes.len : taken;
}

/* Requests out of what was received; the rest is kept. */
static void
loop_take(struct loop *loop, struct connection *connection, struct slice bytes)
{
	size_t pending = loop->pending_count;
	connection->backlog = false;
	int begun = connection_take_proxy(connection, &bytes);
	if (begun < 0) {
		counter_add(&loop->counters->connections_proxy, 1);
		connection_move(&loop->set, connection, CONNECTION_CLOSED, loop->now);
		return;
	}
	size_t taken = begun ? loop_take_requests(loop, connection, bytes) : 0;
	connection_keep(connection, (struct slice){bytes.ptr + taken, bytes.len - taken});
	enum connection_state to = CONNECTION_READING;
	if (loop->pending_count > pending)
		to = CONNECTION_ANSWERING;
	else if (connection->unread)
		to = CONNECTION_BACKLOG;
	else if (connection->input.len == 0 && connection->state == CONNECTION_BACKLOG)
		to = CONNECTION_IDLE;
	if (connection->state != to)
		connection_move(&loop->set, connection, to, loop->now);
	if (to == CONNECTION_BACKLOG)
		event_add(&loop->again, &(struct timeval){0, 0});
}

void
loop_read(struct loop *loop, struct connection *connection)
{
	size_t len;
	bool waiting = connection->state == CONNECTION_BACKLOG;
	loop_make_room(loop);
	enum received received =
		connection_receive(connection, loop->scratch, sizeof(loop->scratch), &len);
	if (received == RECEIVED_BYTES || waiting)
		loop_take(loop, connection, (struct slice){loop->scratch, len});
	bool busy = connection->state == CONNECTION_ANSWERING ||
		    connection->state == CONNECTION_BACKLOG ||
		    connection->state == CONNECTION_CLOSED;
	if (connection->ended && !busy)
		connection_move(&loop->set, connection, CONNECTION_CLOSED, loop->now);
}

static void
loop_write(struct loop *loop, struct connection *connection)
{
	bool alive = connection_send(connection, (struct slice){"", 0});
	if (!alive || connection_unsent(connection) == 0)
		loop_settle(loop, connection, alive);
}

static void
loop_discard(struct loop *loop, struct connection *connection)
{
	ssize_t got = 1;
	while (got > 0 && connection->drained <= CONNECTION_DRAIN_MAX) {
		got = recv(connection->fd, loop->scratch, sizeof(loop->scratch), 0);
		connection->drained += got > 0 ? (uint32_t)got : 0;
	}
	if (got >= 0 || (errno != EAGAIN && errno != EINTR))
		connection_move(&loop->set, connection, CONNECTION_CLOSED, loop->now);
}

void
loop_connection_cb(evutil_socket_t fd, short what, void *arg)
{
	static void (*const reactions[CONNECTION_STATES])(struct loop *, struct connection *) = {
		[CONNECTION_FRESH] = loop_read,    [CONNECTION_IDLE] = loop_read,
		[CONNECTION_READING] = loop_read,  [CONNECTION_BACKLOG] = loop_read,
		[CONNECTION_SENDING] = loop_write, [CONNECTION_DRAINING] = loop_discard,
	};
	struct connection *connection = arg;
	struct loop *loop = connection->loop;
	(void)fd;
	connection->hung_up |= (what & EV_CLOSED) != 0;
	loop_begin_pass(loop);
	if (reactions[connection->state])
		reactions[connection->state](loop, connection);
}

/* Each of those that had more requests than one pass takes gets its turn once, then the sockets theirs. */
static void
loop_again_cb(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;
	(void)fd;
	(void)what;
	loop_begin_pass(loop);
	for (size_t left = loop->set.count[CONNECTION_BACKLOG]; left > 0; left--) {
		struct connection *first = TAILQ_FIRST(&loop->set.in[CONNECTION_BACKLOG]);
		if (first)
			loop_read(loop, first);
	}
}

/* --- deadlines --- */

static void
loop_expire(struct loop *loop, struct connection *connection)
{
	if (connection->state != CONNECTION_IDLE && connection->state != CONNECTION_DRAINING)
		counter_add(&loop->counters->connections_closed_early, 1);
	if (connection->state != CONNECTION_READING || connection->proxy) {
		connection_move(&loop->set, connection, CONNECTION_CLOSED, loop->now);
		return;
	}
	loop_make_room(loop);
	connection_keep(connection, (struct slice){NULL, 0});
	loop_refuse(loop, connection, 408);
	connection_move(&loop->set, connection, CONNECTION_ANSWERING, loop->now);
}

/* Each state's list is in the order of its deadlines, so only the first ones are looked at. */
static void
loop_sweep_cb(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;
	struct connection *first;
	(void)fd;
	(void)what;
	loop_begin_pass(loop);
	for (int state = 0; state < CONNECTION_STATES; state++) {
		int64_t patience = connection_patience((enum connection_state)state);
		while (patience > 0 && (first = TAILQ_FIRST(&loop->set.in[state])) != NULL &&
		       loop->now - first->since >= patience)
			loop_expire(loop, first);
	}
}

/* --- its life --- */

struct loop *
loop_new(const struct loop_options *options)
{
	struct loop *loop = xmalloc(sizeof(*loop));
	/* All but the big arrays, which stay untouched until they are needed. */
	memset(loop, 0, offsetof(struct loop, pending));
	loop->options = *options;
	loop->service = options->service;
	loop->counters = options->counters;
	connection_set_init(&loop->set);
	event_assign(&loop->end, options->base, -1, 0, loop_end_cb, loop);
	event_assign(&loop->again, options->base, -1, 0, loop_again_cb, loop);
	event_assign(&loop->resume, options->base, -1, 0, loop_resume_cb, loop);
	event_assign(&loop->waiting, options->base, -1, 0, loop_waiting_cb, loop);
	event_assign(&loop->sweep, options->base, -1, EV_PERSIST, loop_sweep_cb, loop);
	event_add(&loop->sweep, &(struct timeval){0, LOOP_SWEEP_MS * 1000});
	return loop;
}

static void
loop_close_all(struct loop *loop, enum connection_state state)
{
	struct connection *connection;
	while ((connection = TAILQ_FIRST(&loop->set.in[state])) != NULL)
		connection_move(&loop->set, connection, CONNECTION_CLOSED, loop->now);
}

static void
loop_unlisten(struct loop *loop)
{
	event_del(&loop->resume);
	for (size_t i = 0; i < loop->listener_count; i++)
		event_del(&loop->listeners[i].event);
	free(loop->listeners);
	loop->listeners = NULL;
	loop->listener_count = 0;
}

void
loop_free(struct loop *loop)
{
	if (!loop)
		return;
	loop_unlisten(loop);
	for (int state = 0; state < CONNECTION_CLOSED; state++)
		loop_close_all(loop, (enum connection_state)state);
	loop->pending_count = 0;
	loop_end_pass(loop);
	event_del(&loop->end);
	event_del(&loop->again);
	event_del(&loop->sweep);
	event_del(&loop->waiting);
	buf_release(&loop->out);
	free(loop);
}

void
loop_listen(struct loop *loop, const struct listeners *listeners, int index)
{
	loop->listener_count = listeners_count(listeners);
	loop->listeners = xcalloc(loop->listener_count, sizeof(*loop->listeners));
	for (size_t i = 0; i < loop->listener_count; i++) {
		struct loop_listener *listener = &loop->listeners[i];
		listener->loop = loop;
		listener->fd = listeners_fd(listeners, i, index);
		listener->proxy = listeners_proxy(listeners, i);
		event_assign(&listener->event, loop->options.base, listener->fd,
			     EV_READ | EV_PERSIST, loop_accept_cb, listener);
		event_add(&listener->event, NULL);
	}
}

void
loop_drain(struct loop *loop)
{
	loop_begin_pass(loop);
	for (size_t i = 0; i < loop->listener_count; i++)
		loop_accept_cb(loop->listeners[i].fd, EV_READ, &loop->listeners[i]);
	loop_unlisten(loop);
	loop->draining = true;
	loop_close_all(loop, CONNECTION_FRESH);
	loop_close_all(loop, CONNECTION_IDLE);
}

size_t
loop_open(const struct loop *loop)
{
	return loop->set.open;
}
