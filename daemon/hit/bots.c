/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of bots. All its patterns are one alternation, which says at once that a user agent is nobody's; only for
 * the others are the lines asked one by one, so that the first in the file gives the name. Nothing that a pattern may
 * hold can reach beyond its line, so the alternation has them by their first byte: one look rules a whole group out.
 */
#include "hit/bots.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/buf.h"
#include "base/log.h"

enum {
	HEAP_KIB = 1024,         /* of a match that has no JIT */
	DEPTH_MAX = 1000,        /* of its nested backtracking */
	STACK_START = 32 * 1024, /* bytes of the stack of a match that has JIT */
	STACK_MAX = 256 * 1024,  /* what does not fit matches nothing */
	OPTIONS = PCRE2_CASELESS | PCRE2_NO_AUTO_CAPTURE,
};

struct bot {
	char name[HIT_WORD_MAX + 1];
	int line;
	pcre2_code *code;
};

struct bots {
	atomic_int references;
	pcre2_code *any; /* every line; NULL: there is none */
	struct bot *list;
	size_t count;
};

/* Where what a pattern matches begins: with a byte, where the user agent does, or either. */
enum { FIRST_BYTES = 256, AT_START = FIRST_BYTES, ANYWHERE, GROUPS };

/* A file while it is being read. */
struct reading {
	const char *path;
	int line;
	struct bots *bots;
	struct buf groups[GROUPS]; /* of `any`: patterns, each with a bar before it */
	char *error;
	size_t error_size;
};

static void
bots_free(struct bots *bots)
{
	for (size_t i = 0; i < bots->count; i++)
		pcre2_code_free(bots->list[i].code);
	pcre2_code_free(bots->any);
	free(bots->list);
	free(bots);
}

struct bots *
bots_ref(struct bots *bots)
{
	if (bots)
		atomic_fetch_add_explicit(&bots->references, 1, memory_order_relaxed);
	return bots;
}

void
bots_unref(struct bots *bots)
{
	if (bots && atomic_fetch_sub_explicit(&bots->references, 1, memory_order_acq_rel) == 1)
		bots_free(bots);
}

size_t
bots_count(const struct bots *bots)
{
	return bots ? bots->count : 0;
}

/* "FILE:LINE: SENTENCE", without the line where it is 0. Always -1. */
static int PRINTF(2, 3) refuse(const struct reading *r, const char *format, ...)
{
	char sentence[512];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(sentence, sizeof(sentence), format, arguments);
	va_end(arguments);
	if (r->line > 0)
		snprintf(r->error, r->error_size, "%s:%d: %s", r->path, r->line, sentence);
	else
		snprintf(r->error, r->error_size, "%s: %s", r->path, sentence);
	return -1;
}

/* A machine that forbids to make code at run time leaves it without JIT: slower, and the same. */
static pcre2_code *
compile(const char *pattern, size_t len, int *number, size_t *at)
{
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, len, OPTIONS, number, at, NULL);
	if (code)
		(void)pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);
	return code;
}

static uint32_t
code_info(const pcre2_code *code, uint32_t what)
{
	uint32_t value = 0;
	(void)pcre2_pattern_info(code, what, &value);
	return value;
}

/* What would mean something else among other patterns, or end a match of theirs. */
static const char *
reaching(struct slice pattern)
{
	static const char *const reaching[] = {"(*", "(?R", "(?0", "\\g"};
	for (size_t i = 0; i < COUNT_OF(reaching); i++)
		if (memmem(pattern.ptr, pattern.len, reaching[i], strlen(reaching[i])))
			return reaching[i];
	return NULL;
}

static int
pattern_check(const struct reading *r, struct slice pattern, const pcre2_code *code)
{
	const char *found = reaching(pattern);
	if (found)
		return refuse(r,
			      "the pattern has %s; allowed: patterns without verbs and "
			      "recursion (a bracket that is meant is written \\x28)",
			      found);
	if (code_info(code, PCRE2_INFO_CAPTURECOUNT) > 0)
		return refuse(r, "the pattern captures; allowed: groups without a name, (...) or "
				 "(?:...)");
	if (code_info(code, PCRE2_INFO_MATCHEMPTY) > 0)
		return refuse(r, "the pattern may match nothing at all, and so everybody; "
				 "allowed: patterns that need at least one character");
	return 0;
}

static int
pattern_group(const pcre2_code *code)
{
	if (code_info(code, PCRE2_INFO_ALLOPTIONS) & PCRE2_ANCHORED)
		return AT_START;
	if (code_info(code, PCRE2_INFO_FIRSTCODETYPE) == 1)
		return (int)code_info(code, PCRE2_INFO_FIRSTCODEUNIT) % FIRST_BYTES;
	return ANYWHERE;
}

/* Adds it to the alternation, where it must be as whole as alone: a comment that swallows its bracket is not. */
static int
pattern_join(struct reading *r, struct slice pattern, int group)
{
	int number;
	size_t at;
	struct buf *to = &r->groups[group];
	size_t start = to->len + 1;
	buf_add_literal(to, "|(?:");
	buf_add_slice(to, pattern);
	buf_add_literal(to, ")");
	pcre2_code *code = pcre2_compile((PCRE2_SPTR)to->data + start, to->len - start, OPTIONS,
					 &number, &at, NULL);
	pcre2_code_free(code);
	return code ? 0
		    : refuse(r, "the pattern does not end where the line does; allowed: patterns "
				"that close what they open");
}

static pcre2_code *
pattern_read(struct reading *r, struct slice pattern)
{
	int number;
	size_t at;
	pcre2_code *code = compile(pattern.ptr, pattern.len, &number, &at);
	if (!code) {
		char message[200];
		(void)pcre2_get_error_message(number, (PCRE2_UCHAR *)message, sizeof(message));
		(void)refuse(r, "%s, at character %zu of the pattern; allowed: a PCRE2 pattern",
			     message, at + 1);
		return NULL;
	}
	if (pattern_check(r, pattern, code) == 0 &&
	    pattern_join(r, pattern, pattern_group(code)) == 0)
		return code;
	pcre2_code_free(code);
	return NULL;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Parts a line at its first two blanks, or tab. An absent pattern: there is no such place. */
static void
line_split(struct slice line, struct slice *name, struct slice *pattern)
{
	size_t end = 0;
	while (end < line.len && line.ptr[end] != '\t' &&
	       !(line.ptr[end] == ' ' && end + 1 < line.len && is_blank(line.ptr[end + 1])))
		end++;
	*name = (struct slice){line.ptr, end};
	while (end < line.len && is_blank(line.ptr[end]))
		end++;
	*pattern = (struct slice){end < line.len ? line.ptr + end : NULL, line.len - end};
}

static bool
is_printable(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] < ' ' || text.ptr[i] > '~')
			return false;
	return true;
}

static int
line_read(struct reading *r, struct slice line)
{
	struct slice name, pattern;
	line_split(line, &name, &pattern);
	if (!pattern.ptr)
		return refuse(r,
			      "there is no pattern; allowed: NAME, two spaces or a tab, PATTERN");
	if (name.len == 0 || name.len > HIT_WORD_MAX || name.ptr[0] == '(' || name.ptr[0] == ' ' ||
	    !is_printable(name))
		return refuse(r,
			      "this is no name; allowed: 1 to %d printable ASCII characters, the "
			      "first no bracket",
			      HIT_WORD_MAX);
	if (r->bots->count == BOTS_LINES_MAX)
		return refuse(r, "there are too many patterns; allowed: %d", BOTS_LINES_MAX);
	pcre2_code *code = pattern_read(r, pattern);
	if (!code)
		return -1;
	struct bot *bot = &r->bots->list[r->bots->count++];
	*bot = (struct bot){.line = r->line, .code = code};
	memcpy(bot->name, name.ptr, name.len);
	return 0;
}

/* A line as fgets left it; without what ends it it was too long, or the file's last. */
static int
line_take(struct reading *r, const char *text, bool last)
{
	size_t len = strlen(text);
	r->line++;
	if (!last && (len == 0 || text[len - 1] != '\n'))
		return refuse(r,
			      "the line is too long or has a zero byte; allowed: %d bytes of "
			      "text",
			      BOTS_LINE_MAX);
	while (len > 0 && (is_blank(text[len - 1]) || strchr("\r\n", text[len - 1])))
		len--;
	if (len == 0 || text[0] == '#')
		return 0;
	return line_read(r, (struct slice){text, len});
}

static int
lines_read(struct reading *r, FILE *file)
{
	char text[BOTS_LINE_MAX + 2];
	while (fgets(text, sizeof(text), file))
		if (line_take(r, text, feof(file)) < 0)
			return -1;
	r->line = 0;
	return ferror(file) ? refuse(r, "cannot be read: %s; allowed: a file, or no list at all",
				     strerror(errno))
			    : 0;
}

static int
file_read(struct reading *r)
{
	FILE *file = fopen(r->path, "re");
	if (!file)
		return refuse(r,
			      "cannot be opened: %s; allowed: a readable file, or no list at all",
			      strerror(errno));
	int result = lines_read(r, file);
	fclose(file);
	return result;
}

static void
group_add(struct buf *any, const struct buf *group, int first)
{
	if (group->len == 0)
		return;
	if (first == AT_START)
		buf_add_literal(any, "|^(?:");
	else if (first == ANYWHERE)
		buf_add_literal(any, "|(?:");
	else
		buf_addf(any, "|(?=\\x{%x})(?:", (unsigned)first);
	buf_add(any, group->data + 1, group->len - 1);
	buf_add_literal(any, ")");
}

/* All lines as one pattern, which is without fault; it can only be too large. */
static int
any_compile(struct reading *r)
{
	int number;
	size_t at;
	struct buf any = {0};
	if (r->bots->count == 0)
		return 0;
	r->line = 0;
	for (int i = 0; i < GROUPS; i++)
		group_add(&any, &r->groups[i], i);
	r->bots->any = compile(any.data + 1, any.len - 1, &number, &at);
	buf_release(&any);
	return r->bots->any ? 0
			    : refuse(r, "all patterns together are too large for PCRE2; allowed: "
					"about 32 KiB");
}

struct bots *
bots_read(const char *path, char *error, size_t error_size)
{
	struct bots *bots = xcalloc(1, sizeof(*bots));
	struct reading r = {.path = path, .bots = bots, .error = error, .error_size = error_size};
	atomic_init(&bots->references, 1);
	bots->list = xcalloc(BOTS_LINES_MAX, sizeof(bots->list[0]));
	int result = file_read(&r);
	if (result == 0)
		result = any_compile(&r);
	for (int i = 0; i < GROUPS; i++)
		buf_release(&r.groups[i]);
	if (result == 0)
		return bots;
	bots_free(bots);
	return NULL;
}

struct bots_scratch {
	pcre2_match_data *data;
	pcre2_match_context *context;
	pcre2_jit_stack *stack;
};

struct bots_scratch *
bots_scratch_new(void)
{
	struct bots_scratch *scratch = xcalloc(1, sizeof(*scratch));
	scratch->data = pcre2_match_data_create(1, NULL);
	scratch->context = pcre2_match_context_create(NULL);
	scratch->stack = pcre2_jit_stack_create(STACK_START, STACK_MAX, NULL);
	if (!scratch->data || !scratch->context || !scratch->stack)
		die("there is no memory left to match patterns with");
	pcre2_set_match_limit(scratch->context, BOTS_STEPS_MAX);
	pcre2_set_depth_limit(scratch->context, DEPTH_MAX);
	pcre2_set_heap_limit(scratch->context, HEAP_KIB);
	pcre2_jit_stack_assign(scratch->context, NULL, scratch->stack);
	return scratch;
}

void
bots_scratch_free(struct bots_scratch *scratch)
{
	if (!scratch)
		return;
	pcre2_jit_stack_free(scratch->stack);
	pcre2_match_context_free(scratch->context);
	pcre2_match_data_free(scratch->data);
	free(scratch);
}

/* Every error, a limit that was reached above all, is no match. */
static bool
matches(const pcre2_code *code, struct bots_scratch *scratch, struct slice text)
{
	return pcre2_match(code, (PCRE2_SPTR)text.ptr, text.len, 0, 0, scratch->data,
			   scratch->context) >= 0;
}

struct bots_match
bots_at(const struct bots *bots, int place)
{
	const struct bot *bot = &bots->list[place];
	return (struct bots_match){slice_of(bot->name), bot->line, place};
}

bool
bots_find(const struct bots *bots, struct bots_scratch *scratch, struct slice user_agent,
	  struct bots_match *out)
{
	struct slice seen = user_agent;
	if (seen.len > BOTS_AGENT_MAX)
		seen.len = BOTS_AGENT_MAX;
	if (!bots || !bots->any || !seen.ptr || !matches(bots->any, scratch, seen))
		return false;
	for (size_t i = 0; i < bots->count; i++)
		if (matches(bots->list[i].code, scratch, seen)) {
			*out = bots_at(bots, (int)i);
			return true;
		}
	return false;
}
