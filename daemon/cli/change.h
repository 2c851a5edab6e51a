/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every command that changes something does alike: the question, or --yes where nobody can answer one; a line on
 * the audit list before anything is changed, so that there is no change without one; word to the daemons afterwards.
 */
#ifndef CLI_CHANGE_H
#define CLI_CHANGE_H

#include "cli/cli.h"
#include "store/change.h"

struct change {
	const char *command;
	const char *site; /* NULL: all of them */
	struct buf what;  /* one sentence, as the question and the list have it */
};
void change_release(struct change *change);

/* False with --dry-run. Ends the program where the answer is no, or where there is nobody to give one. */
bool change_agreed(const struct cli *cli, const struct change *change);
/* Puts it on the list; ends the program where that fails. */
void change_begin(const struct cli *cli, struct store *store, const struct change *change);
/* It is done. */
void change_end(struct store *store);

/* The key of -s, configured or not any more, or of the only site; ends the program when it cannot be one. */
struct slice change_site(const struct cli *cli);

/* --page in its stored form, absent where it was not given; ends the program when it is no page. */
struct slice change_page(const struct cli *cli, struct slice site, char page[HIT_PAGE_MAX]);

#endif
