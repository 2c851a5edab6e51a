/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * load: a closed-loop HTTP/1.1 load generator for benchmarks on one machine. Every connection has one request in
 * flight; the requests of a file (length u32 little-endian, bytes, ...) are sent in turn. Talks to 127.0.0.1 alone and
 * stops by itself. Prints one JSON object.
 *
 *   load PORT FILE CONNECTIONS SECONDS WARMUP_SECONDS keepalive|close
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	ANSWER_MAX = 16 * 1024,
	EVENTS_MAX = 256,
	LOAD_SECONDS_MAX = 60,
	CONNECTIONS_MAX = 20000,
	/* The histogram: 32 steps to each doubling of nanoseconds. */
	STEPS = 32,
	DOUBLINGS = 40,
};

struct request {
	const char *bytes;
	uint32_t len;
};

struct connection {
	int fd;
	bool connecting;
	uint64_t sent_ns;
	const struct request *request;
	size_t sent;
	size_t got;
	char answer[ANSWER_MAX];
};

struct load {
	struct sockaddr_in address;
	bool close_each;
	int epoll;
	struct request *requests;
	size_t request_count, next_request;
	bool measuring;
	uint64_t answered; /* 2xx, warm-up included */
	uint64_t measured; /* 2xx, after it */
	uint64_t refused;  /* any other status */
	uint64_t broken;   /* connections that ended without an answer */
	uint64_t histogram[STEPS * DOUBLINGS];
};

static void
fail(const char *what)
{
	perror(what);
	exit(2);
}

static uint64_t
now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* --- the histogram --- */

static size_t
step_of(uint64_t ns)
{
	if (ns < STEPS)
		return ns;
	int doubling = 63 - __builtin_clzll(ns) - 5;
	size_t step = (size_t)(doubling + 1) * STEPS + ((ns >> doubling) & (STEPS - 1));
	return step < STEPS * DOUBLINGS ? step : STEPS * DOUBLINGS - 1;
}

static double
quantile_us(const struct load *load, double share)
{
	uint64_t wanted = (uint64_t)(share * (double)load->measured), seen = 0;
	for (size_t i = 0; i < STEPS * DOUBLINGS; i++) {
		seen += load->histogram[i];
		if (seen > wanted && i < STEPS)
			return (double)i / 1e3;
		if (seen > wanted)
			return (double)((STEPS + i % STEPS) << (i / STEPS - 1)) / 1e3;
	}
	return 0;
}

/* --- connections --- */

static void
watch(const struct load *load, struct connection *c, int operation, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = c};
	if (epoll_ctl(load->epoll, operation, c->fd, &event) != 0)
		fail("epoll_ctl");
}

static void
send_rest(const struct load *load, struct connection *c)
{
	while (c->sent < c->request->len) {
		ssize_t n = send(c->fd, c->request->bytes + c->sent, c->request->len - c->sent,
				 MSG_NOSIGNAL);
		if (n < 0 && errno == EAGAIN)
			watch(load, c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
		if (n < 0)
			return; /* any other error is seen by the next read */
		c->sent += (size_t)n;
	}
}

static void
send_next(struct load *load, struct connection *c)
{
	c->request = &load->requests[load->next_request];
	load->next_request = (load->next_request + 1) % load->request_count;
	c->sent = c->got = 0;
	if (!load->close_each || c->sent_ns == 0)
		c->sent_ns = now_ns();
	if (!c->connecting)
		send_rest(load, c);
}

static void
open_connection(struct load *load, struct connection *c)
{
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		fail("socket");
	int one = 1;
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	c->sent_ns = now_ns(); /* connecting is part of the latency */
	int result = connect(c->fd, (struct sockaddr *)&load->address, sizeof(load->address));
	if (result != 0 && errno != EINPROGRESS)
		fail("connect");
	c->connecting = result != 0;
	watch(load, c, EPOLL_CTL_ADD, c->connecting ? EPOLLIN | EPOLLOUT : EPOLLIN);
	send_next(load, c);
}

static void
reopen(struct load *load, struct connection *c)
{
	close(c->fd);
	open_connection(load, c);
}

/* The length of the whole answer, 0 when its head is not complete yet. */
static size_t
answer_length(const struct connection *c, int *status)
{
	const char *end = memmem(c->answer, c->got, "\r\n\r\n", 4);
	if (!end || c->got < 12)
		return 0;
	size_t head = (size_t)(end - c->answer) + 4;
	*status = (int)strtol(c->answer + 9, NULL, 10);
	for (const char *line = c->answer; line < end;
	     line = (const char *)memchr(line, '\n', (size_t)(end + 4 - line)) + 1)
		if (strncasecmp(line, "Content-Length:", 15) == 0)
			return head + strtoul(line + 15, NULL, 10);
	return head;
}

static void
answered(struct load *load, struct connection *c, int status)
{
	if (status < 200 || status > 299) {
		load->refused++;
		return;
	}
	load->answered++;
	if (!load->measuring)
		return;
	load->measured++;
	load->histogram[step_of(now_ns() - c->sent_ns)]++;
}

static void
read_answer(struct load *load, struct connection *c)
{
	ssize_t n = recv(c->fd, c->answer + c->got, sizeof(c->answer) - c->got, 0);
	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		load->broken++;
		reopen(load, c);
		return;
	}
	c->got += (size_t)n;
	int status = 0;
	size_t length = answer_length(c, &status);
	if (length == 0 || c->got < length)
		return;
	answered(load, c, status);
	if (load->close_each)
		reopen(load, c);
	else
		send_next(load, c);
}

static void
handle(struct load *load, const struct epoll_event *event)
{
	struct connection *c = event->data.ptr;
	if (event->events & EPOLLOUT) {
		c->connecting = false;
		watch(load, c, EPOLL_CTL_MOD, EPOLLIN);
		send_rest(load, c);
	}
	if (event->events & (EPOLLIN | EPOLLERR | EPOLLHUP))
		read_answer(load, c);
}

/* --- set-up --- */

static void
read_requests(struct load *load, const char *path)
{
	FILE *file = fopen(path, "rb");
	uint32_t len;
	if (!file)
		fail(path);
	while (fread(&len, sizeof(len), 1, file) == 1) {
		load->requests = realloc(load->requests,
					 (load->request_count + 1) * sizeof(*load->requests));
		char *bytes = malloc(len);
		if (!load->requests || !bytes || fread(bytes, 1, len, file) != len)
			fail(path);
		load->requests[load->request_count++] = (struct request){bytes, len};
	}
	fclose(file);
	if (load->request_count == 0)
		fail(path);
}

static double
run(struct load *load, double seconds, double warmup)
{
	struct epoll_event events[EVENTS_MAX];
	uint64_t begin = now_ns(), measured_from = begin + (uint64_t)(warmup * 1e9);
	uint64_t end = measured_from + (uint64_t)(seconds * 1e9), now;
	while ((now = now_ns()) < end) {
		load->measuring = now >= measured_from;
		int count = epoll_wait(load->epoll, events, EVENTS_MAX, 10);
		for (int i = 0; i < count; i++)
			handle(load, &events[i]);
	}
	return (double)(now - measured_from) / 1e9;
}

int
main(int argc, char **argv)
{
	struct load load = {.epoll = epoll_create1(EPOLL_CLOEXEC)};
	int count = argc == 7 ? (int)strtol(argv[3], NULL, 10) : 0;
	double seconds = argc == 7 ? strtod(argv[4], NULL) : 0;
	if (count < 1 || count > CONNECTIONS_MAX || seconds <= 0 || seconds > LOAD_SECONDS_MAX) {
		fputs("usage: load PORT FILE CONNECTIONS SECONDS WARMUP keepalive|close\n", stderr);
		return 2;
	}
	load.address.sin_family = AF_INET;
	load.address.sin_port = htons((uint16_t)strtol(argv[1], NULL, 10));
	load.address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	load.close_each = strcmp(argv[6], "close") == 0;
	read_requests(&load, argv[2]);
	struct connection *connections = calloc((size_t)count, sizeof(*connections));
	if (!connections)
		fail("memory");
	for (int i = 0; i < count; i++)
		open_connection(&load, &connections[i]);
	double elapsed = run(&load, seconds, strtod(argv[5], NULL));
	printf("{\"answered\":%" PRIu64 ",\"measured\":%" PRIu64
	       ",\"seconds\":%.4f,\"refused\":%" PRIu64 ",\"broken\":%" PRIu64
	       ",\"p50\":%.1f,\"p99\":%.1f}\n",
	       load.answered, load.measured, elapsed, load.refused, load.broken,
	       quantile_us(&load, 0.5), quantile_us(&load, 0.99));
	return 0;
}
