/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One synchronous connection over hiredis. A hiredis context is dead after any error, so it is freed at once; and it
 * is always made anew, because redisReconnect forgets the read timeout (hiredis 0.14).
 */
#include "store/link.h"

#include <errno.h>
#include <stdarg.h>

#include "store/target.h"

enum {
	FLUSH_BYTES =
		32 *
		1024, /* queued commands beyond this leave at once: Redis starts while we write on */
	ERROR_SIZE = 256,
};

struct link {
	struct target target;
	int timeout_ms;
	redisContext *redis;
	uint64_t generation;
	size_t queued; /* bytes */
	struct command command;
	struct store_stats stats;
	char error[ERROR_SIZE];
};

struct link *
link_new(const struct store_options *options, char *error, size_t error_size)
{
	struct link *link = xcalloc(1, sizeof(*link));
	link->timeout_ms = options->timeout_ms;
	if (target_init(&link->target, options->target, options->password_file, error, error_size))
		return link;
	free(link);
	return NULL;
}

void
link_free(struct link *link)
{
	if (!link)
		return;
	link_drop(link);
	target_release(&link->target);
	command_release(&link->command);
	free(link);
}

void
link_drop(struct link *link)
{
	if (link->redis)
		redisFree(link->redis);
	link->redis = NULL;
	link->queued = 0;
}

bool
link_connected(const struct link *link)
{
	return link->redis != NULL;
}

uint64_t
link_generation(const struct link *link)
{
	return link->generation;
}

const char *
link_error(const struct link *link)
{
	return link->error;
}

struct store_stats
link_stats(const struct link *link)
{
	return link->stats;
}

int
link_fail(struct link *link, int status, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(link->error, sizeof(link->error), format, args);
	va_end(args);
	if (status == STORE_UNAVAILABLE)
		link_drop(link);
	return status;
}

/* What the context says has gone wrong; a timeout is EAGAIN in its words. */
static int
broken(struct link *link)
{
	link->stats.errors++;
	if (link->redis->err == REDIS_ERR_IO && (errno == EAGAIN || errno == ETIMEDOUT))
		return link_fail(link, STORE_UNAVAILABLE, "Redis did not answer within %d ms",
				 link->timeout_ms);
	return link_fail(link, STORE_UNAVAILABLE, "the connection to Redis broke: %s",
			 link->redis->errstr);
}

/* Why it ended, where that is known, says more. */
static int
not_connected(struct link *link)
{
	if (*link->error)
		return STORE_UNAVAILABLE;
	return link_fail(link, STORE_UNAVAILABLE, "Redis is not connected");
}

/* base/clock's milliseconds are too coarse for waits of 100 us. */
static uint64_t
mono_us(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static void
note_wait(struct link *link, uint64_t us)
{
	static const uint64_t bounds[STORE_WAIT_BOUNDS] = STORE_WAIT_BOUNDS_US;
	int i = 0;
	while (i < STORE_WAIT_BOUNDS && us > bounds[i])
		i++;
	link->stats.waits[i]++;
	link->stats.wait_us += us;
}

static int
flush(struct link *link)
{
	uint64_t start = mono_us();
	int done = 0;
	int result = REDIS_OK;
	while (!done && result == REDIS_OK)
		result = redisBufferWrite(link->redis, &done);
	link->stats.wait_us += mono_us() - start;
	link->queued = 0;
	return result == REDIS_OK ? STORE_OK : broken(link);
}

static void
queue(struct link *link, const char *bytes, size_t len)
{
	/* A failure stays in redis->err. */
	if (redisAppendFormattedCommand(link->redis, bytes, len) == REDIS_OK)
		link->queued += len;
}

int
link_send_parts(struct link *link, const struct command *const *parts, size_t count)
{
	char head[32];
	size_t args = 0;
	if (!link->redis)
		return not_connected(link);
	for (size_t i = 0; i < count; i++)
		args += parts[i]->args;
	queue(link, head, (size_t)snprintf(head, sizeof(head), "*%zu\r\n", args));
	for (size_t i = 0; i < count; i++)
		if (parts[i]->text.len)
			queue(link, parts[i]->text.data, parts[i]->text.len);
	link->stats.calls++;
	if (link->redis->err)
		return broken(link);
	return link->queued > FLUSH_BYTES ? flush(link) : STORE_OK;
}

int
link_send(struct link *link, const struct command *command)
{
	return link_send_parts(link, &command, 1);
}

int
link_receive(struct link *link, redisReply **reply)
{
	void *got = NULL;
	*reply = NULL;
	if (!link->redis)
		return not_connected(link);
	uint64_t start = mono_us();
	errno = 0;
	int result = redisGetReply(link->redis, &got);
	int saved = errno;
	note_wait(link, mono_us() - start);
	link->queued = 0;
	errno = saved;
	if (result != REDIS_OK || !got)
		return broken(link);
	*reply = got;
	if ((*reply)->type != REDIS_REPLY_ERROR)
		return STORE_OK;
	link->stats.errors++;
	return link_fail(link, STORE_REFUSED, "%s", (*reply)->str);
}

int
link_ask(struct link *link, const struct command *command, redisReply **reply)
{
	*reply = NULL;
	int status = link_send(link, command);
	return status == STORE_OK ? link_receive(link, reply) : status;
}

/* One command whose answer matters only when it is an error. */
static int
ask_plainly(struct link *link)
{
	redisReply *reply;
	int status = link_ask(link, &link->command, &reply);
	freeReplyObject(reply);
	return status;
}

static int
authenticate(struct link *link)
{
	const struct target *target = &link->target;
	if (!target->password)
		return STORE_OK;
	command_start(&link->command, "AUTH");
	if (target->user)
		command_add(&link->command, slice_of(target->user));
	command_add(&link->command, slice_of(target->password));
	int status = ask_plainly(link);
	explicit_bzero(link->command.text.data, link->command.text.len);
	return status;
}

static int
select_db(struct link *link)
{
	if (link->target.db == 0)
		return STORE_OK;
	command_start(&link->command, "SELECT");
	command_add_int(&link->command, link->target.db);
	return ask_plainly(link);
}

static int
open_socket(struct link *link)
{
	const struct target *target = &link->target;
	const struct timeval timeout = {link->timeout_ms / 1000, link->timeout_ms % 1000 * 1000};
	link->redis = target->path ? redisConnectUnixWithTimeout(target->path, timeout)
				   : redisConnectWithTimeout(target->host, target->port, timeout);
	if (!link->redis)
		return link_fail(link, STORE_UNAVAILABLE, "no memory for a connection to Redis");
	if (link->redis->err == 0 && redisSetTimeout(link->redis, timeout) == REDIS_OK) {
		link->generation++;
		return STORE_OK;
	}
	link->stats.errors++;
	if (target->path)
		return link_fail(link, STORE_UNAVAILABLE, "cannot connect to Redis on %s: %s",
				 target->path, link->redis->errstr);
	return link_fail(link, STORE_UNAVAILABLE, "cannot connect to Redis on %s port %d: %s",
			 target->host, target->port, link->redis->errstr);
}

int
link_connect(struct link *link)
{
	link_drop(link);
	int status = open_socket(link);
	if (status == STORE_OK)
		status = authenticate(link);
	if (status == STORE_OK)
		status = select_db(link);
	if (status != STORE_OK)
		link_drop(link);
	return status;
}

struct slice
reply_text(const redisReply *reply)
{
	if (!reply || (reply->type != REDIS_REPLY_STRING && reply->type != REDIS_REPLY_STATUS))
		return (struct slice){0};
	return (struct slice){reply->str, reply->len};
}

int64_t
reply_signed(const redisReply *reply)
{
	if (reply && reply->type == REDIS_REPLY_INTEGER)
		return reply->integer;
	struct slice text = reply_text(reply);
	char digits[BUF_INT_MAX + 1], *end;
	if (text.len == 0 || text.len >= sizeof(digits))
		return 0;
	memcpy(digits, text.ptr, text.len);
	digits[text.len] = '\0';
	long long value = strtoll(digits, &end, 10);
	return *end ? 0 : value;
}

int64_t
reply_count(const redisReply *reply, int64_t missing)
{
	if (reply && reply->type == REDIS_REPLY_NIL)
		return missing;
	if (reply && reply->type == REDIS_REPLY_INTEGER)
		return reply->integer;
	struct slice text = reply_text(reply);
	int64_t value = 0;
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9' || value > (INT64_MAX - 9) / 10)
			return -1;
		value = value * 10 + (text.ptr[i] - '0');
	}
	return text.len ? value : -1;
}
