/* SPDX-License-Identifier: BSD-2-Clause */
/* Content security policies of pages that thongke serves (pure): nothing may load or run but their own style sheets. */
#ifndef SHOW_POLICY_H
#define SHOW_POLICY_H

#include "base/buf.h"
#include "base/conf.h"

/* "'sha256-...'": what lets a style sheet stand in a page; with its NUL. */
enum { POLICY_HASH_SIZE = 54 };
void policy_hash(char out[POLICY_HASH_SIZE], struct slice style);

/*
 * The header line, with its CRLF, of a page with style sheets of these hashes. The page may be framed by its own origin
 * and by the site's hosts at any port; by anybody when naming them would make the line longer than front servers take.
 */
void policy_line(struct buf *out, const struct conf_site *site, const char *const *hashes,
		 size_t count);

#endif
