/* SPDX-License-Identifier: BSD-2-Clause */
/* The counter's drawn forms as answers: what show/ makes of the counts, and the header lines that belong to it. */
#include "front/public_inside.h"
#include "show/html.h"
#include "show/shield.h"
#include "show/svg.h"

/* The frame has its style sheet in itself: one request, and nothing to wait for before the first paint. */
void
forms_init(struct public_state *state)
{
	buf_add_slice(&state->frame_style, state->assets[ASSET_STYLE].plain.content);
	buf_add_slice(&state->frame_style, state->assets[ASSET_FRAME_STYLE].plain.content);
	policy_hash(state->frame_hash, buf_slice(&state->frame_style));
	policy_hash(state->stats_hash, state->assets[ASSET_STATS_STYLE].plain.content);
}

void
forms_release(struct public_state *state)
{
	buf_release(&state->frame_style);
	buf_release(&state->lines);
}

/* Begins an answer's body, and reads what it shows. */
static struct buf *
forms_begin(struct public_state *state, const struct pending *pending, struct counts *counts)
{
	buf_clear(&state->body);
	public_read(state, pending, counts);
	return &state->body;
}

void
forms_render_svg(void *context, const struct pending *pending, struct answer *answer)
{
	struct counts counts;
	struct buf *body = forms_begin(context, pending, &counts);
	svg_counter(body, &pending->view, &counts);
	answer->body = buf_slice(body);
}

void
forms_render_fragment(void *context, const struct pending *pending, struct answer *answer)
{
	struct counts counts;
	struct buf *body = forms_begin(context, pending, &counts);
	html_fragment(body, &pending->view, &counts);
	answer->body = buf_slice(body);
}

void
forms_render_shield(void *context, const struct pending *pending, struct answer *answer)
{
	struct counts counts;
	struct buf *body = forms_begin(context, pending, &counts);
	shield_json(body, &pending->view, &counts);
	answer->body = buf_slice(body);
}

static void
forms_add_policy(struct public_state *state, const struct pending *pending)
{
	struct buf accent = {0};
	char accent_hash[POLICY_HASH_SIZE];
	const char *const hashes[] = {state->frame_hash, accent_hash};
	html_frame_accent(&accent, &pending->view.look);
	policy_hash(accent_hash, buf_slice(&accent));
	policy_line(&state->lines, pending->view.site, hashes,
		    pending->view.look.colored ? COUNT_OF(hashes) : 1);
	buf_release(&accent);
}

void
forms_render_frame(void *context, const struct pending *pending, struct answer *answer)
{
	struct public_state *state = context;
	struct counts counts;
	struct buf *body = forms_begin(state, pending, &counts);
	html_frame(body, &pending->view, &counts, buf_slice(&state->frame_style));
	buf_clear(&state->lines);
	buf_add_slice(&state->lines, answer->extra);
	forms_add_policy(state, pending);
	answer->extra = buf_slice(&state->lines);
	answer->body = buf_slice(body);
}
