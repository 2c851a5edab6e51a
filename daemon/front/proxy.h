/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The PROXY protocol, versions 1 and 2 (pure): the header with which a proxy that only passes bytes on says who
 * connected to it. Where it is expected is the listener's business: it is never guessed.
 */
#ifndef FRONT_PROXY_H
#define FRONT_PROXY_H

#include "base/network.h"

/* The longest line of version 1; a header of version 2, which the specification wants to fit any segment. */
enum { PROXY_LINE_MAX = 107, PROXY_BINARY_MAX = 536 };

/*
 * Parses the header at the start of `bytes`. Returns the bytes it takes, 0 when more are needed, -1 when it is none.
 * *source is whom it names; it is left as it was by headers that name nobody the daemon could know: UNKNOWN, LOCAL,
 * UNSPEC, datagrams. TLVs are skipped, also a checksum.
 */
int proxy_parse(struct slice bytes, union address *source) MUST_CHECK;

#endif
