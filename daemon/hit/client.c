/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walks X-Forwarded-For, or Forwarded (RFC 7239), from right to left: what a proxy has added stands behind what it was
 * sent. The rule is that of nginx's realip module with real_ip_recursive.
 */
#include "hit/client.h"

/* Takes the last address off a header. False: there is none, or what stands there is none. */
typedef bool take_address(struct slice *rest, union address *out);

static struct slice
trim(struct slice text)
{
	while (text.len > 0 && (*text.ptr == ' ' || *text.ptr == '\t'))
		text = (struct slice){text.ptr + 1, text.len - 1};
	while (text.len > 0 && (text.ptr[text.len - 1] == ' ' || text.ptr[text.len - 1] == '\t'))
		text.len--;
	return text;
}

static bool
is_gap(char c)
{
	return c == ',' || c == ' ' || c == '\t';
}

static void
drop_gap(struct slice *rest)
{
	while (rest->len > 0 && is_gap(rest->ptr[rest->len - 1]))
		rest->len--;
}

/* --- X-Forwarded-For --- */

static bool
take_forwarded_for(struct slice *rest, union address *out)
{
	drop_gap(rest);
	size_t end = rest->len;
	while (rest->len > 0 && !is_gap(rest->ptr[rest->len - 1]))
		rest->len--;
	return address_parse((struct slice){rest->ptr + rest->len, end - rest->len}, out);
}

/* --- Forwarded --- */

/*
 * The last element, cut off at a comma outside of quotes. Quotes are counted from the right as well, so that one which
 * a client left open swallows nothing of what proxies added.
 */
static struct slice
take_element(struct slice *rest)
{
	size_t start = rest->len;
	bool quoted = false;
	for (; start > 0 && (quoted || rest->ptr[start - 1] != ','); start--) {
		bool escaped = quoted && start > 1 && rest->ptr[start - 2] == '\\';
		if (rest->ptr[start - 1] == '"' && !escaped)
			quoted = !quoted;
	}
	struct slice element = {rest->ptr + start, rest->len - start};
	rest->len = start > 0 ? start - 1 : 0;
	return trim(element);
}

/* The first of an element's pairs, cut off at a semicolon outside of quotes. */
static struct slice
take_pair(struct slice *rest)
{
	size_t len = 0;
	bool quoted = false;
	for (; len < rest->len && (quoted || rest->ptr[len] != ';'); len++) {
		if (rest->ptr[len] == '"')
			quoted = !quoted;
		else if (quoted && rest->ptr[len] == '\\' && len + 1 < rest->len)
			len++;
	}
	struct slice pair = {rest->ptr, len};
	size_t taken = len < rest->len ? len + 1 : len;
	*rest = (struct slice){rest->ptr + taken, rest->len - taken};
	return trim(pair);
}

/* What `for` says in an element, without quotes and without a port that is made up ("_x"). Absent: it says nothing. */
static struct slice
element_node(struct slice element)
{
	static const struct slice name = {"for=", 4};
	struct slice pair = {0};
	while (element.len > 0) {
		pair = take_pair(&element);
		if (pair.len > name.len && slice_case_eq((struct slice){pair.ptr, name.len}, name))
			break;
		pair.len = 0;
	}
	if (pair.len == 0)
		return (struct slice){0};
	struct slice node = {pair.ptr + name.len, pair.len - name.len};
	if (node.len > 1 && node.ptr[0] == '"' && node.ptr[node.len - 1] == '"')
		node = (struct slice){node.ptr + 1, node.len - 2};
	const char *made_up = memmem(node.ptr, node.len, ":_", 2);
	if (made_up)
		node.len = (size_t)(made_up - node.ptr);
	return node;
}

static bool
take_forwarded(struct slice *rest, union address *out)
{
	drop_gap(rest);
	return address_parse(element_node(take_element(rest)), out);
}

/* --- the client --- */

static bool
client_is_trusted(const struct conf *conf, const struct sockaddr *address)
{
	return networks_have(conf->trusted_proxies, conf->trusted_proxy_count, address);
}

static union address
address_of_peer(const struct sockaddr *peer)
{
	union address address = {.any.sa_family = AF_UNSPEC};
	if (peer && peer->sa_family == AF_INET)
		memcpy(&address.v4, peer, sizeof(address.v4));
	else if (peer && peer->sa_family == AF_INET6)
		memcpy(&address.v6, peer, sizeof(address.v6));
	return address;
}

void
client_find(struct client *out, const struct conf *conf, const struct sockaddr *peer,
	    const struct http_request *request)
{
	bool standard = conf->forwarded == CONF_FORWARDED;
	take_address *take = standard ? take_forwarded : take_forwarded_for;
	struct slice line = standard ? request->forwarded : request->forwarded_for, rest = line;
	bool trusted = client_is_trusted(conf, peer);
	*out = (struct client){address_of_peer(peer), trusted ? CLIENT_LOST : CLIENT_PEER};
	for (int left = CLIENT_ENTRIES_MAX; trusted && left > 0 && rest.len > 0; left--) {
		if (!take(&rest, &out->address))
			return;
		out->how = CLIENT_FORWARDED;
		trusted = client_is_trusted(conf, &out->address.any);
		drop_gap(&rest);
		if (trusted && rest.len == 0)
			rest = line = http_line_before(request, line);
	}
}
