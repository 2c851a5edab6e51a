/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The store as a whole: its life, what it learns of the server on connect, positions, notes and salts. Sending counts
 * is apply.c, reading them back read.c.
 */
#include "store/store.h"

#include "store/inside.h"
#include "store/script.h"

#define SCHEMA "1"

enum { NOTES_PER_CALL = 500 };

static const char *
wrong_kind(const char *target)
{
	static const struct {
		const char *scheme, *sentence;
	} unknown[] = {
		{"redis-cluster://", "Redis Cluster is not supported yet"},
		{"redis-sentinel://", "Redis Sentinel is not supported yet"},
		{"rediss://", "TLS is not supported"},
	};
	for (size_t i = 0; i < COUNT_OF(unknown); i++)
		if (strncmp(target, unknown[i].scheme, strlen(unknown[i].scheme)) == 0)
			return unknown[i].sentence;
	return NULL;
}

struct store *
store_new(const struct store_options *options, char *error, size_t error_size)
{
	const char *wrong = wrong_kind(options->target);
	if (wrong) {
		snprintf(error, error_size,
			 "redis: %s; allowed are private, unix:/path and "
			 "redis://[user:password@]host:port[/db]",
			 wrong);
		return NULL;
	}
	if (!key_prefix_valid(options->prefix)) {
		snprintf(
			error, error_size,
			"redis_prefix: allowed are 1 to %d visible ASCII characters without braces",
			KEY_PREFIX_MAX);
		return NULL;
	}
	struct link *link = link_new(options, error, error_size);
	if (!link)
		return NULL;
	struct store *store = xcalloc(1, sizeof(*store));
	store->link = link;
	store->prefix = xstrdup(options->prefix);
	store->pages_per_day = options->pages_per_day;
	store->journal_retain = options->journal_retain;
	return store;
}

void
store_free(struct store *store)
{
	if (!store)
		return;
	link_free(store->link);
	pipeline_release(&store->pipeline);
	command_release(&store->command);
	buf_release(&store->key);
	buf_release(&store->field);
	free(store->prefix);
	free(store);
}

bool
store_connected(const struct store *store)
{
	return link_connected(store->link);
}

void
store_disconnect(struct store *store)
{
	link_drop(store->link);
}

const char *
store_error(const struct store *store)
{
	return link_error(store->link);
}

const char *
store_identity(const struct store *store)
{
	return store->identity;
}

const char *
store_warning(const struct store *store)
{
	return store->warning;
}

const struct store_server *
store_server(const struct store *store)
{
	return &store->server;
}

struct store_stats
store_stats(const struct store *store)
{
	return link_stats(store->link);
}

/* --- what the server says of itself --- */

/* The value in a line "name:value" of INFO's answer; "" when it is not there. */
static struct slice
info_value(const redisReply *info, const char *name)
{
	struct slice text = reply_text(info);
	const char *at = text.ptr ? strstr(text.ptr, name) : NULL;
	if (!at)
		return SLICE("");
	at += strlen(name);
	return (struct slice){at, strcspn(at, "\r\n")};
}

/* The value in CONFIG GET's answer of one name; absent when Redis did not say. */
static struct slice
config_value(const redisReply *config)
{
	if (!config || config->type != REDIS_REPLY_ARRAY || config->elements != 2)
		return (struct slice){0};
	return reply_text(config->element[1]);
}

static void
note_warning(struct store *store, struct slice policy, struct slice appendonly)
{
	*store->warning = '\0';
	if (policy.ptr && !slice_eq(policy, SLICE("noeviction")))
		snprintf(store->warning, sizeof(store->warning),
			 "maxmemory-policy is %.*s: Redis may throw counts away; set it to "
			 "noeviction",
			 SLICE_ARG(policy));
	else if (appendonly.ptr && !slice_eq(appendonly, SLICE("yes")))
		snprintf(store->warning, sizeof(store->warning),
			 "appendonly is %.*s: Redis may lose counts when it ends; set it to yes",
			 SLICE_ARG(appendonly));
}

enum question { ASK_SERVER, ASK_REPLICATION, ASK_SCRIPT, ASK_POLICY, ASK_APPENDONLY, QUESTIONS };

static int
send_questions(struct store *store)
{
	static const char *const words[QUESTIONS][3] = {
		[ASK_SERVER] = {"INFO", "server"},
		[ASK_REPLICATION] = {"INFO", "replication"},
		[ASK_SCRIPT] = {"SCRIPT", "LOAD"},
		[ASK_POLICY] = {"CONFIG", "GET", "maxmemory-policy"},
		[ASK_APPENDONLY] = {"CONFIG", "GET", "appendonly"},
	};
	int status = STORE_OK;
	for (int i = 0; i < QUESTIONS && status == STORE_OK; i++) {
		command_start(&store->command, NULL);
		for (size_t word = 0; word < COUNT_OF(words[i]) && words[i][word]; word++)
			command_add(&store->command, slice_of(words[i][word]));
		if (i == ASK_SCRIPT)
			command_add(&store->command, script_apply());
		status = link_send(store->link, &store->command);
	}
	return status;
}

/* CONFIG may be renamed or forbidden: then nothing is known, and nothing warned of. */
static int
receive_answers(struct store *store, redisReply *answers[QUESTIONS])
{
	int result = STORE_OK;
	char refusal[sizeof(store->warning)] = "";
	for (int i = 0; i < QUESTIONS; i++) {
		int status = link_receive(store->link, &answers[i]);
		if (status == STORE_UNAVAILABLE)
			return status;
		if (status == STORE_OK || i > ASK_SCRIPT || result != STORE_OK)
			continue;
		result = status;
		snprintf(refusal, sizeof(refusal), "%s", store_error(store));
	}
	return result == STORE_OK ? result : link_fail(store->link, result, "%s", refusal);
}

static void
note_server(struct store *store, redisReply *const answers[QUESTIONS])
{
	struct slice run = info_value(answers[ASK_SERVER], "\nrun_id:");
	struct slice replication = info_value(answers[ASK_REPLICATION], "\nmaster_replid:");
	struct slice sha = reply_text(answers[ASK_SCRIPT]);
	snprintf(store->identity, sizeof(store->identity), "%.*s %.*s", SLICE_ARG(run),
		 SLICE_ARG(replication));
	snprintf(store->script, sizeof(store->script), "%.*s", SLICE_ARG(sha));
	struct slice version = info_value(answers[ASK_SERVER], "redis_version:");
	struct slice policy = config_value(answers[ASK_POLICY]);
	struct slice appendonly = config_value(answers[ASK_APPENDONLY]);
	struct store_server *server = &store->server;
	snprintf(server->version, sizeof(server->version), "%.*s", SLICE_ARG(version));
	snprintf(server->policy, sizeof(server->policy), "%.*s", SLICE_ARG(policy));
	snprintf(server->appendonly, sizeof(server->appendonly), "%.*s", SLICE_ARG(appendonly));
	note_warning(store, policy, appendonly);
}

int
store_connect(struct store *store)
{
	redisReply *answers[QUESTIONS] = {0};
	int status = link_connect(store->link);
	if (status == STORE_OK)
		status = send_questions(store);
	if (status == STORE_OK)
		status = receive_answers(store, answers);
	if (status == STORE_OK)
		note_server(store, answers);
	else
		link_drop(store->link);
	for (int i = 0; i < QUESTIONS; i++)
		freeReplyObject(answers[i]);
	return status;
}

/* --- positions --- */

bool
position_read(struct position *position, const redisReply *reply)
{
	*position = (struct position){0};
	if (reply->type == REDIS_REPLY_NIL)
		return true;
	struct slice text = reply_text(reply);
	size_t at = 0;
	for (; at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9'; at++) {
		uint64_t digit = (uint64_t)(text.ptr[at] - '0');
		if (position->offset > (UINT64_MAX - digit) / 10)
			return false;
		position->offset = position->offset * 10 + digit;
	}
	if (at == 0 || (at < text.len && text.ptr[at] != ':'))
		return false;
	at += at < text.len;
	if (text.len - at >= sizeof(position->rest))
		return false;
	memcpy(position->rest, text.ptr + at, text.len - at);
	position->present = true;
	return true;
}

int
positions_read(struct store *store, int shard, const redisReply *reply, size_t count,
	       struct position *out)
{
	bool good = reply->type == REDIS_REPLY_ARRAY && reply->elements == count;
	for (size_t i = 0; good && i < count; i++)
		good = position_read(&out[i], reply->element[i]);
	if (good)
		return STORE_OK;
	return link_fail(store->link, STORE_REFUSED, "%s:{%02d}:streams holds what is no offset",
			 store->prefix, shard);
}

int
positions_send(struct store *store, int shard, const char *const *streams, size_t count)
{
	key_streams(&store->key, store->prefix, shard);
	command_start(&store->command, "HMGET");
	command_add(&store->command, buf_slice(&store->key));
	for (size_t i = 0; i < count; i++)
		command_add(&store->command, slice_of(streams[i]));
	return link_send(store->link, &store->command);
}

/* A refusal by Redis does not say whose key it is about. */
static int
receive_positions(struct store *store, int shard, size_t count, struct position *out)
{
	redisReply *reply;
	char refusal[128];
	int status = link_receive(store->link, &reply);
	if (status == STORE_OK) {
		status = positions_read(store, shard, reply, count, out);
	} else if (status == STORE_REFUSED) {
		snprintf(refusal, sizeof(refusal), "%s", store_error(store));
		status = link_fail(store->link, status, "%s:{%02d}:streams: %s", store->prefix,
				   shard, refusal);
	}
	freeReplyObject(reply);
	for (size_t i = 0; status != STORE_OK && i < count; i++)
		out[i] = (struct position){.foreign = true};
	return status;
}

int
store_positions(struct store *store, const char *const *streams, size_t count, struct position *out)
{
	int result = store_idle(store);
	if (count == 0)
		return result;
	for (int shard = 0; shard < CONF_SHARDS && result == STORE_OK; shard++)
		result = positions_send(store, shard, streams, count);
	if (result != STORE_OK)
		return result;
	for (int shard = 0; shard < CONF_SHARDS; shard++) {
		int status = receive_positions(store, shard, count, out + (size_t)shard * count);
		if (status == STORE_UNAVAILABLE)
			return status;
		if (result == STORE_OK)
			result = status;
	}
	return result;
}

/* --- notes, salts, upkeep --- */

int
store_idle(struct store *store)
{
	const struct pipeline *pipeline = &store->pipeline;
	if (store_connected(store) && pipeline->wire_count &&
	    pipeline->generation == link_generation(store->link))
		return link_fail(store->link, STORE_REFUSED, "calls are on their way");
	return STORE_OK;
}

/* Receives `count` replies; only the last one is handed over. The first failure is the result. */
static int
receive_last(struct store *store, size_t count, redisReply **last)
{
	int result = STORE_OK;
	*last = NULL;
	for (size_t i = 0; i < count; i++) {
		freeReplyObject(*last);
		int status = link_receive(store->link, last);
		if (status == STORE_UNAVAILABLE)
			return status;
		if (result == STORE_OK)
			result = status;
	}
	return result;
}

static int
refuse_schema(struct store *store, struct slice held)
{
	return link_fail(store->link, STORE_REFUSED,
			 "Redis holds counts of schema %.*s under %s:meta; this thongked knows "
			 "schema " SCHEMA,
			 SLICE_ARG(held), store->prefix);
}

/* SCHEMA is noted where there is none; another one is refused, before anything is written beside it. */
static int
check_schema(struct store *store)
{
	static const char *const names[] = {"HSETNX", "HGET"};
	redisReply *reply;
	key_global(&store->key, store->prefix, "meta");
	for (size_t i = 0; i < COUNT_OF(names); i++) {
		command_start(&store->command, names[i]);
		command_add(&store->command, buf_slice(&store->key));
		command_add_literal(&store->command, "schema");
		if (i == 0)
			command_add_literal(&store->command, SCHEMA);
		int status = link_send(store->link, &store->command);
		if (status != STORE_OK)
			return status;
	}
	int status = receive_last(store, COUNT_OF(names), &reply);
	struct slice held = reply_text(reply);
	if (status == STORE_OK && !slice_eq(held, SLICE(SCHEMA)))
		status = refuse_schema(store, held);
	freeReplyObject(reply);
	return status;
}

int
store_ask_global(struct store *store, const char *command, const char *name,
		 const char *const *words, size_t count, redisReply **reply)
{
	*reply = NULL;
	int status = store_idle(store);
	if (status != STORE_OK)
		return status;
	key_global(&store->key, store->prefix, name);
	command_start(&store->command, command);
	command_add(&store->command, buf_slice(&store->key));
	for (size_t i = 0; i < count; i++)
		command_add(&store->command, slice_of(words[i]));
	return link_ask(store->link, &store->command, reply);
}

int
store_check_schema(struct store *store)
{
	redisReply *reply;
	int status = store_ask_global(store, "HGET", "meta", (const char *[]){"schema"}, 1, &reply);
	struct slice held = reply_text(reply);
	if (status == STORE_OK && held.len > 0 && !slice_eq(held, SLICE(SCHEMA)))
		status = refuse_schema(store, held);
	freeReplyObject(reply);
	return status;
}

int
store_note_sites(struct store *store, const char *const *sites, const char *const *settings,
		 size_t count)
{
	int status = store_idle(store);
	if (status == STORE_OK)
		status = check_schema(store);
	for (size_t i = 0; i < count && status == STORE_OK;) {
		redisReply *reply;
		key_global(&store->key, store->prefix, "sites");
		command_start(&store->command, "HSET");
		command_add(&store->command, buf_slice(&store->key));
		for (size_t end = i + NOTES_PER_CALL; i < count && i < end; i++) {
			command_add(&store->command, slice_of(sites[i]));
			command_add(&store->command, slice_of(settings[i]));
		}
		status = link_ask(store->link, &store->command, &reply);
		freeReplyObject(reply);
	}
	return status;
}

static int
send_salt(struct store *store, struct slice salt)
{
	struct command *command = &store->command;
	struct slice key = buf_slice(&store->key);
	command_start(command, "SET");
	command_add(command, key);
	command_add(command, salt);
	command_add_literal(command, "NX");
	command_add_literal(command, "EX");
	command_add_int(command, KEY_SALT_SECONDS);
	int status = link_send(store->link, command);
	if (status != STORE_OK)
		return status;
	command_start(command, "EXPIRE");
	command_add(command, key);
	command_add_int(command, KEY_SALT_SECONDS);
	status = link_send(store->link, command);
	if (status != STORE_OK)
		return status;
	command_start(command, "GET");
	command_add(command, key);
	return link_send(store->link, command);
}

/* Of the key as it stands in store->key. */
static int
exchange_salt(struct store *store, unsigned char salt[16])
{
	enum { SALT_BYTES = 16, REPLIES = 3 };
	redisReply *reply;
	int status = send_salt(store, (struct slice){(const char *)salt, SALT_BYTES});
	if (status != STORE_OK)
		return status;
	status = receive_last(store, REPLIES, &reply);
	struct slice held = reply_text(reply);
	if (status != STORE_UNAVAILABLE && held.len == SALT_BYTES) {
		/* A server out of memory refuses the SET, but still knows the salt that all must share. */
		memcpy(salt, held.ptr, SALT_BYTES);
		status = STORE_OK;
	} else if (status == STORE_OK) {
		status = link_fail(store->link, STORE_REFUSED, "%.*s is no salt of %d bytes",
				   SLICE_ARG(buf_slice(&store->key)), SALT_BYTES);
	}
	freeReplyObject(reply);
	return status;
}

int
store_salt(struct store *store, int32_t day, unsigned char salt[16])
{
	int status = store_idle(store);
	key_salt(&store->key, store->prefix, day);
	return status == STORE_OK ? exchange_salt(store, salt) : status;
}

int
store_import_salt(struct store *store, struct slice site, int32_t day, unsigned char salt[16])
{
	int status = store_idle(store);
	key_import_salt(&store->key, store->prefix, site, day);
	return status == STORE_OK ? exchange_salt(store, salt) : status;
}

int
store_rewrite(struct store *store)
{
	redisReply *reply;
	int status = store_idle(store);
	if (status != STORE_OK)
		return status;
	command_start(&store->command, "BGREWRITEAOF");
	status = link_ask(store->link, &store->command, &reply);
	freeReplyObject(reply);
	return status;
}
