/* SPDX-License-Identifier: BSD-2-Clause */
/* The snapshot of files: read, published, read again. Knows nothing of what is in them. */
#include "hit/rules.h"

#include <limits.h>
#include <pthread.h>
#include <unistd.h>

#include "base/log.h"

#ifndef THONGKE_SHARE_DIR /* set by the Makefile from PREFIX */
#define THONGKE_SHARE_DIR "/usr/local/share/thongke"
#endif

struct rules_current {
	pthread_mutex_t lock;
	struct rules *rules;
	_Atomic uint64_t generation;
	struct rules_status status; /* the main thread's alone */
	uint64_t geo_stamp;         /* of the files that status.geo is about */
};

/* --- reading one file --- */

char *
rules_file_path(const char *name, char *out, size_t size)
{
	char program[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);
	program[len > 0 ? len : 0] = '\0';
	char *build = strstr(program, "/build/");
	for (char *next = build; next; next = strstr(next + 1, "/build/"))
		build = next; /* the last: a source tree may lie below another's build/ */
	if (name[0] == '/') {
		snprintf(out, size, "%s", name);
		return out;
	}
	if (build) {
		snprintf(out, size, "%.*s/conf/%s", (int)(build - program), program, name);
		if (access(out, R_OK) == 0)
			return out;
	}
	snprintf(out, size, THONGKE_SHARE_DIR "/%s", name);
	return out;
}

/* Each returns a new reference, or NULL: because of `error`, or "" when none is configured. */
static struct bots *
read_bots(const struct conf *conf, char error[RULES_ERROR_MAX])
{
	char path[PATH_MAX];
	error[0] = '\0';
	if (!*conf->bots)
		return NULL;
	return bots_read(rules_file_path(conf->bots, path, sizeof(path)), error, RULES_ERROR_MAX);
}

static struct blocklist *
read_blocked(const struct conf *conf, char error[RULES_ERROR_MAX])
{
	error[0] = '\0';
	if (!*conf->referrer_blocklist)
		return NULL;
	return blocklist_read(conf->referrer_blocklist, error, RULES_ERROR_MAX);
}

static struct geo *
read_geo(const struct conf *conf, char error[RULES_ERROR_MAX], uint64_t *stamp)
{
	error[0] = '\0';
	if (conf->geoip_count == 0)
		return NULL;
	*stamp = geo_stamp(conf->geoip, conf->geoip_count);
	return geo_open(conf->geoip, conf->geoip_count, error, RULES_ERROR_MAX);
}

/* --- the snapshot --- */

/* Takes over the three references. */
static struct rules *
rules_new(struct bots *bots, struct geo *geo, struct blocklist *blocked)
{
	struct rules *rules = xcalloc(1, sizeof(*rules));
	*rules = (struct rules){.bots = bots, .geo = geo, .blocked = blocked};
	atomic_init(&rules->refs, 1);
	return rules;
}

void
rules_unref(struct rules *rules)
{
	if (!rules || atomic_fetch_sub_explicit(&rules->refs, 1, memory_order_acq_rel) != 1)
		return;
	bots_unref(rules->bots);
	geo_unref(rules->geo);
	blocklist_unref(rules->blocked);
	free(rules);
}

struct rules *
rules_current_get(struct rules_current *current)
{
	pthread_mutex_lock(&current->lock);
	struct rules *rules = current->rules;
	atomic_fetch_add_explicit(&rules->refs, 1, memory_order_relaxed);
	pthread_mutex_unlock(&current->lock);
	return rules;
}

uint64_t
rules_current_generation(const struct rules_current *current)
{
	return atomic_load_explicit(&current->generation, memory_order_acquire);
}

static void
publish(struct rules_current *current, struct rules *rules)
{
	pthread_mutex_lock(&current->lock);
	struct rules *old = current->rules;
	current->rules = rules;
	atomic_fetch_add(&current->generation, 1);
	pthread_mutex_unlock(&current->lock);
	rules_unref(old);
}

const struct rules_status *
rules_current_status(const struct rules_current *current)
{
	return &current->status;
}

/* --- what main does --- */

static void
log_geo(const struct rules_current *current, const struct conf *conf, const struct geo *old)
{
	if (current->status.geo[0])
		log_error("geoip_refused error=\"%s\" countries=%s", current->status.geo,
			  old ? "by_the_old_files" : "unknown");
	else if (conf->geoip_count > 0)
		log_info("geoip_opened files=%zu", conf->geoip_count);
}

struct rules_current *
rules_current_new(const struct conf *conf)
{
	struct rules_current *current = xcalloc(1, sizeof(*current));
	struct rules_status *status = &current->status;
	pthread_mutex_init(&current->lock, NULL);
	atomic_init(&current->generation, 1);
	struct bots *bots = read_bots(conf, status->bots);
	struct blocklist *blocked = read_blocked(conf, status->blocked);
	if (status->bots[0] || status->blocked[0])
		die("%s", status->bots[0] ? status->bots : status->blocked);
	struct geo *geo = read_geo(conf, status->geo, &current->geo_stamp);
	log_geo(current, conf, NULL);
	current->rules = rules_new(bots, geo, blocked);
	return current;
}

void
rules_current_free(struct rules_current *current)
{
	if (!current)
		return;
	rules_unref(current->rules);
	pthread_mutex_destroy(&current->lock);
	free(current);
}

void
rules_reload(struct rules_current *current, const struct conf *conf)
{
	const struct rules *old = current->rules;
	struct rules_status *status = &current->status;
	struct bots *bots = read_bots(conf, status->bots);
	struct blocklist *blocked = read_blocked(conf, status->blocked);
	struct geo *geo = read_geo(conf, status->geo, &current->geo_stamp);
	if (status->bots[0]) {
		bots = bots_ref(old->bots);
		log_error("bots_refused error=\"%s\"", status->bots);
	}
	if (status->blocked[0]) {
		blocked = blocklist_ref(old->blocked);
		log_error("referrer_blocklist_refused error=\"%s\"", status->blocked);
	}
	log_geo(current, conf, old->geo);
	if (status->geo[0])
		geo = geo_ref(old->geo);
	publish(current, rules_new(bots, geo, blocked));
}

/* After a failure only another file is tried: libmaxminddb loses memory over some damaged ones. */
static bool
geo_worth_reading(const struct rules_current *current, const struct conf *conf)
{
	const struct geo *geo = current->rules->geo;
	if (conf->geoip_count == 0)
		return false;
	if (current->status.geo[0])
		return geo_stamp(conf->geoip, conf->geoip_count) != current->geo_stamp;
	return !geo || geo_changed(geo);
}

void
rules_watch(struct rules_current *current, const struct conf *conf)
{
	const struct rules *old = current->rules;
	if (!geo_worth_reading(current, conf))
		return;
	struct geo *geo = read_geo(conf, current->status.geo, &current->geo_stamp);
	log_geo(current, conf, old->geo);
	if (geo)
		publish(current, rules_new(bots_ref(old->bots), geo, blocklist_ref(old->blocked)));
}
