/* SPDX-License-Identifier: BSD-2-Clause */
/* What the running daemon says of itself on its admin listener, and numbers in its metrics. */
#ifndef CLI_MEASURE_H
#define CLI_MEASURE_H

#include "base/buf.h"
#include "base/conf.h"

/* The first of admin_listen that answers: its status, its body added to `body`; negative: a sentence in error. */
int measure_ask(const struct conf *conf, const char *path, struct buf *body, char *error,
		size_t error_size) MUST_CHECK;

/* The rest is pure; `text` is Prometheus' text format. */

/* The sum of a metric's samples that have `label` ("outcome=\"bot\""; NULL: any). False: there is none. */
bool measure_value(struct slice text, const char *name, const char *label, double *value);

/* A histogram: how many observations are at most bounds[i] (seconds; INFINITY the last), rising. */
enum { MEASURE_BOUNDS_MAX = 32 };
struct measure_histogram {
	double bounds[MEASURE_BOUNDS_MAX], counts[MEASURE_BOUNDS_MAX];
	size_t count;
};
void measure_histogram(struct slice text, const char *name, struct measure_histogram *out);
/* The bound under which `share` of what was observed between two looks lies, in us; -1: nothing was, or beyond all. */
int64_t measure_quantile(const struct measure_histogram *before,
			 const struct measure_histogram *after, double share);

#endif
