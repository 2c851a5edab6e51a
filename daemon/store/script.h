/* SPDX-License-Identifier: BSD-2-Clause */
/* The texts of the scripts, built into the program; what they take and answer is written at their tops. */
#ifndef STORE_SCRIPT_H
#define STORE_SCRIPT_H

#include "base/base.h"

struct slice script_apply(void);
struct slice script_bring(void);
struct slice script_put(void);

#endif
