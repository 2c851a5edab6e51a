/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * thongked: the wiring. main() brings the parts up in order, runs the loop of signals, timers and the admin listener,
 * and takes them down in reverse. What each part does is in its own folder; README.md has the map.
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <sodium.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "admin/admin.h"
#include "base/clock.h"
#include "base/conf.h"
#include "base/log.h"
#include "base/version.h"
#include "front/worker.h"
#include "hit/rules.h"
#include "journal/keeper.h"
#include "show/board.h"
#include "show/pages.h"
#include "show/stats_cache.h"
#include "store/redis_server.h"
#include "tally/tally.h"

enum {
	TEND_MS = 100,          /* the private redis-server is looked after this often */
	LOAD_PRIVATE_MS = 3000, /* how long a start waits for a redis-server of its own */
	LOAD_EXTERNAL_MS = 50,  /* and for one that should be there already */
	DRAIN_MS = 5000,
	HANDOVER_MS = 5000,
	REDIS_STOP_MS = 10000,
	SPARE_FILES = 256, /* descriptors besides those of connections */
	EVENTS_MAX = 5,
};

struct daemon {
	const char *conf_path;
	const char **overrides;
	size_t override_count;
	struct conf_current *conf;
	struct rules_current *rules;
	struct event_base *base;
	struct event *events[EVENTS_MAX];
	size_t event_count;
	struct redis_server *redis;
	bool stopping;
	char error[512];
};

/* --- the command line --- */

static void
usage(int code)
{
	fprintf(code ? stderr : stdout,
		"usage: thongked [-c FILE] [-o KEY=VALUE]... [-t]\n"
		"  -c FILE       the configuration (else $THONGKE_CONF, else " THONGKE_CONF_FILE
		")\n"
		"  -o KEY=VALUE  any key of it, as in -o journal.sync=always\n"
		"  -t            check the configuration and exit\n"
		"  --keys        list the keys: name, default, meaning\n"
		"  --version     say which version this is\n");
	exit(code);
}

/* Returns whether only a check was asked for. */
static bool
read_arguments(struct daemon *daemon, int argc, char **argv)
{
	static const struct option options[] = {{"keys", no_argument, NULL, 'k'},
						{"version", no_argument, NULL, 'V'},
						{"help", no_argument, NULL, 'h'},
						{0}};
	bool check = false;
	int option;
	const char *variable = getenv(THONGKE_CONF_VARIABLE);
	daemon->conf_path = variable && *variable ? variable : THONGKE_CONF_FILE;
	daemon->overrides = xcalloc((size_t)argc, sizeof(*daemon->overrides));
	while ((option = getopt_long(argc, argv, "c:o:th", options, NULL)) != -1) {
		if (option == 'c') {
			daemon->conf_path = optarg;
		} else if (option == 'o') {
			daemon->overrides[daemon->override_count++] = optarg;
		} else if (option == 't') {
			check = true;
		} else if (option == 'k') {
			conf_print_keys();
			exit(0);
		} else if (option == 'V') {
			puts("thongked " THONGKE_VERSION);
			exit(0);
		} else {
			usage(option == 'h' ? 0 : 2);
		}
	}
	if (optind < argc)
		usage(2);
	return check;
}

static struct conf *
load_conf(struct daemon *daemon)
{
	return conf_load(daemon->conf_path, daemon->overrides, daemon->override_count,
			 daemon->error, sizeof(daemon->error));
}

/* --- the machine --- */

static void
make_directory(const char *path)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		die("cannot make the directory %s: %s", path, strerror(errno));
}

/* One daemon per state_dir: the lock is held until the process ends, however it ends. */
static void
lock_state(const struct conf *conf)
{
	struct buf path = {0};
	make_directory(conf->state_dir);
	buf_addf(&path, "%s/lock", conf->state_dir);
	int fd = open(path.data, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		die("cannot write to state_dir %s: %s", conf->state_dir, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) != 0)
		die("another thongked is running on state_dir %s", conf->state_dir);
	buf_release(&path);
}

static void
raise_file_limit(const struct conf *conf)
{
	struct rlimit limit;
	rlim_t wanted = (rlim_t)conf->connections + SPARE_FILES;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
		return;
	limit.rlim_cur = wanted < limit.rlim_max ? wanted : limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < wanted)
		log_warn("few_files limit=%" PRIu64 " connections=%d", (uint64_t)limit.rlim_cur,
			 conf->connections);
}

static struct journal *
open_journal(struct daemon *daemon, const struct conf *conf, int workers)
{
	struct buf path = {0};
	buf_addf(&path, "%s/journal", conf->state_dir);
	struct journal_options options = {.dir = path.data,
					  .sync = conf->sync,
					  .max_size = conf->journal_max_size,
					  .workers = workers};
	struct journal *journal = journal_open(&options, daemon->error, sizeof(daemon->error));
	if (!journal)
		die("%s", daemon->error);
	buf_release(&path);
	return journal;
}

/* --- events --- */

static void
daemon_stop_cb(evutil_socket_t number, short events, void *arg)
{
	struct daemon *daemon = arg;
	(void)events;
	if (daemon->stopping)
		_exit(128 + (int)number);
	daemon->stopping = true;
	log_info("stopping signal=%d", (int)number);
	event_base_loopbreak(daemon->base);
}

/* A bad file keeps the old settings and says so. */
static void
daemon_reload_cb(evutil_socket_t number, short events, void *arg)
{
	struct daemon *daemon = arg;
	(void)number, (void)events;
	struct conf *conf = load_conf(daemon);
	if (!conf) {
		log_error("reload_refused error=\"%s\"", daemon->error);
		return;
	}
	struct conf *old = conf_current_get(daemon->conf);
	const char *changed = conf_needs_restart(old, conf);
	if (changed)
		log_warn("reload_incomplete key=%s advice=\"restart thongked\"", changed);
	conf_unref(old);
	log_set_level((enum log_level)conf->log_level);
	log_info("reloaded file=%s sites=%zu", conf->path, conf->site_count);
	rules_reload(daemon->rules, conf);
	conf_current_set(daemon->conf, conf);
}

static void
daemon_tend_cb(evutil_socket_t fd, short events, void *arg)
{
	struct daemon *daemon = arg;
	(void)fd, (void)events;
	redis_server_tend(daemon->redis);
}

/* Files that were replaced. */
static void
daemon_watch_cb(evutil_socket_t fd, short events, void *arg)
{
	struct daemon *daemon = arg;
	(void)fd, (void)events;
	struct conf *conf = conf_current_get(daemon->conf);
	rules_watch(daemon->rules, conf);
	conf_unref(conf);
}

static void
add_event(struct daemon *daemon, int fd, short what, event_callback_fn callback,
	  const struct timeval *every)
{
	struct event *event = event_new(daemon->base, fd, what | EV_PERSIST, callback, daemon);
	if (!event || event_add(event, every) != 0)
		die("cannot watch for signals and time");
	daemon->events[daemon->event_count++] = event;
}

static void
unwatch(struct daemon *daemon)
{
	while (daemon->event_count)
		event_free(daemon->events[--daemon->event_count]);
}

static void
watch(struct daemon *daemon)
{
	static const struct timeval tend = {.tv_usec = TEND_MS * 1000}, second = {.tv_sec = 1};
	add_event(daemon, SIGTERM, EV_SIGNAL, daemon_stop_cb, NULL);
	add_event(daemon, SIGINT, EV_SIGNAL, daemon_stop_cb, NULL);
	add_event(daemon, SIGHUP, EV_SIGNAL, daemon_reload_cb, NULL);
	add_event(daemon, -1, 0, daemon_watch_cb, &second);
	if (daemon->redis)
		add_event(daemon, -1, 0, daemon_tend_cb, &tend);
}

/* --- the private redis-server --- */

static void
start_redis(struct daemon *daemon, const struct conf *conf)
{
	if (strcmp(conf->redis, "private") != 0)
		return;
	daemon->redis = redis_server_new(conf->state_dir, daemon->error, sizeof(daemon->error));
	if (!daemon->redis)
		die("%s", daemon->error);
	redis_server_tend(daemon->redis);
}

static void
tend_redis_meanwhile(void *arg)
{
	struct daemon *daemon = arg;
	if (daemon->redis)
		redis_server_tend(daemon->redis);
}

static void
stop_redis(struct daemon *daemon)
{
	if (!daemon->redis)
		return;
	redis_server_stop(daemon->redis, REDIS_STOP_MS);
	redis_server_free(daemon->redis);
}

/* --- the parts that can fail to come up --- */

static struct front *
make_front(struct daemon *daemon, const struct front_options *options)
{
	struct front *front = front_new(options, daemon->error, sizeof(daemon->error));
	if (!front)
		die("%s", daemon->error);
	return front;
}

static struct tally *
make_tally(struct daemon *daemon, struct tally_options options, const struct conf *conf)
{
	options.redis = daemon->redis ? redis_server_target(daemon->redis) : conf->redis;
	options.private_redis = daemon->redis != NULL;
	struct tally *tally = tally_new(&options, daemon->error, sizeof(daemon->error));
	if (!tally)
		die("%s", daemon->error);
	tally_load(tally, daemon->redis ? LOAD_PRIVATE_MS : LOAD_EXTERNAL_MS, tend_redis_meanwhile,
		   daemon);
	return tally;
}

static struct admin *
make_admin(struct daemon *daemon, struct front *front, struct tally *tally, struct journal *journal)
{
	const struct admin_options options = {
		.base = daemon->base,
		.conf = daemon->conf,
		.rules = daemon->rules,
		.front = front,
		.tally = tally,
		.journal = journal,
	};
	struct admin *admin = admin_new(&options, daemon->error, sizeof(daemon->error));
	if (!admin)
		die("%s", daemon->error);
	return admin;
}

/* Configuration, locks and limits: what the process needs before any part of it. NULL: only a check was asked for. */
static struct conf *
prepare(struct daemon *daemon, int argc, char **argv)
{
	bool check = read_arguments(daemon, argc, argv);
	struct conf *conf = load_conf(daemon);
	if (!conf)
		die("%s", daemon->error);
	if (check)
		return NULL;
	if (sodium_init() < 0)
		die("libsodium cannot be initialised");
	signal(SIGPIPE, SIG_IGN);
	log_set_level((enum log_level)conf->log_level);
	lock_state(conf);
	raise_file_limit(conf);
	daemon->conf = conf_current_new(conf_ref(conf));
	daemon->rules = rules_current_new(conf);
	daemon->base = event_base_new();
	return conf;
}

int
main(int argc, char **argv)
{
	struct daemon daemon = {0};
	struct conf *conf = prepare(&daemon, argc, argv);
	if (!conf)
		return 0;
	int workers = front_worker_count(conf);
	struct board *board = board_new();
	struct salts *salts = salts_new();
	struct nonces *nonces = nonces_new();
	struct nonces *repeats = nonces_new();
	struct limits *limits = limits_new();
	struct pages *pages = pages_new();
	struct stats_cache *stats = stats_cache_new();
	struct journal *journal = open_journal(&daemon, conf, workers);
	struct front *front = make_front(
		&daemon, &(struct front_options){daemon.conf, journal, daemon.rules, board, pages,
						 salts, nonces, repeats, limits, stats});
	start_redis(&daemon, conf);
	watch(&daemon);
	struct tally_options wiring = {.conf = daemon.conf,
				       .journal = journal,
				       .board = board,
				       .pages = pages,
				       .stats = stats,
				       .salts = salts,
				       .nonces = nonces};
	struct tally *tally = make_tally(&daemon, wiring, conf);
	struct admin *admin = make_admin(&daemon, front, tally, journal);
	struct keeper *keeper = keeper_start(journal);
	tally_start(tally);
	front_start(front);
	log_info("ready version=" THONGKE_VERSION " workers=%d sites=%zu", workers,
		 conf->site_count);

	event_base_dispatch(daemon.base);

	front_drain(front, DRAIN_MS);
	tally_stop(tally, HANDOVER_MS);
	keeper_stop(keeper);
	admin_free(admin);
	front_free(front);
	tally_free(tally);
	stop_redis(&daemon);
	journal_close(journal);
	stats_cache_free(stats);
	pages_free(pages);
	limits_free(limits);
	nonces_free(repeats);
	nonces_free(nonces);
	salts_free(salts);
	board_free(board);
	conf_unref(conf);
	rules_current_free(daemon.rules);
	conf_current_free(daemon.conf);
	unwatch(&daemon);
	event_base_free(daemon.base);
	free(daemon.overrides);
	return 0;
}
