/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The form of an export: JSON lines. The first names its version, the last says how many there are; between them pieces
 * of keys (store/piece.h), settings of sites, lines of the audit list:
 *
 *   {"thongke_export":1,"version":"0.1.0","ms":1589959927000}
 *   {"site":"a","key":"hits:2020","seconds":0,"first":0,"value":[["05-19",1508],["05-20",653]]}
 *   {"site":"a","key":"unique:2020-05-20","seconds":171842,"first":0,"base64":"SFlMTAE..."}
 *   {"site":"a","settings":"timezone=..."}   {"audit":"{...}"}   {"trimmed":"2020-05-20"}   {"end":5}
 */
#ifndef CLI_EXPORT_H
#define CLI_EXPORT_H

#include "cli/cli.h"
#include "cli/logfile.h"

#define EXPORT_BEGIN "{\"thongke_export\":"
enum { EXPORT_SCHEMA = 1 };

/* Whether the file's first line is that of an export. */
bool export_is_one(struct logfile *file);
/* Adds what it holds to Redis, each piece once however often it is run; closes the file. Returns an enum cli_exit. */
int export_restore(struct cli *cli, struct logfile *file);

#endif
