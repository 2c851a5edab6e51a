/* SPDX-License-Identifier: BSD-2-Clause */
/* What `thongke doctor` looks at, a file for each kind of thing; each finding is a row of one table. */
#ifndef CLI_DOCTOR_H
#define CLI_DOCTOR_H

#include "cli/cli.h"

enum state { STATE_OK, STATE_WARN, STATE_BAD };
enum { CHECK_NAME, CHECK_STATE, CHECK_FINDING, CHECK_ADVICE, CHECK_COLUMNS };

struct doctor {
	struct cli *cli;
	struct table table;
	size_t bad;
};

/* advice: what to do, unless all is well. */
void doctor_found(struct doctor *doctor, const char *check, enum state state, const char *advice,
		  const char *format, ...) PRINTF(5, 6);

/* The configuration is loaded for all of them. */
void doctor_daemon(struct doctor *doctor);
void doctor_files(struct doctor *doctor);
void doctor_redis(struct doctor *doctor);

#endif
