/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines of JSON access logs (pure): Caddy's, and what people make nginx and others write, by the names of
 * cli/logfields.h wherever in the line they stand.
 */
#ifndef CLI_LOGJSON_H
#define CLI_LOGJSON_H

#include "cli/accesslog.h"

/* The same contract as accesslog_parse(). */
bool logjson_parse(struct accesslog *log, struct slice line, struct access *access);

#endif
