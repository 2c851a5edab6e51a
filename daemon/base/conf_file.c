/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading configuration files with libconfuse: its parser, our files, values, includes and sentences.
 *
 * libconfuse gets text, not files: its line numbers go wrong after comments (so they are blanked first), a read error
 * inside it ends the process, and its include knows no patterns. Each site is taken out of its tree as soon as the
 * section closes, so that memory and time do not grow with their number. Its lexer is global: one thread only.
 */
#include <confuse.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/conf_keys.h"
#include "base/conf_value.h"

enum { INCLUDE_DEPTH = 8, FILE_SIZE_MAX = 64 * 1024 * 1024, OPTIONS_MAX = 32 };

struct open_file {
	dev_t device;
	ino_t inode;
};

struct reader {
	struct conf_loading *loading;
	const char *file; /* being read; lives in the pool */
	struct open_file open[INCLUDE_DEPTH];
	int depth;
	struct conf_site site; /* of the section that is open */
	const cfg_t *section;  /* whose values are in `site` */
	uint8_t defaults
		[OPTIONS_MAX *
		 4]; /* of each list, how many values libconfuse has yet to give by itself */
};

/* Every section's first option is "include"; through it the callbacks, which get no argument, find the reader. */
static struct reader *
reader_of(const cfg_t *cfg)
{
	return cfg->opts[0].simple_value.ptr ? (struct reader *)cfg->opts[0].simple_value.ptr
					     : NULL;
}

static const struct conf_key *
key_of(const cfg_opt_t *opt)
{
	return &conf_keys[opt->def.number];
}

static void
refuse_syntax(const cfg_t *cfg, const char *format, va_list args)
{
	struct reader *reader = reader_of(cfg);
	char text[256];
	vsnprintf(text, sizeof(text), format, args);
	conf_refuse(reader->loading, "%s:%d: %s", reader->file, cfg->line, text);
}

static void
refuse_name(const cfg_t *cfg, const char *name)
{
	struct reader *reader = reader_of(cfg);
	char known[512];
	bool root = strcmp(cfg->name, "root") == 0;
	conf_key_list_names(root ? "" : cfg->name, known, sizeof(known));
	conf_refuse(reader->loading, "%s:%d: there is no key \"%.64s\"%s%s; allowed: %s%s",
		    reader->file, cfg->line, name, root ? "" : " in ", root ? "" : cfg->name, known,
		    root ? ", include" : "");
}

static void
conf_file_error_cb(cfg_t *cfg, const char *format, va_list args)
{
	if (strcmp(format, "no such option '%s'") == 0)
		refuse_name(cfg, va_arg(args, const char *));
	else
		refuse_syntax(cfg, format, args);
}

/* --- values --- */

/*
 * libconfuse sets a list that has a default to it when a section opens, by the same callback. Those values are counted, so
 * that what the file says is told from them.
 */
static size_t
default_values(const struct conf_key *key)
{
	size_t count = conf_key_is_list(key) && key->initial && *key->initial;
	for (const char *at = key->initial; count && (at = strchr(at, ',')); at++)
		count++;
	return count;
}

static void
expect_defaults(struct reader *reader, const char *section)
{
	for (size_t i = 0; i < conf_key_count; i++)
		if (conf_key_in(&conf_keys[i], section))
			reader->defaults[i] = (uint8_t)default_values(&conf_keys[i]);
}

/*
 * Begins a site with the first value of its section. libconfuse reads the default of `rows` when a section opens,
 * so that is also the line of the opening.
 */
static void
open_site(struct reader *reader, const cfg_t *cfg)
{
	if (reader->section == cfg)
		return;
	reader->section = cfg;
	reader->site = (struct conf_site){.file = reader->file, .line = cfg->line};
	conf_key_defaults(reader->loading->box, "site", &reader->site);
	expect_defaults(reader, "site");
}

static void
note_value(struct reader *reader, const cfg_t *cfg, const struct conf_key *key)
{
	char where[512];
	uint8_t *left = &reader->defaults[key - conf_keys];
	if (*left > 0) {
		--*left;
		return;
	}
	snprintf(where, sizeof(where), "%s:%d", reader->file, cfg->line);
	conf_note(reader->loading, key, conf_key_in(key, "site") ? cfg->title : NULL, where);
}

static int
conf_file_value_cb(cfg_t *cfg, cfg_opt_t *opt, const char *value, void *result)
{
	struct reader *reader = reader_of(cfg);
	const struct conf_key *key = key_of(opt);
	struct conf_box *box = reader->loading->box;
	bool of_site = conf_key_in(key, "site");
	void *base = of_site ? (void *)&reader->site : &box->conf;
	if (of_site)
		open_site(reader, cfg);
	if (conf_key_is_list(key) && opt->nvalues == 1)
		conf_key_clear_list(key, base);
	*(const char **)result = ""; /* what the tree keeps */
	note_value(reader, cfg, key);
	if (conf_key_put(box, key, base, value))
		return 0;
	char where[512];
	snprintf(where, sizeof(where), "%s:%d", reader->file, cfg->line);
	conf_refuse_value(reader->loading, where, key, of_site ? cfg->title : NULL, value);
	return -1;
}

/* A list that was set to {} has had no value to call back with, nor a line; one without a default is empty anyway. */
static void
take_empty_lists(const struct reader *reader, const cfg_t *cfg, const char *file, void *base)
{
	for (cfg_opt_t *opt = cfg->opts; opt->name; opt++) {
		if (!(opt->flags & CFGF_LIST) || opt->nvalues > 0)
			continue;
		conf_key_clear_list(key_of(opt), base);
		if (default_values(key_of(opt)) > 0)
			conf_note(reader->loading, key_of(opt), cfg->title, file);
	}
}

static bool
finish_site(struct reader *reader, const cfg_t *cfg)
{
	struct conf_loading *loading = reader->loading;
	struct conf_box *box = loading->box;
	struct conf_site *site = &reader->site;
	open_site(reader, cfg);
	take_empty_lists(reader, cfg, site->file, site);
	if (!conf_parse_site_key(cfg->title)) {
		conf_refuse(loading,
			    "%s:%d: a site's key is \"%.80s\"; allowed: a-z, 0-9 and ._- after a "
			    "letter or digit, "
			    "at most %d",
			    site->file, site->line, cfg->title, CONF_SITE_KEY_MAX);
		return false;
	}
	site->key = conf_pool_text(&box->pool, slice_of(cfg->title));
	const struct conf_key *zone = conf_key_find("site", "timezone");
	if (!site->zone && !conf_key_put(box, zone, site, zone->initial)) {
		char where[512];
		snprintf(where, sizeof(where), "%s:%d", site->file, site->line);
		conf_refuse_value(loading, where, zone, cfg->title, zone->initial);
		return false;
	}
	conf_add_site(box, site);
	return true;
}

static int
conf_file_site_cb(cfg_t *cfg, cfg_opt_t *opt)
{
	struct reader *reader = reader_of(cfg);
	unsigned last = cfg_opt_size(opt) - 1;
	bool fine = finish_site(reader, cfg_opt_getnsec(opt, last));
	reader->section = NULL;
	cfg_opt_rmnsec(opt, last);
	return fine ? 0 : -1;
}

/* --- files --- */

static const char *
skip_variable(const char *at, const char *end)
{
	const char *close = memchr(at, '}', (size_t)(end - at));
	return close ? close : end - 1;
}

/* From an opening quote to past the closing one, NULL when there is none. A NUL ends the text. */
static char *
skip_string(char *at, const char *end)
{
	char quote = *at++;
	for (; at < end && *at != quote; at++) {
		if (*at == '\\' && at + 1 < end)
			at++;
		else if (quote == '"' && at[0] == '$' && at[1] == '{')
			at = (char *)skip_variable(at, end);
	}
	return at < end ? at + 1 : NULL;
}

static char *
blank_until(char *at, const char *stop)
{
	for (; at < stop; at++)
		if (*at != '\n')
			*at = ' ';
	return at;
}

/* NULL when a comment starts at `at` and does not end; `at` when none starts there. */
static char *
blank_comment(char *at, char *end, bool token_start)
{
	bool line = *at == '#' || (token_start && at[0] == '/' && at[1] == '/');
	if (line) {
		char *newline = memchr(at, '\n', (size_t)(end - at));
		return blank_until(at, newline ? newline : end);
	}
	if (!token_start || at[0] != '/' || at[1] != '*')
		return at;
	const char *close = memmem(at + 2, (size_t)(end - at) - 2, "*/", 2);
	return close ? blank_until(at, close + 2) : NULL;
}

/* What the text lacks: the end of a comment, a string or a section that starts at `at`. */
struct unclosed {
	const char *what; /* NULL: nothing */
	const char *at;
};

/*
 * Turns comments into spaces, by the lexer's own rules. Counts braces as well: for libconfuse the end of the file
 * closes any section.
 */
static struct unclosed
blank_comments(char *text, size_t len)
{
	char *end = text + len;
	const char *section = NULL;
	int depth = 0;
	bool token_start = true;
	for (char *at = text; at < end;) {
		char *next = *at == '"' || *at == '\'' ? skip_string(at, end)
						       : blank_comment(at, end, token_start);
		if (!next)
			return (struct unclosed){*at == '/' ? "a comment" : "a string", at};
		if (next == at && *at == '{' && depth++ == 0)
			section = at;
		else if (next == at && *at == '}')
			depth--;
		token_start = next > at || strchr(" \t\r\n={}()+,*", *at);
		if (next == at && at[0] == '$' && at[1] == '{')
			next = (char *)skip_variable(at, end) + 1;
		at = next > at ? next : at + 1;
	}
	return depth > 0 ? (struct unclosed){"a brace", section} : (struct unclosed){0};
}

static void
refuse_file(struct reader *reader, const cfg_t *cfg, const char *path, const char *why)
{
	if (reader->depth == 0)
		conf_refuse(reader->loading, "%s: the configuration cannot be read: %s", path, why);
	else
		conf_refuse(reader->loading, "%s:%d: \"%s\" cannot be included: %s", reader->file,
			    cfg->line, path, why);
}

/* NULL when all is well, else what is not. */
static const char *
read_descriptor(int fd, const struct stat *status, struct buf *text)
{
	if (!S_ISREG(status->st_mode))
		return "it is not a file";
	if (status->st_size > FILE_SIZE_MAX)
		return "it is larger than 64 MiB";
	for (;;) {
		ssize_t got = read(fd, buf_reserve(text, 64 * 1024), 64 * 1024);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return strerror(errno);
		if (got == 0)
			break;
		text->len += (size_t)got;
		if (text->len > FILE_SIZE_MAX)
			return "it is larger than 64 MiB";
	}
	if (text->len > 0 && memchr(text->data, '\0', text->len))
		return "it holds a NUL byte";
	if (text->len == 0) /* fmemopen takes no empty text */
		buf_add_literal(text, "\n");
	*buf_reserve(text, 1) = '\0'; /* for looking ahead */
	return NULL;
}

static const char *
enter_file(struct reader *reader, const char *path, struct buf *text)
{
	struct stat status;
	const char *trouble = NULL;
	if (reader->depth == INCLUDE_DEPTH)
		return "includes are nested more than 8 deep";
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &status) != 0)
		trouble = strerror(errno);
	for (int i = 0; !trouble && i < reader->depth; i++)
		if (reader->open[i].device == status.st_dev &&
		    reader->open[i].inode == status.st_ino)
			trouble = "it includes itself";
	if (!trouble)
		trouble = read_descriptor(fd, &status, text);
	if (fd >= 0)
		close(fd);
	if (!trouble)
		reader->open[reader->depth++] = (struct open_file){status.st_dev, status.st_ino};
	return trouble;
}

static int
parse_text(struct reader *reader, cfg_t *cfg, struct buf *text)
{
	struct unclosed unclosed = blank_comments(text->data, text->len);
	if (unclosed.what) {
		int line = 1;
		for (const char *at = text->data; at < unclosed.at; at++)
			line += *at == '\n';
		conf_refuse(reader->loading, "%s:%d: %s is opened here and never closed",
			    reader->file, line, unclosed.what);
		return -1;
	}
	FILE *stream = fmemopen(text->data, text->len, "r");
	if (!stream) {
		conf_refuse(reader->loading, "%s: %s", reader->file, strerror(errno));
		return -1;
	}
	int failed = cfg_parse_fp(cfg, stream);
	fclose(stream);
	if (failed) /* where libconfuse says nothing itself */
		conf_refuse(reader->loading, "%s:%d: a syntax error", reader->file, cfg->line);
	return failed;
}

static int
parse_file(struct reader *reader, cfg_t *cfg, const char *path)
{
	struct buf text = {0};
	int line = cfg->line;
	const char *outer = reader->file;
	const char *trouble = enter_file(reader, path, &text);
	int failed = -1;
	if (trouble) {
		refuse_file(reader, cfg, path, trouble);
	} else {
		reader->file = conf_pool_text(&reader->loading->box->pool, slice_of(path));
		failed = parse_text(reader, cfg, &text);
		reader->file = outer;
		reader->depth--;
		cfg->line = line;
	}
	buf_release(&text);
	return failed;
}

static int
compare_paths(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The pattern below the including file's directory, whose own name is no pattern. */
static char *
pattern_path(const char *file, const char *pattern)
{
	struct buf path = {0};
	const char *slash = strrchr(file, '/');
	for (const char *at = file; pattern[0] != '/' && slash && at <= slash; at++) {
		if (strchr("*?[\\", *at))
			buf_add_literal(&path, "\\");
		buf_add(&path, at, 1);
	}
	buf_add(&path, pattern, strlen(pattern) + 1);
	return path.data;
}

/* A directory that is not there holds no files; one that cannot be read is trouble. */
static int
conf_file_glob_cb(const char *path, int error)
{
	(void)path;
	return error != ENOENT && error != ENOTDIR;
}

static int
include_pattern(struct reader *reader, cfg_t *cfg, const char *pattern)
{
	glob_t found = {0};
	char *path = pattern_path(reader->file, pattern);
	int failed = glob(path, GLOB_NOSORT, conf_file_glob_cb, &found);
	if (failed == GLOB_NOMATCH) {
		failed = 0; /* an empty conf.d is fine, a file that was named must be there */
		if (!strpbrk(pattern, "*?[")) {
			refuse_file(reader, cfg, pattern, strerror(ENOENT));
			failed = -1;
		}
	} else if (failed) {
		refuse_file(reader, cfg, pattern, "its directory cannot be read");
	} else {
		/* By bytes, whatever the locale. */
		qsort(found.gl_pathv, found.gl_pathc, sizeof(char *), compare_paths);
	}
	for (size_t i = 0; !failed && i < found.gl_pathc; i++)
		failed = parse_file(reader, cfg, found.gl_pathv[i]);
	globfree(&found);
	free(path);
	return failed;
}

static int
conf_file_include_cb(cfg_t *cfg, cfg_opt_t *opt, int argc, const char **argv)
{
	(void)opt;
	struct reader *reader = reader_of(cfg);
	if (argc == 1 && argv[0][0] && strcmp(cfg->name, "root") == 0)
		return include_pattern(reader, cfg, argv[0]);
	conf_refuse(reader->loading,
		    "%s:%d: include is used wrongly; allowed: include(\"conf.d/*.conf\"), outside "
		    "of sections",
		    reader->file, cfg->line);
	return -1;
}

/* --- options --- */

static cfg_opt_t
include_option(struct reader *reader)
{
	cfg_opt_t option = CFG_FUNC("include", conf_file_include_cb);
	option.simple_value.ptr = (void **)reader;
	return option;
}

static cfg_opt_t
key_option(struct reader *reader, size_t at)
{
	const struct conf_key *key = &conf_keys[at];
	cfg_opt_t option = CFG_STR_CB(key->name, NULL, CFGF_NODEFAULT, conf_file_value_cb);
	if (conf_key_is_list(key))
		option.flags = CFGF_LIST;
	if (conf_key_is_list(key) && key->initial && key->initial[0]) {
		/* The tree knows the defaults of lists because += adds to them. */
		char list[256];
		snprintf(list, sizeof(list), "{%s}", key->initial);
		option.def.parsed = conf_pool_text(&reader->loading->box->pool, slice_of(list));
	}
	option.def.number = (long)at;
	return option;
}

/* The options that stand in a section, up to CFG_END. */
static void
fill_options(struct reader *reader, const char *section, cfg_opt_t options[OPTIONS_MAX])
{
	size_t count = 0;
	options[count++] = include_option(reader);
	for (size_t i = 0; i < conf_key_count; i++)
		if (conf_key_in(&conf_keys[i], section))
			options[count++] = key_option(reader, i);
	options[count] = (cfg_opt_t)CFG_END();
}

static cfg_t *
new_tree(struct reader *reader)
{
	cfg_opt_t root[OPTIONS_MAX], journal[OPTIONS_MAX], limits[OPTIONS_MAX], site[OPTIONS_MAX];
	fill_options(reader, "journal", journal);
	fill_options(reader, "limits", limits);
	fill_options(reader, "site", site);
	fill_options(reader, "", root);
	size_t count = (size_t)cfg_numopts(root);
	root[count++] = (cfg_opt_t)CFG_SEC("journal", journal, CFGF_NONE);
	root[count++] = (cfg_opt_t)CFG_SEC("limits", limits, CFGF_NONE);
	root[count++] = (cfg_opt_t)CFG_SEC("site", site, CFGF_MULTI | CFGF_TITLE);
	root[count] = (cfg_opt_t)CFG_END();
	cfg_t *tree = cfg_init(root, CFGF_NONE);
	if (tree) {
		cfg_set_error_function(tree, conf_file_error_cb);
		cfg_set_validate_func(tree, "site", conf_file_site_cb);
	}
	return tree;
}

bool
conf_file_read(struct conf_loading *loading, const char *path)
{
	struct reader reader = {.loading = loading, .file = path};
	expect_defaults(&reader, "");
	expect_defaults(&reader, "journal");
	expect_defaults(&reader, "limits");
	cfg_t *tree = new_tree(&reader);
	if (!tree) {
		conf_refuse(loading, "%s: the configuration parser cannot start", path);
		return false;
	}
	bool fine = parse_file(&reader, tree, path) == 0;
	if (fine)
		take_empty_lists(&reader, tree, path, &loading->box->conf);
	cfg_free(tree);
	return fine;
}
