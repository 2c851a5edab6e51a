/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether a hit comes from one of the site's own pages (pure). */
#ifndef HIT_ORIGIN_H
#define HIT_ORIGIN_H

#include "hit/judge.h"

/*
 * Origin ("null" counts as absent), else Referer, and the host of `url` must be the site's where they are there.
 * *host: the one that decided. ORIGIN_LOCAL goes before the others: the page lies on somebody's own machine, which the
 * site does not name.
 */
enum origin_sign origin_judge(const struct conf *conf, const struct conf_site *site,
			      const struct http_request *request, struct slice url,
			      struct slice *host);

#endif
