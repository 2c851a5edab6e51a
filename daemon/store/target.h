/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a Redis is and how to log in there, read from "unix:/path" or "redis://[user:password@]host:port[/db]". */
#ifndef STORE_TARGET_H
#define STORE_TARGET_H

#include "base/base.h"

struct target {
	char *path; /* NULL for TCP */
	char *host;
	int port;
	int db;
	char *user;     /* NULL: the default one */
	char *password; /* NULL: none */
};

/* password_file: "" for none, else its first line is the password. False: one sentence in error, without secrets. */
bool target_init(struct target *target, const char *text, const char *password_file, char *error,
		 size_t error_size);
void target_release(struct target *target);

#endif
