/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What to paste where, in one table (pure). Texts hold names in braces for what differs between sites:
 *
 *   {at}      where a browser finds thongked, with a slash at the end: "/thongke/" or "https://stats.example.org/"
 *   {path}    the same where a server looks for it, which is always below the site
 *   {key}     the site's key              {title}   the counter's title in the site's language
 *   {server}  thongked as a program on the same machine reaches it: "http://127.0.0.1:8080/"
 *   {source}  {at} as a content security policy names it: 'self', or an origin
 *   {full}    the attribute that makes a browser say the whole address of the page, needed across origins only
 *   {height}  of the frame, in pixels
 */
#ifndef CLI_SNIPPETS_H
#define CLI_SNIPPETS_H

#include "base/buf.h"

struct snippet {
	const char *name;
	const char *where; /* what it is for and where it goes */
	const char *paste; /* nothing but this is pasted */
	const char *csp; /* what a Content-Security-Policy of the page must allow; NULL: nothing */
};

const struct snippet *snippet_find(const char *name);
/* "script, img, ..." */
void snippet_names(struct buf *out);

struct snippet_value {
	const char *name;
	struct slice value;
};
/* `text` with every {name} of `values` replaced; a brace that begins no such name stays as it is. */
void snippet_fill(struct buf *out, const char *text, const struct snippet_value *values,
		  size_t count);

/* How front servers put thongked below {at} of the site, for where {at} is a path. */
extern const char snippet_front_servers[];

#endif
