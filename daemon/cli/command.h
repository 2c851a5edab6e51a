/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a row of the table of commands and of the table of options says. Both tables are in thongke.c; dispatch, the help,
 * completion for shells and the check of the manual page are made from them.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include "cli/cli.h"

/* What a command needs or may be given. */
enum {
	TAKES_SITE = 1 << 0,
	TAKES_RANGE = 1 << 1, /* --from, --to, --limit, and a range as its argument */
	TAKES_LOG = 1 << 2,
	TAKES_METRIC = 1 << 3,
	TAKES_HIT = 1 << 4,
	NEEDS_NO_CONF = 1 << 5,
	TAKES_CHANGE = 1 << 6, /* --dry-run, --yes, --why */
	TAKES_AMOUNT = 1 << 7, /* --set, --add, --clear, and the period that they are for */
	TAKES_PAGE = 1 << 8,
	TAKES_FOR = 1 << 9,
	TAKES_URL = 1 << 10,
	TAKES_FORGOTTEN = 1 << 11, /* --period, --visitor-data, --all */
	TAKES_DIR = 1 << 12,
	TAKES_SITES = 1 << 13, /* several, and --all */
	TAKES_LIMIT = 1 << 14,
	TAKES_THRESHOLDS = 1 << 15,
	TAKES_DIFF = 1 << 16,
	SHOWS_NO_TABLE = 1 << 17, /* no rendering can be chosen, and no language */
};

struct command {
	const char *name, *arguments, *help;
	int (*run)(struct cli *cli);
	int takes;
	size_t args_min, args_max;
};

/* An option with an argument sets a text of struct cli, one without it a flag. */
struct option_row {
	const char *name, *argument, *help;
	size_t field; /* in struct cli */
	char letter;
	int needs; /* one of what the command must take; 0: every command has it */
};

/* Both tables, for the commands that speak of all others. */
struct command_tables {
	const struct command *commands;
	size_t command_count;
	const struct option_row *options;
	size_t option_count;
};

/* Whether the command may be given the option. */
bool command_takes(const struct command *command, const struct option_row *option);

#endif
