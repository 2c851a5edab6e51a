/* SPDX-License-Identifier: BSD-2-Clause */
/* A log is looked at twice a second: cheaper than to be told of every line of a busy one. */
#include "cli/follow.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>

#include "cli/cli.h"

enum { LOOK_EVERY_MS = 500 };

int
follow_signals(void)
{
	sigset_t signals;
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	int fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		cli_fail(CLI_NO, "signalfd: %m");
	return fd;
}

bool
follow_wait(int signals)
{
	struct pollfd poller = {.fd = signals, .events = POLLIN};
	return poll(&poller, 1, LOOK_EVERY_MS) <= 0;
}
