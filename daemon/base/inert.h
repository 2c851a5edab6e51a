/* SPDX-License-Identifier: BSD-2-Clause */
/* Text that strangers supplied, made harmless for whatever shows it (pure). */
#ifndef BASE_INERT_H
#define BASE_INERT_H

#include "base/buf.h"

/*
 * Whether a character acts on what shows it, or is not seen at all: control characters (C0, DEL, C1), ends of lines and
 * paragraphs, what turns the direction of text, joins or tags it.
 */
bool inert_acts(uint32_t code);

/* Adds the text with a blank for white space of any kind, and U+FFFD for what else acts or is no UTF-8. */
void inert_add(struct buf *out, struct slice text);
/* Adds the text, only what is no UTF-8 replaced by U+FFFD. */
void inert_add_utf8(struct buf *out, struct slice text);
/* The same for a JSON text, of which nothing is lost: what acts is written as \uXXXX (RFC 8259 section 7). */
void inert_add_json(struct buf *out, struct slice json);

/* Whether a spreadsheet would take the cell for a formula: its first character but blanks is = + - @, wide or not. */
bool inert_is_formula(struct slice cell);

#endif
