/* SPDX-License-Identifier: BSD-2-Clause */
/* Host names as strangers write them, in the one form in which they are compared and counted (pure). */
#ifndef HIT_HOST_H
#define HIT_HOST_H

#include "hit/hit.h"

/*
 * `host` as url_host() gives it: lower case, without the dot at its end, an IPv6 address in its shortest spelling and
 * without brackets. Absent when it is none: only letters, digits and "._-" of ASCII make a name, no label of it is
 * empty or begins with '-'. Else borrowed from `out`.
 */
struct slice host_normalise(struct slice host, char out[HIT_VALUE_MAX]);

#endif
