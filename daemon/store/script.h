/* SPDX-License-Identifier: BSD-2-Clause */
/* The text of apply.lua, built into the program; what it takes and answers is written at its top. */
#ifndef STORE_SCRIPT_H
#define STORE_SCRIPT_H

#include "base/base.h"

struct slice script_apply(void);

#endif
