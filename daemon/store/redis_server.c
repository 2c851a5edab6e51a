/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The private redis-server. Redis takes no lock on its append-only file, so two servers in one directory would write
 * it both: the child inherits a flock, which lives exactly as long as the server (and its rewriting child) does, also
 * when thongked is long gone. Nothing here speaks to Redis.
 */
#include "store/redis_server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "store/aof.h"

enum {
	BACKOFF_FIRST_MS = 100,
	BACKOFF_MOST_MS = 2000,
	STABLE_MS = 10000, /* a server that lived this long is started again without much waiting */
};

struct redis_server {
	char *program;
	char *dir;
	char *target; /* "unix:" and the path */
	pid_t pid;    /* 0: none */
	int64_t started_ms, next_ms;
	int backoff_ms;
	uint64_t starts;
	bool waiting; /* for the lock of somebody else's server, and said so */
};

/*
 * The year hashes have up to 366 fields; 512 is the default of Redis 7, but not of every version, for what stays a
 * compact listpack. A busy hour's appends are many small changes of the same rows: the file is rewritten seldom (and
 * once a day by us), and not compressed, which took a tenth of Redis' time under full load.
 */
static const char *const arguments[] = {
	"redis-server",
	"--port",
	"0",
	"--unixsocket",
	"redis.sock",
	"--unixsocketperm",
	"700",
	"--appendonly",
	"yes",
	"--appendfsync",
	"everysec",
	"--save",
	"",
	"--maxmemory-policy",
	"noeviction",
	"--hash-max-ziplist-entries",
	"512",
	"--auto-aof-rewrite-min-size",
	"256mb",
	"--rdbcompression",
	"no",
	"--daemonize",
	"no",
	"--dir",
	".",
	"--logfile",
	"redis.log",
	NULL,
};

/* The program's path in PATH, or NULL. */
static char *
find_program(const char *name)
{
	const char *at = getenv("PATH");
	char path[4096];
	for (at = at ? at : "/usr/bin:/bin"; *at;) {
		int len = (int)strcspn(at, ":");
		snprintf(path, sizeof(path), "%.*s/%s", len, at, name);
		if (len && access(path, X_OK) == 0)
			return xstrdup(path);
		at += len;
		at += *at == ':';
	}
	return NULL;
}

static char *
joined(const char *head, const char *tail)
{
	size_t size = strlen(head) + strlen(tail) + 1;
	char *text = xmalloc(size);
	snprintf(text, size, "%s%s", head, tail);
	return text;
}

static bool
make_directory(const char *path, char *error, size_t error_size)
{
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return true;
	snprintf(error, error_size, "cannot make the directory %s: %s", path, strerror(errno));
	return false;
}

static bool
prepare(struct redis_server *server, const char *state_dir, char *error, size_t error_size)
{
	const size_t longest = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;
	size_t len = strlen(server->target) - strlen("unix:");
	if (!server->program) {
		snprintf(error, error_size,
			 "redis = private needs redis-server, which is not in PATH (Debian: apt "
			 "install redis-server)");
		return false;
	}
	if (len > longest) {
		snprintf(error, error_size,
			 "state_dir is too long: %s/redis.sock has %zu bytes, a unix socket's path "
			 "at most %zu",
			 server->dir, len, longest);
		return false;
	}
	return make_directory(state_dir, error, error_size) &&
	       make_directory(server->dir, error, error_size);
}

struct redis_server *
redis_server_new(const char *state_dir, char *error, size_t error_size)
{
	struct redis_server *server = xcalloc(1, sizeof(*server));
	server->program = find_program("redis-server");
	server->dir = joined(state_dir, "/redis");
	server->backoff_ms = BACKOFF_FIRST_MS;
	char *socket_path = joined(server->dir, "/redis.sock");
	server->target = joined("unix:", socket_path);
	free(socket_path);
	if (prepare(server, state_dir, error, error_size))
		return server;
	redis_server_free(server);
	return NULL;
}

void
redis_server_free(struct redis_server *server)
{
	if (!server)
		return;
	free(server->program);
	free(server->dir);
	free(server->target);
	free(server);
}

/* --- the child, between fork and exec: only what is safe after a fork of a threaded process --- */

static void
reset_signals(void)
{
	const struct sigaction standard = {.sa_handler = SIG_DFL};
	sigset_t none;
	for (int number = 1; number < NSIG; number++)
		sigaction(number, &standard, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Where sessions are scheduled as groups a program's niceness counts only within its own: sched(7), "autogroup". */
static void
step_back(void)
{
	static const char group[] = {'0' + REDIS_SERVER_NICE};
	(void)!nice(REDIS_SERVER_NICE);
	int fd = open("/proc/self/autogroup", O_WRONLY);
	if (fd < 0)
		return;
	(void)!write(fd, group, sizeof(group));
	close(fd);
}

static void __attribute__((noreturn))
become_redis(const struct redis_server *server, int lock, pid_t parent)
{
	/* A parent that died before prctl sends no signal any more. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(127);
	setsid();
	step_back();
	reset_signals();
	int null = open("/dev/null", O_RDWR);
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0 ||
	    chdir(server->dir) < 0)
		_exit(127);
	close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	fcntl(lock, F_SETFD, 0);
	execv(server->program, (char *const *)(uintptr_t)arguments);
	_exit(127);
}

/* --- the parent --- */

/* Each failure doubles the time until the next start. */
static void
back_off(struct redis_server *server)
{
	server->next_ms = clock_mono_ms() + server->backoff_ms;
	server->backoff_ms =
		server->backoff_ms * 2 < BACKOFF_MOST_MS ? server->backoff_ms * 2 : BACKOFF_MOST_MS;
}

/* The lock's descriptor, or -1. It is nobody's but ours until the child has it too. */
static int
take_lock(struct redis_server *server)
{
	char *path = joined(server->dir, "/lock");
	int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	int failed = lock < 0 || flock(lock, LOCK_EX | LOCK_NB) < 0 ? errno : 0;
	if (failed && lock >= 0)
		close(lock);
	if (failed && !server->waiting)
		log_warn("redis_waits lock=%s reason=\"%s\"", path,
			 failed == EWOULDBLOCK ? "another redis-server still runs here"
					       : strerror(failed));
	server->waiting = failed != 0;
	free(path);
	return failed ? -1 : lock;
}

static void
start(struct redis_server *server)
{
	int lock = take_lock(server);
	if (lock < 0)
		return;
	pid_t parent = getpid();
	pid_t pid = aof_mend(server->dir) < 0 ? -1 : fork();
	if (pid == 0)
		become_redis(server, lock, parent);
	int failed = errno;
	/* The child's copy keeps the lock. */
	close(lock);
	if (pid < 0) {
		log_error("redis_start_failed reason=\"%s\"", strerror(failed));
		back_off(server);
		return;
	}
	server->started_ms = clock_mono_ms();
	server->pid = pid;
	server->starts++;
	log_info("redis_started pid=%d starts=%" PRIu64, (int)pid, server->starts);
}

static void
ended(struct redis_server *server, int status)
{
	int64_t lived = clock_mono_ms() - server->started_ms;
	log_warn("redis_ended pid=%d %s=%d lived_ms=%" PRId64 " log=%s/redis.log", (int)server->pid,
		 WIFSIGNALED(status) ? "signal" : "exit",
		 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status), lived, server->dir);
	server->pid = 0;
	back_off(server);
	if (lived >= STABLE_MS)
		server->backoff_ms = BACKOFF_FIRST_MS;
}

void
redis_server_tend(struct redis_server *server)
{
	int status;
	if (server->pid > 0) {
		pid_t got = waitpid(server->pid, &status, WNOHANG);
		if (got == 0)
			return;
		ended(server, got > 0 ? status : 0);
	}
	if (clock_mono_ms() >= server->next_ms)
		start(server);
}

/* Whether the process ends within timeout_ms. */
static bool
await_end(pid_t pid, int timeout_ms)
{
	int fd = pidfd_open(pid, 0);
	if (fd < 0)
		return false;
	int64_t deadline = clock_mono_ms() + timeout_ms;
	struct pollfd end = {.fd = fd, .events = POLLIN};
	int ready = -1;
	do {
		int64_t left = deadline - clock_mono_ms();
		ready = poll(&end, 1, left > 0 ? (int)left : 0);
	} while (ready < 0 && errno == EINTR);
	close(fd);
	return ready > 0;
}

void
redis_server_stop(struct redis_server *server, int timeout_ms)
{
	int status;
	if (server->pid <= 0)
		return;
	kill(server->pid, SIGTERM);
	if (!await_end(server->pid, timeout_ms)) {
		log_warn("redis_killed pid=%d waited_ms=%d", (int)server->pid, timeout_ms);
		kill(server->pid, SIGKILL);
	}
	while (waitpid(server->pid, &status, 0) < 0 && errno == EINTR)
		continue;
	server->pid = 0;
}

const char *
redis_server_target(const struct redis_server *server)
{
	return server->target;
}

uint64_t
redis_server_restarts(const struct redis_server *server)
{
	return server->starts ? server->starts - 1 : 0;
}
