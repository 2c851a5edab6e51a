/* SPDX-License-Identifier: BSD-2-Clause */
/* The files that are part of the program: the script and the style for pages, and the demonstration page. */
#ifndef SHOW_ASSETS_H
#define SHOW_ASSETS_H

#include "base/base.h"

enum asset_id {
	ASSET_SCRIPT,
	ASSET_STYLE,
	ASSET_FRAME_STYLE,
	ASSET_STATS_STYLE,
	ASSET_DEMO,
	ASSETS
};

enum { ASSET_INTEGRITY_MAX = 64 };

/* A file as it is sent, in one encoding. */
struct asset_body {
	struct slice content; /* lives as long as the program */
	char etag[32];   /* with its quotes; changes with the content, and differs by encoding */
	char lines[128]; /* header lines that say so, each with its CRLF */
	size_t common;   /* of them, those that a 304 has too */
};

struct asset {
	struct asset_body plain, gzip;
	/* "/thongke-0123456789abcdef.js", or "": a name that another content will not have */
	char frozen[40];
	/* "sha256-...": for the integrity attribute of a tag (Subresource Integrity) */
	char integrity[ASSET_INTEGRITY_MAX];
};

void asset_get(enum asset_id id, struct asset *asset);

#endif
