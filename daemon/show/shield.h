/* SPDX-License-Identifier: BSD-2-Clause */
/* A counter's first row as shields.io's endpoint badge reads it (pure): https://shields.io/badges/endpoint-badge */
#ifndef SHOW_SHIELD_H
#define SHOW_SHIELD_H

#include "show/counts.h"

void shield_json(struct buf *out, const struct counts_view *view, const struct counts *counts);

#endif
