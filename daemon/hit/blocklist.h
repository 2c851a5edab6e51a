/* SPDX-License-Identifier: BSD-2-Clause */
/* The hosts whose referrals are not counted (referrer_blocklist). Immutable, shared by reference count, for any thread. */
#ifndef HIT_BLOCKLIST_H
#define HIT_BLOCKLIST_H

#include "hit/hit.h"

enum { BLOCKLIST_MAX = 1000000 /* hosts of a file */ };

/*
 * A host a line; it stands for every name below it too. Empty lines and what follows a '#' say nothing.
 * NULL: `error` is a sentence, "FILE:LINE: what is wrong; allowed: ...".
 */
struct blocklist;
struct blocklist *blocklist_read(const char *path, char *error, size_t error_size) MUST_CHECK;
struct blocklist *blocklist_ref(struct blocklist *list);
void blocklist_unref(struct blocklist *list);

/* `host` as url_host() gives it; false when it is none. */
bool blocklist_has(const struct blocklist *list, struct slice host);

#endif
