/* SPDX-License-Identifier: BSD-2-Clause */
/* Text that strangers supplied, made harmless. Decides by code points alone; how wide they are is another question. */
#include "base/inert.h"

#include "base/form.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

struct block {
	uint32_t first, last;
};

static const struct block acting[] = {
	{0x0000, 0x001f},   /* C0 */
	{0x007f, 0x009f},   /* DEL, C1 */
	{0x061c, 0x061c},   /* Arabic letter mark */
	{0x200b, 0x200b},   /* zero width space */
	{0x200e, 0x200f},   /* direction marks */
	{0x2028, 0x202e},   /* ends of lines and paragraphs, embeddings, overrides */
	{0x2060, 0x206f},   /* invisible operators, isolates */
	{0xfeff, 0xfeff},   /* byte order mark */
	{0xfff9, 0xfffb},   /* annotations */
	{0xe0000, 0xe007f}, /* tags */
};

bool
inert_acts(uint32_t code)
{
	for (size_t i = 0; i < COUNT_OF(acting); i++)
		if (code >= acting[i].first && code <= acting[i].last)
			return true;
	return false;
}

/* Takes the next character off *text; absent: a byte that is no UTF-8. */
static struct slice
take(struct slice *text, uint32_t *code)
{
	size_t len = utf8_decode(*text, code);
	struct slice character = {len ? text->ptr : NULL, len};
	text->ptr += len ? len : 1;
	text->len -= len ? len : 1;
	return character;
}

static bool
is_space(uint32_t code)
{
	return (code >= '\t' && code <= '\r') || code == 0x85 || code == 0x2028 || code == 0x2029;
}

void
inert_add(struct buf *out, struct slice text)
{
	while (text.len > 0) {
		uint32_t code;
		struct slice character = take(&text, &code);
		if (character.ptr && is_space(code))
			character = SLICE(" ");
		else if (!character.ptr || inert_acts(code))
			character = SLICE(REPLACEMENT);
		buf_add_slice(out, character);
	}
}

void
inert_add_utf8(struct buf *out, struct slice text)
{
	while (text.len > 0) {
		uint32_t code;
		struct slice character = take(&text, &code);
		buf_add_slice(out, character.ptr ? character : SLICE(REPLACEMENT));
	}
}

/* Beyond the first plane a pair of surrogates. */
static void
add_escape(struct buf *out, uint32_t code)
{
	if (code > 0xffff) {
		code -= 0x10000;
		buf_addf(out, "\\u%04X", 0xd800 + (code >> 10));
		code = 0xdc00 + (code & 0x3ff);
	}
	buf_addf(out, "\\u%04X", code);
}

void
inert_add_json(struct buf *out, struct slice json)
{
	while (json.len > 0) {
		uint32_t code;
		struct slice character = take(&json, &code);
		if (!character.ptr)
			buf_add_literal(out, REPLACEMENT);
		else if (inert_acts(code))
			add_escape(out, code);
		else
			buf_add_slice(out, character);
	}
}

bool
inert_is_formula(struct slice cell)
{
	uint32_t code = ' ';
	while (cell.len > 0 && (code == ' ' || code == 0xa0 || is_space(code)))
		if (!take(&cell, &code).ptr)
			return false;
	if (code >= 0xff01 && code <= 0xff5e) /* the wide forms of ASCII */
		code -= 0xfee0;
	return code == '=' || code == '+' || code == '-' || code == '@';
}
