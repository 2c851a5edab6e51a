/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What hit/agent.c makes of user agents, one a line on stdin, with the list of bots that is the only argument. Prints a
 * line for each: the bot's name or nothing, browser, system and device, with tabs between them.
 */
#include <sodium.h>

#include "base/log.h"
#include "hit/agent.h"

static void
print_agent(struct agent_memo *memo, struct bots *bots, struct slice user_agent)
{
	struct agent agent;
	struct http_request request = {.user_agent = user_agent, .accept_language = SLICE("")};
	agent_find(memo, bots, &request, &agent);
	printf("%.*s\t%.*s\t%.*s\t%.*s\n", SLICE_ARG(agent.bot), SLICE_ARG(agent.browser),
	       SLICE_ARG(agent.system), SLICE_ARG(agent.device));
}

int
main(int argc, char **argv)
{
	char error[512], line[HTTP_LINE_MAX];
	if (argc != 2 || sodium_init() < 0)
		die("usage: agents BOTS.TXT <AGENTS");
	struct bots *bots = bots_read(argv[1], error, sizeof(error));
	if (!bots)
		die("%s", error);
	struct agent_memo *memo = agent_memo_new();
	while (fgets(line, sizeof(line), stdin))
		print_agent(memo, bots, (struct slice){line, strcspn(line, "\n")});
	agent_memo_free(memo);
	bots_unref(bots);
	return ferror(stdin) || fflush(stdout) != 0;
}
