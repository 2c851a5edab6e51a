/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `snippet`: what to paste into a page. Exactly that goes to stdout, so that it can be redirected into a file; where it
 * belongs and what it needs goes to stderr.
 */
#include "cli/cli.h"
#include "cli/snippets.h"
#include "show/assets.h"
#include "show/labels.h"

enum {
	LINE_PX = 21, /* of a line in a frame */
	EDGE_PX = 16,
	VALUES = 11,
};

/* The places that the texts name. */
struct places {
	struct buf at, path, server, upstream, source, height;
	bool other_origin;
};

/* Nothing in it that means something in HTML, in a shell or to a front server. */
static bool
url_is_plain(const char *url)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-._~:/[]";
	bool http = strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0;
	const char *host = http ? strstr(url, "://") + 3 : url;
	return (http ? *host && *host != '/' : *url == '/') && strspn(url, allowed) == strlen(url);
}

static void
add_slash(struct buf *out)
{
	if (out->len == 0 || out->data[out->len - 1] != '/')
		buf_add_literal(out, "/");
}

/* Where browsers find thongked, and how a policy calls that. */
static void
find_at(const struct cli *cli, struct places *places)
{
	const char *prefix = cli->conf->base_path;
	const char *url = cli->url ? cli->url : *prefix ? prefix : "/thongke/";
	if (!url_is_plain(url))
		cli_fail(CLI_USAGE,
			 "--url is http://..., https://... or a path such as /thongke/, not \"%s\"",
			 url);
	buf_add_slice(&places->at, slice_of(url));
	add_slash(&places->at);
	places->other_origin = *url != '/';
	buf_add_slice(&places->path,
		      places->other_origin ? SLICE("/thongke/") : buf_slice(&places->at));
	if (places->other_origin) {
		const char *host = strstr(url, "://") + 3;
		buf_add(&places->source, url, (size_t)(host - url) + strcspn(host, "/"));
	} else {
		buf_add_literal(&places->source, "'self'");
	}
}

/* How a program on this machine finds it: the first address that is none of a balancer's. */
static void
find_server(const struct conf *conf, struct places *places)
{
	const struct conf_listen *found = NULL;
	for (size_t i = 0; i < conf->listen_count && !found; i++)
		if (!conf->listens[i].path && !conf->listens[i].proxy)
			found = &conf->listens[i];
	const char *host = found ? found->host : "127.0.0.1", *port = found ? found->port : "8080";
	if (strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0)
		host = strcmp(host, "::") == 0 ? "::1" : "127.0.0.1";
	buf_addf(&places->server, strchr(host, ':') ? "http://[%s]:%s" : "http://%s:%s", host,
		 port);
	buf_add_slice(&places->upstream, buf_slice(&places->server));
	/* With base_path the front server passes the prefix on, which a slash at the end would take away. */
	if (!*conf->base_path)
		buf_add_literal(&places->upstream, "/");
	buf_addf(&places->server, "%s/", conf->base_path);
}

static void
find_places(const struct cli *cli, const struct conf_site *site, struct places *places)
{
	bool stats = false;
	for (size_t i = 0; i < site->public_count; i++)
		stats |= site->publics[i] == CONF_PUBLIC_STATS;
	find_at(cli, places);
	find_server(cli->conf, places);
	buf_addf(&places->height, "%d", ((int)site->row_count + 1 + stats) * LINE_PX + EDGE_PX);
}

static void
places_release(struct places *places)
{
	buf_release(&places->at);
	buf_release(&places->path);
	buf_release(&places->server);
	buf_release(&places->upstream);
	buf_release(&places->source);
	buf_release(&places->height);
}

/* --- what is printed --- */

/* How browsers find thongked. */
static void
add_places(struct buf *out, const struct places *places)
{
	if (places->other_origin)
		buf_add_literal(out,
				"\nBetter, where the site's web server can be set up, is a path of "
				"the site itself (leave --url out): it\npasses every policy and "
				"every blocker, and tells the page's whole address.\n");
	else
		buf_addf(out,
			 "\nThongked is taken to be below {at} of the site itself, which passes "
			 "every policy and every\nblocker, and tells the page's whole address. "
			 "Another "
			 "place is given with --url. For that path\n\n%s",
			 snippet_front_servers);
}

/* What stands on stderr; a program on the same machine needs neither place nor policy. */
static void
add_advice(struct buf *out, const struct snippet *snippet, const struct places *places)
{
	if (snippet->csp)
		add_places(out, places);
	buf_addf(out, "\n%s\n", snippet->where);
	if (snippet->csp)
		buf_addf(out, "Content-Security-Policy of the page, if it has one: %s\n",
			 snippet->csp);
	buf_add_literal(out, "\n");
	buf_add(out, "", 1);
}

static void
print_json(const struct slice paste, const struct snippet *snippet, struct slice csp)
{
	struct buf out = {0};
	buf_addf(&out, "{\"schema\":1,\"for\":\"%s\",\"paste\":\"", snippet->name);
	for (size_t i = 0; i < paste.len; i++)
		if (paste.ptr[i] == '\n' || paste.ptr[i] == '\t')
			buf_add(&out, paste.ptr[i] == '\n' ? "\\n" : "\\t", 2);
		else
			buf_add_json(&out, (struct slice){paste.ptr + i, 1});
	buf_add_literal(&out, "\",\"csp\":");
	if (csp.len > 0) {
		buf_add_literal(&out, "\"");
		buf_add_json(&out, csp);
		buf_add_literal(&out, "\"}\n");
	} else {
		buf_add_literal(&out, "null}\n");
	}
	cli_write(&out);
	buf_release(&out);
}

static const struct snippet *
chosen(const struct cli *cli)
{
	const struct snippet *snippet = snippet_find(cli->for_what ? cli->for_what : "script");
	if (snippet)
		return snippet;
	struct buf names = {0};
	snippet_names(&names);
	buf_add(&names, "", 1);
	cli_fail(CLI_USAGE, "--for is one of %s; not \"%s\"", names.data, cli->for_what);
}

int
cmd_snippet(struct cli *cli)
{
	const struct conf_site *site = cli_site(cli);
	const struct snippet *snippet = chosen(cli);
	struct places places = {0};
	struct buf paste = {0}, talk = {0}, advice = {0}, csp = {0};
	find_places(cli, site, &places);
	struct asset script;
	asset_get(ASSET_SCRIPT, &script);
	const struct snippet_value values[VALUES] = {
		{"at", buf_slice(&places.at)},
		{"path", buf_slice(&places.path)},
		{"key", site->key_slice},
		{"title", slice_of(label_title(cli_language(cli, site)))},
		{"server", buf_slice(&places.server)},
		{"upstream", buf_slice(&places.upstream)},
		{"source", buf_slice(&places.source)},
		{"full", places.other_origin
				 ? SLICE(" referrerpolicy=\"no-referrer-when-downgrade\"")
				 : SLICE("")},
		{"height", buf_slice(&places.height)},
		{"frozen", slice_of(script.frozen + 1)},
		{"integrity", slice_of(script.integrity)},
	};
	snippet_fill(&paste, snippet->paste, values, VALUES);
	add_advice(&advice, snippet, &places);
	snippet_fill(&talk, advice.data, values, VALUES);
	if (snippet->csp)
		snippet_fill(&csp, snippet->csp, values, VALUES);
	if (cli->rendering == RENDER_JSON) {
		print_json(buf_slice(&paste), snippet, buf_slice(&csp));
	} else {
		fprintf(stderr, "%.*s", SLICE_ARG(buf_slice(&talk)));
		cli_write(&paste);
	}
	buf_release(&paste);
	buf_release(&talk);
	buf_release(&advice);
	buf_release(&csp);
	places_release(&places);
	return CLI_FINE;
}
