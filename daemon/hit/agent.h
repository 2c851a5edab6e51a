/* SPDX-License-Identifier: BSD-2-Clause */
/* Who sends a request: a person or a bot; the browser, system, kind of device, language and screen. */
#ifndef HIT_AGENT_H
#define HIT_AGENT_H

#include "base/http.h"
#include "hit/bots.h"

enum {
	AGENT_SHORTEST = 16, /* bytes of a user agent that is not a bot's: "Nokia6230i/2.0 (" */
	AGENT_LONGEST = BOTS_AGENT_MAX,
};

struct agent {
	struct slice browser, system,
		device;   /* "Chrome", "Windows", "desktop"; absent: not known */
	struct slice bot; /* its name; absent: a person */
	int bot_line;     /* of the list of bots; 0: a sign gave it away */
	const char *sign; /* which, "no user agent"; NULL: none */
};

/*
 * What one thread remembers of user agents it has seen, and matches with; of fixed size, allocates nothing after its
 * birth. Holds a reference to the list that it was last used with. The process runs sodium_init() first.
 */
struct agent_memo;
struct agent_memo *agent_memo_new(void);
void agent_memo_free(struct agent_memo *memo);

/*
 * Reads the user agent, the client hints and whether there is an Accept-Language: present and empty for a request of
 * which that is not known. Texts are static, but for a bot's name, which belongs to `bots` (NULL: no list).
 */
void agent_find(struct agent_memo *memo, struct bots *bots, const struct http_request *request,
		struct agent *out);

/* Whether a browser fetches ahead of its user, who may never look at it. */
bool agent_is_prefetch(const struct http_request *request);

/*
 * The language's primary subtag, two or three letters in lower case, in `out`: of `tongue` (a language tag), else of the
 * first of Accept-Language (RFC 9110 section 12.5.4) that names one. Absent: none does.
 */
struct slice agent_language(struct slice tongue, struct slice accept_language, char out[4]);

/* The class of a screen's width in CSS pixels: a static text, absent when it is no number from 1 to 32767. */
struct slice agent_screen(struct slice width);

#endif
