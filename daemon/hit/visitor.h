/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Visitor ids: a keyed hash over site, address and user agent, with a salt that belongs to one site-local date.
 * Nobody who lacks the salt can tell who a visitor was; nothing of what went in is kept.
 */
#ifndef HIT_VISITOR_H
#define HIT_VISITOR_H

#include <sys/socket.h>

#include "base/base.h"

enum { SALT_SIZE = 16 /* crypto_shorthash_KEYBYTES */ };

struct salt {
	unsigned char bytes[SALT_SIZE];
};

/*
 * The salts of a few dates around today, filled by one thread and read by many. A date nobody has set gets a
 * random salt at its first use, which salts_get returns to every later caller as well.
 * Salts of dates more than three days before the newest are wiped. The process runs sodium_init() first.
 */
struct salts;
struct salts *salts_new(void);
void salts_free(struct salts *salts);
struct salt salts_get(struct salts *salts, int32_t day);
/* What Redis holds wins: sets the salt of a date. */
void salts_set(struct salts *salts, int32_t day, const struct salt *salt);

/* IPv4 (also v4-mapped) as /32, IPv6 as /64, unix sockets as nobody in particular. Never 0. */
uint64_t visitor_id(const struct salt *salt, struct slice site, const struct sockaddr *address,
		    struct slice user_agent);

#endif
