/* SPDX-License-Identifier: BSD-2-Clause */
/* Brings what another counter counted, out of one file, into Redis: only what is more than was brought before. */
#ifndef CLI_TABLEIMPORT_H
#define CLI_TABLEIMPORT_H

#include "cli/cli.h"

struct tableimport {
	const struct conf_site *site; /* in: borrowed, as is the store */
	struct store *store;
	const char *format; /* in: the counter's name; NULL: whose the rows look like */
	bool overlap;       /* in: also into days that beacons were counted in */
	bool dry;           /* in: nothing is written */
	uint64_t rows, other, bad;
	struct brought_reply brought;
};

/* Whether a file is another counter's and no log. */
bool tableimport_is(const char *path, const char *format);
/* Ends the program where the file cannot be read, is nobody's, or holds days that beacons counted. */
void tableimport_run(struct tableimport *import, const struct cli *cli, const char *path);

#endif
