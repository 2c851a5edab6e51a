/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a loop counts about its work. One writer each, its own loop; any thread may read. Adding a counter is adding a
 * row: rows of one metric stand together, the first one's help is shown.
 */
#ifndef FRONT_COUNTERS_H
#define FRONT_COUNTERS_H

#include <stdalign.h>
#include <stdatomic.h>

#include "base/base.h"

/* X(field, metric, labels, help) */
#define FRONT_COUNTERS(X)                                                                        \
	X(hits_counted, "thongke_hits_total", "outcome=\"counted\"",                             \
	  "Hits by what became of them.")                                                        \
	X(hits_bot, "thongke_hits_total", "outcome=\"bot\"", "")                                 \
	X(hits_prefetch, "thongke_hits_total", "outcome=\"prefetch\"", "")                       \
	X(hits_rate, "thongke_hits_total", "outcome=\"rate\"", "")                               \
	X(hits_repeat, "thongke_hits_total", "outcome=\"repeat\"", "")                           \
	X(hits_duplicate, "thongke_hits_total", "outcome=\"duplicate\"", "")                     \
	X(hits_excluded, "thongke_hits_total", "outcome=\"excluded\"", "")                       \
	X(hits_local, "thongke_hits_total", "outcome=\"local\"", "")                             \
	X(hits_optout, "thongke_hits_total", "outcome=\"optout\"", "")                           \
	X(hits_origin, "thongke_hits_total", "outcome=\"origin\"", "")                           \
	X(hits_refused, "thongke_hits_total", "outcome=\"refused\"", "")                         \
	X(hits_unavailable, "thongke_hits_total", "outcome=\"unavailable\"", "")                 \
	X(hits_lost, "thongke_hits_without_address_total", "",                                   \
	  "Counted hits whose trusted proxy named no client.")                                   \
	X(answers_2xx, "thongke_answers_total", "class=\"2xx\"", "Answers by class of status.")  \
	X(answers_3xx, "thongke_answers_total", "class=\"3xx\"", "")                             \
	X(answers_4xx, "thongke_answers_total", "class=\"4xx\"", "")                             \
	X(answers_5xx, "thongke_answers_total", "class=\"5xx\"", "")                             \
	X(passes, "thongke_passes_total", "",                                                    \
	  "Passes of the event loops that answered something.")                                  \
	X(connections_open, "thongke_connections", "", "Client connections open now.")           \
	X(connections_accepted, "thongke_connections_total", "", "Client connections accepted.") \
	X(connections_closed_early, "thongke_connections_closed_early_total",                    \
	  "reason=\"deadline\"",                                                                 \
	  "Connections that were closed while the client might have wanted more.")               \
	X(connections_evicted, "thongke_connections_closed_early_total", "reason=\"limit\"", "") \
	X(connections_turned_away, "thongke_connections_closed_early_total", "reason=\"full\"",  \
	  "")                                                                                    \
	X(connections_proxy, "thongke_connections_closed_early_total", "reason=\"proxy\"", "")   \
	X(accept_errors, "thongke_accept_errors_total", "",                                      \
	  "Failed accepts, each a pause of 100 ms.")

struct front_counters {
#define X(field, metric, labels, help) _Atomic uint64_t field;
	alignas(64) struct {
		FRONT_COUNTERS(X)
	};
#undef X
};

/* The sum of several loops' counters. */
struct front_stats {
#define X(field, metric, labels, help) uint64_t field;
	FRONT_COUNTERS(X)
#undef X
};

/* A single writer needs no locked instruction. */
static inline void
counter_add(_Atomic uint64_t *counter, int64_t more)
{
	uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);
	atomic_store_explicit(counter, value + (uint64_t)more, memory_order_relaxed);
}

static inline void
front_stats_add(struct front_stats *sum, const struct front_counters *counters)
{
#define X(field, metric, labels, help) \
	sum->field += atomic_load_explicit(&counters->field, memory_order_relaxed);
	FRONT_COUNTERS(X)
#undef X
}

#endif
