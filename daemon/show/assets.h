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

struct asset {
	struct slice content; /* lives as long as the program */
	char etag[24];        /* with its quotes; changes with the content */
	char etag_line[40];   /* "ETag: ...", with its CRLF */
};

void asset_get(enum asset_id id, struct asset *asset);

#endif
