/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A real redis-server for one test program, on a unix socket in a temporary directory, stopped by its pid; and plain
 * hiredis questions to it, which know nothing of the code under test.
 */
#ifndef TESTS_REDIS_HERE_H
#define TESTS_REDIS_HERE_H

#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <hiredis.h>

#include "base/base.h"
#include "base/clock.h"

struct redis_here {
	char dir[32];
	char path[64];
	char target[80];
	pid_t pid;
	redisContext *plain;
};

enum { PATIENCE_MS = 10000 };

/* Between two looks at something that another process does. */
static inline void
pause_briefly(void)
{
	(void)poll(NULL, 0, 2);
}

static inline redisContext *
plain_connect(const char *path, int64_t patience_ms)
{
	int64_t deadline = clock_mono_ms() + patience_ms;
	for (;;) {
		redisContext *context = redisConnectUnix(path);
		redisReply *reply = context && !context->err ? redisCommand(context, "PING") : NULL;
		bool good = reply && reply->type == REDIS_REPLY_STATUS;
		freeReplyObject(reply);
		if (good && redisSetTimeout(context, (struct timeval){PATIENCE_MS / 1000, 0}) == 0)
			return context;
		if (context)
			redisFree(context);
		if (clock_mono_ms() >= deadline)
			return NULL;
		pause_briefly();
	}
}

static inline int
redis_here_start(void **state)
{
	struct redis_here *here = calloc(1, sizeof(*here));
	snprintf(here->dir, sizeof(here->dir), "/tmp/thongke-XXXXXX");
	if (!mkdtemp(here->dir))
		return -1;
	snprintf(here->path, sizeof(here->path), "%s/redis.sock", here->dir);
	snprintf(here->target, sizeof(here->target), "unix:%s", here->path);
	signal(SIGPIPE, SIG_IGN);
	here->pid = fork();
	if (here->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", here->path,
		       "--save", "", "--appendonly", "no", "--dir", here->dir, "--logfile",
		       "/dev/null", (char *)NULL);
		_exit(127);
	}
	here->plain = plain_connect(here->path, PATIENCE_MS);
	*state = here;
	return here->plain ? 0 : -1;
}

/* For nftw: a tree goes, leaves first. */
static inline int
remove_cb(const char *path, const struct stat *status, int flag, struct FTW *walk)
{
	(void)status, (void)flag, (void)walk;
	return remove(path);
}

static inline int
redis_here_stop(void **state)
{
	struct redis_here *here = *state;
	if (here->plain)
		redisFree(here->plain);
	kill(here->pid, SIGKILL);
	waitpid(here->pid, NULL, 0);
	nftw(here->dir, remove_cb, 8, FTW_DEPTH | FTW_PHYS);
	free(here);
	return 0;
}

/* One command in words; the answer as text in `out`: numbers as digits, nil as "nil", lists joined by blanks. */
static inline const char *
reply_words(const redisReply *reply, char *out, size_t room)
{
	if (!reply)
		snprintf(out, room, "no reply");
	else if (reply->type == REDIS_REPLY_NIL)
		snprintf(out, room, "nil");
	else if (reply->type == REDIS_REPLY_INTEGER)
		snprintf(out, room, "%lld", reply->integer);
	else if (reply->type != REDIS_REPLY_ARRAY)
		snprintf(out, room, "%.*s", (int)reply->len, reply->str);
	else
		*out = '\0';
	for (size_t i = 0; reply && reply->type == REDIS_REPLY_ARRAY && i < reply->elements; i++) {
		size_t len = strlen(out);
		if (i && len + 1 < room)
			out[len++] = ' ';
		reply_words(reply->element[i], out + len, room - len);
	}
	return out;
}

struct words {
	char text[4096];
};

static inline struct words
ask(struct redis_here *here, const char *format, ...)
{
	struct words words;
	va_list args;
	va_start(args, format);
	redisReply *reply = redisvCommand(here->plain, format, args);
	va_end(args);
	reply_words(reply, words.text, sizeof(words.text));
	freeReplyObject(reply);
	return words;
}

/* Whatever the last test left behind: a clean server for the next one. */
static inline int
redis_here_empty(void **state)
{
	struct redis_here *here = *state;
	kill(here->pid, SIGCONT);
	(void)ask(here, "ACL SETUSER default +@all");
	(void)ask(here, "CONFIG SET maxmemory 0 maxmemory-policy noeviction appendonly no");
	(void)ask(here, "REPLICAOF NO ONE");
	return strcmp(ask(here, "FLUSHALL").text, "OK");
}

#define assert_answer(here, expected, ...)                       \
	do {                                                     \
		struct words answer_ = ask((here), __VA_ARGS__); \
		assert_string_equal(answer_.text, (expected));   \
	} while (0)

#endif
