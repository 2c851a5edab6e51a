/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who sent a request: the connection's other end, or whom a trusted proxy names (pure). The one place that decides what
 * an address in a header is worth.
 */
#ifndef HIT_CLIENT_H
#define HIT_CLIENT_H

#include "base/conf.h"
#include "base/http.h"

enum { CLIENT_ENTRIES_MAX = 32 /* of a header, from its end */ };

enum client_how {
	CLIENT_PEER,      /* the connection comes from no trusted proxy: it is the client itself */
	CLIENT_FORWARDED, /* named in the header of a trusted proxy */
	CLIENT_LOST,      /* a trusted proxy that named no address; never limited */
};

struct client {
	union address address; /* when lost the proxy's own; AF_UNSPEC: a unix socket's */
	enum client_how how;
};

/*
 * From the end of the header that conf->forwarded names, which may be several lines, trusted addresses are skipped; the first other one is the
 * client, or the leftmost when all are trusted. An entry that is no address ends the walk at the one behind it. So
 * nothing that a client writes into the header itself is believed. `peer` may be NULL: a unix socket.
 */
void client_find(struct client *out, const struct conf *conf, const struct sockaddr *peer,
		 const struct http_request *request);

#endif
