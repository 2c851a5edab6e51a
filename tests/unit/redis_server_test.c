/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The private redis-server, with a real one: it serves, it is started again, it dies with its daemon whatever kills
 * that, and two daemons on one directory never run two. A daemon is a forked process that only tends.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "redis_here.h"
#include "store/redis_server.h"

struct place {
	char dir[64];
	char path[128];
};

static int
setup(void **state)
{
	struct place *place = calloc(1, sizeof(*place));
	snprintf(place->dir, sizeof(place->dir), "/tmp/thongke-XXXXXX");
	*state = place;
	if (!mkdtemp(place->dir))
		return -1;
	snprintf(place->path, sizeof(place->path), "%s/redis/redis.sock", place->dir);
	return 0;
}

static int
teardown(void **state)
{
	struct place *place = *state;
	nftw(place->dir, remove_cb, 8, FTW_DEPTH | FTW_PHYS);
	free(place);
	return 0;
}

/* The pid of the server that answers on the socket, or 0. */
static pid_t
serving(const struct place *place)
{
	redisContext *plain = plain_connect(place->path, 0);
	if (!plain)
		return 0;
	redisReply *reply = redisCommand(plain, "INFO server");
	const char *found = reply && reply->str ? strstr(reply->str, "process_id:") : NULL;
	pid_t pid = found ? (pid_t)strtol(found + strlen("process_id:"), NULL, 10) : 0;
	freeReplyObject(reply);
	redisFree(plain);
	return pid;
}

/* Tends (NULL: somebody else does) until another server than `old` answers. */
static pid_t
await_server(struct redis_server *server, const struct place *place, pid_t old)
{
	int64_t deadline = clock_mono_ms() + PATIENCE_MS;
	for (pid_t pid; clock_mono_ms() < deadline; pause_briefly()) {
		if (server)
			redis_server_tend(server);
		if ((pid = serving(place)) && pid != old)
			return pid;
	}
	return 0;
}

static bool
await_death(pid_t pid)
{
	int64_t deadline = clock_mono_ms() + PATIENCE_MS;
	while (kill(pid, 0) == 0 && clock_mono_ms() < deadline)
		pause_briefly();
	return kill(pid, 0) < 0 && errno == ESRCH;
}

static struct redis_server *
server_in(const char *dir)
{
	char error[256] = "";
	struct redis_server *server = redis_server_new(dir, error, sizeof(error));
	assert_string_equal(error, "");
	return server;
}

/* How many processes have this directory's redis directory as theirs. */
static int
servers_in(const struct place *place)
{
	char own[128], link[64], target[256];
	int count = 0;
	snprintf(own, sizeof(own), "%s/redis", place->dir);
	DIR *proc = opendir("/proc");
	for (struct dirent *entry; (entry = readdir(proc));) {
		snprintf(link, sizeof(link), "/proc/%.20s/cwd", entry->d_name);
		ssize_t len = readlink(link, target, sizeof(target) - 1);
		if (len > 0) {
			target[len] = '\0';
			count += strcmp(target, own) == 0;
		}
	}
	closedir(proc);
	return count;
}

static void
test_serves_and_restarts(void **state)
{
	struct place *place = *state;
	char target[160];
	struct redis_server *server = server_in(place->dir);
	snprintf(target, sizeof(target), "unix:%s", place->path);
	assert_string_equal(redis_server_target(server), target);
	pid_t pid = await_server(server, place, 0);
	assert_true(pid > 0);
	assert_int_equal(redis_server_restarts(server), 0);
	assert_int_equal(getsid(pid), pid);
	struct redis_here here = {.plain = plain_connect(place->path, PATIENCE_MS)};
	assert_answer(&here, "appendonly yes", "CONFIG GET appendonly");
	assert_answer(&here, "appendfsync everysec", "CONFIG GET appendfsync");
	assert_answer(&here, "maxmemory-policy noeviction", "CONFIG GET maxmemory-policy");
	assert_answer(&here, "save ", "CONFIG GET save");
	assert_answer(&here, "port 0", "CONFIG GET port");
	assert_answer(&here, "OK", "SET kept 1");
	redisFree(here.plain);
	assert_int_equal(kill(pid, SIGTERM), 0);
	pid_t second = await_server(server, place, pid);
	assert_true(second > 0);
	assert_int_equal(redis_server_restarts(server), 1);
	assert_int_equal(kill(second, SIGKILL), 0);
	pid_t third = await_server(server, place, second);
	assert_true(third > 0);
	here.plain = plain_connect(place->path, PATIENCE_MS);
	assert_answer(&here, "1", "GET kept");
	redisFree(here.plain);
	redis_server_stop(server, PATIENCE_MS);
	assert_true(kill(third, 0) < 0 && errno == ESRCH);
	redis_server_free(server);
}

/* A position and two counters, in one transaction of the append-only file, as a script's writes are. */
static void
count_together(struct redis_here *here, int position)
{
	assert_answer(
		here, "OK", "EVAL %s 1 h %d",
		"redis.call('HSET', KEYS[1], 'p', ARGV[1]) redis.call('HINCRBY', KEYS[1], 'n', 1) "
		"redis.call('HINCRBY', KEYS[1], 'm', 1) return {ok = 'OK'}",
		position);
}

/* The three are as many, whatever a power cut took. Returns them. */
static int
assert_together(struct redis_here *here)
{
	int position, first, second;
	struct words all = ask(here, "HMGET h p n m");
	assert_int_equal(sscanf(all.text, "%d %d %d", &position, &first, &second), 3);
	assert_int_equal(first, position);
	assert_int_equal(second, position);
	return position;
}

/* kill -9, the loss of a file's last bytes, and another start. */
static struct redis_server *
cut_power(struct redis_server *server, const struct place *place, int file, off_t lost)
{
	char path[160];
	struct stat status;
	kill(-serving(place), SIGKILL); /* and the child that rewrites: they are a session */
	redis_server_stop(server, PATIENCE_MS);
	redis_server_free(server);
	snprintf(path, sizeof(path), "%s/redis/appendonlydir/appendonly.aof.%d.incr.aof",
		 place->dir, file);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(truncate(path, status.st_size - lost), 0);
	server = server_in(place->dir);
	assert_true(await_server(server, place, 0) > 0);
	return server;
}

/*
 * Torn within a transaction, started, written to, and started again: Redis 7.0 alone would then run the torn half too. With
 * a rewrite begun in between, it would go on behind the gap that was torn into the file before.
 */
static void
tear(struct place *place, bool rewrite)
{
	static const off_t cuts[] = {1, 13, 14, 20, 57, 58, 100, 140};
	struct redis_server *server = server_in(place->dir);
	assert_true(await_server(server, place, 0) > 0);
	for (size_t i = 0; i < COUNT_OF(cuts); i++) {
		struct redis_here here = {.plain = plain_connect(place->path, PATIENCE_MS)};
		int position = i > 0 ? assert_together(&here) : 0;
		for (int n = 1; n <= 6; n++) {
			if (n == 4 && rewrite) {
				/* It does not end in this test. */
				(void)ask(&here, "CONFIG SET rdb-key-save-delay 10000000");
				(void)ask(&here, "BGREWRITEAOF");
			}
			count_together(&here, position + n);
		}
		assert_int_equal(assert_together(&here), position + 6);
		redisFree(here.plain);
		server = cut_power(server, place, rewrite ? (int)i + 1 : 1, cuts[i]);
	}
	struct redis_here here = {.plain = plain_connect(place->path, PATIENCE_MS)};
	assert_true(assert_together(&here) > 0);
	redisFree(here.plain);
	redis_server_stop(server, PATIENCE_MS);
	redis_server_free(server);
}

static void
test_torn_within_a_transaction(void **state)
{
	tear(*state, false);
}

static void
test_torn_before_a_rewrite(void **state)
{
	tear(*state, true);
}

/* One that does not react to SIGTERM is killed. */
static void
test_stop_of_a_frozen_one(void **state)
{
	struct place *place = *state;
	struct redis_server *server = server_in(place->dir);
	pid_t pid = await_server(server, place, 0);
	assert_true(pid > 0);
	assert_int_equal(kill(pid, SIGSTOP), 0);
	redis_server_stop(server, 50);
	assert_true(kill(pid, 0) < 0 && errno == ESRCH);
	redis_server_free(server);
}

static pid_t
fork_daemon(const struct place *place)
{
	pid_t pid = fork();
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	signal(SIGUSR1, SIG_IGN);
	struct redis_server *server = server_in(place->dir);
	for (;; pause_briefly())
		redis_server_tend(server);
}

/* The signals a process blocks and ignores, as /proc shows them. */
static void
signal_masks(pid_t pid, uint64_t *blocked, uint64_t *ignored)
{
	char path[64], line[256];
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	FILE *status = fopen(path, "r");
	*blocked = *ignored = UINT64_MAX;
	while (fgets(line, sizeof(line), status)) {
		if (strncmp(line, "SigBlk:", 7) == 0)
			*blocked = strtoull(line + 7, NULL, 16);
		if (strncmp(line, "SigIgn:", 7) == 0)
			*ignored = strtoull(line + 7, NULL, 16);
	}
	fclose(status);
}

static void
test_ends_with_its_daemon(void **state)
{
	struct place *place = *state;
	uint64_t blocked, ignored;
	pid_t daemon_pid = fork_daemon(place);
	pid_t pid = await_server(NULL, place, 0);
	assert_true(pid > 0);
	/* Nothing is left of what its parent blocks and ignores. (Redis itself ignores others.) */
	signal_masks(pid, &blocked, &ignored);
	assert_true(blocked == 0);
	assert_false(ignored & 1U << (SIGUSR1 - 1));
	kill(daemon_pid, SIGKILL);
	waitpid(daemon_pid, NULL, 0);
	assert_true(await_death(pid));
}

static void
test_never_two(void **state)
{
	enum { ROUNDS = 5 };
	struct place *place = *state;
	pid_t daemons[2] = {fork_daemon(place), fork_daemon(place)};
	pid_t pid = 0;
	for (int round = 0; round < ROUNDS; round++) {
		pid_t next = await_server(NULL, place, pid);
		assert_true(next > 0);
		pid = next;
		for (int look = 0; look < 20; look++, pause_briefly())
			assert_in_range(servers_in(place), 0, 1);
		if (round % 2) {
			kill(pid, SIGKILL);
		} else {
			kill(daemons[0], SIGKILL);
			waitpid(daemons[0], NULL, 0);
			/* A daemon that comes back, or the other one, serves; the server may also be the other's. */
			daemons[0] = daemons[1];
			daemons[1] = fork_daemon(place);
			pid = 0;
		}
	}
	for (int i = 0; i < 2; i++) {
		kill(daemons[i], SIGKILL);
		waitpid(daemons[i], NULL, 0);
	}
	int64_t deadline = clock_mono_ms() + PATIENCE_MS;
	while (servers_in(place) && clock_mono_ms() < deadline)
		pause_briefly();
	assert_int_equal(servers_in(place), 0);
}

/* An orphan holds the lock: a daemon waits for it, and serves when it is gone. */
static void
test_waits_for_an_orphan(void **state)
{
	struct place *place = *state;
	char path[128];
	struct redis_server *server = server_in(place->dir);
	snprintf(path, sizeof(path), "%s/redis/lock", place->dir);
	int pipes[2];
	assert_int_equal(pipe(pipes), 0);
	pid_t orphan = fork();
	if (orphan == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		int lock = open(path, O_RDWR | O_CREAT, 0600);
		char told = (char)(lock >= 0 && flock(lock, LOCK_EX) == 0);
		(void)!write(pipes[1], &told, 1);
		for (;;)
			pause();
	}
	char told = 0;
	assert_int_equal(read(pipes[0], &told, 1), 1);
	assert_int_equal(told, 1);
	for (int i = 0; i < 20; i++, pause_briefly()) {
		redis_server_tend(server);
		assert_int_equal(servers_in(place), 0);
	}
	kill(orphan, SIGKILL);
	waitpid(orphan, NULL, 0);
	assert_true(await_server(server, place, 0) > 0);
	redis_server_stop(server, PATIENCE_MS);
	redis_server_free(server);
	close(pipes[0]);
	close(pipes[1]);
}

static void
test_refusals(void **state)
{
	struct place *place = *state;
	char error[512], deep[200];
	snprintf(deep, sizeof(deep), "%s/%0*d", place->dir, 100, 0);
	assert_null(redis_server_new(deep, error, sizeof(error)));
	assert_non_null(strstr(error, "at most 107"));
	snprintf(deep, sizeof(deep), "%s/a/b", place->dir);
	assert_null(redis_server_new(deep, error, sizeof(error)));
	assert_non_null(strstr(error, "cannot make the directory"));
	char *path = strdup(getenv("PATH"));
	setenv("PATH", place->dir, 1);
	assert_null(redis_server_new(place->dir, error, sizeof(error)));
	assert_non_null(strstr(error, "redis-server"));
	setenv("PATH", path, 1);
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_serves_and_restarts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_torn_within_a_transaction, setup, teardown),
		cmocka_unit_test_setup_teardown(test_torn_before_a_rewrite, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stop_of_a_frozen_one, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ends_with_its_daemon, setup, teardown),
		cmocka_unit_test_setup_teardown(test_never_two, setup, teardown),
		cmocka_unit_test_setup_teardown(test_waits_for_an_orphan, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refusals, setup, teardown),
	};
	return cmocka_run_group_tests_name("redis_server", tests, NULL, NULL);
}
