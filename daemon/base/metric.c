/* SPDX-License-Identifier: BSD-2-Clause */
/* The metrics' names. */
#include "base/metric.h"

#define X(id, name) [METRIC_##id] = name,
const char *const metric_names[METRIC_STORED] = {METRICS(X)[METRIC_BOTS] = "bots"};
#undef X
