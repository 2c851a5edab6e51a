/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calls of apply.lua: written, sent, and their replies handed over in the order sent. A call that Redis refuses
 * with NOSCRIPT is sent again with the script's text; nothing else is ever sent twice from here, because only the
 * caller may decide what an unknown outcome means.
 */
#include "base/clock.h"
#include "store/inside.h"
#include "store/script.h"

void
pipeline_release(struct pipeline *pipeline)
{
	for (size_t i = 0; i < STORE_CALLS_MAX; i++) {
		command_release(&pipeline->calls[i].keys);
		command_release(&pipeline->calls[i].args);
		freeReplyObject(pipeline->calls[i].reply);
	}
	command_release(&pipeline->head);
	encoder_release(&pipeline->encoder);
}

static struct call *
call_at(struct pipeline *pipeline, size_t nth)
{
	return &pipeline->calls[(pipeline->first + nth) % STORE_CALLS_MAX];
}

/* --- what is asked --- */

static void
add_streams(struct store *store, struct call *call, const struct advance *advances, size_t count)
{
	key_streams(&store->key, store->prefix, call->shard);
	command_add(&call->keys, buf_slice(&store->key));
	key_forgotten(&store->key, store->prefix, call->shard);
	command_add(&call->keys, buf_slice(&store->key));
	command_add_int(&call->args, store->forgotten[call->shard]);
	command_add_int(&call->args, (int64_t)count);
	for (size_t i = 0; i < count; i++) {
		command_add(&call->args, slice_of(advances[i].stream));
		buf_clear(&store->key);
		buf_addf(&store->key, "%" PRIu64, advances[i].previous);
		command_add(&call->args, buf_slice(&store->key));
		buf_clear(&store->key);
		buf_addf(&store->key, "%" PRIu64 ":%s", advances[i].next, advances[i].rest);
		command_add(&call->args, buf_slice(&store->key));
	}
}

/* --- sending --- */

static int
transmit(struct store *store, struct call *call)
{
	struct pipeline *pipeline = &store->pipeline;
	struct command *head = &pipeline->head;
	command_start(head, call->evaluated ? "EVAL" : "EVALSHA");
	command_add(head, call->evaluated ? script_apply() : slice_of(store->script));
	command_add_int(head, (int64_t)call->keys.args);
	const struct command *parts[] = {head, &call->keys, &call->args};
	int status = link_send_parts(store->link, parts, COUNT_OF(parts));
	if (status != STORE_OK)
		return status;
	size_t at = (pipeline->wire_first + pipeline->wire_count++) % STORE_CALLS_MAX;
	pipeline->wire[at] = (uint8_t)(call - pipeline->calls);
	return STORE_OK;
}

int
store_send(struct store *store, int shard, const struct advance *advances, size_t count,
	   const struct delta *delta)
{
	struct pipeline *pipeline = &store->pipeline;
	if (count == 0 || count > STORE_ADVANCES_MAX || pipeline->count == STORE_CALLS_MAX)
		return link_fail(store->link, STORE_REFUSED,
				 "a call takes 1 to %d streams, and %d may be on their way",
				 STORE_ADVANCES_MAX, STORE_CALLS_MAX);
	if (pipeline->generation != link_generation(store->link)) {
		pipeline->generation = link_generation(store->link);
		pipeline->wire_count = 0;
	}
	struct call *call = call_at(pipeline, pipeline->count);
	command_start(&call->keys, NULL);
	command_start(&call->args, NULL);
	call->shard = shard;
	call->streams = count;
	call->days = 0;
	call->evaluated = false;
	call->generation = pipeline->generation;
	add_streams(store, call, advances, count);
	if (delta && !delta_is_empty(delta))
		call->days = encode_delta(
			&pipeline->encoder,
			&(struct encode_options){store->prefix, shard, store->pages_per_day,
						 store->journal_retain, clock_wall_ms()},
			delta, &call->keys, &call->args);
	int status = transmit(store, call);
	if (status == STORE_OK)
		pipeline->count++;
	return status;
}

/* --- receiving --- */

static bool
unknown_script(const redisReply *reply)
{
	return reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "NOSCRIPT", 8) == 0;
}

/* Reads replies until `head` has its own; those of others wait with them. */
static int
await(struct store *store, const struct call *head)
{
	struct pipeline *pipeline = &store->pipeline;
	while (!head->reply) {
		if (head->generation != link_generation(store->link) || pipeline->wire_count == 0)
			return STORE_UNAVAILABLE;
		redisReply *reply;
		if (link_receive(store->link, &reply) == STORE_UNAVAILABLE)
			return STORE_UNAVAILABLE;
		struct call *next = &pipeline->calls[pipeline->wire[pipeline->wire_first]];
		pipeline->wire_first = (pipeline->wire_first + 1) % STORE_CALLS_MAX;
		pipeline->wire_count--;
		if (!unknown_script(reply) || next->evaluated) {
			next->reply = reply;
			continue;
		}
		freeReplyObject(reply);
		next->evaluated = true;
		if (transmit(store, next) != STORE_OK)
			return STORE_UNAVAILABLE;
	}
	return STORE_OK;
}

static int
unexpected(struct store *store)
{
	return link_fail(store->link, STORE_UNAVAILABLE,
			 "Redis answered a script with something else");
}

static int
read_mismatch(struct store *store, const struct call *call, struct apply_reply *out)
{
	enum { NEWEST = 1, STORED = 2 };
	const redisReply *reply = call->reply;
	if (reply->elements != call->streams + STORED)
		return unexpected(store);
	out->forgotten = reply_count(reply->element[NEWEST], 0);
	out->stored_count = call->streams;
	out->stored = xcalloc(call->streams, sizeof(*out->stored));
	for (size_t i = 0; i < call->streams; i++)
		if (!position_read(&out->stored[i], reply->element[i + STORED]))
			return link_fail(store->link, STORE_REFUSED,
					 "a position in %s:{%02d}:streams is no offset",
					 store->prefix, call->shard);
	return STORE_MISMATCH;
}

/* What an array of integers still holds. */
struct integers {
	redisReply *const *at, *const *end;
};

static int64_t
next_integer(struct integers *from)
{
	return from->at < from->end ? reply_count(*from->at++, -1) : -1;
}

/* False: it ends too soon. */
static bool
read_day(struct integers *from, struct apply_day *day)
{
	enum { NUMBERS = 2 + METRIC_COUNT * PERIOD_KINDS + 1 };
	if (from->end - from->at < NUMBERS)
		return false;
	day->online = next_integer(from);
	day->bots = next_integer(from);
	for (int i = 0; i < METRIC_COUNT; i++)
		for (int kind = 0; kind < PERIOD_KINDS; kind++)
			day->numbers[i][kind] = next_integer(from);
	day->page_count = (size_t)next_integer(from);
	if (day->page_count > (size_t)(from->end - from->at) / 2)
		return false;
	day->pages = xcalloc(day->page_count + 1, sizeof(*day->pages));
	for (size_t i = 0; i < day->page_count; i++) {
		day->pages[i].nth = (uint32_t)next_integer(from) - 1;
		day->pages[i].visits = next_integer(from);
	}
	return true;
}

static int
read_days(struct store *store, const struct call *call, struct apply_reply *out)
{
	enum { REFUSED = 1, REFUSAL = 2, DAYS = 3 };
	const redisReply *reply = call->reply;
	if (reply->elements < DAYS)
		return unexpected(store);
	out->refused = (size_t)reply->element[REFUSED]->integer;
	struct slice refusal = reply_text(reply->element[REFUSAL]);
	snprintf(out->refusal, sizeof(out->refusal), "%.*s", SLICE_ARG(refusal));
	struct integers rest = {reply->element + DAYS, reply->element + reply->elements};
	out->days = xcalloc(call->days + 1, sizeof(*out->days));
	for (out->day_count = 0; out->day_count < call->days; out->day_count++)
		if (!read_day(&rest, &out->days[out->day_count]))
			return unexpected(store);
	return rest.at == rest.end ? STORE_OK : unexpected(store);
}

static int
read_reply(struct store *store, const struct call *call, struct apply_reply *out)
{
	const redisReply *reply = call->reply;
	if (reply->type == REDIS_REPLY_ERROR)
		return link_fail(store->link, STORE_REFUSED, "%s", reply->str);
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 2 ||
	    reply->element[0]->type != REDIS_REPLY_INTEGER)
		return unexpected(store);
	return reply->element[0]->integer ? read_mismatch(store, call, out)
					  : read_days(store, call, out);
}

int
store_receive(struct store *store, struct apply_reply *reply)
{
	struct pipeline *pipeline = &store->pipeline;
	*reply = (struct apply_reply){.status = STORE_REFUSED};
	if (pipeline->count == 0)
		return link_fail(store->link, STORE_REFUSED, "no call is on its way");
	struct call *call = call_at(pipeline, 0);
	reply->status = await(store, call);
	if (reply->status == STORE_OK)
		reply->status = read_reply(store, call, reply);
	freeReplyObject(call->reply);
	call->reply = NULL;
	pipeline->first = (pipeline->first + 1) % STORE_CALLS_MAX;
	pipeline->count--;
	return reply->status;
}

void
apply_reply_release(struct apply_reply *reply)
{
	for (size_t i = 0; i < reply->day_count; i++)
		free(reply->days[i].pages);
	free(reply->days);
	free(reply->stored);
	*reply = (struct apply_reply){0};
}
