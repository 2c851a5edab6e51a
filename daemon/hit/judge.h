/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What becomes of a beacon: who sent it, from where, with what, and whether it counts as a view. Everything about a hit
 * that could be decided differently later is decided here, once. One judge a thread; the tables in it are everybody's.
 */
#ifndef HIT_JUDGE_H
#define HIT_JUDGE_H

#include "hit/agent.h"
#include "hit/beacon.h"
#include "hit/client.h"
#include "hit/limits.h"
#include "hit/nonce.h"
#include "hit/reason.h"
#include "hit/rules.h"
#include "hit/visitor.h"

struct judge {
	const struct conf *conf;
	const struct rules *rules;
	struct agent_memo *memo;
	struct salts *salts;
	struct limits *
		limits; /* NULL: what came before plays no part (thongke explain), nor do the two below */
	struct nonces *nonces;  /* page views that were counted */
	struct nonces *repeats; /* visitors' pages that were counted, for sites with `repeat` */
};

/* When and what is judged. */
struct judge_case {
	const struct beacon *beacon;
	const struct http_request *request;
	const struct sockaddr *peer;
	const struct conf_site *site;
	struct slice page; /* normalised; absent: none */
	int32_t day;       /* the site's local date */
	int64_t time_ms, mono_ms;
};

/* Why a hit's origin is not believed. */
enum origin_sign { ORIGIN_FINE, ORIGIN_FOREIGN, ORIGIN_FOREIGN_PAGE, ORIGIN_MISSING, ORIGIN_LOCAL };

/* Slices are static, or belong to the rules, the request or the judgement itself. */
struct judgement {
	enum reason reason; /* REASON_NONE: a view */
	int status;         /* 200; 403 for a foreign origin, 429 far over the limit */
	struct client client;
	enum origin_sign origin;
	struct slice origin_host; /* that decided */
	struct agent agent;       /* from here on only of views and bots */
	bool automated;           /* the browser says itself that a program drives it */
	struct slice country, referrer, language, screen;
	uint64_t visitor;       /* 0: none is made of this hit */
	uint64_t nonce, repeat; /* claimed; 0: none */
	char referrer_text[HIT_VALUE_MAX];
	char language_text[4];
};

void judge_hit(const struct judge *judge, const struct judge_case *hit, struct judgement *out);
/* The hit could not be written down: what was claimed for it is free again. */
void judge_release(const struct judge *judge, uint64_t nonce, uint64_t repeat);

/* The name under which a bot is counted. */
struct slice judgement_bot(const struct judgement *judgement);

#endif
