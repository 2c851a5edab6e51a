/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A Redis command, or a part of one, written straight in its wire form (RESP: "$length CRLF bytes CRLF" for each
 * argument). Parts are put together, and counted, when they are sent (store/link.h). Zeroed is a valid empty one.
 */
#ifndef STORE_COMMAND_H
#define STORE_COMMAND_H

#include "base/buf.h"

struct command {
	struct buf text;
	size_t args;
};

void command_release(struct command *command);
/* Begins again with `name` as first argument; NULL: with nothing. The memory is kept. */
void command_start(struct command *command, const char *name);
void command_add(struct command *command, struct slice arg);
/* An argument made of two texts, such as a key of a site and what follows it. */
void command_add_joined(struct command *command, struct slice head, struct slice tail);
void command_add_int(struct command *command, int64_t value);
void command_append(struct command *command, const struct command *more);

#define command_add_literal(command, literal) command_add((command), SLICE(literal))

#endif
