/* SPDX-License-Identifier: BSD-2-Clause */
/* One line for each thing that a judgement found. Judges nothing itself. */
#include "hit/explain.h"

#include "base/form.h"

/* Printable ASCII as it is, every other byte as \xHH: what is shown here may end on a terminal. */
static void
add_inert(struct buf *out, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char byte = (unsigned char)text.ptr[i];
		if (byte >= ' ' && byte <= '~' && byte != '\\')
			buf_add(out, &text.ptr[i], 1);
		else
			buf_addf(out, "\\x%02x", byte);
	}
}

static void
add_line(struct buf *out, const char *step, struct slice text)
{
	buf_addf(out, "%-9s ", step);
	if (!text.ptr)
		buf_add_literal(out, "unknown");
	add_inert(out, text);
	buf_add_literal(out, "\n");
}

static void
add_address(struct buf *out, const struct judge *judge, const struct client *client)
{
	static const char *const why[] = {
		[CLIENT_PEER] = "the connection's own: it comes from no trusted proxy",
		[CLIENT_FORWARDED] = "named by a trusted proxy",
		[CLIENT_LOST] = "a trusted proxy's own: it names no client",
	};
	char text[ADDRESS_TEXT_MAX];
	address_format(&client->address, text);
	buf_addf(out, "%-9s %s (%s", "address", *text ? text : "none", why[client->how]);
	if (client->how == CLIENT_FORWARDED)
		buf_addf(out, " in %s",
			 judge->conf->forwarded == CONF_FORWARDED ? "Forwarded"
								  : "X-Forwarded-For");
	buf_add_literal(out, ")\n");
}

static void
add_origin(struct buf *out, const struct judgement *judged)
{
	static const char *const findings[] = {
		[ORIGIN_FINE] = "the site's own, or none is given",
		[ORIGIN_FOREIGN] = "another site's, by Origin or Referer",
		[ORIGIN_FOREIGN_PAGE] = "another site's, by the page's address",
		[ORIGIN_MISSING] = "none is given, and the site requires one",
		[ORIGIN_LOCAL] = "a local or private address, or a file",
	};
	buf_addf(out, "%-9s %s", "origin", findings[judged->origin]);
	if (judged->origin != ORIGIN_FINE && judged->origin_host.ptr) {
		buf_add_literal(out, ": ");
		add_inert(out, judged->origin_host);
	}
	buf_add_literal(out, "\n");
}

static void
add_agent(struct buf *out, const struct judge *judge, const struct judgement *judged)
{
	const struct agent *agent = &judged->agent;
	if (agent->bot.ptr && agent->sign) {
		buf_addf(out, "%-9s bot ", "agent");
		add_inert(out, agent->bot);
		buf_addf(out, ": %s\n", agent->sign);
	} else if (agent->bot.ptr) {
		buf_addf(out, "%-9s bot ", "agent");
		add_inert(out, agent->bot);
		buf_addf(out, ": line %d of %s\n", agent->bot_line, judge->conf->bots);
	} else if (judged->automated) {
		buf_addf(out, "%-9s bot: the browser says that a program drives it (a=1)\n",
			 "agent");
	} else {
		buf_addf(out, "%-9s a person\n", "agent");
	}
	add_line(out, "browser", agent->browser);
	add_line(out, "system", agent->system);
	add_line(out, "device", agent->device);
}

/* Steps that come behind the reason were not taken. */
void
explain_text(struct buf *out, const struct judge *judge, const struct judge_case *hit,
	     const struct judgement *judged)
{
	enum reason reason = judged->reason;
	bool read_agent = reason == REASON_NONE || reason == REASON_BOT;
	add_line(out, "site", hit->site->key_slice);
	add_line(out, "page", hit->page);
	add_address(out, judge, &judged->client);
	if (reason != REASON_EXCLUDED)
		add_origin(out, judged);
	if (read_agent)
		add_agent(out, judge, judged);
	if (reason == REASON_NONE) {
		add_line(out, "country", judged->country);
		add_line(out, "referrer", judged->referrer);
		add_line(out, "language", judged->language);
		add_line(out, "screen", judged->screen);
		buf_addf(out, "%-9s %s\n", "visitor", judged->visitor ? "yes" : "anonymous");
	}
	if (reason == REASON_NONE)
		buf_addf(out, "%-9s yes, unless it comes too often or again\n", "counted");
	else
		buf_addf(out, "%-9s no, %s\n", "counted", reason_names[reason]);
}
