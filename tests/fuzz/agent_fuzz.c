/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a request of any agent, against a list of bots that may be any bytes as well (what stands before a zero
 * byte). Holds that what is found is short, clean, the same when it is remembered, and that a refused list says why.
 */
#include <sodium.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hit/agent.h"

#define HOLD(condition)                                      \
	do {                                                 \
		if (!(condition)) {                          \
			fprintf(stderr, "%s\n", #condition); \
			abort();                             \
		}                                            \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct bots *
read_list(struct slice content)
{
	char path[64], error[512] = "";
	int fd = memfd_create("bots", MFD_CLOEXEC);
	HOLD(fd >= 0 && write(fd, content.ptr, content.len) == (ssize_t)content.len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	struct bots *bots = bots_read(path, error, sizeof(error));
	close(fd);
	HOLD((bots == NULL) == (error[0] != '\0'));
	HOLD(bots || strstr(error, "; allowed: "));
	return bots;
}

/* Takes the next line off; absent at the end. */
static struct slice
next_line(struct slice *rest)
{
	if (rest->len == 0)
		return (struct slice){NULL, 0};
	const char *end = memchr(rest->ptr, '\n', rest->len);
	struct slice line = {rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len};
	size_t taken = line.len + (end ? 1 : 0);
	*rest = (struct slice){rest->ptr + taken, rest->len - taken};
	return line;
}

static void
hold_word(struct slice word)
{
	HOLD((word.ptr == NULL) == (word.len == 0));
	HOLD(word.len <= HIT_WORD_MAX);
	for (size_t i = 0; i < word.len; i++)
		HOLD(word.ptr[i] >= ' ' && word.ptr[i] <= '~');
}

static void
hold_agent(const struct agent *agent)
{
	hold_word(agent->browser);
	hold_word(agent->system);
	hold_word(agent->device);
	hold_word(agent->bot);
	HOLD((agent->bot.ptr != NULL) == (agent->bot_line > 0 || agent->sign));
	HOLD(agent->bot_line == 0 || !agent->sign);
}

static void
try_agent(struct bots *bots, const struct http_request *request)
{
	struct agent_memo *memo = agent_memo_new();
	struct agent first, again, other;
	agent_find(memo, bots, request, &first);
	hold_agent(&first);
	agent_find(memo, bots, request, &again);
	HOLD(slice_eq(first.browser, again.browser) && slice_eq(first.system, again.system));
	HOLD(slice_eq(first.device, again.device) && slice_eq(first.bot, again.bot));
	HOLD(first.bot_line == again.bot_line && first.sign == again.sign);
	agent_find(memo, NULL, request, &other);
	HOLD(other.bot_line == 0 && slice_eq(first.browser, other.browser));
	agent_memo_free(memo);
}

static void
try_language(struct slice tongue, struct slice accept_language)
{
	char out[4];
	struct slice language = agent_language(tongue, accept_language, out);
	HOLD(!language.ptr || (language.ptr == out && (language.len == 2 || language.len == 3)));
	for (size_t i = 0; i < language.len; i++)
		HOLD(language.ptr[i] >= 'a' && language.ptr[i] <= 'z');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > HTTP_LINE_MAX || sodium_init() < 0)
		return 0;
	struct slice all = {(const char *)data, size};
	const char *zero = size > 0 ? memchr(data, 0, size) : NULL;
	size_t list_len = zero ? (size_t)(zero - all.ptr) : 0;
	struct slice rest = {all.ptr + (zero ? list_len + 1 : 0), size - (zero ? list_len + 1 : 0)};
	struct bots *bots = zero ? read_list((struct slice){all.ptr, list_len})
				 : read_list(SLICE("bot  bot\ncurl\t^curl/\nend  agent$"));
	struct http_request request = {.user_agent = next_line(&rest)};
	request.ch_ua = next_line(&rest);
	request.ch_ua_platform = next_line(&rest);
	request.ch_ua_mobile = next_line(&rest);
	request.accept_language = next_line(&rest);
	request.purpose = next_line(&rest);
	try_agent(bots, &request);
	(void)agent_is_prefetch(&request);
	try_language(next_line(&rest), request.accept_language);
	hold_word(agent_screen(rest));
	bots_unref(bots);
	return 0;
}
