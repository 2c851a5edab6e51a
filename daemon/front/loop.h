/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The connections of one event loop, and its passes. A pass: every ready socket is read, every complete request is
 * handled and noted as pending; then the service commits (one journal write), and only then the answers are rendered
 * and sent, one send per connection. One thread.
 */
#ifndef FRONT_LOOP_H
#define FRONT_LOOP_H

#include "front/counters.h"
#include "front/listener.h"
#include "front/route.h"

enum {
	LOOP_PENDING_MAX =
		256, /* requests of one pass; what is ready beyond waits for the next one */
	LOOP_PIPELINE_MAX = 32,     /* requests of one connection in one pass */
	LOOP_INPUT_MAX = 64 * 1024, /* one recv, kept input included */
	LOOP_ACCEPT_MAX = 64,       /* clients accepted from one socket in one pass */
	LOOP_SWEEP_MS = 250,        /* how exact deadlines are */
	LOOP_ACCEPT_PAUSE_MS = 100, /* after a failed accept */
	LOOP_TURNED_AWAY_MAX = 64,  /* connections over the limit that are told so */
	LOOP_WAIT_MS =
		50, /* how long an answer waits for what it lacks, unless it says otherwise */
	LOOP_WAITING_MS = 10,       /* how exact that is */
	LOOP_EVICT_AFTER_MS = 1000, /* an unfinished request this old makes room for others */
};

struct event_base;
struct loop;

struct loop_options {
	struct event_base *base;
	const struct service *service;
	void *context;
	struct front_counters *counters;
};

/* Serves nobody before loop_listen. */
struct loop *loop_new(const struct loop_options *options);
/* Closes every connection at once. */
void loop_free(struct loop *loop);

void loop_listen(struct loop *loop, const struct listeners *listeners, int index);
/* Accepts whoever waits already, stops listening, closes idle connections; answers from now on close. */
void loop_drain(struct loop *loop);
/* What some answers wait for may be there: they are tried again. */
void loop_retry(struct loop *loop);
size_t loop_open(const struct loop *loop);

#endif
