/* SPDX-License-Identifier: BSD-2-Clause */
/* Page paths in their one stored form (pure). */
#ifndef HIT_PAGE_H
#define HIT_PAGE_H

#include "hit/hit.h"

/*
 * Normalises a URL ("https://host/path?query#fragment") or a path into out, HIT_PAGE_MAX bytes at most:
 * %XX of unreserved characters (RFC 3986 section 2.3) and of valid UTF-8 from U+00A0 on decoded, every other byte
 * that is not allowed in a path kept or made upper-case %XX, so that no control character survives; case kept;
 * dot segments resolved; index.html, index.htm and index.php folded; a trailing slash dropped, but for "/";
 * fragment and query dropped, but for the pairs whose key is in `query`, in the order of the URL.
 * Idempotent. Returns the length, 0 when it is no page (not http(s), no path form, too long).
 */
size_t page_normalise(struct slice url, char *const *query, size_t query_count,
		      char out[HIT_PAGE_MAX]);

#endif
