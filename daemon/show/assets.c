/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Embeds client-js in the program, so that a daemon needs no files beside it: each file as the build has prepared it,
 * and compressed. The paths are relative to the root of the sources, from which everything is compiled.
 */
#include "show/assets.h"

#include <sodium.h>
#include <xxhash.h>

#ifndef ASSETS_DIR /* set by the Makefile: where the prepared files are */
#define ASSETS_DIR "build/client-js"
#endif

#define EMBED(name, file)                                               \
	__asm__(".pushsection .rodata\n" #name ":\n"                    \
		".incbin \"" ASSETS_DIR "/" file "\"\n" #name "_end:\n" \
		".byte 0\n.popsection\n");                              \
	extern const char name[] __attribute__((visibility("hidden"))); \
	extern const char name##_end[] __attribute__((visibility("hidden")))

EMBED(asset_script, "thongke.js");
EMBED(asset_script_gz, "thongke.js.gz");
EMBED(asset_style, "thongke.css");
EMBED(asset_style_gz, "thongke.css.gz");
EMBED(asset_frame_style, "frame.css");
EMBED(asset_frame_style_gz, "frame.css.gz");
EMBED(asset_stats_style, "stats.css");
EMBED(asset_stats_style_gz, "stats.css.gz");
EMBED(asset_demo, "demo.html");
EMBED(asset_demo_gz, "demo.html.gz");

#define BODIES(name) name, name##_end, name##_gz, name##_gz_end

static const struct {
	const char *start, *end, *gz, *gz_end;
	const char *stem, *extension; /* of its frozen name; NULL: it has none */
} asset_table[ASSETS] = {
	[ASSET_SCRIPT] = {BODIES(asset_script), "/thongke", ".js"},
	[ASSET_STYLE] = {BODIES(asset_style), NULL, NULL},
	[ASSET_FRAME_STYLE] = {BODIES(asset_frame_style), NULL, NULL},
	[ASSET_STATS_STYLE] = {BODIES(asset_stats_style), NULL, NULL},
	[ASSET_DEMO] = {BODIES(asset_demo), NULL, NULL},
};

static void
asset_fill(struct asset_body *body, const char *start, const char *end, uint64_t hash, bool gzip)
{
	body->content = (struct slice){start, (size_t)(end - start)};
	snprintf(body->etag, sizeof(body->etag), "\"%016" PRIx64 "%s\"", hash, gzip ? "-gzip" : "");
	int len = snprintf(body->lines, sizeof(body->lines),
			   "Vary: Accept-Encoding\r\nETag: %s\r\n", body->etag);
	body->common = (size_t)len;
	if (gzip)
		snprintf(body->lines + len, sizeof(body->lines) - (size_t)len,
			 "Content-Encoding: gzip\r\n");
}

static void
asset_hash(struct asset *asset)
{
	static const char name[] = "sha256-";
	unsigned char hash[crypto_hash_sha256_BYTES];
	const struct slice *content = &asset->plain.content;
	crypto_hash_sha256(hash, (const unsigned char *)content->ptr, content->len);
	memcpy(asset->integrity, name, sizeof(name));
	sodium_bin2base64(asset->integrity + sizeof(name) - 1,
			  sizeof(asset->integrity) - sizeof(name) + 1, hash, sizeof(hash),
			  sodium_base64_VARIANT_ORIGINAL);
}

void
asset_get(enum asset_id id, struct asset *asset)
{
	const char *start = asset_table[id].start, *end = asset_table[id].end;
	uint64_t hash = (uint64_t)XXH3_64bits(start, (size_t)(end - start));
	*asset = (struct asset){0};
	asset_fill(&asset->plain, start, end, hash, false);
	asset_fill(&asset->gzip, asset_table[id].gz, asset_table[id].gz_end, hash, true);
	if (asset_table[id].stem)
		snprintf(asset->frozen, sizeof(asset->frozen), "%s-%016" PRIx64 "%s",
			 asset_table[id].stem, hash, asset_table[id].extension);
	asset_hash(asset);
}
