/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Health and metrics for operators. Reads what the other parts say of themselves; changes nothing.
 */
#include "admin/admin.h"

#include <errno.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "admin/metrics.h"
#include "base/clock.h"
#include "base/version.h"
#include "front/loop.h"

enum {
	ADMIN_CONNECTIONS = 64,
	ADMIN_RECENT_MS = 60 * 1000,
	ADMIN_MARK_S = 30,    /* two of them are what is recent about a share of hits */
	ADMIN_FEW_HITS = 100, /* of which no share says anything */
};

/* What had been counted at a moment. */
struct mark {
	uint64_t hits, lost;
};

struct admin {
	struct admin_options options;
	struct front_counters counters; /* of this listener itself; shown to nobody */
	struct listeners *listeners;
	struct loop *loop;
	struct measured measured;
	int64_t started;
	uint64_t unavailable;   /* hits refused for the journal's sake, when last looked at */
	int64_t unavailable_ms; /* and when that number last rose; 0: never */
	struct mark marks[2];   /* the last but one, and the last */
	struct event marking;
	struct buf body;
	uint64_t started_hash;  /* of the keys that wait for a restart, as they were at the start */
	uint64_t reloaded_hash; /* of the others */
	uint64_t conf_generation; /* that it is of */
};

static uint64_t
admin_resident(void)
{
	unsigned long long size, resident = 0;
	FILE *file = fopen("/proc/self/statm", "re");
	if (!file)
		return 0;
	if (fscanf(file, "%llu %llu", &size, &resident) != 2)
		resident = 0;
	fclose(file);
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void
admin_measure(struct admin *admin)
{
	admin->measured = (struct measured){
		.front = front_stats(admin->options.front),
		.journal_allocated = journal_allocated(admin->options.journal),
		.journal_written = journal_written(admin->options.journal),
		.journal_damaged = journal_damaged(admin->options.journal),
		.journal_errors = journal_write_errors(admin->options.journal),
		.resident = admin_resident(),
		.started = admin->started,
		.runs = true,
	};
	tally_status(admin->options.tally, &admin->measured.tally);
	uint64_t unavailable = admin->measured.front.hits_unavailable;
	if (unavailable > admin->unavailable)
		admin->unavailable_ms = clock_mono_ms();
	admin->unavailable = unavailable;
}

/* A journal that refuses hits is a problem while it does, not for ever. */
static bool
admin_refuses_hits(const struct admin *admin)
{
	return admin->unavailable_ms > 0 &&
	       clock_mono_ms() - admin->unavailable_ms < ADMIN_RECENT_MS;
}

static void
admin_mark_cb(evutil_socket_t fd, short what, void *arg)
{
	struct admin *admin = arg;
	(void)fd;
	(void)what;
	struct front_stats stats = front_stats(admin->options.front);
	admin->marks[0] = admin->marks[1];
	admin->marks[1] = (struct mark){stats.hits_counted, stats.hits_lost};
}

/* Recent hits whose trusted proxy named no client, where they are more than a tenth of all: a header was forgotten. */
static uint64_t
admin_lost_hits(const struct admin *admin)
{
	const struct mark *since = &admin->marks[0];
	uint64_t hits = admin->measured.front.hits_counted - since->hits;
	uint64_t lost = admin->measured.front.hits_lost - since->lost;
	return hits >= ADMIN_FEW_HITS && lost * 10 > hits ? lost : 0;
}

/* --- routes --- */

static int
admin_healthz(void *context, const struct call *call, struct pending *pending)
{
	(void)context;
	(void)call;
	(void)pending;
	return 200;
}

static int
admin_readyz(void *context, const struct call *call, struct pending *pending)
{
	struct admin *admin = context;
	(void)call;
	(void)pending;
	struct tally_status status;
	tally_status(admin->options.tally, &status);
	return status.loaded ? 200 : 503;
}

static void
admin_render_healthz(void *context, const struct pending *pending, struct answer *answer)
{
	(void)context;
	(void)pending;
	answer->body = SLICE("ok\n");
}

static void
admin_render_metrics(void *context, const struct pending *pending, struct answer *answer)
{
	struct admin *admin = context;
	(void)pending;
	admin_measure(admin);
	buf_clear(&admin->body);
	metrics_text(&admin->body, &admin->measured);
	answer->body = buf_slice(&admin->body);
}

/* One thing that is not as it should be; `count` says how much of it, `text` more, or is "". */
static void
admin_problem(struct buf *out, const char *name, uint64_t count, const char *text)
{
	if (out->data[out->len - 1] == '}')
		buf_add_literal(out, ",");
	buf_addf(out, "{\"problem\":\"%s\"", name);
	if (count > 0)
		buf_addf(out, ",\"count\":%" PRIu64, count);
	if (*text) {
		buf_add_literal(out, ",\"text\":\"");
		buf_add_json(out, slice_of(text));
		buf_add_literal(out, "\"");
	}
	buf_add_literal(out, "}");
}

static void
admin_problems(struct buf *out, const struct admin *admin)
{
	const struct measured *measured = &admin->measured;
	const struct tally_status *tally = &measured->tally;
	const struct rules_status *rules = rules_current_status(admin->options.rules);
	uint64_t lost = admin_lost_hits(admin);
	const struct {
		const char *name;
		uint64_t count;
		const char *text;
		bool holds;
	} problems[] = {
		{"redis_away", 0, tally->error, !tally->connected},
		{"redis_refuses", 0, tally->error, tally->connected && *tally->error != '\0'},
		{"redis_setup", 0, tally->warning, *tally->warning != '\0'},
		{"replaying", (uint64_t)tally->settling, "", tally->settling > 0},
		{"gap_hits", tally->gap_hits, "", tally->gap_hits > 0},
		{"resets", tally->resets, "", tally->resets > 0},
		{"refused_fields", tally->refused_fields, "", tally->refused_fields > 0},
		{"hits_unavailable", measured->front.hits_unavailable, "",
		 admin_refuses_hits(admin)},
		{"countries_file", 0, rules->geo, *rules->geo != '\0'},
		{"bots_file", 0, rules->bots, *rules->bots != '\0'},
		{"blocklist_file", 0, rules->blocked, *rules->blocked != '\0'},
		{"front_forgets_address", lost, "a trusted proxy names no client in its header",
		 lost > 0},
		{"journal_damaged", measured->journal_damaged, "", measured->journal_damaged > 0},
		{"journal_write_errors", measured->journal_errors, "",
		 measured->journal_errors > 0},
	};
	for (size_t i = 0; i < COUNT_OF(problems); i++)
		if (problems[i].holds)
			admin_problem(out, problems[i].name, problems[i].count, problems[i].text);
}

/* With which configuration it runs: of many sites the number takes a moment, and is worked out anew after a reload alone. */
static void
admin_hash_conf(struct admin *admin)
{
	uint64_t generation = conf_current_generation(admin->options.conf);
	if (generation == admin->conf_generation)
		return;
	struct conf *conf = conf_current_get(admin->options.conf);
	admin->reloaded_hash = conf_hash(conf, true);
	admin->conf_generation = generation;
	conf_unref(conf);
}

static void
admin_render_readyz(void *context, const struct pending *pending, struct answer *answer)
{
	struct admin *admin = context;
	struct buf problems = {0}, *body = &admin->body;
	admin_measure(admin);
	buf_add_literal(&problems, "[");
	admin_problems(&problems, admin);
	const char *status = problems.len > 1 ? "degraded" : "ok";
	buf_clear(body);
	admin_hash_conf(admin);
	buf_addf(body,
		 "{\"status\":\"%s\",\"age\":%" PRId64 ",\"lag_bytes\":%" PRIu64
		 ",\"version\":\"" THONGKE_VERSION "\",\"conf\":[\"%016" PRIx64 "\",\"%016" PRIx64
		 "\"],\"problems\":",
		 pending->status == 200 ? status : "loading", admin->measured.tally.age,
		 admin->measured.tally.lag_bytes, admin->started_hash, admin->reloaded_hash);
	buf_add_slice(body, buf_slice(&problems));
	buf_add_literal(body, "]}\n");
	buf_release(&problems);
	answer->body = buf_slice(body);
}

enum { READS = ROUTE_METHOD(GET) | ROUTE_METHOD(HEAD) };
#define ALLOW "Allow: GET, HEAD\r\n"

static const struct route admin_routes[] = {
	{
		.path = SLICE("/healthz"),
		.methods = READS,
		.allow = ALLOW,
		.form = ANSWER_TEXT,
		.handle = admin_healthz,
		.render = admin_render_healthz,
	},
	{
		.path = SLICE("/readyz"),
		.methods = READS,
		.allow = ALLOW,
		.always = true,
		.form = ANSWER_JSON,
		.handle = admin_readyz,
		.render = admin_render_readyz,
	},
	{
		.path = SLICE("/metrics"),
		.methods = READS,
		.allow = ALLOW,
		.form = ANSWER_METRICS,
		.handle = admin_healthz,
		.render = admin_render_metrics,
	},
};

static size_t
admin_begin(void *context)
{
	(void)context;
	return ADMIN_CONNECTIONS;
}

static const struct route *
admin_find(void *context, struct slice path)
{
	(void)context;
	return route_find(admin_routes, COUNT_OF(admin_routes), path);
}

static const struct service admin_service = {.begin = admin_begin, .find = admin_find};

/* --- its life --- */

struct admin *
admin_new(const struct admin_options *options, char *error, size_t error_size)
{
	struct conf *now = conf_current_get(options->conf);
	struct listeners *listeners =
		listeners_new(now->admin_listens, now->admin_listen_count, 1, error, error_size);
	uint64_t started_hash = conf_hash(now, false);
	conf_unref(now);
	if (!listeners)
		return NULL;
	struct admin *admin = aligned_alloc(alignof(struct admin), sizeof(*admin));
	if (!admin) {
		snprintf(error, error_size, "%s", strerror(errno));
		listeners_free(listeners);
		return NULL;
	}
	*admin = (struct admin){
		.options = *options,
		.started = clock_wall_ms() / 1000,
		.started_hash = started_hash,
		.conf_generation = UINT64_MAX,
	};
	admin->listeners = listeners;
	admin->loop = loop_new(&(struct loop_options){
		.base = options->base,
		.service = &admin_service,
		.context = admin,
		.counters = &admin->counters,
	});
	event_assign(&admin->marking, options->base, -1, EV_PERSIST, admin_mark_cb, admin);
	event_add(&admin->marking, &(struct timeval){ADMIN_MARK_S, 0});
	loop_listen(admin->loop, listeners, 0);
	listeners_log(listeners, "admin");
	return admin;
}

void
admin_free(struct admin *admin)
{
	if (!admin)
		return;
	event_del(&admin->marking);
	loop_free(admin->loop);
	listeners_free(admin->listeners);
	buf_release(&admin->body);
	free(admin);
}
