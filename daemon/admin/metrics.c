/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of metrics: name, labels, help and where the number stands. Adding a metric is adding a row; rows of one
 * name stand together and the first brings the help. A name that ends in _total is a counter, any other a gauge.
 */
#include "admin/metrics.h"

#include "base/version.h"

enum metric_kind { METRIC_UNSIGNED, METRIC_SIGNED, METRIC_INT, METRIC_BOOL };

struct exposed {
	const char *name, *labels, *help;
	enum metric_kind kind;
	size_t offset; /* in struct measured */
};

#define AT(field) offsetof(struct measured, field)
#define ROW(field, name, labels, help) {name, labels, help, METRIC_UNSIGNED, AT(front.field)},

static const struct exposed metrics[] = {
	{"thongke_build_info", "version=\"" THONGKE_VERSION "\"", "Which version this is.",
	 METRIC_BOOL, AT(runs)},
	{"thongke_start_time_seconds", "", "When this process started.", METRIC_SIGNED,
	 AT(started)},
	{"thongke_loaded", "", "Whether every configured site's counts are known.", METRIC_BOOL,
	 AT(tally.loaded)},
	{"thongke_applied_hits_total", "", "Hits handed over to Redis.", METRIC_UNSIGNED,
	 AT(tally.applied)},
	{"thongke_age_seconds", "", "Time since Redis last confirmed anything.", METRIC_SIGNED,
	 AT(tally.age)},
	{"thongke_gap_hits_total", "", "Hits that were shown and that Redis lost for good.",
	 METRIC_UNSIGNED, AT(tally.gap_hits)},
	{"thongke_resets_total", "", "Journal positions that Redis no longer knew.",
	 METRIC_UNSIGNED, AT(tally.resets)},
	{"thongke_rewinds_total", "",
	 "Journal positions that went back in Redis and were read again.", METRIC_UNSIGNED,
	 AT(tally.rewinds)},
	{"thongke_refused_fields_total", "", "Fields that Redis refused to increment.",
	 METRIC_UNSIGNED, AT(tally.refused_fields)},
	{"thongke_audits_total", "", "Comparisons of all positions with Redis.", METRIC_UNSIGNED,
	 AT(tally.audits)},
	{"thongke_settling", "", "Shards that are replayed and do not yet show Redis' numbers.",
	 METRIC_INT, AT(tally.settling)},
	{"thongke_blocked_shards", "", "Shards whose positions in Redis somebody overwrote.",
	 METRIC_INT, AT(tally.blocked)},
	{"thongke_cut_batches_total", "", "Calls that went out before their round was over.",
	 METRIC_UNSIGNED, AT(tally.cut_batches)},
	{"thongke_redis_connected", "", "Whether the tally is connected to Redis.", METRIC_BOOL,
	 AT(tally.connected)},
	{"thongke_redis_calls_total", "", "Commands sent to Redis.", METRIC_UNSIGNED,
	 AT(tally.redis.calls)},
	{"thongke_redis_errors_total", "", "Commands that Redis refused or did not answer in time.",
	 METRIC_UNSIGNED, AT(tally.redis.errors)},
	{"thongke_journal_lag_bytes", "", "Journal that is not yet handed over to Redis.",
	 METRIC_UNSIGNED, AT(tally.lag_bytes)},
	{"thongke_journal_kept_seconds", "",
	 "Age of the oldest hit in the journal: how far back Redis could be refilled.",
	 METRIC_SIGNED, AT(tally.journal_kept)},
	{"thongke_journal_allocated_bytes", "", "Journal on disk.", METRIC_UNSIGNED,
	 AT(journal_allocated)},
	{"thongke_journal_written_bytes_total", "", "Journal written.", METRIC_UNSIGNED,
	 AT(journal_written)},
	{"thongke_journal_damaged_total", "", "Places in the journal that were skipped as damaged.",
	 METRIC_UNSIGNED, AT(journal_damaged)},
	{"thongke_journal_write_errors_total", "", "Writes to the journal that failed.",
	 METRIC_UNSIGNED, AT(journal_errors)},
	{"thongke_resident_memory_bytes", "", "Memory of this process, without redis-server.",
	 METRIC_UNSIGNED, AT(resident)},
	FRONT_COUNTERS(ROW)};

static void
metric_value(struct buf *out, const struct exposed *metric, const void *at)
{
	switch (metric->kind) {
	case METRIC_UNSIGNED:
		buf_addf(out, "%" PRIu64, *(const uint64_t *)at);
		break;
	case METRIC_SIGNED:
		buf_addf(out, "%" PRId64, *(const int64_t *)at);
		break;
	case METRIC_INT:
		buf_addf(out, "%d", *(const int *)at);
		break;
	case METRIC_BOOL:
		buf_addf(out, "%d", *(const bool *)at);
		break;
	}
}

/* Whether the row is the first of its name. */
static bool
metric_is_first(const struct exposed *metric)
{
	return metric == metrics || strcmp(metric->name, metric[-1].name) != 0;
}

static const char *
metric_type(const char *name)
{
	size_t len = strlen(name);
	return len > 6 && strcmp(name + len - 6, "_total") == 0 ? "counter" : "gauge";
}

/* How long each reply of Redis was waited for. */
static void
metric_waits(struct buf *out, const struct store_stats *redis)
{
	static const int bounds_us[STORE_WAIT_BOUNDS] = STORE_WAIT_BOUNDS_US;
	static const char name[] = "thongke_redis_wait_seconds";
	uint64_t sum = 0;
	buf_addf(out, "# HELP %s Waits for a reply of Redis.\n# TYPE %s histogram\n", name, name);
	for (int i = 0; i < STORE_WAIT_BOUNDS; i++) {
		sum += redis->waits[i];
		buf_addf(out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name, bounds_us[i] / 1e6, sum);
	}
	sum += redis->waits[STORE_WAIT_BOUNDS];
	buf_addf(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n%s_sum %.6f\n%s_count %" PRIu64 "\n",
		 name, sum, name, (double)redis->wait_us / 1e6, name, sum);
}

void
metrics_text(struct buf *out, const struct measured *measured)
{
	for (size_t i = 0; i < COUNT_OF(metrics); i++) {
		const struct exposed *metric = &metrics[i];
		if (metric_is_first(metric))
			buf_addf(out, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help,
				 metric->name, metric_type(metric->name));
		buf_addf(out, *metric->labels ? "%s{%s} " : "%s%s ", metric->name, metric->labels);
		metric_value(out, metric, (const char *)measured + metric->offset);
		buf_add_literal(out, "\n");
	}
	metric_waits(out, &measured->tally.redis);
}
