/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes at all in the headers that name a client. Holds that whatever a client writes there, it is whom the trusted
 * proxy behind it has named; that nobody else's header is believed; and that an address that is found is one.
 */
#include "hit/client.h"

#define HOLD(condition)                                      \
	do {                                                 \
		if (!(condition)) {                          \
			fprintf(stderr, "%s\n", #condition); \
			abort();                             \
		}                                            \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct network trusted = {.family = AF_INET, .bytes = {10}, .mask = {0xff}};
static const union address proxy = {.v4 = {.sin_family = AF_INET, .sin_addr = {10}}};
static const union address stranger = {.v4 = {.sin_family = AF_INET, .sin_addr = {11}}};

static struct client
find(enum conf_forwarded which, const union address *peer, struct slice header)
{
	struct network networks[] = {trusted};
	struct conf conf = {
		.trusted_proxies = networks, .trusted_proxy_count = 1, .forwarded = which};
	struct http_request request = {.forwarded_for = header, .forwarded = header};
	struct client client;
	client_find(&client, &conf, &peer->any, &request);
	return client;
}

static bool
same_address(const union address *a, const union address *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

/* The header as it is, in memory that ends where it does. */
static void
hold_alone(enum conf_forwarded which, const uint8_t *data, size_t size)
{
	char *copy = malloc(size ? size : 1);
	if (size > 0)
		memcpy(copy, data, size);
	struct slice header = {copy, size};
	struct client client = find(which, &proxy, header);
	HOLD(client.how == CLIENT_FORWARDED || client.how == CLIENT_LOST);
	HOLD(client.how == CLIENT_FORWARDED || same_address(&client.address, &proxy));
	HOLD(client.address.any.sa_family == AF_INET || client.address.any.sa_family == AF_INET6);
	client = find(which, &stranger, header);
	HOLD(client.how == CLIENT_PEER && same_address(&client.address, &stranger));
	free(copy);
}

/* What a proxy has added behind it counts, also where a second proxy has added the first. */
static void
hold_followed(enum conf_forwarded which, const uint8_t *data, size_t size, const char *added)
{
	static const unsigned char expected[4] = {192, 0, 2, 77};
	size_t len = strlen(added);
	char *both = malloc(size + len);
	if (size > 0)
		memcpy(both, data, size);
	memcpy(both + size, added, len);
	struct client client = find(which, &proxy, (struct slice){both, size + len});
	HOLD(client.how == CLIENT_FORWARDED && client.address.any.sa_family == AF_INET);
	HOLD(memcmp(&client.address.v4.sin_addr, expected, 4) == 0);
	free(both);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hold_alone(CONF_FORWARDED_FOR, data, size);
	hold_alone(CONF_FORWARDED, data, size);
	hold_followed(CONF_FORWARDED_FOR, data, size, ", 192.0.2.77");
	hold_followed(CONF_FORWARDED_FOR, data, size, ", 192.0.2.77:80, 10.0.0.9");
	hold_followed(CONF_FORWARDED, data, size, ", for=192.0.2.77");
	hold_followed(CONF_FORWARDED, data, size,
		      ", by=\"_\\\"x\";for=\"192.0.2.77:80\", for=10.0.0.9");
	return 0;
}
