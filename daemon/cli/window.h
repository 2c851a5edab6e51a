/* SPDX-License-Identifier: BSD-2-Clause */
/* Which days a command was asked for: a range as its argument, or --from and --to. */
#ifndef CLI_WINDOW_H
#define CLI_WINDOW_H

#include "cli/cli.h"
#include "cli/range.h"

struct window {
	struct range range; /* nothing of it lies ahead of today; empty where last < first */
	bool from_given;
};

/* The range in the command's argument, where it has that many, else of the options; today where none is given. */
struct window window_asked(const struct cli *cli, size_t argument, int32_t today);

/* The first year in which the site has hits; `otherwise` where that is sooner, or there is none. */
int32_t window_first_year(struct store *store, const struct conf_site *site, int32_t otherwise);

#endif
