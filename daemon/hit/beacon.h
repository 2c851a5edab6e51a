/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a request says, decoded but not judged (pure): the parameters of the query and of a POST's body. The first
 * of a repeated key counts, the query's before the body's, but p may be repeated; unknown keys are ignored.
 */
#ifndef HIT_BEACON_H
#define HIT_BEACON_H

#include "base/base.h"
#include "base/conf.h"
#include "base/http.h"

enum { BEACON_TEXT_MAX = HTTP_LINE_MAX + HTTP_BODY_MAX, BEACON_PAGES_MAX = 50 };

/* Slices point into text; absent ones are {NULL, 0}. */
struct beacon {
	struct slice site;                    /* s, or site as the script's tag names it */
	struct slice url;                     /* u: page URL or path */
	struct slice referrer;                /* r: where the visitor came from */
	struct slice width;                   /* w: of the screen */
	struct slice tongue;                  /* l: language of the browser */
	struct slice automated;               /* a: "1" when the browser is driven by a program */
	struct slice scope;                   /* scope: "page" counts the page but not the site */
	struct slice metric;                  /* metric: of the rows */
	struct slice nonce;                   /* n */
	struct slice rows;                    /* rows: names separated by commas */
	struct slice lang;                    /* lang */
	struct slice title;                   /* title: "0" or "1" */
	struct slice style;                   /* style: of a drawn counter */
	struct slice color;                   /* color: of its accent */
	struct slice drawn_width;             /* width: of it */
	struct slice quiet;                   /* q */
	struct slice pages[BEACON_PAGES_MAX]; /* p: whose numbers are asked for */
	size_t page_count;
	size_t text_len;
	char text[BEACON_TEXT_MAX];
};

/* 0, -400 (bad escape, control character or UTF-8 in a known value, too many of p), or -415 (type of a non-empty POST body). */
int beacon_read(struct beacon *beacon, const struct http_request *request) MUST_CHECK;

/*
 * The site that the request speaks of: by key, else by the host of Origin ("null" counts as absent), else of
 * Referer, else of url. NULL: unknown.
 */
const struct conf_site *beacon_site(const struct beacon *beacon, const struct http_request *request,
				    const struct conf *conf);

/*
 * The page it speaks of, normalised (hit/page.h) into out: from url, else from the Referer. Returns its length, 0
 * when no page is known (a Referer that is only another origin, a URL that cannot be a page).
 */
size_t beacon_page(const struct beacon *beacon, const struct http_request *request,
		   const struct conf_site *site, char out[]);

/* The host of an absolute URL or of an Origin, without port; absent when it has none. */
struct slice url_host(struct slice url);

#endif
