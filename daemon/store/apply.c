/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The calls of apply.lua: written, sent, and their replies handed over in the order sent. A call that Redis refuses
 * with NOSCRIPT is sent again with the script's text; nothing else is ever sent twice from here, because only the
 * caller may decide what an unknown outcome means.
 */
#include "store/inside.h"
#include "store/script.h"

enum { TABLES_FACTOR = 20 /* a month's and the all-time table hold this many times a day's */ };

void
pipeline_release(struct pipeline *pipeline)
{
	for (size_t i = 0; i < STORE_CALLS_MAX; i++) {
		command_release(&pipeline->calls[i].keys);
		command_release(&pipeline->calls[i].args);
		freeReplyObject(pipeline->calls[i].reply);
	}
	command_release(&pipeline->head);
	command_release(&pipeline->group);
	free(pipeline->chains);
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

/* The head of a group of fields: KEYS gets its key, ARGV its kind, how long it lives and how many fields follow. */
static void
begin_group(struct call *call, struct slice site, struct slice tail, struct slice kind,
	    int64_t seconds)
{
	command_add_joined(&call->keys, site, tail);
	command_add(&call->args, kind);
	command_add_int(&call->args, seconds);
}

static void
add_hits(struct call *call, struct slice site, const struct key_day *key,
	 const struct delta_day *day)
{
	begin_group(call, site, key->hits_year, SLICE("v"), 0);
	command_add_int(&call->args, 1);
	command_add(&call->args, key->field);
	command_add_int(&call->args, day->hits);
	begin_group(call, site, SLICE("hits"), SLICE("v"), 0);
	command_add_int(&call->args, PERIOD_KINDS - 1);
	for (int kind = PERIOD_DAY + 1; kind < PERIOD_KINDS; kind++) {
		command_add(&call->args, key->fields[kind]);
		command_add_int(&call->args, day->hits);
	}
}

static void
add_hours(struct call *call, struct slice site, const struct key_day *key,
	  const struct delta_day *day)
{
	int count = 0;
	for (int hour = 0; hour < 24; hour++)
		count += day->hours[hour] > 0;
	begin_group(call, site, key->hours, SLICE("h"), KEY_TABLE_SECONDS);
	command_add_int(&call->args, count);
	for (int hour = 0; hour < 24; hour++) {
		const char field[2] = {(char)('0' + hour / 10), (char)('0' + hour % 10)};
		if (!day->hours[hour])
			continue;
		command_add(&call->args, (struct slice){field, sizeof(field)});
		command_add_int(&call->args, day->hours[hour]);
	}
}

static void
add_table(struct call *call, struct slice site, struct slice tail, int64_t seconds, int64_t cap,
	  const struct command *members)
{
	begin_group(call, site, tail, SLICE("z"), seconds);
	command_add_int(&call->args, cap);
	command_add_int(&call->args, (int64_t)members->args / 2);
	command_append(&call->args, members);
}

/*
 * Chains the pages of each day, so that all days together cost one pass: chains[day] is the index + 1 of a day's
 * first page, chains[days + page] of the one after it.
 */
static const uint32_t *
chain_pages(struct pipeline *pipeline, size_t days, const struct delta_page *pages, size_t count)
{
	if (pipeline->chains_room < days + count) {
		pipeline->chains_room = (days + count) * 2;
		pipeline->chains = xrealloc(pipeline->chains,
					    pipeline->chains_room * sizeof(*pipeline->chains));
	}
	memset(pipeline->chains, 0, days * sizeof(*pipeline->chains));
	for (size_t i = count; i-- > 0;) {
		pipeline->chains[days + i] = pipeline->chains[pages[i].day];
		pipeline->chains[pages[i].day] = (uint32_t)i + 1;
	}
	return pipeline->chains;
}

/* The tables of one day: `members` are its pages and their hits. */
static void
add_tables(struct store *store, struct call *call, struct slice site, const struct command *members)
{
	const struct key_day *key = &store->pipeline.day;
	int64_t cap = store->pages_per_day;
	if (members->args == 0)
		return;
	add_table(call, site, key->pages_day, KEY_TABLE_SECONDS, cap, members);
	add_table(call, site, key->pages_month, 0, cap * TABLES_FACTOR, members);
	add_table(call, site, SLICE("pages"), 0, cap * TABLES_FACTOR, members);
}

static void
add_delta(struct store *store, struct call *call, const struct delta *delta)
{
	size_t count, page_count;
	const struct delta_day *days = delta_days(delta, &count);
	const struct delta_page *pages = delta_pages(delta, &page_count);
	const uint32_t *chains = chain_pages(&store->pipeline, count, pages, page_count);
	struct key_day *key = &store->pipeline.day;
	struct command *members = &store->pipeline.group;
	for (size_t i = 0; i < count; i++) {
		key_site(&store->key, store->prefix, call->shard, days[i].site);
		struct slice site = buf_slice(&store->key);
		key_day_fill(key, days[i].day);
		add_hits(call, site, key, &days[i]);
		add_hours(call, site, key, &days[i]);
		command_start(members, NULL);
		for (size_t page = chains[i]; page; page = chains[count + page - 1]) {
			command_add(members, pages[page - 1].path);
			command_add_int(members, pages[page - 1].hits);
		}
		add_tables(store, call, site, members);
	}
	call->days = count;
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
		add_delta(store, call, delta);
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
	const redisReply *reply = call->reply;
	if (reply->elements != call->streams + 1)
		return unexpected(store);
	out->stored_count = call->streams;
	out->stored = xcalloc(call->streams, sizeof(*out->stored));
	for (size_t i = 0; i < call->streams; i++)
		if (!position_read(&out->stored[i], reply->element[i + 1]))
			return link_fail(store->link, STORE_REFUSED,
					 "a position in %s:{%02d}:streams is no offset",
					 store->prefix, call->shard);
	return STORE_MISMATCH;
}

static int
read_values(struct store *store, const struct call *call, struct apply_reply *out)
{
	enum { REFUSED = 1, REFUSAL = 2, VALUES = 3 };
	const redisReply *reply = call->reply;
	size_t count = call->days * PERIOD_KINDS;
	if (reply->elements != VALUES + count)
		return unexpected(store);
	out->refused = (size_t)reply->element[REFUSED]->integer;
	struct slice refusal = reply_text(reply->element[REFUSAL]);
	snprintf(out->refusal, sizeof(out->refusal), "%.*s", SLICE_ARG(refusal));
	out->value_count = count;
	out->values = xcalloc(count, sizeof(*out->values));
	for (size_t i = 0; i < count; i++)
		out->values[i] = reply_count(reply->element[VALUES + i], -1);
	return STORE_OK;
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
					  : read_values(store, call, out);
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
	free(reply->stored);
	free(reply->values);
	*reply = (struct apply_reply){0};
}
