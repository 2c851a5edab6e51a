/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signals arrive through a descriptor, so that nothing is done where a signal strikes: the terminal is given back by
 * whoever reads it. Only SIGKILL leaves it as it is.
 */
#include "cli/keyboard.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

struct keyboard {
	sigset_t taken, before;
	int signals; /* descriptor */
	int signal;  /* the one that ends the program */
	bool terminal;
	struct termios found;
};

/* Keys come one by one and are not shown; Ctrl-C stays a signal. */
static void
take_terminal(struct keyboard *keyboard)
{
	struct termios own;
	keyboard->terminal = tcgetpgrp(STDIN_FILENO) == getpgrp() &&
			     tcgetattr(STDIN_FILENO, &keyboard->found) == 0;
	if (!keyboard->terminal)
		return;
	own = keyboard->found;
	own.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	own.c_cc[VMIN] = 1;
	own.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSADRAIN, &own);
}

static void
give_terminal(struct keyboard *keyboard)
{
	if (keyboard->terminal)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &keyboard->found);
	keyboard->terminal = false;
}

struct keyboard *
keyboard_new(void)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH};
	struct keyboard *keyboard = xcalloc(1, sizeof(*keyboard));
	sigemptyset(&keyboard->taken);
	for (size_t i = 0; i < COUNT_OF(signals); i++)
		sigaddset(&keyboard->taken, signals[i]);
	sigprocmask(SIG_BLOCK, &keyboard->taken, &keyboard->before);
	keyboard->signals = signalfd(-1, &keyboard->taken, SFD_CLOEXEC);
	if (keyboard->signals < 0)
		die("cannot wait for signals: %s", strerror(errno));
	take_terminal(keyboard);
	return keyboard;
}

void
keyboard_free(struct keyboard *keyboard)
{
	if (!keyboard)
		return;
	give_terminal(keyboard);
	close(keyboard->signals);
	sigprocmask(SIG_SETMASK, &keyboard->before, NULL);
	free(keyboard);
}

int
keyboard_signal(const struct keyboard *keyboard)
{
	return keyboard->signal;
}

/* Ctrl-Z: the shell gets its terminal back; afterwards it is ours again. */
static void
stop(struct keyboard *keyboard)
{
	give_terminal(keyboard);
	raise(SIGSTOP);
	take_terminal(keyboard);
}

static enum keyboard_event
take_signal(struct keyboard *keyboard)
{
	struct signalfd_siginfo info;
	if (read(keyboard->signals, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return KEYBOARD_TIME;
	if (info.ssi_signo == SIGTSTP)
		stop(keyboard);
	if (info.ssi_signo == SIGTSTP || info.ssi_signo == SIGWINCH)
		return KEYBOARD_RESIZE;
	keyboard->signal = (int)info.ssi_signo;
	return KEYBOARD_SIGNAL;
}

/* A terminal that has gone away is read no more. */
static bool
quits(struct keyboard *keyboard)
{
	char key;
	ssize_t got = read(STDIN_FILENO, &key, 1);
	if (got <= 0)
		keyboard->terminal = false;
	return got == 1 && (key == 'q' || key == 'Q');
}

enum keyboard_event
keyboard_wait(struct keyboard *keyboard, int64_t until)
{
	for (;;) {
		struct pollfd fds[] = {
			{.fd = keyboard->signals, .events = POLLIN},
			{.fd = keyboard->terminal ? STDIN_FILENO : -1, .events = POLLIN}};
		int64_t left = until - clock_mono_ms();
		int ready = poll(fds, COUNT_OF(fds), left > 0 ? (int)left : 0);
		if (ready > 0 && fds[0].revents)
			return take_signal(keyboard);
		if (ready > 0 && fds[1].revents && quits(keyboard))
			return KEYBOARD_QUIT;
		if (ready == 0)
			return KEYBOARD_TIME;
	}
}
