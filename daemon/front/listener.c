/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Binds the listening sockets: TCP over IPv4 and IPv6, and unix. Accepts nothing, and knows nothing of what is served.
 */
#include "front/listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

enum { LISTEN_BACKLOG = 4096 /* the kernel cuts it to net.core.somaxconn */ };

/* One bound address: a descriptor per loop; the same one in all places for a unix socket. */
struct bound {
	int *fds;
	char *path; /* of a unix socket, else NULL */
	bool proxy; /* a PROXY protocol header is expected */
	char name[INET6_ADDRSTRLEN + 128];
};

struct listeners {
	struct bound *bounds;
	size_t count;
	int loops;
};

/* What a failed bind means to the person who started the daemon; others are told in the system's words. */
static const struct {
	int code;
	const char *text;
} listen_failures[] = {
	{EADDRINUSE, "another program already listens there"},
	{EADDRNOTAVAIL, "this machine has no such address"},
	{EACCES, "no permission (ports below 1024 need root or CAP_NET_BIND_SERVICE)"},
	{ENOENT, "its directory does not exist"},
};

static int
listen_fail(const char *where, int code, char *error, size_t size)
{
	const char *text = NULL;
	for (size_t i = 0; i < COUNT_OF(listen_failures); i++)
		if (listen_failures[i].code == code)
			text = listen_failures[i].text;
	snprintf(error, size, "cannot listen on %s: %s", where, text ? text : strerror(code));
	return -1;
}

static struct bound *
listeners_add(struct listeners *listeners, const char *name)
{
	size_t count = listeners->count + 1;
	listeners->bounds = xrealloc(listeners->bounds, count * sizeof(*listeners->bounds));
	struct bound *bound = &listeners->bounds[listeners->count++];
	*bound = (struct bound){.fds = xcalloc((size_t)listeners->loops, sizeof(int))};
	for (int i = 0; i < listeners->loops; i++)
		bound->fds[i] = -1;
	snprintf(bound->name, sizeof(bound->name), "%s", name);
	return bound;
}

static void
listen_option(int fd, int level, int option)
{
	if (setsockopt(fd, level, option, &(int){1}, sizeof(int)) < 0)
		log_warn("socket_option_failed option=%d error=\"%s\"", option, strerror(errno));
}

/* A bound TCP socket, or -1 with errno. TCP_NODELAY is inherited by what it accepts. */
static int
tcp_bind(const struct sockaddr *address, socklen_t len, bool shared)
{
	int fd = socket(address->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	listen_option(fd, SOL_SOCKET, SO_REUSEADDR);
	if (shared)
		listen_option(fd, SOL_SOCKET, SO_REUSEPORT);
	if (address->sa_family == AF_INET6)
		listen_option(fd, IPPROTO_IPV6, IPV6_V6ONLY);
	listen_option(fd, IPPROTO_TCP, TCP_NODELAY);
	if (bind(fd, address, len) == 0)
		return fd;
	int code = errno;
	close(fd);
	errno = code;
	return -1;
}

/* SO_REUSEPORT would let a second daemon join silently, so the address is first tried without it. */
static int
tcp_probe(const struct sockaddr *address, socklen_t len)
{
	int fd = tcp_bind(address, len, false);
	int failed = fd < 0 || listen(fd, 1) < 0 ? errno : 0;
	if (fd >= 0)
		close(fd);
	return failed;
}

static void
tcp_name(struct bound *bound, const struct sockaddr *address, socklen_t len)
{
	char host[INET6_ADDRSTRLEN + 32], port[8];
	if (getnameinfo(address, len, host, sizeof(host), port, sizeof(port),
			NI_NUMERICHOST | NI_NUMERICSERV) != 0)
		return;
	const char *form = address->sa_family == AF_INET6 ? "[%s]:%s" : "%s:%s";
	snprintf(bound->name, sizeof(bound->name), form, host, port);
}

/* One socket per loop. Where port 0 was asked for, the first one's port is everyone's. */
static int
tcp_listen(struct listeners *listeners, const struct addrinfo *info, char *error, size_t size)
{
	struct sockaddr_storage address;
	socklen_t len = info->ai_addrlen;
	memcpy(&address, info->ai_addr, len);
	struct bound *bound = listeners_add(listeners, "");
	tcp_name(bound, (struct sockaddr *)&address, len);
	int failed = tcp_probe((struct sockaddr *)&address, len);
	if (failed)
		return listen_fail(bound->name, failed, error, size);
	for (int i = 0; i < listeners->loops; i++) {
		bound->fds[i] = tcp_bind((struct sockaddr *)&address, len, true);
		if (bound->fds[i] < 0 || listen(bound->fds[i], LISTEN_BACKLOG) < 0 ||
		    getsockname(bound->fds[i], (struct sockaddr *)&address, &len) < 0)
			return listen_fail(bound->name, errno, error, size);
	}
	tcp_name(bound, (struct sockaddr *)&address, len);
	return 0;
}

static int
listen_tcp(struct listeners *listeners, const struct conf_listen *listen, char *error, size_t size)
{
	bool any = !*listen->host || strcmp(listen->host, "*") == 0;
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found;
	int code = getaddrinfo(any ? NULL : listen->host, listen->port, &hints, &found);
	if (code != 0) {
		snprintf(error, size, "cannot listen on %s: %s", listen->text, gai_strerror(code));
		return -1;
	}
	int failed = 0;
	for (const struct addrinfo *info = found; info && !failed; info = info->ai_next)
		failed = tcp_listen(listeners, info, error, size);
	freeaddrinfo(found);
	return failed;
}

/* Removes a socket file that nobody serves. 0, or the errno with which its place is taken. */
static int
unix_make_room(const struct sockaddr_un *address)
{
	struct stat info;
	if (lstat(address->sun_path, &info) < 0)
		return errno == ENOENT ? 0 : errno;
	if (!S_ISSOCK(info.st_mode))
		return EEXIST;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;
	int code = connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? errno : 0;
	close(fd);
	if (code != ECONNREFUSED)
		return code == 0 ? EADDRINUSE : code;
	return unlink(address->sun_path) < 0 ? errno : 0;
}

static int
unix_bind(int fd, const struct sockaddr_un *address)
{
	int code = unix_make_room(address);
	if (code != 0)
		return code;
	struct stat info;
	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ||
	    stat(address->sun_path, &info) < 0 ||
	    chmod(address->sun_path, info.st_mode & 0666) < 0 || listen(fd, LISTEN_BACKLOG) < 0)
		return errno;
	return 0;
}

static int
listen_unix(struct listeners *listeners, const struct conf_listen *listen, char *error, size_t size)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	if (strlen(listen->path) >= sizeof(address.sun_path)) {
		snprintf(error, size, "cannot listen on %s: the path is longer than %zu bytes",
			 listen->text, sizeof(address.sun_path) - 1);
		return -1;
	}
	memcpy(address.sun_path, listen->path, strlen(listen->path));
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	int code = fd < 0 ? errno : unix_bind(fd, &address);
	if (code != 0) {
		if (fd >= 0)
			close(fd);
		return listen_fail(listen->text, code, error, size);
	}
	struct bound *bound = listeners_add(listeners, listen->text);
	bound->path = xstrdup(listen->path);
	for (int i = 0; i < listeners->loops; i++)
		bound->fds[i] = fd;
	return 0;
}

struct listeners *
listeners_new(const struct conf_listen *listens, size_t count, int loops, char *error,
	      size_t error_size)
{
	struct listeners *listeners = xcalloc(1, sizeof(*listeners));
	listeners->loops = loops;
	for (size_t i = 0; i < count; i++) {
		const struct conf_listen *listen = &listens[i];
		size_t before = listeners->count;
		int failed = listen->path ? listen_unix(listeners, listen, error, error_size)
					  : listen_tcp(listeners, listen, error, error_size);
		if (failed) {
			listeners_free(listeners);
			return NULL;
		}
		for (size_t n = before; n < listeners->count; n++)
			listeners->bounds[n].proxy = listen->proxy;
	}
	return listeners;
}

void
listeners_close_loop(struct listeners *listeners, int loop)
{
	for (size_t i = 0; i < listeners->count; i++) {
		struct bound *bound = &listeners->bounds[i];
		if (bound->path || bound->fds[loop] < 0)
			continue;
		close(bound->fds[loop]);
		bound->fds[loop] = -1;
	}
}

void
listeners_free(struct listeners *listeners)
{
	if (!listeners)
		return;
	for (int loop = 0; loop < listeners->loops; loop++)
		listeners_close_loop(listeners, loop);
	for (size_t i = 0; i < listeners->count; i++) {
		struct bound *bound = &listeners->bounds[i];
		if (bound->path) {
			close(bound->fds[0]);
			unlink(bound->path);
		}
		free(bound->path);
		free(bound->fds);
	}
	free(listeners->bounds);
	free(listeners);
}

size_t
listeners_count(const struct listeners *listeners)
{
	return listeners->count;
}

int
listeners_fd(const struct listeners *listeners, size_t i, int loop)
{
	return listeners->bounds[i].fds[loop];
}

bool
listeners_proxy(const struct listeners *listeners, size_t i)
{
	return listeners->bounds[i].proxy;
}

void
listeners_log(const struct listeners *listeners, const char *what)
{
	for (size_t i = 0; i < listeners->count; i++)
		log_info("listening for=%s address=%s%s", what, listeners->bounds[i].name,
			 listeners->bounds[i].proxy ? " proxy=yes" : "");
}
