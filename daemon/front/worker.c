/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Worker threads. A worker runs one event loop until it is told to drain; what a loop does is in front/loop.c, what
 * it serves in front/public.c.
 */
#include "front/worker.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/clock.h"
#include "base/log.h"
#include "front/loop.h"
#include "front/public.h"

enum { DRAIN_TICK_MS = 5 };

struct worker {
	struct front_counters counters; /* on cache lines of its own */
	struct front *front;
	int index;
	bool started;
	pthread_t thread;
	struct event_base *base;
	struct event *wake, *tick, *fetched;
	int wake_fd, fetched_fd;
	struct journal_writer *writer;
	struct public_state *public_state;
	struct loop *loop;
};

struct front {
	struct front_options options;
	struct listeners *listeners;
	_Atomic int64_t drain_until; /* monotonic ms */
	int count;
	struct worker *workers;
};

/* Ends the loop when every client has its answer, or when the time is up. */
static void
worker_tick_cb(evutil_socket_t fd, short what, void *arg)
{
	struct worker *worker = arg;
	(void)fd;
	(void)what;
	if (loop_open(worker->loop) == 0 ||
	    clock_mono_ms() >= atomic_load(&worker->front->drain_until))
		event_base_loopbreak(worker->base);
}

static void
worker_wake_cb(evutil_socket_t fd, short what, void *arg)
{
	struct worker *worker = arg;
	(void)fd;
	(void)what;
	event_del(worker->wake);
	loop_drain(worker->loop);
	listeners_close_loop(worker->front->listeners, worker->index);
	event_add(worker->tick, &(struct timeval){0, DRAIN_TICK_MS * 1000});
}

/* Pages that answers wait for were fetched. */
static void
worker_fetched_cb(evutil_socket_t fd, short what, void *arg)
{
	struct worker *worker = arg;
	eventfd_t times;
	(void)what;
	if (eventfd_read((int)fd, &times) == 0)
		loop_retry(worker->loop);
}

static void *
worker_main(void *arg)
{
	struct worker *worker = arg;
	pthread_setname_np(pthread_self(), "worker");
	event_base_dispatch(worker->base);
	return NULL;
}

/* One thread per base, so libevent needs no locks. */
static struct event_base *
worker_base(void)
{
	struct event_config *config = event_config_new();
	if (!config || event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK) < 0)
		die("cannot set up an event loop");
	struct event_base *base = event_base_new_with_config(config);
	event_config_free(config);
	if (!base)
		die("cannot set up an event loop: %s", strerror(errno));
	return base;
}

static void
worker_init(struct worker *worker, struct front *front, int index)
{
	worker->front = front;
	worker->index = index;
	worker->base = worker_base();
	worker->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	worker->fetched_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (worker->wake_fd < 0 || worker->fetched_fd < 0)
		die("cannot set up a worker: %s", strerror(errno));
	worker->wake = event_new(worker->base, worker->wake_fd, EV_READ, worker_wake_cb, worker);
	worker->tick = event_new(worker->base, -1, EV_PERSIST, worker_tick_cb, worker);
	worker->fetched = event_new(worker->base, worker->fetched_fd, EV_READ | EV_PERSIST,
				    worker_fetched_cb, worker);
	event_add(worker->wake, NULL);
	event_add(worker->fetched, NULL);
	pages_notify(front->options.pages, worker->fetched_fd);
	worker->writer = journal_writer_new(front->options.journal);
	const struct front_options *options = &front->options;
	worker->public_state = public_new(
		&(struct public_options){
			.board = options->board,
			.pages = options->pages,
			.stats = options->stats,
			.counters = &worker->counters,
			.workers = front->count,
		},
		&(struct intake_options){
			.conf = options->conf,
			.rules = options->rules,
			.writer = worker->writer,
			.board = options->board,
			.pages = options->pages,
			.salts = options->salts,
			.nonces = options->nonces,
			.repeats = options->repeats,
			.limits = options->limits,
			.counters = &worker->counters,
		});
	worker->loop = loop_new(&(struct loop_options){
		.base = worker->base,
		.service = &public_service,
		.context = worker->public_state,
		.counters = &worker->counters,
	});
	loop_listen(worker->loop, front->listeners, index);
}

static void
worker_release(struct worker *worker)
{
	loop_free(worker->loop);
	public_free(worker->public_state);
	journal_writer_free(worker->writer);
	event_free(worker->wake);
	event_free(worker->tick);
	event_free(worker->fetched);
	event_base_free(worker->base);
	close(worker->wake_fd);
	close(worker->fetched_fd);
}

int
front_worker_count(const struct conf *conf)
{
	cpu_set_t cpus;
	if (conf->workers > 0)
		return conf->workers;
	if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
		return 1;
	return CPU_COUNT(&cpus) > 0 ? CPU_COUNT(&cpus) : 1;
}

struct front *
front_new(const struct front_options *options, char *error, size_t error_size)
{
	struct conf *conf = conf_current_get(options->conf);
	struct front *front = xcalloc(1, sizeof(*front));
	front->options = *options;
	front->count = front_worker_count(conf);
	front->listeners =
		listeners_new(conf->listens, conf->listen_count, front->count, error, error_size);
	conf_unref(conf);
	if (!front->listeners) {
		free(front);
		return NULL;
	}
	size_t size = (size_t)front->count * sizeof(*front->workers);
	front->workers = aligned_alloc(alignof(struct worker), size);
	if (!front->workers)
		die("out of memory");
	memset(front->workers, 0, size);
	for (int i = 0; i < front->count; i++)
		worker_init(&front->workers[i], front, i);
	return front;
}

void
front_start(struct front *front)
{
	sigset_t all, old;
	sigfillset(&all);
	/* Signals are the main thread's: a worker is born with all of them blocked. */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (int i = 0; i < front->count; i++) {
		struct worker *worker = &front->workers[i];
		int code = pthread_create(&worker->thread, NULL, worker_main, worker);
		if (code != 0)
			die("cannot start a worker: %s", strerror(code));
		worker->started = true;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	listeners_log(front->listeners, "public");
}

void
front_drain(struct front *front, int wait_ms)
{
	atomic_store(&front->drain_until, clock_mono_ms() + wait_ms);
	for (int i = 0; i < front->count; i++)
		if (front->workers[i].started && eventfd_write(front->workers[i].wake_fd, 1) < 0)
			log_error("wake_failed worker=%d error=\"%s\"", i, strerror(errno));
	for (int i = 0; i < front->count; i++) {
		if (front->workers[i].started)
			pthread_join(front->workers[i].thread, NULL);
		front->workers[i].started = false;
	}
}

void
front_free(struct front *front)
{
	if (!front)
		return;
	for (int i = 0; i < front->count; i++)
		worker_release(&front->workers[i]);
	listeners_free(front->listeners);
	free(front->workers);
	free(front);
}

struct front_stats
front_stats(const struct front *front)
{
	struct front_stats sum = {0};
	for (int i = 0; i < front->count; i++)
		front_stats_add(&sum, &front->workers[i].counters);
	return sum;
}
