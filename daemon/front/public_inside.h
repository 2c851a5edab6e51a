/* SPDX-License-Identifier: BSD-2-Clause */
/* What the files of the public service share and nobody else sees: public.c decides, forms.c and stats_page.c draw. */
#ifndef FRONT_PUBLIC_INSIDE_H
#define FRONT_PUBLIC_INSIDE_H

#include "front/intake.h"
#include "front/public.h"
#include "show/assets.h"
#include "show/policy.h"

/* What the plain answers of a site have in common in one pass. */
struct site_frame {
	const struct site_slot *slot;
	uint64_t pass;
	struct counts_frame counts;
};
enum { FRAMES = 64 };

struct public_state {
	struct public_options options;
	struct intake *intake;
	const struct conf *conf; /* in force in this pass */
	size_t connections;
	uint64_t pass;
	struct buf body;
	struct site_frame frames[FRAMES];
	struct asset assets[ASSETS];
	struct buf lines; /* more header lines of the answer in hand */
	struct buf frame_style;
	char frame_hash[POLICY_HASH_SIZE], stats_hash[POLICY_HASH_SIZE];
	struct beacon beacon;
};

/* What a request owns until it is answered: the pages whose numbers it asks for, a text, or statistics. */
struct own {
	struct buf text;
	const struct stats *stats;
	size_t count;
	struct page_shown pages[PAGES_ASKED_MAX];
	struct page_key keys[PAGES_ASKED_MAX];
};

/* --- public.c --- */

/* Finds the site and what is wished of the answer. 200 or an error. */
int public_prepare(struct public_state *state, const struct call *call, struct pending *pending);
/* Whoever keeps the answer must not give it to the pages of another site, where the request names none. */
void public_vary(const struct public_state *state, struct pending *pending);
/* What the request owns, made if need be. */
struct own *public_own(struct pending *pending);
/* What is shown of the request's site at this moment. */
void public_read(struct public_state *state, const struct pending *pending, struct counts *counts);

/* --- forms.c: the render functions of routes --- */

void forms_init(struct public_state *state);
void forms_release(struct public_state *state);
void forms_render_svg(void *context, const struct pending *pending, struct answer *answer);
void forms_render_fragment(void *context, const struct pending *pending, struct answer *answer);
void forms_render_frame(void *context, const struct pending *pending, struct answer *answer);
void forms_render_shield(void *context, const struct pending *pending, struct answer *answer);

/* --- stats_page.c --- */

int stats_page_handle(void *context, const struct call *call, struct pending *pending);
/* False: they are on their way. */
bool stats_page_ready(struct public_state *state, struct pending *pending);
void stats_page_render(void *context, const struct pending *pending, struct answer *answer);

#endif
