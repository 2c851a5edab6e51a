/* SPDX-License-Identifier: BSD-2-Clause */
/* Asking before something is changed, and noting it. What is changed is the command's own business. */
#include "cli/change.h"

#include <pwd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/conf_value.h"
#include "hit/page.h"

enum { HOST_MAX = 256, ANSWER_MAX = 16 };

void
change_release(struct change *change)
{
	buf_release(&change->what);
}

bool
change_agreed(const struct cli *cli, const struct change *change)
{
	char answer[ANSWER_MAX] = "";
	if (cli->dry_run)
		return false;
	if (cli->yes)
		return true;
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		cli_fail(CLI_USAGE, "%s changes what is kept: say --yes (or --dry-run to see what)",
			 change->command);
	fprintf(stderr, "%.*s? [y/N] ", SLICE_ARG(buf_slice(&change->what)));
	if (!fgets(answer, sizeof(answer), stdin) ||
	    (strcasecmp(answer, "y\n") != 0 && strcasecmp(answer, "yes\n") != 0))
		cli_fail(CLI_NO, "nothing was changed");
	return true;
}

/* Who says so: behind sudo, the one who called it. */
static const char *
user_name(void)
{
	const char *caller = getenv("SUDO_USER");
	const struct passwd *entry = getpwuid(getuid());
	if (getuid() == 0 && caller && *caller)
		return caller;
	return entry ? entry->pw_name : "?";
}

static void
add_member(struct buf *line, const char *name, struct slice text)
{
	buf_addf(line, ",\"%s\":", name);
	if (!text.ptr) {
		buf_add_literal(line, "null");
		return;
	}
	buf_add_literal(line, "\"");
	buf_add_json(line, text);
	buf_add_literal(line, "\"");
}

void
change_begin(const struct cli *cli, struct store *store, const struct change *change)
{
	char day[PERIOD_NAME_SIZE], host[HOST_MAX] = "?";
	struct buf line = {0};
	int64_t now = clock_wall_ms() / 1000;
	int second = (int)(now % 86400);
	(void)!gethostname(host, sizeof(host) - 1);
	buf_addf(&line, "{\"time\":\"%sT%02d:%02d:%02dZ\"",
		 period_name(PERIOD_DAY, (int32_t)(now / 86400), day), second / 3600,
		 second / 60 % 60, second % 60);
	add_member(&line, "user", slice_of(user_name()));
	add_member(&line, "host", slice_of(host));
	add_member(&line, "command", slice_of(change->command));
	add_member(&line, "site", slice_of(change->site));
	add_member(&line, "what", buf_slice(&change->what));
	add_member(&line, "why", slice_of(cli->why));
	buf_add_literal(&line, "}");
	/* Names no site, but refuses a Redis of another schema before anything is written in it. */
	cli_check(store, store_note_sites(store, NULL, NULL, 0));
	cli_check(store, change_note(store, buf_slice(&line)));
	buf_release(&line);
}

void
change_end(struct store *store)
{
	cli_check(store, change_done(store));
}

struct slice
change_site(const struct cli *cli)
{
	if (!cli->site_key)
		return cli_site(cli)->key_slice;
	if (!conf_parse_site_key(cli->site_key))
		cli_fail(CLI_NO, "\"%s\" is no site's key", cli->site_key);
	return slice_of(cli->site_key);
}

/* A site that is in the configuration no more has no query keys either. */
struct slice
change_page(const struct cli *cli, struct slice key, char page[HIT_PAGE_MAX])
{
	const struct conf_site *site = conf_site_by_key(cli->conf, key);
	if (!cli->page)
		return (struct slice){0};
	size_t len = page_normalise(slice_of(cli->page), site ? site->query : NULL,
				    site ? site->query_count : 0, page);
	if (len == 0)
		cli_fail(CLI_USAGE, "--page is a path or a URL, not \"%s\"", cli->page);
	return (struct slice){page, len};
}
