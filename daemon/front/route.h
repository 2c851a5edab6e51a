/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a loop serves: a table of routes, and what happens around them in every pass. The public service is in
 * front/public.h, the operators' in admin/admin.h.
 */
#ifndef FRONT_ROUTE_H
#define FRONT_ROUTE_H

#include <sys/socket.h>

#include "base/http.h"
#include "front/answer.h"
#include "hit/hit.h"
#include "show/counts.h"

struct connection;
struct site_slot;

/* A request whose answer is due at the end of the pass, after the pass's hits are in the journal. */
struct pending {
	struct connection *connection;
	const struct route *route; /* NULL: refused before one was found */
	int status;
	enum answer_form form;
	const char *extra; /* more header lines, or NULL */
	bool gzip;         /* of a file: the client takes it compressed */
	bool head_only;
	bool last;   /* the connection closes after this answer */
	int wait_ms; /* for how long the answer may wait for what it lacks */

	void *own; /* the service's, until it is told to release it; NULL: nothing */

	/* Of routes that count or show counts. `view` is set only where `site` is. */
	struct site_slot *site;
	bool counted;           /* a record of it is in the pass's buffer */
	bool page_only;         /* and counts its page alone */
	bool numbers;           /* the answer shows numbers of pages */
	bool plain;             /* nothing but the site's own rows, language and metric is wished */
	uint64_t nonce, repeat; /* claimed for it */
	struct page_key key;    /* of the view's page, where there is one */
	struct counts_view view;
	char page[HIT_PAGE_MAX];
};

/* It was copied from `from`: its slices into itself follow. */
static inline void
pending_moved(struct pending *pending, const struct pending *from)
{
	if (pending->site && pending->view.page.ptr == from->page)
		pending->view.page.ptr = pending->page;
}

struct call {
	const struct http_request *request;
	const struct sockaddr *peer;
};

#define ROUTE_METHOD(name) (1u << HTTP_##name)

/* Both functions get the service's context. */
struct route {
	struct slice path;
	unsigned methods;
	const char *allow; /* the Allow line for the others, with its CRLF */
	bool large;        /* the answer: one per connection and pass */
	bool always;       /* the body is its own whatever the status */
	enum answer_form form;
	/* Decides the status; notes in `pending` what the answer needs, for nothing of the call outlives it. */
	int (*handle)(void *context, const struct call *call, struct pending *pending);
	/* Fills in the body of a 200 and the extra lines of a 200 or 304; may be NULL. */
	void (*render)(void *context, const struct pending *pending, struct answer *answer);
};

struct service {
	bool cors;
	const char *preflight; /* the lines that answer OPTIONS, where a route has it */
	/* At the start of a pass. Returns how many connections the loop may hold. */
	size_t (*begin)(void *context);
	const struct route *(*find)(void *context, struct slice path);
	/* Before any answer of the pass is rendered; may change a status; may be NULL. */
	void (*commit)(void *context, struct pending *pending, size_t count);
	/*
	 * Whether all is there that the answer needs; asked again for a while until it is, and then rendered with what
	 * there is. May be NULL: it always is.
	 */
	bool (*ready)(void *context, struct pending *pending);
	/* The answer was given, or never will be: frees what the request owns; may be NULL. */
	void (*release)(void *context, struct pending *pending);
};

const struct route *route_find(const struct route *routes, size_t count, struct slice path);

#endif
