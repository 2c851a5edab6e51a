/* SPDX-License-Identifier: BSD-2-Clause */
/* The calls of bring.lua: which fields a number of another counter belongs in. */
#include "store/change.h"
#include "store/inside.h"
#include "store/script.h"

enum { FIELD_SIZE = HIT_PAGE_MAX + 64 };

/* One row on its way into a call. */
struct bringing {
	struct store *store;
	struct command *keys, *args; /* key-field pairs: the targets */
	const char *source;
	int targets;
};

/* "hits 2020-05-20", "hits all /path" */
static struct slice
field_of(const struct brought *row, enum period_kind kind, int32_t id, char out[FIELD_SIZE])
{
	char name[PERIOD_NAME_SIZE];
	int len = snprintf(out, FIELD_SIZE, "%s %s%s%.*s", metric_names[row->metric],
			   period_name(kind, id, name), row->path.len ? " " : "",
			   SLICE_ARG(row->path));
	return (struct slice){out, (size_t)len};
}

static struct slice
source_field(const struct bringing *b, const struct brought *row, enum period_kind kind, int32_t id,
	     char out[FIELD_SIZE])
{
	char field[FIELD_SIZE];
	struct slice text = field_of(row, kind, id, field);
	int len = snprintf(out, FIELD_SIZE, "%s %.*s", b->source, SLICE_ARG(text));
	return (struct slice){out, len < FIELD_SIZE ? (size_t)len : FIELD_SIZE - 1};
}

static void
add_target(struct bringing *b, struct slice tail, char kind, struct slice field)
{
	command_add_joined(b->keys, buf_slice(&b->store->key), tail);
	command_add(b->args, (struct slice){&kind, 1});
	command_add(b->args, field);
	b->targets++;
}

/* A day's number is part of what was brought of its month and so on, which are said to be more later. */
static void
add_longer(struct bringing *b, const struct brought *row, int32_t day)
{
	char field[FIELD_SIZE];
	static const enum period_kind longer[] = {PERIOD_MONTH, PERIOD_YEAR, PERIOD_ALL};
	for (size_t i = 0; i < COUNT_OF(longer); i++)
		if (longer[i] > row->kind)
			add_target(b, SLICE(KEY_BROUGHT), 'h',
				   source_field(b, row, longer[i], period_of_day(longer[i], day),
						field));
}

static void
add_day(struct bringing *b, const struct brought *row)
{
	struct key_day *key = &b->store->day;
	char name[PERIOD_NAME_SIZE];
	key_day_fill(key, row->id);
	add_target(b, key->years[row->metric], 'h', key->field);
	for (int kind = PERIOD_WEEK; kind < PERIOD_ALL; kind++)
		add_target(b, key_metrics[row->metric], 'h', key->fields[kind]);
	add_target(b, key_metrics[row->metric], 'h', SLICE("all"));
	if (row->metric == METRIC_HITS)
		add_target(b, SLICE(KEY_IMPORTED), 'z',
			   slice_of(period_name(PERIOD_DAY, row->id, name)));
	add_longer(b, row, row->id);
}

/* As an adjustment does, it stands in the field of every period that it is part of. */
static void
add_base(struct bringing *b, const struct brought *row)
{
	int32_t first = row->kind == PERIOD_ALL ? 0 : period_first_day(row->kind, row->id);
	for (int kind = (int)row->kind; kind < PERIOD_KINDS; kind++) {
		int32_t id = period_of_day((enum period_kind)kind, first);
		key_base_field(&b->store->field, row->metric, (enum period_kind)kind, id,
			       row->path);
		add_target(b, SLICE(KEY_BASE), 'h', buf_slice(&b->store->field));
	}
	if (row->path.len == 0 && row->kind != PERIOD_ALL)
		add_longer(b, row, first);
}

/* The number of targets stands before them, so they are put together first. */
static void
add_row(struct bringing *b, struct command *args, const struct brought *row)
{
	char field[FIELD_SIZE];
	command_add(args, source_field(b, row, row->kind, row->id, field));
	command_add_int(args, row->number);
	command_add_int(args, row->path.len ? 0 : row->metric + 1);
	command_start(b->args, NULL);
	b->targets = 0;
	if (row->kind == PERIOD_DAY)
		add_day(b, row);
	else
		add_base(b, row);
	command_add_int(args, b->targets);
	command_append(args, b->args);
}

static int
read_reply(struct store *store, const redisReply *reply, struct brought_reply *out)
{
	enum { ROWS, REFUSED, REFUSAL, ADDED, ELEMENTS = ADDED + METRIC_STORED };
	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != ELEMENTS)
		return link_fail(store->link, STORE_REFUSED,
				 "Redis answered a script with something else");
	out->rows += reply_count(reply->element[ROWS], 0);
	if (out->refused == 0)
		snprintf(out->refusal, sizeof(out->refusal), "%.*s",
			 SLICE_ARG(reply_text(reply->element[REFUSAL])));
	out->refused += reply_count(reply->element[REFUSED], 0);
	for (int i = 0; i < METRIC_STORED; i++)
		out->added[i] += reply_count(reply->element[ADDED + i], 0);
	return STORE_OK;
}

int
store_bring(struct store *store, struct slice site, const char *source, const struct brought *rows,
	    size_t count, struct brought_reply *out)
{
	struct command keys = {0}, args = {0}, targets = {0};
	struct bringing b = {.store = store, .keys = &keys, .args = &targets, .source = source};
	redisReply *reply = NULL;
	int status = store_idle(store);
	if (status != STORE_OK)
		return status;
	key_site(&store->key, store->prefix, key_shard(site), site);
	command_add_joined(&keys, buf_slice(&store->key), SLICE(KEY_BROUGHT));
	command_add_int(&args, (int64_t)count);
	for (size_t i = 0; i < count; i++)
		add_row(&b, &args, &rows[i]);
	command_start(&store->command, "EVAL");
	command_add(&store->command, script_bring());
	command_add_int(&store->command, (int64_t)keys.args);
	command_append(&store->command, &keys);
	command_append(&store->command, &args);
	status = link_ask(store->link, &store->command, &reply);
	if (status == STORE_OK)
		status = read_reply(store, reply, out);
	freeReplyObject(reply);
	command_release(&keys);
	command_release(&args);
	command_release(&targets);
	/* Daemons read the base again. Also where nothing was more, for the one before may have ended here. */
	return status == STORE_OK ? change_done(store) : status;
}

int
store_brought(struct store *store, struct slice site, const char *source,
	      const struct brought *rows, size_t count, int64_t *out)
{
	struct bringing b = {.source = source};
	char field[FIELD_SIZE];
	redisReply *reply = NULL;
	int status = store_idle(store);
	if (status != STORE_OK || count == 0)
		return status;
	key_site(&store->key, store->prefix, key_shard(site), site);
	command_start(&store->command, "HMGET");
	command_add_joined(&store->command, buf_slice(&store->key), SLICE(KEY_BROUGHT));
	for (size_t i = 0; i < count; i++)
		command_add(&store->command,
			    source_field(&b, &rows[i], rows[i].kind, rows[i].id, field));
	status = link_ask(store->link, &store->command, &reply);
	for (size_t i = 0; status == STORE_OK && i < count; i++)
		out[i] = i < reply->elements ? reply_count(reply->element[i], 0) : 0;
	freeReplyObject(reply);
	return status;
}
