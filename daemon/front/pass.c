/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pass of a loop, from its first request to its last answer: the service commits, then every connection gets its
 * answers with one send. An answer that must wait for something waits beside the loop, and those behind it with it.
 */
#include <assert.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "front/loop_inside.h"

void
loop_begin_pass(struct loop *loop)
{
	if (loop->in_pass)
		return;
	loop->in_pass = true;
	loop->now = clock_mono_ms();
	loop->limit = loop->service->begin(loop->options.context);
	event_active(&loop->end, EV_TIMEOUT, 1);
}

struct pending *
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
	pending->form = ANSWER_TEXT;
	pending->own = NULL;
	pending->counted = false;
	pending->numbers = false;
	pending->wait_ms = LOOP_WAIT_MS;
	return pending;
}

void
loop_refuse(struct loop *loop, struct connection *connection, int status)
{
	loop_pend(loop, connection)->status = status;
	connection->last = true;
	connection->linger = true;
}

static enum connection_state
loop_next_state(const struct connection *connection, bool alive)
{
	if (!alive)
		return CONNECTION_CLOSED;
	if (connection_unsent(connection) > 0)
		return CONNECTION_SENDING;
	if (connection->parked)
		return CONNECTION_WAITING;
	if (connection->last)
		return connection->linger ? CONNECTION_DRAINING : CONNECTION_CLOSED;
	if (connection->backlog || connection->unread)
		return CONNECTION_BACKLOG;
	if (connection->ended)
		return CONNECTION_CLOSED;
	return connection->input.len > 0 ? CONNECTION_READING : CONNECTION_IDLE;
}

/* A wait that has begun is not begun anew: there are always others who come to wait. */
static void
loop_wait(struct loop *loop)
{
	if (!event_pending(&loop->waiting, EV_TIMEOUT, NULL))
		event_add(&loop->waiting, &(struct timeval){0, LOOP_WAITING_MS * 1000});
}

void
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
	if (to == CONNECTION_WAITING) {
		connection_unwatch(connection);
		loop_wait(loop);
		return;
	}
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
		.form = pending->form,
	};
	bool own = pending->status == 200 || pending->status == 304;
	if (route && route->render && (own || route->always))
		route->render(loop->options.context, pending, &answer);
	answer_put(&loop->out, &answer, &loop->date);
	loop_count_answer(loop, pending->status);
}

/* --- answers that wait --- */

/* They leave the pass, in order; what each points to inside itself moves along. */
static void
loop_park(struct loop *loop, struct connection *connection, const struct pending *list,
	  size_t count)
{
	struct parked *parked = xmalloc(sizeof(*parked) + count * sizeof(*list));
	parked->since = loop->now;
	parked->first = 0;
	parked->count = count;
	memcpy(parked->list, list, count * sizeof(*list));
	for (size_t i = 0; i < count; i++)
		pending_moved(&parked->list[i], &list[i]);
	connection->parked = parked;
}

static void
loop_release(struct loop *loop, struct pending *pending)
{
	if (loop->service->release)
		loop->service->release(loop->options.context, pending);
}

static void
loop_unpark(struct loop *loop, struct connection *connection)
{
	struct parked *parked = connection->parked;
	connection->parked = NULL;
	for (size_t i = parked->first; i < parked->count; i++)
		loop_release(loop, &parked->list[i]);
	free(parked);
}

/* --- answers --- */

/*
 * Renders the answers of one connection as far as they can be given; returns how many are done with. Behind one that
 * ends the connection none is given.
 */
static size_t
loop_answer(struct loop *loop, struct connection *connection, struct pending *list, size_t count,
	    int64_t waited_ms)
{
	const struct service *service = loop->service;
	size_t i = 0;
	bool ended = false;
	for (; i < count; i++) {
		struct pending *pending = &list[i];
		if (!ended && service->ready && !service->ready(loop->options.context, pending) &&
		    waited_ms < pending->wait_ms)
			break;
		bool error = pending->status >= 400;
		if (!ended) {
			pending->last |= error;
			ended = pending->last;
			connection->last |= ended;
			connection->linger |= error;
			loop_render(loop, pending);
		}
		loop_release(loop, pending);
	}
	return i;
}

static void
loop_send(struct loop *loop, struct connection *connection)
{
	loop_settle(loop, connection, connection_send(connection, buf_slice(&loop->out)));
}

/* The answers of the connection of pending[i]; returns the index behind its last one. */
static size_t
loop_answer_at(struct loop *loop, size_t i)
{
	struct connection *connection = loop->pending[i].connection;
	size_t count = 1;
	while (i + count < loop->pending_count && loop->pending[i + count].connection == connection)
		count++;
	buf_clear(&loop->out);
	size_t done = loop_answer(loop, connection, &loop->pending[i], count, 0);
	if (done < count)
		loop_park(loop, connection, &loop->pending[i + done], count - done);
	loop_send(loop, connection);
	return i + count;
}

static void
loop_answer_parked(struct loop *loop, struct connection *connection)
{
	struct parked *parked = connection->parked;
	int64_t waited_ms = loop->now - parked->since;
	buf_clear(&loop->out);
	size_t left = parked->count - parked->first;
	size_t done = loop_answer(loop, connection, &parked->list[parked->first], left, waited_ms);
	parked->first += done;
	if (done == left)
		loop_unpark(loop, connection);
	if (done > 0)
		loop_send(loop, connection);
}

/* Each of them once. */
static void
loop_answer_waiting(struct loop *loop)
{
	struct connection *connection = TAILQ_FIRST(&loop->set.in[CONNECTION_WAITING]), *next;
	for (; connection; connection = next) {
		next = TAILQ_NEXT(connection, entry);
		loop_answer_parked(loop, connection);
	}
	loop->retry = false;
}

static void
loop_free_closed(struct loop *loop)
{
	struct connection *connection;
	while ((connection = TAILQ_FIRST(&loop->set.in[CONNECTION_CLOSED])) != NULL) {
		if (connection->parked)
			loop_unpark(loop, connection);
		connection_free(&loop->set, connection);
	}
}

void
loop_end_pass(struct loop *loop)
{
	if (loop->pending_count > 0 || loop->retry)
		answer_date_set(&loop->date, clock_wall_ms() / 1000);
	if (loop->retry)
		loop_answer_waiting(loop);
	if (loop->pending_count > 0) {
		if (loop->service->commit)
			loop->service->commit(loop->options.context, loop->pending,
					      loop->pending_count);
		for (size_t i = 0; i < loop->pending_count;)
			i = loop_answer_at(loop, i);
		loop->pending_count = 0;
		counter_add(&loop->counters->passes, 1);
	}
	loop_free_closed(loop);
	atomic_store_explicit(&loop->counters->connections_open, loop->set.open,
			      memory_order_relaxed);
	loop->in_pass = false;
}

void
loop_make_room(struct loop *loop)
{
	if (loop->pending_count + LOOP_PIPELINE_MAX <= LOOP_PENDING_MAX)
		return;
	loop_end_pass(loop);
	loop_begin_pass(loop);
}

void
loop_end_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	loop_end_pass(arg);
}

void
loop_retry(struct loop *loop)
{
	if (loop->set.count[CONNECTION_WAITING] == 0)
		return;
	loop_begin_pass(loop);
	loop->retry = true;
}

void
loop_waiting_cb(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;
	(void)fd;
	(void)what;
	loop_retry(loop);
	if (loop->retry)
		loop_wait(loop);
}
