/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public page of statistics as an answer: wanted from the reader, waited for beside the loop, and shown with what
 * there is when the wait is over. Asks Redis nothing itself.
 */
#include "front/public_inside.h"
#include "show/stats_cache.h"

int
stats_page_handle(void *context, const struct call *call, struct pending *pending)
{
	int status = public_prepare(context, call, pending);
	if (status == 200 && !pending->view.stats)
		return 404;
	if (status != 200)
		return status;
	public_vary(context, pending);
	(void)public_own(pending);
	pending->wait_ms = STATS_WAIT_MS;
	return 200;
}

bool
stats_page_ready(struct public_state *state, struct pending *pending)
{
	struct own *own = pending->own;
	bool asked;
	stats_unref(own->stats);
	enum stats_state got = stats_cache_get(state->options.stats, pending->view.site->key_slice,
					       pending->view.local.day, &own->stats, &asked);
	if (asked)
		pages_wake(state->options.pages);
	return got != STATS_COMING;
}

void
stats_page_render(void *context, const struct pending *pending, struct answer *answer)
{
	struct public_state *state = context;
	const struct own *own = pending->own;
	const char *const hashes[] = {state->stats_hash};
	struct counts counts;
	public_read(state, pending, &counts);
	buf_clear(&state->body);
	stats_page(&state->body, &(struct stats_page){
					 .view = &pending->view,
					 .counts = &counts,
					 .stats = own->stats,
					 .style = state->assets[ASSET_STATS_STYLE].plain.content,
					 .geo = intake_geo(state->intake),
				 });
	buf_clear(&state->lines);
	buf_add_slice(&state->lines, answer->extra);
	policy_line(&state->lines, pending->view.site, hashes, COUNT_OF(hashes));
	answer->extra = buf_slice(&state->lines);
	answer->body = buf_slice(&state->body);
}
