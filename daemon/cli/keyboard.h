/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A program that runs until somebody ends it: waits for the next second, a key or a signal, and leaves the terminal as it
 * found it. Where standard input is no terminal, only signals end it.
 */
#ifndef CLI_KEYBOARD_H
#define CLI_KEYBOARD_H

#include "base/base.h"

struct keyboard;

/* Takes the signals that end, stop or resize a program, and the keys that are typed, without showing them. */
struct keyboard *keyboard_new(void);
/* Gives everything back; NULL is allowed. */
void keyboard_free(struct keyboard *keyboard);

enum keyboard_event {
	KEYBOARD_TIME,   /* it is `until` */
	KEYBOARD_RESIZE, /* the terminal has another size, or was somebody else's meanwhile */
	KEYBOARD_QUIT,   /* q was typed */
	KEYBOARD_SIGNAL, /* keyboard_signal() says which */
};
/* Until the monotonic clock (ms) says so. */
enum keyboard_event keyboard_wait(struct keyboard *keyboard, int64_t until);
int keyboard_signal(const struct keyboard *keyboard);

#endif
