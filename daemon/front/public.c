/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The public routes. A handler decides everything about its request and puts a hit's record into the pass's buffer;
 * the commit writes the buffer to the journal and raises the board; only then bodies are rendered, so that a hit's
 * own answer contains it. Nothing here waits.
 */
#include "front/public.h"

#include "base/clock.h"
#include "base/log.h"
#include "hit/beacon.h"
#include "hit/client.h"
#include "hit/page.h"
#include "show/assets.h"

/* A configured site as one worker keeps it at hand. */
struct site_slot {
	struct board_site *board;
	struct zone_span span; /* the offset that held when last asked */
};

struct public_state {
	struct public_options options;
	struct conf *conf;
	uint64_t generation;
	struct site_slot *slots; /* in the order of conf->sites */
	size_t connections;
	int64_t time_ms; /* of this pass's hits; 0: not yet asked */
	int64_t mono_ms; /* the pass by the monotonic clock, likewise */
	struct buf records;
	uint32_t record_count;
	struct buf body;
	struct asset assets[ASSETS];
	struct log_limit journal_limit;
	struct beacon beacon;
	struct client client; /* of the hit that is being decided */
};

/* --- the configuration in force --- */

static void
public_load_conf(struct public_state *state)
{
	state->generation = conf_current_generation(state->options.conf);
	struct conf *conf = conf_current_get(state->options.conf);
	conf_unref(state->conf);
	free(state->slots);
	state->conf = conf;
	state->slots = xcalloc(conf->site_count + 1, sizeof(*state->slots));
	for (size_t i = 0; i < conf->site_count; i++)
		state->slots[i].board = board_site(state->options.board, conf->sites[i].key_slice);
	int workers = state->options.workers;
	state->connections = (size_t)(conf->connections + workers - 1) / (size_t)workers;
}

static size_t
public_begin(void *context)
{
	struct public_state *state = context;
	if (conf_current_generation(state->options.conf) != state->generation)
		public_load_conf(state);
	state->time_ms = 0;
	state->mono_ms = 0;
	return state->connections;
}

/* --- what the counting and the showing routes share --- */

static struct local_time
public_local_time(struct public_state *state, struct site_slot *slot, const struct conf_site *site)
{
	if (state->time_ms == 0)
		state->time_ms = clock_hit_ms();
	int64_t utc = state->time_ms / 1000;
	if (utc < slot->span.from || utc >= slot->span.to)
		slot->span = zone_at(site->zone, utc);
	return zone_span_local(slot->span, utc);
}

/* Finds the site and what is wished of the answer. 200 or an error. */
static int
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
	counts_view_init(view, site);
	if (!counts_view_choose(view, beacon->rows, beacon->lang, beacon->title))
		return 400;
	pending->site = &state->slots[site - state->conf->sites];
	view->local = public_local_time(state, pending->site, site);
	view->utc = state->time_ms / 1000;
	view->counted = COUNTS_READ;
	view->reason = NULL;
	size_t len = beacon_page(beacon, call->request, site, pending->page);
	view->page = (struct slice){len > 0 ? pending->page : NULL, len};
	return 200;
}

static void
public_put_record(struct public_state *state, const struct call *call, struct pending *pending)
{
	const struct counts_view *view = &pending->view;
	struct salt salt = salts_get(state->options.salts, view->local.day);
	struct hit hit = {
		.time_ms = state->time_ms,
		.day = view->local.day,
		.hour = (uint8_t)view->local.hour,
		.visitor = visitor_id(&salt, view->site->key_slice, &state->client.address.any,
				      call->request->user_agent),
		.nonce = pending->nonce,
		.site = view->site->key_slice,
		.count = 1,
		.values[HIT_PAGES] = view->page,
	};
	record_put(&state->records, &hit);
	state->record_count++;
	pending->counted = true;
	if (state->client.how == CLIENT_LOST)
		counter_add(&state->options.counters->hits_lost, 1);
}

/* A front server that names no client stands for all of them: no limit of one client fits it. */
static enum limit_verdict
public_limit(struct public_state *state)
{
	if (state->conf->hits_per_minute == 0 || state->client.how == CLIENT_LOST)
		return LIMIT_WITHIN;
	if (state->mono_ms == 0)
		state->mono_ms = clock_mono_ms();
	enum limit_verdict verdict = limits_take(state->options.limits, &state->client.address.any,
						 state->conf->hits_per_minute, state->mono_ms);
	if (verdict != LIMIT_WITHIN)
		counter_add(&state->options.counters->hits_rate, 1);
	return verdict;
}

static void
public_refuse(struct pending *pending, const char *reason)
{
	pending->view.counted = COUNTS_REFUSED;
	pending->view.reason = reason;
}

/* The limit goes before the nonce: what it refuses may be sent again. 200, or 429 far over the limit. */
static int
public_count(struct public_state *state, const struct call *call, struct pending *pending)
{
	struct slice nonce = state->beacon.nonce;
	client_find(&state->client, state->conf, call->peer, call->request);
	enum limit_verdict verdict = public_limit(state);
	if (verdict != LIMIT_WITHIN) {
		public_refuse(pending, "rate");
		return verdict == LIMIT_FAR_OVER ? 429 : 200;
	}
	pending->view.counted = COUNTS_COUNTED;
	if (nonce.len > 0)
		pending->nonce = nonce_hash(pending->view.site->key_slice, nonce);
	if (pending->nonce == 0 ||
	    nonces_claim(state->options.nonces, pending->nonce, state->time_ms)) {
		public_put_record(state, call, pending);
		return 200;
	}
	public_refuse(pending, "duplicate");
	counter_add(&state->options.counters->hits_duplicate, 1);
	return 200;
}

/* --- handlers --- */

static int
public_hit(void *context, const struct call *call, struct pending *pending)
{
	struct public_state *state = context;
	int status = public_prepare(state, call, pending);
	if (status != 200) {
		counter_add(&state->options.counters->hits_refused, 1);
		return status;
	}
	if (call->request->method != HTTP_HEAD && public_count(state, call, pending) == 429)
		return 429;
	return slice_eq(state->beacon.quiet, SLICE("1")) ? 204 : 200;
}

static int
public_counts(void *context, const struct call *call, struct pending *pending)
{
	return public_prepare(context, call, pending);
}

static int
public_asset_status(const struct asset *asset, const struct call *call)
{
	return answer_etag_matches(call->request->if_none_match, slice_of(asset->etag)) ? 304 : 200;
}

static int
public_script(void *context, const struct call *call, struct pending *pending)
{
	struct public_state *state = context;
	(void)pending;
	return public_asset_status(&state->assets[ASSET_SCRIPT], call);
}

static int
public_demo(void *context, const struct call *call, struct pending *pending)
{
	struct public_state *state = context;
	(void)pending;
	return state->conf->demo ? public_asset_status(&state->assets[ASSET_DEMO], call) : 404;
}

/* --- bodies --- */

typedef void counts_render(struct buf *out, const struct counts_view *, const struct counts *);

static void
public_render(struct public_state *state, const struct pending *pending, struct answer *answer,
	      counts_render *render)
{
	struct counts counts;
	board_counts(state->options.board, pending->site->board, pending->view.local.day, &counts);
	buf_clear(&state->body);
	render(&state->body, &pending->view, &counts);
	answer->body = buf_slice(&state->body);
}

static void
public_render_json(void *context, const struct pending *pending, struct answer *answer)
{
	public_render(context, pending, answer, counts_json);
}

static void
public_render_text(void *context, const struct pending *pending, struct answer *answer)
{
	public_render(context, pending, answer, counts_text);
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
public_render_script(void *context, const struct pending *pending, struct answer *answer)
{
	const struct asset *asset = &((struct public_state *)context)->assets[ASSET_SCRIPT];
	(void)pending;
	answer->body = asset->content;
	answer->extra = slice_of(asset->etag_line);
}

static void
public_render_demo(void *context, const struct pending *pending, struct answer *answer)
{
	const struct asset *asset = &((struct public_state *)context)->assets[ASSET_DEMO];
	(void)pending;
	answer->body = asset->content;
	answer->extra = slice_of(asset->etag_line);
}

/* --- the table --- */

enum {
	READS = ROUTE_METHOD(GET) | ROUTE_METHOD(HEAD) | ROUTE_METHOD(OPTIONS),
	POSTS = READS | ROUTE_METHOD(POST),
};
#define ALLOW_READS "Allow: GET, HEAD, OPTIONS\r\n"
#define ALLOW_POSTS "Allow: GET, HEAD, POST, OPTIONS\r\n"

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
		.methods = READS,
		.allow = ALLOW_READS,
		.form = ANSWER_GIF,
		.handle = public_hit,
		.render = public_render_gif,
	},
	{
		.path = SLICE("/counts.json"),
		.methods = READS,
		.allow = ALLOW_READS,
		.form = ANSWER_JSON,
		.handle = public_counts,
		.render = public_render_json,
	},
	{
		.path = SLICE("/counts.txt"),
		.methods = READS,
		.allow = ALLOW_READS,
		.form = ANSWER_TEXT,
		.handle = public_counts,
		.render = public_render_text,
	},
	{
		.path = SLICE("/thongke.js"),
		.methods = READS,
		.allow = ALLOW_READS,
		.large = true,
		.form = ANSWER_SCRIPT,
		.handle = public_script,
		.render = public_render_script,
	},
	{
		.path = SLICE("/demo"),
		.methods = READS,
		.allow = ALLOW_READS,
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

static const struct route *
public_find(void *context, struct slice path)
{
	const struct public_state *state = context;
	struct slice base = slice_of(state->conf->base_path);
	if (base.len > 0 && path.len > base.len && path.ptr[base.len] == '/' &&
	    memcmp(path.ptr, base.ptr, base.len) == 0)
		path = (struct slice){path.ptr + base.len, path.len - base.len};
	return route_find(public_routes, COUNT_OF(public_routes), path);
}

/* --- the commit --- */

static void
public_board(struct public_state *state, const struct pending *pending, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (pending[i].counted)
			board_add(pending[i].site->board, pending[i].view.local.day);
	counter_add(&state->options.counters->hits_counted, state->record_count);
}

/* None of this pass's hits is in the journal: their senders may try again, with the same nonces. */
static void
public_take_back(struct public_state *state, struct pending *pending, size_t count, int code)
{
	uint64_t held_back;
	if (log_again(&state->journal_limit, 10000, &held_back))
		log_error("hits_refused reason=%s hits=%u held_back=%" PRIu64,
			  code == JOURNAL_FULL ? "journal_full" : "journal_write",
			  state->record_count, held_back);
	for (size_t i = 0; i < count; i++) {
		if (!pending[i].counted)
			continue;
		pending[i].status = 503;
		if (pending[i].nonce != 0)
			nonces_release(state->options.nonces, pending[i].nonce);
	}
	counter_add(&state->options.counters->hits_unavailable, state->record_count);
}

static void
public_commit(void *context, struct pending *pending, size_t count)
{
	struct public_state *state = context;
	if (state->record_count == 0)
		return;
	int code = journal_write(state->options.writer, buf_slice(&state->records),
				 state->record_count);
	if (code == 0)
		public_board(state, pending, count);
	else
		public_take_back(state, pending, count, code);
	buf_clear(&state->records);
	state->record_count = 0;
}

const struct service public_service = {
	.cors = true,
	.preflight = ALLOW_POSTS "Access-Control-Allow-Methods: GET, HEAD, POST, OPTIONS\r\n"
				 "Access-Control-Allow-Headers: content-type\r\n"
				 "Access-Control-Max-Age: 86400\r\n",
	.begin = public_begin,
	.find = public_find,
	.commit = public_commit,
};

struct public_state *
public_new(const struct public_options *options)
{
	struct public_state *state = xcalloc(1, sizeof(*state));
	state->options = *options;
	for (int i = 0; i < ASSETS; i++)
		asset_get((enum asset_id)i, &state->assets[i]);
	public_load_conf(state);
	return state;
}

void
public_free(struct public_state *state)
{
	if (!state)
		return;
	conf_unref(state->conf);
	free(state->slots);
	buf_release(&state->records);
	buf_release(&state->body);
	free(state);
}
