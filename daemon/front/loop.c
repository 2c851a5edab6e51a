/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The passes of one event loop. Nothing is answered outside a pass's end, nothing is freed elsewhere; what to answer
 * is the service's business, bytes and states are the connection's.
 */
#include "front/loop.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "front/connection.h"
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

struct loop {
	struct loop_options options;
	const struct service *service;
	struct front_counters *counters;
	struct connection_set set;
	size_t limit;
	int64_t now;  /* monotonic ms at the pass's start */
	bool in_pass; /* its end is scheduled */
	bool draining;
	struct event end, sweep, again, resume;
	struct loop_listener *listeners;
	size_t listener_count;
	struct log_limit accept_limit;
	struct answer_date date;
	struct buf out;
	size_t pending_count;
	struct pending pending[LOOP_PENDING_MAX];
	char scratch[LOOP_INPUT_MAX];
};

static void loop_connection_cb(evutil_socket_t fd, short what, void *arg);

/* --- a pass --- */

/*
 * Every callback begins with this. The end is queued behind all callbacks that are ready now, so it runs when each
 * of them has read its socket.
 */
static void
loop_begin_pass(struct loop *loop)
{
	if (loop->in_pass)
		return;
	loop->in_pass = true;
	loop->now = clock_mono_ms();
	loop->limit = loop->service->begin(loop->options.context);
	event_active(&loop->end, EV_TIMEOUT, 1);
}

/* Where a connection goes when its answers have been handed to the kernel as far as it takes them. */
static enum connection_state
loop_next_state(const struct connection *connection, bool alive)
{
	if (!alive)
		return CONNECTION_CLOSED;
	if (connection_unsent(connection) > 0)
		return CONNECTION_SENDING;
	if (connection->last)
		return connection->linger ? CONNECTION_DRAINING : CONNECTION_CLOSED;
	if (connection->backlog)
		return CONNECTION_BACKLOG;
	return connection->input.len > 0 ? CONNECTION_READING : CONNECTION_IDLE;
}

static void
loop_settle(struct loop *loop, struct connection *connection, bool alive)
{
	enum connection_state to = loop_next_state(connection, alive);
	/* Half-closed, the client reads the answer to its end; a close with unread bytes would reset it away. */
	if (to == CONNECTION_DRAINING && shutdown(connection->fd, SHUT_WR) < 0)
		to = CONNECTION_CLOSED;
	connection_move(&loop->set, connection, to, loop->now);
	if (to == CONNECTION_CLOSED)
		return;
	if (to == CONNECTION_BACKLOG)
		event_add(&loop->again, &(struct timeval){0, 0});
	connection_watch(connection, loop->options.base,
			 to == CONNECTION_SENDING ? EV_WRITE : EV_READ, loop_connection_cb);
}

static void
loop_count_answer(struct loop *loop, int status)
{
	struct front_counters *counters = loop->counters;
	_Atomic uint64_t *const classes[] = {&counters->answers_2xx, &counters->answers_3xx,
					     &counters->answers_4xx, &counters->answers_5xx};
	counter_add(classes[status / 100 - 2], 1);
}

static void
loop_render(struct loop *loop, const struct pending *pending)
{
	const struct route *route = pending->route;
	struct answer answer = {
		.status = pending->status,
		.cors = loop->service->cors,
		.head_only = pending->head_only,
		.last = pending->last,
		.extra = slice_of(pending->extra),
		.form = route ? route->form : ANSWER_TEXT,
	};
	bool own = pending->status == 200 || pending->status == 304;
	if (route && route->render && (own || route->always))
		route->render(loop->options.context, pending, &answer);
	answer_put(&loop->out, &answer, &loop->date);
	loop_count_answer(loop, pending->status);
	if (loop->service->answered)
		loop->service->answered(loop->options.context, pending);
}

/* Renders and sends the answers of the connection of pending[i]; returns the index behind its last one. */
static size_t
loop_answer(struct loop *loop, size_t i)
{
	struct connection *connection = loop->pending[i].connection;
	bool ended = false;
	buf_clear(&loop->out);
	for (; i < loop->pending_count && loop->pending[i].connection == connection; i++) {
		struct pending *pending = &loop->pending[i];
		if (ended)
			continue;
		bool error = pending->status >= 400;
		pending->last |= error;
		ended = pending->last;
		connection->last |= ended;
		connection->linger |= error;
		loop_render(loop, pending);
	}
	loop_settle(loop, connection, connection_send(connection, buf_slice(&loop->out)));
	return i;
}

static void
loop_end_pass(struct loop *loop)
{
	if (loop->pending_count > 0) {
		if (loop->service->commit)
			loop->service->commit(loop->options.context, loop->pending,
					      loop->pending_count);
		answer_date_set(&loop->date, clock_wall_ms() / 1000);
		for (size_t i = 0; i < loop->pending_count;)
			i = loop_answer(loop, i);
		loop->pending_count = 0;
		counter_add(&loop->counters->passes, 1);
	}
	struct connection *connection;
	while ((connection = TAILQ_FIRST(&loop->set.in[CONNECTION_CLOSED])) != NULL)
		connection_free(&loop->set, connection);
	atomic_store_explicit(&loop->counters->connections_open, loop->set.open,
			      memory_order_relaxed);
	loop->in_pass = false;
}

/* Before a connection is read: a full pass ends first. */
static void
loop_make_room(struct loop *loop)
{
	if (loop->pending_count + LOOP_PIPELINE_MAX <= LOOP_PENDING_MAX)
		return;
	loop_end_pass(loop);
	loop_begin_pass(loop);
}

static void
loop_end_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	loop_end_pass(arg);
}

/* --- requests --- */

static struct pending *
loop_pend(struct loop *loop, struct connection *connection)
{
	assert(loop->pending_count < LOOP_PENDING_MAX);
	struct pending *pending = &loop->pending[loop->pending_count++];
	pending->connection = connection;
	pending->route = NULL;
	pending->extra = NULL;
	pending->head_only = false;
	pending->last = false;
	pending->site = NULL;
	pending->counted = false;
	pending->nonce = 0;
	return pending;
}

/* Answers an error that no route has to do with; nothing of the connection is looked at after it. */
static void
loop_refuse(struct loop *loop, struct connection *connection, int status)
{
	loop_pend(loop, connection)->status = status;
	connection->last = true;
	connection->linger = true;
}

static int
loop_dispatch(struct loop *loop, const struct call *call, struct pending *pending)
{
	void *context = loop->options.context;
	const struct route *route = loop->service->find(context, call->request->path);
	pending->route = route;
	if (!route)
		return 404;
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
	if (connection->state != to)
		connection_move(&loop->set, connection, to, loop->now);
}

static void
loop_read(struct loop *loop, struct connection *connection)
{
	size_t len;
	bool waiting = connection->state == CONNECTION_BACKLOG;
	loop_make_room(loop);
	enum received received =
		connection_receive(connection, loop->scratch, sizeof(loop->scratch), &len);
	if (received == RECEIVED_BYTES || waiting)
		loop_take(loop, connection, (struct slice){loop->scratch, len});
	if (received == RECEIVED_END && connection->state != CONNECTION_ANSWERING)
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
	ssize_t got = recv(connection->fd, loop->scratch, sizeof(loop->scratch), 0);
	if (got > 0)
		connection->drained += (uint32_t)got;
	bool over = connection->drained > CONNECTION_DRAIN_MAX;
	if (over || got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR))
		connection_move(&loop->set, connection, CONNECTION_CLOSED, loop->now);
}

static void
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
	(void)what;
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

/* --- accepting --- */

/* Closes the connection that has the least to lose, so that a crowd of slow ones keeps nobody out. */
static bool
loop_evict(struct loop *loop)
{
	static const struct {
		enum connection_state state;
		int64_t age_ms;
	} victims[] = {
		{CONNECTION_DRAINING, LOOP_EVICT_AFTER_MS},
		{CONNECTION_READING, LOOP_EVICT_AFTER_MS},
		{CONNECTION_FRESH, LOOP_EVICT_AFTER_MS},
		{CONNECTION_IDLE, 0},
	};
	for (size_t i = 0; i < COUNT_OF(victims); i++) {
		struct connection *oldest = TAILQ_FIRST(&loop->set.in[victims[i].state]);
		if (!oldest || loop->now - oldest->since < victims[i].age_ms)
			continue;
		connection_move(&loop->set, oldest, CONNECTION_CLOSED, loop->now);
		counter_add(&loop->counters->connections_evicted, 1);
		return true;
	}
	return false;
}

static struct connection *
loop_new_connection(struct loop *loop, int fd, const struct sockaddr_storage *peer, bool proxy)
{
	struct connection *connection = connection_new(&loop->set, fd, loop->now);
	connection->loop = loop;
	connection->proxy = proxy;
	memcpy(&connection->peer, peer, sizeof(connection->peer));
	counter_add(&loop->counters->connections_accepted, 1);
	return connection;
}

/* Takes in a new client. Most have sent their request by now, so it is read at once, without a turn of epoll. */
static void
loop_admit(struct loop *loop, int fd, const struct sockaddr_storage *peer, bool proxy)
{
	if (loop->set.open >= loop->limit + LOOP_TURNED_AWAY_MAX) {
		counter_add(&loop->counters->connections_turned_away, 1);
		close(fd);
		return;
	}
	struct connection *connection = loop_new_connection(loop, fd, peer, proxy);
	if (loop->set.open > loop->limit && !loop_evict(loop)) {
		counter_add(&loop->counters->connections_turned_away, 1);
		loop_make_room(loop);
		loop_refuse(loop, connection, 503);
		connection_move(&loop->set, connection, CONNECTION_ANSWERING, loop->now);
		return;
	}
	loop_read(loop, connection);
	if (connection->state == CONNECTION_FRESH || connection->state == CONNECTION_READING)
		connection_watch(connection, loop->options.base, EV_READ, loop_connection_cb);
}

/* Out of descriptors or memory: the waiting clients stay in the kernel's queue for a moment. */
static void
loop_pause(struct loop *loop, int code)
{
	uint64_t held_back;
	counter_add(&loop->counters->accept_errors, 1);
	if (log_again(&loop->accept_limit, 10000, &held_back))
		log_error("accept_failed error=\"%s\" held_back=%" PRIu64, strerror(code),
			  held_back);
	for (size_t i = 0; i < loop->listener_count; i++)
		event_del(&loop->listeners[i].event);
	event_add(&loop->resume, &(struct timeval){0, LOOP_ACCEPT_PAUSE_MS * 1000});
}

static void
loop_resume_cb(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;
	(void)fd;
	(void)what;
	for (size_t i = 0; i < loop->listener_count; i++)
		event_add(&loop->listeners[i].event, NULL);
}

/* False: nobody waits any more. */
static bool
loop_accept(struct loop *loop, const struct loop_listener *listener)
{
	struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
	int fd = accept4(listener->fd, (struct sockaddr *)&peer, &(socklen_t){sizeof(peer)},
			 SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		loop_admit(loop, fd, &peer, listener->proxy);
		return true;
	}
	if (errno == EAGAIN || errno == EWOULDBLOCK)
		return false;
	bool ours = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
	if (ours)
		loop_pause(loop, errno);
	return !ours;
}

static void
loop_accept_cb(evutil_socket_t fd, short what, void *arg)
{
	struct loop_listener *listener = arg;
	(void)fd;
	(void)what;
	loop_begin_pass(listener->loop);
	for (int i = 0; i < LOOP_ACCEPT_MAX && loop_accept(listener->loop, listener); i++)
		;
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
