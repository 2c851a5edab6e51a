/* SPDX-License-Identifier: BSD-2-Clause */
/* Colours that are wished for (pure): as CSS writes them, and which of black and white is legible on them. */
#ifndef SHOW_TINT_H
#define SHOW_TINT_H

#include "base/buf.h"

/* 0x1b5e9b as "#1b5e9b". */
void tint_add(struct buf *out, uint32_t color);
/* Black or white, whichever contrasts more with the colour (at least 4.5 to 1, WCAG 2.2 success criterion 1.4.3). */
uint32_t tint_on(uint32_t color);

#endif
