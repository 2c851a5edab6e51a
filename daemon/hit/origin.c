/* SPDX-License-Identifier: BSD-2-Clause */
/* Where a hit says it comes from. The client's address plays no part in it. */
#include "hit/origin.h"

#include "base/log.h"

/* Loopback, link-local and private addresses (RFC 1122, 1918, 3927, 4193, 4291), and names that mean such. */
static const char *const local_networks[] = {
	"127.0.0.0/8",    "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
	"169.254.0.0/16", "::1/128",    "fc00::/7",      "fe80::/10",
};
static const struct slice local_names[] = {SLICE("localhost"), SLICE(".localhost"),
					   SLICE(".local")};

static bool
is_local_address(const union address *address)
{
	for (size_t i = 0; i < COUNT_OF(local_networks); i++) {
		struct network network;
		if (!network_parse(local_networks[i], &network))
			die("%s is no network", local_networks[i]);
		if (networks_have(&network, 1, &address->any))
			return true;
	}
	return false;
}

static bool
ends_with(struct slice text, struct slice end)
{
	return text.len >= end.len &&
	       strncasecmp(text.ptr + text.len - end.len, end.ptr, end.len) == 0;
}

static bool
is_local(struct slice host)
{
	union address address;
	if (slice_case_eq(host, local_names[0]))
		return true;
	for (size_t i = 1; i < COUNT_OF(local_names); i++)
		if (ends_with(host, local_names[i]))
			return true;
	/* No name that people register ends in a digit or has a colon, so most need no closer look. */
	char last = host.ptr[host.len - 1];
	bool numeric = last == ']' || (last >= '0' && last <= '9');
	return numeric && address_parse(host, &address) && is_local_address(&address);
}

static bool
is_file(struct slice url)
{
	return url.len >= 5 && strncasecmp(url.ptr, "file:", 5) == 0;
}

/* One of the hosts that were said. */
static enum origin_sign
judge_host(const struct conf *conf, const struct conf_site *site, struct slice host,
	   enum origin_sign foreign)
{
	if (conf_site_naming_host(conf, host) == site)
		return ORIGIN_FINE;
	if (is_local(host))
		return ORIGIN_LOCAL;
	return conf_site_by_host(conf, host) == site ? ORIGIN_FINE : foreign;
}

enum origin_sign
origin_judge(const struct conf *conf, const struct conf_site *site,
	     const struct http_request *request, struct slice url, struct slice *host)
{
	struct slice origin = url_host(request->origin);
	if (!origin.ptr)
		origin = url_host(request->referer);
	struct slice page = url_host(url);
	*host = page;
	if (is_file(url) || is_file(request->referer))
		return ORIGIN_LOCAL;
	enum origin_sign of_page =
		page.ptr ? judge_host(conf, site, page, ORIGIN_FOREIGN_PAGE) : ORIGIN_FINE;
	if (of_page == ORIGIN_LOCAL)
		return of_page;
	if (!origin.ptr)
		return of_page != ORIGIN_FINE ? of_page
		       : site->require_origin ? ORIGIN_MISSING
					      : ORIGIN_FINE;
	if (page.ptr && slice_case_eq(origin, page))
		return of_page;
	enum origin_sign of_origin = judge_host(conf, site, origin, ORIGIN_FOREIGN);
	if (of_origin != ORIGIN_FINE)
		*host = origin;
	return of_origin != ORIGIN_FINE ? of_origin : of_page;
}
