/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * GoatCounter's export of page views as CSV (pure), versions 1 and 2: a line each, below a line of the columns' names.
 * It tells no addresses; its sessions stand in their place. A title with line ends in it makes its line unreadable.
 */
#ifndef CLI_GOATCOUNTER_H
#define CLI_GOATCOUNTER_H

#include "cli/accesslog.h"

enum { GOATCOUNTER_COLUMNS_MAX = 24 };

/* Which column is which: its number + 1; 0: there is none. */
struct goatcounter {
	uint8_t path, event, session, bot, referrer, scheme, browser, system, screen, location,
		date;
};

/* False: the line is no such line of names. */
bool goatcounter_header(struct goatcounter *columns, struct slice line);
/* The same contract as accesslog_parse(); the line of names and events are lines that count nothing. */
bool goatcounter_parse(const struct goatcounter *columns, struct accesslog *log, struct slice line,
		       struct access *access);

#endif
