/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operators' listener: /healthz, /readyz, /metrics. It runs on the main thread's event loop, over the same
 * connections as the public side, but never on its addresses, and no web page may read it (no CORS).
 */
#ifndef ADMIN_ADMIN_H
#define ADMIN_ADMIN_H

#include "front/worker.h"
#include "hit/rules.h"
#include "tally/tally.h"

struct event_base;
struct admin;

/* Binds admin_listen and serves as soon as the loop runs. NULL: error holds one sentence. */
struct admin_options {
	struct event_base *base;
	struct conf_current *conf;
	const struct rules_current *rules;
	struct front *front;
	struct tally *tally;
	struct journal *journal;
};
struct admin *admin_new(const struct admin_options *options, char *error, size_t error_size);
void admin_free(struct admin *admin);

#endif
