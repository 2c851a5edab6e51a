/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counter drawn as SVG (pure), for where no more than an image is allowed: the title, rows and numbers of the other
 * forms, legible on light and dark pages and in high contrast, with fonts that every system has.
 */
#ifndef SHOW_SVG_H
#define SHOW_SVG_H

#include "show/counts.h"

void svg_counter(struct buf *out, const struct counts_view *view, const struct counts *counts);

#endif
