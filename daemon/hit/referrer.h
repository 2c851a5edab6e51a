/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a visitor came from (pure): what a page view's referrer URL is counted as. */
#ifndef HIT_REFERRER_H
#define HIT_REFERRER_H

#include "base/conf.h"
#include "hit/blocklist.h"
#include "hit/hit.h"

/*
 * What `url` is counted as:
 *   "(direct)"    there is none, or it says nothing: no http, https or android-app URL, or without a sound host;
 *   "(internal)"  its host is one that the site names ("*" names none);
 *   "Google"      and so on: a search engine, a social network, an assistant, by host or by the name of its app;
 *   else its host, as hit/host.h has it, without "www.".
 * Never absent; a constant, or borrowed from `out`.
 */
struct slice referrer_value(struct slice url, const struct conf *conf, const struct conf_site *site,
			    char out[HIT_VALUE_MAX]);

#endif
