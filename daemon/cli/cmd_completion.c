/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `completion`: what bash, zsh and fish need to complete commands, options and their values, made from the tables that
 * the program itself reads; and, for those scripts, the names of the sites.
 */
#include "cli/command.h"

/* What stands for an argument in the tables, and how it is completed: by words, or else by what `how` says. */
enum how { BY_WORDS, BY_FILES, BY_SITES, BY_NOTHING };

#define X(id, name) name " "
static const struct placeholder {
	const char *name, *words;
	enum how how;
} placeholders[] = {
	{"FILE", "", BY_FILES},
	{"SITE", "", BY_SITES},
	{"FROM", "", BY_SITES},
	{"INTO", "", BY_SITES},
	{"RANGE", "today yesterday 7d 30d", BY_WORDS},
	{"DATE", "today yesterday", BY_WORDS},
	{"DIMENSION", HIT_DIMENSIONS(X), BY_WORDS},
	{"METRIC", METRICS(X), BY_WORDS},
	{"WHEN", "auto always never", BY_WORDS},
};
#undef X

/* Of a command that takes any number of arguments so many are completed. */
static size_t
places_of(const struct command *command)
{
	enum { PLACES_MAX = 9 };
	return command->args_max < PLACES_MAX ? command->args_max : PLACES_MAX;
}

/* "FILE..." */
static bool
is_repeated(struct slice argument)
{
	return argument.len > 3 && memcmp(argument.ptr + argument.len - 3, "...", 3) == 0;
}

/* The nth argument of a command or option as the tables write it, "[RANGE]", "list|verify": its words with blanks. */
static enum how
complete_argument(const char *arguments, size_t nth, struct buf *words)
{
	struct slice argument = {arguments, strcspn(arguments, " ")};
	buf_clear(words);
	for (; nth > 0 && argument.len > 0 && !is_repeated(argument); nth--) {
		argument.ptr += argument.len;
		argument.ptr += *argument.ptr == ' ';
		argument.len = strcspn(argument.ptr, " ");
	}
	for (; argument.len > 0 && *argument.ptr == '['; argument.ptr++)
		argument.len--;
	argument.len = argument.len > 0 ? strcspn(argument.ptr, " ].") : 0;
	for (size_t i = 0; i < COUNT_OF(placeholders); i++)
		if (slice_eq(slice_of(placeholders[i].name), argument)) {
			buf_addf(words, "%s", placeholders[i].words);
			return placeholders[i].how;
		}
	if (!argument.ptr || !memchr(argument.ptr, '|', argument.len))
		return BY_NOTHING;
	for (size_t i = 0; i < argument.len; i++) {
		char c = argument.ptr[i] == '|' ? ' ' : argument.ptr[i];
		buf_add(words, &c, 1);
	}
	return BY_WORDS;
}

/* Help between single quotes, with a backslash before each of `special`. */
static void
add_quoted(struct buf *out, const char *text, const char *special)
{
	for (const char *at = text; *at; at++) {
		if (*at == '\'')
			buf_add_literal(out, "'\\''");
		else
			buf_addf(out, "%s%c", strchr(special, *at) ? "\\" : "", *at);
	}
}

/* --- bash --- */

/* "-c|--config" */
static void
add_pattern(struct buf *out, const struct option_row *option)
{
	if (option->letter)
		buf_addf(out, "-%c|", option->letter);
	buf_addf(out, "--%s", option->name);
}

static void
add_bash_action(struct buf *out, enum how how, const struct buf *words)
{
	if (how == BY_FILES)
		buf_add_literal(out, "files=1");
	else if (how == BY_SITES)
		buf_add_literal(out,
				"words=$(thongke \"${config[@]}\" completion sites 2>/dev/null)");
	else
		buf_addf(out, "words='%.*s'", SLICE_ARG(buf_slice(words)));
}

static void
add_bash_options(struct buf *out, const struct command_tables *tables)
{
	struct buf words = {0};
	buf_add_literal(out, "\tcase $prev in\n");
	for (size_t i = 0; i < tables->option_count; i++) {
		const struct option_row *option = &tables->options[i];
		if (!option->argument)
			continue;
		buf_add_literal(out, "\t");
		add_pattern(out, option);
		buf_add_literal(out, ") ");
		add_bash_action(out, complete_argument(option->argument, 0, &words), &words);
		buf_add_literal(out, " value=1 ;;\n");
	}
	buf_add_literal(out, "\tesac\n");
	buf_release(&words);
}

static void
add_bash_commands(struct buf *out, const struct command_tables *tables)
{
	struct buf words = {0};
	buf_add_literal(out, "\tcase $command:$place in\n\t:*) words='");
	for (size_t i = 0; i < tables->command_count; i++)
		buf_addf(out, "%s ", tables->commands[i].name);
	buf_add_literal(out, "' ;;\n");
	for (size_t i = 0; i < tables->command_count; i++)
		for (size_t nth = 0; nth < places_of(&tables->commands[i]); nth++) {
			enum how how =
				complete_argument(tables->commands[i].arguments, nth, &words);
			buf_addf(out, "\t%s:%zu) ", tables->commands[i].name, nth);
			add_bash_action(out, how, &words);
			buf_add_literal(out, " ;;\n");
		}
	buf_add_literal(out, "\tesac\n");
	buf_release(&words);
}

static void
add_bash_names(struct buf *out, const struct command_tables *tables)
{
	buf_add_literal(out, "\tcase ${command:-summary} in\n");
	for (size_t i = 0; i < tables->command_count; i++) {
		buf_addf(out, "\t%s) words='", tables->commands[i].name);
		for (size_t j = 0; j < tables->option_count; j++)
			if (command_takes(&tables->commands[i], &tables->options[j]))
				buf_addf(out, "--%s ", tables->options[j].name);
		buf_add_literal(out, "' ;;\n");
	}
	buf_add_literal(out, "\tesac\n");
}

static void
write_bash(struct buf *out, const struct command_tables *tables)
{
	buf_add_literal(
		out,
		"# thongke(1) in bash: written by `thongke completion bash`\n"
		"_thongke() {\n"
		"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
		"\tlocal command='' words='' files='' value='' skip='' word place=0 i config=()\n"
		"\t[ \"$prev\" = = ] && prev=${COMP_WORDS[COMP_CWORD-2]}\n"
		"\t[ \"$cur\" = = ] && cur=''\n"
		"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
		"\t\tword=${COMP_WORDS[i]}\n"
		"\t\t[ \"$word\" = = ] && continue\n"
		"\t\t[ \"$skip\" = -c ] && config=(-c \"$word\")\n"
		"\t\tif [ -n \"$skip\" ]; then skip=''; continue; fi\n"
		"\t\tcase $word in\n"
		"\t\t-c|--config) skip=-c ;;\n"
		"\t\t");
	const char *between = "";
	for (size_t i = 0; i < tables->option_count; i++) {
		if (!tables->options[i].argument)
			continue;
		buf_addf(out, "%s", between);
		add_pattern(out, &tables->options[i]);
		between = "|";
	}
	buf_add_literal(
		out, ") skip=1 ;;\n\t\t-*) ;;\n"
		     "\t\t*) if [ -z \"$command\" ]; then command=$word; else ((place++)); fi ;;\n"
		     "\t\tesac\n\tdone\n");
	add_bash_options(out, tables);
	buf_add_literal(out, "\tif [ -n \"$value\" ]; then :; elif [[ $cur == -* ]]; then\n");
	add_bash_names(out, tables);
	buf_add_literal(out, "\telse\n");
	add_bash_commands(out, tables);
	buf_add_literal(out, "\tfi\n"
			     "\tif [ -n \"$files\" ]; then\n"
			     "\t\tcompopt -o filenames 2>/dev/null\n"
			     "\t\tCOMPREPLY=($(compgen -f -- \"$cur\"))\n"
			     "\telse\n"
			     "\t\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
			     "\tfi\n"
			     "}\n"
			     "complete -F _thongke thongke\n");
}

/* --- zsh --- */

static void
add_zsh_action(struct buf *out, enum how how, const struct buf *words)
{
	if (how == BY_FILES)
		buf_add_literal(out, "_files");
	else if (how == BY_SITES)
		buf_add_literal(out, "_thongke_sites");
	else
		buf_addf(out, "(%.*s)", SLICE_ARG(buf_slice(words)));
}

/* '(-c --config)'{-c+,--config=}'[help]:FILE:_files' */
static void
add_zsh_option(struct buf *out, const struct option_row *option)
{
	struct buf words = {0};
	const char *argument = option->argument ? "=" : "";
	buf_add_literal(out, " \\\n\t\t");
	if (option->letter)
		buf_addf(out, "'*'{-%c%s,--%s%s}'[", option->letter, *argument ? "+" : "",
			 option->name, argument);
	else
		buf_addf(out, "'*--%s%s[", option->name, argument);
	add_quoted(out, option->help, "[]:\\");
	buf_add_literal(out, "]");
	if (option->argument) {
		enum how how = complete_argument(option->argument, 0, &words);
		buf_add_literal(out, ":");
		add_quoted(out, option->argument, "[]:\\");
		buf_add_literal(out, ":");
		add_zsh_action(out, how, &words);
	}
	buf_add_literal(out, "'");
	buf_release(&words);
}

static void
add_zsh_options(struct buf *out, const struct command_tables *tables, const struct command *command)
{
	for (size_t i = 0; i < tables->option_count; i++)
		if (command_takes(command, &tables->options[i]))
			add_zsh_option(out, &tables->options[i]);
}

static void
add_zsh_command(struct buf *out, const struct command_tables *tables, const struct command *command)
{
	struct buf words = {0};
	buf_addf(out, "\t%s) _arguments", command->name);
	add_zsh_options(out, tables, command);
	for (size_t nth = 0; nth < places_of(command); nth++) {
		enum how how = complete_argument(command->arguments, nth, &words);
		buf_addf(out, " \\\n\t\t'%zu: :", nth + 1);
		add_zsh_action(out, how, &words);
		buf_add_literal(out, "'");
	}
	buf_add_literal(out, " ;;\n");
	buf_release(&words);
}

static void
write_zsh(struct buf *out, const struct command_tables *tables)
{
	buf_add_literal(out, "#compdef thongke\n"
			     "# thongke(1) in zsh: written by `thongke completion zsh`\n"
			     "_thongke_sites() {\n"
			     "\tlocal -a sites config\n"
			     "\tlocal i=${words_of_thongke[(I)(-c|--config)]}\n"
			     "\t((i)) && config=(-c ${(Q)words_of_thongke[i + 1]})\n"
			     "\tsites=(${(f)\"$(thongke $config completion sites 2>/dev/null)\"})\n"
			     "\tcompadd -a sites\n"
			     "}\n"
			     "_thongke() {\n"
			     "\tlocal curcontext=$curcontext state line\n"
			     "\tlocal -a words_of_thongke commands\n"
			     "\ttypeset -A opt_args\n"
			     "\twords_of_thongke=(\"${words[@]}\")\n"
			     "\t_arguments -C");
	add_zsh_options(out, tables, &tables->commands[0]);
	buf_add_literal(out, " \\\n\t\t'1: :->command' '*:: :->argument'\n"
			     "\tcase $state in\n\tcommand) commands=(\n");
	for (size_t i = 0; i < tables->command_count; i++) {
		buf_addf(out, "\t\t'%s:", tables->commands[i].name);
		add_quoted(out, tables->commands[i].help, ":\\");
		buf_add_literal(out, "'\n");
	}
	buf_add_literal(out, "\t\t); _describe command commands; return ;;\n\tesac\n"
			     "\t[ \"$state\" = argument ] || return\n\tcase $words[1] in\n");
	for (size_t i = 0; i < tables->command_count; i++)
		add_zsh_command(out, tables, &tables->commands[i]);
	buf_add_literal(out, "\tesac\n}\n"
			     "if [ \"$funcstack[1]\" = _thongke ]; then _thongke \"$@\"; "
			     "else compdef _thongke thongke; fi\n");
}

/* --- fish --- */

static void
add_fish_action(struct buf *out, enum how how, const struct buf *words)
{
	if (how == BY_FILES)
		buf_add_literal(out, " -F");
	else if (how == BY_SITES)
		buf_add_literal(out, " -a '(__thongke_sites)'");
	else if (how == BY_WORDS)
		buf_addf(out, " -a '%.*s'", SLICE_ARG(buf_slice(words)));
}

static void
add_fish_option(struct buf *out, const struct command_tables *tables,
		const struct option_row *option)
{
	struct buf words = {0};
	buf_add_literal(out, "complete -c thongke");
	if (option->needs) {
		buf_add_literal(out, " -n '__fish_seen_subcommand_from");
		for (size_t i = 0; i < tables->command_count; i++)
			if (command_takes(&tables->commands[i], option))
				buf_addf(out, " %s", tables->commands[i].name);
		buf_add_literal(out, "'");
	}
	if (option->letter)
		buf_addf(out, " -s %c", option->letter);
	buf_addf(out, " -l %s", option->name);
	if (option->argument) {
		enum how how = complete_argument(option->argument, 0, &words);
		buf_addf(out, "%s", how == BY_FILES ? " -r" : " -x");
		add_fish_action(out, how, &words);
	}
	buf_add_literal(out, " -d '");
	add_quoted(out, option->help, "");
	buf_add_literal(out, "'\n");
	buf_release(&words);
}

static void
add_fish_command(struct buf *out, const struct command *command)
{
	struct buf words = {0};
	buf_addf(out, "complete -c thongke -n __fish_use_subcommand -a %s -d '", command->name);
	add_quoted(out, command->help, "");
	buf_add_literal(out, "'\n");
	for (size_t nth = 0; nth < places_of(command); nth++) {
		enum how how = complete_argument(command->arguments, nth, &words);
		if (how == BY_NOTHING)
			continue;
		buf_addf(out, "complete -c thongke -n '__fish_seen_subcommand_from %s'",
			 command->name);
		add_fish_action(out, how, &words);
		buf_add_literal(out, "\n");
	}
	buf_release(&words);
}

static void
write_fish(struct buf *out, const struct command_tables *tables)
{
	buf_add_literal(
		out, "# thongke(1) in fish: written by `thongke completion fish`\n"
		     "function __thongke_sites\n"
		     "\tset -l words (commandline -opc)\n"
		     "\tset -l config\n"
		     "\tfor i in (seq (count $words))\n"
		     "\t\tif contains -- $words[$i] -c --config; and test $i -lt (count $words)\n"
		     "\t\t\tset config -c $words[(math $i + 1)]\n"
		     "\t\tend\n"
		     "\tend\n"
		     "\tthongke $config completion sites 2>/dev/null\n"
		     "end\n"
		     "complete -c thongke -f\n");
	for (size_t i = 0; i < tables->command_count; i++)
		add_fish_command(out, &tables->commands[i]);
	for (size_t i = 0; i < tables->option_count; i++)
		add_fish_option(out, tables, &tables->options[i]);
}

/* --- the command --- */

/* Redis is not asked: whoever presses a key does not wait for it. */
static void
write_sites(struct buf *out, struct cli *cli)
{
	char error[1024];
	cli->conf = cli_load_conf(cli, error, sizeof(error));
	if (!cli->conf)
		cli_fail(CLI_CONF, "%s", error);
	for (size_t i = 0; i < cli->conf->site_count; i++)
		buf_addf(out, "%s\n", cli->conf->sites[i].key);
}

int
cmd_completion(struct cli *cli)
{
	static const struct {
		const char *name;
		void (*write)(struct buf *out, const struct command_tables *tables);
	} shells[] = {{"bash", write_bash}, {"zsh", write_zsh}, {"fish", write_fish}};
	struct buf out = {0};
	size_t at = 0;
	while (at < COUNT_OF(shells) && strcmp(shells[at].name, cli->args[0]) != 0)
		at++;
	if (at < COUNT_OF(shells))
		shells[at].write(&out, cli->tables);
	else if (strcmp(cli->args[0], "sites") == 0)
		write_sites(&out, cli);
	else
		cli_fail(CLI_USAGE, "completion is for bash, zsh or fish, not \"%s\"",
			 cli->args[0]);
	cli_write(&out);
	buf_release(&out);
	return CLI_FINE;
}
