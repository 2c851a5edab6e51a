/* SPDX-License-Identifier: BSD-2-Clause */
/* The browsers, systems and devices that are told apart (pure). To know another is a row in a table of known.c. */
#ifndef HIT_KNOWN_H
#define HIT_KNOWN_H

#include "base/base.h"

/* Rows of the tables; 0: not known. */
struct known {
	uint8_t browser;
	uint8_t system;
	uint8_t device;
};

struct known known_of_agent(struct slice user_agent);
/* Puts what client hints say (Sec-CH-UA, -Platform, -Mobile; absent ones say nothing) in place of what they are surer of. */
struct known known_with_hints(struct known known, struct slice brands, struct slice platform,
			      struct slice mobile);

/* Static; absent for row 0. */
struct slice known_browser(struct known known);
struct slice known_system(struct known known);
struct slice known_device(struct known known);

/* Whether that browser, on that device, never leaves Accept-Language out. */
bool known_speaks(struct known known);

#endif
