/* SPDX-License-Identifier: BSD-2-Clause */
/* Connecting again, slower each time. */
#include "cli/redial.h"

#include <time.h>

#include "base/clock.h"
#include "cli/cli.h"

enum { STEP_MS = 50, STEP_MAX_MS = 1000 };

/* A server that is still reading its files refuses everything, but not for long. */
static bool
is_loading(const struct store *store)
{
	return strstr(store_error(store), "LOADING") != NULL;
}

static void
pause_ms(int64_t ms)
{
	struct timespec pause = {ms / 1000, ms % 1000 * 1000000};
	nanosleep(&pause, NULL);
}

int
redial_status(const struct store *store, int status)
{
	return status == STORE_REFUSED && is_loading(store) ? STORE_UNAVAILABLE : status;
}

void
redial(struct store *store, int64_t deadline, const char *lost)
{
	int64_t step = STEP_MS;
	for (;;) {
		if (clock_mono_ms() + step > deadline)
			cli_fail(CLI_UNREACHABLE, "%s; %s", store_error(store), lost);
		store_disconnect(store);
		pause_ms(step);
		int status = store_connect(store);
		if (status == STORE_OK)
			return;
		if (redial_status(store, status) == STORE_REFUSED)
			cli_fail(CLI_REFUSED, "%s", store_error(store));
		step = 2 * step > STEP_MAX_MS ? STEP_MAX_MS : 2 * step;
	}
}
