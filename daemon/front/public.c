/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public routes. A handler decides everything about its request and leaves a hit to the intake; the commit writes
 * the pass's hits to the journal and raises what is shown; only then bodies are rendered, so that a hit's own answer
 * contains it. Nothing here waits: an answer that lacks a page's number says so, and is asked again.
 */
#include "front/public.h"

#include "front/public_inside.h"
#include "hit/page.h"

static size_t
public_begin(void *context)
{
	struct public_state *state = context;
	state->conf = intake_begin(state->intake);
	state->pass++;
	int workers = state->options.workers;
	return (size_t)(state->conf->connections + workers - 1) / (size_t)workers;
}

/* --- what the counting and the showing routes share --- */

static struct page_key
public_page_key(const struct public_state *state, const struct conf_site *site, struct slice path)
{
	return pages_key(state->options.pages, site->key_slice, site->shard, path);
}

static void
public_find_page(struct public_state *state, const struct call *call, struct pending *pending)
{
	struct counts_view *view = &pending->view;
	size_t len = beacon_page(&state->beacon, call->request, view->site, pending->page);
	view->page = (struct slice){len > 0 ? pending->page : NULL, len};
	if (len > 0)
		pending->key = public_page_key(state, view->site, view->page);
}

int
public_prepare(struct public_state *state, const struct call *call, struct pending *pending)
{
	struct beacon *beacon = &state->beacon;
	int failed = beacon_read(beacon, call->request);
	if (failed)
		return -failed;
	const struct conf_site *site = beacon_site(beacon, call->request, state->conf);
	if (!site)
		return 404;
	struct counts_view *view = &pending->view;
	const struct counts_wishes wishes = {beacon->rows,  beacon->metric, beacon->lang,
					     beacon->title, beacon->style,  beacon->drawn_width,
					     beacon->color};
	counts_view_init(view, site);
	if (!counts_view_choose(view, &wishes))
		return 400;
	pending->plain =
		!wishes.rows.ptr && !wishes.metric.ptr && !wishes.language.ptr && !wishes.title.ptr;
	pending->site = intake_site(state->intake, site, &view->local);
	view->date = &pending->site->date;
	view->utc = intake_time_ms(state->intake) / 1000;
	public_find_page(state, call, pending);
	return 200;
}

void
public_vary(const struct public_state *state, struct pending *pending)
{
	if (state->beacon.site.len == 0)
		pending->extra = "Vary: Origin, Referer\r\n";
}

/* --- handlers --- */

struct own *
public_own(struct pending *pending)
{
	if (!pending->own)
		pending->own = xcalloc(1, sizeof(struct own));
	return pending->own;
}

static int
public_count(struct public_state *state, const struct call *call, struct pending *pending)
{
	if (call->request->method == HTTP_HEAD)
		return 200;
	if (pending->form == ANSWER_JSON && slice_eq(call->request->explain, SLICE("1"))) {
		struct own *own = public_own(pending);
		if (intake_explain(state->intake, call, &state->beacon, pending, &own->text)) {
			pending->form = ANSWER_TEXT;
			return 200;
		}
	}
	return intake_hit(state->intake, call, &state->beacon, pending);
}

static int
public_hit(void *context, const struct call *call, struct pending *pending)
{
	struct public_state *state = context;
	int status = public_prepare(state, call, pending);
	if (status != 200) {
		counter_add(&state->options.counters->hits_refused, 1);
		return status;
	}
	status = public_count(state, call, pending);
	if (status != 200 || pending->form == ANSWER_TEXT)
		return status;
	if (slice_eq(state->beacon.quiet, SLICE("1")))
		return 204;
	pending->numbers = pending->form == ANSWER_JSON;
	return 200;
}

/* Pages beyond the most that are allowed, or that are none, are an error: a list with holes would mislead. */
static int
public_ask_pages(struct public_state *state, struct pending *pending)
{
	const struct beacon *beacon = &state->beacon;
	const struct conf_site *site = pending->view.site;
	if (beacon->page_count == 0 || !pending->view.pages)
		return 200;
	struct own *own = public_own(pending);
	buf_reserve(&own->text, beacon->page_count * HIT_PAGE_MAX);
	for (size_t i = 0; i < beacon->page_count; i++) {
		char *path = own->text.data + own->text.len;
		size_t len = page_normalise(beacon->pages[i], site->query, site->query_count, path);
		if (len == 0)
			return 400;
		own->text.len += len;
		own->pages[own->count].path = (struct slice){path, len};
		own->keys[own->count] = public_page_key(state, site, own->pages[own->count].path);
		own->count++;
	}
	pending->view.asked = own->pages;
	pending->view.asked_count = own->count;
	return 200;
}

static int
public_counts(void *context, const struct call *call, struct pending *pending)
{
	struct public_state *state = context;
	int status = public_prepare(state, call, pending);
	pending->numbers = status == 200 && pending->form == ANSWER_JSON;
	if (status == 200 && !pending->numbers)
		public_vary(state, pending);
	return pending->numbers ? public_ask_pages(state, pending) : status;
}

static const struct asset_body *
public_asset_body(const struct public_state *state, enum asset_id id, const struct pending *pending)
{
	const struct asset *asset = &state->assets[id];
	return pending->gzip ? &asset->gzip : &asset->plain;
}

static int
public_asset(const struct public_state *state, enum asset_id id, const struct call *call,
	     struct pending *pending)
{
	pending->gzip = answer_takes_gzip(call->request->accept_encoding);
	struct slice etag = slice_of(public_asset_body(state, id, pending)->etag);
	return answer_etag_matches(call->request->if_none_match, etag) ? 304 : 200;
}

static int
public_script(void *context, const struct call *call, struct pending *pending)
{
	return public_asset(context, ASSET_SCRIPT, call, pending);
}

static int
public_style(void *context, const struct call *call, struct pending *pending)
{
	return public_asset(context, ASSET_STYLE, call, pending);
}

static int
public_demo(void *context, const struct call *call, struct pending *pending)
{
	struct public_state *state = context;
	return state->conf->demo ? public_asset(state, ASSET_DEMO, call, pending) : 404;
}

/* --- numbers of pages --- */

static void
public_want(struct public_state *state, const struct pending *pending, struct slice path,
	    struct page_key key, bool waiting)
{
	struct slice site = pending->view.site->key_slice;
	struct page_want want = {
		.key = key,
		.day = pending->view.local.day,
		.site_len = (uint8_t)site.len,
		.path_len = (uint16_t)path.len,
	};
	memcpy(want.site, site.ptr, site.len);
	memcpy(want.path, path.ptr, path.len);
	pages_want(state->options.pages, &want, waiting);
}

/* False: the page's numbers are on their way. */
static bool
public_page(struct public_state *state, const struct pending *pending, struct slice path,
	    struct page_key key, struct page_counts *out)
{
	bool stale;
	enum page_state got =
		pages_get(state->options.pages, key, pending->view.local.day, out, &stale);
	if (got == PAGE_FETCHABLE || (got == PAGE_KNOWN && stale))
		public_want(state, pending, path, key, got == PAGE_FETCHABLE);
	return got != PAGE_FETCHABLE;
}

static bool
public_ready(void *context, struct pending *pending)
{
	struct public_state *state = context;
	struct counts_view *view = &pending->view;
	bool ready = true;
	if (pending->status == 200 && pending->form == ANSWER_STATS)
		return stats_page_ready(state, pending);
	if (!pending->numbers || pending->status != 200 || !view->pages)
		return true;
	if (view->page.ptr)
		ready = public_page(state, pending, view->page, pending->key, &view->page_counts);
	struct own *own = pending->own;
	for (size_t i = 0; own && i < own->count; i++)
		ready &= public_page(state, pending, own->pages[i].path, own->keys[i],
				     &own->pages[i].counts);
	return ready;
}

static void
public_release(void *context, struct pending *pending)
{
	struct own *own = pending->own;
	(void)context;
	if (!own)
		return;
	buf_release(&own->text);
	stats_unref(own->stats);
	free(own);
	pending->own = NULL;
}

/* --- bodies --- */

void
public_read(struct public_state *state, const struct pending *pending, struct counts *counts)
{
	board_counts(state->options.board, pending->site->board, pending->view.date,
		     intake_mono_ms(state->intake), counts);
}

/* Made at the first such answer of a pass, after its hits were committed; the others show the same moment. */
static const struct counts_frame *
public_frame(struct public_state *state, const struct pending *pending)
{
	struct site_frame *frame =
		&state->frames[(uintptr_t)pending->site / sizeof(*pending->site) % FRAMES];
	struct counts counts;
	if (frame->slot != pending->site || frame->pass != state->pass) {
		public_read(state, pending, &counts);
		counts_frame_fill(&frame->counts, &pending->view, &counts);
		frame->slot = pending->site;
		frame->pass = state->pass;
	}
	return &frame->counts;
}

static void
public_render_json(void *context, const struct pending *pending, struct answer *answer)
{
	struct public_state *state = context;
	const struct own *own = pending->own;
	struct counts counts;
	buf_clear(&state->body);
	if (pending->form == ANSWER_TEXT) {
		answer->body = buf_slice(&own->text);
		return;
	}
	if (pending->plain) {
		counts_frame_json(&state->body, public_frame(state, pending), &pending->view);
	} else {
		public_read(state, pending, &counts);
		counts_json(&state->body, &pending->view, &counts);
	}
	answer->body = buf_slice(&state->body);
}

static void
public_render_text(void *context, const struct pending *pending, struct answer *answer)
{
	struct public_state *state = context;
	struct counts counts;
	buf_clear(&state->body);
	public_read(state, pending, &counts);
	counts_text(&state->body, &pending->view, &counts);
	answer->body = buf_slice(&state->body);
}

/* One transparent pixel, GIF89a. */
static void
public_render_gif(void *context, const struct pending *pending, struct answer *answer)
{
	static const char pixel[43] = "GIF89a\1\0\1\0\200\0\0\0\0\0\377\377\377!\371\4\1\0\0\0\0,"
				      "\0\0\0\0\1\0\1\0\0\2\2D\1\0;";
	(void)context;
	(void)pending;
	answer->body = (struct slice){pixel, sizeof(pixel)};
}

static void
public_render_asset(const struct public_state *state, enum asset_id id,
		    const struct pending *pending, struct answer *answer)
{
	const struct asset_body *body = public_asset_body(state, id, pending);
	answer->body = body->content;
	answer->extra = slice_of(body->lines);
	if (pending->status == 304)
		answer->extra.len = body->common;
}

static void
public_render_script(void *context, const struct pending *pending, struct answer *answer)
{
	public_render_asset(context, ASSET_SCRIPT, pending, answer);
}

static void
public_render_style(void *context, const struct pending *pending, struct answer *answer)
{
	public_render_asset(context, ASSET_STYLE, pending, answer);
}

static void
public_render_demo(void *context, const struct pending *pending, struct answer *answer)
{
	public_render_asset(context, ASSET_DEMO, pending, answer);
}

/* --- the table --- */

enum {
	READS = ROUTE_METHOD(GET) | ROUTE_METHOD(HEAD) | ROUTE_METHOD(OPTIONS),
	POSTS = READS | ROUTE_METHOD(POST),
};
#define ALLOW_READS "Allow: GET, HEAD, OPTIONS\r\n"
#define ALLOW_POSTS "Allow: GET, HEAD, POST, OPTIONS\r\n"
/* A route that is read, as most are. */
#define READ .methods = READS, .allow = ALLOW_READS

static const struct route public_routes[] = {
	{
		.path = SLICE("/hit"),
		.methods = POSTS,
		.allow = ALLOW_POSTS,
		.form = ANSWER_JSON,
		.handle = public_hit,
		.render = public_render_json,
	},
	{
		.path = SLICE("/hit.gif"),
		READ,
		.form = ANSWER_GIF,
		.handle = public_hit,
		.render = public_render_gif,
	},
	{
		.path = SLICE("/counts.json"),
		READ,
		.form = ANSWER_JSON,
		.handle = public_counts,
		.render = public_render_json,
	},
	{
		.path = SLICE("/counts.txt"),
		READ,
		.form = ANSWER_TEXT,
		.handle = public_counts,
		.render = public_render_text,
	},
	{
		.path = SLICE("/thongke.js"),
		READ,
		.large = true,
		.form = ANSWER_SCRIPT,
		.handle = public_script,
		.render = public_render_script,
	},
	{
		.path = SLICE("/hit.svg"),
		READ,
		.form = ANSWER_SVG,
		.handle = public_hit,
		.render = forms_render_svg,
	},
	{
		.path = SLICE("/counts.svg"),
		READ,
		.form = ANSWER_SVG_READ,
		.handle = public_counts,
		.render = forms_render_svg,
	},
	{
		.path = SLICE("/counts.html"),
		READ,
		.form = ANSWER_FRAGMENT,
		.handle = public_counts,
		.render = forms_render_fragment,
	},
	{
		.path = SLICE("/frame.html"),
		READ,
		.form = ANSWER_FRAME,
		.handle = public_hit,
		.render = forms_render_frame,
	},
	{
		.path = SLICE("/shield.json"),
		READ,
		.form = ANSWER_SHIELD,
		.handle = public_counts,
		.render = forms_render_shield,
	},
	{
		.path = SLICE("/stats"),
		READ,
		.large = true,
		.form = ANSWER_STATS,
		.handle = stats_page_handle,
		.render = stats_page_render,
	},
	{
		.path = SLICE("/thongke.css"),
		READ,
		.form = ANSWER_STYLE,
		.handle = public_style,
		.render = public_render_style,
	},
	{
		.path = SLICE("/demo"),
		READ,
		.large = true,
		.form = ANSWER_PAGE,
		.handle = public_demo,
		.render = public_render_demo,
	},
	/* OPTIONS * asks about the server as a whole. */
	{
		.path = SLICE("*"),
		.methods = ROUTE_METHOD(OPTIONS),
		.allow = "Allow: OPTIONS\r\n",
	},
};

/* The script under the name that goes with its content: found by that name alone. */
static const struct route public_frozen_script = {
	READ,
	.large = true,
	.form = ANSWER_SCRIPT_FROZEN,
	.handle = public_script,
	.render = public_render_script,
};

static const struct route *
public_find(void *context, struct slice path)
{
	const struct public_state *state = context;
	struct slice base = slice_of(state->conf->base_path);
	if (base.len > 0 && path.len > base.len && path.ptr[base.len] == '/' &&
	    memcmp(path.ptr, base.ptr, base.len) == 0)
		path = (struct slice){path.ptr + base.len, path.len - base.len};
	const struct route *route = route_find(public_routes, COUNT_OF(public_routes), path);
	if (!route && slice_eq(path, slice_of(state->assets[ASSET_SCRIPT].frozen)))
		route = &public_frozen_script;
	return route;
}

static void
public_commit(void *context, struct pending *pending, size_t count)
{
	struct public_state *state = context;
	intake_commit(state->intake, pending, count);
}

const struct service public_service = {
	.cors = true,
	.preflight = ALLOW_POSTS "Access-Control-Allow-Methods: GET, HEAD, POST, OPTIONS\r\n"
				 "Access-Control-Allow-Headers: content-type\r\n"
				 "Access-Control-Max-Age: 86400\r\n",
	.begin = public_begin,
	.find = public_find,
	.commit = public_commit,
	.ready = public_ready,
	.release = public_release,
};

struct public_state *
public_new(const struct public_options *options, const struct intake_options *intake)
{
	struct public_state *state = xcalloc(1, sizeof(*state));
	state->options = *options;
	state->intake = intake_new(intake);
	for (int i = 0; i < ASSETS; i++)
		asset_get((enum asset_id)i, &state->assets[i]);
	forms_init(state);
	return state;
}

void
public_free(struct public_state *state)
{
	if (!state)
		return;
	intake_free(state->intake);
	for (int i = 0; i < FRAMES; i++)
		buf_release(&state->frames[i].counts.text);
	buf_release(&state->body);
	forms_release(state);
	free(state);
}
