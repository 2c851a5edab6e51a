/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How wide a text is, without any font at hand (pure): by the advance widths that Arial, Helvetica and Liberation Sans
 * share. A letter with marks is as wide as the letter; what no counter says is taken for an average one.
 */
#ifndef SHOW_MEASURE_H
#define SHOW_MEASURE_H

#include "base/base.h"

/* In thousandths of the font's size; `bold` for a bold face. */
int measure_text(struct slice text, bool bold);

#endif
