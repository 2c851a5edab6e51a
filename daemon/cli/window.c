/* SPDX-License-Identifier: BSD-2-Clause */
/* Which days a command was asked for. Ends the program where that cannot be told. */
#include "cli/window.h"

enum { YEARS_MAX = 1000 };

static struct range
one_range(const char *text, int32_t today)
{
	struct range range;
	if (!range_parse(slice_of(text), today, &range))
		cli_fail(CLI_USAGE,
			 "\"%s\" is no range: today, yesterday, 7d, 2020-05-20, 2020-W21, 2020-05 "
			 "or 2020",
			 text);
	return range;
}

struct window
window_asked(const struct cli *cli, size_t argument, int32_t today)
{
	struct window window = {{today, today}, false};
	bool given = cli->arg_count > argument;
	if (given && (cli->from || cli->to))
		cli_fail(CLI_USAGE, "either a range or --from and --to, not both");
	if (given)
		window = (struct window){one_range(cli->args[argument], today), true};
	if (cli->to)
		window.range.last = one_range(cli->to, today).last;
	if (cli->from)
		window = (struct window){{one_range(cli->from, today).first, window.range.last},
					 true};
	if (window.range.last > today)
		window.range.last = today;
	return window;
}

int32_t
window_first_year(struct store *store, const struct conf_site *site, int32_t otherwise)
{
	int32_t years[YEARS_MAX];
	size_t count = 0;
	cli_check(store, store_years(store, site->key_slice, years, YEARS_MAX, &count));
	return count > 0 && years[0] < otherwise ? years[0] : otherwise;
}
