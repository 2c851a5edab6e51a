/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Embeds client-js in the program, so that a daemon needs no files beside it. The paths are relative to the root of
 * the sources, from which everything is compiled. Changes nothing in them.
 */
#include "show/assets.h"

#include <xxhash.h>

#define EMBED(name, path)                                               \
	__asm__(".pushsection .rodata\n" #name ":\n"                    \
		".incbin \"" path "\"\n" #name "_end:\n"                \
		".byte 0\n.popsection\n");                              \
	extern const char name[] __attribute__((visibility("hidden"))); \
	extern const char name##_end[] __attribute__((visibility("hidden")))

EMBED(asset_script, "client-js/thongke.js");
EMBED(asset_style, "client-js/thongke.css");
EMBED(asset_frame_style, "client-js/frame.css");
EMBED(asset_stats_style, "client-js/stats.css");
EMBED(asset_demo, "client-js/demo.html");

static const struct {
	const char *start, *end;
} asset_table[ASSETS] = {
	[ASSET_SCRIPT] = {asset_script, asset_script_end},
	[ASSET_STYLE] = {asset_style, asset_style_end},
	[ASSET_FRAME_STYLE] = {asset_frame_style, asset_frame_style_end},
	[ASSET_STATS_STYLE] = {asset_stats_style, asset_stats_style_end},
	[ASSET_DEMO] = {asset_demo, asset_demo_end},
};

void
asset_get(enum asset_id id, struct asset *asset)
{
	const char *start = asset_table[id].start;
	asset->content = (struct slice){start, (size_t)(asset_table[id].end - start)};
	snprintf(asset->etag, sizeof(asset->etag), "\"%016" PRIx64 "\"",
		 (uint64_t)XXH3_64bits(start, asset->content.len));
	snprintf(asset->etag_line, sizeof(asset->etag_line), "ETag: %s\r\n", asset->etag);
}
