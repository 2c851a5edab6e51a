/* SPDX-License-Identifier: BSD-2-Clause */
/* One question to a running thongked. Speaks HTTP/1.0, so that the answer ends with the connection. */
#include "cli/http_get.h"

#include <errno.h>
#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* The kernel then gives every connect, send and receive that long. */
static int
open_socket(int family)
{
	const struct timeval wait = {HTTP_GET_MS / 1000, HTTP_GET_MS % 1000 * 1000};
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) != 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Takes the socket over when that fails. */
static int
connected(int fd, const struct sockaddr *address, socklen_t len)
{
	if (fd < 0 || connect(fd, address, len) == 0)
		return fd;
	int saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static int
connect_unix(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	if (len >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, len);
	return connected(open_socket(AF_UNIX), (const struct sockaddr *)&address, sizeof(address));
}

static int
connect_tcp(const struct conf_listen *where)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	int fd = -1;
	if (getaddrinfo(*where->host ? where->host : NULL, where->port, &hints, &found) != 0) {
		errno = EADDRNOTAVAIL;
		return -1;
	}
	for (const struct addrinfo *at = found; at && fd < 0; at = at->ai_next)
		fd = connected(open_socket(at->ai_family), at->ai_addr, at->ai_addrlen);
	int saved = errno;
	freeaddrinfo(found);
	errno = saved;
	return fd;
}

static bool
send_all(int fd, struct slice bytes)
{
	while (bytes.len > 0) {
		ssize_t sent = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
		if (sent < 0 && errno != EINTR)
			return false;
		if (sent > 0)
			bytes = (struct slice){bytes.ptr + sent, bytes.len - (size_t)sent};
	}
	return true;
}

/* Until the other side closes. */
static bool
receive_all(int fd, struct buf *out)
{
	enum { CHUNK = 16 * 1024 };
	for (;;) {
		ssize_t got = recv(fd, buf_reserve(out, CHUNK), CHUNK, 0);
		if (got == 0)
			return true;
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return false;
		out->len += (size_t)got;
		if (out->len > HTTP_GET_MAX) {
			errno = EMSGSIZE;
			return false;
		}
	}
}

/* NUL-terminated: "HTTP/1.1 200 OK", fields, an empty line, the body; -1: it is something else. */
static int
take_answer(struct slice answer, struct buf *body)
{
	int status;
	const char *end = memmem(answer.ptr, answer.len, "\r\n\r\n", 4);
	if (!end || sscanf(answer.ptr, "HTTP/1.%*1[01] %3d ", &status) != 1)
		return -1;
	end += 4;
	buf_add(body, end, answer.len - (size_t)(end - answer.ptr));
	return status;
}

static int
ask(int fd, const struct conf_listen *where, const char *path, struct buf *body, char *error,
    size_t error_size)
{
	struct buf request = {0}, answer = {0};
	int status = -1;
	buf_addf(&request, "%sGET %s HTTP/1.0\r\n\r\n", where->proxy ? "PROXY UNKNOWN\r\n" : "",
		 path);
	if (!send_all(fd, buf_slice(&request)) || !receive_all(fd, &answer))
		snprintf(error, error_size, "%s does not answer: %s", where->text, strerror(errno));
	else {
		buf_add(&answer, "", 1);
		struct slice text = {answer.data, answer.len - 1};
		status = take_answer(text, body);
		if (status < 0)
			snprintf(error, error_size, "what answers on %s is no thongked",
				 where->text);
	}
	buf_release(&request);
	buf_release(&answer);
	return status;
}

int
http_get(const struct conf_listen *where, const char *path, struct buf *body, char *error,
	 size_t error_size)
{
	int fd = where->path ? connect_unix(where->path) : connect_tcp(where);
	if (fd < 0) {
		snprintf(error, error_size, "nothing answers on %s: %s", where->text,
			 strerror(errno));
		return -1;
	}
	int status = ask(fd, where, path, body, error, error_size);
	close(fd);
	return status;
}
