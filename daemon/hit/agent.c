/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who sends a request. What is made of its user agent and client hints is kept in a small table by their hash, with a
 * seed that dies with the process, so that nobody can choose those that share a place; the texts themselves are not.
 */
#include "hit/agent.h"

#include <arpa/inet.h>
#include <sodium.h>
#include <xxhash.h>

#include "base/log.h"
#include "hit/known.h"

enum {
	SETS = 256,
	WAYS = 8,
	NO_BOT = UINT16_MAX,
	WIDTH_MAX = 32767,
	UUID_LEN = 36,
	HEX_ID_MIN = 16, /* digits of what is nothing but a number in hexadecimal */
};

_Static_assert((int)BOTS_LINES_MAX < (int)NO_BOT, "a place in the list is two bytes");

/* What gives a bot away that no list names. */
enum sign { SIGN_NONE, NO_AGENT, SHORT, LONG, ADDRESS, NUMBER, HEADLESS, NO_LANGUAGE };

struct sign_row {
	const char *sign;
	struct slice bot;
};

static const struct sign_row signs[] = {
	[SIGN_NONE] = {NULL, {NULL, 0}},
	[NO_AGENT] = {"no user agent", SLICE("(no user agent)")},
	[SHORT] = {"a user agent too short for a browser", SLICE("(too short)")},
	[LONG] = {"a user agent too long for a browser", SLICE("(too long)")},
	[ADDRESS] = {"an address as user agent", SLICE("(address)")},
	[NUMBER] = {"a random number as user agent", SLICE("(random number)")},
	[HEADLESS] = {"a browser without a window, by its client hints", SLICE("(headless)")},
	[NO_LANGUAGE] = {"a browser without Accept-Language", SLICE("(no language)")},
};

/* What one user agent with one set of hints is. */
struct finding {
	uint16_t bot; /* place in the list; NO_BOT */
	struct known known;
	uint8_t sign;
};

/* A key is the hash of what the finding of its place was made of; 0: nothing yet. */
struct set {
	_Alignas(64) uint64_t keys[WAYS];
	struct finding findings[WAYS];
};

_Static_assert(sizeof(((struct set *)0)->keys) == 64, "the keys of a set are a cache line");

struct agent_memo {
	struct set sets[SETS];
	struct bots *bots; /* that the findings were made with */
	struct bots_scratch *scratch;
	uint64_t seed;
	unsigned next; /* way to be forgotten */
};

struct agent_memo *
agent_memo_new(void)
{
	struct agent_memo *memo = aligned_alloc(64, sizeof(*memo));
	if (!memo)
		die("there is no memory left to remember user agents in");
	memset(memo, 0, sizeof(*memo));
	memo->scratch = bots_scratch_new();
	randombytes_buf(&memo->seed, sizeof(memo->seed));
	return memo;
}

void
agent_memo_free(struct agent_memo *memo)
{
	if (!memo)
		return;
	bots_unref(memo->bots);
	bots_scratch_free(memo->scratch);
	free(memo);
}

/* The reference keeps another list from being made at the same address. */
static void
memo_use(struct agent_memo *memo, struct bots *bots)
{
	if (memo->bots == bots)
		return;
	bots_unref(memo->bots);
	memo->bots = bots_ref(bots);
	memset(memo->sets, 0, sizeof(memo->sets));
}

static bool
is_hex(char c)
{
	return (c >= '0' && c <= '9') || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

/* A UUID (RFC 9562), or any long number in hexadecimal. */
static bool
is_number(struct slice text)
{
	size_t digits = 0;
	for (size_t i = 0; i < text.len; i++)
		if (is_hex(text.ptr[i]))
			digits++;
		else if (text.ptr[i] != '-')
			return false;
	return digits == text.len ? digits >= HEX_ID_MIN
				  : text.len == UUID_LEN && digits == UUID_LEN - 4;
}

/* An IP address or a URL, and nothing else. */
static bool
is_address(struct slice text)
{
	char copy[INET6_ADDRSTRLEN];
	unsigned char address[sizeof(struct in6_addr)];
	if (text.len >= 8 &&
	    (strncasecmp(text.ptr, "http://", 7) == 0 || strncasecmp(text.ptr, "https://", 8) == 0))
		return !memchr(text.ptr, ' ', text.len);
	if (text.len >= sizeof(copy))
		return false;
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	return inet_pton(AF_INET, copy, address) == 1 || inet_pton(AF_INET6, copy, address) == 1;
}

/* What leaves no doubt, whatever a list may make of it. */
static enum sign
sign_of_kind(struct slice agent)
{
	if (agent.len == 0)
		return NO_AGENT;
	if (is_address(agent))
		return ADDRESS;
	return is_number(agent) ? NUMBER : SIGN_NONE;
}

/* A browser that is told to call itself something else still says what it is in its hints. */
static bool
is_headless(struct slice brands)
{
	return brands.ptr && memmem(brands.ptr, brands.len, "\"HeadlessChrome\"", 16);
}

/* Of what no list names. */
static enum sign
sign_of_rest(const struct http_request *request)
{
	if (request->user_agent.len < AGENT_SHORTEST)
		return SHORT;
	if (request->user_agent.len > AGENT_LONGEST)
		return LONG;
	return is_headless(request->ch_ua) ? HEADLESS : SIGN_NONE;
}

static struct finding
finding_make(const struct agent_memo *memo, const struct http_request *request)
{
	struct bots_match match = {.place = NO_BOT};
	struct finding finding;
	finding.known = known_with_hints(known_of_agent(request->user_agent), request->ch_ua,
					 request->ch_ua_platform, request->ch_ua_mobile);
	enum sign sign = sign_of_kind(request->user_agent);
	if (sign == SIGN_NONE && !bots_find(memo->bots, memo->scratch, request->user_agent, &match))
		sign = sign_of_rest(request);
	finding.bot = (uint16_t)match.place;
	finding.sign = (uint8_t)sign;
	return finding;
}

static uint64_t
hash_more(uint64_t hash, struct slice text)
{
	return XXH3_64bits_withSeed(text.ptr, text.len, hash);
}

/* Of everything that finding_make looks at; never 0. */
static uint64_t
memo_key(const struct agent_memo *memo, const struct http_request *request)
{
	uint64_t key = hash_more(memo->seed, request->user_agent);
	if (request->ch_ua.len > 0 || request->ch_ua_platform.len > 0 ||
	    request->ch_ua_mobile.len > 0) {
		key = hash_more(key, request->ch_ua);
		key = hash_more(key, request->ch_ua_platform);
		key = hash_more(key, request->ch_ua_mobile);
	}
	return key ? key : 1;
}

static struct finding
memo_find(struct agent_memo *memo, const struct http_request *request)
{
	uint64_t key = memo_key(memo, request);
	struct set *set = &memo->sets[key % SETS];
	for (int way = 0; way < WAYS; way++)
		if (set->keys[way] == key)
			return set->findings[way];
	unsigned way = memo->next++ % WAYS;
	set->keys[way] = key;
	set->findings[way] = finding_make(memo, request);
	return set->findings[way];
}

void
agent_find(struct agent_memo *memo, struct bots *bots, const struct http_request *request,
	   struct agent *out)
{
	memo_use(memo, bots);
	struct finding finding = memo_find(memo, request);
	*out = (struct agent){.browser = known_browser(finding.known),
			      .system = known_system(finding.known),
			      .device = known_device(finding.known)};
	if (finding.bot != NO_BOT) {
		struct bots_match match = bots_at(bots, finding.bot);
		out->bot = match.name;
		out->bot_line = match.line;
		return;
	}
	enum sign sign = (enum sign)finding.sign;
	if (sign == SIGN_NONE && !request->accept_language.ptr && known_speaks(finding.known))
		sign = NO_LANGUAGE;
	out->bot = signs[sign].bot;
	out->sign = signs[sign].sign;
}

static bool
has_word(struct slice text, struct slice word)
{
	for (size_t i = 0; i + word.len <= text.len; i++)
		if (strncasecmp(text.ptr + i, word.ptr, word.len) == 0)
			return true;
	return false;
}

bool
agent_is_prefetch(const struct http_request *request)
{
	static const struct slice words[] = {SLICE("prefetch"), SLICE("preview"),
					     SLICE("prerender")};
	for (size_t i = 0; i < COUNT_OF(words); i++)
		if (has_word(request->purpose, words[i]))
			return true;
	return false;
}

/* The primary subtag of a language tag (RFC 5646), which ends with the text or at '-'. */
static struct slice
primary_subtag(struct slice tag, char out[4])
{
	size_t len = 0;
	while (len < tag.len && len < 4 && (tag.ptr[len] | 0x20) >= 'a' &&
	       (tag.ptr[len] | 0x20) <= 'z') {
		out[len < 3 ? len : 3] = (char)(tag.ptr[len] | 0x20);
		len++;
	}
	if (len < 2 || len > 3 || (len < tag.len && tag.ptr[len] != '-'))
		return (struct slice){NULL, 0};
	return (struct slice){out, len};
}

/* Takes the next member of a list off *rest, without the white space around it. */
static struct slice
next_member(struct slice *rest)
{
	const char *comma = memchr(rest->ptr, ',', rest->len);
	struct slice member = {rest->ptr, comma ? (size_t)(comma - rest->ptr) : rest->len};
	size_t taken = member.len + (comma ? 1 : 0);
	*rest = (struct slice){rest->ptr + taken, rest->len - taken};
	while (member.len > 0 && (*member.ptr == ' ' || *member.ptr == '\t'))
		member = (struct slice){member.ptr + 1, member.len - 1};
	return member;
}

/* Weights are ignored: browsers send the best first. */
struct slice
agent_language(struct slice tongue, struct slice accept_language, char out[4])
{
	struct slice found = primary_subtag(tongue, out);
	while (!found.ptr && accept_language.len > 0) {
		struct slice member = next_member(&accept_language);
		size_t end = 0;
		while (end < member.len && !strchr("; \t", member.ptr[end]))
			end++;
		found = primary_subtag((struct slice){member.ptr, end}, out);
	}
	return found;
}

struct screen {
	int from;
	struct slice name;
};

/* From the widest on; where the usual style sheets change their layout. */
static const struct screen screens[] = {
	{1920, SLICE("1920+")},  {1440, SLICE("1440-1919")}, {992, SLICE("992-1439")},
	{576, SLICE("576-991")}, {1, SLICE("0-575")},
};

struct slice
agent_screen(struct slice width)
{
	int value = 0;
	for (size_t i = 0; i < width.len; i++) {
		if (width.ptr[i] < '0' || width.ptr[i] > '9')
			return (struct slice){NULL, 0};
		value = value * 10 + (width.ptr[i] - '0');
		if (value > WIDTH_MAX)
			return (struct slice){NULL, 0};
	}
	for (size_t i = 0; i < COUNT_OF(screens); i++)
		if (value >= screens[i].from)
			return screens[i].name;
	return (struct slice){NULL, 0};
}
