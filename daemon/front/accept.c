/* SPDX-License-Identifier: BSD-2-Clause */
/* Letting clients in: as many as the limit allows, the slow ones making room for new ones, none when there is no room. */
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "front/loop_inside.h"

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
	if (connection->state != CONNECTION_ANSWERING && connection->state != CONNECTION_CLOSED)
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

void
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

void
loop_accept_cb(evutil_socket_t fd, short what, void *arg)
{
	struct loop_listener *listener = arg;
	(void)fd;
	(void)what;
	loop_begin_pass(listener->loop);
	for (int i = 0; i < LOOP_ACCEPT_MAX && loop_accept(listener->loop, listener); i++)
		;
}
