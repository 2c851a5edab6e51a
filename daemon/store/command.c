/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Redis commands in their wire form. A call of 500 counts has over a thousand arguments, so they are written once,
 * where they will be sent from, and formatted by nobody else.
 */
#include "store/command.h"

enum { NUMBER_MAX = 24 };

void
command_release(struct command *command)
{
	buf_release(&command->text);
	command->args = 0;
}

void
command_start(struct command *command, const char *name)
{
	buf_clear(&command->text);
	command->args = 0;
	if (name)
		command_add(command, slice_of(name));
}

/* The digits end before `end`; returns where they start. */
static char *
put_number(char *end, uint64_t value)
{
	do
		*--end = (char)('0' + value % 10);
	while (value /= 10);
	return end;
}

static char *
put_length(char *to, size_t len)
{
	char digits[NUMBER_MAX];
	const char *first = put_number(digits + sizeof(digits), len);
	size_t count = (size_t)(digits + sizeof(digits) - first);
	*to++ = '$';
	memcpy(to, first, count);
	memcpy(to + count, "\r\n", 2);
	return to + count + 2;
}

void
command_add_joined(struct command *command, struct slice head, struct slice tail)
{
	size_t len = head.len + tail.len;
	char *start = buf_reserve(&command->text, len + NUMBER_MAX + 8);
	char *to = put_length(start, len);
	if (head.len)
		memcpy(to, head.ptr, head.len);
	to += head.len;
	if (tail.len)
		memcpy(to, tail.ptr, tail.len);
	to += tail.len;
	memcpy(to, "\r\n", 2);
	command->text.len += (size_t)(to + 2 - start);
	command->args++;
}

void
command_add(struct command *command, struct slice arg)
{
	command_add_joined(command, arg, (struct slice){0});
}

void
command_add_int(struct command *command, int64_t value)
{
	char digits[NUMBER_MAX];
	char *end = digits + sizeof(digits);
	char *first = put_number(end, value < 0 ? -(uint64_t)value : (uint64_t)value);
	if (value < 0)
		*--first = '-';
	command_add(command, (struct slice){first, (size_t)(end - first)});
}

void
command_append(struct command *command, const struct command *more)
{
	buf_add(&command->text, more->text.data, more->text.len);
	command->args += more->args;
}
