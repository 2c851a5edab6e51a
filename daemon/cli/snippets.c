/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The texts. What a content management system's filter keeps is what its documentation and source say: none of them lets
 * everybody paste a script, all of them keep an image.
 */
#include "cli/snippets.h"

#define IMAGE "<img src=\"{at}hit.svg?s={key}\" alt=\"{title}\"{full}>\n"
/* Counts where something else shows. */
#define PIXEL "<img src=\"{at}hit.gif?s={key}\" alt=\"\" width=\"1\" height=\"1\"{full}>\n"
#define IMAGE_CSP "img-src {source}"

static const struct snippet snippets[] = {
	{
		"script",
		"Into the page's template: the first line where the counter is to stand, the "
		"second anywhere. With src=\"{at}{frozen}\" integrity=\"{integrity}\" "
		"crossorigin the browser checks the script (Subresource Integrity) and keeps it "
		"for "
		"good; an upgrade of thongked that changes the script changes both.",
		"<div class=\"thongke\"></div>\n"
		"<script async src=\"{at}thongke.js\" data-site=\"{key}\"></script>\n",
		"script-src {source}; connect-src {source}; img-src {source}",
	},
	{
		"img",
		"Wherever an image may stand. It counts and shows in one, without a script; "
		"style=, "
		"width=, color=, rows= and lang= may be added to its address.",
		IMAGE,
		IMAGE_CSP,
	},
	{
		"iframe",
		"Wherever a frame may stand. It counts and shows in one, without a script; its "
		"text "
		"can be selected and enlarged.",
		"<iframe src=\"{at}frame.html?s={key}\" title=\"{title}\" width=\"260\" "
		"height=\"{height}\" frameborder=\"0\"{full}></iframe>\n",
		"frame-src {source}",
	},
	{
		"ssi",
		"Into a page for which the site's web server does server-side includes (nginx: ssi "
		"on; Apache: Options +Includes): the counter is in the page from the first moment, "
		"the image counts.",
		"<!--#include virtual=\"{path}counts.html?s={key}\" -->\n" PIXEL,
		IMAGE_CSP,
	},
	{
		"esi",
		"Into a page behind a cache that does edge-side includes (Varnish: set "
		"beresp.do_esi = true), which then keeps the page and fetches the counter alone.",
		"<esi:include src=\"{path}counts.html?s={key}\" onerror=\"continue\"/>\n" PIXEL,
		IMAGE_CSP,
	},
	{
		"nginx",
		"Into the location of nginx that serves the site's pages, where these cannot be "
		"edited at all: nginx puts the counter before the end of each page. What comes "
		"from "
		"a server behind it must not be compressed: proxy_set_header Accept-Encoding \"\";",
		"sub_filter '</body>' '<img src=\"{at}hit.svg?s={key}\" "
		"alt=\"{title}\"{full}></body>';\nsub_filter_once on;\n",
		IMAGE_CSP,
	},
	{
		"json",
		"Into a script of your own, for drawing the counter yourself; all fields are in "
		"PROTOCOL.md. Across origins nothing more is needed: every page may read it.",
		"<b id=\"thongke-rows\"></b>\n<script>\n"
		"fetch(\"{at}hit?s={key}\", {\n\tmethod: \"POST\", credentials: \"omit\",\n"
		"\tbody: new URLSearchParams({ u: location.href, r: document.referrer "
		"}).toString(),\n"
		"}).then((answer) => answer.json()).then((counts) => {\n"
		"\tdocument.getElementById(\"thongke-rows\").textContent =\n"
		"\t\tcounts.rows.map((row) => row.label + \" : \" + row.text).join(\", \");\n"
		"}).catch(() => {});\n</script>\n",
		"connect-src {source}; and script-src, unless the script is in a file of the site",
	},
	{
		"text",
		"Into a CGI or shell script that makes the page, on the machine that thongked runs "
		"on: the first command counts, the second shows.",
		"curl -fsS --max-time 1 -o /dev/null -A \"$HTTP_USER_AGENT\" "
		"-H \"Accept-Language: $HTTP_ACCEPT_LANGUAGE\" \\\n"
		"\t-H \"X-Forwarded-For: $REMOTE_ADDR\" -H \"Content-Type: text/plain\" \\\n"
		"\t--data-urlencode \"u=$REQUEST_URI\" --data-urlencode \"r=$HTTP_REFERER\" "
		"'{server}hit?s={key}&q=1'\n"
		"curl -fsS --max-time 1 '{server}counts.txt?s={key}'\n",
		NULL,
	},
	{
		"php",
		"Into a PHP page, on the machine that thongked runs on, where the counter is to "
		"stand. It counts and shows without anything in the browser; a page from a cache "
		"does not count.",
		"<?php\n$thongke = @file_get_contents('{server}hit?s={key}', false, "
		"stream_context_create(['http' => [\n"
		"\t'method' => 'POST', 'timeout' => 1,\n"
		"\t'header' => [\n"
		"\t\t'Content-Type: application/x-www-form-urlencoded',\n"
		"\t\t'User-Agent: ' . ($_SERVER['HTTP_USER_AGENT'] ?? ''),\n"
		"\t\t'Accept-Language: ' . ($_SERVER['HTTP_ACCEPT_LANGUAGE'] ?? ''),\n"
		"\t\t'X-Forwarded-For: ' . ($_SERVER['REMOTE_ADDR'] ?? ''),\n\t],\n"
		"\t'content' => http_build_query([\n"
		"\t\t'u' => $_SERVER['REQUEST_URI'] ?? '/', 'r' => $_SERVER['HTTP_REFERER'] ?? "
		"'',\n"
		"\t]),\n]]));\n"
		"echo '<dl class=\"thongke\">';\n"
		"foreach (json_decode($thongke ?: '{\"rows\":[]}', true)['rows'] as $row)\n"
		"\techo '<dt>', htmlspecialchars($row['label']), '</dt><dd>', "
		"htmlspecialchars($row['text']), '</dd>';\n"
		"echo '</dl>';\n?>\n",
		NULL,
	},
	{
		"aspnet",
		"Into the layout page (_Layout.cshtml, or a .master page), where the counter is to "
		"stand. On IIS the same-origin path is a rule of URL Rewrite with Application "
		"Request "
		"Routing: match ^thongke/(.*), rewrite to {server}{R:1}",
		IMAGE,
		IMAGE_CSP,
	},
	{
		"nukeviet",
		"Into a block of the kind global.html: its filter (NV_ALLOWED_HTML_TAGS) keeps img "
		"and "
		"iframe and drops script. In a file of the theme, such as footer_extended.tpl, the "
		"text of --for script works too.",
		IMAGE,
		IMAGE_CSP,
	},
	{
		"joomla",
		"Into a module of the type Custom, its editor switched to code. The default text "
		"filters drop script and iframe of everybody but Super Users, and keep img.",
		IMAGE,
		IMAGE_CSP,
	},
	{
		"wordpress",
		"Into a Custom HTML block of a widget area, a template part or a page. Of users "
		"without "
		"the capability unfiltered_html (all but administrators, on a network all but "
		"super "
		"administrators) WordPress drops script and iframe, and keeps img.",
		IMAGE,
		IMAGE_CSP,
	},
	{
		"drupal",
		"Into a custom block in the format Full HTML. Basic HTML keeps img too, but its "
		"filter "
		"\"Restrict images to this site\" looks for the image among the site's files, does "
		"not "
		"find it, and shows a sign in its place; script and iframe are dropped.",
		IMAGE,
		IMAGE_CSP,
	},
	{
		"busuanzi",
		"In place of the script of busuanzi or vercount: elements with their ids go on "
		"working.",
		"<script async src=\"{at}thongke.js\" data-site=\"{key}\" "
		"data-compat=\"busuanzi\"></script>\n",
		"script-src {source}; connect-src {source}; img-src {source}",
	},
};

const char snippet_front_servers[] =
	"nginx, in the server block of the site:\n\n"
	"    location {at} {\n"
	"        proxy_pass {upstream};\n"
	"        proxy_http_version 1.1;\n"
	"        proxy_set_header Connection \"\";\n"
	"        proxy_set_header Host $host;\n"
	"        proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\n"
	"    }\n\n"
	"Apache, with mod_proxy and mod_proxy_http:\n\n"
	"    ProxyPass {at} {server}\n";

const struct snippet *
snippet_find(const char *name)
{
	for (size_t i = 0; i < COUNT_OF(snippets); i++)
		if (strcmp(snippets[i].name, name) == 0)
			return &snippets[i];
	return NULL;
}

void
snippet_names(struct buf *out)
{
	for (size_t i = 0; i < COUNT_OF(snippets); i++)
		buf_addf(out, "%s%s", i > 0 ? ", " : "", snippets[i].name);
}

/* The value whose name, and a closing brace, `text` begins with; NULL: there is none. */
static const struct snippet_value *
value_at(const char *text, const struct snippet_value *values, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(values[i].name);
		if (strncmp(text, values[i].name, len) == 0 && text[len] == '}')
			return &values[i];
	}
	return NULL;
}

void
snippet_fill(struct buf *out, const char *text, const struct snippet_value *values, size_t count)
{
	while (*text) {
		size_t plain = strcspn(text, "{");
		buf_add(out, text, plain);
		text += plain;
		if (!*text)
			return;
		const struct snippet_value *value = value_at(text + 1, values, count);
		if (value) {
			buf_add_slice(out, value->value);
			text += strlen(value->name) + 2;
		} else {
			buf_add(out, text++, 1);
		}
	}
}
