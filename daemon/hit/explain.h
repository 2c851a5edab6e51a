/* SPDX-License-Identifier: BSD-2-Clause */
/* What a hit would be, and why, step by step, for operators (pure). */
#ifndef HIT_EXPLAIN_H
#define HIT_EXPLAIN_H

#include "base/buf.h"
#include "hit/judge.h"

/*
 * A step and its finding a line, in the order of the judgement as far as it went; the last one is "counted   yes, ..." or
 * "counted   no, REASON". What strangers sent is made inert.
 */
void explain_text(struct buf *out, const struct judge *judge, const struct judge_case *hit,
		  const struct judgement *judgement);

#endif
